//! A provider's bill (对账单) in the hub's words: rows as they stream out of a reader, and the
//! control totals that the file states about itself.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::money::Fen;
use crate::provider::Provider;

/// Which way the money went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the payer to the office.
    Payment,
    /// Back to the payer.
    Refund,
}

impl Direction {
    /// Its word in API, CSV and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
        }
    }
}

/// How a bill row stands, at the moment when the file was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillState {
    /// Money moved (a payment that is paid, a refund that arrived).
    Succeeded,
    /// A refund that was accepted and is under way.
    Processing,
    /// A refund that did not happen, or a payment that was taken back at the counter.
    Failed,
}

impl BillState {
    /// Its word in CSV and database, as the ledger says it: `paid`, `processing`, `succeeded`, `failed`.
    #[must_use]
    pub const fn word(self, direction: Direction) -> &'static str {
        match (self, direction) {
            (Self::Succeeded, Direction::Payment) => "paid",
            (Self::Succeeded, Direction::Refund) => "succeeded",
            (Self::Processing, _) => "processing",
            (Self::Failed, _) => "failed",
        }
    }
}

/// A provider's rate, in millionths of the amount: 0.60 % is 6 000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RatePpm(pub i64);

/// One row of a bill. Its texts are borrowed from the reader's buffer and end with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillRow<'a> {
    /// The row's line in the file, from 1.
    pub line: u64,
    /// Payment or refund.
    pub direction: Direction,
    /// The hub's order number; empty when the file has none.
    pub out_trade_no: &'a str,
    /// The hub's refund number; empty on payments.
    pub out_refund_no: &'a str,
    /// The provider's payment number.
    pub provider_trade_no: &'a str,
    /// The provider's refund number; empty on payments, and where the file has none.
    pub provider_refund_no: &'a str,
    /// Gross amount, positive in both directions.
    pub amount: Fen,
    /// What the provider settles of it, where the file says so: the gross amount less discounts
    /// that the merchant gives. The provider's rate is on this.
    pub settled: Option<Fen>,
    /// How it stood when the file was made.
    pub state: BillState,
    /// When it was paid, or when the refund was accepted.
    pub occurred_at: Timestamp,
    /// What the provider charged for it: positive when it takes, negative when it gives back.
    pub fee: Option<Fen>,
    /// The rate that the row itself states.
    pub rate: Option<RatePpm>,
}

/// The longest number of an order, a refund or a payment, in letters. The providers' own end at 64;
/// what is far longer fits into no cell of a workbook.
pub const LONGEST_NUMBER: usize = 2048;

/// Whether a number is one, and not a file's contents that slipped into its column.
///
/// # Errors
/// In words, for whoever looks into the file.
pub fn number_fits(number: &str) -> Result<(), String> {
    if number.len() <= LONGEST_NUMBER || number.chars().count() <= LONGEST_NUMBER {
        return Ok(());
    }
    let start: String = number.chars().take(20).collect();
    Err(format!("{start:?}… has more than {LONGEST_NUMBER} letters"))
}

/// A count and a sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Total {
    /// How many rows.
    pub count: u64,
    /// Their gross sum in fen, positive.
    pub amount_fen: Fen,
}

/// Which directions a file lists at all: a provider also makes files of payments alone and of
/// refunds alone, and what such a file leaves out is not missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Payments are listed.
    pub payments: bool,
    /// Refunds are listed.
    pub refunds: bool,
}

impl Coverage {
    /// Both directions, as in the ordinary bill of a day.
    pub const BOTH: Self = Self { payments: true, refunds: true };

    /// Whether rows of this direction are listed.
    #[must_use]
    pub const fn lists(self, direction: Direction) -> bool {
        match direction {
            Direction::Payment => self.payments,
            Direction::Refund => self.refunds,
        }
    }
}

/// What a bill says about itself at its end, and what its rows really add up to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillTotals {
    /// Whose file it is.
    pub provider: Provider,
    /// The business day that the file itself states, if it does.
    pub stated_day: Option<Date>,
    /// Where it states several days, the last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_day: Option<Date>,
    /// Which directions it lists.
    pub covers: Coverage,
    /// The footer as parsed, name by name in the hub's words, amounts in fen.
    pub footer: Vec<(String, i64)>,
    /// Whether every footer number equals what the rows add up to.
    pub footer_ok: bool,
    /// The first footer number that does not, in words for a person.
    pub footer_fault: Option<String>,
    /// The payments as read.
    pub payments: Total,
    /// The refunds as read.
    pub refunds: Total,
    /// The provider's charges as read, net of those given back.
    pub fee: Fen,
    /// Columns that the reader does not know; kept and told, never fatal.
    pub unknown_columns: Vec<String>,
}

impl BillTotals {
    /// An empty day: the provider says that there is no bill, because nothing happened.
    #[must_use]
    pub const fn empty(provider: Provider, day: Date) -> Self {
        Self {
            provider,
            stated_day: Some(day),
            last_day: None,
            covers: Coverage::BOTH,
            footer: Vec::new(),
            footer_ok: true,
            footer_fault: None,
            payments: Total { count: 0, amount_fen: Fen::ZERO },
            refunds: Total { count: 0, amount_fen: Fen::ZERO },
            fee: Fen::ZERO,
            unknown_columns: Vec::new(),
        }
    }
}
