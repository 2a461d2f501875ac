//! Asks the provider about rows of which the two sides disagree, before anybody is told: what a
//! query proves is booked, and what stays one-sided says what the provider answered.

use adapters::provider::{OrderKey, RefundKey};
use adapters::wire::Outcome;
use callbacks::Claim;
use domain::bill::Direction;
use domain::fact::{OrderStanding, ProviderFact, RefundFact, RefundStanding, Source};
use domain::ids::{OutRefundNo, OutTradeNo};
use domain::order::OrderState;
use reconciliation::{Cause, Finding, Kind, Reconciliation};

use super::answers::{Answers, Said, row};
use super::ask;
use super::day::ids;
use super::{portal, second};
use crate::combined;
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::orders::{self, Heard};
use crate::outbound::{InTurn, Kind as Urgency};
use crate::record::{Arrival, Verdict, record};
use crate::store::combined::of_part;
use crate::store::doubts::Carried;
use crate::store::{refunds, runs};

/// How many rows are asked about in one run, so that a bill that lacks a whole day ends some time.
/// Whatever is over is a doubt that nobody was asked about, and the next file's run goes on with it.
const MOST: usize = 1000;

/// Asks about every row on which the sides disagree and that a query can decide, and about the
/// doubts of other days.
pub(super) async fn query(
    hub: &Hub,
    merchant: &Merchant,
    result: &Reconciliation,
    carried: &[Carried],
) -> Result<Answers, Fault> {
    let mut answers = Answers::default();
    let of_other_days = carried.iter().map(|doubt| &doubt.finding);
    let found: Vec<&Finding> =
        of_other_days.chain(&result.differences).chain(&result.doubts).collect();
    answers.seen = found.iter().map(|found| row(found)).collect();
    unpaid(hub, merchant, &found, &mut answers).await?;
    for found in found {
        let Some(asks) = asked_for(found) else { continue };
        if answers.said.contains_key(&row(found)) {
            continue;
        }
        let said = if answers.asked >= MOST {
            Some(Said::NotAsked)
        } else {
            one(hub, merchant, found, asks, &mut answers).await?
        };
        if let Some(said) = said {
            answers.note_of(found, said);
        }
    }
    Ok(answers)
}

/// What is asked for.
#[derive(Clone, Copy)]
enum Asks {
    /// A payment that the ledger has.
    Payment,
    /// A refund that the ledger has.
    Refund,
    /// A payment that the bill alone has: perhaps the second one of an order.
    Second,
    /// A refund that the bill alone has: perhaps made in the provider's portal.
    Portal,
}

/// What a query can decide about a row; `None`: nothing.
fn asked_for(found: &Finding) -> Option<Asks> {
    match (found.cause, found.kind, found.direction) {
        (Cause::NearCut, Kind::OnlyInHub, Direction::Payment)
        | (Cause::PaymentMissingInBill, ..) => Some(Asks::Payment),
        (Cause::NearCut, Kind::OnlyInHub, Direction::Refund)
        | (
            Cause::RefundMissingInBill
            | Cause::RefundNoticeLost
            | Cause::RefundNotDone
            | Cause::RefundDoneAfterAll
            | Cause::RefundUnderWay,
            ..,
        ) => Some(Asks::Refund),
        (Cause::NearCut, Kind::OnlyInBill, Direction::Payment)
        | (Cause::PaymentForeign | Cause::SecondPayment, ..) => Some(Asks::Second),
        (Cause::NearCut, Kind::OnlyInBill, Direction::Refund) | (Cause::RefundByHand, ..) => {
            Some(Asks::Portal)
        }
        (
            Cause::NearCut
            | Cause::NumberDiffers
            | Cause::CallbackLost
            | Cause::PaidAfterClose
            | Cause::PaymentRevoked
            | Cause::AmountUnequal
            | Cause::DiscountExplains
            | Cause::RefundAmountUnequal
            | Cause::RefundNotCovered
            | Cause::RateUnequal
            | Cause::ListedTwice
            | Cause::BillOmits
            | Cause::DoneNotBooked
            | Cause::ProvedUnpaid
            | Cause::BillContradicted,
            ..,
        ) => None,
    }
}

/// Asks about one row; `None`: there is nothing to ask for.
async fn one(
    hub: &Hub,
    merchant: &Merchant,
    found: &Finding,
    asks: Asks,
    answers: &mut Answers,
) -> Result<Option<Said>, Fault> {
    let Ok(order) = found.out_trade_no.parse::<OutTradeNo>() else { return Ok(None) };
    let placed_through = owner(hub, merchant, &order).await?;
    let merchant = placed_through.unwrap_or(merchant);
    let trade_no = found.provider_trade_no.parse().ok();
    let key = OrderKey { out_trade_no: &order, provider_trade_no: trade_no.as_ref() };
    match asks {
        Asks::Payment => payment(hub, merchant, &key, answers).await.map(Some),
        Asks::Second if placed_through.is_some() && trade_no.is_some() => {
            second::payment(hub, merchant, &key, found, answers).await
        }
        Asks::Second => Ok(None),
        Asks::Refund => {
            let Ok(number) = found.out_refund_no.parse() else { return Ok(None) };
            refund(hub, merchant, (&order, &number), answers).await.map(Some)
        }
        Asks::Portal if placed_through.is_some() => {
            let Ok(number) = found.out_refund_no.parse() else { return Ok(None) };
            portal::refund(hub, merchant, (&order, &number), found, answers).await
        }
        Asks::Portal => Ok(None),
    }
}

