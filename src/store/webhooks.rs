//! The log of webhooks: what was sent to whom, how each attempt ended, and sending again.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::{StoreError, sql};

/// One event's way to one application.
#[derive(Clone, Debug)]
pub struct WebhookRecord {
    /// Its number.
    pub delivery_id: i64,
    /// The application.
    pub application: String,
    /// The event, also its `webhook-id`.
    pub event_id: String,
    /// The event's type.
    pub event_type: String,
    /// The order, fee, refund or other resource that it tells of.
    pub subject_id: String,
    /// `due`, `done` or `dead`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i32,
    /// How the last attempt ended.
    pub last_outcome: Option<String>,
    /// When it is tried next, while it is due.
    pub next_at: Timestamp,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it was taken or given up.
    pub finished_at: Option<Timestamp>,
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// Its number, from 1.
    pub number: i32,
    /// When it began.
    pub begun_at: Timestamp,
    /// How long the answer took, in milliseconds.
    pub took_ms: Option<i32>,
    /// Its outcome's word.
    pub outcome: String,
    /// The HTTP status, where there was an answer.
    pub status: Option<i32>,
    /// What happened, in the hub's words.
    pub detail: String,
}

/// Which webhooks a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of one application.
    All,
    /// Those that were taken.
    Done,
    /// Those that wait.
    Due,
    /// Dead letters (死信).
    Dead,
}

/// A page of the log.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// In which state.
    pub which: Which,
    /// Of which event type; `None`: of all.
    pub event_type: Option<&'a str>,
    /// Older than this number.
    pub before: i64,
    /// How many at most.
    pub limit: i64,
}

/// An application's webhooks, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    client: &impl GenericClient,
    application: &str,
    page: &Page<'_>,
) -> Result<Vec<WebhookRecord>, StoreError> {
    let state = match page.which {
        Which::All => None,
        Which::Done => Some("done"),
        Which::Due | Which::Dead => return unfinished(client, Some(application), page).await,
    };
    let Page { which: _, event_type, before, limit } = page;
    let statement = client.prepare_cached(sql::WEBHOOKS_LIST).await?;
    let rows = client.query(&statement, &[&application, &state, event_type, before, limit]).await?;
    rows.iter().map(read).collect()
}

/// Webhooks that wait, or those that are dead, of one application or of all, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn unfinished(
    client: &impl GenericClient,
    application: Option<&str>,
    page: &Page<'_>,
) -> Result<Vec<WebhookRecord>, StoreError> {
    let text = match page.which {
        Which::All | Which::Done | Which::Due => sql::WEBHOOKS_WAITING,
        Which::Dead => sql::WEBHOOKS_DEAD,
    };
    let Page { which: _, event_type, before, limit } = page;
    let statement = client.prepare_cached(text).await?;
    let rows = client.query(&statement, &[&application, event_type, before, limit]).await?;
    rows.iter().map(read).collect()
}

/// One webhook of an application; `None` when it is another's.
///
/// # Errors
/// When the database does not answer.
pub async fn get(
    client: &impl GenericClient,
    application: &str,
    delivery_id: i64,
) -> Result<Option<WebhookRecord>, StoreError> {
    let statement = client.prepare_cached(sql::WEBHOOKS_GET).await?;
    let row = client.query_opt(&statement, &[&application, &delivery_id]).await?;
    row.as_ref().map(read).transpose()
}

/// What was tried for a delivery, in order.
///
/// # Errors
/// When the database does not answer.
pub async fn attempts(
    client: &impl GenericClient,
    delivery_id: i64,
) -> Result<Vec<AttemptRecord>, StoreError> {
    let statement = client.prepare_cached(sql::WEBHOOKS_ATTEMPTS).await?;
    let rows = client.query(&statement, &[&delivery_id]).await?;
    rows.iter()
        .map(|row| {
            Ok(AttemptRecord {
                number: row.try_get("attempt")?,
                begun_at: row.try_get("begun_at")?,
                took_ms: row.try_get("took_ms")?,
                outcome: row.try_get("outcome")?,
                status: row.try_get("status")?,
                detail: row.try_get("detail")?,
            })
        })
        .collect()
}

/// The deliveries of these events to an application, the oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn of_events(
    client: &impl GenericClient,
    application: &str,
    events: &[&str],
) -> Result<Vec<i64>, StoreError> {
    let statement = client.prepare_cached(sql::WEBHOOKS_OF_EVENTS).await?;
    numbers(&client.query(&statement, &[&application, &events]).await?)
}

/// An application's dead letters behind a number, the oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn choose_dead(
    client: &impl GenericClient,
    application: &str,
    behind: i64,
    limit: i64,
) -> Result<Vec<i64>, StoreError> {
    let statement = client.prepare_cached(sql::WEBHOOKS_CHOOSE_DEAD).await?;
    numbers(&client.query(&statement, &[&application, &behind, &limit]).await?)
}

/// A time of events, from `since` to before `until`, and their types.
#[derive(Clone, Debug)]
pub struct Span<'a> {
    /// From this moment on.
    pub since: Timestamp,
    /// Before this one.
    pub until: Timestamp,
    /// Of these types; `None`: of all.
    pub types: Option<Vec<&'a str>>,
}

/// The deliveries of an application's events in a time, behind a number, the oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn choose_time(
    client: &impl GenericClient,
    application: &str,
    span: &Span<'_>,
    behind: i64,
    limit: i64,
) -> Result<Vec<i64>, StoreError> {
    let statement = client.prepare_cached(sql::WEBHOOKS_CHOOSE_TIME).await?;
    let Span { since, until, types } = span;
    let rows =
        client.query(&statement, &[&application, &behind, since, until, types, &limit]).await?;
    numbers(&rows)
}

/// Lets deliveries of an application begin again at once; those that did, the oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn resend(
    client: &impl GenericClient,
    application: &str,
    deliveries: &[i64],
    now: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    let statement = client.prepare_cached(sql::WEBHOOKS_RESEND).await?;
    numbers(&client.query(&statement, &[&application, &deliveries, &now]).await?)
}

/// Lets all that waits for an application begin anew at once; how many there were.
///
/// # Errors
/// When the database does not answer.
pub async fn hasten(
    client: &impl GenericClient,
    application: &str,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let statement = client.prepare_cached(sql::WEBHOOKS_HASTEN).await?;
    Ok(client.query(&statement, &[&application, &now]).await?.len())
}

fn numbers(rows: &[Row]) -> Result<Vec<i64>, StoreError> {
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

fn read(row: &Row) -> Result<WebhookRecord, StoreError> {
    let state: &str = row.try_get("state")?;
    // An attempt that is being made is one that waits for its end.
    let state = if matches!(state, "done" | "dead") { state } else { "due" };
    Ok(WebhookRecord {
        delivery_id: row.try_get("delivery_id")?,
        application: row.try_get("receiver")?,
        event_id: row.try_get("event_id")?,
        event_type: row.try_get("type")?,
        subject_id: row.try_get("subject_id")?,
        state: state.to_owned(),
        attempts: row.try_get("attempts")?,
        last_outcome: row.try_get("last_outcome")?,
        next_at: row.try_get("next_at")?,
        created_at: row.try_get("created_at")?,
        finished_at: row.try_get("finished_at")?,
    })
}
