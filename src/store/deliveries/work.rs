//! What the engine does to many deliveries at once: claims, holds, gives back and settles them. A
//! lease that was lost costs its own row only.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use tokio_postgres::Row;

use super::{Cargo, Claimed, DeliveryState};
use crate::store::{StoreError, sql, typed};

/// How many deliveries of a receiver a claim may take.
#[derive(Clone, Debug)]
pub struct Share {
    /// The application or the channel.
    pub receiver: String,
    /// At most so many.
    pub places: i32,
}

/// What came of one claimed delivery.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How far it is now.
    pub state: DeliveryState,
    /// To whom it goes on from now; `None`: as before.
    pub receiver: Option<String>,
    /// All attempts so far.
    pub attempts: i32,
    /// Attempts since the last fresh start.
    pub tries: i32,
    /// Lookups so far.
    pub lookups: i32,
    /// When something is done about it next.
    pub next_at: Timestamp,
    /// The outcome's word.
    pub word: &'static str,
    /// When it ended, if it did.
    pub finished_at: Option<Timestamp>,
    /// The attempt as evidence; `None` when nothing was said to the other side.
    pub tried: Option<Tried>,
}

/// An attempt or a lookup, as evidence.
#[derive(Clone, Debug)]
pub struct Tried {
    /// When it began.
    pub begun_at: Timestamp,
    /// Its number, from 1; a lookup has the number of the attempt that it is about.
    pub number: i32,
    /// What the other side said, without personal data.
    pub detail: String,
    /// The vendor's number of it.
    pub vendor_ref: Option<String>,
    /// The HTTP status of the answer, if one came.
    pub status: Option<i32>,
    /// How long it took, in milliseconds, where somebody measured it.
    pub took_ms: Option<i32>,
}

/// Has the transaction's statements go by index, whatever the statistics last saw, and has those
/// ready that leave together: one that had to be prepared first would come to the database last.
///
/// # Errors
/// When the database does not answer.
pub async fn steady(client: &impl GenericClient) -> Result<(), StoreError> {
    let statement = client.prepare_cached(sql::DELIVERIES_STEADY).await?;
    client.query(&statement, &[]).await?;
    for statement in [sql::DELIVERIES_SETTLE, sql::DELIVERIES_CLAIM] {
        client.prepare_cached(statement).await?;
    }
    Ok(())
}

/// Leases due deliveries, at most `limit`: of each receiver as many as it takes at once, of those
/// in `shares` as many as stands there.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    client: &impl GenericClient,
    now: Timestamp,
    limit: i64,
    shares: &[Share],
) -> Result<Vec<Claimed>, StoreError> {
    let (receivers, places): (Vec<&str>, Vec<i32>) =
        shares.iter().map(|share| (share.receiver.as_str(), share.places)).unzip();
    let statement = client.prepare_cached(sql::DELIVERIES_CLAIM).await?;
    let rows = client.query(&statement, &[&now, &limit, &receivers, &places]).await?;
    let mut claimed = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    claimed.sort_unstable_by_key(|claimed| claimed.delivery_id);
    Ok(claimed)
}

fn read(row: &Row) -> Result<Claimed, StoreError> {
    let event: Option<&str> = row.try_get("event_id")?;
    let notification: Option<&str> = row.try_get("notification_id")?;
    let body: Option<String> = row.try_get("body")?;
    let cargo = match (event, body, notification) {
        (Some(id), Some(body), _) => Cargo::Event { id: typed("deliveries.event_id", id)?, body },
        (_, _, id) => {
            let id = id.unwrap_or_default();
            Cargo::Notification(typed("deliveries.notification_id", id)?)
        }
    };
    Ok(Claimed {
        delivery_id: row.try_get("delivery_id")?,
        cargo,
        receiver: row.try_get("receiver")?,
        state: DeliveryState::read(row.try_get("state")?)?,
        attempts: row.try_get("attempts")?,
        tries: row.try_get("tries")?,
        lookups: row.try_get("lookups")?,
        sent_at: row.try_get("sent_at")?,
        lease: row.try_get("lease")?,
        at_once: row.try_get("at_once")?,
    })
}

