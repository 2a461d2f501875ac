//! PostgreSQL, and nothing else knows it. Statements are files under `sql/`; the functions here
//! take the caller's transaction, write or read, and decide nothing.

pub mod applications;
pub mod audit;
pub mod bank;
pub mod bills;
pub mod callbacks;
pub mod cases;
pub mod combined;
mod connect;
pub mod deliveries;
pub mod differences;
pub mod doubts;
pub mod effects;
pub mod endpoints;
pub mod events;
pub mod fees;
pub mod findings;
pub mod fiscal;
pub mod fund_bills;
pub mod idempotency;
pub mod incidents;
pub mod journal;
pub mod line;
pub mod migrate;
pub mod notifications;
pub mod orders;
pub mod papers;
pub mod payers;
pub mod queries;
pub mod refunds;
pub mod remittances;
pub mod runs;
pub mod settlements;
pub mod sign_offs;
pub mod sql;
pub mod statements;
pub mod supervision;
pub mod treasury;
pub(crate) mod unit;
pub mod unmatches;
pub mod users;
pub mod webhooks;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub use deadpool_postgres::Transaction;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{Json, ToSql};

use connect::OnMainRuntime;

/// How many connections one hub keeps at most for those who wait for an answer.
const POOL_SIZE: usize = 16;
/// How many it keeps at most for work that is done many at once, set [apart].
const APART: usize = 8;
/// How long a caller waits for a connection, and a statement for its end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What holds for every connection of the pool. A statement is planned once: planning costs more
/// than running it. A plan that was made while a table was nearly empty would read it from end to
/// end long after it has grown, so rows are looked up by key from the first one on
/// (`docs/decisions/0011`).
const SESSION: &str = "-c timezone=UTC -c statement_timeout=30000 -c lock_timeout=3000 \
     -c idle_in_transaction_session_timeout=30000 -c plan_cache_mode=force_generic_plan \
     -c enable_seqscan=off -c random_page_cost=1.1";

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection in time.
    #[error("no database connection: {0}")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// The database refused or broke off.
    #[error("database: {}", describe(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// A row holds something that the hub cannot read: a defect, or somebody else's hand.
    #[error("{what} in the database: {detail}")]
    Data {
        /// Which row or column.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A journal has entries behind its head: somebody's hand was in it, and nothing may be
    /// written behind them.
    #[error("journal {merchant_id}: its head is entry {head}, its last entry is {last}")]
    Journal {
        /// Whose journal.
        merchant_id: domain::ids::MerchantId,
        /// The head's number.
        head: i64,
        /// The last entry's number.
        last: i64,
    },
    /// The schema could not be brought up to date.
    #[error("migration: {0}")]
    Migration(String),
}

impl StoreError {
    /// The named constraint that refused the statement, if one did.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Postgres(error) => error.as_db_error().and_then(|error| error.constraint()),
            Self::Pool(_) | Self::Data { .. } | Self::Journal { .. } | Self::Migration(_) => None,
        }
    }

    /// Whether the database is away, busy or full, or the connection broke: nothing is wrong with
    /// what was to be written. A commit that ended so may have happened.
    #[must_use]
    pub fn is_away(&self) -> bool {
        match self {
            Self::Pool(_) => true,
            Self::Postgres(error) => match error.code() {
                // Connection, transaction state, rollback, resources, prerequisites, operator, system.
                Some(code) => ["08", "25", "40", "53", "55", "57", "58"]
                    .iter()
                    .any(|class| code.code().starts_with(class)),
                None => {
                    error.is_closed()
                        || std::error::Error::source(error)
                            .is_some_and(|source| source.is::<std::io::Error>())
                }
            },
            Self::Data { .. } | Self::Journal { .. } | Self::Migration(_) => false,
        }
    }

    /// Whether the connection was lost on the way, so that a commit may have happened or not.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        match self {
            Self::Postgres(error) => error.code().map_or_else(
                || self.is_away(),
                |code| code.code().starts_with("08") || code.code().starts_with("57P"),
            ),
            Self::Pool(_) | Self::Data { .. } | Self::Journal { .. } | Self::Migration(_) => false,
        }
    }

    /// Whether somebody held a row for longer than anybody waits for one.
    #[must_use]
    pub fn is_held(&self) -> bool {
        match self {
            Self::Postgres(error) => error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE),
            Self::Pool(_) | Self::Data { .. } | Self::Journal { .. } | Self::Migration(_) => false,
        }
    }

    /// Whether the same transaction may simply be run again: a deadlock or a lost race, or a statement
    /// whose error came after that of one behind it. Its next run tells.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Postgres(error) => error.code().is_some_and(|code| {
                *code == SqlState::T_R_DEADLOCK_DETECTED
                    || *code == SqlState::T_R_SERIALIZATION_FAILURE
                    || *code == SqlState::IN_FAILED_SQL_TRANSACTION
            }),
            Self::Pool(_) | Self::Data { .. } | Self::Journal { .. } | Self::Migration(_) => false,
        }
    }
}

