//! What people must look at.

use utoipa::ToSchema;

/// A page of incidents, newest first.
#[derive(Debug, ToSchema)]
pub struct IncidentPage {
    /// The incidents.
    pub data: Vec<Incident>,
    /// Give it back as `cursor`; null at the end.
    pub next_cursor: Option<String>,
}

/// Something that a person must look at.
#[derive(Debug, ToSchema)]
pub struct Incident {
    /// `inc_…`
    pub id: String,
    /// Such as surplus_payment or refund_abnormal.
    pub kind: String,
    /// open or closed.
    pub status: String,
    /// At which merchant, or over which channel; null when it is about an application's endpoint.
    pub merchant_id: Option<String>,
    /// Whose endpoint it is about.
    pub application_id: Option<String>,
    /// About which order.
    pub order_id: Option<String>,
    /// About which refund.
    pub refund_id: Option<String>,
    /// About which payment, where money came.
    pub payment_id: Option<String>,
    /// What exactly, without personal data.
    pub detail: String,
    /// What is proposed; null once it is closed.
    pub proposed_action: Option<ProposedAction>,
    /// Since when it is open.
    #[schema(format = DateTime)]
    pub opened_at: String,
    /// When it was closed.
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
    /// By whom: an application, a person, or payhub when the facts resolved it.
    pub closed_by: Option<String>,
    /// What came of it.
    pub note: Option<String>,
    /// How it had been closed each time before it happened again, oldest first.
    pub earlier: Vec<EarlierIncident>,
}

/// A time for which an incident was open before it happened again.
#[derive(Debug, ToSchema)]
pub struct EarlierIncident {
    /// From when.
    #[schema(format = DateTime)]
    pub opened_at: String,
    /// Until when.
    #[schema(format = DateTime)]
    pub closed_at: String,
    /// By whom it was closed.
    pub closed_by: Option<String>,
    /// What had come of it.
    pub note: Option<String>,
}

/// What is proposed for an incident; nothing is done by itself.
#[derive(Debug, ToSchema)]
pub struct ProposedAction {
    /// refund_surplus, refund_or_keep, redirect_refund, top_up, investigate or configure.
    pub action: String,
    /// The same as a sentence.
    pub text: String,
    /// For which order.
    pub order_id: Option<String>,
    /// For which refund.
    pub refund_id: Option<String>,
    /// For which payment.
    pub payment_id: Option<String>,
    /// How much is to be given back.
    pub amount_fen: Option<i64>,
}

/// Closes an incident.
#[derive(Debug, ToSchema)]
pub struct IncidentClose {
    /// What came of it: 1 to 500 characters, no personal data.
    pub note: String,
}
