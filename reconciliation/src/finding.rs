//! What does not agree: a difference (差错), or a doubt (存疑) that the next file may clear. Names
//! say which side has what; 长款 and 短款, which mean either, are never stored.

use domain::bill::{BillState, Direction};
use domain::money::Fen;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::ledger::LedgerState;

/// The kinds, in the order in which one row is given one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// In the ledger, not in the bill.
    OnlyInHub,
    /// In the bill, not in the ledger.
    OnlyInBill,
    /// The bill lists the same payment or refund again.
    DuplicateInBill,
    /// Both have it with different amounts.
    AmountDiffers,
    /// Both have it, one as done and the other not.
    StateDiffers,
    /// The provider's charge is not what its rate asks.
    FeeDiffers,
}

/// Why it probably came to be, for the person who follows it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The provider's bill lacks a payment that the ledger has.
    PaymentMissingInBill,
    /// The provider took money for an order that the ledger does not have.
    PaymentForeign,
    /// The provider took money again, under another number of its own, for an order that the
    /// ledger has with its payment (重复支付).
    SecondPayment,
    /// The same provider number stands under another order number.
    NumberDiffers,
    /// The callback of a payment never came.
    CallbackLost,
    /// The payer paid after the order was closed.
    PaidAfterClose,
    /// A payment at the counter was taken back.
    PaymentRevoked,
    /// Yuan for fen, a discount, or tampering.
    AmountUnequal,
    /// The ledger has what was settled, without the discount that the bill lists (优惠).
    DiscountExplains,
    /// A refund that the ledger has is not in the bill.
    RefundMissingInBill,
    /// A refund that the ledger has not, usually made by hand in the provider's portal.
    RefundByHand,
    /// Asked, the provider says that it gave it back: the ledger has not that much left to give back.
    RefundNotCovered,
    /// The refund arrived, its notice did not.
    RefundNoticeLost,
    /// The refund did not go through at the provider.
    RefundNotDone,
    /// The ledger gave the refund up, the provider did it.
    RefundDoneAfterAll,
    /// The amount of a refund differs.
    RefundAmountUnequal,
    /// The contract's rate is not what was charged.
    RateUnequal,
    /// The provider lists it twice.
    ListedTwice,
    /// It happened near midnight and may stand in the neighbouring day.
    NearCut,
    /// The refund is still under way.
    RefundUnderWay,
    /// Asked, the provider says that it was done: its bill leaves it out.
    BillOmits,
    /// Asked, the provider says that it was done: the ledger has not booked it.
    DoneNotBooked,
    /// Asked, the provider says that the ledger's payment was not made.
    ProvedUnpaid,
    /// Asked, the provider says otherwise than its own bill.
    BillContradicted,
}

/// What is proposed to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Query the order; if the provider says unpaid, freeze the fee and propose a reversal.
    QueryThenReverse,
    /// Query the order; if it is paid, record the payment with the bill as its source.
    QueryThenRecord,
    /// Find out whose money it is; never make up a fee for it.
    FindOwner,
    /// Hold the fee's settlement, compare the discount columns, ask the provider.
    HoldAndCompare,
    /// Query the refund and follow what it says.
    QueryRefund,
    /// Query the refund; if it was made in the portal, record it and cancel its e-bill.
    RecordRefund,
    /// Find out who gave it back, and take back or follow what is promised or paid over elsewhere.
    FindRefunder,
    /// Work the refund as failed: to another account, or anew.
    RedoRefund,
    /// Compare with the contract and claim the difference from the provider.
    ClaimCharge,
    /// Count it once and ask the provider about the other row.
    CountOnce,
    /// Wait for the next file.
    AwaitNextFile,
    /// Propose to give the later payment back; another person agrees.
    ProposeRefund,
    /// Book the gross amount and the discount beside it.
    BookGross,
    /// Leave the ledger alone and ask the provider for the bill that lists it.
    AskForBill,
    /// Book what the query proves.
    BookProved,
    /// Freeze the fee and propose a reversal; another person agrees.
    Reverse,
    /// Book nothing and have the provider explain itself.
    HoldAndAsk,
}

