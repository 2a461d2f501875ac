//! A provider's fund flow bill (资金账单) in the hub's words: each change of the balance of the
//! merchant's account, with the balance after it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bill::Direction;
use crate::money::Fen;

/// What changed the balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FundKind {
    /// A payment came in (交易).
    Payment,
    /// A refund went out (退款).
    Refund,
    /// The provider took its charge (手续费).
    Charge,
    /// The provider gave a charge back (退费).
    ChargeBack,
    /// The money went on to the bank (提现).
    Withdrawal,
    /// The merchant paid in (充值).
    TopUp,
    /// Anything else.
    Other,
}

impl FundKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Payment,
        Self::Refund,
        Self::Charge,
        Self::ChargeBack,
        Self::Withdrawal,
        Self::TopUp,
        Self::Other,
    ];

    /// Its word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Charge => "charge",
            Self::ChargeBack => "charge_back",
            Self::Withdrawal => "withdrawal",
            Self::TopUp => "top_up",
            Self::Other => "other",
        }
    }

    /// The row of a trade bill that it is about; `None`: of no single one.
    #[must_use]
    pub const fn direction(self) -> Option<Direction> {
        match self {
            Self::Payment => Some(Direction::Payment),
            Self::Refund => Some(Direction::Refund),
            Self::Charge | Self::ChargeBack | Self::Withdrawal | Self::TopUp | Self::Other => None,
        }
    }

    /// Whether a trade bill tells of it: payments, refunds and their charges.
    #[must_use]
    pub const fn is_trade(self) -> bool {
        match self {
            Self::Payment | Self::Refund | Self::Charge | Self::ChargeBack => true,
            Self::Withdrawal | Self::TopUp | Self::Other => false,
        }
    }
}

/// One row. Its texts are borrowed from the reader's buffer and end with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundRow<'a> {
    /// The row's line in the file, from 1.
    pub line: u64,
    /// When the balance changed.
    pub occurred_at: Timestamp,
    /// The number of this change.
    pub flow_no: &'a str,
    /// The provider's number of what it is about: of the payment, or of the refund.
    pub provider_no: &'a str,
    /// The merchant's number of what it is about: of the order or the refund. Empty where unknown.
    pub out_no: &'a str,
    /// What it was.
    pub kind: FundKind,
    /// What it changed the balance by: positive came in.
    pub amount: Fen,
    /// The balance after it, where the file says so.
    pub balance: Option<Fen>,
}
