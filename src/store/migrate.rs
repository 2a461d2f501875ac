//! Brings the schema up to date, once, however many hubs start at the same time.

use deadpool_postgres::Object;

use super::{Store, StoreError};
use embedded::migrations;

/// What the macro makes of the files, which have their own words at their heads.
mod embedded {
    #![allow(missing_docs, unreachable_pub, reason = "the macro writes no documentation")]

    refinery::embed_migrations!("src/store/migrations");
}

/// The advisory lock that one migrating hub holds; any number that nobody else uses.
const LOCK: i64 = 0x7061_7968_7562;

/// How the schema stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaVersion {
    /// The newest migration that the database has; 0 before the first.
    pub found: i32,
    /// The newest migration that this program brings.
    pub wanted: i32,
}

impl SchemaVersion {
    /// Whether this program can work with it.
    #[must_use]
    pub const fn is_current(&self) -> bool {
        self.found == self.wanted
    }
}

/// Applies what is missing, under an advisory lock; returns how many migrations that were.
///
/// # Errors
/// When a migration fails: it is rolled back whole.
pub async fn migrate(store: &Store) -> Result<usize, StoreError> {
    let mut client = store.client().await?;
    // Another hub may take long, and so may a large table.
    client.batch_execute("SET statement_timeout = 0; SET lock_timeout = 0").await?;
    client.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await?;
    let done = migrations::runner().run_async(&mut **client).await;
    client.execute("SELECT pg_advisory_unlock($1)", &[&LOCK]).await?;
    client.batch_execute("RESET statement_timeout; RESET lock_timeout").await?;
    let report = done.map_err(|error| StoreError::Migration(error.to_string()))?;
    Ok(report.applied_migrations().len())
}

/// Compares the database's schema with this program's.
///
/// # Errors
/// When the database does not answer.
pub async fn version(store: &Store) -> Result<SchemaVersion, StoreError> {
    let mut client: Object = store.client().await?;
    let wanted = migrations::runner()
        .get_migrations()
        .iter()
        .map(refinery::Migration::version)
        .max()
        .unwrap_or_default();
    let found = migrations::runner()
        .get_last_applied_migration_async(&mut **client)
        .await
        .map_err(|error| StoreError::Migration(error.to_string()))?
        .map_or(0, |migration| migration.version());
    Ok(SchemaVersion { found, wanted })
}
