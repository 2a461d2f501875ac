//! Which debits at the bank are which remittances to the treasury.

use jiff::Timestamp;
use jiff::civil::Date;
use reconciliation::debit::pair;

use crate::hub::Hub;
use crate::store::{StoreError, Transaction, fiscal};

/// Writes which debits since a day are remittances, where that is clear. The caller holds the bank's turn.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn match_debits(
    tx: &Transaction<'_>,
    hub: &Hub,
    since: Date,
    now: Timestamp,
) -> Result<(), StoreError> {
    let debits = fiscal::debits(tx, since).await?;
    if debits.is_empty() {
        return Ok(());
    }
    let wanted = fiscal::wanted(tx, since).await?;
    for (serial, remittance) in pair(&wanted, &debits, &hub.bank) {
        fiscal::left(tx, &remittance, &serial, now).await?;
    }
    Ok(())
}
