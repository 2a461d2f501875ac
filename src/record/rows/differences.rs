//! What two people wrote off of a difference with a provider (核销).

use domain::Fen;
use domain::ids::MerchantId;
use domain::journal::{EntryKind, Share};

use super::Effects;

/// On which side money is written off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The provider has more than the books (长款).
    Long,
    /// It has less (短款).
    Short,
}

impl Side {
    /// Its word on record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Long => "long",
            Self::Short => "short",
        }
    }
}

impl Effects {
    /// Posts that money is written off; `step` is the step of the difference that says so.
    pub fn write_off(&mut self, merchant: &MerchantId, step: &str, side: Side, amount: Fen) {
        let kind = match side {
            Side::Long => EntryKind::LongWrittenOff,
            Side::Short => EntryKind::ShortWrittenOff,
        };
        self.post_of_no_fee(merchant, kind, step, amount);
    }

    /// Takes back what `step` wrote off.
    pub fn take_back(&mut self, merchant: &MerchantId, step: &str, side: Side, amount: Fen) {
        let kind = match side {
            Side::Long => EntryKind::LongTakenBack,
            Side::Short => EntryKind::ShortTakenBack,
        };
        self.post_of_no_fee(merchant, kind, step, amount);
    }

    fn post_of_no_fee(&mut self, merchant: &MerchantId, kind: EntryKind, step: &str, amount: Fen) {
        let at = self.now;
        self.post(merchant, kind, step, at, &[Share { fee_id: None, amount_fen: amount }]);
    }
}
