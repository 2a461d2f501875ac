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
    /// Refunds that were promised and have not reached the payer (退款在途).
    RefundsUnderWay,
    /// The account from which fees were paid over to the treasury (收缴账户). Bank arrivals come in on
    /// its debit side.
    CollectingAccount,
    /// What the treasury owes payers whose fee it holds (应收国库退付款).
    TreasuryClaim,
    /// What two people wrote off of differences with a provider (待处理财产损溢).
    WriteOffs,
}

impl Account {
    /// Every account, in the order of the chart.
    pub const ALL: [Self; 7] = [
        Self::ProviderClearing,
        Self::CollectingAccount,
        Self::TreasuryClaim,
        Self::WriteOffs,
        Self::FeesCollected,
        Self::SurplusPayable,
        Self::RefundsUnderWay,
    ];

    /// Its name in the office's books.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::ProviderClearing => "应收渠道清算款",
            Self::FeesCollected => "应缴财政款",
            Self::SurplusPayable => "多收待退款",
            Self::RefundsUnderWay => "退款在途",
            Self::CollectingAccount => "收缴账户",
            Self::TreasuryClaim => "应收国库退付款",
            Self::WriteOffs => "待处理财产损溢",
        }
    }

    /// Whether it holds what the office has or is owed (资产), so that its balance stands on the
    /// debit side; else what the office owes (负债), on the credit side.
    #[must_use]
    pub const fn is_asset(self) -> bool {
        match self {
            Self::ProviderClearing
            | Self::CollectingAccount
            | Self::TreasuryClaim
            | Self::WriteOffs => true,
            Self::FeesCollected | Self::SurplusPayable | Self::RefundsUnderWay => false,
        }
    }

    /// Its word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProviderClearing => "provider_clearing",
            Self::FeesCollected => "fees_collected",
            Self::SurplusPayable => "surplus_payable",
            Self::RefundsUnderWay => "refunds_under_way",
            Self::CollectingAccount => "collecting_account",
            Self::TreasuryClaim => "treasury_claim",
            Self::WriteOffs => "write_offs",
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
    /// A payer's transfer came in at the bank (转账到账).
    TransferReceived,
    /// A refund was promised to a payer (reserved against the payment).
    RefundRequested,
    /// A refund reached the payer.
    RefundSucceeded,
    /// A refund did not happen; the promise is taken back.
    RefundReleased,
    /// Collected fees were paid over to the treasury (缴库).
    FeesRemitted,
    /// That had been told of wrong fees and is taken back (冲正).
    RemittanceReversed,
    /// A refund of money that the treasury holds was promised (退付).
    TreasuryRefundRequested,
    /// The treasury paid it to the payer.
    TreasuryRefundSucceeded,
    /// The payment came back to the treasury (退票).
    TreasuryRefundReturned,
    /// It was rejected or declined; the promise is taken back.
    TreasuryRefundReleased,
    /// Money that the provider does not have for the office was written off (短款核销).
    ShortWrittenOff,
    /// That was taken back: the difference was taken up again.
    ShortTakenBack,
    /// Money that the provider has beyond the books was written off (长款核销).
    LongWrittenOff,
    /// That was taken back.
    LongTakenBack,
    /// What a provider held for the office arrived at the bank (渠道到账).
    ProviderSettled,
    /// A merchant's refunds were more than its payments: its provider kept that back of what arrived
    /// for the other merchants of the account (轧差).
    SettlementNetted,
    /// A match of an arrival was taken back: the provider owes the money still (撤销匹配).
    ArrivalTakenBack,
    /// What was kept back of that arrival is taken back with it.
    NettingTakenBack,
}

impl EntryKind {
    /// Every kind, in the order of money's way.
    pub const ALL: [Self; 19] = [
        Self::PaymentReceived,
        Self::TransferReceived,
        Self::RefundRequested,
        Self::RefundSucceeded,
        Self::RefundReleased,
        Self::FeesRemitted,
        Self::RemittanceReversed,
        Self::TreasuryRefundRequested,
        Self::TreasuryRefundSucceeded,
        Self::TreasuryRefundReturned,
        Self::TreasuryRefundReleased,
        Self::ShortWrittenOff,
        Self::ShortTakenBack,
        Self::LongWrittenOff,
        Self::LongTakenBack,
        Self::ProviderSettled,
        Self::SettlementNetted,
        Self::ArrivalTakenBack,
        Self::NettingTakenBack,
    ];

