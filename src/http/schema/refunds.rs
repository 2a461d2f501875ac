//! Refunds.

use utoipa::ToSchema;

use super::orders::Refused;
use super::treasury::TreasuryWay;

/// A part of a refund, by fee.
#[derive(Debug, ToSchema)]
pub struct Allocation {
    /// fee_….
    pub fee_id: String,
    /// How much.
    pub amount_fen: i64,
}

/// Money to be given back.
#[derive(Debug, ToSchema)]
pub struct RefundRequest {
    /// 1 to what is left of the payment.
    pub amount_fen: i64,
    /// 1 to 80 characters, as the payer reads it.
    pub reason: String,
    /// The backend's own number; one is made when absent.
    pub out_refund_no: Option<String>,
    /// From which fees; in the order of the order's `fee_ids` when absent.
    pub allocations: Option<Vec<Allocation>>,
    /// Whether the office found the error itself: the treasury's first limit is 5 working days then.
    pub found_by_office: Option<bool>,
}

/// Where an abnormal refund goes instead.
#[derive(Debug, ToSchema)]
pub struct RedirectRequest {
    /// `payer_card` or `merchant_account`.
    pub to: String,
    /// `payer_card`: the bank's short word at the provider.
    pub bank: Option<String>,
    /// `payer_card`: the card's number.
    pub card: Option<String>,
    /// `payer_card`: the card holder's name.
    pub holder: Option<String>,
}

/// A refund.
#[derive(Debug, ToSchema)]
pub struct Refund {
    /// rfd_….
    pub id: String,
    /// Of which order.
    pub order_id: String,
    /// From which payment.
    pub payment_id: String,
    /// Its number at the provider.
    pub out_refund_no: String,
    /// How much.
    pub amount_fen: i64,
    /// Why.
    pub reason: String,
    /// `pending_approval`, declined, submitted, unknown, processing, succeeded, failed or abnormal.
    pub status: String,
    /// From which fees.
    pub allocations: Vec<Allocation>,
    /// The part that comes out of surplus.
    pub surplus_fen: i64,
    /// Who asked; null for one that was made in the provider's portal.
    pub requested_by: Option<String>,
    /// `hub`, or `portal` for one that somebody made in the provider's portal past the hub.
    pub origin: String,
    /// Who decided.
    pub decided_by: Option<String>,
    /// The provider's number.
    pub provider_refund_no: Option<String>,
    /// When it was written.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Until when it waits for its turn: providers want a pause between two refunds of a payment.
    #[schema(format = DateTime)]
    pub send_after: Option<String>,
    /// When the provider accepted it.
    #[schema(format = DateTime)]
    pub accepted_at: Option<String>,
    /// When the money was back.
    #[schema(format = DateTime)]
    pub succeeded_at: Option<String>,
    /// Why the provider refused it.
    pub refused: Option<Refused>,
    /// `provider`, or `treasury` for money that was paid over to it.
    pub route: String,
    /// Whether the office found the error itself.
    pub found_by_office: bool,
    /// How it stands on the treasury's way; null on the other one, and before it begins.
    pub treasury: Option<TreasuryWay>,
}
