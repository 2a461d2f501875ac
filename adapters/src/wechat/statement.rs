//! What WeChat says about a payment or a refund, in answers and notices alike, and how its words
//! become facts. Words that are not known become no fact.

use domain::fact::{OrderStanding, PaymentFact, RefundFact, RefundStanding, Stated};
use domain::ids::{OutRefundNo, OutTradeNo, ProviderRefundNo};
use domain::money::Fen;
use serde::Deserialize;

use crate::json;

/// Why a statement cannot be read; for people.
#[derive(Debug, thiserror::Error)]
pub(super) enum StatementError {
    /// Not the JSON that it should be.
    #[error("the statement {0}")]
    Json(String),
    /// A field is missing or its value is not one.
    #[error("{0} is missing or unreadable")]
    Field(&'static str),
    /// A word that this adapter does not know.
    #[error("{field} has the unknown value {word:?}")]
    Word { field: &'static str, word: String },
}

/// A transaction (支付单).
#[derive(Deserialize)]
pub(super) struct Transaction {
    mchid: Option<String>,
    appid: Option<String>,
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

    /// Whether it is about `out_trade_no`.
    pub(super) fn is_about(&self, out_trade_no: &OutTradeNo) -> bool {
        self.out_trade_no == out_trade_no.as_str()
    }

    /// Where it stands. A refunded payment (`REFUND`) was paid.
    pub(super) fn standing(&self) -> Result<OrderStanding, StatementError> {
        match self.trade_state.as_str() {
            "SUCCESS" | "REFUND" => self.payment().map(OrderStanding::Paid),
            "NOTPAY" | "USERPAYING" => Ok(OrderStanding::Unpaid),
            "CLOSED" | "REVOKED" => Ok(OrderStanding::Closed),
            word => Err(unknown("trade_state", word)),
        }
    }

    fn payment(&self) -> Result<PaymentFact, StatementError> {
        let amount = self.amount.as_ref().ok_or(StatementError::Field("amount"))?;
        let total = amount.total.map(Fen::new).ok_or(StatementError::Field("amount.total"))?;
        let coupon = amount
            .payer_total
            .and_then(|paid| total.minus(Fen::new(paid)))
            .filter(|coupon| *coupon > Fen::ZERO);
        Ok(PaymentFact {
            // A statement that names nobody cannot be compared, so it is none.
            stated: Stated {
                payee: Some(field("mchid", self.mchid.as_ref())?),
                app: Some(field("appid", self.appid.as_ref())?),
                currency: Some(field("amount.currency", amount.currency.as_ref())?),
            },
            out_trade_no: field("out_trade_no", Some(&self.out_trade_no))?,
            provider_trade_no: field("transaction_id", self.transaction_id.as_ref())?,
            amount: total,
            coupon: coupon.unwrap_or(Fen::ZERO),
            paid_at: field("success_time", self.success_time.as_ref())?,
        })
    }
}

/// A refund (退款单). Answers call its state `status`, notices `refund_status`.
#[derive(Deserialize)]
pub(super) struct Refund {
    mchid: Option<String>,
    out_trade_no: String,
    out_refund_no: String,
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

    /// The fact that an answer states.
    pub(super) fn answered(&self) -> Result<RefundFact, StatementError> {
        self.fact("status", self.status.as_deref())
    }

    /// The fact that a notice states.
    pub(super) fn notified(&self) -> Result<RefundFact, StatementError> {
        if self.mchid.is_none() {
            return Err(StatementError::Field("mchid"));
        }
        self.fact("refund_status", self.refund_status.as_deref())
    }

    fn fact(&self, name: &'static str, word: Option<&str>) -> Result<RefundFact, StatementError> {
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
                payee: self.mchid.clone(),
                app: None,
                currency: self.amount.as_ref().and_then(|amount| amount.currency.clone()),
            },
            out_trade_no: field("out_trade_no", Some(&self.out_trade_no))?,
            out_refund_no: field("out_refund_no", Some(&self.out_refund_no))?,
            provider_refund_no,
            amount: self.amount.as_ref().and_then(|amount| amount.refund).map(Fen::new),
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
fn field<T: std::str::FromStr>(
    name: &'static str,
    text: Option<&String>,
) -> Result<T, StatementError> {
    text.and_then(|text| text.parse().ok()).ok_or(StatementError::Field(name))
}

fn unknown(field: &'static str, word: &str) -> StatementError {
    StatementError::Word { field, word: word.chars().take(64).collect() }
}
