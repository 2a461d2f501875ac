//! Statements of payers who pay by the month.

use serde_json::Value;
use utoipa::ToSchema;

/// The statement of a payer's month.
#[derive(Debug, ToSchema)]
pub struct PayerStatement {
    /// pst_….
    pub id: String,
    /// The number that a transfer names.
    pub number: String,
    /// The payer's account, as configured.
    pub account: String,
    /// The name on the statement.
    pub account_name: String,
    /// Whose fees it charges.
    pub application_id: String,
    /// YYYY-MM.
    pub month: String,
    /// The sum of its charges, as printed.
    pub total_fen: i64,
    /// What of that was withdrawn since.
    pub voided_fen: i64,
    /// What is still owed.
    pub open_fen: i64,
    /// When it is due.
    #[schema(format = Date)]
    pub due_on: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub made_at: String,
    /// open, paid or nothing_owed.
    pub status: String,
    /// Whether it is owed beyond its day.
    pub is_overdue: bool,
    /// match_id, claimed_by, reason, matched_at, and its transfers, each with bank_serial, value_date,
    /// amount_fen and order_id; null while nothing came.
    pub payment: Option<Value>,
    /// Each with position, fee_id, kind (charge, void, refund), amount_fen, case_no, issued_at, items,
    /// is_void and charged_on (the number of the statement that a correction is about). Null in lists.
    pub lines: Option<Vec<Value>>,
}

/// A page of statements.
#[derive(Debug, ToSchema)]
pub struct PayerStatementPage {
    /// The statements, without their lines.
    pub data: Vec<PayerStatement>,
    /// For the next page; null at the end.
    pub next_cursor: Option<String>,
}
