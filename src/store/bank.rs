//! Bank statements (银行流水) and their lines.

use deadpool_postgres::GenericClient;
use domain::ids::{ApplicationId, BankStatementId};
use domain::personal::Personal;
use jiff::Timestamp;
use jiff::civil::Date;
use reconciliation::bank::{BankRow, Way};
use reconciliation::settlement::{Credit, Proposed};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_postgres::types::{Json, ToSql};

use super::{StoreError, change, load, sql};

/// A statement to be written down.
#[derive(Debug)]
pub struct NewStatement<'a> {
    /// Its id.
    pub statement_id: &'a BankStatementId,
    /// Who handed it in; `None`: somebody at the command line.
    pub application: Option<&'a ApplicationId>,
    /// The file's hash.
    pub sha256: &'a [u8],
    /// How many rows it has.
    pub rows: i32,
    /// How many of them are on record already.
    pub known: i32,
    /// What of all of it came in, and what went out.
    pub sums: (i64, i64),
    /// When.
    pub now: Timestamp,
    /// What is new.
    pub lines: &'a [NewLine<'a>],
}

/// A line to be written down.
#[derive(Debug)]
pub struct NewLine<'a> {
    /// What it says.
    pub row: &'a BankRow,
    /// Who stands on the other side, sealed.
    pub counter: Vec<u8>,
    /// The digest of all that it says.
    pub digest: Vec<u8>,
}

/// A statement with how its lines stand.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StatementRecord {
    /// Its id.
    pub id: BankStatementId,
    /// The file's hash.
    pub sha256: String,
    /// When it was handed in.
    pub imported_at: Timestamp,
    /// How many rows it has.
    pub rows: i64,
    /// How many of them were booked with it.
    pub booked: i64,
    /// How many were on record before, or stand in it twice.
    pub known: i64,
    /// What came in, by all its rows.
    pub in_fen: i64,
    /// What went out, by all its rows.
    pub out_fen: i64,
    /// How many of the credits booked with it are matched.
    pub matched: i64,
    /// For how many something is proposed.
    pub proposed: i64,
    /// How many nothing explains.
    pub unmatched: i64,
}

/// A line with who stands on the other side, sealed.
#[derive(Clone, Debug)]
pub struct LineRecord {
    /// Everything but that.
    pub shown: Map<String, Value>,
    /// That.
    pub counter: Vec<u8>,
}

/// Which lines are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct WhichLines<'a> {
    /// `matched`, `proposed` or `unmatched`.
    pub status: Option<&'a str>,
    /// One line.
    pub serial: Option<&'a str>,
    /// `in` or `out`.
    pub direction: Option<&'a str>,
    /// Those behind this one.
    pub cursor: Option<&'a str>,
    /// Since when a credit that nothing explains is unknown.
    pub unknown_since: Option<Date>,
}

/// Lets whatever matches money at the bank happen one after the other, until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn in_turn(client: &impl GenericClient) -> Result<(), StoreError> {
    change(client, sql::BANK_IN_TURN, &[]).await?;
    Ok(())
}

/// Writes a statement down with its new lines.
///
/// # Errors
/// `a_bank_serial_is_booked_once` when a line is on record.
pub async fn insert(client: &impl GenericClient, new: &NewStatement<'_>) -> Result<(), StoreError> {
    let rows = || new.lines.iter().map(|line| line.row);
    let serials: Vec<&str> = rows().map(|row| row.bank_serial.as_str()).collect();
    let places: Vec<i32> = rows().map(|row| i32::try_from(row.row).unwrap_or(i32::MAX)).collect();
    let days: Vec<Date> = rows().map(|row| row.value_date).collect();
    let ways: Vec<&str> = rows().map(|row| row.way.as_str()).collect();
    let amounts: Vec<i64> = rows().map(|row| row.amount.get()).collect();
    let references: Vec<&str> = rows().map(|row| row.reference.as_str()).collect();
    let counters: Vec<&[u8]> = new.lines.iter().map(|line| line.counter.as_slice()).collect();
    let digests: Vec<&[u8]> = new.lines.iter().map(|line| line.digest.as_slice()).collect();
    let application = new.application.map(ApplicationId::as_str);
    let parameters: [&(dyn ToSql + Sync); 16] = [
        &new.statement_id.as_str(),
        &application,
        &new.sha256,
        &new.rows,
        &new.known,
        &new.sums.0,
        &new.sums.1,
        &new.now,
        &serials,
        &places,
        &days,
        &ways,
        &amounts,
        &references,
        &counters,
        &digests,
    ];
    change(client, sql::BANK_STATEMENTS_INSERT, &parameters).await?;
    Ok(())
}

