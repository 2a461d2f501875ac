//! How Alipay's answers are written and signed: the node's text with `/` as `\/`, the signature over
//! exactly that text.

use adapters::keys::SigningKey;
use serde_json::{Map, Value, json};

use crate::faults::Action;
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

/// The signed answer of a method.
pub(super) fn signed(
    method: &str,
    done: &Result<Map<String, Value>, Business>,
    key: &SigningKey,
    action: Option<Action>,
) -> Reply {
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
    let text = node.to_string().replace('/', "\\/");
    let spoilt = matches!(action, Some(Action::WrongSignature | Action::UnknownSerial));
    let over = if spoilt { format!("{text} ") } else { text.clone() };
    let sign = key.sign(over.as_bytes()).unwrap_or_default();
    let name = method.replace('.', "_");
    let body = format!("{{\"{name}_response\":{text},\"sign\":\"{sign}\"}}");
    Reply::new(200, CONTENT_TYPE, body)
}
