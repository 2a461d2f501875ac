//! What is expected and what has arrived, as lists and papers show it.

use domain::Fen;
use domain::ids::{MerchantId, RunId, SettlementId, SettlementMatchId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The sums of a bill day, each as the bill says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What the provider owes for payments: without coupons of the merchant, which are no money.
    pub payments: Fen,
    /// What it gave back.
    pub refunds: Fen,
    /// What it charges, net of what it gave back of that.
    pub fee: Fen,
}

impl Figures {
    /// What is expected: the principal, gross. A charge is paid on its own and never out of it.
    #[must_use]
    pub fn net(self) -> Fen {
        self.payments.minus(self.refunds).unwrap_or(Fen::ZERO)
    }
}

/// What is expected of an account's bill day, and what has arrived of it (应到账与实到账).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct SettlementDay {
    /// Its id.
    pub settlement_id: SettlementId,
    /// Provider and number of the account, as in `wechat:1900000001`.
    pub account: String,
    /// The merchants whose money it is; the account's first one first.
    pub merchants: Vec<MerchantId>,
    /// The bill's day.
    pub bill_date: Date,
    /// On which bank day it is due.
    pub due_on: Date,
    /// The run that said so.
    pub run_id: RunId,
    /// Payments by the bill.
    pub payments_fen: Fen,
    /// Refunds by the bill.
    pub refunds_fen: Fen,
    /// The provider's charge.
    pub fee_fen: Fen,
    /// What is expected: payments less refunds.
    pub net_fen: Fen,
    /// Whether the bank's statements reach well beyond its day and nothing has come.
    pub is_late: bool,
    /// Whether the day on which it is due lies where no calendar is announced yet: it may still move.
    #[serde(default)]
    pub due_is_provisional: bool,
    /// What a later version of the day's run expects, where the money has arrived for something else.
    #[serde(default)]
    pub changed: Option<Changed>,
    /// What has come.
    pub arrival: Option<Arrival>,
}

/// What is expected of a bill day since its money arrived (到账后更正).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Changed {
    /// The run that says so.
    pub run_id: RunId,
    /// Payments by the bill.
    pub payments_fen: Fen,
    /// Refunds by the bill.
    pub refunds_fen: Fen,
    /// The provider's charge.
    pub fee_fen: Fen,
    /// What is expected: payments less refunds.
    pub net_fen: Fen,
}

/// A credit that is the settlement of one bill day or of several together.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Arrival {
    /// Which match says so.
    pub match_id: SettlementMatchId,
    /// The bank's number of the credit.
    pub bank_serial: String,
    /// When it counts.
    pub value_date: Date,
    /// All of the credit.
    pub credit_fen: Fen,
    /// All days of which it is the settlement.
    pub days: Vec<Date>,
    /// What was expected of all of them.
    pub expected_fen: Fen,
    /// What came more than that; less, where it is negative.
    pub difference_fen: Fen,
    /// Why: `settlement_short`, `settlement_over` or `fee_taken_from_principal`.
    pub cause: Option<String>,
    /// Who said so; `None`: it was clear by itself.
    pub claimed_by: Option<String>,
    /// Who confirmed it, where it differs.
    pub confirmed_by: Option<String>,
    /// Why, in their words.
    pub reason: Option<String>,
}
