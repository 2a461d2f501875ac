//! Reads answers into accepted, refused or unknown.
//!
//! v2 answers errors with HTTP 200. What was understood (`return_code` SUCCESS) is signed, whether
//! it was done or not, and counts only when its signature is proved. What was not understood
//! (`return_code` FAIL) has no signature and no code: it is unknown, so that nothing unsigned says
//! that money did not move. Only where nothing can move may a known text say that WeChat refuses
//! the hub itself, so that a person hears of it.

use domain::fact::OrderStanding;

use super::statement;
use super::xml::{self, Fields};
use super::{Parties, REVERSE, WechatV2};
use crate::provider::{Closing, OrderKey};
use crate::wire::{Answer, Call, Outcome, Reason, Refusal};

/// What an answer says before it is known what was asked.
pub(super) enum Said {
    /// Done, and proved.
    Done(Fields),
    /// Not done, proved, and why in WeChat's words.
    Failed {
        /// `err_code`, which decides.
        code: String,
        /// `err_code_des`, for people.
        text: String,
        /// All of it.
        fields: Fields,
    },
    /// Not even taken: unsigned, and why in WeChat's words.
    NotTaken(String),
    /// Anything else, and why.
    Unclear(String),
}

impl WechatV2 {
    /// Sorts an answer.
    pub(super) fn said(&self, answer: &Answer) -> Said {
        if answer.status != 200 {
            return Said::Unclear(format!("answer {}", answer.status));
        }
        let fields = match xml::read("xml", &answer.body) {
            Ok(fields) => fields,
            Err(why) => return Said::Unclear(why.to_string()),
        };
        match fields.get("return_code") {
            Some("SUCCESS") => {}
            Some("FAIL") => {
                return Said::NotTaken(fields.get("return_msg").unwrap_or_default().to_owned());
            }
            Some(_) | None => return Said::Unclear("return_code is unknown".to_owned()),
        }
        if let Err(why) = self.seal.verify(&fields) {
            return Said::Unclear(format!("the answer cannot be proved: {why}"));
        }
        match fields.get("result_code") {
            Some("SUCCESS") => Said::Done(fields),
            Some("FAIL") => Said::Failed {
                code: fields.get("err_code").unwrap_or_default().to_owned(),
                text: fields.get("err_code_des").unwrap_or_default().to_owned(),
                fields,
            },
            Some(_) | None => Said::Unclear("result_code is unknown".to_owned()),
        }
    }
}

/// What a `return_code` FAIL means where nothing can have moved: that WeChat refuses the hub itself,
/// where its whole text is known to say so. A text that only mentions a key or a certificate may
/// tell of WeChat's own trouble.
fn not_taken(text: &str) -> Option<Refusal> {
    const CONFIGURATION: [&str; 14] = [
        "签名错误",
        "签名失败",
        "签名错误，请检查后再试",
        "sign error",
        "signerror",
        "appid不存在",
        "appid_not_exist",
        "mch_id不存在",
        "商户号mch_id不存在",
        "商户号mch_id或sub_mch_id不存在",
        "商户号mch_id不存在或未设置api密钥",
        "商户号mch_id与appid不匹配",
        "mchid_not_exist",
        "appid_mchid_not_match",
    ];
    let plain = text.trim().to_lowercase();
    CONFIGURATION
        .contains(&plain.as_str())
        .then(|| Refusal::new(Reason::Configuration, "FAIL", text))
}

/// The words in which an answer without a code is unknown.
fn unclear(text: &str) -> String {
    let text: String = text.chars().filter(|letter| !letter.is_control()).take(64).collect();
    format!("return_code FAIL: {text}")
}

/// The same as [`decided`] for a call by which nothing can move.
pub(super) fn decided_of_reading<T>(said: Said) -> Result<Fields, Outcome<T>> {
    match &said {
        Said::NotTaken(text) => match not_taken(text) {
            Some(refusal) => Err(Outcome::Refused(refusal)),
            None => decided(said),
        },
        Said::Done(_) | Said::Failed { .. } | Said::Unclear(_) => decided(said),
    }
}

