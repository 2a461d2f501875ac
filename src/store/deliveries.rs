//! The outbox (发件箱): what is to be handed on, to whom, and what came of it. A claim is a lease by
//! the database's clock; whoever lost his lease writes nothing.

use deadpool_postgres::GenericClient;
use domain::ids::{EventId, NotificationId};
use jiff::Timestamp;

use super::{StoreError, change, sql};

mod standing;
mod work;

pub use standing::{Standing, standing};
pub use work::{Outcome, Share, Tried, claim, release, renew, settle, steady};

/// What a delivery carries.
#[derive(Clone, Debug)]
pub enum Cargo {
    /// An event for a backend's endpoint.
    Event {
        /// The event, also its `webhook-id`.
        id: EventId,
        /// The body, byte for byte.
        body: String,
    },
    /// A message to a person.
    Notification(NotificationId),
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It waits for its next attempt.
    Due,
    /// An attempt began and its outcome was not written: under a new lease, nobody knows it.
    Sending,
    /// Nobody knows what came of it, and the vendor is asked.
    Querying,
    /// It is finished.
    Done,
    /// It was given up: a dead letter (死信).
    Dead,
}

impl DeliveryState {
    /// Its word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Sending => "sending",
            Self::Querying => "querying",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    fn read(word: &str) -> Result<Self, StoreError> {
        [Self::Due, Self::Sending, Self::Querying, Self::Done, Self::Dead]
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| StoreError::Data { what: "deliveries.state", detail: word.to_owned() })
    }
}

/// A delivery under this worker's lease.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its number.
    pub delivery_id: i64,
    /// What it carries.
    pub cargo: Cargo,
    /// The application or the channel.
    pub receiver: String,
    /// How far it is.
    pub state: DeliveryState,
    /// All attempts so far.
    pub attempts: i32,
    /// Attempts since the last fresh start.
    pub tries: i32,
    /// Lookups of the attempt whose outcome is open.
    pub lookups: i32,
    /// When that attempt began.
    pub sent_at: Option<Timestamp>,
    /// The lease's number.
    pub lease: i64,
    /// How many of its receiver's deliveries may be under way at once.
    pub at_once: i32,
}

/// What came of a claimed delivery.
#[derive(Clone, Debug)]
pub struct Finish<'a> {
    /// How far it is now.
    pub state: DeliveryState,
    /// Over which channel or to which application it goes on.
    pub receiver: &'a str,
    /// All attempts so far.
    pub attempts: i32,
    /// Attempts since the last fresh start.
    pub tries: i32,
    /// Lookups so far.
    pub lookups: i32,
    /// When something is done about it next.
    pub next_at: Timestamp,
    /// The outcome's word.
    pub outcome: &'a str,
    /// When it ended, if it did.
    pub finished_at: Option<Timestamp>,
}

/// An attempt or a lookup, as evidence.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    /// Of which delivery.
    pub delivery_id: i64,
    /// Its number, from 1; a lookup has the number of the attempt that it is about.
    pub number: i32,
    /// When it began.
    pub begun_at: Timestamp,
    /// Its outcome's word.
    pub outcome: &'a str,
    /// What the other side said, without personal data.
    pub detail: &'a str,
    /// The vendor's number of it.
    pub vendor_ref: Option<&'a str>,
}

/// A locked delivery of a message.
#[derive(Clone, Debug)]
pub struct LockedDelivery {
    /// Its number.
    pub delivery_id: i64,
    /// How far it is.
    pub state: DeliveryState,
    /// All attempts so far.
    pub attempts: i32,
    /// Attempts since the last fresh start.
    pub tries: i32,
    /// The vendor's numbers of all attempts.
    pub vendor_refs: Vec<String>,
}

/// A dead letter (死信), for people.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// Its number.
    pub delivery_id: i64,
    /// `webhook` or `sms`.
    pub kind: String,
    /// The event or notification.
    pub subject_id: String,
    /// The application or channel.
    pub receiver: String,
    /// How often it was tried.
    pub attempts: i32,
    /// How the last attempt ended.
    pub last_outcome: Option<String>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it was given up.
    pub finished_at: Option<Timestamp>,
}

/// Writes down that an attempt begins, before it is made; false when the lease was lost.
///
/// # Errors
/// When the database does not answer.
pub async fn begin(
    client: &impl GenericClient,
    claimed: &Claimed,
    now: Timestamp,
) -> Result<bool, StoreError> {
    change(client, sql::DELIVERIES_BEGIN, &[&claimed.delivery_id, &claimed.lease, &now]).await
}

