//! What a provider states about money, in the hub's own words.
//!
//! A callback, a query and a bill all end here, so that one path records them. Whoever builds a
//! fact has verified its signature; whoever records it compares it with the order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{OutRefundNo, OutTradeNo, ProviderRefundNo, ProviderTradeNo};
use crate::money::Fen;

/// A payment or a refund as a provider states it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderFact {
    /// Money was taken from a payer.
    Payment(PaymentFact),
    /// Money is on its way back, arrived, or did not.
    Refund(RefundFact),
}

/// Money that a provider took for an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFact {
    /// To whom and in what currency, as the provider states it.
    pub stated: Stated,
    /// The hub's order number.
    pub out_trade_no: OutTradeNo,
    /// The provider's number: one payment has one, for ever.
    pub provider_trade_no: ProviderTradeNo,
    /// The order's whole amount, before the provider's own coupons.
    pub amount: Fen,
    /// What the provider's coupons paid of it.
    pub coupon: Fen,
    /// When the payer paid.
    pub paid_at: Timestamp,
}

/// What a provider says about a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundFact {
    /// To whom and in what currency, as the provider states it.
    pub stated: Stated,
    /// The hub's order number.
    pub out_trade_no: OutTradeNo,
    /// The hub's refund number.
    pub out_refund_no: OutRefundNo,
    /// The provider's number of the payment that it gives back; `None` where the provider does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_trade_no: Option<ProviderTradeNo>,
    /// The provider's number of the refund, where it has one.
    pub provider_refund_no: Option<ProviderRefundNo>,
    /// What this refund gives back; `None` where the provider does not say.
    pub amount: Option<Fen>,
    /// What all refunds of the payment gave back so far, this one included (累计退款); `None` where
    /// the provider does not say, or says `amount` instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_back: Option<Fen>,
    /// How far it is.
    pub standing: RefundStanding,
    /// When it came to stand so, where the provider says.
    pub at: Option<Timestamp>,
    /// When the provider took it on, where it says: the day of its bill.
    #[serde(default)]
    pub accepted_at: Option<Timestamp>,
}

/// How far a refund is at its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStanding {
    /// Accepted; the money is under way.
    Processing,
    /// The money is back with the payer.
    Succeeded,
    /// Closed; nothing moved, and a new number is needed.
    Failed,
    /// The payer's account refused the money.
    Abnormal,
}

/// The identities that a provider puts on a statement. `None` where that statement has none (a
/// query answer of Alipay names neither application nor seller); what is there is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// The merchant who is paid: `mchid` or `seller_id`.
    pub payee: Option<String>,
    /// The application: `appid` or `app_id`.
    pub app: Option<String>,
    /// The currency, ISO 4217.
    pub currency: Option<String>,
}

/// How an order stands at its provider, as a query finds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStanding {
    /// Paid (also when refunds followed, where the provider does not tell that all of it went back).
    Paid(PaymentFact),
    /// Paid, and all of it given back (全额退款): by refunds, or because an order at the counter was
    /// taken back (撤销).
    GivenBack(PaymentFact),
    /// Waiting for the payer.
    Unpaid,
    /// Closed there without a payment.
    Closed,
    /// The provider does not know it: never placed, or (Alipay) a code that nobody scanned.
    Absent,
}

/// Where a recorded payment was first heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The provider's signed callback.
    Callback,
    /// The hub asked.
    Query,
    /// The provider's bill, confirmed by a query.
    Bill,
    /// The bank's statement.
    Bank,
}

impl Source {
    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Query => "query",
            Self::Bill => "bill",
            Self::Bank => "bank",
        }
    }
}
