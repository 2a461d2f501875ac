//! Fund flow bills as fetched, sealed, and the days that wait for theirs.

use deadpool_postgres::GenericClient;
use domain::ids::MerchantId;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::bills::{Stored, Which};
use super::{StoreError, change, sql, typed};

/// Stores a sealed file, once a content.
///
/// # Errors
/// When the database refuses.
pub async fn keep(
    client: &impl GenericClient,
    which: &Which,
    sealed: &[u8],
    now: Timestamp,
) -> Result<(), StoreError> {
    let Which { merchant, day, sha256 } = which;
    change(client, sql::FUND_BILL_FILES_INSERT, &[&merchant.as_str(), day, sha256, &sealed, &now])
        .await?;
    Ok(())
}

/// The file of an account's day that was stored last.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(
    client: &impl GenericClient,
    account: &[&str],
    day: Date,
) -> Result<Option<Stored>, StoreError> {
    let statement = client.prepare_cached(sql::FUND_BILL_FILES_NEWEST).await?;
    let row = client.query_opt(&statement, &[&account, &day]).await?;
    row.as_ref().map(Stored::of).transpose()
}

/// Has a day wait for its bill until `next_at`.
///
/// # Errors
/// When the database refuses.
pub async fn wait(
    client: &impl GenericClient,
    (merchant, day): (&MerchantId, Date),
    next_at: Timestamp,
    why: &str,
) -> Result<(), StoreError> {
    change(client, sql::FUND_BILL_WAITS_WRITE, &[&merchant.as_str(), &day, &next_at, &why]).await?;
    Ok(())
}

/// A day waits no more.
///
/// # Errors
/// When the database refuses.
pub async fn end(
    client: &impl GenericClient,
    account: &[&str],
    day: Date,
) -> Result<(), StoreError> {
    change(client, sql::FUND_BILL_WAITS_END, &[&account, &day]).await?;
    Ok(())
}

/// A day that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Whose.
    pub merchant_id: MerchantId,
    /// Which day.
    pub day: Date,
    /// How often its bill was asked for since the run ended without it.
    pub tries: i32,
}

/// Leases a day that is due; `None`: none is.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    client: &impl GenericClient,
    now: Timestamp,
) -> Result<Option<Waiting>, StoreError> {
    let statement = client.prepare_cached(sql::FUND_BILL_WAITS_CLAIM).await?;
    let row = client.query_opt(&statement, &[&now]).await?;
    row.map(|row| {
        Ok(Waiting {
            merchant_id: typed("fund_bill_waits.merchant_id", row.try_get("merchant_id")?)?,
            day: row.try_get("bill_date")?,
            tries: row.try_get("tries")?,
        })
    })
    .transpose()
}

/// What an account's fund flow came to on a day that was looked at.
#[derive(Debug)]
pub struct Looked {
    /// Which day.
    pub day: Date,
    /// What it came to, as JSON.
    pub result: Value,
}

/// The last day before one whose fund flow the account's newest run has looked at, a week back at
/// most; `None`: there is none.
///
/// # Errors
/// When the database does not answer.
pub async fn before(
    client: &impl GenericClient,
    account: &[&str],
    day: Date,
) -> Result<Option<Looked>, StoreError> {
    let statement = client.prepare_cached(sql::RUNS_FUND_BEFORE).await?;
    let row = client.query_opt(&statement, &[&account, &day]).await?;
    row.map(|row| Ok(Looked { day: row.try_get("bill_date")?, result: row.try_get("result")? }))
        .transpose()
}
