//! Asks the provider about rows of which the two sides disagree, before anybody is told: what a
//! query proves is booked, and what stays one-sided says what the provider answered.

use std::collections::{BTreeMap, BTreeSet};

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
use super::doubts::because;
use crate::combined;
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::orders;
use crate::outbound::{InTurn, Kind as Urgency};
use crate::record::{Arrival, Verdict, record};
use crate::store::combined::of_part;
use crate::store::doubts::Carried;
use crate::store::{refunds, runs};

/// How many rows are asked about in one run, so that a bill that lacks a whole day ends some time.
/// Whatever is over is a doubt that nobody was asked about, and the next file's run goes on with it.
const MOST: usize = 1000;

/// A row: payment or refund, order number, refund number.
type Row = (Direction, String, String);

/// What a row's provider said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// This.
    Word(&'static str),
    /// Nothing on which one could act.
    Nothing,
    /// It was not asked: its merchant's queries were spent for longer than a run waits.
    NotAsked,
}

/// What the provider answered.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Whether an answer changed the ledger.
    pub(super) repaired: bool,
    /// How many rows were asked about one by one.
    asked: usize,
    /// By row.
    said: BTreeMap<Row, Said>,
    turn: InTurn,
}

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
    unpaid(hub, merchant, &found, &mut answers).await?;
    for found in found {
        let Some(asks) = asked_for(found) else { continue };
        if answers.said.contains_key(&row(found)) {
            continue;
        }
        let said = if answers.asked >= MOST {
            Said::NotAsked
        } else {
            one(hub, merchant, found, asks, &mut answers).await?
        };
        answers.note_of(found, said);
    }
    Ok(answers)
}

/// What a query can decide about a row; `None`: nothing.
fn asked_for(found: &Finding) -> Option<Direction> {
    match found.cause {
        Cause::NearCut if found.kind == Kind::OnlyInHub => Some(found.direction),
        Cause::PaymentMissingInBill => Some(Direction::Payment),
        Cause::RefundMissingInBill
        | Cause::RefundNoticeLost
        | Cause::RefundNotDone
        | Cause::RefundDoneAfterAll
        | Cause::RefundUnderWay => Some(Direction::Refund),
        Cause::NearCut
        | Cause::PaymentForeign
        | Cause::NumberDiffers
        | Cause::CallbackLost
        | Cause::PaidAfterClose
        | Cause::PaymentRevoked
        | Cause::AmountUnequal
        | Cause::RefundByHand
        | Cause::RefundAmountUnequal
        | Cause::RateUnequal
        | Cause::ListedTwice => None,
    }
}

async fn one(
    hub: &Hub,
    merchant: &Merchant,
    found: &Finding,
    asks: Direction,
    answers: &mut Answers,
) -> Result<Said, Fault> {
    let Ok(order) = found.out_trade_no.parse() else { return Ok(Said::Nothing) };
    let merchant = owner(hub, merchant, &order).await?;
    match asks {
        Direction::Payment => {
            let trade_no = found.provider_trade_no.parse().ok();
            let key = OrderKey { out_trade_no: &order, provider_trade_no: trade_no.as_ref() };
            payment(hub, merchant, &key, answers).await
        }
        Direction::Refund => {
            let Ok(number) = found.out_refund_no.parse() else { return Ok(Said::Nothing) };
            refund(hub, merchant, (&order, &number), answers).await
        }
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

    /// What the provider said about a row; `None`: it was not asked for, or no query could decide.
    pub(super) fn of(&self, found: &Finding) -> Option<Said> {
        self.said.get(&row(found)).copied()
    }

    /// Whether the provider says that there is no such payment or refund.
    pub(super) fn denies(&self, found: &Finding) -> bool {
        self.of(found)
            .is_some_and(|said| matches!(said, Said::Word(word) if DENIALS.contains(&word)))
    }

    /// What the provider said about a row, for a person; empty where nothing.
    pub(super) fn words(&self, found: &Finding) -> String {
        told(self.of(found))
    }

    /// Writes the answers to what is left. A row that stands in the ledger alone and about which
    /// the provider gave no answer is not decided, and none is about which it could not be asked:
    /// it becomes a doubt. Near the cut, one that the provider denies is a difference at once; so is
    /// one that the bill alone has, for no later file can bring it into the ledger.
    pub(super) fn note(&self, result: &mut Reconciliation) {
        for found in result.differences.iter_mut().chain(&mut result.doubts) {
            let answer = self.words(found);
            found.detail.push_str(&answer);
        }
        let doubts = std::mem::take(&mut result.doubts);
        let of_hub: BTreeSet<String> = doubts
            .iter()
            .chain(&result.differences)
            .filter(|found| found.kind == Kind::OnlyInHub && found.direction == Direction::Payment)
            .map(|found| found.provider_trade_no.clone())
            .collect();
        for found in doubts {
            match self.outright(&found, &of_hub) {
                Some(cause) => result.differences.push(because(found, cause)),
                None => result.doubts.push(found),
            }
        }
        let is_open = |found: &Finding| match self.of(found) {
            Some(Said::NotAsked) => true,
            Some(Said::Nothing) => found.kind == Kind::OnlyInHub,
            Some(Said::Word(_)) | None => false,
        };
        let (undecided, decided) =
            std::mem::take(&mut result.differences).into_iter().partition(is_open);
        result.doubts.extend::<Vec<Finding>>(undecided);
        result.differences = decided;
    }

    /// The cause of a doubt near the cut that is a difference at once.
    fn outright(&self, found: &Finding, of_hub: &BTreeSet<String>) -> Option<Cause> {
        match (found.cause, found.kind, found.direction) {
            (Cause::NearCut, Kind::OnlyInBill, Direction::Payment)
                if of_hub.contains(&found.provider_trade_no) =>
            {
                Some(Cause::NumberDiffers)
            }
            (Cause::NearCut, Kind::OnlyInBill, Direction::Payment) => Some(Cause::PaymentForeign),
            (Cause::NearCut, Kind::OnlyInBill, Direction::Refund) => Some(Cause::RefundByHand),
            (Cause::NearCut, Kind::OnlyInHub, direction) if self.denies(found) => {
                Some(match direction {
                    Direction::Payment => Cause::PaymentMissingInBill,
                    Direction::Refund => Cause::RefundMissingInBill,
                })
            }
            _ => None,
        }
    }
}

/// The words by which a provider says that it has no such payment or refund.
const DENIALS: [&str; 4] = ["unpaid", "closed", "no such order", "no such refund"];

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
