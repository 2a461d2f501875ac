//! What concerns the treasury (国库): fees that were paid over to it, and refunds that it pays.

use domain::Fen;
use domain::ids::{MerchantId, PaymentId, RefundId, RemittanceId};
use domain::journal::{EntryKind, Share};
use jiff::Timestamp;

use super::{Effects, RecordError, move_by};

/// A step of a refund through the treasury, as the books see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreasuryMove {
    /// Its money is promised.
    Requested,
    /// The treasury paid the payer.
    Succeeded,
    /// The payment came back to the treasury.
    Returned,
    /// The promise is taken back.
    Released,
}

impl TreasuryMove {
    const fn kind(self) -> EntryKind {
        match self {
            Self::Requested => EntryKind::TreasuryRefundRequested,
            Self::Succeeded => EntryKind::TreasuryRefundSucceeded,
            Self::Returned => EntryKind::TreasuryRefundReturned,
            Self::Released => EntryKind::TreasuryRefundReleased,
        }
    }
}

impl Effects {
    /// Posts a step of a refund that goes through the treasury, as of `at`.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn treasury(
        &mut self,
        step: TreasuryMove,
        merchant: &MerchantId,
        (refund_id, payment_id, amount): (&RefundId, &PaymentId, Fen),
        shares: &[Share],
        at: Timestamp,
    ) -> Result<(), RecordError> {
        self.move_refund(step.kind(), payment_id, amount, shares)?;
        self.post(merchant, step.kind(), refund_id.as_str(), at, shares);
        Ok(())
    }

    /// Posts what one merchant's payments brought for fees and was paid over to the treasury, as of
    /// `at`.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn remit(
        &mut self,
        merchant: &MerchantId,
        remittance_id: &RemittanceId,
        shares: &[Share],
        at: Timestamp,
    ) -> Result<(), RecordError> {
        self.remitted(EntryKind::FeesRemitted, merchant, remittance_id, shares, at)
    }

    /// Takes back what was posted of a remittance in one merchant's journal.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn reverse_remittance(
        &mut self,
        merchant: &MerchantId,
        remittance_id: &RemittanceId,
        shares: &[Share],
    ) -> Result<(), RecordError> {
        let now = self.now;
        self.remitted(EntryKind::RemittanceReversed, merchant, remittance_id, shares, now)
    }

    fn remitted(
        &mut self,
        kind: EntryKind,
        merchant: &MerchantId,
        remittance_id: &RemittanceId,
        shares: &[Share],
        at: Timestamp,
    ) -> Result<(), RecordError> {
        for share in shares {
            let Some(fee_id) = &share.fee_id else { continue };
            let moved = self.fees.entry(fee_id.clone()).or_default();
            move_by(moved, kind, share.amount_fen)?;
        }
        self.post(merchant, kind, remittance_id.as_str(), at, shares);
        Ok(())
    }
}
