//! Bank statements (银行流水): taken in whole or not at all, a serial once for ever, and matched with what
//! providers are expected to settle. Who stands on the other side is sealed, and shown masked.

mod confirm;
mod prove;
mod shown;
mod unmatch;

use std::collections::BTreeSet;

use domain::ids::{ApplicationId, BankStatementId};
use domain::time::business_day;
use reconciliation::bank::{BankRow, RowFault, Statement, Way, read};
use reconciliation::settlement::Credit;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::answering::Answering;
use crate::audit::{self, Act};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::{Effects, commit_acts};
use crate::seal::Purpose;
use crate::settlement::{Coming, foresee, match_open};
use crate::store::bank::{self, NewLine, NewStatement, StatementRecord};
use crate::store::{StoreError, Transaction};

pub use confirm::{Confirmed, Confirming, confirm};
pub(crate) use prove::prove;
pub(crate) use shown::counter_of;
pub use shown::{line, lines, settlement, settlements, statement};
pub use unmatch::{Unmatched, Unmatching, unmatch};

/// Takes a statement in, and matches what came in with what was expected.
///
/// # Errors
/// 422 `bank_statement_invalid` with every bad row; nothing is booked then.
pub async fn import(
    hub: &Hub,
    application: Option<&ApplicationId>,
    file: &[u8],
    answering: Option<&Answering<'_, StatementRecord>>,
) -> Result<StatementRecord, Fault> {
    let now = hub.clock.now();
    let found = read(file, business_day(now)).map_err(|faults| invalid(&faults))?;
    let foreseen = foresee(hub, coming(hub, &found).await?).await?;
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    bank::in_turn(&tx).await?;
    let lines = new_lines(hub, &tx, &found).await?;
    let id = BankStatementId::new(Uuid::now_v7());
    let rows = found.rows.len();
    let known = rows.saturating_sub(lines.len());
    let digest = Sha256::digest(file);
    let new = NewStatement {
        statement_id: &id,
        application,
        sha256: &digest,
        rows: i32::try_from(rows).unwrap_or(i32::MAX),
        known: i32::try_from(known).unwrap_or(i32::MAX),
        sums: (sum(&found.rows, Way::In)?, sum(&found.rows, Way::Out)?),
        now,
        lines: &lines,
    };
    bank::insert(&tx, &new).await?;
    let mut effects = Effects::new(now);
    match_open(&tx, hub, &mut effects, foreseen, now).await?;
    let stored = bank::statement(&tx, id.as_str()).await?;
    let stored = stored.ok_or_else(|| Fault::not_found("bank statement"))?;
    if let Some(answering) = answering {
        answering.settle(&tx, &stored).await?;
    }
    let by = application.map_or_else(
        || audit::OPERATOR.to_owned(),
        |application| format!("application {application}"),
    );
    let data = json!({
        "rows": new.rows, "known": new.known,
        "sha256": digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
    });
    let act = Act::of(&by, "bank_statement.taken_in", id.as_str(), data);
    commit_acts(hub, tx, effects, &[act]).await?;
    Ok(stored)
}

/// What a statement will bring that is not on record yet.
async fn coming(hub: &Hub, found: &Statement) -> Result<Coming<'static>, Fault> {
    let client = hub.store.client().await?;
    let serials: Vec<&str> = found.rows.iter().map(|row| row.bank_serial.as_str()).collect();
    let known: BTreeSet<String> =
        bank::known(&client, &serials).await?.into_iter().map(|(serial, _)| serial).collect();
    let rows = || found.rows.iter().filter(|row| !known.contains(&row.bank_serial));
    let credits = rows().filter(|row| row.way == Way::In).map(|row| Credit {
        serial: row.bank_serial.clone(),
        value_date: row.value_date,
        amount: row.amount,
        reference: row.reference.clone(),
        is_taken_back: false,
    });
    let reach = rows().map(|row| row.value_date).max();
    Ok(Coming { reach, credits: credits.collect(), matched: None })
}

/// The rows that are not on record yet.
async fn new_lines<'a>(
    hub: &Hub,
    tx: &Transaction<'_>,
    found: &'a Statement,
) -> Result<Vec<NewLine<'a>>, Fault> {
    let serials: Vec<&str> = found.rows.iter().map(|row| row.bank_serial.as_str()).collect();
    let known: std::collections::BTreeMap<String, Vec<u8>> =
        bank::known(tx, &serials).await?.into_iter().collect();
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    for row in &found.rows {
        // Keyed: it is of names and accounts too, which nobody shall try out against it.
        let digest = hub.sealer.mac(Purpose::BlindIndex, &row.content()).to_vec();
        match known.get(&row.bank_serial) {
            None => lines.push(NewLine { row, counter: sealed(hub, row)?, digest }),
            Some(before) if *before == digest => {}
            Some(_) => {
                let detail = "is on record with other content: a bank gives a number once";
                faults.push(RowFault::new(row.row, "bank_serial", detail));
            }
        }
    }
    if faults.is_empty() { Ok(lines) } else { Err(invalid(&faults)) }
}

fn sealed(hub: &Hub, row: &BankRow) -> Result<Vec<u8>, Fault> {
    let clear = json!([row.counter_name.clear(), row.counter_account.clear()]).to_string();
    let context = counter_context(&row.bank_serial);
    Ok(hub.sealer.seal(Purpose::PersonalData, clear.as_bytes(), context.as_bytes())?)
}

/// The place for which the other side of a line is sealed.
fn counter_context(serial: &str) -> String {
    format!("bank_lines.counter:{serial}")
}

fn sum(rows: &[BankRow], way: Way) -> Result<i64, Fault> {
    let of_way = rows.iter().filter(|row| row.way == way).map(|row| row.amount);
    let sum = domain::Fen::sum(of_way).map(domain::Fen::get);
    sum.ok_or_else(|| Fault::internal(&"a bank statement's sum does not fit"))
}

fn invalid(faults: &[RowFault]) -> Fault {
    let rows: BTreeSet<u64> = faults.iter().map(|fault| fault.row).collect();
    let first = faults.first();
    let first = first.map(|it| format!("row {}, {}: {}", it.row, it.column, it.detail));
    let detail = format!(
        "{} rows are wrong and nothing was booked; {}",
        rows.len(),
        first.unwrap_or_default()
    );
    let errors =
        faults.iter().map(|it| json!({"row": it.row, "column": it.column, "detail": it.detail}));
    Fault::invalid("bank_statement_invalid", detail).with("errors", errors.collect::<Value>())
}
