//! What WeChat says about a payment or a refund, in answers and notices alike, and how its words
//! become facts. Words that are not known become no fact.

use domain::fact::{OrderStanding, PaymentFact, RefundFact, RefundStanding, Stated};
use domain::ids::{OutRefundNo, OutTradeNo, ProviderRefundNo, ProviderTradeNo};
use domain::money::Fen;
use serde::Deserialize;

use super::parties::{self, Parties};
use crate::json;
use crate::provider::OrderKey;

/// Why a statement cannot be read; for people.
#[derive(Debug, thiserror::Error)]
pub(super) enum StatementError {
    /// Not the JSON that it should be.
    #[error("the statement {0}")]
    Json(String),
    /// A field is missing or its value is not one.
    #[error("{0} is missing or unreadable")]
    Field(&'static str),
    /// It names another party than this merchant.
    #[error("{0} is not this merchant's")]
    Foreign(&'static str),
    /// A word that this adapter does not know.
    #[error("{field} has the unknown value {word:?}")]
    Word { field: &'static str, word: String },
}

/// A transaction (支付单).
#[derive(Deserialize)]
pub(super) struct Transaction {
    mchid: Option<String>,
    appid: Option<String>,
    sp_mchid: Option<String>,
    sp_appid: Option<String>,
    sub_mchid: Option<String>,
    out_trade_no: String,
    transaction_id: Option<String>,
    trade_state: String,
    success_time: Option<String>,
    amount: Option<TransactionAmount>,
}

#[derive(Deserialize)]
struct TransactionAmount {
    total: Option<i64>,
    payer_total: Option<i64>,
    currency: Option<String>,
}

impl Transaction {
    pub(super) fn read(text: &[u8]) -> Result<Self, StatementError> {
        serde_json::from_slice(text).map_err(|source| StatementError::Json(json::fault(&source)))
    }

    /// Whether it is about the order under each number by which it is known.
    pub(super) fn is_about(&self, key: &OrderKey<'_>) -> bool {
        let theirs = key.provider_trade_no.map(ProviderTradeNo::as_str);
        self.out_trade_no == key.out_trade_no.as_str()
            && (theirs.is_none() || self.transaction_id.as_deref() == theirs)
    }

    /// Where it stands.
    pub(super) fn standing(&self, parties: &Parties) -> Result<OrderStanding, StatementError> {
        standing(&self.trade_state, || self.payment(parties))
    }

    fn payment(&self, parties: &Parties) -> Result<PaymentFact, StatementError> {
        let amount = self.amount.as_ref().ok_or(StatementError::Field("amount"))?;
        let total = amount.total.map(Fen::new).ok_or(StatementError::Field("amount.total"))?;
        let stated = parties::Stated {
            mchid: self.mchid.as_deref(),
            appid: self.appid.as_deref(),
            sp_mchid: self.sp_mchid.as_deref(),
            sp_appid: self.sp_appid.as_deref(),
            sub_mchid: self.sub_mchid.as_deref(),
        };
        Ok(PaymentFact {
            // A statement that names nobody cannot be compared, so it is none.
            stated: Stated {
                payee: Some(parties.payee(&stated)?),
                app: Some(parties.app(&stated)?),
                currency: Some(field("amount.currency", amount.currency.as_ref())?),
            },
            out_trade_no: field("out_trade_no", Some(&self.out_trade_no))?,
            provider_trade_no: field("transaction_id", self.transaction_id.as_ref())?,
            amount: total,
            coupon: coupon(total, amount.payer_total),
            paid_at: field("success_time", self.success_time.as_ref())?,
        })
    }
}

/// Where an order with that `trade_state` stands. A refunded payment (`REFUND`) was paid; one that
/// failed at the payer (`PAYERROR`) is not.
pub(super) fn standing(
    trade_state: &str,
    payment: impl FnOnce() -> Result<PaymentFact, StatementError>,
) -> Result<OrderStanding, StatementError> {
    match trade_state {
        "SUCCESS" | "REFUND" => payment().map(OrderStanding::Paid),
        "NOTPAY" | "USERPAYING" | "PAYERROR" => Ok(OrderStanding::Unpaid),
        "CLOSED" | "REVOKED" => Ok(OrderStanding::Closed),
        word => Err(unknown("trade_state", word)),
    }
}

/// What WeChat's coupons paid of `total`, when the payer paid `paid` fen.
pub(super) fn coupon(total: Fen, paid: Option<i64>) -> Fen {
    paid.and_then(|paid| total.minus(Fen::new(paid)))
        .filter(|coupon| *coupon > Fen::ZERO)
        .unwrap_or(Fen::ZERO)
}

/// A refund (退款单). Answers call its state `status`, notices `refund_status`.
#[derive(Deserialize)]
pub(super) struct Refund {
    mchid: Option<String>,
    sp_mchid: Option<String>,
    sub_mchid: Option<String>,
    out_trade_no: String,
    out_refund_no: String,
    transaction_id: Option<String>,
    refund_id: Option<String>,
    status: Option<String>,
    refund_status: Option<String>,
    success_time: Option<String>,
    create_time: Option<String>,
    amount: Option<RefundAmount>,
}

#[derive(Deserialize)]
struct RefundAmount {
    refund: Option<i64>,
    currency: Option<String>,
}

impl Refund {
    pub(super) fn read(text: &[u8]) -> Result<Self, StatementError> {
        serde_json::from_slice(text).map_err(|source| StatementError::Json(json::fault(&source)))
    }

    /// Whether it is about this refund of this order.
    pub(super) fn is_about(&self, out_trade_no: &OutTradeNo, out_refund_no: &OutRefundNo) -> bool {
        self.out_trade_no == out_trade_no.as_str() && self.out_refund_no == out_refund_no.as_str()
    }

    /// The fact that an answer states; an answer need not name the parties.
    pub(super) fn answered(&self, parties: &Parties) -> Result<RefundFact, StatementError> {
        let payee = parties.payee_if_named(&self.stated())?;
        self.fact(payee, "status", self.status.as_deref())
    }

    /// The fact that a notice states.
    pub(super) fn notified(&self, parties: &Parties) -> Result<RefundFact, StatementError> {
        let payee = parties.payee(&self.stated())?;
        self.fact(Some(payee), "refund_status", self.refund_status.as_deref())
    }

    fn stated(&self) -> parties::Stated<'_> {
        parties::Stated {
            mchid: self.mchid.as_deref(),
            sp_mchid: self.sp_mchid.as_deref(),
            sub_mchid: self.sub_mchid.as_deref(),
            ..parties::Stated::default()
        }
    }

    fn fact(
        &self,
        payee: Option<String>,
        name: &'static str,
        word: Option<&str>,
    ) -> Result<RefundFact, StatementError> {
        let (standing, at) = match word.ok_or(StatementError::Field(name))? {
            "SUCCESS" => (RefundStanding::Succeeded, &self.success_time),
            "PROCESSING" => (RefundStanding::Processing, &self.create_time),
            "CLOSED" => (RefundStanding::Failed, &None),
            "ABNORMAL" => (RefundStanding::Abnormal, &None),
            word => return Err(unknown(name, word)),
        };
        let provider_refund_no: Option<ProviderRefundNo> =
            self.refund_id.as_ref().map(|id| field("refund_id", Some(id))).transpose()?;
        Ok(RefundFact {
            stated: Stated {
                payee,
                app: None,
                currency: self.amount.as_ref().and_then(|amount| amount.currency.clone()),
            },
            out_trade_no: field("out_trade_no", Some(&self.out_trade_no))?,
            out_refund_no: field("out_refund_no", Some(&self.out_refund_no))?,
            provider_trade_no: self.transaction_id.as_ref().and_then(|id| id.parse().ok()),
            provider_refund_no,
            amount: self.amount.as_ref().and_then(|amount| amount.refund).map(Fen::new),
            given_back: None,
            standing,
            at: at.as_ref().map(|at| field("time", Some(at))).transpose()?,
            accepted_at: self
                .create_time
                .as_ref()
                .map(|at| field("create_time", Some(at)))
                .transpose()?,
        })
    }
}

/// Parses a field that must be there.
pub(super) fn field<T: std::str::FromStr>(
    name: &'static str,
    text: Option<&String>,
) -> Result<T, StatementError> {
    text.and_then(|text| text.parse().ok()).ok_or(StatementError::Field(name))
}

fn unknown(field: &'static str, word: &str) -> StatementError {
    StatementError::Word { field, word: word.chars().take(64).collect() }
}
