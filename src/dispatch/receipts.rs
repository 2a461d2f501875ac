//! Delivery receipts (状态报告) of vendors. They are not signed, so each is a hint: it counts only
//! for an attempt of ours whose vendor number (or our own id) and phone it names, and it moves a
//! message forward only. The same receipt twice changes nothing.

use adapters::channels::Receipt;
use adapters::provider::Reply;
use domain::delivery::Arrival;
use domain::ids::NotificationId;
use jiff::Timestamp;
use notifications::{NotificationStatus, after_arrival};
use subtle::ConstantTimeEq as _;

use super::message::Message;
use super::settle::{Next, move_on};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::StoreError;
use crate::store::deliveries::{self, Attempt, DeliveryState, LockedDelivery};
use crate::store::notifications as rows;

/// Whether a channel takes receipts under this token; compared in constant time.
#[must_use]
pub fn admits(hub: &Hub, channel_id: &str, token: &str) -> bool {
    let expected = hub.channels.get(channel_id).and_then(|channel| channel.receipt_token.as_ref());
    expected
        .is_some_and(|expected| bool::from(expected.expose().as_bytes().ct_eq(token.as_bytes())))
}

/// Takes the receipts of one post, and gives the vendor's own answer: "taken" once everything that
/// counts is durable, and "not taken" when one came so early that the vendor must post it again.
///
/// # Errors
/// 404 for an unknown channel, 400 for a body that is not the vendor's form, 503 when the database
/// does not answer; what was taken before stays taken.
pub async fn take(hub: &Hub, channel_id: &str, body: &[u8]) -> Result<Reply, Fault> {
    let channel = hub.channels.get(channel_id).ok_or_else(|| Fault::not_found("channel"))?;
    let batch = channel
        .vendor
        .read_receipts(body)
        .map_err(|error| Fault::unreadable("receipts_unreadable", error.to_string()))?;
    if batch.unreadable > 0 {
        tracing::warn!(channel = channel_id, count = batch.unreadable, "receipts cannot be read");
    }
    let mut is_taken = true;
    for receipt in &batch.receipts {
        is_taken &= take_one(hub, channel_id, receipt).await?;
    }
    hub.signals.wake_dispatch();
    Ok(channel.vendor.acknowledge_receipts(is_taken))
}

/// Takes one receipt; false when it must come again.
async fn take_one(hub: &Hub, channel_id: &str, receipt: &Receipt) -> Result<bool, Fault> {
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let own = receipt.out_id.as_deref().and_then(|id| id.parse::<NotificationId>().ok());
    let id = match (own, &receipt.vendor_ref) {
        (Some(id), _) => Some(id),
        (None, Some(vendor_ref)) => rows::by_vendor_ref(&tx, channel_id, vendor_ref).await?,
        (None, None) => None,
    };
    let Some(id) = id else { return Ok(ignored(channel_id, "it names no message")) };
    let Some(locked) = rows::lock(&tx, &id).await? else {
        return Ok(ignored(channel_id, "it names no message of ours"));
    };
    let Some(delivery) = deliveries::lock_of_notification(&tx, &id).await? else {
        return Ok(ignored(channel_id, "its message was never to be sent"));
    };
    let message = Message::open(hub, locked)?;
    if let Some(why) = mismatch(&message, &delivery, channel_id, receipt) {
        return Ok(ignored(channel_id, why));
    }
    let locked = &message.notification;
    if let Arrival::Undelivered { .. } = receipt.arrival {
        if delivery.state == DeliveryState::Sending {
            // Its attempt is not written yet: what follows would be lost in the race.
            return Ok(false);
        }
        let is_of_last = receipt.vendor_ref.is_none() || receipt.vendor_ref == locked.vendor_ref;
        let is_open =
            matches!(locked.status, NotificationStatus::Sent | NotificationStatus::Sending);
        let is_asked = delivery.state == DeliveryState::Querying;
        if !is_open || !(is_of_last || is_asked) {
            return Ok(ignored(channel_id, "it is of an attempt that is over"));
        }
    }
    let now = hub.clock.now();
    let progress = message.progress(delivery.tries, now)?;
    let next = Next::of(after_arrival(&receipt.arrival, &progress, &message.policy), &message, now);
    let moved = next.transition.map(|transition| locked.status.after(transition));
    let Some(Ok(to)) = moved else {
        return Ok(ignored(channel_id, "more is known already"));
    };
    if to == locked.status {
        return Ok(true);
    }
    keep(&tx, &delivery, receipt, now).await?;
    let again = (next.state == DeliveryState::Due).then_some(next.at);
    let receiver = next.channel.as_deref().unwrap_or(channel_id);
    let word = word(&receipt.arrival);
    deliveries::close(&tx, delivery.delivery_id, word, receiver, again, now).await?;
    move_on(hub, &tx, locked, to, &next).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(true)
}

/// Why a receipt is not about an attempt of ours.
fn mismatch(
    message: &Message,
    delivery: &LockedDelivery,
    channel_id: &str,
    receipt: &Receipt,
) -> Option<&'static str> {
    let is_open = matches!(delivery.state, DeliveryState::Sending | DeliveryState::Querying);
    let is_known = |vendor_ref: &String| delivery.vendor_refs.contains(vendor_ref);
    if message.notification.channel != channel_id {
        Some("its message left over another channel")
    } else if delivery.attempts == 0 {
        Some("its message has not been sent")
    } else if same_number(message.phone.clear()) != same_number(receipt.phone.clear()) {
        Some("it names another phone")
    } else if !receipt.vendor_ref.as_ref().is_none_or(is_known) && !is_open {
        Some("it names a number that the vendor never gave us")
    } else {
        None
    }
}

/// A phone number without the ways to write it: its digits without China's code.
fn same_number(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let bare = ["0086", "86"].iter().find_map(|code| digits.strip_prefix(code));
    bare.filter(|bare| bare.len() == 11).unwrap_or(&digits).to_owned()
}

async fn keep(
    tx: &impl deadpool_postgres::GenericClient,
    delivery: &LockedDelivery,
    receipt: &Receipt,
    now: Timestamp,
) -> Result<(), Fault> {
    let detail = match &receipt.arrival {
        Arrival::Delivered => String::new(),
        Arrival::Undelivered { reason, code } => format!("{}: {code}", reason.as_str()),
    };
    let attempt = Attempt {
        delivery_id: delivery.delivery_id,
        number: delivery.attempts,
        begun_at: now,
        outcome: word(&receipt.arrival),
        detail: &detail,
        vendor_ref: receipt.vendor_ref.as_deref(),
    };
    Ok(deliveries::keep_attempt(tx, &attempt).await?)
}

const fn word(arrival: &Arrival) -> &'static str {
    match arrival {
        Arrival::Delivered => "delivered",
        Arrival::Undelivered { .. } => "undelivered",
    }
}

/// A receipt that counts for nothing is taken all the same: posting it again would not mend it.
fn ignored(channel: &str, why: &str) -> bool {
    tracing::info!(channel, why, "a receipt counts for nothing");
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_the_same_however_it_is_written() {
        for written in ["13812341234", "+8613812341234", "8613812341234", "0086 138 1234 1234"] {
            assert_eq!(same_number(written), "13812341234", "{written}");
        }
        assert_ne!(same_number("13812341235"), same_number("13812341234"));
    }
}
