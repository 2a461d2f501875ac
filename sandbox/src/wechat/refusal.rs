//! How WeChat Pay says no: an HTTP status, a code, a sentence, sometimes the field. Never signed.

use serde_json::{Value, json};

use crate::message::Reply;

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    detail: Option<Value>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: None }
    }

    /// A parameter that breaks a rule.
    pub(super) fn parameter(field: &str, value: &str, issue: &str) -> Self {
        let value: String = value.chars().take(64).collect();
        let detail = json!({"field": field, "value": value, "issue": issue, "location": "body"});
        Self {
            status: 400,
            code: "PARAM_ERROR",
            message: format!("参数错误: {issue}"),
            detail: Some(detail),
        }
    }

    /// The request is not authentic.
    pub(super) fn sign(message: impl Into<String>) -> Self {
        Self::new(401, "SIGN_ERROR", message)
    }

    /// No such order.
    pub(super) fn no_order() -> Self {
        Self::new(404, "ORDER_NOT_EXIST", "订单不存在")
    }

    /// The order is paid. Its HTTP status is not documented.
    pub(super) fn paid() -> Self {
        Self::new(400, "ORDER_PAID", "该订单已支付")
    }

    /// The number belongs to other parameters.
    pub(super) fn number_used() -> Self {
        Self::new(403, "OUT_TRADE_NO_USED", "请求重入时，参数与首次请求时不一致")
    }

    /// The merchant vanished: cannot happen once a request is verified.
    pub(super) fn no_merchant() -> Self {
        Self::sign("商户号不存在")
    }

    pub(super) fn reply(&self) -> Reply {
        let mut body = json!({"code": self.code, "message": self.message});
        if let (Some(detail), Some(fields)) = (&self.detail, body.as_object_mut()) {
            fields.insert("detail".to_owned(), detail.clone());
        }
        Reply::json(self.status, &body)
    }
}
