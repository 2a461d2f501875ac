//! What facts about orders may move, locked before they are judged.

use std::collections::BTreeSet;

use super::super::fees::FeeRecord;
use super::super::journal::{self, LockedHead};
use super::super::unit::{Sent, Statements};
use super::super::{StoreError, documents, sql};
use super::OrderRecord;

/// What facts about orders may move, locked for the rest of the transaction.
#[derive(Debug, Default)]
pub(crate) struct LockedBooks {
    /// The orders.
    pub(crate) orders: Vec<OrderRecord>,
    /// Their fees.
    pub(crate) fees: Vec<FeeRecord>,
    /// The journals of their merchants.
    pub(crate) heads: Vec<LockedHead>,
}

/// Locks orders by merchant and number, then the balances of all their fees, then the journals of
/// their merchants, and reads them. All merchants at once: one after the other, two batches could
/// wait for each other.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn lock_by_number(
    unit: &mut impl Statements,
    merchants: &[&str],
    numbers: &[&str],
) -> Result<LockedBooks, StoreError> {
    let lock = Sent::of(sql::ORDERS_LOCK_BY_NUMBER, vec![&merchants, &numbers]);
    let locked = unit.send(vec![lock]).await?.next().unwrap_or_default();
    let (mut ids, mut fees, mut merchants) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for row in &locked {
        ids.push(row.try_get::<_, String>("order_id")?);
        merchants.insert(row.try_get::<_, String>("merchant_id")?);
        // An order's allocations are written with it and never change.
        fees.extend(row.try_get::<_, Vec<String>>("fees")?);
    }
    if ids.is_empty() {
        return Ok(LockedBooks::default());
    }
    let fees: Vec<String> = fees.into_iter().collect();
    let merchants: Vec<String> = merchants.into_iter().collect();
    // Read after locking, in statements of their own: one that waited for a lock would see the rows
    // beside it as they were before it waited.
    let answers = unit.send(vec![
        Sent::of(sql::FEE_BALANCES_LOCK, vec![&ids]),
        Sent::of(sql::JOURNAL_HEADS_HOLD, vec![&merchants]),
        Sent::of(sql::ORDERS_LOAD, vec![&ids]),
        Sent::of(sql::FEES_LOAD, vec![&fees]),
    ]);
    let mut answers = answers.await?.skip(1);
    let mut next = || answers.next().unwrap_or_default();
    let (heads, orders, fees) = (next(), next(), next());
    Ok(LockedBooks {
        orders: documents(&orders)?,
        fees: documents(&fees)?,
        heads: journal::locked(&heads)?,
    })
}
