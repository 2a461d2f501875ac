//! The differences of runs. One that several runs found is one difference, which the first opened.

use deadpool_postgres::GenericClient;
use domain::bill::Direction;
use domain::ids::RunId;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use super::{StoreError, change, load, sql};

/// A difference as stored.
#[derive(Clone, Debug, Deserialize)]
pub struct DifferenceRecord {
    /// Its place in its run, from 1.
    pub position: i32,
    /// Everything else, as the contract shapes it.
    #[serde(flatten)]
    pub shown: serde_json::Map<String, Value>,
}

/// A difference that is open.
#[derive(Clone, Debug, Deserialize)]
pub struct OpenDifference {
    /// Its id.
    pub id: String,
    /// What tells it from all others of its account.
    pub fingerprint: String,
    /// Its kind.
    pub kind: String,
    /// Payment or refund.
    pub direction: Direction,
    /// The hub's order number.
    pub out_trade_no: String,
    /// The hub's refund number; empty on payments.
    pub out_refund_no: String,
    /// The provider's payment number; empty where there is none.
    pub provider_trade_no: String,
    /// Whether a run of the day that was asked about has it.
    pub of_day: bool,
}

/// The differences of a run after a position.
///
/// # Errors
/// When the database does not answer.
pub async fn of_run(
    client: &impl GenericClient,
    run_id: &str,
    after: i32,
    limit: i64,
) -> Result<Vec<DifferenceRecord>, StoreError> {
    load(client, sql::DIFFERENCES_LIST, &[&run_id, &after, &limit]).await
}

/// The open differences of an account, each with whether a run of `day` has it.
///
/// # Errors
/// When the database does not answer.
pub async fn open(
    client: &impl GenericClient,
    account: &[&str],
    day: Date,
) -> Result<Vec<OpenDifference>, StoreError> {
    load(client, sql::DIFFERENCES_OPEN, &[&account, &day]).await
}

/// Closes the differences that a run does not have any more.
///
/// # Errors
/// When the database does not answer.
pub async fn clear(
    client: &impl GenericClient,
    run: &RunId,
    ids: &[&str],
    now: Timestamp,
) -> Result<(), StoreError> {
    change(client, sql::DIFFERENCES_CLEAR, &[&run.as_str(), &ids, &now]).await?;
    Ok(())
}

/// Lets the runs of an account end one after the other, until the transaction does.
///
/// # Errors
/// When the database does not answer.
pub async fn in_turn(client: &impl GenericClient, account: &str) -> Result<(), StoreError> {
    change(client, sql::RUNS_IN_TURN, &[&account]).await?;
    Ok(())
}
