//! Brings the schema up to date, once, however many hubs start at the same time.

use deadpool_postgres::Object;

use super::{Store, StoreError, sql};
use embedded::migrations;

/// What the macro makes of the files, which have their own words at their heads.
mod embedded {
    #![allow(missing_docs, unreachable_pub, reason = "the macro writes no documentation")]

    refinery::embed_migrations!("src/store/migrations");
}

/// The advisory lock that one migrating hub holds; any number that nobody else uses.
const LOCK: i64 = 0x7061_7968_7562;
/// The first migration that says which programs can work with the schema.
const FIRST_THAT_NEEDS: i32 = 14;

/// How the schema stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaVersion {
    /// The newest migration that the database has; 0 before the first.
    pub found: i32,
    /// The newest migration that this program brings.
    pub wanted: i32,
    /// The newest migration that a program must bring to work with it.
    pub least: i32,
}

/// What a program is to a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It can work with it.
    Fits,
    /// The schema lacks what the program needs.
    Behind,
    /// A newer program changed the schema so that this one cannot work with it.
    Beyond,
}

impl SchemaVersion {
    /// Whether this program can work with it. One that a newer program brought further stays good,
    /// as long as no migration broke this one: hubs are exchanged one after another.
    #[must_use]
    pub const fn fit(&self) -> Fit {
        if self.found < self.wanted {
            Fit::Behind
        } else if self.least > self.wanted {
            Fit::Beyond
        } else {
            Fit::Fits
        }
    }

    /// What is wrong and how it is mended, for an operator; `None` where nothing is.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let Self { found, wanted, least } = self;
        match self.fit() {
            Fit::Fits => None,
            Fit::Behind => Some(format!("the schema is {found}, not {wanted}; run payhub migrate")),
            Fit::Beyond => Some(format!(
                "the schema is {found} and needs a program of {least} at least, this one is of \
                 {wanted}; install the newer payhub"
            )),
        }
    }
}

/// Applies what is missing, under an advisory lock; returns how many migrations that were. What a
/// newer program applied beyond that stays.
///
/// # Errors
/// When a migration fails: it is rolled back whole.
pub async fn migrate(store: &Store) -> Result<usize, StoreError> {
    // A connection of its own, which ends with this call: nobody else gets its settings, and a
    // caller that is cut off leaves no lock behind.
    let mut client = Object::take(store.client().await?);
    // Another hub's migrations, and an index over years of rows, take as long as they take.
    client.batch_execute("SET statement_timeout = 0; SET lock_timeout = 0").await?;
    client.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await?;
    let done = apply(&mut client).await;
    client.execute("SELECT pg_advisory_unlock($1)", &[&LOCK]).await?;
    done.map_err(|error| StoreError::Migration(error.to_string()))
}

/// Applies what is missing. Where a newer program was here, that is nothing, as long as it knew all
/// that this one brings.
async fn apply(client: &mut tokio_postgres::Client) -> Result<usize, String> {
    let runner = migrations::runner();
    let told = |error: refinery::Error| error.to_string();
    // An empty database has no history to be read.
    let newest = runner.get_last_applied_migration_async(client).await.ok().flatten();
    if newest.is_none_or(|newest| newest.version() <= wanted(&runner)) {
        let report = runner.run_async(client).await.map_err(told)?;
        return Ok(report.applied_migrations().len());
    }
    let applied = runner.get_applied_migrations_async(client).await.map_err(told)?;
    match runner.get_migrations().iter().find(|ours| !applied.contains(ours)) {
        Some(ours) => Err(format!("{ours} is not in the schema of the newer program")),
        None => Ok(0),
    }
}

/// The newest migration of this program.
fn wanted(runner: &refinery::Runner) -> i32 {
    runner.get_migrations().iter().map(refinery::Migration::version).max().unwrap_or_default()
}

/// Compares the database's schema with this program's.
///
/// # Errors
/// When the database does not answer.
pub async fn version(store: &Store) -> Result<SchemaVersion, StoreError> {
    let mut client: Object = store.client().await?;
    let runner = migrations::runner();
    let wanted = wanted(&runner);
    let found = runner
        .get_last_applied_migration_async(&mut **client)
        .await
        .map_err(|error| StoreError::Migration(error.to_string()))?
        .map_or(0, |migration| migration.version());
    let least = if found < FIRST_THAT_NEEDS {
        0
    } else {
        let statement = client.prepare_cached(sql::SCHEMA_NEEDS).await?;
        client.query_one(&statement, &[]).await?.try_get("least")?
    };
    Ok(SchemaVersion { found, wanted, least })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: i32, wanted: i32, least: i32, expected: Fit) {
        assert_eq!(SchemaVersion { found, wanted, least }.fit(), expected);
    }

    #[test]
    fn a_program_works_with_its_own_schema_and_with_newer_ones_that_let_it() {
        check(14, 14, 14, Fit::Fits);
        check(20, 14, 14, Fit::Fits);
        check(20, 14, 15, Fit::Beyond);
        check(13, 14, 0, Fit::Behind);
        check(0, 14, 0, Fit::Behind);
    }
}
