//! Asks the provider about rows of which the two sides disagree, before anybody is told: what a
//! query proves is booked, and what stays one-sided says what the provider answered.

use std::collections::BTreeMap;

use adapters::provider::{OrderKey, RefundKey};
use adapters::wire::Outcome;
use callbacks::Claim;
use domain::bill::Direction;
use domain::fact::{OrderStanding, ProviderFact, RefundStanding, Source};
use domain::ids::{OutRefundNo, OutTradeNo};
use reconciliation::{Cause, Finding, Kind, Reconciliation};

use super::ask;
use super::day::ids;
use crate::combined;
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::orders;
use crate::outbound::Kind as Urgency;
use crate::record::{Arrival, Verdict, record};
use crate::store::combined::of_part;
use crate::store::{refunds, runs};

/// How many one-sided rows are asked about in one run, so that a bill that lacks a whole day does
/// not outlast the run's lease. Whatever is over stays a difference.
const MOST: usize = 50;

/// A row: payment or refund, order number, refund number.
type Row = (Direction, String, String);

/// What the provider answered.
#[derive(Default)]
pub(super) struct Answers {
    /// Whether an answer changed the ledger.
    pub(super) repaired: bool,
    /// By row; `None`: it gave no answer.
    said: BTreeMap<Row, Option<&'static str>>,
}

/// Asks about every row on which the sides disagree and that a query can decide.
pub(super) async fn query(
    hub: &Hub,
    merchant: &Merchant,
    result: &Reconciliation,
) -> Result<Answers, Fault> {
    let mut answers =
        Answers { repaired: unpaid(hub, merchant, result).await?, ..Answers::default() };
    for found in result.differences.iter().chain(&result.doubts) {
        if answers.said.len() >= MOST {
            break;
        }
        match found.cause {
            Cause::PaymentMissingInBill => {
                let (Ok(number), row) = (found.out_trade_no.parse(), row(found)) else { continue };
                let merchant = owner(hub, merchant, &number).await?;
                let trade_no = found.provider_trade_no.parse().ok();
                let key = OrderKey { out_trade_no: &number, provider_trade_no: trade_no.as_ref() };
                let said = payment(hub, merchant, &key, &mut answers.repaired).await?;
                answers.said.insert(row, said);
            }
            Cause::RefundMissingInBill
            | Cause::RefundNoticeLost
            | Cause::RefundNotDone
            | Cause::RefundDoneAfterAll
            | Cause::RefundUnderWay => {
                let (Ok(order), Ok(number)) =
                    (found.out_trade_no.parse(), found.out_refund_no.parse())
                else {
                    continue;
                };
                let merchant = owner(hub, merchant, &order).await?;
                let said = refund(hub, merchant, (&order, &number), &mut answers.repaired).await?;
                answers.said.insert(row(found), said);
            }
            Cause::PaymentForeign
            | Cause::NumberDiffers
            | Cause::CallbackLost
            | Cause::PaidAfterClose
            | Cause::PaymentRevoked
            | Cause::AmountUnequal
            | Cause::RefundByHand
            | Cause::RefundAmountUnequal
            | Cause::RateUnequal
            | Cause::ListedTwice
            | Cause::NearCut => {}
        }
    }
    Ok(answers)
}

/// Follows orders that the bill says are paid and that are not paid here: a query that proves a
/// payment books it. Whether any did.
async fn unpaid(hub: &Hub, merchant: &Merchant, result: &Reconciliation) -> Result<bool, Fault> {
    let numbers: Vec<String> = result
        .differences
        .iter()
        .chain(&result.doubts)
        .filter(|found| {
            matches!(found.cause, Cause::CallbackLost | Cause::PaidAfterClose | Cause::NearCut)
        })
        .map(|found| found.out_trade_no.clone())
        .collect();
    if numbers.is_empty() {
        return Ok(false);
    }
    let client = hub.store.client().await?;
    let unpaid = runs::unpaid_of(&client, &ids(hub, merchant), &numbers).await?;
    drop(client);
    let mut repaired = false;
    for order_id in unpaid {
        let order = orders::follow(hub, &order_id).await?;
        repaired |= order.status == domain::order::OrderState::Paid;
    }
    Ok(repaired)
}

/// Through which of the account's merchants an order was placed; the run's own where the hub has no
/// such order.
async fn owner<'a>(
    hub: &'a Hub,
    merchant: &'a Merchant,
    number: &OutTradeNo,
) -> Result<&'a Merchant, Fault> {
    let client = hub.store.client().await?;
    let owner = runs::owner_of(&client, &ids(hub, merchant), number.as_str()).await?;
    Ok(owner.and_then(|owner| hub.merchants.get(&owner)).unwrap_or(merchant))
}

