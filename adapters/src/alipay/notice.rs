//! Opens notices: decodes the form once, proves it, and reads what it says about money.
//!
//! One notice type carries payments and refunds alike, so the refund's marks decide: a notice
//! that has any never marks a payment again.

use std::collections::BTreeMap;

use domain::fact::{PaymentFact, ProviderFact, RefundFact, RefundStanding, Stated};
use encoding_rs::{Encoding, GB18030, UTF_8};

use super::form::{self, FormError};
use super::ring::{By, Proved, Trust};
use super::statement::{
    StatementError, amount, coupon, parsed, present, time_if_given, wall_clock,
};
use crate::json;
use crate::provider::{
    Acknowledgement, Notice, NoticeError, NoticeFault, OpenedNotice, Reply, own_word,
};
use crate::yuan;

/// The one algorithm that the configured key can verify.
const ALGORITHM: &[u8] = b"RSA2";

/// The parameters without their signature, decoded, by name.
type Parameters = BTreeMap<String, String>;

/// Opens a notice's body: once it is proved, it stays Alipay's whatever cannot be read of it.
pub(super) fn open(trust: &Trust, notice: &Notice<'_>) -> Result<OpenedNotice, NoticeError> {
    let read = decoded(verified(trust, notice)?).and_then(opened);
    Ok(read.unwrap_or_else(|why| OpenedNotice::unreadable(notice.body, &why)))
}

/// Reads a kept plaintext again; a body in an unknown charset was kept as it was.
pub(super) fn reread(plaintext: &[u8]) -> Result<OpenedNotice, NoticeError> {
    let parameters = match serde_json::from_slice(plaintext) {
        Ok(parameters) => parameters,
        Err(source) => match form::decode(plaintext) {
            Ok(mut parameters) => {
                parameters.retain(|name, _| name != b"sign" && name != b"sign_type");
                decoded(parameters)?
            }
            Err(_no_form) => {
                let why = format!("the kept plaintext {}", json::fault(&source));
                return Err(NoticeError::new(NoticeFault::Unreadable, why));
            }
        },
    };
    opened(parameters)?.readable()
}

/// The parameters without `sign` and `sign_type`, proved over their bytes.
fn verified(trust: &Trust, notice: &Notice<'_>) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, NoticeError> {
    let mut parameters = form::decode(notice.body).map_err(|source| {
        let fault = match source {
            FormError::Escape => NoticeFault::Unreadable,
            FormError::Twice => NoticeFault::Incomplete,
        };
        NoticeError::new(fault, source.to_string())
    })?;
    let mut taken = |name: &str| {
        parameters.remove(name.as_bytes()).filter(|value| !value.is_empty()).ok_or_else(|| {
            NoticeError::new(NoticeFault::Incomplete, format!("{name} must stand exactly once"))
        })
    };
    let sign = taken("sign")?;
    let sign_type = taken("sign_type")?;
    if sign_type != ALGORITHM {
        return Err(NoticeError::new(NoticeFault::WrongAlgorithm, "sign_type is not RSA2"));
    }
    let text = |value: &[u8]| std::str::from_utf8(value).unwrap_or_default().to_owned();
    // No recorded notice names a certificate; where one does, that one must have signed.
    let named = parameters.get(&b"alipay_cert_sn"[..]).filter(|value| !value.is_empty());
    let named = named.map(|value| text(value));
    let (now, message) = (notice.received_at, message(&parameters));
    match trust.proves(By::Notice, named.as_deref(), now, &message, &text(&sign)) {
        Proved::Yes => Ok(parameters),
        Proved::No => Err(NoticeError::new(NoticeFault::BadSignature, "sign does not verify")),
        Proved::UnknownKey => Err(NoticeError::new(
            NoticeFault::UnknownKey,
            "it is signed by a certificate that is not known or over",
        )),
    }
}

/// The bytes under a notice's signature: empty values dropped, names in order, nothing encoded.
fn message(parameters: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let pairs: Vec<Vec<u8>> = parameters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| [name.as_slice(), b"=", value].concat())
        .collect();
    pairs.join(&b'&')
}

/// The parameters as text, in the charset that they state. The hub asks for UTF-8; an account's
/// default of GBK is read too.
fn decoded(parameters: BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Parameters, NoticeError> {
    let unreadable = |detail: &str| NoticeError::new(NoticeFault::Unreadable, detail);
    let charset = parameters.get(&b"charset"[..]).map(Vec::as_slice).unwrap_or_default();
    let encoding = charset_named(charset)
        .ok_or_else(|| unreadable("charset is neither utf-8 nor one of gbk, gb2312, gb18030"))?;
    let text = |bytes: &[u8]| {
        encoding
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map(std::borrow::Cow::into_owned)
            .ok_or_else(|| unreadable("a parameter is not in the stated charset"))
    };
    parameters.iter().map(|(name, value)| Ok((text(name)?, text(value)?))).collect()
}

fn charset_named(name: &[u8]) -> Option<&'static Encoding> {
    match name.to_ascii_lowercase().as_slice() {
        b"utf-8" | b"utf8" => Some(UTF_8),
        b"gbk" | b"gb2312" | b"gb18030" => Some(GB18030),
        _ => None,
    }
}

