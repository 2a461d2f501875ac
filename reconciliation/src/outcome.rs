//! The result of a run.

use domain::bill::{Direction, Total};
use domain::money::Fen;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::finding::{Cause, Finding};

/// A payment or refund on which both sides agree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Matched {
    /// Payment or refund.
    pub direction: Direction,
    /// When it happened, as the bill says.
    pub occurred_at: Timestamp,
    /// The hub's order number.
    pub out_trade_no: String,
    /// The hub's refund number; empty on payments.
    pub out_refund_no: String,
    /// The provider's payment number.
    pub provider_trade_no: String,
    /// The amount, the same on both sides.
    pub amount: Fen,
    /// What the provider charged (positive) or gave back (negative), as the bill says.
    pub fee: Option<Fen>,
    /// Both sides list it and no money moved: a payment that was taken back, a refund that failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_void: bool,
}

/// Matched rows of one direction that are not listed one by one. In the order of [`Matched`] they
/// come after the listed ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// Payments or refunds.
    pub direction: Direction,
    /// How many.
    pub count: u64,
    /// Their gross sum, the same on both sides.
    pub amount: Fen,
    /// Their charges, net of those given back; `None` where the bill states none.
    pub fee: Option<Fen>,
}

/// One side's payments and refunds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sides {
    /// Payments.
    pub payments: Total,
    /// Refunds.
    pub refunds: Total,
}

/// The sums of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// The ledger rows that belong to this day and moved money, and those that a bill row claims.
    pub hub: Sides,
    /// All rows of the bill.
    pub bill: Sides,
    /// The provider's charges, net of those given back.
    pub fee: Fen,
    /// What both agree on.
    pub matched: Sides,
}

/// Ledger rows that this run leaves alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outside {
    /// Not paid and not in the bill.
    pub unpaid: u64,
    /// Of another day, and not in the bill.
    pub other_day: u64,
    /// Of a direction that this kind of bill does not list.
    pub not_listed: u64,
}

/// The whole result. Every list is in an order of its own, whatever the order of the rows was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// The business day; `None` when neither side has any row and nobody named one.
    pub day: Option<Date>,
    /// What both agree on; where there is a [`Rest`], the first of it.
    pub matched: Vec<Matched>,
    /// What both agree on beyond `matched`: a day of millions is counted, not listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rest: Vec<Rest>,
    /// What the next file may clear.
    pub doubts: Vec<Finding>,
    /// What somebody must look into.
    pub differences: Vec<Finding>,
    /// The sums of both sides.
    pub sums: Sums,
    /// What was left alone.
    pub outside: Outside,
}

impl Reconciliation {
    /// Whether nothing differs. A doubt that the next file may clear does not count; a difference
    /// that is a doubt only because its provider could not be asked does.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let may_clear =
            |found: &Finding| matches!(found.cause, Cause::NearCut | Cause::RefundUnderWay);
        self.differences.is_empty() && self.doubts.iter().all(may_clear)
    }
}

impl Sides {
    /// Adds one row.
    pub(crate) fn add(&mut self, direction: Direction, amount: Fen) {
        let total = match direction {
            Direction::Payment => &mut self.payments,
            Direction::Refund => &mut self.refunds,
        };
        total.count = total.count.saturating_add(1);
        total.amount_fen = Fen::new(total.amount_fen.get().saturating_add(amount.get()));
    }

    /// Adds rows that were counted elsewhere.
    pub(crate) fn join(&mut self, direction: Direction, rows: Total) {
        let total = match direction {
            Direction::Payment => &mut self.payments,
            Direction::Refund => &mut self.refunds,
        };
        total.count = total.count.saturating_add(rows.count);
        let fen = total.amount_fen.get().saturating_add(rows.amount_fen.get());
        total.amount_fen = Fen::new(fen);
    }

    /// Both directions together.
    #[must_use]
    pub fn together(&self) -> Total {
        Total {
            count: self.payments.count.saturating_add(self.refunds.count),
            amount_fen: Fen::new(
                self.payments.amount_fen.get().saturating_add(self.refunds.amount_fen.get()),
            ),
        }
    }

    /// Payments less refunds.
    #[must_use]
    pub fn net(&self) -> Fen {
        Fen::new(self.payments.amount_fen.get().saturating_sub(self.refunds.amount_fen.get()))
    }
}
