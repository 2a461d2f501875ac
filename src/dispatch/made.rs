//! What came of an attempt, told by whoever made it and written by the engine: nobody who sends
//! opens a transaction of his own for it.

use jiff::Timestamp;

use super::webhook;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::StoreError;
use crate::store::deliveries::{self, Attempt, Claimed, DeliveryState, Finish};

/// What came of a claimed delivery, not yet written.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// How far it is now.
    pub(super) state: DeliveryState,
    /// To whom it goes on from now; `None`: as before.
    pub(super) receiver: Option<String>,
    /// All attempts so far.
    pub(super) attempts: i32,
    /// Attempts since the last fresh start.
    pub(super) tries: i32,
    /// Lookups so far.
    pub(super) lookups: i32,
    /// When something is done about it next.
    pub(super) next_at: Timestamp,
    /// The outcome's word.
    pub(super) outcome: &'static str,
    /// When it ended, if it did.
    pub(super) finished_at: Option<Timestamp>,
    /// The attempt as evidence; `None` when nothing was said to the other side.
    pub(super) attempt: Option<Tried>,
    /// What must be written beside it, in the same transaction.
    pub(super) effect: Option<Effect>,
}

/// An attempt or a lookup, as evidence.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    /// When it began.
    pub(super) begun_at: Timestamp,
    /// Its number, from 1; a lookup has the number of the attempt that it is about.
    pub(super) number: i32,
    /// What the other side said, without personal data.
    pub(super) detail: String,
    /// The vendor's number of it.
    pub(super) vendor_ref: Option<String>,
}

/// What an attempt does beside its own delivery.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// The endpoint said that it is gone (410).
    EndpointGone {
        /// What it said.
        detail: String,
    },
}

/// Writes what came of one attempt.
pub(super) async fn write(hub: &Hub, claimed: &Claimed, made: &Made) -> Result<(), Fault> {
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    if let Some(tried) = &made.attempt {
        let attempt = Attempt {
            delivery_id: claimed.delivery_id,
            number: tried.number,
            begun_at: tried.begun_at,
            outcome: made.outcome,
            detail: &tried.detail,
            vendor_ref: tried.vendor_ref.as_deref(),
        };
        deliveries::keep_attempt(&tx, &attempt).await?;
    }
    let finish = Finish {
        state: made.state,
        receiver: made.receiver.as_deref().unwrap_or(&claimed.receiver),
        attempts: made.attempts,
        tries: made.tries,
        lookups: made.lookups,
        next_at: made.next_at,
        outcome: made.outcome,
        finished_at: made.finished_at,
    };
    let is_written = deliveries::finish(&tx, claimed, &finish).await?;
    if let Some(Effect::EndpointGone { detail }) = &made.effect {
        webhook::gone(&tx, claimed, detail, hub.clock.now()).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    if is_written && made.state == DeliveryState::Dead {
        let detail = made.attempt.as_ref().map(|tried| tried.detail.as_str());
        tracing::warn!(
            delivery = claimed.delivery_id,
            receiver = claimed.receiver,
            attempts = made.attempts,
            detail,
            "a delivery is a dead letter"
        );
    }
    Ok(())
}