fn opened(parameters: Parameters) -> Result<OpenedNotice, NoticeError> {
    let statement = Statement(&parameters);
    let kind = statement.kind();
    let read = match &kind {
        Some(_) => statement.facts(),
        None => Err(StatementError::Field("notify_type")),
    };
    let (facts, unreadable) = match read {
        Ok(fact) => (fact.into_iter().collect(), None),
        Err(why) => (Vec::new(), Some(why.to_string())),
    };
    Ok(OpenedNotice {
        notice_id: statement.get("notify_id").map(own_word),
        kind: kind.unwrap_or_else(|| NoticeFault::Unreadable.as_str().to_owned()),
        facts,
        hints: Vec::new(),
        plaintext: serde_json::to_vec(&parameters).map_err(|source| {
            NoticeError::new(NoticeFault::Unreadable, json::fault(&source).to_string())
        })?,
        unreadable,
    })
}

/// What the parameters of a notice say.
struct Statement<'a>(&'a Parameters);

impl Statement<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        present(self.0.get(name).map(String::as_str))
    }

    fn need(&self, name: &'static str) -> Result<&str, StatementError> {
        self.get(name).ok_or(StatementError::Field(name))
    }

    /// Whether it is about a trade at all; other notice types share the address.
    fn is_about_a_trade(&self) -> bool {
        self.get("notify_type") == Some("trade_status_sync")
    }

    fn kind(&self) -> Option<String> {
        let word = if self.is_about_a_trade() { "trade_status" } else { "notify_type" };
        self.get(word).map(own_word)
    }

    /// The fact in it, if it has one that concerns the hub.
    fn facts(&self) -> Result<Option<ProviderFact>, StatementError> {
        if !self.is_about_a_trade() {
            return Ok(None);
        }
        match (self.need("trade_status")?, self.is_refund()) {
            ("TRADE_SUCCESS" | "TRADE_FINISHED", false) => {
                self.payment().map(|fact| Some(ProviderFact::Payment(fact)))
            }
            ("TRADE_SUCCESS" | "TRADE_FINISHED" | "TRADE_CLOSED", true) => {
                self.refund().map(|fact| Some(ProviderFact::Refund(fact)))
            }
            // Waiting, closed unpaid, or a word that says nothing to the hub.
            _ => Ok(None),
        }
    }

    /// Whether it carries any mark of a refund.
    fn is_refund(&self) -> bool {
        let refunded = self.get("refund_fee").is_some_and(|fee| {
            // What cannot be read as nothing is something.
            yuan::parse(fee) != Some(domain::money::Fen::ZERO)
        });
        refunded || self.get("gmt_refund").is_some() || self.get("out_biz_no").is_some()
    }

    fn stated(&self) -> Result<Stated, StatementError> {
        Ok(Stated {
            payee: Some(self.need("seller_id")?.to_owned()),
            app: Some(self.need("app_id")?.to_owned()),
            // Only trades in foreign money name their currency.
            currency: self.get("trans_currency").map(str::to_owned),
        })
    }

    fn payment(&self) -> Result<PaymentFact, StatementError> {
        let total = amount("total_amount", self.need("total_amount")?)?;
        Ok(PaymentFact {
            stated: self.stated()?,
            out_trade_no: parsed("out_trade_no", self.need("out_trade_no")?)?,
            provider_trade_no: parsed("trade_no", self.need("trade_no")?)?,
            amount: total,
            coupon: coupon(total, self.get("buyer_pay_amount")),
            paid_at: wall_clock("gmt_payment", self.need("gmt_payment")?)?,
        })
    }

    /// A refund under the hub's number. Its amount is not told: `refund_fee` is the sum of all
    /// refunds of the trade. Without the number it is nobody's, and a person must look.
    fn refund(&self) -> Result<RefundFact, StatementError> {
        let out_refund_no = self.get("out_biz_no").ok_or(StatementError::Nameless)?;
        let sum = self.get("refund_fee").map(|sum| amount("refund_fee", sum)).transpose()?;
        let at = time_if_given("gmt_refund", self.get("gmt_refund"))?;
        Ok(RefundFact {
            stated: self.stated()?,
            out_trade_no: parsed("out_trade_no", self.need("out_trade_no")?)?,
            out_refund_no: parsed("out_biz_no", out_refund_no)?,
            provider_trade_no: self.get("trade_no").and_then(|no| no.parse().ok()),
            provider_refund_no: None,
            amount: None,
            given_back: sum,
            standing: match at {
                Some(_) => RefundStanding::Succeeded,
                None => RefundStanding::Processing,
            },
            at,
            accepted_at: at,
        })
    }
}

/// Alipay reads the body alone and takes nothing but these seven letters for a success.
pub(super) fn acknowledge(acknowledgement: Acknowledgement) -> Reply {
    let (status, body): (u16, &'static [u8]) = match acknowledgement {
        Acknowledgement::Taken => (200, b"success"),
        Acknowledgement::Refused => (401, b"failure"),
        Acknowledgement::TryAgain => (503, b"failure"),
    };
    Reply { status, content_type: Some("text/plain"), body }
}
