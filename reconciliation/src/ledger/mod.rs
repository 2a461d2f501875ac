//! The hub's side: what its ledger says was paid, refunded, or is still waited for.

mod file;
mod plain;
#[cfg(test)]
mod tests;

use domain::bill::Direction;
use domain::money::Fen;
use domain::time::business_day;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use file::{COLUMNS, LedgerError, again, read, stream};

/// One payment or refund as the hub's ledger has it. Unpaid orders belong here too, so that money
/// for them is recognised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LedgerRow {
    /// Payment or refund.
    pub direction: Direction,
    /// The hub's order number.
    pub out_trade_no: String,
    /// The hub's refund number; empty on payments.
    pub out_refund_no: String,
    /// The provider's payment number; empty while unpaid.
    pub provider_trade_no: String,
    /// Gross amount, positive in both directions.
    pub amount: Fen,
    /// How it stands.
    pub state: LedgerState,
    /// When it was paid, when the refund was accepted, or when the order was made while unpaid.
    pub occurred_at: Timestamp,
}

/// A [`LedgerRow`] whose texts are borrowed from the reader's buffer and end with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerLine<'a> {
    /// Payment or refund.
    pub direction: Direction,
    /// The hub's order number.
    pub out_trade_no: &'a str,
    /// The hub's refund number; empty on payments.
    pub out_refund_no: &'a str,
    /// The provider's payment number; empty while unpaid.
    pub provider_trade_no: &'a str,
    /// Gross amount, positive in both directions.
    pub amount: Fen,
    /// How it stands.
    pub state: LedgerState,
    /// As [`LedgerRow::occurred_at`].
    pub occurred_at: Timestamp,
}

impl LedgerLine<'_> {
    /// As [`LedgerRow::key`].
    #[must_use]
    pub const fn key(&self) -> &str {
        match self.direction {
            Direction::Payment => self.out_trade_no,
            Direction::Refund => self.out_refund_no,
        }
    }

    /// The same with texts of its own.
    #[must_use]
    pub fn to_row(&self) -> LedgerRow {
        LedgerRow {
            direction: self.direction,
            out_trade_no: self.out_trade_no.to_owned(),
            out_refund_no: self.out_refund_no.to_owned(),
            provider_trade_no: self.provider_trade_no.to_owned(),
            amount: self.amount,
            state: self.state,
            occurred_at: self.occurred_at,
        }
    }
}

/// How a row of the ledger stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerState {
    /// A payment that is waited for.
    Pending,
    /// A payment that is no longer waited for.
    Closed,
    /// A payment that came.
    Paid,
    /// A refund that the provider accepted (or whose answer is unknown).
    Processing,
    /// A refund that arrived.
    Succeeded,
    /// A refund that did not happen.
    Failed,
}

impl LedgerState {
    /// Its word in the ledger file, in CSV and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Closed => "closed",
            Self::Paid => "paid",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// Whether money moved or is moving: only such a row must be in the bill.
    #[must_use]
    pub const fn moves_money(self) -> bool {
        match self {
            Self::Paid | Self::Processing | Self::Succeeded => true,
            Self::Pending | Self::Closed | Self::Failed => false,
        }
    }

    /// The state of this word on a row of this direction.
    pub(crate) fn of(direction: Direction, word: &str) -> Option<Self> {
        match (direction, word) {
            (Direction::Payment, "pending") => Some(Self::Pending),
            (Direction::Payment, "closed") => Some(Self::Closed),
            (Direction::Payment, "paid") => Some(Self::Paid),
            (Direction::Refund, "processing") => Some(Self::Processing),
            (Direction::Refund, "succeeded") => Some(Self::Succeeded),
            (Direction::Refund, "failed") => Some(Self::Failed),
            _ => None,
        }
    }
}

impl LedgerRow {
    /// The business day that it belongs to.
    #[must_use]
    pub fn day(&self) -> Date {
        business_day(self.occurred_at)
    }

    /// The number by which it is matched: the order's for a payment, the refund's for a refund.
    #[must_use]
    pub fn key(&self) -> &str {
        match self.direction {
            Direction::Payment => &self.out_trade_no,
            Direction::Refund => &self.out_refund_no,
        }
    }
}
