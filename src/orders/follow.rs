//! Follows orders: asks the provider how one stands under its own number, and lets the answer
//! decide. The same path for a lost callback, a lost answer, an expiry and a crash.

use adapters::provider::OrderKey;
use adapters::wire::Outcome;
use callbacks::Claim;
use domain::fact::{OrderStanding, ProviderFact, Source};
use domain::ids::{MerchantId, OrderId};
use domain::order::OrderState;
use domain::provider::PaidThrough;
use futures_util::future;
use jiff::Timestamp;

use super::cadence::{self, Look};
use super::close::{Why, close, give_up};
use super::place::{self, found_unpaid};
use super::taken_back::{taken_back, was_taken_back};
use super::turn::taken_back_until;
use super::{load, merchant_of, product_of};
use crate::combined;
use crate::fault::Fault;
use crate::hub::{Hub, Merchant, Shift};
use crate::outbound::{Asker, InTurn, Kind, Question, ask, keep_busy, may_ask};
use crate::record::{Arrival, record};
use crate::store::orders::{self, NextQuery, OrderRecord};

/// Follows orders and combined orders whose time has come, at all merchants at the same time; how
/// many there were.
///
/// # Errors
/// When the database does not answer. What happens to one order does not stop the others.
pub async fn run_once(hub: &Hub) -> Result<usize, Fault> {
    let shift = &Shift::once();
    let runs = hub.merchants.keys().map(|merchant| async move {
        let (alone, wholes) =
            future::join(run_of(hub, merchant, shift), combined::run_of(hub, merchant, shift))
                .await;
        Ok(alone?.saturating_add(wholes?))
    });
    // One that fails does not break off the others.
    future::join_all(runs).await.into_iter().sum()
}

/// Follows orders of one merchant whose time has come, within its budget of queries, until none is
/// due or the shift is over; how many there were. Parts of a combined order are followed with it.
///
/// # Errors
/// When the database does not answer.
pub async fn run_of(hub: &Hub, merchant: &MerchantId, shift: &Shift) -> Result<usize, Fault> {
    let Some(of) = hub.merchants.get(merchant) else { return Ok(0) };
    let claim = |room| async move {
        let client = hub.store.client().await?;
        let now = hub.clock.now();
        let share = of.queries.share(Asker::Followers, now);
        Ok(orders::claim(&client, merchant, now, room, &share).await?)
    };
    let renew = |held: Vec<OrderId>| async move {
        let client = hub.store.client().await?;
        Ok(orders::renew(&client, &held).await?)
    };
    keep_busy(of.queries.at_once(), shift, claim, renew, |order: OrderId| async move {
        if let Err(fault) = follow_counted(hub, &order).await {
            tracing::warn!(%order, fault = fault.detail, "an order could not be followed");
        }
    })
    .await
}

/// Asks how an order stands and acts on the answer; the order as it is then. Where the queries of
/// this second are spent nobody is asked, and it is as it was.
///
/// # Errors
/// When the database does not answer.
pub async fn follow(hub: &Hub, order_id: &OrderId) -> Result<OrderRecord, Fault> {
    let order = load(hub, order_id).await?;
    // A transfer at the bank is paid as it is known, and nobody is there to be asked.
    if order.provider == PaidThrough::Bank {
        return Ok(order);
    }
    if !may_ask(hub, asked_through(hub, &order)?, Asker::Others).await? {
        return Ok(order);
    }
    follow_counted(hub, order_id).await
}

/// What was heard from an order's provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The turn to ask did not come.
    NotAsked,
    /// No answer on which one could act.
    Unanswered,
    /// How the order stands there.
    Standing(&'static str),
    /// There was nothing to ask for, or a combined order answered as a whole.
    Unsaid,
}

/// The same for somebody who can wait for his turn, with what was heard.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn follow_in_turn(
    hub: &Hub,
    order_id: &OrderId,
    turn: &mut InTurn,
) -> Result<(OrderRecord, Heard), Fault> {
    let order = load(hub, order_id).await?;
    if !turn.may_ask(hub, asked_through(hub, &order)?).await? {
        return Ok((order, Heard::NotAsked));
    }
    followed(hub, order_id).await
}