/// Holds claimed deliveries (numbers and leases) for another lease's time; the numbers of those
/// whose lease still held.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(
    client: &impl GenericClient,
    held: &[(i64, i64)],
) -> Result<Vec<i64>, StoreError> {
    each(client, sql::DELIVERIES_RENEW, held).await
}

/// Gives claimed deliveries (numbers and leases) back that were not begun.
///
/// # Errors
/// When the database does not answer.
pub async fn release(client: &impl GenericClient, held: &[(i64, i64)]) -> Result<(), StoreError> {
    each(client, sql::DELIVERIES_RELEASE, held).await?;
    Ok(())
}

async fn each(
    client: &impl GenericClient,
    statement: &str,
    held: &[(i64, i64)],
) -> Result<Vec<i64>, StoreError> {
    let (ids, leases): (Vec<i64>, Vec<i64>) = held.iter().copied().unzip();
    let statement = client.prepare_cached(statement).await?;
    let rows = client.query(&statement, &[&ids, &leases]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Writes what came of many deliveries in one statement; the numbers of those whose lease still
/// held. Of the others nothing is written.
///
/// # Errors
/// When the database does not answer, or refuses one of them and so all.
pub async fn settle(
    client: &impl GenericClient,
    outcomes: &[(&Claimed, &Outcome)],
) -> Result<Vec<i64>, StoreError> {
    let ids: Vec<i64> = outcomes.iter().map(|(claimed, _)| claimed.delivery_id).collect();
    let leases: Vec<i64> = outcomes.iter().map(|(claimed, _)| claimed.lease).collect();
    let states: Vec<&str> = outcomes.iter().map(|(_, made)| made.state.as_str()).collect();
    let receivers: Vec<&str> = outcomes
        .iter()
        .map(|(claimed, made)| made.receiver.as_deref().unwrap_or(&claimed.receiver))
        .collect();
    let attempts: Vec<i32> = outcomes.iter().map(|(_, made)| made.attempts).collect();
    let tries: Vec<i32> = outcomes.iter().map(|(_, made)| made.tries).collect();
    let lookups: Vec<i32> = outcomes.iter().map(|(_, made)| made.lookups).collect();
    let next_at: Vec<Timestamp> = outcomes.iter().map(|(_, made)| made.next_at).collect();
    let words: Vec<&str> = outcomes.iter().map(|(_, made)| made.word).collect();
    let finished: Vec<Option<Timestamp>> =
        outcomes.iter().map(|(_, made)| made.finished_at).collect();
    let tried: Vec<Option<&Tried>> = outcomes.iter().map(|(_, made)| made.tried.as_ref()).collect();
    let numbers: Vec<Option<i32>> =
        tried.iter().map(|tried| Some(tried.as_ref()?.number)).collect();
    let begun: Vec<Option<Timestamp>> =
        tried.iter().map(|tried| Some(tried.as_ref()?.begun_at)).collect();
    let details: Vec<Option<&str>> =
        tried.iter().map(|tried| Some(tried.as_ref()?.detail.as_str())).collect();
    let vendor_refs: Vec<Option<&str>> =
        tried.iter().map(|tried| tried.as_ref()?.vendor_ref.as_deref()).collect();
    let statuses: Vec<Option<i32>> = tried.iter().map(|tried| tried.as_ref()?.status).collect();
    let took: Vec<Option<i32>> = tried.iter().map(|tried| tried.as_ref()?.took_ms).collect();
    let statement = client.prepare_cached(sql::DELIVERIES_SETTLE).await?;
    let rows = client
        .query(
            &statement,
            &[
                &ids,
                &leases,
                &states,
                &receivers,
                &attempts,
                &tries,
                &lookups,
                &next_at,
                &words,
                &finished,
                &numbers,
                &begun,
                &details,
                &vendor_refs,
                &statuses,
                &took,
            ],
        )
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
