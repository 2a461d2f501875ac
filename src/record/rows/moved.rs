//! What each kind of entry moves in the balances of a fee and of a payment.

use domain::Fen;
use domain::journal::EntryKind;

use super::RecordError;

/// What moves in a balance.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moved {
    pub(super) paid: Fen,
    pub(super) refunding: Fen,
    pub(super) refunded: Fen,
    pub(super) surplus_refunding: Fen,
    pub(super) remitted: Fen,
    pub(super) treasury_refunding: Fen,
}

/// A sum that does not fit, on the way to a [`RecordError`].
#[derive(Clone, Copy, Debug)]
pub(in crate::record) struct RefundOverflow;

impl From<RefundOverflow> for RecordError {
    fn from(_overflow: RefundOverflow) -> Self {
        Self::TooLarge
    }
}

pub(super) fn add(sum: Fen, amount: Fen) -> Result<Fen, RefundOverflow> {
    sum.plus(amount).ok_or(RefundOverflow)
}

pub(super) fn move_by(
    moved: &mut Moved,
    kind: EntryKind,
    amount: Fen,
) -> Result<(), RefundOverflow> {
    match kind {
        EntryKind::RefundRequested => moved.refunding = add(moved.refunding, amount)?,
        EntryKind::TreasuryRefundRequested => {
            moved.refunding = add(moved.refunding, amount)?;
            moved.treasury_refunding = add(moved.treasury_refunding, amount)?;
        }
        EntryKind::RefundSucceeded | EntryKind::TreasuryRefundSucceeded => {
            moved.refunded = add(moved.refunded, amount)?;
        }
        EntryKind::TreasuryRefundReturned => {
            let returned = amount.negated().ok_or(RefundOverflow)?;
            moved.refunded = add(moved.refunded, returned)?;
        }
        EntryKind::RefundReleased => {
            let released = amount.negated().ok_or(RefundOverflow)?;
            moved.refunding = add(moved.refunding, released)?;
        }
        EntryKind::TreasuryRefundReleased => {
            let released = amount.negated().ok_or(RefundOverflow)?;
            moved.refunding = add(moved.refunding, released)?;
            moved.treasury_refunding = add(moved.treasury_refunding, released)?;
        }
        EntryKind::FeesRemitted => moved.remitted = add(moved.remitted, amount)?,
        EntryKind::RemittanceReversed => {
            let reversed = amount.negated().ok_or(RefundOverflow)?;
            moved.remitted = add(moved.remitted, reversed)?;
        }
        EntryKind::PaymentReceived | EntryKind::TransferReceived => {
            moved.paid = add(moved.paid, amount)?;
        }
        // What is written off is of no fee and no payment.
        EntryKind::ShortWrittenOff
        | EntryKind::ShortTakenBack
        | EntryKind::LongWrittenOff
        | EntryKind::LongTakenBack => {}
        // Where money lies changes nothing in what a fee or a payment says.
        EntryKind::ProviderSettled
        | EntryKind::SettlementNetted
        | EntryKind::ArrivalTakenBack
        | EntryKind::NettingTakenBack => {}
    }
    Ok(())
}
