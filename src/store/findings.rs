//! The differences of runs. One that several runs found is one difference, which the first opened.

use deadpool_postgres::GenericClient;
use domain::Fen;
use domain::bill::Direction;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
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

/// A difference that no run ended.
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
    /// Whether two people ended it.
    pub is_over: bool,
    /// Whether they did because it was said to be mended.
    pub is_mended: bool,
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

/// The differences of an account that no run ended, each with whether a run of `day` has it.
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

/// Lets the runs of an account end one after the other, until the transaction does.
///
/// # Errors
/// When the database does not answer.
pub async fn in_turn(client: &impl GenericClient, account: &str) -> Result<(), StoreError> {
    change(client, sql::RUNS_IN_TURN, &[&account]).await?;
    Ok(())
}

/// What a run says of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct SaidOf {
    /// The id that it has in all runs.
    pub id: String,
    /// What tells it from all others of its account.
    #[serde(default, skip_serializing)]
    pub fingerprint: String,
    /// What kind.
    pub kind: String,
    /// Payment or refund.
    pub direction: Direction,
    /// The hub's order number.
    pub out_trade_no: String,
    /// The hub's refund number.
    pub out_refund_no: Option<String>,
    /// The provider's payment number.
    pub provider_trade_no: Option<String>,
    /// The amount in the books.
    pub hub_amount_fen: Option<Fen>,
    /// The amount in the bill.
    pub bill_amount_fen: Option<Fen>,
    /// How it stands in the books.
    pub hub_state: Option<String>,
    /// How it stands in the bill.
    pub bill_state: Option<String>,
    /// Why it probably came to be.
    pub cause: String,
    /// What the run proposed.
    pub proposed_action: String,
}

/// What a run says of its differences, in their order.
///
/// # Errors
/// When the database does not answer.
pub async fn said_by(client: &impl GenericClient, run_id: &str) -> Result<Vec<SaidOf>, StoreError> {
    load(client, sql::DIFFERENCES_OF_RUN, &[&run_id]).await
}
