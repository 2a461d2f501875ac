//! The queries that a merchant's second carries, counted over all hubs in one row a merchant. The
//! claims of orders and refunds take theirs in the same statement; here is the single one.

use deadpool_postgres::GenericClient;
use domain::ids::MerchantId;
use jiff::Timestamp;

use super::{StoreError, sql};

/// What an asker may take of a second's queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// What the second carries in all.
    pub whole: i64,
    /// What the asker and those like him may use of it together.
    pub own: i64,
    /// Whether he is another than those who follow orders; these know that they are not.
    pub is_other: bool,
}

/// Takes one query of the second in which `now` is; false when they are spent.
///
/// # Errors
/// When the database does not answer.
pub async fn take(
    client: &impl GenericClient,
    merchant: &MerchantId,
    now: Timestamp,
    share: &Share,
) -> Result<bool, StoreError> {
    let Share { whole, own, is_other } = share;
    let statement = client.prepare_cached(sql::QUERIES_TAKE).await?;
    let row =
        client.query_one(&statement, &[&merchant.as_str(), &now, whole, own, is_other]).await?;
    let granted: i64 = row.try_get("granted")?;
    Ok(granted > 0)
}
