//! A fee (应收登记费): what an applicant owes for a case, frozen when it is issued.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::money::Fen;

/// A fee's status (收费状态). It is never set: it follows from [`FeeFacts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeStatus {
    /// Owed, nothing paid.
    Issued,
    /// Owed, something paid.
    PartiallyPaid,
    /// Paid in full.
    Paid,
    /// Money is on its way back.
    Refunding,
    /// Some of it went back.
    PartiallyRefunded,
    /// All of it went back.
    Refunded,
    /// Withdrawn before anything was paid.
    Void,
    /// Nothing is owed under the schedule.
    Zero,
}

/// The facts that a fee's status follows from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeFacts {
    /// What is owed.
    pub total: Fen,
    /// What was paid towards it, ever.
    pub paid: Fen,
    /// What refunds hold or have given back of it: all that did not fail.
    pub refunding: Fen,
    /// What refunds have given back of it.
    pub refunded: Fen,
    /// Whether it was withdrawn.
    pub void: bool,
}

impl FeeFacts {
    /// The status that these facts mean.
    #[must_use]
    pub fn status(self) -> FeeStatus {
        if self.void {
            FeeStatus::Void
        } else if self.total == Fen::ZERO {
            FeeStatus::Zero
        } else if self.refunding > self.refunded {
            FeeStatus::Refunding
        } else if self.refunded > Fen::ZERO && self.refunded >= self.paid {
            FeeStatus::Refunded
        } else if self.refunded > Fen::ZERO {
            FeeStatus::PartiallyRefunded
        } else if self.paid >= self.total {
            FeeStatus::Paid
        } else if self.paid > Fen::ZERO {
            FeeStatus::PartiallyPaid
        } else {
            FeeStatus::Issued
        }
    }

    /// What is still owed: nothing when void. Money that went back is not owed again; a fee that
    /// must be collected anew is a new fee.
    #[must_use]
    pub fn outstanding(self) -> Fen {
        if self.void {
            return Fen::ZERO;
        }
        self.total.minus(self.paid).unwrap_or(Fen::ZERO).max(Fen::ZERO)
    }
}

impl FeeStatus {
    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::PartiallyPaid => "partially_paid",
            Self::Paid => "paid",
            Self::Refunding => "refunding",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Void => "void",
            Self::Zero => "zero",
        }
    }
}

impl fmt::Display for FeeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(total: i64, paid: i64, refunding: i64, refunded: i64, expected: FeeStatus) {
        let facts = FeeFacts {
            total: Fen::new(total),
            paid: Fen::new(paid),
            refunding: Fen::new(refunding),
            refunded: Fen::new(refunded),
            void: false,
        };
        assert_eq!(facts.status(), expected);
    }

    #[test]
    fn status_follows_from_facts() {
        check(8000, 0, 0, 0, FeeStatus::Issued);
        check(8000, 3000, 0, 0, FeeStatus::PartiallyPaid);
        check(8000, 8000, 0, 0, FeeStatus::Paid);
        check(8000, 8000, 1000, 0, FeeStatus::Refunding);
        check(8000, 8000, 1000, 1000, FeeStatus::PartiallyRefunded);
        check(8000, 8000, 8000, 8000, FeeStatus::Refunded);
        check(0, 0, 0, 0, FeeStatus::Zero);
    }
}
