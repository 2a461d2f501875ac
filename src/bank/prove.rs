//! Proves that each line of the bank still says what it said when it was booked.

use deadpool_postgres::GenericClient;
use domain::personal::Personal;
use reconciliation::bank::BankRow;
use subtle::ConstantTimeEq as _;

use super::counter_context;
use crate::seal::{Purpose, Sealer};
use crate::store::StoreError;
use crate::store::bank::{self, ProvedLine};

/// How many lines are read at a time.
const PAGE: i64 = 1000;

/// The lines that say something else than what was booked, a sentence each.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn prove(
    client: &impl GenericClient,
    sealer: &Sealer,
) -> Result<Vec<String>, StoreError> {
    let (mut breaks, mut after) = (Vec::new(), String::new());
    loop {
        let page = bank::proof(client, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(breaks) };
        after.clone_from(&last.row.bank_serial);
        for line in page {
            let serial = line.row.bank_serial.clone();
            if !is_as_booked(sealer, line) {
                breaks.push(format!("bank line {serial} says something else than was booked"));
            }
        }
    }
}

fn is_as_booked(sealer: &Sealer, line: ProvedLine) -> bool {
    let ProvedLine { row, counter, digest } = line;
    let context = counter_context(&row.bank_serial);
    let Ok(clear) = sealer.open(Purpose::PersonalData, &counter, context.as_bytes()) else {
        return false;
    };
    let Ok((name, account)) = serde_json::from_slice::<(Personal, Personal)>(&clear) else {
        return false;
    };
    let row = BankRow { counter_name: name, counter_account: account, ..row };
    bool::from(sealer.mac(Purpose::BlindIndex, &row.content()).as_slice().ct_eq(&digest))
}
