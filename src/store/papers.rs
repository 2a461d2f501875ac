//! What papers say beyond the sums of a run.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use super::{StoreError, load, sql};
use crate::report::{ActPaper, DayPaper, FeePaper, OpenPaper, RefundPaper, TaskPaper};

/// The numbers of rows, each list as long as the others.
#[derive(Debug, Default)]
pub struct RowNumbers<'a> {
    /// The hub's order numbers.
    pub orders: Vec<&'a str>,
    /// The hub's refund numbers; empty on payments.
    pub refunds: Vec<&'a str>,
    /// The provider's payment numbers.
    pub provider: Vec<&'a str>,
}

/// A fee behind a row.
#[derive(Clone, Debug)]
pub struct Behind {
    /// Which row, from 1.
    pub row: i64,
    /// The fee; `None` where the row settles none.
    pub fee_id: Option<String>,
    /// Its part of the row.
    pub amount_fen: i64,
    /// What of the whole row settles no fee.
    pub surplus_fen: i64,
}

/// The fees behind rows of an account, in their order.
///
/// # Errors
/// When the database does not answer.
pub async fn rows(
    client: &impl GenericClient,
    account: &[&str],
    numbers: &RowNumbers<'_>,
) -> Result<Vec<Behind>, StoreError> {
    let RowNumbers { orders, refunds, provider } = numbers;
    let statement = client.prepare_cached(sql::PAPERS_ROWS).await?;
    let rows = client.query(&statement, &[&account, orders, refunds, provider]).await?;
    rows.iter()
        .map(|row| {
            Ok(Behind {
                row: row.try_get("n")?,
                fee_id: row.try_get("fee_id")?,
                amount_fen: row.try_get("amount_fen")?,
                surplus_fen: row.try_get("surplus_fen")?,
            })
        })
        .collect()
}

/// A fee by its id.
#[derive(Clone, Debug, Deserialize)]
pub struct NamedFee {
    /// Its id.
    pub id: String,
    /// As papers name it.
    pub paper: FeePaper,
}

/// Fees as papers name them.
///
/// # Errors
/// When the database does not answer.
pub async fn fees(
    client: &impl GenericClient,
    fee_ids: &[&str],
) -> Result<Vec<NamedFee>, StoreError> {
    load(client, sql::PAPERS_FEES, &[&fee_ids]).await
}

/// The refunds of an account's day, and those with these numbers.
///
/// # Errors
/// When the database does not answer.
pub async fn refunds(
    client: &impl GenericClient,
    account: &[&str],
    (from, until): (Timestamp, Timestamp),
    numbers: &[&str],
) -> Result<Vec<RefundPaper>, StoreError> {
    load(client, sql::PAPERS_REFUNDS, &[&account, &from, &until, &numbers]).await
}

/// The open differences of an account beside those with these fingerprints.
///
/// # Errors
/// When the database does not answer.
pub async fn open(
    client: &impl GenericClient,
    account: &[&str],
    without: &[&str],
) -> Result<Vec<OpenPaper>, StoreError> {
    load(client, sql::PAPERS_OPEN, &[&account, &without]).await
}

/// How the days of an account came out.
///
/// # Errors
/// When the database does not answer.
pub async fn history(
    client: &impl GenericClient,
    account: &[&str],
    (from, until): (Date, Date),
) -> Result<Vec<DayPaper>, StoreError> {
    load(client, sql::PAPERS_HISTORY, &[&account, &from, &until]).await
}

/// The settlements of an account that a paper of a day shows, with their bill days in order: `account` is
/// its name and its merchants.
///
/// # Errors
/// When the database does not answer.
pub async fn settlements(
    client: &impl GenericClient,
    (account, merchants): (&str, &[&str]),
    day: Date,
) -> Result<Vec<(String, Date)>, StoreError> {
    let statement = client.prepare_cached(sql::PAPERS_SETTLEMENTS).await?;
    let rows = client.query(&statement, &[&account, &day, &merchants]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// What people did to an account's runs of a day, to these subjects and to refunds with these numbers.
///
/// # Errors
/// When the database does not answer.
pub async fn acts(
    client: &impl GenericClient,
    (account, day): (&[&str], Date),
    subjects: &[&str],
    refunds: &[&str],
) -> Result<Vec<ActPaper>, StoreError> {
    load(client, sql::PAPERS_ACTS, &[&account, &day, &subjects, &refunds]).await
}

/// The newest run of an account's day before a version that was signed and opened again.
///
/// # Errors
/// When the database does not answer.
pub async fn reopened(
    client: &impl GenericClient,
    account: &[&str],
    (day, version): (Date, i32),
) -> Result<Option<String>, StoreError> {
    let statement = client.prepare_cached(sql::PAPERS_REOPENED).await?;
    let row = client.query_opt(&statement, &[&account, &day, &version]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// What people have to look at of some merchants.
///
/// # Errors
/// When the database does not answer.
pub async fn tasks(
    client: &impl GenericClient,
    merchants: &[&str],
) -> Result<Vec<TaskPaper>, StoreError> {
    load(client, sql::PAPERS_TASKS, &[&merchants]).await
}