/// Codes that decide something. SYSTEMERROR, BANKERROR, USERPAYING, BIZERR_NEED_RETRY, limits of
/// frequency and whatever is not known are not in here; nor is INVALID_REQUEST, which v2 also
/// answers to a number that is in use.
fn reason(code: &str) -> Option<Reason> {
    match code {
        "PARAM_ERROR"
        | "LACK_PARAMS"
        | "XML_FORMAT_ERROR"
        | "POST_DATA_EMPTY"
        | "NOT_UTF8"
        | "REQUIRE_POST_METHOD"
        | "AUTH_CODE_ERROR"
        | "AUTH_CODE_INVALID"
        | "AUTHCODEEXPIRE" => Some(Reason::InvalidRequest),
        "SIGNERROR"
        | "NOAUTH"
        | "CERT_ERROR"
        | "APPID_NOT_EXIST"
        | "MCHID_NOT_EXIST"
        | "APPID_MCHID_NOT_MATCH" => Some(Reason::Configuration),
        "ORDERNOTEXIST" | "REFUNDNOTEXIST" | "INVALID_TRANSACTIONID" => Some(Reason::NotFound),
        "ORDERPAID" => Some(Reason::AlreadyPaid),
        "ORDERCLOSED" | "ORDERREVERSED" => Some(Reason::AlreadyClosed),
        "OUT_TRADE_NO_USED" | "REFUND_FEE_MISMATCH" => Some(Reason::NumberReused),
        "NOTENOUGH" => Some(Reason::NotEnoughFunds),
        "NOTSUPORTCARD"
        | "BUYER_MISMATCH"
        | "TRADE_ERROR"
        | "TRADE_OVERDUE"
        | "USER_ACCOUNT_ABNORMAL"
        | "REVERSE_EXPIRE" => Some(Reason::NotAllowed),
        _ => None,
    }
}

/// The proved fields of what was done, or the outcome that the answer has whatever was asked.
pub(super) fn decided<T>(said: Said) -> Result<Fields, Outcome<T>> {
    match said {
        Said::Done(fields) => Ok(fields),
        Said::Failed { code, text, .. } => Err(match reason(&code) {
            Some(reason) => Outcome::Refused(Refusal::new(reason, &code, &text)),
            None => {
                let code: String = code.chars().take(64).collect();
                Outcome::Unknown(format!("the answer has the code {code:?}"))
            }
        }),
        Said::NotTaken(text) => Err(Outcome::Unknown(unclear(&text))),
        Said::Unclear(why) => Err(Outcome::Unknown(why)),
    }
}

/// The answer to a query of an order.
pub(super) fn order(parties: &Parties, key: &OrderKey<'_>, said: Said) -> Outcome<OrderStanding> {
    match decided_of_reading(said) {
        Ok(fields) if !is_about(key, &fields) => {
            Outcome::Unknown("the answer is about another order".to_owned())
        }
        Ok(fields) => match statement::standing(parties, &fields) {
            Ok(standing) => Outcome::Accepted(standing),
            Err(why) => Outcome::Unknown(why.to_string()),
        },
        Err(Outcome::Refused(refusal)) if refusal.code == "ORDERNOTEXIST" => {
            Outcome::Accepted(OrderStanding::Absent)
        }
        Err(other) => other,
    }
}

/// Whether an answer is about the order under each number by which it is known.
fn is_about(key: &OrderKey<'_>, fields: &Fields) -> bool {
    let theirs = key.provider_trade_no.map(domain::ids::ProviderTradeNo::as_str);
    fields.get("out_trade_no") == Some(key.out_trade_no.as_str())
        && (theirs.is_none() || fields.get("transaction_id") == theirs)
}

/// The answer to closing an order, or at the counter to taking it back.
pub(super) fn closed(call: &Call, said: Said) -> Outcome<Closing> {
    let is_reverse = call.target == REVERSE;
    if is_reverse && asks_again(&said) {
        return Outcome::Unknown("it must be taken back again (recall=Y)".to_owned());
    }
    let decided = if is_reverse { decided(said) } else { decided_of_reading(said) };
    match decided {
        Ok(fields) if is_reverse && fields.get("recall") != Some("N") => {
            Outcome::Unknown("the answer does not say recall=N".to_owned())
        }
        Ok(_done) => Outcome::Accepted(Closing::Closed),
        Err(Outcome::Refused(refusal)) if refusal.reason == Reason::AlreadyPaid => {
            Outcome::Accepted(Closing::Paid)
        }
        Err(Outcome::Refused(refusal)) if refusal.code == "ORDERNOTEXIST" => {
            Outcome::Accepted(Closing::NotThere)
        }
        Err(other) => other,
    }
}

/// Whether WeChat says that taking back is not finished, done or failed alike.
fn asks_again(said: &Said) -> bool {
    match said {
        Said::Done(fields) | Said::Failed { fields, .. } => fields.get("recall") == Some("Y"),
        Said::NotTaken(_) | Said::Unclear(_) => false,
    }
}
