//! Remittances to the treasury, and the way of a refund through it.

use utoipa::ToSchema;

use super::refunds::Allocation;

/// Collected fees that were paid over to the treasury.
#[derive(Debug, ToSchema)]
pub struct RemittanceRequest {
    /// On which day the money left; not in the future, nor before a fee was paid.
    #[schema(format = Date)]
    pub remitted_on: String,
    /// The number of the paper that it left with: 1 to 64 characters, used once.
    pub reference: String,
    /// 1 to 1000 fees, each with all that was collected and is not being refunded.
    pub fee_ids: Vec<String>,
}

/// What of a remittance had come through one merchant.
#[derive(Debug, ToSchema)]
pub struct MerchantShare {
    /// A configured merchant.
    pub merchant_id: String,
    /// How much.
    pub amount_fen: i64,
}

/// A remittance.
#[derive(Debug, ToSchema)]
pub struct Remittance {
    /// rmt_….
    pub id: String,
    /// The number of its paper.
    pub reference: String,
    /// On which day the money left.
    #[schema(format = Date)]
    pub remitted_on: String,
    /// All of it.
    pub amount_fen: i64,
    /// What of which fee.
    pub fees: Vec<Allocation>,
    /// What had come through which merchant.
    pub merchants: Vec<MerchantShare>,
    /// When the hub was told.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// That it was taken back; null while it stands.
    pub reversal: Option<RemittanceReversal>,
}

/// A remittance that is to be taken back.
#[derive(Debug, ToSchema)]
pub struct ReversalRequest {
    /// What was told wrongly, in 1 to 200 characters.
    pub reason: String,
}

/// That a remittance was taken back.
#[derive(Debug, ToSchema)]
pub struct RemittanceReversal {
    /// Why.
    pub reason: String,
    /// When the hub was told.
    #[schema(format = DateTime)]
    pub reversed_at: String,
}

/// Remittances, newest first.
#[derive(Debug, ToSchema)]
pub struct RemittancePage {
    /// The remittances.
    pub data: Vec<Remittance>,
    /// The `cursor` of the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// What of a remittance is of one item of the treasury.
#[derive(Debug, ToSchema)]
pub struct RemittedItem {
    /// On which day it left.
    #[schema(format = Date)]
    pub remitted_on: String,
    /// The number of its paper.
    pub reference: String,
    /// rmt_….
    pub remittance_id: String,
    /// The treasury's code; null where the configuration names none for the fee item.
    pub fiscal_item: Option<String>,
    /// The treasury's name, else the fee item's.
    pub fiscal_name: String,
    /// Of how many fees.
    pub fees: i64,
    /// How much.
    pub amount_fen: i64,
    /// The debit at the bank that the remittance is; null while that is not known.
    pub bank_serial: Option<String>,
}

/// What was remitted on a day.
#[derive(Debug, ToSchema)]
pub struct RemittedItems {
    /// By remittance and item; the rows of a remittance come to it.
    pub data: Vec<RemittedItem>,
}

/// A step of a refund through the treasury.
#[derive(Debug, ToSchema)]
pub struct TreasuryStepRequest {
    /// verified, approved, paid, returned or rejected.
    pub event: String,
    /// On which day; not in the future, nor before the step that it follows.
    #[schema(format = Date)]
    pub occurred_on: String,
    /// Who did it. Who asks, who verifies, who approves and who pays are four people; who decided on
    /// the refund neither approves nor pays.
    pub by: String,
    /// The number of the paper that says so.
    pub document_no: Option<String>,
    /// A note on the fiscal e-bill's red flush.
    pub red_flush: Option<String>,
    /// Why; a return and a rejection need it.
    pub reason: Option<String>,
}

/// A step as it was told.
#[derive(Debug, ToSchema)]
pub struct TreasuryStep {
    /// applied, verified, approved, paid, returned or rejected.
    pub event: String,
    /// On which day.
    #[schema(format = Date)]
    pub occurred_on: String,
    /// Who did it.
    pub by: String,
    /// The number of the paper that says so.
    pub document_no: Option<String>,
    /// A note on the fiscal e-bill's red flush.
    pub red_flush: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When the hub was told.
    #[schema(format = DateTime)]
    pub told_at: String,
}

/// The way of a refund through the treasury.
#[derive(Debug, ToSchema)]
pub struct TreasuryWay {
    /// applied, `unit_verified`, `finance_approved`, paid, returned or rejected.
    pub state: String,
    /// The last day of the next step; null at the end.
    #[schema(format = Date)]
    pub due_on: Option<String>,
    /// Whether that day rests on days that are not announced yet.
    pub provisional: bool,
    /// Whether that day is over.
    pub overdue: bool,
    /// What happened, in order.
    pub steps: Vec<TreasuryStep>,
}