/// The merchant whose query it is to ask for an order.
fn asked_through<'a>(hub: &'a Hub, order: &OrderRecord) -> Result<&'a Merchant, Fault> {
    match &order.combined {
        Some(whole) => combined::asked_through(hub, &whole.merchant_id),
        None => merchant_of(hub, order),
    }
}

/// Follows an order whose query is counted already.
async fn follow_counted(hub: &Hub, order_id: &OrderId) -> Result<OrderRecord, Fault> {
    Ok(followed(hub, order_id).await?.0)
}

async fn followed(hub: &Hub, order_id: &OrderId) -> Result<(OrderRecord, Heard), Fault> {
    let order = load(hub, order_id).await?;
    if let Some(whole) = &order.combined {
        combined::follow_counted(hub, &whole.id).await?;
        return Ok((load(hub, order_id).await?, Heard::Unsaid));
    }
    if matches!(order.status, OrderState::Paid | OrderState::Failed) {
        reschedule(hub, &order, Look::Answered).await?;
        return Ok((order, Heard::Unsaid));
    }
    if let Some(until) = taken_back_until(&order, hub.clock.now()) {
        ask_at(hub, &order, Some(until)).await?;
        return Ok((order, Heard::Unsaid));
    }
    let answer = asked(hub, &order).await?;
    let heard = heard(&answer);
    act(hub, &order, answer).await?;
    Ok((load(hub, order_id).await?, heard))
}

const fn heard(answer: &Outcome<OrderStanding>) -> Heard {
    match answer {
        Outcome::Accepted(OrderStanding::Paid(_)) => Heard::Standing("paid"),
        // Whether it was the hub that gave it back is not in the answer.
        Outcome::Accepted(OrderStanding::GivenBack(_)) => Heard::Unsaid,
        Outcome::Accepted(OrderStanding::Unpaid) => Heard::Standing("unpaid"),
        Outcome::Accepted(OrderStanding::Closed) => Heard::Standing("closed"),
        Outcome::Accepted(OrderStanding::Absent) => Heard::Standing("no such order"),
        Outcome::Refused(_) | Outcome::Unknown(_) => Heard::Unanswered,
    }
}

/// Does what an answer asks for.
async fn act(hub: &Hub, order: &OrderRecord, answer: Outcome<OrderStanding>) -> Result<(), Fault> {
    match answer {
        Outcome::Accepted(OrderStanding::GivenBack(fact)) if was_taken_back(order)? => {
            taken_back(hub, order, &fact).await?;
        }
        Outcome::Accepted(OrderStanding::Paid(fact) | OrderStanding::GivenBack(fact)) => {
            let arrival = Arrival {
                merchant: merchant_of(hub, order)?,
                claims: vec![Claim { fact: ProviderFact::Payment(fact), source: Source::Query }],
                evidence: None,
            };
            record(hub, &[arrival]).await?;
            let then = load(hub, &order.id).await?;
            if then.status != OrderState::Paid {
                reschedule(hub, &then, Look::Answered).await?;
            }
        }
        Outcome::Accepted(OrderStanding::Closed) if is_closed_for_good(order) => {
            reschedule(hub, order, Look::Answered).await?;
        }
        Outcome::Accepted(OrderStanding::Closed) => give_up(hub, order, false).await?,
        Outcome::Accepted(OrderStanding::Unpaid) => unpaid(hub, order).await?,
        Outcome::Accepted(OrderStanding::Absent) => absent(hub, order).await?,
        Outcome::Refused(_) | Outcome::Unknown(_) => {
            reschedule(hub, order, Look::Unanswered).await?;
        }
    }
    Ok(())
}

/// Whether an order is closed here, and nobody expects its code to be paid.
fn is_closed_for_good(order: &OrderRecord) -> bool {
    order.status == OrderState::Closed && order.superseded_at.is_none()
}

/// How an order stands at its provider, for whoever closes it, within the budget of queries.
pub(super) async fn standing(
    hub: &Hub,
    order: &OrderRecord,
) -> Result<Outcome<OrderStanding>, Fault> {
    if !may_ask(hub, merchant_of(hub, order)?, Asker::Closing).await? {
        return Ok(Outcome::Unknown("the queries of this second are spent".to_owned()));
    }
    asked(hub, order).await
}

