//! Asks the provider about rows of which the two sides disagree, before anybody is told: what a
//! query proves is booked, and what stays one-sided says what the provider answered.

use std::collections::BTreeMap;

use adapters::provider::{OrderKey, RefundKey};
use adapters::wire::Outcome;
use callbacks::Claim;
use domain::bill::Direction;
use domain::fact::{OrderStanding, ProviderFact, RefundStanding, Source};
use domain::ids::{OutRefundNo, OutTradeNo};
use domain::order::OrderState;
use reconciliation::{Cause, Finding, Kind, Reconciliation};

use super::ask;
use super::day::ids;
use crate::combined;
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::orders;
use crate::outbound::{InTurn, Kind as Urgency};
use crate::record::{Arrival, Verdict, record};
use crate::store::combined::of_part;
use crate::store::{refunds, runs};

/// How many one-sided rows are asked about in one run, so that a bill that lacks a whole day does
/// not outlast the run's lease. Whatever is over stays a difference.
const MOST: usize = 50;

/// A row: payment or refund, order number, refund number.
type Row = (Direction, String, String);

/// What a row's provider said.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    /// This.
    Word(&'static str),
    /// Nothing on which one could act.
    Nothing,
    /// It was not asked: its merchant's queries were spent for longer than a run waits.
    NotAsked,
}

/// What the provider answered.
#[derive(Default)]
pub(super) struct Answers {
    /// Whether an answer changed the ledger.
    pub(super) repaired: bool,
    /// How many rows were asked about one by one.
    asked: usize,
    /// By row.
    said: BTreeMap<Row, Said>,
    turn: InTurn,
}

/// Asks about every row on which the sides disagree and that a query can decide.
pub(super) async fn query(
    hub: &Hub,
    merchant: &Merchant,
    result: &Reconciliation,
) -> Result<Answers, Fault> {
    let mut answers = Answers::default();
    unpaid(hub, merchant, result, &mut answers).await?;
    for found in result.differences.iter().chain(&result.doubts) {
        if answers.asked >= MOST {
            break;
        }
        match found.cause {
            Cause::PaymentMissingInBill => {
                let Ok(number) = found.out_trade_no.parse() else { continue };
                let merchant = owner(hub, merchant, &number).await?;
                let trade_no = found.provider_trade_no.parse().ok();
                let key = OrderKey { out_trade_no: &number, provider_trade_no: trade_no.as_ref() };
                let said = payment(hub, merchant, &key, &mut answers).await?;
                answers.note_of(found, said);
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
                let said = refund(hub, merchant, (&order, &number), &mut answers).await?;
                answers.note_of(found, said);
            }
            Cause::PaymentForeign
            | Cause::SecondPayment
            | Cause::NumberDiffers
            | Cause::CallbackLost
            | Cause::PaidAfterClose
            | Cause::PaymentRevoked
            | Cause::AmountUnequal
            | Cause::DiscountExplains
            | Cause::RefundByHand
            | Cause::RefundAmountUnequal
            | Cause::RateUnequal
            | Cause::ListedTwice
            | Cause::NearCut
            | Cause::BillOmits
            | Cause::DoneNotBooked
            | Cause::ProvedUnpaid
            | Cause::BillContradicted => {}
        }
    }
    Ok(answers)
}

/// Follows orders that the bill says are paid and that are not paid here: a query that proves a
/// payment books it.
async fn unpaid(
    hub: &Hub,
    merchant: &Merchant,
    result: &Reconciliation,
    answers: &mut Answers,
) -> Result<(), Fault> {
    let lost: Vec<&Finding> = result
        .differences
        .iter()
        .chain(&result.doubts)
        .filter(|found| {
            matches!(found.cause, Cause::CallbackLost | Cause::PaidAfterClose | Cause::NearCut)
        })
        .collect();
    if lost.is_empty() {
        return Ok(());
    }
    let numbers: Vec<String> = lost.iter().map(|found| found.out_trade_no.clone()).collect();
    let client = hub.store.client().await?;
    let unpaid = runs::unpaid_of(&client, &ids(hub, merchant), &numbers).await?;
    drop(client);
    for order_id in unpaid {
        let (order, asked) = orders::follow_in_turn(hub, &order_id, &mut answers.turn).await?;
        // Booked by somebody else meanwhile is booked.
        answers.repaired |= order.status == OrderState::Paid;
        let number = order.out_trade_no.as_str();
        for found in lost.iter().filter(|found| !asked && found.out_trade_no == number) {
            answers.said.insert(row(found), Said::NotAsked);
        }
    }
    Ok(())
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
    answers: &mut Answers,
) -> Result<Said, Fault> {
    Ok(match standing(hub, merchant, key, &mut answers.turn).await? {
        None => Said::NotAsked,
        Some(Outcome::Accepted(OrderStanding::Paid(fact) | OrderStanding::GivenBack(fact))) => {
            answers.repaired |= book(hub, merchant, ProviderFact::Payment(fact)).await?;
            Said::Word("paid")
        }
        Some(Outcome::Accepted(OrderStanding::Unpaid)) => Said::Word("unpaid"),
        Some(Outcome::Accepted(OrderStanding::Closed)) => Said::Word("closed"),
        Some(Outcome::Accepted(OrderStanding::Absent)) => Said::Word("no such order"),
        Some(Outcome::Refused(_) | Outcome::Unknown(_)) => Said::Nothing,
    })
}