/// Whose desk it is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The hub clears it by itself; a person only looks.
    System,
    /// Finance (财务).
    Finance,
    /// Finance together with the engineers.
    FinanceAndEngineers,
}

/// One difference or doubt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind.
    pub kind: Kind,
    /// Payment or refund.
    pub direction: Direction,
    /// The hub's order number; empty where neither side has one.
    pub out_trade_no: String,
    /// The hub's refund number; empty on payments.
    pub out_refund_no: String,
    /// The provider's payment number.
    pub provider_trade_no: String,
    /// The amount in the ledger, if it is there.
    pub hub_amount: Option<Fen>,
    /// The amount in the bill, if it is there.
    pub bill_amount: Option<Fen>,
    /// How it stands in the ledger, if it is there.
    pub hub_state: Option<LedgerState>,
    /// How it stands in the bill, if it is there.
    pub bill_state: Option<BillState>,
    /// What the provider charged for it (negative: gave back), as the bill says.
    pub fee: Option<Fen>,
    /// When it happened: as the bill says, else the ledger.
    pub occurred_at: Timestamp,
    /// The line in the bill, if it is there.
    pub bill_line: Option<u64>,
    /// What exactly differs, in English, without anything that a stranger wrote.
    pub detail: String,
    /// Why it probably came to be.
    pub cause: Cause,
    /// What is proposed.
    pub proposed_action: Action,
    /// Whose desk it is on.
    pub owner: Owner,
    /// The day of its money, where that is an earlier one: it was a doubt until this day's files
    /// came, and is in no sum of this day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
}

impl Finding {
    /// The state in the bill in the ledger's words; empty where the bill has nothing.
    #[must_use]
    pub fn bill_word(&self) -> &'static str {
        self.bill_state.map(|state| state.word(self.direction)).unwrap_or_default()
    }

    /// The state in the ledger; empty where the ledger has nothing.
    #[must_use]
    pub fn hub_word(&self) -> &'static str {
        self.hub_state.map(LedgerState::as_str).unwrap_or_default()
    }
}

impl Kind {
    /// Its word in API, CSV and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnlyInHub => "only_in_hub",
            Self::OnlyInBill => "only_in_bill",
            Self::DuplicateInBill => "duplicate_in_bill",
            Self::AmountDiffers => "amount_differs",
            Self::StateDiffers => "state_differs",
            Self::FeeDiffers => "fee_differs",
        }
    }
}

impl Cause {
    /// What is done about it, and by whom.
    #[must_use]
    pub const fn remedy(self) -> (Action, Owner) {
        use Owner::{Finance, FinanceAndEngineers, System};
        match self {
            Self::PaymentMissingInBill => (Action::QueryThenReverse, Finance),
            Self::PaymentForeign | Self::NumberDiffers => (Action::FindOwner, FinanceAndEngineers),
            Self::SecondPayment => (Action::ProposeRefund, Finance),
            Self::CallbackLost | Self::PaidAfterClose => (Action::QueryThenRecord, System),
            Self::PaymentRevoked => (Action::QueryThenReverse, Finance),
            Self::AmountUnequal | Self::RefundAmountUnequal => {
                (Action::HoldAndCompare, FinanceAndEngineers)
            }
            Self::DiscountExplains => (Action::BookGross, Finance),
            Self::RefundMissingInBill | Self::RefundNoticeLost => (Action::QueryRefund, Finance),
            Self::RefundByHand | Self::RefundDoneAfterAll => (Action::RecordRefund, Finance),
            Self::RefundNotCovered => (Action::FindRefunder, Finance),
            Self::RefundNotDone => (Action::RedoRefund, Finance),
            Self::RateUnequal => (Action::ClaimCharge, Finance),
            Self::ListedTwice => (Action::CountOnce, Finance),
            Self::NearCut | Self::RefundUnderWay => (Action::AwaitNextFile, System),
            Self::BillOmits => (Action::AskForBill, Finance),
            Self::DoneNotBooked => (Action::BookProved, Finance),
            Self::ProvedUnpaid => (Action::Reverse, Finance),
            Self::BillContradicted => (Action::HoldAndAsk, FinanceAndEngineers),
        }
    }
}
