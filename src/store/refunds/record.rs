//! A refund as it is stored.

use domain::ids::{
    ApplicationId, MerchantId, OrderId, OutRefundNo, OutTradeNo, PaymentId, RefundId,
};
use domain::money::Fen;
use domain::refund::{RefundOrigin, RefundState};
use domain::treasury::{Route, TreasuryEvent, TreasuryState};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use crate::store::orders::FeeShare;

/// A refund as stored.
#[derive(Clone, Debug, Deserialize)]
pub struct RefundRecord {
    /// Its id.
    pub id: RefundId,
    /// Whose it is.
    pub application_id: ApplicationId,
    /// Through which merchant.
    pub merchant_id: MerchantId,
    /// Of which order.
    pub order_id: OrderId,
    /// From which payment.
    pub payment_id: PaymentId,
    /// The order's number.
    pub out_trade_no: OutTradeNo,
    /// Its number.
    pub out_refund_no: OutRefundNo,
    /// How much.
    pub amount_fen: Fen,
    /// The part that comes out of surplus.
    pub surplus_fen: Fen,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub status: RefundState,
    /// Who asked; nobody here, where it was made in the provider's portal.
    pub requested_by: Option<String>,
    /// Whether it was asked for here or made in the provider's portal.
    #[serde(default)]
    pub origin: RefundOrigin,
    /// Who decided.
    pub decided_by: Option<String>,
    /// The provider's number.
    pub provider_refund_no: Option<String>,
    /// Why the provider refused it.
    pub refused_reason: Option<String>,
    /// The provider's code.
    pub refused_code: Option<String>,
    /// The provider's text.
    pub refused_message: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When the provider accepted it.
    pub accepted_at: Option<Timestamp>,
    /// When the money was back.
    pub succeeded_at: Option<Timestamp>,
    /// When it last left for its provider: written before it leaves.
    pub sent_at: Option<Timestamp>,
    /// Until when it waits for its turn: providers want a pause between two refunds of a payment.
    pub send_after: Option<Timestamp>,
    /// When it was last sent to another account, while nobody knows that this came to nothing.
    pub redirected_at: Option<Timestamp>,
    /// How often it was asked for since its state last moved.
    pub queries: i32,
    /// By which way it reaches the payer.
    pub route: Route,
    /// Whether the office found the error itself.
    pub found_by_office: bool,
    /// The steps of its way through the treasury, in their order.
    pub steps: Vec<TreasuryStep>,
    /// From which fees.
    pub allocations: Vec<FeeShare>,
}

/// A step of a refund through the treasury (退付).
#[derive(Clone, Debug, Deserialize)]
pub struct TreasuryStep {
    /// What happened.
    pub event: TreasuryEvent,
    /// On which day.
    pub occurred_on: Date,
    /// Who did it.
    pub by: String,
    /// The number of the paper that says so.
    pub document_no: Option<String>,
    /// A note on the fiscal e-bill's red flush (冲红).
    pub red_flush: Option<String>,
    /// Why, where it came back or was rejected.
    pub reason: Option<String>,
    /// When the hub was told.
    pub told_at: Timestamp,
}

impl RefundRecord {
    /// Where it stands on its way through the treasury, and since which day; `None` before that
    /// begins.
    #[must_use]
    pub fn treasury(&self) -> Option<(TreasuryState, Date)> {
        self.steps.iter().fold(None, |so_far, step| {
            let from = so_far.map(|(state, _)| state);
            let after = TreasuryState::after(from, step.event).ok()?;
            Some((after, step.occurred_on))
        })
    }
}
