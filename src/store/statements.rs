//! What a month's statement is made of.

use deadpool_postgres::GenericClient;
use jiff::civil::Date;

use super::{StoreError, load, sql};
use crate::report::Matter;

/// The newest ended run of each day of an account, by its day.
///
/// # Errors
/// When the database does not answer.
pub async fn runs(
    client: &impl GenericClient,
    account: &[&str],
    (from, until): (Date, Date),
) -> Result<Vec<(Date, String)>, StoreError> {
    let statement = client.prepare_cached(sql::STATEMENT_RUNS).await?;
    let rows = client.query(&statement, &[&account, &from, &until]).await?;
    rows.iter().map(|row| Ok((row.try_get("bill_date")?, row.try_get("run_id")?))).collect()
}

/// The doubts of an account that were open within these days.
///
/// # Errors
/// When the database does not answer.
pub async fn doubts(
    client: &impl GenericClient,
    account: &[&str],
    (from, until): (Date, Date),
) -> Result<Vec<Matter>, StoreError> {
    load(client, sql::STATEMENT_DOUBTS, &[&account, &from, &until]).await
}

/// The differences of an account that were open within these days.
///
/// # Errors
/// When the database does not answer.
pub async fn differences(
    client: &impl GenericClient,
    account: &[&str],
    (from, until): (Date, Date),
) -> Result<Vec<Matter>, StoreError> {
    load(client, sql::STATEMENT_DIFFERENCES, &[&account, &from, &until]).await
}