async fn asked(hub: &Hub, order: &OrderRecord) -> Result<Outcome<OrderStanding>, Fault> {
    let merchant = merchant_of(hub, order)?;
    let key = OrderKey { out_trade_no: &order.out_trade_no, provider_trade_no: None };
    let call = merchant.provider.query_order(&key);
    let question = Question { operation: "query", subject: order.id.as_str(), kind: Kind::Call };
    Ok(ask(hub, merchant, question, &call, |answer, stamp| {
        merchant.provider.read_order(&key, answer, stamp.now)
    })
    .await)
}

/// The provider waits for the payer.
async fn unpaid(hub: &Hub, order: &OrderRecord) -> Result<(), Fault> {
    let expired = hub.clock.now() >= order.expires_at;
    match order.status {
        // Somebody scanned a code that another wallet had superseded: now it can be closed there.
        OrderState::Closed => close(hub, order, Why::Superseded).await.map(|_closed| ()),
        _ if expired => close(hub, order, Why::Expired).await.map(|_closed| ()),
        OrderState::Created | OrderState::Pending | OrderState::Unknown
            if order.is_to_be_closed() =>
        {
            close(hub, order, Why::Superseded).await.map(|_closed| ())
        }
        // The barcode is there, and its payer is being asked: it is not sent a second time.
        OrderState::Created | OrderState::Unknown if product_of(order)?.is_at_counter() => {
            found_unpaid(hub, order).await
        }
        // Placing again is the only way to what the payer needs.
        OrderState::Created | OrderState::Unknown => place::place_again(hub, order).await,
        OrderState::Pending | OrderState::Paid | OrderState::Failed => {
            reschedule(hub, order, Look::Answered).await
        }
    }
}

/// The provider does not know the order: it never came there, or (Alipay) nobody scanned its code,
/// which stays payable until it expires and a little longer.
async fn absent(hub: &Hub, order: &OrderRecord) -> Result<(), Fault> {
    let now = hub.clock.now();
    let over = order.expires_at.saturating_add(cadence::GRACE).is_ok_and(|end| now >= end);
    match order.status {
        // The barcode may still be on its way there: it is taken back, so that it never pays.
        OrderState::Created | OrderState::Unknown | OrderState::Pending
            if now >= order.expires_at && product_of(order)?.is_at_counter() && !over =>
        {
            close(hub, order, Why::Expired).await.map(|_closed| ())
        }
        OrderState::Created | OrderState::Unknown | OrderState::Pending
            if !over && order.is_to_be_closed() =>
        {
            close(hub, order, Why::Superseded).await.map(|_closed| ())
        }
        OrderState::Created | OrderState::Unknown if now < order.expires_at => {
            place::place_again(hub, order).await
        }
        OrderState::Created | OrderState::Unknown | OrderState::Pending if over => {
            give_up(hub, order, false).await
        }
        OrderState::Created
        | OrderState::Unknown
        | OrderState::Pending
        | OrderState::Closed
        | OrderState::Paid
        | OrderState::Failed => reschedule(hub, order, Look::Answered).await,
    }
}

/// Writes when the order is asked for next, after a `look` that changed nothing.
pub(super) async fn reschedule(hub: &Hub, order: &OrderRecord, look: Look) -> Result<(), Fault> {
    let counted = OrderRecord { queries: order.queries.saturating_add(1), ..order.clone() };
    ask_at(hub, &counted, cadence::next(order, hub.clock.now(), look)).await
}

/// Writes that `order` is asked for at that time, or sooner where somebody has opened its page.
pub(super) async fn ask_at(
    hub: &Hub,
    order: &OrderRecord,
    at: Option<Timestamp>,
) -> Result<(), Fault> {
    let client = hub.store.client().await?;
    let next = next_query(hub.clock.now(), at, order.queries);
    orders::reschedule(&client, &order.id, &next).await?;
    Ok(())
}

/// The row's next query.
pub(crate) fn next_query(now: Timestamp, at: Option<Timestamp>, queries: i32) -> NextQuery {
    let watched = now.saturating_add(cadence::OFTEN).unwrap_or(Timestamp::MAX);
    NextQuery { at, watched, queries, now }
}
