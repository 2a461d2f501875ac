//! What the hub knows of an order while its row is locked: all that a judgement may look at.

use domain::fee::FeeFacts;
use domain::ids::{FeeId, OrderId, OutRefundNo, OutTradeNo, PaymentId, ProviderTradeNo, RefundId};
use domain::journal::Share;
use domain::money::Fen;
use domain::order::OrderState;
use domain::refund::RefundState;

/// An order with its fees, payments and refunds.
#[derive(Clone, Debug)]
pub struct LockedOrder {
    /// The order.
    pub order_id: OrderId,
    /// Its number at the provider.
    pub out_trade_no: OutTradeNo,
    /// What was asked for.
    pub amount: Fen,
    /// Where it stands.
    pub state: OrderState,
    /// Its fees, in the order in which they were given.
    pub fees: Vec<LockedFee>,
    /// The payments on record.
    pub payments: Vec<LockedPayment>,
    /// The refunds on record.
    pub refunds: Vec<LockedRefund>,
}

/// A fee that an order pays for.
#[derive(Clone, Debug)]
pub struct LockedFee {
    /// The fee.
    pub fee_id: FeeId,
    /// What the order brings for it.
    pub allocated: Fen,
    /// How the fee stands, over all orders.
    pub facts: FeeFacts,
    /// What was paid over to the treasury, and comes back only from there.
    pub remitted: Fen,
    /// The part of what refunds hold or gave back that the treasury pays.
    pub treasury_refunding: Fen,
}

impl LockedFee {
    /// What a refund through the provider may still take: what was paid, without what was paid over
    /// to the treasury and what other refunds through the provider hold.
    #[must_use]
    pub fn left_at_provider(&self) -> Fen {
        let held = self.facts.refunding.minus(self.treasury_refunding);
        let left = self.facts.paid.minus(self.remitted);
        left.zip(held).and_then(|(left, held)| left.minus(held)).unwrap_or(Fen::ZERO)
    }
}

/// A payment on record.
#[derive(Clone, Debug)]
pub struct LockedPayment {
    /// The payment.
    pub payment_id: PaymentId,
    /// The provider's number.
    pub provider_trade_no: ProviderTradeNo,
    /// Its amount.
    pub amount: Fen,
    /// What refunds hold or gave back of it.
    pub refunding: Fen,
    /// The part that settles no fee.
    pub surplus: Fen,
    /// What refunds hold or gave back of that part.
    pub surplus_refunding: Fen,
    /// How the rest divides over fees.
    pub shares: Vec<Share>,
}

/// A refund on record.
#[derive(Clone, Debug)]
pub struct LockedRefund {
    /// The refund.
    pub refund_id: RefundId,
    /// Its number at the provider.
    pub out_refund_no: OutRefundNo,
    /// The payment that it takes from.
    pub payment_id: PaymentId,
    /// What it gives back.
    pub amount: Fen,
    /// Where it stands.
    pub state: RefundState,
    /// What it takes back from which fee; without a fee: from surplus.
    pub shares: Vec<Share>,
}
