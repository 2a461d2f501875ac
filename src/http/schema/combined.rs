//! Combined orders.

use utoipa::ToSchema;

use super::{Order, OrderPayer, Pay, Refused};

/// Fees of several payees, to be paid as one.
#[derive(Debug, ToSchema)]
pub struct CombinedRequest {
    /// Who asks the provider and is called back, as configured.
    pub merchant_id: String,
    /// native, jsapi, h5 or app.
    pub product: String,
    /// 2 to 10 payees.
    pub parts: Vec<CombinedPart>,
    /// Who pays; the openid is that of the asking merchant's application.
    pub payer: Option<OrderPayer>,
    /// Where the payer's browser goes afterwards.
    pub return_url: Option<String>,
    /// 60 to 604800 seconds; 7200 when absent.
    pub expires_in_s: Option<i64>,
}

/// One payee's part.
#[derive(Debug, ToSchema)]
pub struct CombinedPart {
    /// The payee, as configured: a merchant of the same provider, once.
    pub merchant_id: String,
    /// The fees that are paid to it, each paid off whole; 50 at most over all parts.
    pub fee_ids: Vec<String>,
    /// What the payer reads.
    pub subject: Option<String>,
}

/// A combined order.
#[derive(Debug, ToSchema)]
pub struct Combined {
    /// cmb_….
    pub id: String,
    /// Through which merchant the provider was asked.
    pub merchant_id: String,
    /// As asked.
    pub product: String,
    /// The hub's number of the whole at the provider; each part has its own.
    pub out_trade_no: String,
    /// As the part that is least far: paid when all parts are.
    pub status: String,
    /// The sum of the parts.
    pub amount_fen: i64,
    /// When it was written.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Until when it may be paid.
    #[schema(format = DateTime)]
    pub expires_at: String,
    /// What the payer needs, for all parts at once.
    pub pay: Option<Pay>,
    /// Why the provider refused it.
    pub refused: Option<Refused>,
    /// The parts, in order: each is an order with its own payment and refunds.
    pub orders: Vec<Order>,
}