/// A statement.
///
/// # Errors
/// When the database does not answer.
pub async fn statement(
    client: &impl GenericClient,
    id: &str,
) -> Result<Option<StatementRecord>, StoreError> {
    Ok(load(client, sql::BANK_STATEMENTS_LOAD, &[&id]).await?.pop())
}

/// Which serials are on record, each with the digest of its row.
///
/// # Errors
/// When the database does not answer.
pub async fn known(
    client: &impl GenericClient,
    serials: &[&str],
) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let statement = client.prepare_cached(sql::BANK_LINES_KNOWN).await?;
    let rows = client.query(&statement, &[&serials]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The credits since a day that are not matched.
///
/// # Errors
/// When the database does not answer.
pub async fn open(client: &impl GenericClient, since: Date) -> Result<Vec<Credit>, StoreError> {
    let statement = client.prepare_cached(sql::BANK_LINES_OPEN).await?;
    let rows = client.query(&statement, &[&since]).await?;
    rows.iter()
        .map(|row| {
            Ok(Credit {
                serial: row.try_get("bank_serial")?,
                value_date: row.try_get("value_date")?,
                amount: domain::Fen::new(row.try_get("amount_fen")?),
                reference: row.try_get("reference")?,
                is_taken_back: row.try_get("is_taken_back")?,
            })
        })
        .collect()
}

/// A line as it is proved: what it says now, and the digest of what it said.
#[derive(Debug)]
pub struct ProvedLine {
    /// What it says; who stands on the other side is not opened yet.
    pub row: BankRow,
    /// Who stands on the other side, sealed.
    pub counter: Vec<u8>,
    /// The digest of all that it said when it was booked.
    pub digest: Vec<u8>,
}

/// Lines behind a serial, by serial.
///
/// # Errors
/// When the database does not answer.
pub async fn proof(
    client: &impl GenericClient,
    after: &str,
    limit: i64,
) -> Result<Vec<ProvedLine>, StoreError> {
    let statement = client.prepare_cached(sql::BANK_LINES_PROOF).await?;
    let rows = client.query(&statement, &[&after, &limit]).await?;
    rows.iter()
        .map(|row| {
            let is_in = row.try_get::<_, &str>("direction")? == Way::In.as_str();
            let read = BankRow {
                row: 0,
                bank_serial: row.try_get("bank_serial")?,
                value_date: row.try_get("value_date")?,
                way: if is_in { Way::In } else { Way::Out },
                amount: domain::Fen::new(row.try_get("amount_fen")?),
                reference: row.try_get("reference")?,
                counter_name: Personal::new(String::new()),
                counter_account: Personal::new(String::new()),
            };
            let (counter, digest) = (row.try_get("counter")?, row.try_get("digest")?);
            Ok(ProvedLine { row: read, counter, digest })
        })
        .collect()
}

/// The last day of which the bank has told anything.
///
/// # Errors
/// When the database does not answer.
pub async fn reach(client: &impl GenericClient) -> Result<Option<Date>, StoreError> {
    let statement = client.prepare_cached(sql::BANK_LINES_REACH).await?;
    Ok(client.query_one(&statement, &[]).await?.try_get(0)?)
}

/// Lines, newest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    client: &impl GenericClient,
    which: &WhichLines<'_>,
    limit: i64,
) -> Result<Vec<LineRecord>, StoreError> {
    let WhichLines { status, serial, direction, cursor, unknown_since } = which;
    let statement = client.prepare_cached(sql::BANK_LINES_LIST).await?;
    let parameters: [&(dyn ToSql + Sync); 6] =
        [status, serial, direction, cursor, unknown_since, &limit];
    let rows = client.query(&statement, &parameters).await?;
    rows.iter()
        .map(|row| {
            let shown = row.try_get::<_, Json<Map<String, Value>>>("line")?.0;
            Ok(LineRecord { shown, counter: row.try_get("counter")? })
        })
        .collect()
}

/// Writes what is proposed for credits, by serial.
///
/// # Errors
/// When the database does not answer.
pub async fn propose(
    client: &impl GenericClient,
    proposed: &[(String, Proposed)],
) -> Result<(), StoreError> {
    let rows: Vec<Value> = proposed
        .iter()
        .map(|(serial, it)| {
            serde_json::json!({
                "bank_serial": serial, "candidates": it.candidates, "is_whole": it.is_whole,
            })
        })
        .collect();
    change(client, sql::BANK_PROPOSALS_WRITE, &[&Json(rows)]).await?;
    Ok(())
}
