//! What arrives at the bank: money that a provider held for a merchant.

use domain::Fen;
use domain::ids::{MerchantId, SettlementMatchId};
use domain::journal::{EntryKind, Share};
use jiff::Timestamp;

use super::{Effects, RecordError};

impl Effects {
    /// Posts what of an arrival is a merchant's, as of `at`; less than nothing where more of its
    /// money was given back than taken, and the provider kept that back.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn arrive(
        &mut self,
        merchant: &MerchantId,
        match_id: &SettlementMatchId,
        share: Fen,
        at: Timestamp,
    ) -> Result<(), RecordError> {
        let amount_fen = share.magnitude().ok_or(RecordError::TooLarge)?;
        let kind = if share < Fen::ZERO {
            EntryKind::SettlementNetted
        } else {
            EntryKind::ProviderSettled
        };
        self.post(merchant, kind, match_id.as_str(), at, &[Share { fee_id: None, amount_fen }]);
        Ok(())
    }

    /// Takes back what of an arrival was posted as a merchant's: people said that it was something
    /// else.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn take_arrival_back(
        &mut self,
        merchant: &MerchantId,
        match_id: &SettlementMatchId,
        share: Fen,
    ) -> Result<(), RecordError> {
        let amount_fen = share.magnitude().ok_or(RecordError::TooLarge)?;
        let kind = if share < Fen::ZERO {
            EntryKind::NettingTakenBack
        } else {
            EntryKind::ArrivalTakenBack
        };
        let at = self.now;
        self.post(merchant, kind, match_id.as_str(), at, &[Share { fee_id: None, amount_fen }]);
        Ok(())
    }
}
