//! The journal (日记账): double entry, so that every fen has a place that it came from.
//!
//! A line holds a debit account, a credit account and one amount, so an entry cannot be out of
//! balance. Entries are chained per merchant by HMAC; the hub computes the links.

use serde::{Deserialize, Serialize};

use crate::ids::FeeId;
use crate::money::Fen;

/// An account (科目) of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Money that a provider holds for the office until it settles (应收渠道清算款).
    ProviderClearing,
    /// Registration fees collected, due to the treasury (应缴财政款).
    FeesCollected,
    /// Money that settles no fee and must go back (多收待退款).
    SurplusPayable,
    /// Refunds asked of a provider that have not reached the payer (退款在途).
    RefundsUnderWay,
}

impl Account {
    /// Its word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProviderClearing => "provider_clearing",
            Self::FeesCollected => "fees_collected",
            Self::SurplusPayable => "surplus_payable",
            Self::RefundsUnderWay => "refunds_under_way",
        }
    }
}

/// One line: `amount` moves from `credit` to `debit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalLine {
    /// The account that receives.
    pub debit: Account,
    /// The account that gives.
    pub credit: Account,
    /// How much; always positive.
    pub amount_fen: Fen,
    /// The fee that it is about, if it is about one.
    pub fee_id: Option<FeeId>,
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A payment came in.
    PaymentReceived,
    /// A refund was promised to a payer (reserved against the payment).
    RefundRequested,
    /// A refund reached the payer.
    RefundSucceeded,
    /// A refund did not happen; the promise is taken back.
    RefundReleased,
}

impl EntryKind {
    /// Its word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentReceived => "payment_received",
            Self::RefundRequested => "refund_requested",
            Self::RefundSucceeded => "refund_succeeded",
            Self::RefundReleased => "refund_released",
        }
    }
}

/// How a payment divides over fees, or a refund over what it takes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The fee; `None` is surplus money that settles none.
    pub fee_id: Option<FeeId>,
    /// Its part; always positive.
    pub amount_fen: Fen,
}

/// The lines that an event of `kind` posts for `shares`: a whole entry, balanced by its form.
#[must_use]
pub fn entry(kind: EntryKind, shares: &[Share]) -> Vec<JournalLine> {
    shares
        .iter()
        .map(|share| {
            let owed = if share.fee_id.is_some() {
                Account::FeesCollected
            } else {
                Account::SurplusPayable
            };
            let (debit, credit) = match kind {
                EntryKind::PaymentReceived => (Account::ProviderClearing, owed),
                EntryKind::RefundRequested => (owed, Account::RefundsUnderWay),
                EntryKind::RefundSucceeded => (Account::RefundsUnderWay, Account::ProviderClearing),
                EntryKind::RefundReleased => (Account::RefundsUnderWay, owed),
            };
            JournalLine {
                debit,
                credit,
                amount_fen: share.amount_fen,
                fee_id: share.fee_id.clone(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refund_that_fails_leaves_no_trace_in_the_balances() {
        let share = [Share { fee_id: None, amount_fen: Fen::new(100) }];
        let there = entry(EntryKind::RefundRequested, &share);
        let back = entry(EntryKind::RefundReleased, &share);
        assert_eq!((there[0].debit, there[0].credit), (back[0].credit, back[0].debit));
    }
}
