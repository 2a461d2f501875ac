//! What a report is made of.

use domain::bill::{BillTotals, Direction};
use domain::money::Fen;
use jiff::Timestamp;
use jiff::civil::Date;
use reconciliation::{Finding, FundFinding, Reconciliation, Sides};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::fund::FundCheck;
use super::papers::{Papers, SignaturePaper};

/// One day of one merchant or of several.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The office's name; `None` leaves a line to fill in.
    pub office: Option<String>,
    /// When it was made, where a clock is at hand.
    pub made_at: Option<Timestamp>,
    /// The merchants, in the order in which they are shown.
    pub merchants: Vec<MerchantDay>,
    /// Who has signed its runs so far, in order.
    pub signatures: Vec<SignaturePaper>,
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
    pub fund_flow: Option<FundCheck>,
    /// Why there is no fund flow bill, or what is to be known of it; for a report.
    pub fund_note: Option<String>,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl MerchantDay {
    /// Whether nothing differs, the file agrees with itself, and the money moved as it says.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let is_moved = self.fund_flow.as_ref().is_none_or(|check| check.result.is_balanced());
        self.result.is_balanced() && self.totals.footer_ok && is_moved
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

    /// Every difference and every doubt of the fund flow, with its merchant.
    pub(crate) fn fund_findings(
        &self,
    ) -> impl Iterator<Item = (&MerchantDay, &'static str, &FundFinding)> {
        self.merchants.iter().flat_map(|day| {
            let found = day.fund_flow.iter().flat_map(|check| {
                let differences = check.result.differences.iter().map(|it| ("差错", it));
                differences.chain(check.result.doubts.iter().map(|it| ("存疑", it)))
            });
            found.map(move |(word, it)| (day, word, it))
        })
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
