//! How Alipay's answers are written and signed: the node's text with `/` as `\/`, the signature over
//! exactly that text, in certificate mode the certificate's number beside it.

use serde_json::{Map, Value, json};

use super::content;
use crate::faults::Action;
use crate::keys::Alipay;
use crate::message::Reply;

/// A refusal, of the gateway or of the business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Business {
    pub(super) code: &'static str,
    pub(super) msg: &'static str,
    pub(super) sub_code: &'static str,
    pub(super) sub_msg: String,
}

impl Business {
    /// A failure of the business, decided by its sub code.
    pub(super) fn failed(sub_code: &'static str, sub_msg: impl Into<String>) -> Self {
        Self { code: "40004", msg: "Business Failed", sub_code, sub_msg: sub_msg.into() }
    }

    /// An argument that is wrong.
    pub(super) fn invalid(sub_code: &'static str, sub_msg: impl Into<String>) -> Self {
        Self { code: "40002", msg: "Invalid Arguments", sub_code, sub_msg: sub_msg.into() }
    }

    /// An argument that is missing.
    pub(super) fn missing(sub_code: &'static str, sub_msg: impl Into<String>) -> Self {
        Self { code: "40001", msg: "Missing Required Arguments", sub_code, sub_msg: sub_msg.into() }
    }

    /// A token that no seller gave.
    pub(super) fn no_token() -> Self {
        Self {
            code: "20001",
            msg: "Insufficient Token Permissions",
            sub_code: "aop.invalid-app-auth-token",
            sub_msg: "无效的应用授权令牌".to_owned(),
        }
    }

    /// The service is not there: nobody knows what became of the request.
    pub(super) fn unavailable() -> Self {
        Self {
            code: "20000",
            msg: "Service Currently Unavailable",
            sub_code: "isp.unknow-error",
            sub_msg: "系统繁忙".to_owned(),
        }
    }

    /// No such trade (yet): also what a code answers that nobody has scanned.
    pub(super) fn no_trade() -> Self {
        Self::failed("ACQ.TRADE_NOT_EXIST", "交易不存在")
    }

    /// An argument of a trade that is wrong.
    pub(super) fn parameter(sub_msg: impl Into<String>) -> Self {
        Self::failed("ACQ.INVALID_PARAMETER", sub_msg)
    }

    fn node(&self) -> Value {
        json!({
            "code": self.code, "msg": self.msg,
            "sub_code": self.sub_code, "sub_msg": self.sub_msg,
        })
    }
}

const CONTENT_TYPE: &str = "text/html;charset=utf-8";

/// A refusal before any method is called: unsigned, under `error_response`.
pub(super) fn gateway_refusal(refusal: &Business) -> Reply {
    let body = json!({"error_response": refusal.node()});
    Reply::new(200, CONTENT_TYPE, body.to_string())
}

/// How an answer is written.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// The content goes sealed.
    pub(super) sealed: bool,
    /// The signature stands before the node, as the gateway's does at times.
    pub(super) sign_first: bool,
    pub(super) action: Option<Action>,
}

/// The text of an answer's node: fields may bring a `code` of their own.
pub(super) fn text(done: &Result<Map<String, Value>, Business>) -> String {
    let node = match done {
        Ok(fields) => {
            let mut node = json!({"code": "10000", "msg": "Success"});
            if let Some(map) = node.as_object_mut() {
                map.extend(fields.clone());
            }
            node
        }
        Err(refusal) => refusal.node(),
    };
    node.to_string().replace('/', "\\/")
}

/// The signed answer of a method. `None`: it cannot be sealed.
pub(super) fn signed(
    method: &str,
    done: &Result<Map<String, Value>, Business>,
    app: &Alipay,
    style: Style,
) -> Option<Reply> {
    let mut text = text(done);
    if style.sealed {
        // The signature is over the sealed text with its quotes.
        let key = app.config.encrypt_key.as_deref()?;
        text = format!("\"{}\"", content::seal(key, &text)?);
    }
    let spoilt = matches!(style.action, Some(Action::WrongSignature | Action::UnknownSerial));
    let over = if spoilt { format!("{text} ") } else { text.clone() };
    let sign = app.platform.signing.sign(over.as_bytes()).ok()?;
    let unknown = style.action == Some(Action::UnknownSerial);
    let certificate = match &app.certificates {
        Some(_) if unknown => ",\"alipay_cert_sn\":\"00000000000000000000000000000000\"".to_owned(),
        Some(known) => format!(",\"alipay_cert_sn\":\"{}\"", known.current().sn),
        None => String::new(),
    };
    let node = format!("\"{}_response\":{text}", method.replace('.', "_"));
    let body = if style.sign_first {
        format!("{{\"sign\":\"{sign}\"{certificate},{node}}}")
    } else {
        format!("{{{node}{certificate},\"sign\":\"{sign}\"}}")
    };
    Some(Reply::new(200, CONTENT_TYPE, body))
}