/// Writes what came of a claimed delivery; false when the lease was lost and nothing was written.
///
/// # Errors
/// When the database does not answer.
pub async fn finish(
    client: &impl GenericClient,
    claimed: &Claimed,
    finish: &Finish<'_>,
) -> Result<bool, StoreError> {
    change(
        client,
        sql::DELIVERIES_FINISH,
        &[
            &claimed.delivery_id,
            &claimed.lease,
            &finish.state.as_str(),
            &finish.receiver,
            &finish.attempts,
            &finish.tries,
            &finish.lookups,
            &finish.next_at,
            &finish.outcome,
            &finish.finished_at,
        ],
    )
    .await
}

/// Keeps an attempt or a lookup; the same one is kept once.
///
/// # Errors
/// When the database does not answer.
pub async fn keep_attempt(
    client: &impl GenericClient,
    attempt: &Attempt<'_>,
) -> Result<(), StoreError> {
    change(
        client,
        sql::DELIVERIES_ATTEMPT,
        &[
            &attempt.delivery_id,
            &attempt.number,
            &attempt.begun_at,
            &attempt.outcome,
            &attempt.detail,
            &attempt.vendor_ref,
        ],
    )
    .await?;
    Ok(())
}

/// Keeps a channel's waiting messages back until a moment: those of one event's code, or all.
///
/// # Errors
/// When the database does not answer.
pub async fn hold(
    client: &impl GenericClient,
    channel: &str,
    template: Option<&str>,
    until: Timestamp,
) -> Result<(), StoreError> {
    change(client, sql::DELIVERIES_HOLD, &[&channel, &template, &until]).await?;
    Ok(())
}

/// Locks a message's delivery for the rest of the transaction. Always after the message.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_of_notification(
    client: &impl GenericClient,
    id: &NotificationId,
) -> Result<Option<LockedDelivery>, StoreError> {
    let statement = client.prepare_cached(sql::DELIVERIES_LOCK_OF_NOTIFICATION).await?;
    let Some(row) = client.query_opt(&statement, &[&id.as_str()]).await? else { return Ok(None) };
    Ok(Some(LockedDelivery {
        delivery_id: row.try_get("delivery_id")?,
        state: DeliveryState::read(row.try_get("state")?)?,
        attempts: row.try_get("attempts")?,
        tries: row.try_get("tries")?,
        vendor_refs: row.try_get("vendor_refs")?,
    }))
}

/// Ends a message's delivery because a receipt said how it ended, or lets it begin `again` then,
/// over `channel`. False while an attempt is being made.
///
/// # Errors
/// When the database does not answer.
pub async fn close(
    client: &impl GenericClient,
    delivery_id: i64,
    outcome: &str,
    channel: &str,
    again: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    change(client, sql::DELIVERIES_CLOSE, &[&delivery_id, &outcome, &again, &now, &channel]).await
}

/// Lets dead webhooks begin again, by event or by number; how many there were.
///
/// # Errors
/// When the database does not answer.
pub async fn resend(
    client: &impl GenericClient,
    events: &[&str],
    deliveries: &[i64],
    now: Timestamp,
) -> Result<usize, StoreError> {
    let statement = client.prepare_cached(sql::DELIVERIES_RESEND).await?;
    Ok(client.query(&statement, &[&events, &deliveries, &now]).await?.len())
}

/// The newest dead letters, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn dead_letters(
    client: &impl GenericClient,
    limit: i64,
) -> Result<Vec<DeadLetter>, StoreError> {
    let statement = client.prepare_cached(sql::DELIVERIES_DEAD).await?;
    let rows = client.query(&statement, &[&limit]).await?;
    rows.iter()
        .map(|row| {
            let event: Option<String> = row.try_get("event_id")?;
            let notification: Option<String> = row.try_get("notification_id")?;
            Ok(DeadLetter {
                delivery_id: row.try_get("delivery_id")?,
                kind: row.try_get("kind")?,
                subject_id: event.or(notification).unwrap_or_default(),
                receiver: row.try_get("receiver")?,
                attempts: row.try_get("attempts")?,
                last_outcome: row.try_get("last_outcome")?,
                created_at: row.try_get("created_at")?,
                finished_at: row.try_get("finished_at")?,
            })
        })
        .collect()
}

/// How many deliveries are due and not finished.
///
/// # Errors
/// When the database does not answer.
pub async fn waiting(client: &impl GenericClient, now: Timestamp) -> Result<i64, StoreError> {
    let statement = client.prepare_cached(sql::DELIVERIES_WAITING).await?;
    Ok(client.query_one(&statement, &[&now]).await?.try_get(0)?)
}