async fn payment(
    hub: &Hub,
    merchant: &Merchant,
    key: &OrderKey<'_>,
    repaired: &mut bool,
) -> Result<Option<&'static str>, Fault> {
    Ok(match standing(hub, merchant, key).await? {
        Outcome::Accepted(OrderStanding::Paid(fact) | OrderStanding::GivenBack(fact)) => {
            *repaired |= book(hub, merchant, ProviderFact::Payment(fact)).await?;
            Some("paid")
        }
        Outcome::Accepted(OrderStanding::Unpaid) => Some("unpaid"),
        Outcome::Accepted(OrderStanding::Closed) => Some("closed"),
        Outcome::Accepted(OrderStanding::Absent) => Some("no such order"),
        Outcome::Refused(_) | Outcome::Unknown(_) => None,
    })
}

/// How an order stands at its provider. A part of a combined order is asked for with its whole.
async fn standing(
    hub: &Hub,
    merchant: &Merchant,
    key: &OrderKey<'_>,
) -> Result<Outcome<OrderStanding>, Fault> {
    let number = key.out_trade_no;
    let client = hub.store.client().await?;
    let whole = of_part(&client, &merchant.id, number).await?;
    drop(client);
    if let Some(whole) = whole {
        return combined::part_standing(hub, &whole, number).await;
    }
    let call = merchant.provider.query_order(key);
    let subject = number.as_str();
    let read = ask(hub, merchant, "query", subject, Urgency::Call, &call, |answer, stamp| {
        merchant.provider.read_order(key, answer, stamp.now)
    });
    Ok(read.await)
}

async fn refund(
    hub: &Hub,
    merchant: &Merchant,
    (order, number): (&OutTradeNo, &OutRefundNo),
    repaired: &mut bool,
) -> Result<Option<&'static str>, Fault> {
    let client = hub.store.client().await?;
    let known = refunds::by_number(&client, &merchant.id, number).await?;
    drop(client);
    let Some((_, _, amount)) = known else { return Ok(None) };
    let key = RefundKey { out_trade_no: order, out_refund_no: number, amount };
    let call = merchant.provider.query_refund(&key);
    let subject = number.as_str();
    let read =
        ask(hub, merchant, "query_refund", subject, Urgency::Call, &call, |answer, stamp| {
            merchant.provider.read_refund(&key, answer, stamp.now)
        });
    Ok(match read.await {
        Outcome::Accepted(Some(fact)) => {
            let word = match fact.standing {
                RefundStanding::Processing => "processing",
                RefundStanding::Succeeded => "succeeded",
                RefundStanding::Failed => "failed",
                RefundStanding::Abnormal => "abnormal",
            };
            *repaired |= book(hub, merchant, ProviderFact::Refund(fact)).await?;
            Some(word)
        }
        Outcome::Accepted(None) => Some("no such refund"),
        Outcome::Refused(_) | Outcome::Unknown(_) => None,
    })
}

/// Records what a query states; whether it changed the ledger.
async fn book(hub: &Hub, merchant: &Merchant, fact: ProviderFact) -> Result<bool, Fault> {
    let claims = vec![Claim { fact, source: Source::Query }];
    let verdicts = record(hub, &[Arrival { merchant, claims, evidence: None }]).await?;
    Ok(verdicts.contains(&Verdict::Applied))
}

fn row(found: &Finding) -> Row {
    (found.direction, found.out_trade_no.clone(), found.out_refund_no.clone())
}

impl Answers {
    /// Writes the answers to what is left. A row that stands in the ledger alone and about which
    /// the provider gave no answer is not decided: it becomes a doubt.
    pub(super) fn note(&self, result: &mut Reconciliation) {
        let said = |found: &Finding| self.said.get(&row(found)).copied();
        for found in result.differences.iter_mut().chain(&mut result.doubts) {
            let answer = told(said(found));
            found.detail.push_str(&answer);
        }
        let (undecided, decided) = std::mem::take(&mut result.differences)
            .into_iter()
            .partition(|found| found.kind == Kind::OnlyInHub && said(found) == Some(None));
        result.doubts.extend::<Vec<Finding>>(undecided);
        result.differences = decided;
    }
}

fn told(said: Option<Option<&'static str>>) -> String {
    match said {
        None => String::new(),
        Some(None) => "; asked at once, its provider gave no answer".to_owned(),
        Some(Some(word)) => format!("; asked at once, its provider says: {word}"),
    }
}
