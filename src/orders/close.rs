//! Closes an order: at the provider first, so that what is closed here cannot be paid there.

use adapters::provider::Closing;
use adapters::wire::{Outcome, Reason};
use callbacks::Claim;
use domain::fact::{OrderStanding, ProviderFact, Source};
use domain::order::{OrderState, OrderTransition};

use super::cadence::{self, Look};
use super::follow::{next_query, reschedule, standing};
use super::taken_back::{taken_back, taken_back_though_booked, was_taken_back};
use super::turn::{TakingBack, arrived_by, is_being_placed, take_to_close};
use super::{load, merchant_of, product_of};
use crate::combined;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::outbound::{Kind, Question, ask};
use crate::record::{Arrival, Effects, commit, record};
use crate::store::StoreError;
use crate::store::orders::{self, Answered, OrderRecord};

/// Why an order is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its time is over.
    Expired,
    /// A backend asked for it.
    Asked,
    /// The payer changed the wallet.
    Superseded,
}

/// How that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is closed; where the provider did not know it, it is superseded and still watched.
    Yes,
    /// It turned out paid.
    Paid,
    /// The provider's answer is unknown: nothing changed.
    Unknown,
}

/// Closes `order`.
///
/// # Errors
/// When the database does not answer.
pub async fn close(hub: &Hub, order: &OrderRecord, why: Why) -> Result<Closed, Fault> {
    if let Some(whole) = &order.combined {
        return combined::close(hub, &whole.id, why).await;
    }
    let product = product_of(order)?;
    // Taking back an order at the counter gives back what was paid: whoever does not come from a
    // query asks first.
    if product.is_at_counter() && why != Why::Expired {
        match standing(hub, order).await? {
            Outcome::Accepted(OrderStanding::Paid(_) | OrderStanding::GivenBack(_)) => {
                return paid(hub, order, why).await;
            }
            Outcome::Accepted(
                OrderStanding::Unpaid | OrderStanding::Closed | OrderStanding::Absent,
            ) => {}
            Outcome::Refused(_) | Outcome::Unknown(_) => return unsaid(hub, order, why).await,
        }
    }
    if !product.is_at_counter() {
        return close_there(hub, order, why).await;
    }
    match take_to_close(hub, order).await? {
        TakingBack::Begun(order) => close_there(hub, &order, why).await,
        TakingBack::UnderWay => Ok(Closed::Unknown),
        TakingBack::Over => settled(hub, order).await,
    }
}

/// Closes `order` at its provider, and here what is closed there.
async fn close_there(hub: &Hub, order: &OrderRecord, why: Why) -> Result<Closed, Fault> {
    let (merchant, product) = (merchant_of(hub, order)?, product_of(order)?);
    let call = merchant.provider.close_order(&order.out_trade_no, product);
    let question = Question { operation: "close", subject: order.id.as_str(), kind: Kind::Call };
    let outcome = ask(hub, merchant, question, &call, |answer, stamp| {
        merchant.provider.read_closed(&call, answer, stamp.now)
    })
    .await;
    match decided(outcome) {
        Some(Closing::Closed) => {
            // While it was taken back its placing may have been answered.
            let then = load(hub, &order.id).await?;
            if then.status == OrderState::Paid && product.is_at_counter() {
                taken_back_though_booked(hub, &then).await?;
            }
            give_up(hub, &then, false).await?;
            settled(hub, order).await
        }
        Some(Closing::Paid) => {
            let client = hub.store.client().await?;
            orders::closing(&client, &order.id, None).await?;
            drop(client);
            paid(hub, order, why).await
        }
        Some(Closing::NotThere) => not_there(hub, order, why).await,
        None => unsaid(hub, order, why).await,
    }
}

/// What an answer to closing says; `None`: nothing that one could act on.
pub(crate) fn decided(outcome: Outcome<Closing>) -> Option<Closing> {
    match outcome {
        Outcome::Accepted(closing) => Some(closing),
        Outcome::Refused(refusal) => match refusal.reason {
            // Refusals may be unsigned: a query confirms what they say.
            Reason::AlreadyPaid | Reason::AlreadyClosed => Some(Closing::Paid),
            Reason::NotFound => Some(Closing::NotThere),
            Reason::InvalidRequest
            | Reason::Configuration
            | Reason::NumberReused
            | Reason::NotEnoughFunds
            | Reason::NotAllowed => None,
        },
        Outcome::Unknown(_) => None,
    }
}

