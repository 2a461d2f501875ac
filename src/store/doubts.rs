//! Doubts: carried over the files of the days after their own until a run decides them.

use deadpool_postgres::GenericClient;
use domain::bill::Direction;
use domain::doubt::{DoubtState, Received};
use domain::ids::{DoubtId, RunId};
use jiff::civil::Date;
use reconciliation::Finding;
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::types::Json;

use super::{StoreError, change, load, sql};

/// A doubt as stored.
#[derive(Clone, Debug, Deserialize)]
pub struct DoubtRecord {
    /// Its place in its run, from 1.
    pub position: i32,
    /// Everything else, shaped as a difference.
    #[serde(flatten)]
    pub shown: serde_json::Map<String, Value>,
}

/// A doubt of another day that a run decides.
#[derive(Clone, Debug, Deserialize)]
pub struct Carried {
    /// Its id.
    pub id: DoubtId,
    /// The day of its money.
    pub day: Date,
    /// Open; or promoted by an earlier run of the day that is being reconciled again.
    pub state: DoubtState,
    /// What tells it from all others of its account.
    pub fingerprint: String,
    /// The whole of it.
    pub finding: Finding,
}

/// A row that the bill of another day has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub struct Listed {
    /// Payment or refund.
    pub direction: Direction,
    /// The hub's order number.
    pub out_trade_no: String,
    /// The hub's refund number; empty on payments.
    pub out_refund_no: String,
    /// The provider's payment number.
    pub provider_trade_no: String,
}

/// The doubts of a run after a position.
///
/// # Errors
/// When the database does not answer.
pub async fn of_run(
    client: &impl GenericClient,
    run_id: &str,
    after: i32,
    limit: i64,
) -> Result<Vec<DoubtRecord>, StoreError> {
    load(client, sql::DOUBTS_LIST, &[&run_id, &after, &limit]).await
}

/// The doubts that a run of an account's day decides.
///
/// # Errors
/// When the database does not answer.
pub async fn carried(
    client: &impl GenericClient,
    account: &[&str],
    day: Date,
) -> Result<Vec<Carried>, StoreError> {
    load(client, sql::DOUBTS_CARRIED, &[&account, &day]).await
}

/// Which orders the bills of the days around `day` have listed.
///
/// # Errors
/// When the database does not answer.
pub async fn listed(
    client: &impl GenericClient,
    account: &[&str],
    day: Date,
    orders: &[&str],
) -> Result<Vec<Listed>, StoreError> {
    load(client, sql::RUNS_LISTED, &[&account, &day, &orders]).await
}

/// Which days' bills an account has received from a day on.
///
/// # Errors
/// When the database does not answer.
pub async fn received(
    client: &impl GenericClient,
    account: &[&str],
    from: Date,
) -> Result<Received, StoreError> {
    let statement = client.prepare_cached(sql::RUNS_RECEIVED).await?;
    let mut received = Received::default();
    for row in client.query(&statement, &[&account, &from]).await? {
        received.note(row.try_get("bill_date")?, row.try_get("received")?);
    }
    Ok(received)
}

/// Decides doubts, given as rows of `id`, `state`, `files_waited` and `difference_id`; what was
/// decided before stays so.
///
/// # Errors
/// When the database refuses.
pub async fn resolve(
    client: &impl GenericClient,
    run: &RunId,
    decided: &[Value],
) -> Result<(), StoreError> {
    change(client, sql::DOUBTS_RESOLVE, &[&run.as_str(), &Json(decided)]).await?;
    Ok(())
}

/// Ends the open doubts of the older runs of an account's day.
///
/// # Errors
/// When the database does not answer.
pub async fn supersede(
    client: &impl GenericClient,
    run: &RunId,
    account: &[&str],
    day: Date,
) -> Result<(), StoreError> {
    change(client, sql::DOUBTS_SUPERSEDE, &[&run.as_str(), &account, &day]).await?;
    Ok(())
}