fn describe(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || error.to_string(),
        |db| {
            let constraint = db.constraint().map(|name| format!(" ({name})")).unwrap_or_default();
            format!("{}{constraint}", db.message())
        },
    )
}

tokio::task_local! {
    static IS_APART: ();
}

/// Lets `work` use the connections that are set apart, and no others: however much of it there is
/// at once, nobody else waits for a connection because of it.
pub(crate) async fn apart<F: Future>(work: F) -> F::Output {
    IS_APART.scope((), work).await
}

/// The database of a hub: a pool of connections, one for work that is set [apart], and how another
/// is opened beside them.
#[derive(Clone, Debug)]
pub struct Store {
    pool: Pool,
    apart: Pool,
    settings: Arc<tokio_postgres::Config>,
}

impl Store {
    /// A pool for `config`. Connections open on first use, and live on the runtime that calls this.
    ///
    /// # Errors
    /// When the pool cannot be built.
    pub fn new(mut config: tokio_postgres::Config) -> Result<Self, StoreError> {
        config.application_name("payhub").connect_timeout(PATIENCE).options(SESSION);
        let pool = |size| {
            let manager = Manager::from_connect(
                config.clone(),
                OnMainRuntime::here(),
                ManagerConfig { recycling_method: RecyclingMethod::Fast },
            );
            Pool::builder(manager)
                .max_size(size)
                .runtime(Runtime::Tokio1)
                .wait_timeout(Some(PATIENCE))
                .create_timeout(Some(PATIENCE))
                .recycle_timeout(Some(PATIENCE))
                .build()
                .map_err(|error| StoreError::Migration(error.to_string()))
        };
        Ok(Self { pool: pool(POOL_SIZE)?, apart: pool(APART)?, settings: Arc::new(config) })
    }

    /// A connection.
    ///
    /// # Errors
    /// When none comes in time.
    pub async fn client(&self) -> Result<Object, StoreError> {
        let is_apart = IS_APART.try_with(|()| ()).is_ok();
        let pool = if is_apart { &self.apart } else { &self.pool };
        Ok(pool.get().await?)
    }

    /// Lets every connection go.
    pub fn close(&self) {
        self.pool.close();
        self.apart.close();
    }
}

/// Runs a prepared statement and reads one JSON document a row.
pub(crate) async fn load<T>(
    client: &impl deadpool_postgres::GenericClient,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<T>, StoreError>
where
    T: serde::de::DeserializeOwned + std::fmt::Debug,
{
    let statement = client.prepare_cached(statement).await?;
    documents(&client.query(&statement, parameters).await?)
}

/// Reads one JSON document a row.
pub(crate) fn documents<T>(rows: &[Row]) -> Result<Vec<T>, StoreError>
where
    T: serde::de::DeserializeOwned + std::fmt::Debug,
{
    rows.iter().map(|row| Ok(row.try_get::<_, Json<T>>(0)?.0)).collect()
}

/// Runs a prepared statement that changes at most one row; whether it did.
pub(crate) async fn change(
    client: &impl deadpool_postgres::GenericClient,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<bool, StoreError> {
    let statement = client.prepare_cached(statement).await?;
    Ok(!client.query(&statement, parameters).await?.is_empty())
}

/// Reads a text column into a typed value.
pub(crate) fn typed<T: std::str::FromStr<Err: std::fmt::Display>>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    text.parse().map_err(|error: T::Err| StoreError::Data { what, detail: error.to_string() })
}