/// How an order stands at its provider; `None`: its turn to be asked for did not come. A part of a
/// combined order is asked for with its whole.
async fn standing(
    hub: &Hub,
    merchant: &Merchant,
    key: &OrderKey<'_>,
    turn: &mut InTurn,
) -> Result<Option<Outcome<OrderStanding>>, Fault> {
    let number = key.out_trade_no;
    let client = hub.store.client().await?;
    let whole = of_part(&client, &merchant.id, number).await?;
    drop(client);
    if let Some(whole) = whole {
        let asker = combined::asker_of(hub, &whole).await?;
        if !turn.may_ask(hub, asker).await? {
            return Ok(None);
        }
        return combined::part_standing(hub, &whole, number).await.map(Some);
    }
    if !turn.may_ask(hub, merchant).await? {
        return Ok(None);
    }
    let call = merchant.provider.query_order(key);
    let subject = number.as_str();
    let read = ask(hub, merchant, "query", subject, Urgency::Call, &call, |answer, stamp| {
        merchant.provider.read_order(key, answer, stamp.now)
    });
    Ok(Some(read.await))
}

async fn refund(
    hub: &Hub,
    merchant: &Merchant,
    (order, number): (&OutTradeNo, &OutRefundNo),
    answers: &mut Answers,
) -> Result<Said, Fault> {
    let client = hub.store.client().await?;
    let known = refunds::by_number(&client, &merchant.id, number).await?;
    drop(client);
    let Some((_, _, amount)) = known else { return Ok(Said::Nothing) };
    if !answers.turn.may_ask(hub, merchant).await? {
        return Ok(Said::NotAsked);
    }
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
            answers.repaired |= book(hub, merchant, ProviderFact::Refund(fact)).await?;
            Said::Word(word)
        }
        Outcome::Accepted(None) => Said::Word("no such refund"),
        Outcome::Refused(_) | Outcome::Unknown(_) => Said::Nothing,
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
    fn note_of(&mut self, found: &Finding, said: Said) {
        if said != Said::NotAsked {
            self.asked = self.asked.saturating_add(1);
        }
        self.said.insert(row(found), said);
    }

    /// Writes the answers to what is left. A row that stands in the ledger alone and about which
    /// the provider gave no answer is not decided, and none is about which it could not be asked:
    /// it becomes a doubt.
    pub(super) fn note(&self, result: &mut Reconciliation) {
        let said = |found: &Finding| self.said.get(&row(found)).copied();
        for found in result.differences.iter_mut().chain(&mut result.doubts) {
            let answer = told(said(found));
            found.detail.push_str(&answer);
        }
        let is_open = |found: &Finding| match said(found) {
            Some(Said::NotAsked) => true,
            Some(Said::Nothing) => found.kind == Kind::OnlyInHub,
            Some(Said::Word(_)) | None => false,
        };
        let (undecided, decided) =
            std::mem::take(&mut result.differences).into_iter().partition(is_open);
        result.doubts.extend::<Vec<Finding>>(undecided);
        result.differences = decided;
    }
}

fn told(said: Option<Said>) -> String {
    match said {
        None => String::new(),
        Some(Said::NotAsked) => {
            "; its provider could not be asked: the merchant's queries were spent".to_owned()
        }
        Some(Said::Nothing) => "; asked at once, its provider gave no answer".to_owned(),
        Some(Said::Word(word)) => format!("; asked at once, its provider says: {word}"),
    }
}
