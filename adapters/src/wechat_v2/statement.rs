//! What WeChat Pay says in v2 about a payment or a refund, in answers and notices alike, and how
//! its words become facts. Words that are not known become no fact.

use domain::fact::{OrderStanding, PaymentFact, RefundFact, RefundStanding, Stated};
use domain::money::Fen;
use domain::time::from_beijing;
use jiff::Timestamp;
use jiff::civil::DateTime;

use super::Parties;
use super::xml::Fields;
use crate::provider::{RefundHint, RefundKey};

/// How many refunds one payment may have, and so the highest `_$n` and one.
const MOST_REFUNDS: u32 = 50;

/// Why a statement cannot be read; for people.
#[derive(Debug, thiserror::Error)]
pub(super) enum StatementError {
    /// A field is missing or its value is not one.
    #[error("{0} is missing or unreadable")]
    Field(&'static str),
    /// A word that this adapter does not know.
    #[error("{field} has the unknown value {word:?}")]
    Word { field: &'static str, word: String },
}

/// Where an order stands by its answer. A refunded payment (`REFUND`) was paid; a payment that
/// failed (`PAYERROR`) may still be tried again until the order is closed. An order at the counter
/// that was taken back (`REVOKED`) was paid before, where the answer still states the payment.
pub(super) fn standing(
    parties: &Parties,
    fields: &Fields,
) -> Result<OrderStanding, StatementError> {
    match fields.get("trade_state").ok_or(StatementError::Field("trade_state"))? {
        "SUCCESS" | "REFUND" => payment(parties, fields).map(OrderStanding::Paid),
        "NOTPAY" | "USERPAYING" | "PAYERROR" | "ACCEPT" => Ok(OrderStanding::Unpaid),
        "REVOKED" => {
            Ok(payment(parties, fields).map_or(OrderStanding::Closed, OrderStanding::GivenBack))
        }
        "CLOSED" => Ok(OrderStanding::Closed),
        word => Err(unknown("trade_state", word)),
    }
}

/// A payment, as an answer to a query or to a counter's scan and a notice state it alike.
pub(super) fn payment(parties: &Parties, fields: &Fields) -> Result<PaymentFact, StatementError> {
    let amount = amount("total_fee", fields.get("total_fee"))?;
    Ok(PaymentFact {
        stated: parties.stated(fields)?,
        out_trade_no: field("out_trade_no", fields.get("out_trade_no"))?,
        provider_trade_no: field("transaction_id", fields.get("transaction_id"))?,
        amount,
        coupon: coupon(amount, fields)?,
        paid_at: instant("time_end", "%Y%m%d%H%M%S", fields.get("time_end"))?,
    })
}

/// What coupons paid of it: what the payer did not. `settlement_total_fee` is no help here, since
/// coupons that the merchant itself paid for in advance count into it.
fn coupon(total: Fen, fields: &Fields) -> Result<Fen, StatementError> {
    let in_yuan = fields.get("cash_fee_type").is_none_or(|word| word == "CNY");
    let coupon = match fields.get("cash_fee").filter(|_| in_yuan) {
        Some(text) => total.minus(amount("cash_fee", Some(text))?),
        None => match fields.get("coupon_fee") {
            Some(text) => Some(amount("coupon_fee", Some(text))?).filter(|fee| *fee <= total),
            None => None,
        },
    };
    Ok(coupon.filter(|coupon| *coupon > Fen::ZERO).unwrap_or(Fen::ZERO))
}

/// The refund that an answer to asking for one states: it is taken on, not yet back.
pub(super) fn taken_refund(
    parties: &Parties,
    fields: &Fields,
) -> Result<RefundFact, StatementError> {
    Ok(RefundFact {
        stated: parties.stated(fields)?,
        out_trade_no: field("out_trade_no", fields.get("out_trade_no"))?,
        out_refund_no: field("out_refund_no", fields.get("out_refund_no"))?,
        provider_trade_no: fields.get("transaction_id").and_then(|id| id.parse().ok()),
        provider_refund_no: Some(field("refund_id", fields.get("refund_id"))?),
        amount: Some(amount("refund_fee", fields.get("refund_fee"))?),
        given_back: None,
        standing: RefundStanding::Processing,
        at: None,
        accepted_at: None,
    })
}

/// The refund that was asked about, among those that an answer numbers with `_$n`.
pub(super) fn queried_refund(
    parties: &Parties,
    key: &RefundKey<'_>,
    fields: &Fields,
) -> Result<RefundFact, StatementError> {
    let asked = StatementError::Field("the refund that was asked for");
    if fields.get("out_trade_no") != Some(key.out_trade_no.as_str()) {
        return Err(asked);
    }
    let at = |name: &str, n: u32| fields.get(&format!("{name}_{n}"));
    let n = (0..MOST_REFUNDS)
        .find(|n| at("out_refund_no", *n) == Some(key.out_refund_no.as_str()))
        .ok_or(asked)?;
    let word = at("refund_status", n).ok_or(StatementError::Field("refund_status_$n"))?;
    let standing = match word {
        "SUCCESS" => RefundStanding::Succeeded,
        "PROCESSING" => RefundStanding::Processing,
        "REFUNDCLOSE" => RefundStanding::Failed,
        "CHANGE" => RefundStanding::Abnormal,
        word => return Err(unknown("refund_status_$n", word)),
    };
    let arrived = at("refund_success_time", n)
        .filter(|_| standing == RefundStanding::Succeeded)
        .map(|text| instant("refund_success_time_$n", "%Y-%m-%d %H:%M:%S", Some(text)))
        .transpose()?;
    Ok(RefundFact {
        stated: parties.stated(fields)?,
        out_trade_no: key.out_trade_no.clone(),
        out_refund_no: key.out_refund_no.clone(),
        provider_trade_no: fields.get("transaction_id").and_then(|id| id.parse().ok()),
        provider_refund_no: Some(field("refund_id_$n", at("refund_id", n))?),
        amount: Some(amount("refund_fee_$n", at("refund_fee", n))?),
        given_back: None,
        standing,
        at: arrived,
        accepted_at: None,
    })
}

/// The refund of which an unsigned notice tells, and its state's word.
pub(super) fn hint(fields: &Fields) -> Result<(RefundHint, &str), StatementError> {
    let hint = RefundHint {
        out_trade_no: field("out_trade_no", fields.get("out_trade_no"))?,
        out_refund_no: field("out_refund_no", fields.get("out_refund_no"))?,
        amount: amount("refund_fee", fields.get("refund_fee"))?,
    };
    let word = fields.get("refund_status").ok_or(StatementError::Field("refund_status"))?;
    Ok((hint, word))
}

impl Parties {
    /// Whom a statement names. For a service provider, the merchant that it acts for, as long as
    /// the statement is the service provider's own; else whoever it names instead. A merchant for
    /// itself is not paid by what a merchant below it was paid.
    fn stated(&self, fields: &Fields) -> Result<Stated, StatementError> {
        // A statement that names nobody cannot be compared, so it is none.
        let named = |name| fields.get(name).map(str::to_owned).ok_or(StatementError::Field(name));
        let (mch_id, appid) = (named("mch_id")?, named("appid")?);
        let payee = match &self.sub_merchant {
            Some(_) if mch_id == self.mchid => named("sub_mch_id")?,
            Some(_) => mch_id,
            None => fields.get("sub_mch_id").map_or(mch_id, str::to_owned),
        };
        let currency = fields.get("fee_type").unwrap_or("CNY").to_owned();
        Ok(Stated { payee: Some(payee), app: Some(appid), currency: Some(currency) })
    }
}

/// Parses a field that must be there.
fn field<T: std::str::FromStr>(
    name: &'static str,
    text: Option<&str>,
) -> Result<T, StatementError> {
    text.and_then(|text| text.parse().ok()).ok_or(StatementError::Field(name))
}

/// A number of fen: digits alone.
fn amount(name: &'static str, text: Option<&str>) -> Result<Fen, StatementError> {
    let digits = text.filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    field(name, digits).map(Fen::new)
}

/// A wall-clock time in Beijing.
fn instant(
    name: &'static str,
    format: &str,
    text: Option<&str>,
) -> Result<Timestamp, StatementError> {
    text.and_then(|text| DateTime::strptime(format, text).ok())
        .map(from_beijing)
        .ok_or(StatementError::Field(name))
}

fn unknown(field: &'static str, word: &str) -> StatementError {
    StatementError::Word { field, word: word.chars().take(64).collect() }
}
