//! Bills as fetched. Each content of a day is stored once and never changed.

use deadpool_postgres::GenericClient;
use domain::ids::MerchantId;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{StoreError, sql};

/// Stores a bill as fetched, once a content; its number.
///
/// # Errors
/// When the database refuses.
pub async fn keep(
    client: &impl GenericClient,
    merchant: &MerchantId,
    day: Date,
    sha256: &[u8],
    content: &[u8],
    now: Timestamp,
) -> Result<i64, StoreError> {
    let statement = client.prepare_cached(sql::BILL_FILES_INSERT).await?;
    let row =
        client.query_one(&statement, &[&merchant.as_str(), &day, &sha256, &content, &now]).await?;
    Ok(row.try_get(0)?)
}

/// The file that the newest ended run of an account's day has read; `None`: none has ended, or the
/// day was empty.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(
    client: &impl GenericClient,
    account: &[&str],
    day: Date,
) -> Result<Option<Vec<u8>>, StoreError> {
    let statement = client.prepare_cached(sql::BILL_FILES_NEWEST).await?;
    let row = client.query_opt(&statement, &[&account, &day]).await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// The hash of the file that was stored of an account's day before this one; `None`: this is the
/// first, or it is stored already.
///
/// # Errors
/// When the database does not answer.
pub async fn other(
    client: &impl GenericClient,
    account: &[&str],
    day: Date,
    sha256: &[u8],
) -> Result<Option<String>, StoreError> {
    let statement = client.prepare_cached(sql::BILL_FILES_OTHER).await?;
    let row = client.query_opt(&statement, &[&account, &day, &sha256]).await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}
