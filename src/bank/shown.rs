//! Statements, lines and settlements as the API shows them.

use domain::personal::Personal;
use domain::time::rfc3339;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::counter_context;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::seal::Purpose;
use crate::settlement::{SettlementDay, provisional, told_until};
use crate::store::bank::{self, LineRecord, StatementRecord, WhichLines};
use crate::store::settlements;

/// A statement as its GET answers it.
#[must_use]
pub fn statement(record: &StatementRecord) -> Value {
    json!({
        "id": record.id, "sha256": record.sha256, "imported_at": rfc3339(record.imported_at),
        "rows": record.rows, "booked": record.booked, "known": record.known,
        "in_fen": record.in_fen, "out_fen": record.out_fen, "matched": record.matched,
        "proposed": record.proposed, "unmatched": record.unmatched,
    })
}

/// Lines as their list answers them.
///
/// # Errors
/// When the database does not answer, or what is sealed was changed.
pub async fn lines(hub: &Hub, which: WhichLines<'_>, limit: i64) -> Result<Vec<Value>, Fault> {
    let client = hub.store.client().await?;
    let unknown_since = told_until(&client, hub).await?;
    let found = bank::list(&client, &WhichLines { unknown_since, ..which }, limit).await?;
    found.iter().map(|record| line(hub, record)).collect()
}

/// A line; who stands on the other side is masked.
///
/// # Errors
/// When what is sealed was changed.
pub fn line(hub: &Hub, record: &LineRecord) -> Result<Value, Fault> {
    let mut shown = record.shown.clone();
    let serial = shown.get("bank_serial").and_then(Value::as_str).unwrap_or_default();
    let (name, account) = counter_of(hub, serial, &record.counter)?;
    shown.insert("counter_name".to_owned(), json!(name.masked_name()));
    shown.insert("counter_account".to_owned(), json!(account.masked_account()));
    Ok(Value::Object(shown))
}

/// Settlements of bill days as their list answers them.
///
/// # Errors
/// When the database does not answer.
pub async fn settlements(
    hub: &Hub,
    days: (Date, Date),
    page: (Option<&str>, i64),
) -> Result<Vec<SettlementDay>, Fault> {
    let client = hub.store.client().await?;
    let late_since = told_until(&client, hub).await?;
    let mut found = settlements::page(&client, days, late_since, page).await?;
    provisional(hub, &mut found);
    Ok(found)
}

/// A settlement as its list answers it.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn settlement(day: &SettlementDay) -> Result<Value, Fault> {
    serde_json::to_value(day).map_err(|error| Fault::internal(&error))
}

/// Name and account of who stands on the other side of a line.
///
/// # Errors
/// When what is sealed was changed.
pub(crate) fn counter_of(
    hub: &Hub,
    serial: &str,
    sealed: &[u8],
) -> Result<(Personal, Personal), Fault> {
    let context = counter_context(serial);
    let clear = hub.sealer.open(Purpose::PersonalData, sealed, context.as_bytes())?;
    serde_json::from_slice(&clear).map_err(|error| Fault::internal(&error))
}
