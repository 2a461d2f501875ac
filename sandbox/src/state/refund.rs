//! A refund as a provider keeps it.

use domain::Fen;
use domain::provider::Provider;
use jiff::Timestamp;
use serde_json::Value;

use super::{Order, Payment, Sub};

/// How a refund ends once it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The payer has the money.
    Success,
    /// The payer's account refused it; no money moved.
    Abnormal,
    /// The provider gave it up; no money moved.
    Closed,
}

/// How a refund stands at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Accepted, not yet arrived.
    Processing,
    /// Arrived.
    Success,
    /// Refused by the payer's account.
    Abnormal,
    /// Given up.
    Closed,
}

/// A refund (退款) as a provider keeps it. Made by [`Refund::new`] and struct update.
#[derive(Clone)]
pub(crate) struct Refund {
    pub(crate) provider: Provider,
    pub(crate) merchant: String,
    pub(crate) out_trade_no: String,
    pub(crate) trade_no: String,
    pub(crate) out_refund_no: String,
    /// The provider's own number.
    pub(crate) refund_no: String,
    pub(crate) amount: Fen,
    /// What the payment was.
    pub(crate) total: Fen,
    /// How much of the amount is coupon, which no payer gets back as money.
    pub(crate) coupon: Fen,
    /// What of the payment was coupon.
    pub(crate) total_coupon: Fen,
    /// On whose behalf, in service-provider mode.
    pub(crate) sub: Option<Sub>,
    /// Where the provider calls back.
    pub(crate) notify_url: Option<String>,
    /// Whether it takes back an order at the counter (撤销) and was never asked for as a refund.
    pub(crate) reversal: bool,
    /// Whether it was made in the portal.
    pub(crate) portal: bool,
    /// The parameters of the first request.
    pub(crate) terms: Value,
    pub(crate) accepted_at: Timestamp,
    pub(crate) done_at: Timestamp,
    pub(crate) ending: Ending,
}

impl Refund {
    /// A refund of a payment of an order that arrives at once.
    pub(crate) fn new(order: &Order, payment: &Payment, amount: Fen, now: Timestamp) -> Self {
        Self {
            provider: order.provider,
            merchant: order.merchant.clone(),
            out_trade_no: order.out_trade_no.clone(),
            trade_no: payment.trade_no.clone(),
            out_refund_no: String::new(),
            refund_no: String::new(),
            amount,
            total: payment.amount,
            coupon: Fen::ZERO,
            total_coupon: payment.coupon,
            sub: order.sub.clone(),
            notify_url: None,
            reversal: false,
            portal: false,
            terms: Value::Null,
            accepted_at: now,
            done_at: now,
            ending: Ending::Success,
        }
    }

    /// Whether it was made on behalf of that sub-merchant, or of none.
    pub(crate) fn is_for(&self, sub_mchid: Option<&str>) -> bool {
        self.sub.as_ref().map(|sub| sub.mchid.as_str()) == sub_mchid
    }

    /// How it stands at `now`.
    pub(crate) fn standing(&self, now: Timestamp) -> Standing {
        match self.ending {
            _ if now < self.done_at => Standing::Processing,
            Ending::Success => Standing::Success,
            Ending::Abnormal => Standing::Abnormal,
            Ending::Closed => Standing::Closed,
        }
    }
}
