//! Reconciliation runs, the bills they read and what they found.

use deadpool_postgres::{GenericClient, Object, Transaction};
use domain::ids::{MerchantId, OrderId, RunId};
use jiff::Timestamp;
use jiff::civil::Date;
use reconciliation::LedgerRow;
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::IsolationLevel;
use tokio_postgres::types::Json;

use super::{StoreError, change, load, sql, typed};

/// A run as stored.
#[derive(Clone, Debug, Deserialize)]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// Whose day.
    pub merchant_id: MerchantId,
    /// Which day.
    pub date: Date,
    /// The how-many-eth run of that day.
    pub version: i32,
    /// `waiting_for_bill`, `running`, `balanced`, `unbalanced` or `failed`.
    pub status: String,
    /// `none`, `prepared`, `reviewed` or `reopened`.
    pub sign_off: String,
    /// How often its bill was asked for.
    pub tries: i32,
    /// How often the file that came was damaged.
    pub damaged: i32,
    /// Why it has not ended.
    pub failure: Option<String>,
    /// Under which lease it was worked on last.
    pub lease: i64,
    /// Whether its bill is fetched, though an older run has stored one.
    pub refetch: bool,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Counts and sums of both sides.
    pub summary: Option<Value>,
    /// The bill's hash.
    pub bill_sha256: Option<String>,
    /// When the bill was fetched.
    pub fetched_at: Option<Timestamp>,
}

/// What ends a run.
#[derive(Debug)]
pub struct Finished<'a> {
    /// The run.
    pub run_id: &'a RunId,
    /// The lease under which it was worked on.
    pub lease: i64,
    /// For which of its account's merchants it was made.
    pub merchant_id: &'a MerchantId,
    /// Its last status.
    pub status: &'a str,
    /// The bill; `None` on an empty day.
    pub bill_file_id: Option<i64>,
    /// Counts and sums of both sides.
    pub summary: &'a Value,
    /// The ledger that was held against the bill.
    pub ledger: &'a [LedgerRow],
    /// What the report is made of.
    pub report: &'a Value,
    /// The journal's head at that moment.
    pub journal: Option<(i64, Vec<u8>)>,
    /// When.
    pub now: Timestamp,
}

/// Begins a new version of a day's run, due at once: for one merchant, numbered after those of all
/// merchants of its account. False while one of theirs is not ended, and once one is signed.
///
/// # Errors
/// `a_run_has_its_own_version`, `one_unfinished_run_a_day` or `a_signed_day_stays_as_it_is` when
/// somebody else was faster.
pub async fn create(
    client: &impl GenericClient,
    run_id: &RunId,
    (merchant, account): (&MerchantId, &[&str]),
    (day, refetch): (Date, bool),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&run_id.as_str(), &merchant.as_str(), &day, &now, &account, &refetch];
    change(client, sql::RUNS_CREATE, &parameters).await
}

/// Makes a run that waits due at once; false when it has ended.
///
/// # Errors
/// When the database does not answer.
pub async fn hurry(
    client: &impl GenericClient,
    run_id: &RunId,
    refetch: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    change(client, sql::RUNS_HURRY, &[&run_id.as_str(), &now, &refetch]).await
}

/// The newest run of an account's day, for whichever of its merchants it was made; `None`: there
/// is none.
///
/// # Errors
/// When the database does not answer.
pub async fn newest(
    client: &impl GenericClient,
    account: &[&str],
    day: Date,
) -> Result<Option<RunId>, StoreError> {
    let statement = client.prepare_cached(sql::RUNS_NEWEST).await?;
    let row = client.query_opt(&statement, &[&account, &day]).await?;
    row.map(|row| typed("runs.run_id", row.try_get(0)?)).transpose()
}

/// Begins the first run of a day; false when the day has one.
///
/// # Errors
/// When the database does not answer.
pub async fn schedule(
    client: &impl GenericClient,
    run_id: &RunId,
    merchant: &MerchantId,
    day: Date,
    now: Timestamp,
) -> Result<bool, StoreError> {
    change(client, sql::RUNS_SCHEDULE, &[&run_id.as_str(), &merchant.as_str(), &day, &now]).await
}

/// The days without a run from an account's first run until `newest`, oldest first; none before
/// `furthest`. An account without any run begins with the day `first`.
///
/// # Errors
/// When the database does not answer.
pub async fn missing_days(
    client: &impl GenericClient,
    account: &[&str],
    (furthest, newest): (Date, Date),
    first: Date,
) -> Result<Vec<Date>, StoreError> {
    let statement = client.prepare_cached(sql::RUNS_MISSING_DAYS).await?;
    let rows = client.query(&statement, &[&account, &furthest, &newest, &first]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// A run that somebody works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leased {
    /// The run.
    pub run_id: RunId,
    /// The lease: who lost it writes nothing.
    pub lease: i64,
}

/// Leases runs that are due, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    client: &impl GenericClient,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Leased>, StoreError> {
    let statement = client.prepare_cached(sql::RUNS_CLAIM).await?;
    let rows = client.query(&statement, &[&now, &limit]).await?;
    rows.iter()
        .map(|row| {
            let run_id = typed("runs.run_id", row.try_get("run_id")?)?;
            Ok(Leased { run_id, lease: row.try_get("lease")? })
        })
        .collect()
}

/// Leases one run; `None` when another hub works on it or it has ended.
///
/// # Errors
/// When the database does not answer.
pub async fn lease(
    client: &impl GenericClient,
    run_id: &RunId,
) -> Result<Option<Leased>, StoreError> {
    let statement = client.prepare_cached(sql::RUNS_LEASE).await?;
    let row = client.query_opt(&statement, &[&run_id.as_str()]).await?;
    row.map(|row| Ok(Leased { run_id: run_id.clone(), lease: row.try_get("lease")? })).transpose()
}

