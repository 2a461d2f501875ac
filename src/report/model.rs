//! What a report is made of.

use domain::bill::{BillTotals, Direction};
use domain::money::Fen;
use jiff::Timestamp;
use jiff::civil::Date;
use reconciliation::{Finding, Reconciliation, Sides};
use sha2::{Digest as _, Sha256};

use adapters::bill::FundFlow;

use super::papers::Papers;

/// One day of one merchant or of several.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The office's name; `None` leaves a line to fill in.
    pub office: Option<String>,
    /// When it was made, where a clock is at hand.
    pub made_at: Option<Timestamp>,
    /// The merchants, in the order in which they are shown.
    pub merchants: Vec<MerchantDay>,
}

/// One merchant's day.
#[derive(Clone, Debug)]
pub struct MerchantDay {
    /// The merchant's id in the configuration; empty offline.
    pub merchant: String,
    /// The bill's own totals.
    pub totals: BillTotals,
    /// The bill file; `None` on a day for which the provider has none.
    pub bill: Option<FileStamp>,
    /// The ledger file, where it was one.
    pub ledger: Option<FileStamp>,
    /// What the matching found.
    pub result: Reconciliation,
    /// The fund flow bill beside the trade bill, where it was given.
    pub fund_flow: Option<FundFlowCheck>,
    /// The journal's head when the run was made, hexadecimal: a cut tail shows by it.
    pub journal_head: Option<String>,
    /// Which run of the day it is of, where runs are counted.
    pub version: Option<i32>,
    /// The digest of what its papers are made of, which is what people sign.
    pub digest: Option<String>,
    /// What the hub knows beyond the sums; `None` offline and for runs of older programs.
    pub papers: Option<Papers>,
}

/// Which file exactly it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStamp {
    /// Its name, without folders.
    pub name: String,
    /// SHA-256 of its bytes as fetched, lower-case hexadecimal.
    pub sha256: String,
}

impl FileStamp {
    /// The stamp of these bytes.
    #[must_use]
    pub fn of(name: impl Into<String>, bytes: &[u8]) -> Self {
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { name: name.into(), sha256 }
    }
}

/// The fund flow bill held against the trade bill. They may disagree honestly: one goes by the
/// change of the balance, the other by the moment of payment; so it is told, not a difference.
#[derive(Clone, Debug)]
pub struct FundFlowCheck {
    /// What the fund flow bill adds up to.
    pub flow: FundFlow,
    /// What the trade bill lets expect: settled payments less refunds less charges.
    pub expected: Fen,
}

impl FundFlowCheck {
    /// Whether what moved is what the trade bill lets expect.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.flow.from_trade == self.expected
    }

    /// The fund flow beside the bill with these totals.
    #[must_use]
    pub fn new(flow: FundFlow, totals: &BillTotals) -> Self {
        let stated =
            |name: &str| totals.footer.iter().find(|(known, _)| known == name).map(|(_, fen)| *fen);
        let settled = stated("settlement_total_fen").unwrap_or(totals.payments.amount_fen.get());
        let refunded = stated("refund_total_fen").unwrap_or(totals.refunds.amount_fen.get());
        let expected = settled.saturating_sub(refunded).saturating_sub(totals.fee.get());
        Self { flow, expected: Fen::new(expected) }
    }
}

impl MerchantDay {
    /// Whether nothing differs and the file agrees with itself.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.result.is_balanced() && self.totals.footer_ok
    }
}

impl Report {
    /// The business day: that of the merchants, if they agree.
    #[must_use]
    pub fn day(&self) -> Option<Date> {
        self.merchants.iter().find_map(|merchant| merchant.result.day)
    }

    /// Whether every merchant's day is balanced.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.merchants.iter().all(MerchantDay::is_balanced)
    }

    /// Every difference, with its merchant.
    pub fn differences(&self) -> impl Iterator<Item = (&MerchantDay, &Finding)> {
        self.merchants.iter().flat_map(|day| day.result.differences.iter().map(move |f| (day, f)))
    }

    /// Every doubt, with its merchant.
    pub fn doubts(&self) -> impl Iterator<Item = (&MerchantDay, &Finding)> {
        self.merchants.iter().flat_map(|day| day.result.doubts.iter().map(move |f| (day, f)))
    }

    /// One side of all merchants, added up.
    pub(crate) fn sum(&self, side: impl Fn(&MerchantDay) -> Sides) -> Sides {
        let mut sum = Sides::default();
        for part in self.merchants.iter().map(side) {
            for (total, part) in
                [(&mut sum.payments, part.payments), (&mut sum.refunds, part.refunds)]
            {
                total.count = total.count.saturating_add(part.count);
                let fen = total.amount_fen.get().saturating_add(part.amount_fen.get());
                total.amount_fen = Fen::new(fen);
            }
        }
        sum
    }

    /// The charges of all merchants.
    pub(crate) fn fee(&self) -> Fen {
        let fees = self.merchants.iter().map(|day| day.result.sums.fee.get());
        Fen::new(fees.fold(0, i64::saturating_add))
    }
}

/// The amount with the sign that it has for the office: refunds are negative.
pub(crate) fn signed(direction: Direction, amount: Fen) -> Fen {
    match direction {
        Direction::Payment => amount,
        Direction::Refund => amount.negated().unwrap_or(amount),
    }
}
