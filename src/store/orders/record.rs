//! An order as it is stored, and what a judgement may look at of it.

use callbacks::{LockedFee, LockedOrder, LockedPayment, LockedRefund, PaymentEffect};
use domain::fact::Source;
use domain::fee::FeeFacts;
use domain::ids::{
    ApplicationId, CombinedId, FeeId, MerchantId, OrderId, OutRefundNo, OutTradeNo, PaymentId,
    ProviderTradeNo, RefundId,
};
use domain::journal::Share;
use domain::money::Fen;
use domain::order::{OrderState, OrderTransition};
use domain::provider::PaidThrough;
use domain::refund::RefundState;
use domain::treasury::Route;
use jiff::Timestamp;
use serde::Deserialize;

use super::NewOrder;
use crate::store::fees::Balance;

/// An order as stored, with fees, payments and refunds.
#[derive(Clone, Debug, Deserialize)]
pub struct OrderRecord {
    /// Its id.
    pub id: OrderId,
    /// Whose it is.
    pub application_id: ApplicationId,
    /// Through which merchant.
    pub merchant_id: MerchantId,
    /// On which way it is paid.
    pub provider: PaidThrough,
    /// The product's word.
    pub product: String,
    /// Its number.
    pub out_trade_no: OutTradeNo,
    /// What is to be paid.
    pub amount_fen: Fen,
    /// What the payer reads.
    pub subject: String,
    /// Where it stands.
    pub status: OrderState,
    /// What the payer needs.
    pub pay: Option<serde_json::Value>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
    /// When its provider gave what the payer needs.
    pub placed_at: Option<Timestamp>,
    /// Whom alone it was made for, unreadably, in hexadecimal.
    pub payer_index: Option<String>,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// Whether that was after it had been closed.
    pub paid_late: bool,
    /// The provider's number of the payment.
    pub provider_trade_no: Option<ProviderTradeNo>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// When another wallet took its place while its code stayed payable.
    pub superseded_at: Option<Timestamp>,
    /// When the call that places it last left, or was about to.
    pub placing_at: Option<Timestamp>,
    /// When the hub last asked the provider to take it back, at the counter.
    pub closing_at: Option<Timestamp>,
    /// Why the provider refused it.
    pub refused_reason: Option<String>,
    /// The provider's code.
    pub refused_code: Option<String>,
    /// The provider's text.
    pub refused_message: Option<String>,
    /// How often it was asked for since its state last moved.
    pub queries: i32,
    /// Until when somebody has its page open, as far as the hub knows.
    #[serde(default)]
    pub watched_until: Option<Timestamp>,
    /// Since when somebody wants it closed whose provider has not said that it is.
    #[serde(default)]
    pub close_wanted_at: Option<Timestamp>,
    /// How many closes of it got no answer.
    #[serde(default)]
    pub closes: i32,
    /// The whole of which it is a part, where several payees share one payment.
    #[serde(default)]
    pub combined: Option<PartOf>,
    /// Its fees.
    pub fees: Vec<AllocatedFee>,
    /// Its payments.
    pub payments: Vec<PaymentRecord>,
    /// Its refunds.
    pub refunds: Vec<OrderRefund>,
}

/// What makes an order a part of a combined order.
#[derive(Clone, Debug, Deserialize)]
pub struct PartOf {
    /// The whole.
    pub id: CombinedId,
    /// Through which merchant the whole is asked for.
    pub merchant_id: MerchantId,
    /// How the provider names who is paid by this part.
    pub payee: String,
}

/// A fee of an order.
#[derive(Clone, Debug, Deserialize)]
pub struct AllocatedFee {
    /// The fee.
    pub fee_id: FeeId,
    /// What the order brings for it.
    pub allocated_fen: Fen,
    total_fen: Fen,
    paid_fen: Fen,
    refunding_fen: Fen,
    refunded_fen: Fen,
    remitted_fen: Fen,
    treasury_refunding_fen: Fen,
    void: bool,
}

