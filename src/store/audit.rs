//! The audit trail's head and entries.

use deadpool_postgres::GenericClient;
use domain::time::{day_end, day_start};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Json;

use super::{StoreError, sql};

/// The end of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// The last entry's number; 0 before the first.
    pub seq: i64,
    /// The last entry's link; empty before the first.
    pub mac: Vec<u8>,
    /// What proves that the hub set it there; empty before the first.
    pub seal: Vec<u8>,
}

/// An entry of the trail.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Its number.
    pub seq: i64,
    /// When it was done.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// With which particulars; nobody's personal data.
    pub data: Value,
    /// Its link.
    pub mac: Vec<u8>,
}

/// Locks the head for the rest of the transaction; the last of all locks.
///
/// # Errors
/// When the trail has entries behind its head.
pub async fn lock_head(client: &impl GenericClient) -> Result<AuditHead, StoreError> {
    let statement = client.prepare_cached(sql::AUDIT_HEAD_LOCK).await?;
    let mut row = client.query_one(&statement, &[]).await?;
    if row.try_get::<_, i64>("last_seq")? < row.try_get::<_, i64>("seq")? {
        // Whoever waited for the lock saw the head as it was then, and the entries as they were before.
        row = client.query_one(&statement, &[]).await?;
    }
    let (head, last): (AuditHead, i64) = (head(&row)?, row.try_get("last_seq")?);
    if last == head.seq {
        return Ok(head);
    }
    Err(StoreError::Data {
        what: "audit_heads",
        detail: format!("the head is entry {}, the last entry is {last}", head.seq),
    })
}

/// The head.
///
/// # Errors
/// When the database does not answer, or there is none.
pub async fn read_head(client: &impl GenericClient) -> Result<Option<AuditHead>, StoreError> {
    let statement = client.prepare_cached(sql::AUDIT_HEAD_READ).await?;
    client.query_opt(&statement, &[]).await?.map(|row| head(&row)).transpose()
}

/// Adds entries, given as rows whose links are named by index from 1, behind the locked head.
///
/// # Errors
/// When the database refuses.
pub async fn append(
    client: &impl GenericClient,
    rows: &[Value],
    links: &[Vec<u8>],
    head: &AuditHead,
) -> Result<(), StoreError> {
    let statement = client.prepare_cached(sql::AUDIT_ENTRIES_INSERT).await?;
    let AuditHead { seq, mac, seal } = head;
    client.query_one(&statement, &[&Json(rows), &links, seq, mac, seal]).await?;
    Ok(())
}

/// Entries behind a number, about one subject where it is given, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    client: &impl GenericClient,
    after: i64,
    subject: Option<&str>,
    limit: i64,
) -> Result<Vec<AuditEntry>, StoreError> {
    let statement = client.prepare_cached(sql::AUDIT_ENTRIES_LIST).await?;
    let rows = client.query(&statement, &[&after, &subject, &limit]).await?;
    rows.iter().map(entry).collect()
}

/// The entries of a day in Beijing, in order.
///
/// # Errors
/// When the database does not answer.
pub async fn of_day(client: &impl GenericClient, day: Date) -> Result<Vec<AuditEntry>, StoreError> {
    let statement = client.prepare_cached(sql::AUDIT_ENTRIES_OF_DAYS).await?;
    let rows = client.query(&statement, &[&day_start(day), &day_end(day)]).await?;
    rows.iter().map(entry).collect()
}

fn head(row: &Row) -> Result<AuditHead, StoreError> {
    Ok(AuditHead { seq: row.try_get("seq")?, mac: row.try_get("mac")?, seal: row.try_get("seal")? })
}

fn entry(row: &Row) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        seq: row.try_get("seq")?,
        at: row.try_get("at")?,
        by: row.try_get("by")?,
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        data: row.try_get::<_, Json<Value>>("data")?.0,
        mac: row.try_get("mac")?,
    })
}
