//! What Alipay says about a trade or a refund in its answers, and how its words become facts.
//! Words that are not known become no fact.

use domain::fact::{OrderStanding, PaymentFact, RefundFact, RefundStanding, Stated};
use domain::money::Fen;
use domain::time::from_beijing;
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::Deserialize;

use crate::json;
use crate::provider::{OrderKey, RefundKey};
use crate::yuan;

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
    /// A refund of nobody's: neither the hub nor a query can tell which.
    #[error("a refund that names no request number")]
    Nameless,
    /// It is about something else than was asked.
    #[error("the answer is about another order or refund")]
    Other,
}

impl StatementError {
    pub(super) fn word(field: &'static str, word: &str) -> Self {
        Self::Word { field, word: word.chars().take(64).collect() }
    }
}

/// The answer to a query of a trade. It names neither seller nor application.
#[derive(Deserialize)]
pub(super) struct Trade {
    out_trade_no: String,
    #[serde(default)]
    trade_no: String,
    trade_status: String,
    #[serde(default)]
    total_amount: String,
    buyer_pay_amount: Option<String>,
    receipt_amount: Option<String>,
    send_pay_date: Option<String>,
    trans_currency: Option<String>,
}

impl Trade {
    pub(super) fn read(node: &str) -> Result<Self, StatementError> {
        serde_json::from_str(node).map_err(|source| StatementError::Json(json::fault(&source)))
    }

    /// Where the trade `key` stands; it must name both numbers that were asked for.
    pub(super) fn standing(&self, key: &OrderKey<'_>) -> Result<OrderStanding, StatementError> {
        let is_other = key.provider_trade_no.is_some_and(|asked| asked.as_str() != self.trade_no);
        if self.out_trade_no != key.out_trade_no.as_str() || is_other {
            return Err(StatementError::Other);
        }
        match self.trade_status.as_str() {
            "WAIT_BUYER_PAY" => Ok(OrderStanding::Unpaid),
            "TRADE_SUCCESS" | "TRADE_FINISHED" => self.payment().map(OrderStanding::Paid),
            // Closed unpaid, or closed because all of it was given back.
            "TRADE_CLOSED" if self.took_money() => self.payment().map(OrderStanding::GivenBack),
            "TRADE_CLOSED" => Ok(OrderStanding::Closed),
            word => Err(StatementError::word("trade_status", word)),
        }
    }

    fn took_money(&self) -> bool {
        let some = |text: &Option<String>| {
            text.as_deref().and_then(yuan::parse).is_some_and(|amount| amount > Fen::ZERO)
        };
        present(self.send_pay_date.as_deref()).is_some()
            || some(&self.buyer_pay_amount)
            || some(&self.receipt_amount)
    }

    fn payment(&self) -> Result<PaymentFact, StatementError> {
        let amount = amount("total_amount", &self.total_amount)?;
        Ok(PaymentFact {
            stated: Stated { payee: None, app: None, currency: self.trans_currency.clone() },
            out_trade_no: parsed("out_trade_no", &self.out_trade_no)?,
            provider_trade_no: parsed("trade_no", &self.trade_no)?,
            amount,
            coupon: coupon(amount, self.buyer_pay_amount.as_deref()),
            paid_at: wall_clock("send_pay_date", self.send_pay_date.as_deref().unwrap_or(""))?,
        })
    }
}

/// The number by which a call or an answer names its order.
#[derive(Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    out_trade_no: String,
}

impl Named {
    pub(super) fn read(node: &str) -> Result<Self, StatementError> {
        serde_json::from_str(node).map_err(|source| StatementError::Json(json::fault(&source)))
    }

    /// Refuses an answer that names another order than was asked for.
    pub(super) fn must_agree(&self, asked: &Self) -> Result<(), StatementError> {
        if self.out_trade_no.is_empty() || self.out_trade_no == asked.out_trade_no {
            return Ok(());
        }
        Err(StatementError::Other)
    }

    /// Refuses an answer that does not name the order that was asked for.
    pub(super) fn must_name(&self, asked: &Self) -> Result<(), StatementError> {
        if self.out_trade_no.is_empty() {
            return Err(StatementError::Field("out_trade_no"));
        }
        self.must_agree(asked)
    }
}

/// The answer to scanning a payer who has paid.
#[derive(Deserialize)]
pub(super) struct Scanned {
    out_trade_no: String,
    trade_no: String,
    total_amount: String,
    buyer_pay_amount: Option<String>,
    gmt_payment: String,
    trans_currency: Option<String>,
}

impl Scanned {
    pub(super) fn read(node: &str) -> Result<Self, StatementError> {
        serde_json::from_str(node).map_err(|source| StatementError::Json(json::fault(&source)))
    }

    pub(super) fn payment(&self) -> Result<PaymentFact, StatementError> {
        let amount = amount("total_amount", &self.total_amount)?;
        Ok(PaymentFact {
            stated: Stated { payee: None, app: None, currency: self.trans_currency.clone() },
            out_trade_no: parsed("out_trade_no", &self.out_trade_no)?,
            provider_trade_no: parsed("trade_no", &self.trade_no)?,
            amount,
            coupon: coupon(amount, self.buyer_pay_amount.as_deref()),
            paid_at: wall_clock("gmt_payment", &self.gmt_payment)?,
        })
    }
}

