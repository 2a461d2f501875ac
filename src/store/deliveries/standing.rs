//! How the outbox stands, for whoever watches.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;

use super::super::{StoreError, sql};

/// How the outbox stands for a receiver; numbers end where the look does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The application or channel.
    pub receiver: String,
    /// How many deliveries are not finished.
    pub waiting: i64,
    /// How many attempts were made of those.
    pub attempts: i64,
    /// Since when the oldest that is due has been due; `None`: none is.
    pub due_since: Option<Timestamp>,
    /// How many were given up.
    pub dead: i64,
}

/// How the outbox stands for each application and channel, of which at most `rows` deliveries that
/// wait and as many dead ones are looked at.
///
/// # Errors
/// When the database does not answer.
pub async fn standing(
    client: &impl GenericClient,
    channels: &[&str],
    rows: i64,
    now: Timestamp,
) -> Result<Vec<Standing>, StoreError> {
    let statement = client.prepare_cached(sql::DELIVERIES_STANDING).await?;
    let found = client.query(&statement, &[&now, &channels, &rows]).await?;
    found
        .iter()
        .map(|row| {
            Ok(Standing {
                receiver: row.try_get("receiver")?,
                waiting: row.try_get("waiting")?,
                attempts: row.try_get("attempts")?,
                due_since: row.try_get("due_since")?,
                dead: row.try_get("dead")?,
            })
        })
        .collect()
}
