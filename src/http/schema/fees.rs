//! Fees and quotes.

use utoipa::ToSchema;

/// One thing to price.
#[derive(Debug, ToSchema)]
pub struct QuoteItem {
    /// The item's code, e.g. `REG.RES`.
    pub code: String,
    /// 1 to 1000.
    pub quantity: u32,
    /// first, transfer, change, correction, objection, seizure, cancellation, `advance_notice`,
    /// mortgage, easement or reissue.
    pub registration_type: Option<String>,
    /// individual, `small_micro`, `self_employed`, enterprise or `rural_collective_member`.
    pub applicant_class: Option<String>,
    /// spouses, `re_division`, `office_error`, `lost_or_damaged` or homestead.
    pub reason: Option<String>,
    /// Names of the papers at hand.
    pub evidence: Option<Vec<String>>,
}

/// What is to be priced.
#[derive(Debug, ToSchema)]
pub struct QuoteRequest {
    /// At most 100.
    pub items: Vec<QuoteItem>,
    /// The day of acceptance; the case's when absent, else today.
    #[schema(format = Date)]
    pub accepted_on: Option<String>,
    /// The case whose day of acceptance counts, if the hub was told of it.
    pub case_no: Option<String>,
}

/// A priced list of items.
#[derive(Debug, ToSchema)]
pub struct Quote {
    /// The schedule.
    pub schedule_id: String,
    /// Its version in force on the day of acceptance.
    pub schedule_version: String,
    /// The day of acceptance.
    #[schema(format = Date)]
    pub accepted_on: String,
    /// One line an item.
    pub lines: Vec<QuoteLine>,
    /// The sum.
    pub total_fen: i64,
    /// The circulars and clauses, each once.
    pub legal_basis: Vec<String>,
    /// The rules that changed a price.
    pub rule_ids: Vec<String>,
    /// Whether all of it was compared with the circulars' own text.
    pub verified: bool,
}

/// A priced item with its trace.
#[derive(Debug, ToSchema)]
pub struct QuoteLine {
    /// The item's code.
    pub code: String,
    /// Its name in Chinese.
    pub name: String,
    /// What is counted.
    pub unit: String,
    /// How many.
    pub quantity: u32,
    /// The price of one before any reduction.
    pub standard_fen: i64,
    /// The price of one.
    pub unit_fen: i64,
    /// The line's sum.
    pub amount_fen: i64,
    /// What was done to the price.
    pub effect: String,
    /// The rule that did it.
    pub rule_id: Option<String>,
    /// What the rule says.
    pub rule_name: Option<String>,
    /// The legal basis.
    pub basis: String,
    /// Whether item and rule were compared with the circular's own text.
    pub verified: bool,
    /// The paper that the reduction needs and that was not named.
    pub evidence_missing: Option<String>,
    /// As asked.
    pub registration_type: Option<String>,
    /// As asked.
    pub applicant_class: Option<String>,
    /// As asked.
    pub reason: Option<String>,
    /// As asked.
    pub evidence: Option<Vec<String>>,
}

/// Who pays. Sealed when stored, shown masked.
#[derive(Debug, ToSchema)]
pub struct Payer {
    /// 1 to 100 characters.
    pub name: String,
    /// A mainland mobile number, or + and an international number.
    pub phone: Option<String>,
    /// Number of an identity paper.
    pub id_no: Option<String>,
    /// At WeChat.
    pub openid: Option<String>,
    /// At Alipay.
    pub alipay_user_id: Option<String>,
    /// The language of messages; zh-CN when absent.
    pub locale: Option<String>,
}

/// A fee to be issued.
#[derive(Debug, ToSchema)]
pub struct FeeRequest {
    /// The case, which may not be known yet.
    pub case_no: String,
    /// The day of acceptance; the case's when absent, else today.
    #[schema(format = Date)]
    pub accepted_on: Option<String>,
    /// What is charged.
    pub items: Vec<QuoteItem>,
    /// The caller's own sum, which must agree.
    pub total_fen: Option<i64>,
    /// Who pays.
    pub payer: Payer,
    /// Which department issues it.
    pub department: Option<String>,
    /// When it must be paid.
    #[schema(format = Date)]
    pub due_on: Option<String>,
    /// The payment notice's number, at most 32 characters.
    pub notice_no: Option<String>,
    /// The account that pays it by the month; absent: it is paid through orders.
    pub payer_account: Option<String>,
}

/// The payer for people's eyes.
#[derive(Debug, ToSchema)]
pub struct MaskedPayer {
    /// `张*`.
    pub name: String,
    /// `138****1234`.
    pub phone: Option<String>,
}

/// A fee.
#[derive(Debug, ToSchema)]
pub struct Fee {
    /// fee_….
    pub id: String,
    /// The case.
    pub case_no: String,
    /// The day of acceptance.
    #[schema(format = Date)]
    pub accepted_on: String,
    /// What is owed in all.
    pub total_fen: i64,
    /// issued, `partially_paid`, paid, refunding, `partially_refunded`, refunded, void or zero.
    pub status: String,
    /// What is still owed.
    pub outstanding_fen: i64,
    /// What was paid.
    pub paid_fen: i64,
    /// What was given back.
    pub refunded_fen: i64,
    /// What was paid over to the treasury; it goes back through the treasury.
    pub remitted_fen: i64,
    /// Who pays.
    pub payer: MaskedPayer,
    /// The department.
    pub department: Option<String>,
    /// When it must be paid.
    #[schema(format = Date)]
    pub due_on: Option<String>,
    /// The payment notice's number.
    pub notice_no: Option<String>,
    /// The order that may still pay it.
    pub live_order_id: Option<String>,
    /// immediate, or monthly where an account pays it.
    pub billing: String,
    /// The account that pays it by the month.
    pub payer_account: Option<String>,
    /// The payer's statement that charges it, pst_….
    pub statement_id: Option<String>,
    /// When it was issued.
    #[schema(format = DateTime)]
    pub issued_at: String,
    /// When it was withdrawn.
    #[schema(format = DateTime)]
    pub voided_at: Option<String>,
    /// The schedule.
    pub schedule_id: String,
    /// Its version.
    pub schedule_version: String,
    /// The priced lines.
    pub lines: Vec<QuoteLine>,
    /// The circulars and clauses.
    pub legal_basis: Vec<String>,
    /// The rules that changed a price.
    pub rule_ids: Vec<String>,
    /// Whether all of it was compared with the circulars' own text.
    pub verified: bool,
}

/// A page of fees.
#[derive(Debug, ToSchema)]
pub struct FeePage {
    /// Oldest first.
    pub data: Vec<Fee>,
    /// The `cursor` of the next page; null at the end.
    pub next_cursor: Option<String>,
}