/// A payment of an order.
#[derive(Clone, Debug, Deserialize)]
pub struct PaymentRecord {
    /// Its id.
    pub id: PaymentId,
    /// The provider's number.
    pub provider_trade_no: ProviderTradeNo,
    /// Gross amount.
    pub amount_fen: Fen,
    /// The part that settles no fee.
    pub surplus_fen: Fen,
    /// When the payer paid.
    pub paid_at: Timestamp,
    /// Where it was first heard of.
    pub source: String,
    /// Held or given back by refunds.
    pub refunding_fen: Fen,
    /// Given back.
    pub refunded_fen: Fen,
    /// Of the surplus, held or given back by refunds.
    pub surplus_refunding_fen: Fen,
    /// How it divides over fees.
    pub shares: Vec<FeeShare>,
}

/// A part of a payment or refund that concerns a fee.
#[derive(Clone, Debug, Deserialize)]
pub struct FeeShare {
    /// The fee.
    pub fee_id: FeeId,
    /// The part.
    pub amount_fen: Fen,
}

/// A refund of an order.
#[derive(Clone, Debug, Deserialize)]
pub struct OrderRefund {
    /// Its id.
    pub id: RefundId,
    /// Its number.
    pub out_refund_no: OutRefundNo,
    /// From which payment.
    pub payment_id: PaymentId,
    /// How much.
    pub amount_fen: Fen,
    /// The part that comes out of surplus.
    pub surplus_fen: Fen,
    /// Where it stands.
    pub status: RefundState,
    /// When it last left for its provider.
    pub sent_at: Option<Timestamp>,
    /// Until when it waits for its turn.
    pub send_after: Option<Timestamp>,
    /// By which way it reaches the payer.
    #[serde(default)]
    pub route: Route,
    /// From which fees.
    pub shares: Vec<FeeShare>,
}

impl PaymentRecord {
    /// A payment that was just heard of, as it will stand.
    #[must_use]
    pub fn new(id: PaymentId, effect: &PaymentEffect, source: Source) -> Self {
        let share = |share: &Share| {
            Some(FeeShare { fee_id: share.fee_id.clone()?, amount_fen: share.amount_fen })
        };
        Self {
            id,
            provider_trade_no: effect.provider_trade_no.clone(),
            amount_fen: effect.amount,
            surplus_fen: effect.surplus(),
            paid_at: effect.paid_at,
            source: source.as_str().to_owned(),
            refunding_fen: Fen::ZERO,
            refunded_fen: Fen::ZERO,
            surplus_refunding_fen: Fen::ZERO,
            shares: effect.shares.iter().filter_map(share).collect(),
        }
    }
}

impl AllocatedFee {
    fn new(balance: &Balance, allocated: Fen) -> Self {
        Self {
            fee_id: balance.fee_id.clone(),
            allocated_fen: allocated,
            total_fen: balance.facts.total,
            paid_fen: balance.facts.paid,
            refunding_fen: balance.facts.refunding,
            refunded_fen: balance.facts.refunded,
            remitted_fen: balance.remitted,
            treasury_refunding_fen: balance.treasury_refunding,
            void: balance.facts.void,
        }
    }

    /// The facts that the fee's status follows from.
    #[must_use]
    pub fn facts(&self) -> FeeFacts {
        FeeFacts {
            total: self.total_fen,
            paid: self.paid_fen,
            refunding: self.refunding_fen,
            refunded: self.refunded_fen,
            void: self.void,
        }
    }
}

/// The shares of a refund or payment, surplus last.
#[must_use]
pub fn shares(fees: &[FeeShare], surplus: Fen) -> Vec<Share> {
    let surplus = (surplus > Fen::ZERO).then_some(Share { fee_id: None, amount_fen: surplus });
    fees.iter()
        .map(|share| Share { fee_id: Some(share.fee_id.clone()), amount_fen: share.amount_fen })
        .chain(surplus)
        .collect()
}

