//! What the hub knows about a day beyond its sums: the fees behind each row, refunds with who asked
//! for and who approved them, and what is open of other days. It is gathered when a run ends and
//! stored with it, so that a paper never changes by what happens later.

use domain::difference::{DifferenceState, Remedy};
use domain::money::Fen;
use jiff::Timestamp;
use jiff::civil::Date;
use reconciliation::Finding;
use serde::{Deserialize, Serialize};

use crate::fiscal::{OwedItem, RemittedItem};
use crate::reconcile::Changes;
use crate::settlement::SettlementDay;

/// What the papers of one run are made of beside its result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Papers {
    /// The fees that its rows are about, each once.
    pub fees: Vec<FeePaper>,
    /// One a row, in the order matched, doubts, differences.
    pub rows: Vec<RowPaper>,
    /// The refunds of the day, whichever way they go.
    pub refunds: Vec<RefundPaper>,
    /// The day of the money of each difference, in their order.
    pub first_days: Vec<Date>,
    /// Doubts of other days that no file has decided yet.
    pub carried: Vec<CarriedPaper>,
    /// Differences of other days that are open.
    pub open: Vec<OpenPaper>,
    /// How the days before this one came out.
    pub history: Vec<DayPaper>,
    /// How far each difference is worked on, in their order; nothing where nobody has begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub standing: Vec<Option<StandingPaper>>,
    /// What the office knows beside the bill; `None` for runs of older programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub office: Option<OfficePaper>,
    /// What it has otherwise than the version before it that was signed and opened again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
}

/// What the office knows beside the bill: money at the bank, what went to the treasury, and who did
/// what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficePaper {
    /// What is expected at the bank of this day and of earlier ones, and what has arrived since the day
    /// before. The reason of a match is free text in which a name may stand, and is not taken over.
    pub settlements: Vec<SettlementDay>,
    /// What the whole office remitted to the treasury on this day, by remittance and item.
    pub remitted: Vec<RemittedItem>,
    /// What the whole office had collected by the end of this day and not remitted, by item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<OwedItem>,
    /// What people have to look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskPaper>,
    /// What people did to its runs, its differences, its refunds and its arrivals.
    pub acts: Vec<ActPaper>,
}

/// What people have to look at and nobody has closed: an incident without its particulars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskPaper {
    /// Its kind's word.
    pub kind: String,
    /// Since when.
    pub opened_at: Timestamp,
    /// The number of the refund or order that it is about, where it is about one.
    pub number: Option<String>,
}

/// A signature under a run. Its reason is free text and is not taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignaturePaper {
    /// Under which run.
    pub run_id: String,
    /// The step's word.
    pub event: String,
    /// Who took it.
    pub by: String,
    /// When.
    pub signed_at: Timestamp,
}

/// What a person did, without particulars.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActPaper {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What, in the word of the trail.
    pub action: String,
    /// To what.
    pub subject: String,
    /// The number of the refund or order that it is about, where it is about one.
    pub number: Option<String>,
}

/// How far a difference is worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingPaper {
    /// Its state.
    pub status: DifferenceState,
    /// Who has it.
    pub owner: Option<String>,
    /// What is proposed.
    pub remedy: Option<Remedy>,
}

/// A fee as the papers name it. The payer's name is masked, always.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeePaper {
    /// For which case.
    pub case_no: String,
    /// The treasury's notice, where there is one.
    pub notice_no: Option<String>,
    /// The payer's name, masked.
    pub payer: String,
    /// Which department issued it.
    pub department: Option<String>,
    /// What it is for, in the order in which it was priced.
    pub items: Vec<ItemPaper>,
}

/// One item of a fee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemPaper {
    /// Its code.
    pub code: String,
    /// Its name in Chinese.
    pub name: String,
    /// What was charged for it.
    pub amount: Fen,
}

/// What stands behind a row of the ledger; nothing where only the bill has the row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowPaper {
    /// Fees by their place among [`Papers::fees`], each with its part of the row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<(usize, Fen)>,
    /// What of the row settles no fee (多收).
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub surplus: Fen,
}

fn is_nothing(fen: &Fen) -> bool {
    *fen == Fen::ZERO
}

/// A refund with the people and the way behind it. Its reason is free text in which a name may
/// stand, and is not taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundPaper {
    /// The hub's number.
    pub out_refund_no: String,
    /// The number of the order whose money goes back.
    pub out_trade_no: String,
    /// The cases that it is about.
    pub case_nos: Vec<String>,
    /// How much.
    pub amount: Fen,
    /// How much of it settled no fee.
    pub surplus: Fen,
    /// `provider` or `treasury`.
    pub route: String,
    /// Whether it went to another account than the payer's first one.
    pub is_redirected: bool,
    /// Its state's word.
    pub state: String,
    /// Who asked for it; empty where nobody here did.
    pub requested_by: String,
    /// `hub`, or `portal` for one that was made in the provider's portal; papers of before have none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin: String,
    /// Who decided about it.
    pub decided_by: Option<String>,
    /// The e-bill that was cancelled for it (冲红), where somebody said so.
    pub red_flush: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was taken up by whoever pays it.
    pub accepted_at: Option<Timestamp>,
    /// When the payer had it.
    pub succeeded_at: Option<Timestamp>,
}

/// A doubt of another day that is open after this run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarriedPaper {
    /// The day of its money.
    pub day: Date,
    /// How many later bills have come without it.
    pub files: u32,
    /// The whole of it.
    pub finding: Finding,
}

/// A difference of another day that was open when this run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenPaper {
    /// Its id; empty on runs of older programs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// How far it is worked on, where somebody has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<StandingPaper>,
    /// The day of its money.
    pub first_day: Date,
    /// How far it is worked on.
    pub status: String,
    /// Its kind's word.
    pub kind: reconciliation::Kind,
    /// Payment or refund.
    pub direction: domain::bill::Direction,
    /// The hub's order number.
    pub out_trade_no: String,
    /// The hub's refund number; empty on payments.
    pub out_refund_no: String,
    /// The provider's payment number; empty where there is none.
    pub provider_trade_no: String,
    /// How it stands in the ledger, if it is there.
    pub hub_state: Option<reconciliation::LedgerState>,
    /// The amount in the ledger, if it is there.
    pub hub_amount: Option<Fen>,
    /// The amount in the bill, if it is there.
    pub bill_amount: Option<Fen>,
    /// Why it probably came to be.
    pub cause: reconciliation::Cause,
}

impl OpenPaper {
    /// What it is about: the larger amount.
    #[must_use]
    pub fn at_stake(&self) -> Fen {
        self.hub_amount.max(self.bill_amount).unwrap_or_default()
    }
}

/// How a day came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayPaper {
    /// The day.
    pub day: Date,
    /// Rows that both sides agree on.
    pub matched: i64,
    /// Doubts and differences.
    pub unmatched: i64,
}
