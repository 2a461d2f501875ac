//! Places an order at its provider, for the first time or again: always the stored call, byte for
//! byte, under the same number.

use adapters::provider::{Pay, Placed};
use adapters::wire::{Call, Outcome, Reason, Refusal};
use domain::order::{OrderState, OrderTransition};

use super::cadence::{self, Look};
use super::{call_context, merchant_of};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::outbound::{Kind, Question, ask};
use crate::seal::Purpose;
use crate::store::orders::{self, Answered, OrderRecord};

/// Places `order`, which is created or unknown, and writes what came of it.
///
/// # Errors
/// When the stored call cannot be read, or the answer cannot be written: the order stays as it was
/// and is picked up again.
pub(super) async fn place(hub: &Hub, order: &OrderRecord) -> Result<(), Fault> {
    let merchant = merchant_of(hub, order)?;
    let client = hub.store.client().await?;
    let sealed = orders::place_call(&client, &order.id).await?;
    drop(client);
    let sealed = sealed.ok_or_else(|| Fault::not_found("order"))?;
    let opened = hub.sealer.open(Purpose::Call, &sealed, call_context(&order.id).as_bytes())?;
    let call: Call = serde_json::from_slice(&opened).map_err(|error| Fault::internal(&error))?;
    let question = Question { operation: "place", subject: order.id.as_str(), kind: Kind::Call };
    let outcome = ask(hub, merchant, question, &call, |answer, stamp| {
        merchant.provider.read_placed(&call, answer, stamp)
    })
    .await;
    let now = hub.clock.now();
    let mut answer = Answered {
        order_id: &order.id,
        before: order.status,
        after: order.status,
        pay: None,
        refused: None,
        closed_at: None,
        superseded_at: None,
        next_query_at: None,
        queries: order.queries.saturating_add(1),
        closing_at: order.closing_at,
    };
    let pay;
    let refusal;
    match meaning(outcome) {
        Meaning::Offered(given) => {
            pay = serde_json::to_value(&given).map_err(|error| Fault::internal(&error))?;
            answer.pay = Some(&pay);
            answer.after = after(order, OrderTransition::Place)?;
            answer.queries = 0;
        }
        Meaning::Open => answer.after = after(order, OrderTransition::LoseTrack)?,
        Meaning::Refused(found) => {
            refusal = found;
            answer.after = after(order, OrderTransition::Refuse)?;
            answer.refused =
                Some((refusal.reason.as_str(), refusal.code.as_str(), refusal.message.as_str()));
        }
    }
    let mut then = order.clone();
    (then.status, then.queries) = (answer.after, answer.queries);
    answer.next_query_at = cadence::next(&then, now, Look::Answered);
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(crate::store::StoreError::from)?;
    orders::answered(&tx, &answer).await?;
    tx.commit().await.map_err(crate::store::StoreError::from)?;
    hub.signals.follow.notify_waiters();
    Ok(())
}

/// What an answer to placing means, for one order or for several that are placed as one.
pub(crate) enum Meaning {
    /// The payer can pay.
    Offered(Pay),
    /// Only a query can tell.
    Open,
    /// It is refused for good.
    Refused(Refusal),
}

/// Reads an answer to placing.
pub(crate) fn meaning(outcome: Outcome<Placed>) -> Meaning {
    match outcome {
        Outcome::Accepted(Placed::Offered(given)) => Meaning::Offered(given),
        // Paid in the same breath: a query brings the payment.
        Outcome::Accepted(Placed::Paid(_)) | Outcome::Unknown(_) => Meaning::Open,
        Outcome::Refused(found) => match found.reason {
            // The number is known there in a way that only a query can tell.
            Reason::AlreadyPaid | Reason::AlreadyClosed | Reason::NumberReused => Meaning::Open,
            Reason::InvalidRequest
            | Reason::Configuration
            | Reason::NotFound
            | Reason::NotEnoughFunds
            | Reason::NotAllowed => Meaning::Refused(found),
        },
    }
}

fn after(order: &OrderRecord, transition: OrderTransition) -> Result<OrderState, Fault> {
    order
        .status
        .after(transition)
        .map_err(|error| Fault::conflict("order_moved", error.to_string()))
}
