//! Bank statements, their lines, and what is expected to arrive.

use serde_json::Value;
use utoipa::ToSchema;

/// A bank statement as it was taken in.
#[derive(Debug, ToSchema)]
pub struct BankStatement {
    /// bst_….
    pub id: String,
    /// The file's SHA-256.
    pub sha256: String,
    /// When it was taken in.
    #[schema(format = DateTime)]
    pub imported_at: String,
    /// How many rows it has.
    pub rows: i64,
    /// How many of them were booked with it.
    pub booked: i64,
    /// How many were on record before, or stand in it twice.
    pub known: i64,
    /// What came in, by all its rows.
    pub in_fen: i64,
    /// What went out, by all its rows.
    pub out_fen: i64,
    /// How many of the credits booked with it are matched.
    pub matched: i64,
    /// For how many something is proposed.
    pub proposed: i64,
    /// How many nothing explains.
    pub unmatched: i64,
}

/// A line of a bank statement.
#[derive(Debug, ToSchema)]
pub struct BankLine {
    /// The bank's number of it.
    pub bank_serial: String,
    /// bst_….
    pub statement_id: String,
    /// The line of the file on which it began.
    pub row: i64,
    /// When the money counts.
    #[schema(format = Date)]
    pub value_date: String,
    /// in or out.
    pub direction: String,
    /// How much.
    pub amount_fen: i64,
    /// What the bank says of it.
    pub reference: String,
    /// Who stands on the other side, masked.
    pub counter_name: String,
    /// The end of his account's number.
    pub counter_account: String,
    /// matched, proposed or unmatched.
    pub status: String,
    /// `settlement_short`, `settlement_over`, `fee_taken_from_principal` or `bank_unknown_credit`.
    pub cause: Option<String>,
    /// What it is: id, settlements, `expected_fen`, `difference_fen`, cause, who said so and why.
    #[schema(value_type = Option<Object>)]
    pub r#match: Value,
    /// The remittance to the treasury that a debit is; null where none is known.
    pub remittance_id: Option<String>,
    /// Which payers' statements it pays: id, `order_id`, statements, `claimed_by`, reason, `matched_at`.
    #[schema(value_type = Option<Object>)]
    pub payer_match: Value,
    /// Which it may pay: statements, numbers, account, `open_fen`, `difference_fen`, cause,
    /// `proposed_action`.
    #[schema(value_type = Option<Vec<Object>>)]
    pub payer_candidates: Value,
    /// What it may be: settlements, account, days, `expected_fen`, `difference_fen`, cause.
    #[schema(value_type = Option<Vec<Object>>)]
    pub candidates: Value,
    /// Whether there can be no other candidate that fits to the fen; false: not searched further.
    pub searched_whole: Option<bool>,
}

/// Lines, newest first.
#[derive(Debug, ToSchema)]
pub struct BankLinePage {
    /// The lines.
    pub data: Vec<BankLine>,
    /// The `cursor` of the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// What a provider is expected to settle of an account's bill day.
#[derive(Debug, ToSchema)]
pub struct SettlementDay {
    /// stl_….
    pub settlement_id: String,
    /// Provider and number of the account.
    pub account: String,
    /// The merchants whose money it is.
    pub merchants: Vec<String>,
    /// The bill's day.
    #[schema(format = Date)]
    pub bill_date: String,
    /// On which bank day it is due.
    #[schema(format = Date)]
    pub due_on: String,
    /// The run that said so.
    pub run_id: String,
    /// Payments by the bill, without coupons of the merchant.
    pub payments_fen: i64,
    /// Refunds by the bill.
    pub refunds_fen: i64,
    /// The provider's charge.
    pub fee_fen: i64,
    /// What is expected: payments less refunds, gross.
    pub net_fen: i64,
    /// Whether the bank's statements reach two bank days beyond its day and nothing has come.
    pub is_late: bool,
    /// Whether the day on which it is due rests on a calendar that is not announced yet.
    pub due_is_provisional: bool,
    /// What a later version of the day's run expects since the money has arrived for another sum:
    /// `run_id`, `payments_fen`, `refunds_fen`, `fee_fen`, `net_fen`; null: nothing else.
    #[schema(value_type = Option<Object>)]
    pub changed: Value,
    /// The credit that is this: `match_id`, `bank_serial`, `value_date`, `credit_fen`, days,
    /// `expected_fen`, `difference_fen`, cause, `claimed_by`, `confirmed_by`, reason.
    #[schema(value_type = Option<Object>)]
    pub arrival: Value,
}

/// Settlements, in the order of days.
#[derive(Debug, ToSchema)]
pub struct SettlementPage {
    /// The settlements.
    pub data: Vec<SettlementDay>,
    /// The `cursor` of the next page; null at the end.
    pub next_cursor: Option<String>,
}
