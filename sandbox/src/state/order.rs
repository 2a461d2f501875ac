//! An order as a provider keeps it, its payments, and orders that are paid as one.

use domain::Fen;
use domain::provider::Provider;
use jiff::Timestamp;
use serde_json::Value;

use super::{OnlyPayer, OrderKey, RefundKey};

/// On whose behalf a service provider ordered (服务商模式).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sub {
    /// The sub-merchant's number.
    pub(crate) mchid: String,
    /// Its own application, where the order names one.
    pub(crate) appid: Option<String>,
}

/// An order (订单) as a provider keeps it. Made by [`Order::new`] and struct update.
pub(crate) struct Order {
    pub(crate) provider: Provider,
    /// mchid or `app_id`.
    pub(crate) merchant: String,
    pub(crate) out_trade_no: String,
    pub(crate) subject: String,
    pub(crate) amount: Fen,
    /// The provider's word for how it is paid: `NATIVE`, `JSAPI`, `MWEB`, `APP`, `MICROPAY`; for
    /// Alipay its product code.
    pub(crate) product: &'static str,
    /// On whose behalf, in service-provider mode; `merchant` is then the service provider.
    pub(crate) sub: Option<Sub>,
    /// The combined order that it is a part of: (combine mchid, combine number).
    pub(crate) whole: Option<OrderKey>,
    /// `openid` or buyer id that the order names.
    pub(crate) payer: Option<String>,
    /// Who alone may pay.
    pub(crate) only_payer: Option<OnlyPayer>,
    /// `attach` or `passback_params`, echoed.
    pub(crate) attach: Option<String>,
    pub(crate) notify_url: Option<String>,
    /// The parameters of the first request: a repeat must be identical.
    pub(crate) terms: Value,
    pub(crate) created_at: Timestamp,
    /// When it can no longer be paid.
    pub(crate) expires_at: Timestamp,
    /// The code that is valid now; each repeat of the order makes a fresh one.
    pub(crate) code: String,
    pub(crate) code_expires_at: Timestamp,
    /// How many codes it has had.
    pub(crate) codes: u32,
    /// The provider's number of the trade, once there is one.
    pub(crate) trade_no: String,
    /// When the payer's wallet first opened the code. For Alipay there is no trade before.
    pub(crate) scanned_at: Option<Timestamp>,
    pub(crate) closed_at: Option<Timestamp>,
    /// More than one only when a payer was made to pay twice.
    pub(crate) payments: Vec<Payment>,
    pub(crate) refunds: Vec<RefundKey>,
}

/// A payment (支付): money that moved.
#[derive(Clone)]
pub(crate) struct Payment {
    pub(crate) trade_no: String,
    pub(crate) amount: Fen,
    pub(crate) paid_at: Timestamp,
    /// `openid` or buyer id.
    pub(crate) payer: String,
    /// How much of the amount a coupon of the merchant covered: the payer and the settlement have
    /// less by that much.
    pub(crate) coupon: Fen,
}

/// Several orders that are paid as one (合单). The parts are orders of their payees.
pub(crate) struct Combined {
    /// Who combines, and under which number.
    pub(crate) key: OrderKey,
    pub(crate) appid: String,
    /// The parts' keys, in the order of the request.
    pub(crate) parts: Vec<OrderKey>,
    /// The payer's `openid`.
    pub(crate) payer: String,
    pub(crate) notify_url: String,
    /// The parameters of the first request: a repeat must be identical.
    pub(crate) terms: Value,
}

impl Order {
    /// An order without a code, that cannot be paid any more: set its life and code.
    pub(crate) fn new(
        provider: Provider,
        merchant: &str,
        out_trade_no: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            provider,
            merchant: merchant.to_owned(),
            out_trade_no: out_trade_no.to_owned(),
            subject: String::new(),
            amount: Fen::ZERO,
            product: "",
            sub: None,
            whole: None,
            payer: None,
            only_payer: None,
            attach: None,
            notify_url: None,
            terms: Value::Null,
            created_at: now,
            expires_at: now,
            code: String::new(),
            code_expires_at: now,
            codes: 0,
            trade_no: String::new(),
            scanned_at: None,
            closed_at: None,
            payments: Vec::new(),
            refunds: Vec::new(),
        }
    }

    /// Its key.
    pub(crate) fn key(&self) -> OrderKey {
        (self.merchant.clone(), self.out_trade_no.clone())
    }

    /// Whether money has come in.
    pub(crate) fn is_paid(&self) -> bool {
        !self.payments.is_empty()
    }

    /// The payment with that trade number, else the first.
    pub(crate) fn payment(&self, trade_no: Option<&str>) -> Option<&Payment> {
        match trade_no {
            Some(no) => self.payments.iter().find(|payment| payment.trade_no == no),
            None => self.payments.first(),
        }
    }
}