/// The answer to a refund.
#[derive(Deserialize)]
pub(super) struct Refunded {
    out_trade_no: String,
    fund_change: Option<String>,
    /// All refunds of the trade together, never this one alone.
    refund_fee: Option<String>,
    gmt_refund_pay: Option<String>,
}

impl Refunded {
    pub(super) fn read(node: &str) -> Result<Self, StatementError> {
        serde_json::from_str(node).map_err(|source| StatementError::Json(json::fault(&source)))
    }

    /// The fact about the refund `key`. Only `fund_change=Y` says that money moved now; anything
    /// else is under way until a query decides. The cumulative figure proves this refund's amount
    /// only when it is exactly that: then it is the trade's only refund.
    pub(super) fn fact(&self, key: &RefundKey<'_>) -> Result<RefundFact, StatementError> {
        if self.out_trade_no != key.out_trade_no.as_str() {
            return Err(StatementError::Other);
        }
        let cumulative = self.refund_fee.as_deref().and_then(yuan::parse);
        let contradicted = cumulative.is_some_and(|sum| sum < key.amount);
        let moved = self.fund_change.as_deref() == Some("Y") && !contradicted;
        let at = time_if_given("gmt_refund_pay", self.gmt_refund_pay.as_deref())?;
        let at = at.filter(|_| moved);
        Ok(RefundFact {
            stated: Stated::default(),
            out_trade_no: key.out_trade_no.clone(),
            out_refund_no: key.out_refund_no.clone(),
            provider_trade_no: None,
            provider_refund_no: None,
            amount: cumulative.filter(|sum| moved && *sum == key.amount),
            given_back: None,
            standing: if moved { RefundStanding::Succeeded } else { RefundStanding::Processing },
            at,
            // Alipay takes a refund on in the moment in which it pays it.
            accepted_at: at,
        })
    }
}

/// The answer to a query of a refund. Without `refund_status` the refund did not reach Alipay or
/// did not happen.
#[derive(Deserialize)]
pub(super) struct Refund {
    out_trade_no: Option<String>,
    out_request_no: Option<String>,
    trade_no: Option<String>,
    refund_status: Option<String>,
    /// This refund alone.
    refund_amount: Option<String>,
    gmt_refund_pay: Option<String>,
}

impl Refund {
    pub(super) fn read(node: &str) -> Result<Self, StatementError> {
        serde_json::from_str(node).map_err(|source| StatementError::Json(json::fault(&source)))
    }

    /// The fact about the refund `key`; `None` when Alipay has no such refund.
    pub(super) fn fact(&self, key: &RefundKey<'_>) -> Result<Option<RefundFact>, StatementError> {
        let about = |stated: &Option<String>, asked: &str| {
            present(stated.as_deref()).is_none_or(|stated| stated == asked)
        };
        if !about(&self.out_trade_no, key.out_trade_no.as_str())
            || !about(&self.out_request_no, key.out_refund_no.as_str())
        {
            return Err(StatementError::Other);
        }
        let standing = match present(self.refund_status.as_deref()) {
            None => return Ok(None),
            Some("REFUND_SUCCESS") => RefundStanding::Succeeded,
            Some("REFUND_PROCESSING") => RefundStanding::Processing,
            Some(word) => return Err(StatementError::word("refund_status", word)),
        };
        // What succeeded must say what it is about.
        if present(self.out_request_no.as_deref()).is_none() {
            return Err(StatementError::Field("out_request_no"));
        }
        let amount = match present(self.refund_amount.as_deref()) {
            Some(text) => Some(amount("refund_amount", text)?),
            None => None,
        };
        let at = time_if_given("gmt_refund_pay", self.gmt_refund_pay.as_deref())?;
        Ok(Some(RefundFact {
            stated: Stated::default(),
            out_trade_no: key.out_trade_no.clone(),
            out_refund_no: key.out_refund_no.clone(),
            provider_trade_no: self.trade_no.as_deref().and_then(|no| no.parse().ok()),
            provider_refund_no: None,
            amount,
            given_back: None,
            standing,
            at,
            accepted_at: at,
        }))
    }
}

/// A value that is there: Alipay writes absent ones as nothing or as an empty text.
pub(super) fn present(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// Yuan on the wire.
pub(super) fn amount(field: &'static str, text: &str) -> Result<Fen, StatementError> {
    yuan::parse(text).ok_or(StatementError::Field(field))
}

/// What discounts took of the total; Alipay states what the buyer paid.
pub(super) fn coupon(total: Fen, buyer_paid: Option<&str>) -> Fen {
    buyer_paid
        .and_then(yuan::parse)
        .and_then(|paid| total.minus(paid))
        .filter(|coupon| *coupon > Fen::ZERO)
        .unwrap_or(Fen::ZERO)
}

pub(super) fn parsed<T: std::str::FromStr>(
    field: &'static str,
    text: &str,
) -> Result<T, StatementError> {
    text.parse().ok().ok_or(StatementError::Field(field))
}

/// `yyyy-MM-dd HH:mm:ss[.SSS]` in Beijing.
pub(super) fn wall_clock(field: &'static str, text: &str) -> Result<Timestamp, StatementError> {
    parsed::<DateTime>(field, text).map(from_beijing)
}

/// The same where it may be absent.
pub(super) fn time_if_given(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<Timestamp>, StatementError> {
    present(text).map(|text| wall_clock(field, text)).transpose()
}
