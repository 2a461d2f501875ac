//! Events and the feed of them.

use deadpool_postgres::GenericClient;
use domain::ids::{ApplicationId, EventId};
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::types::Json;

use super::unit::Sent;
use super::{StoreError, change, sql};

/// An event to be written in the transaction of what it tells.
#[derive(Clone, Debug, Serialize)]
pub struct NewEvent {
    /// Its id, also its `webhook-id`.
    pub event_id: EventId,
    /// Whom it concerns; `None`: the whole office.
    pub application_id: Option<ApplicationId>,
    /// Its type's word.
    pub r#type: &'static str,
    /// The resource that it is about.
    pub subject_id: String,
    /// Events of one key reach a receiver in order.
    pub ordering_key: String,
    /// The body as it is sent, byte for byte.
    pub body: String,
}

/// An event of the feed.
#[derive(Clone, Debug)]
pub struct FeedEvent {
    /// Its id.
    pub event_id: String,
    /// The body as it was sent.
    pub body: String,
}

/// Writes events and the deliveries that carry them.
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    client: &impl GenericClient,
    events: &[NewEvent],
    now: Timestamp,
) -> Result<(), StoreError> {
    if !events.is_empty() {
        change(client, sql::EVENTS_INSERT, &[&Json(events), &now]).await?;
    }
    Ok(())
}

/// Events and the deliveries that carry them as a statement to be sent; none where there are none.
pub(crate) fn inserting<'a>(
    events: &'a Json<&'a Vec<NewEvent>>,
    now: &'a Timestamp,
) -> Option<Sent<'a>> {
    (!events.0.is_empty()).then(|| Sent::of(sql::EVENTS_INSERT, vec![events, now]))
}

/// Looks whether the feed was written in another cluster: then what is written from now on stands
/// behind all of it, whatever numbers transactions get here. The epoch that began, if one did.
///
/// # Errors
/// When the database does not answer.
pub async fn begin_epoch(
    client: &impl GenericClient,
    now: Timestamp,
) -> Result<Option<i32>, StoreError> {
    let statement = client.prepare_cached(sql::FEED_EPOCHS_BEGIN).await?;
    let row = client.query_opt(&statement, &[&now]).await?;
    Ok(row.map(|row| row.try_get("epoch")).transpose()?)
}

/// A place in the feed: an event's epoch, its transaction, and its position among those of that
/// transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    epoch: i32,
    transaction_id: String,
    position: i64,
}

impl Place {
    /// Before the first event.
    #[must_use]
    pub fn start() -> Self {
        Self { epoch: 0, transaction_id: "0".to_owned(), position: 0 }
    }
}

/// Where an event stands in an application's feed.
///
/// # Errors
/// When the database does not answer.
pub async fn place_of(
    client: &impl GenericClient,
    application: &ApplicationId,
    event_id: &str,
) -> Result<Option<Place>, StoreError> {
    let statement = client.prepare_cached(sql::EVENTS_POSITION).await?;
    let row = client.query_opt(&statement, &[&application.as_str(), &event_id]).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Place {
        epoch: row.try_get("epoch")?,
        transaction_id: row.try_get("transaction_id")?,
        position: row.try_get("position")?,
    }))
}

/// The feed after a place, at most `limit` events.
///
/// # Errors
/// When the database does not answer.
pub async fn after(
    client: &impl GenericClient,
    application: &ApplicationId,
    place: &Place,
    limit: i64,
) -> Result<Vec<FeedEvent>, StoreError> {
    let statement = client.prepare_cached(sql::EVENTS_AFTER).await?;
    let Place { epoch, transaction_id, position } = place;
    let rows = client
        .query(&statement, &[&application.as_str(), epoch, transaction_id, position, &limit])
        .await?;
    rows.iter()
        .map(|row| Ok(FeedEvent { event_id: row.try_get("event_id")?, body: row.try_get("body")? }))
        .collect()
}
