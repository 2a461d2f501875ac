//! Hands on what the outbox holds: events to backends, messages to people. One engine, two users.
//!
//! A run claims what is due by lease, the oldest of each key first, sends a bounded number at once,
//! and writes each attempt with what follows from it. What may have been taken is repeated only
//! where a repeat is harmless; an SMS never is.

mod endpoints;
mod made;
mod message;
pub mod receipts;
pub mod request;
mod settle;
mod sms;
mod webhook;

use std::collections::BTreeMap;

use domain::ids::EventId;
use futures_util::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use crate::fault::Fault;
use crate::hub::{Hub, random_hex};
use crate::seal::SealError;
use crate::store::deliveries::{self, Cargo, Claimed};

pub use endpoints::Webhooks;

/// How many deliveries are under way at once.
const AT_ONCE: usize = 16;
/// How many deliveries one run takes before it lets its caller look up.
const ROUND: usize = 512;

/// Hands on everything that is due; how many deliveries were taken up.
///
/// # Errors
/// When the database does not answer. What happens to one delivery does not stop the others.
pub async fn run_once(hub: &Hub) -> Result<usize, Fault> {
    let mut under_way = FuturesUnordered::new();
    let mut busy: BTreeMap<String, i32> = BTreeMap::new();
    let mut taken: usize = 0;
    let mut failed = None;
    loop {
        let room = AT_ONCE.saturating_sub(under_way.len());
        if failed.is_none() && room > 0 && taken < ROUND {
            match claim(hub, room, &busy).await {
                Ok(claimed) => {
                    for delivery in claimed {
                        taken = taken.saturating_add(1);
                        let count = busy.entry(delivery.receiver.clone()).or_default();
                        *count = count.saturating_add(1);
                        under_way.push(deliver(hub, delivery));
                    }
                }
                Err(fault) => failed = Some(fault),
            }
        }
        let Some(receiver) = under_way.next().await else { break };
        release(&mut busy, &receiver);
        while let Some(Some(receiver)) = under_way.next().now_or_never() {
            release(&mut busy, &receiver);
        }
    }
    failed.map_or(Ok(taken), Err)
}

async fn claim(
    hub: &Hub,
    room: usize,
    busy: &BTreeMap<String, i32>,
) -> Result<Vec<Claimed>, Fault> {
    let busy: Vec<(String, i32)> =
        busy.iter().map(|(receiver, count)| (receiver.clone(), *count)).collect();
    let client = hub.store.client().await?;
    let limit = i64::try_from(room).unwrap_or(i64::MAX);
    Ok(deliveries::claim(&client, hub.clock.now(), limit, &busy).await?)
}

fn release(busy: &mut BTreeMap<String, i32>, receiver: &str) {
    if let Some(count) = busy.get_mut(receiver) {
        *count = count.saturating_sub(1);
    }
}

/// Takes one delivery as far as it goes now; its receiver. A fault leaves it to whoever claims it
/// when the lease has run out.
async fn deliver(hub: &Hub, claimed: Claimed) -> String {
    let done = match &claimed.cargo {
        Cargo::Event { id, body } => match webhook::deliver(hub, &claimed, id, body).await {
            Ok(made) => made::write(hub, &claimed, &made).await,
            Err(fault) => Err(fault),
        },
        Cargo::Notification(id) => sms::deliver(hub, &claimed, id).await,
    };
    if let Err(fault) = done {
        tracing::warn!(
            delivery = claimed.delivery_id,
            receiver = claimed.receiver,
            fault = fault.detail,
            "a delivery could not be worked on"
        );
    }
    claimed.receiver
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