/// Follows orders that the bill says are paid and that are not paid here: a query that proves a
/// payment books it.
async fn unpaid(
    hub: &Hub,
    merchant: &Merchant,
    found: &[&Finding],
    answers: &mut Answers,
) -> Result<(), Fault> {
    let is_lost = |found: &Finding| {
        matches!(found.cause, Cause::CallbackLost | Cause::PaidAfterClose | Cause::NearCut)
    };
    let lost: Vec<&Finding> = found.iter().copied().filter(|found| is_lost(found)).collect();
    if lost.is_empty() {
        return Ok(());
    }
    let numbers: Vec<String> = lost.iter().map(|found| found.out_trade_no.clone()).collect();
    let client = hub.store.client().await?;
    let unpaid = runs::unpaid_of(&client, &ids(hub, merchant), &numbers).await?;
    drop(client);
    for order_id in unpaid {
        let (order, heard) = orders::follow_in_turn(hub, &order_id, &mut answers.turn).await?;
        // Booked by somebody else meanwhile is booked.
        answers.repaired |= order.status == OrderState::Paid;
        let said = match heard {
            Heard::NotAsked => Said::NotAsked,
            Heard::Unanswered => Said::Nothing,
            Heard::Standing(word) => Said::Word(word),
            Heard::Unsaid => continue,
        };
        let number = order.out_trade_no.as_str();
        // A row near the cut is asked about by itself.
        let is_heard = |found: &Finding| heard == Heard::NotAsked || found.cause != Cause::NearCut;
        for found in lost.iter().filter(|it| it.out_trade_no == number && is_heard(it)) {
            answers.said.insert(row(found), said);
        }
    }
    Ok(())
}

/// Through which of the account's merchants an order was placed; `None`: the hub has no such order.
async fn owner<'a>(
    hub: &'a Hub,
    merchant: &'a Merchant,
    number: &OutTradeNo,
) -> Result<Option<&'a Merchant>, Fault> {
    let client = hub.store.client().await?;
    let owner = runs::owner_of(&client, &ids(hub, merchant), number.as_str()).await?;
    Ok(owner.and_then(|owner| hub.merchants.get(&owner)))
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
            let fact = ProviderFact::Payment(fact);
            answers.repaired |= book(hub, merchant, fact, Source::Query).await?;
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
pub(super) async fn standing(
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
    let key = RefundKey { out_trade_no: order, out_refund_no: number, amount };
    Ok(match ask_refund(hub, merchant, &key, &mut answers.turn).await? {
        None => Said::NotAsked,
        Some(Outcome::Accepted(Some(fact))) => {
            let word = of_standing(fact.standing);
            let fact = ProviderFact::Refund(fact);
            answers.repaired |= book(hub, merchant, fact, Source::Query).await?;
            Said::Word(word)
        }
        Some(Outcome::Accepted(None)) => Said::Word("no such refund"),
        Some(Outcome::Refused(_) | Outcome::Unknown(_)) => Said::Nothing,
    })
}

/// How a refund stands at its provider; `None`: its turn to be asked for did not come.
pub(super) async fn ask_refund(
    hub: &Hub,
    merchant: &Merchant,
    key: &RefundKey<'_>,
    turn: &mut InTurn,
) -> Result<Option<Outcome<Option<RefundFact>>>, Fault> {
    if !turn.may_ask(hub, merchant).await? {
        return Ok(None);
    }
    let call = merchant.provider.query_refund(key);
    let subject = key.out_refund_no.as_str();
    let read =
        ask(hub, merchant, "query_refund", subject, Urgency::Call, &call, |answer, stamp| {
            merchant.provider.read_refund(key, answer, stamp.now)
        });
    Ok(Some(read.await))
}

/// The word for how a refund stands.
pub(super) const fn of_standing(standing: RefundStanding) -> &'static str {
    match standing {
        RefundStanding::Processing => "processing",
        RefundStanding::Succeeded => "succeeded",
        RefundStanding::Failed => "failed",
        RefundStanding::Abnormal => "abnormal",
    }
}

/// Records what a query states; whether it changed the ledger.
pub(super) async fn book(
    hub: &Hub,
    merchant: &Merchant,
    fact: ProviderFact,
    source: Source,
) -> Result<bool, Fault> {
    Ok(booking(hub, merchant, fact, source).await? == Some(Verdict::Applied))
}

/// The same; what became of it.
pub(super) async fn booking(
    hub: &Hub,
    merchant: &Merchant,
    fact: ProviderFact,
    source: Source,
) -> Result<Option<Verdict>, Fault> {
    let claims = vec![Claim { fact, source }];
    let verdicts = record(hub, &[Arrival { merchant, claims, evidence: None }]).await?;
    Ok(verdicts.first().copied())
}