/// The provider says that it is paid, or cannot be closed any more: a query tells which, and brings
/// the payment.
async fn paid(hub: &Hub, order: &OrderRecord, why: Why) -> Result<Closed, Fault> {
    match standing(hub, order).await? {
        Outcome::Accepted(OrderStanding::GivenBack(fact)) if was_taken_back(order)? => {
            taken_back(hub, order, &fact).await?;
            settled(hub, order).await
        }
        Outcome::Accepted(OrderStanding::Paid(fact) | OrderStanding::GivenBack(fact)) => {
            let claim = Claim { fact: ProviderFact::Payment(fact), source: Source::Query };
            let merchant = merchant_of(hub, order)?;
            record(hub, &[Arrival { merchant, claims: vec![claim], evidence: None }]).await?;
            settled(hub, order).await
        }
        Outcome::Accepted(OrderStanding::Closed) => {
            give_up(hub, order, false).await?;
            settled(hub, order).await
        }
        Outcome::Accepted(OrderStanding::Unpaid | OrderStanding::Absent)
        | Outcome::Refused(_)
        | Outcome::Unknown(_) => unsaid(hub, order, why).await,
    }
}

/// Nobody said anything on which one could act. Who wanted it closed before its time is over is
/// remembered: it is asked about and closed again until the provider has said that it is.
async fn unsaid(hub: &Hub, order: &OrderRecord, why: Why) -> Result<Closed, Fault> {
    let now = hub.clock.now();
    let wanted_at = match why {
        Why::Asked | Why::Superseded => Some(now),
        Why::Expired => None,
    };
    let next = next_query(now, cadence::after_silent_close(order, now), order.queries);
    let client = hub.store.client().await?;
    orders::close_unsaid(&client, &order.id, wanted_at, &next).await?;
    Ok(Closed::Unknown)
}

/// The provider does not know it. One more query, because a code may have been scanned and paid
/// meanwhile. On expiry the order waits out its grace; otherwise it is superseded: closed for the
/// office, and watched as long as its code may be paid.
async fn not_there(hub: &Hub, order: &OrderRecord, why: Why) -> Result<Closed, Fault> {
    match standing(hub, order).await? {
        Outcome::Accepted(OrderStanding::Paid(_) | OrderStanding::GivenBack(_)) => {
            return paid(hub, order, why).await;
        }
        Outcome::Accepted(OrderStanding::Absent | OrderStanding::Closed) => {}
        // Scanned meanwhile, or no answer: whoever asked must ask again.
        Outcome::Accepted(OrderStanding::Unpaid) | Outcome::Refused(_) | Outcome::Unknown(_) => {
            return unsaid(hub, order, why).await;
        }
    }
    let now = hub.clock.now();
    if why != Why::Expired && product_of(order)?.is_at_counter() && is_being_placed(order, now) {
        // The barcode may still be on its way there, and would pay beside the next one.
        return unsaid(hub, order, why).await;
    }
    let over = order.expires_at.saturating_add(cadence::GRACE).is_ok_and(|end| now >= end);
    match why {
        Why::Expired if !over => reschedule(hub, order, Look::Answered).await?,
        Why::Expired => give_up(hub, order, false).await?,
        Why::Asked | Why::Superseded => give_up(hub, order, true).await?,
    }
    settled(hub, order).await
}

/// How the order stands after all that.
async fn settled(hub: &Hub, order: &OrderRecord) -> Result<Closed, Fault> {
    Ok(match load(hub, &order.id).await?.status {
        OrderState::Closed | OrderState::Failed => Closed::Yes,
        OrderState::Paid => Closed::Paid,
        OrderState::Created | OrderState::Pending | OrderState::Unknown => Closed::Unknown,
    })
}

/// Writes that an order is closed, frees its fees and tells of it, in one transaction. A payment
/// that came meanwhile wins: then nothing is written.
pub(super) async fn give_up(hub: &Hub, order: &OrderRecord, superseded: bool) -> Result<(), Fault> {
    let now = hub.clock.now();
    let Ok(after) = order.status.after(OrderTransition::Close) else { return Ok(()) };
    let mut then = order.clone();
    then.status = after;
    then.superseded_at = superseded.then_some(order.superseded_at.unwrap_or(now));
    then.queries = 0;
    // What was taken back is looked at once more: a payment may have crossed that.
    let next_query_at = match order.closing_at {
        Some(_) if !superseded => arrived_by(now),
        Some(_) | None => cadence::next(&then, now, Look::Answered),
    };
    let answer = Answered {
        order_id: &order.id,
        before: order.status,
        after,
        pay: None,
        refused: None,
        closed_at: Some(order.closed_at.unwrap_or(now)),
        superseded_at: then.superseded_at,
        next: next_query(now, next_query_at, 0),
    };
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let mut effects = Effects::new(now);
    if orders::answered(&tx, &answer).await? && order.status != after {
        effects.closed(&order.id);
    }
    commit(hub, tx, effects).await?;
    Ok(())
}
