//! The queries that a merchant's second carries, counted over all hubs in one row a merchant. The
//! claims of orders and refunds take theirs in the same statement; here is the single one.

use deadpool_postgres::GenericClient;
use domain::ids::MerchantId;
use jiff::Timestamp;

use super::{StoreError, sql};

/// Takes one of the `most` queries of the second in which `now` is; false when they are spent.
///
/// # Errors
/// When the database does not answer.
pub async fn take(
    client: &impl GenericClient,
    merchant: &MerchantId,
    now: Timestamp,
    most: i64,
) -> Result<bool, StoreError> {
    let statement = client.prepare_cached(sql::QUERIES_TAKE).await?;
    let row = client.query_one(&statement, &[&merchant.as_str(), &now, &most]).await?;
    let granted: Option<i64> = row.try_get("granted")?;
    Ok(granted.is_some_and(|granted| granted > 0))
}