impl OrderRecord {
    /// An order that was just written down for fees that stand as in `balances`.
    #[must_use]
    pub fn new(order: &NewOrder<'_>, payer_index: Option<String>, balances: &[Balance]) -> Self {
        let fee = |(fee_id, allocated): &(FeeId, Fen)| {
            let balance = balances.iter().find(|balance| balance.fee_id == *fee_id)?;
            Some(AllocatedFee::new(balance, *allocated))
        };
        Self {
            id: order.order_id.clone(),
            application_id: order.application_id.clone(),
            merchant_id: order.merchant_id.clone(),
            provider: order.provider.into(),
            product: order.product.to_owned(),
            out_trade_no: order.out_trade_no.clone(),
            amount_fen: order.amount,
            subject: order.subject.to_owned(),
            status: OrderState::Created,
            pay: None,
            created_at: order.now,
            expires_at: order.expires_at,
            placed_at: None,
            payer_index,
            paid_at: None,
            paid_late: false,
            provider_trade_no: None,
            closed_at: None,
            superseded_at: None,
            placing_at: order.placing_at,
            closing_at: None,
            refused_reason: None,
            refused_code: None,
            refused_message: None,
            queries: 0,
            watched_until: None,
            close_wanted_at: None,
            closes: 0,
            combined: None,
            fees: order.allocations.iter().filter_map(fee).collect(),
            payments: Vec::new(),
            refunds: Vec::new(),
        }
    }

    /// Counts a payment towards a fee that this order is for as well; other fees stay as they are.
    pub fn credit(&mut self, fee_id: &FeeId, amount: Fen) {
        for fee in self.fees.iter_mut().filter(|fee| fee.fee_id == *fee_id) {
            fee.paid_fen = fee.paid_fen.plus(amount).unwrap_or(fee.paid_fen);
        }
    }

    /// Books a payment of it, as it is stored: with `pays`, it makes the order paid.
    pub fn book(&mut self, payment: PaymentRecord, pays: bool, late: bool) {
        if let Some(Ok(paid)) = pays.then(|| self.status.after(OrderTransition::Pay)) {
            self.status = paid;
            self.paid_at = Some(payment.paid_at);
            self.paid_late = late;
            self.provider_trade_no = Some(payment.provider_trade_no.clone());
        }
        self.payments.push(payment);
    }

    /// Whether another payment has settled a fee for which this order still asks money.
    #[must_use]
    pub fn is_overtaken(&self) -> bool {
        self.fees.iter().any(|fee| fee.facts().outstanding() < fee.allocated_fen)
    }

    /// Whether it must be closed before its time is over: another payment has overtaken it, or
    /// somebody wants it closed. It is not placed again, and not given out again.
    #[must_use]
    pub fn is_to_be_closed(&self) -> bool {
        self.close_wanted_at.is_some() || self.is_overtaken()
    }

    /// What a judgement may look at.
    #[must_use]
    pub fn books(&self) -> LockedOrder {
        LockedOrder {
            order_id: self.id.clone(),
            out_trade_no: self.out_trade_no.clone(),
            amount: self.amount_fen,
            state: self.status,
            fees: self
                .fees
                .iter()
                .map(|fee| LockedFee {
                    fee_id: fee.fee_id.clone(),
                    allocated: fee.allocated_fen,
                    facts: fee.facts(),
                    remitted: fee.remitted_fen,
                    treasury_refunding: fee.treasury_refunding_fen,
                })
                .collect(),
            payments: self
                .payments
                .iter()
                .map(|payment| LockedPayment {
                    payment_id: payment.id.clone(),
                    provider_trade_no: payment.provider_trade_no.clone(),
                    amount: payment.amount_fen,
                    refunding: payment.refunding_fen,
                    surplus: payment.surplus_fen,
                    surplus_refunding: payment.surplus_refunding_fen,
                    shares: shares(&payment.shares, Fen::ZERO),
                })
                .collect(),
            // What the treasury pays is no provider's matter: none can say anything about it.
            refunds: self
                .refunds
                .iter()
                .filter(|refund| refund.route == Route::Provider)
                .map(|refund| LockedRefund {
                    refund_id: refund.id.clone(),
                    out_refund_no: refund.out_refund_no.clone(),
                    payment_id: refund.payment_id.clone(),
                    amount: refund.amount_fen,
                    state: refund.status,
                    shares: shares(&refund.shares, refund.surplus_fen),
                })
                .collect(),
        }
    }
}