/// Keeps a run leased; false when it has ended or another hub took it over.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(client: &impl GenericClient, held: &Leased) -> Result<bool, StoreError> {
    change(client, sql::RUNS_RENEW, &[&held.run_id.as_str(), &held.lease]).await
}

/// Why a run has not ended.
#[derive(Clone, Copy, Debug)]
pub struct Pause<'a> {
    /// `waiting_for_bill` or `failed`.
    pub status: &'a str,
    /// When it is tried again; `None`: it is not.
    pub next_at: Option<Timestamp>,
    /// Why, for a person.
    pub failure: &'a str,
    /// Whether a file came and was damaged.
    pub damaged: bool,
}

/// Says why a run has not ended and when it is tried again; nothing where another hub took it over.
///
/// # Errors
/// When the database does not answer.
pub async fn wait(
    client: &impl GenericClient,
    run: &RunRecord,
    pause: &Pause<'_>,
) -> Result<(), StoreError> {
    let Pause { status, next_at, failure, damaged } = pause;
    let id = run.id.as_str();
    change(client, sql::RUNS_WAIT, &[&id, status, next_at, failure, damaged, &run.lease]).await?;
    Ok(())
}

/// Ends a run; false when it had ended or another hub took it over.
///
/// # Errors
/// When the database refuses.
pub async fn finish(client: &impl GenericClient, done: &Finished<'_>) -> Result<bool, StoreError> {
    let (seq, mac) = done.journal.clone().unzip();
    change(
        client,
        sql::RUNS_FINISH,
        &[
            &done.run_id.as_str(),
            &done.status,
            &done.bill_file_id,
            &Json(done.summary),
            &Json(done.ledger),
            &Json(done.report),
            &seq,
            &mac,
            &done.now,
            &done.lease,
        ],
    )
    .await
}

/// Writes what a run that ended found: its differences and doubts, as rows.
///
/// # Errors
/// When the database refuses.
pub async fn keep_findings(
    client: &impl GenericClient,
    done: &Finished<'_>,
    differences: &[Value],
    doubts: &[Value],
) -> Result<(), StoreError> {
    let merchant = done.merchant_id.as_str();
    let (differences, doubts) = (Json(differences), Json(doubts));
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
        [&done.run_id.as_str(), &differences, &doubts, &done.now, &merchant];
    change(client, sql::FINDINGS_INSERT, &parameters).await?;
    Ok(())
}

/// Runs by id, in the order of their ids.
///
/// # Errors
/// When the database does not answer.
pub async fn by_ids(
    client: &impl GenericClient,
    ids: &[&str],
) -> Result<Vec<RunRecord>, StoreError> {
    load(client, sql::RUNS_LOAD, &[&ids]).await
}

/// The ids of runs, newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    client: &impl GenericClient,
    merchant: Option<&str>,
    day: Option<Date>,
    offset: i64,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let statement = client.prepare_cached(sql::RUNS_LIST).await?;
    let rows = client.query(&statement, &[&merchant, &day, &offset, &limit]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// What the report of a run is made of, with the digest that people sign.
///
/// # Errors
/// When the database does not answer.
pub async fn report(
    client: &impl GenericClient,
    run_id: &str,
) -> Result<Option<(Value, String)>, StoreError> {
    let statement = client.prepare_cached(sql::RUNS_REPORT).await?;
    let Some(row) = client.query_opt(&statement, &[&run_id]).await? else { return Ok(None) };
    let Json(report) = row.try_get("report")?;
    Ok(Some((report, row.try_get("sha256")?)))
}

/// The numbers that a bill names.
#[derive(Debug, Default)]
pub struct Numbers {
    /// The hub's order numbers.
    pub orders: Vec<String>,
    /// The provider's payment numbers.
    pub payments: Vec<String>,
    /// The hub's refund numbers.
    pub refunds: Vec<String>,
}

/// The books as they are when they are first read, whatever is written meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn snapshot(client: &mut Object) -> Result<Transaction<'_>, StoreError> {
    let snapshot = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
    Ok(snapshot.read_only(true).start().await?)
}

/// The ledger of an account's merchants between two instants and for the numbers that a bill names.
///
/// # Errors
/// When the database does not answer.
pub async fn ledger(
    client: &impl GenericClient,
    merchants: &[&str],
    from: Timestamp,
    until: Timestamp,
    numbers: &Numbers,
) -> Result<Vec<LedgerRow>, StoreError> {
    load(
        client,
        sql::LEDGER_READ,
        &[&merchants, &from, &until, &numbers.orders, &numbers.payments, &numbers.refunds],
    )
    .await
}

/// Orders that a bill says are paid and that are not paid here.
///
/// # Errors
/// When the database does not answer.
pub async fn unpaid_of(
    client: &impl GenericClient,
    merchants: &[&str],
    numbers: &[String],
) -> Result<Vec<OrderId>, StoreError> {
    let statement = client.prepare_cached(sql::ORDERS_UNPAID_OF).await?;
    let rows = client.query(&statement, &[&merchants, &numbers]).await?;
    rows.iter().map(|row| typed("orders.order_id", row.try_get(0)?)).collect()
}

/// Which of an account's merchants has an order with that number.
///
/// # Errors
/// When the database does not answer.
pub async fn owner_of(
    client: &impl GenericClient,
    merchants: &[&str],
    number: &str,
) -> Result<Option<MerchantId>, StoreError> {
    let statement = client.prepare_cached(sql::ORDERS_OWNER).await?;
    let row = client.query_opt(&statement, &[&merchants, &number]).await?;
    row.map(|row| typed("orders.merchant_id", row.try_get(0)?)).transpose()
}