    /// Its word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentReceived => "payment_received",
            Self::TransferReceived => "transfer_received",
            Self::RefundRequested => "refund_requested",
            Self::RefundSucceeded => "refund_succeeded",
            Self::RefundReleased => "refund_released",
            Self::FeesRemitted => "fees_remitted",
            Self::RemittanceReversed => "remittance_reversed",
            Self::TreasuryRefundRequested => "treasury_refund_requested",
            Self::TreasuryRefundSucceeded => "treasury_refund_succeeded",
            Self::TreasuryRefundReturned => "treasury_refund_returned",
            Self::TreasuryRefundReleased => "treasury_refund_released",
            Self::ShortWrittenOff => "short_written_off",
            Self::ShortTakenBack => "short_taken_back",
            Self::LongWrittenOff => "long_written_off",
            Self::LongTakenBack => "long_taken_back",
            Self::ProviderSettled => "provider_settled",
            Self::SettlementNetted => "settlement_netted",
            Self::ArrivalTakenBack => "arrival_taken_back",
            Self::NettingTakenBack => "netting_taken_back",
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

impl EntryKind {
    /// The accounts that it moves money between, debit first; `owed` is where its money is owed when
    /// nothing has happened to it.
    const fn sides(self, owed: Account) -> (Account, Account) {
        match self {
            Self::PaymentReceived => (Account::ProviderClearing, owed),
            Self::TransferReceived => (Account::CollectingAccount, owed),
            Self::RefundRequested => (owed, Account::RefundsUnderWay),
            Self::RefundSucceeded => (Account::RefundsUnderWay, Account::ProviderClearing),
            Self::RefundReleased => (Account::RefundsUnderWay, owed),
            Self::FeesRemitted => (owed, Account::CollectingAccount),
            Self::RemittanceReversed => (Account::CollectingAccount, owed),
            // The treasury pays the payer itself: nothing passes through the office.
            Self::TreasuryRefundRequested | Self::TreasuryRefundReturned => {
                (Account::TreasuryClaim, Account::RefundsUnderWay)
            }
            Self::TreasuryRefundSucceeded | Self::TreasuryRefundReleased => {
                (Account::RefundsUnderWay, Account::TreasuryClaim)
            }
            Self::ShortWrittenOff | Self::LongTakenBack => {
                (Account::WriteOffs, Account::ProviderClearing)
            }
            Self::LongWrittenOff | Self::ShortTakenBack => {
                (Account::ProviderClearing, Account::WriteOffs)
            }
            Self::ProviderSettled | Self::NettingTakenBack => {
                (Account::CollectingAccount, Account::ProviderClearing)
            }
            Self::SettlementNetted | Self::ArrivalTakenBack => {
                (Account::ProviderClearing, Account::CollectingAccount)
            }
        }
    }
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
            let (debit, credit) = kind.sides(owed);
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
        for (requested, released) in [
            (EntryKind::RefundRequested, EntryKind::RefundReleased),
            (EntryKind::TreasuryRefundRequested, EntryKind::TreasuryRefundReleased),
            (EntryKind::TreasuryRefundSucceeded, EntryKind::TreasuryRefundReturned),
            (EntryKind::FeesRemitted, EntryKind::RemittanceReversed),
            (EntryKind::ShortWrittenOff, EntryKind::ShortTakenBack),
            (EntryKind::LongWrittenOff, EntryKind::LongTakenBack),
            (EntryKind::ProviderSettled, EntryKind::SettlementNetted),
            (EntryKind::ProviderSettled, EntryKind::ArrivalTakenBack),
            (EntryKind::SettlementNetted, EntryKind::NettingTakenBack),
        ] {
            let there = entry(requested, &share);
            let back = entry(released, &share);
            assert_eq!((there[0].debit, there[0].credit), (back[0].credit, back[0].debit));
        }
    }

    #[test]
    fn a_fee_that_was_remitted_and_given_back_by_the_treasury_leaves_the_office_with_nothing() {
        let fee = FeeId::new(uuid::Uuid::nil());
        let share = [Share { fee_id: Some(fee), amount_fen: Fen::new(8000) }];
        let mut balances = std::collections::BTreeMap::<Account, i64>::new();
        for kind in [
            EntryKind::PaymentReceived,
            EntryKind::FeesRemitted,
            EntryKind::TreasuryRefundRequested,
            EntryKind::TreasuryRefundSucceeded,
        ] {
            for line in entry(kind, &share) {
                *balances.entry(line.debit).or_default() += line.amount_fen.get();
                *balances.entry(line.credit).or_default() -= line.amount_fen.get();
            }
        }
        // What the provider still holds for the office is what left the collecting account.
        balances.retain(|_, balance| *balance != 0);
        let expected = [(Account::ProviderClearing, 8000), (Account::CollectingAccount, -8000)];
        assert_eq!(balances, expected.into());
        let arrived = [Share { fee_id: None, amount_fen: Fen::new(8000) }];
        for line in entry(EntryKind::ProviderSettled, &arrived) {
            *balances.entry(line.debit).or_default() += line.amount_fen.get();
            *balances.entry(line.credit).or_default() -= line.amount_fen.get();
        }
        assert!(balances.values().all(|balance| *balance == 0), "the bank arrival settles both");
    }

    #[test]
    fn every_word_is_told_once() {
        let mut accounts: Vec<&str> = Account::ALL.map(Account::as_str).into();
        let mut kinds: Vec<&str> = EntryKind::ALL.map(EntryKind::as_str).into();
        accounts.sort_unstable();
        accounts.dedup();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!((accounts.len(), kinds.len()), (Account::ALL.len(), EntryKind::ALL.len()));
    }
}
