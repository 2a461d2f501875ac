//! Hands on what the outbox holds: events to backends, messages to people. One engine, two users.
//!
//! The engine claims what is due by lease, the oldest of each key first, has a bounded number sent
//! at once, and writes each attempt with what follows from it. What may have been taken is repeated
//! only where a repeat is harmless; an SMS never is.

mod endpoints;
mod engine;
mod message;
mod post;
pub mod receipts;
pub mod request;
mod settle;
mod sms;
mod webhook;

use std::sync::Arc;

use domain::ids::EventId;
use tokio::sync::watch;

use crate::fault::Fault;
use crate::hub::{Hub, random_hex};
use crate::seal::SealError;
use crate::store::deliveries;
use post::Post;

pub use endpoints::Webhooks;
pub use engine::{Carrier, Engine, Made};

/// Hands on everything that is due; how many deliveries were taken up.
///
/// # Errors
/// When the database does not answer. What happens to one delivery does not stop the others.
pub async fn run_once(hub: &Hub) -> Result<usize, Fault> {
    engine(hub).run_once().await
}

/// Hands on what is due whenever something is, until `stopped` says so; how many deliveries were
/// taken up. A receiver that does not answer holds up no other. `beat` is called at least once a
/// second, as long as the database's answers come.
pub async fn run(hub: &Hub, stopped: watch::Receiver<bool>, beat: &(dyn Fn() + Sync)) -> usize {
    engine(hub).run(&hub.signals.dispatch, stopped, beat).await
}

fn engine(hub: &Hub) -> Engine<Post<'_>> {
    Engine::new(hub.store.clone(), Arc::clone(&hub.clock), Post(hub))
}

/// Lets dead letters begin again: those of `events`, and those with the numbers `deliveries`. How
/// many there were; the next run sends them. Messages to people are not among them: they are told
/// anew by whoever wants it.
///
/// # Errors
/// When the database does not answer.
pub async fn resend(hub: &Hub, events: &[EventId], deliveries: &[i64]) -> Result<usize, Fault> {
    let client = hub.store.client().await?;
    let events: Vec<&str> = events.iter().map(EventId::as_str).collect();
    let again = deliveries::resend(&client, &events, deliveries, hub.clock.now()).await?;
    hub.signals.wake_dispatch();
    Ok(again)
}

/// How many deliveries are due now and not finished: none when the outbox is empty.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(hub: &Hub) -> Result<usize, Fault> {
    let client = hub.store.client().await?;
    let count = deliveries::waiting(&client, hub.clock.now()).await?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// A random number of 0 to 1000, so that what failed together does not come back together.
fn jitter() -> Result<u16, SealError> {
    let number = u16::from_str_radix(&random_hex::<2>()?, 16).unwrap_or_default();
    Ok(number.checked_rem(1001).unwrap_or_default())
}
