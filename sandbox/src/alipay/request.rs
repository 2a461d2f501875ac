//! A request to the gateway that was proved to be the application's, with its content opened.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::content;
use super::method::Method;
use super::node::Business;
use crate::faults::Action;
use crate::keys::Alipay;
use crate::state::Sub;

/// What a call has in hand.
pub(super) struct Request<'a> {
    pub(super) app_id: &'a str,
    pub(super) method: Method,
    /// Who is paid.
    pub(super) seller: String,
    /// The seller for whom the application acts (第三方应用), where it does not act for its own.
    pub(super) sub: Option<Sub>,
    pub(super) notify_url: Option<&'a str>,
    pub(super) return_url: Option<&'a str>,
    pub(super) content: Map<String, Value>,
    /// Whether the content came sealed, so that the answer goes sealed.
    pub(super) sealed: bool,
    pub(super) now: Timestamp,
    pub(super) action: Option<Action>,
}

impl<'a> Request<'a> {
    /// Reads the parameters of a proved request.
    pub(super) fn read(
        app: &Alipay,
        method: Method,
        parameters: &'a BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<Self, Business> {
        let get =
            |name: &str| parameters.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let sub = get("app_auth_token").map(|token| acts_for(app, token)).transpose()?;
        let seller = sub.as_ref().map_or(&app.config.seller_id, |sub| &sub.mchid).clone();
        let sealed = get("encrypt_type").is_some();
        let text = get("biz_content").unwrap_or("{}");
        let opened = if sealed { opened(app, get("encrypt_type"), text)? } else { text.to_owned() };
        let content = serde_json::from_str(&opened).map_err(|source| {
            let text = format!("biz_content不是合法的JSON: {source}");
            Business::invalid("isv.invalid-json", text)
        })?;
        Ok(Self {
            app_id: get("app_id").unwrap_or_default(),
            method,
            seller,
            sub,
            notify_url: get("notify_url"),
            return_url: get("return_url"),
            content,
            sealed,
            now,
            action: None,
        })
    }

    /// A text of the business content; a number is taken as its digits, as the gateway does.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = self.content.get(name)?;
        let text = match value.as_str() {
            Some(text) => text.to_owned(),
            None if value.is_number() => value.to_string(),
            None => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// Whether the request asks for more than is answered by itself.
    pub(super) fn wants(&self, option: &str) -> bool {
        self.content
            .get("query_options")
            .and_then(Value::as_array)
            .is_some_and(|options| options.iter().any(|wanted| wanted.as_str() == Some(option)))
    }
}

/// The seller who gave the application this token.
fn acts_for(app: &Alipay, token: &str) -> Result<Sub, Business> {
    let seller = app.config.auth_tokens.get(token).ok_or_else(Business::no_token)?;
    Ok(Sub { mchid: seller.clone(), appid: Some(application_of(seller)) })
}

/// The number of a seller's own application (`auth_app_id`): it follows from the seller's number.
pub(super) fn application_of(seller: &str) -> String {
    format!("2021{}", seller.get(4..).unwrap_or(seller))
}

fn opened(app: &Alipay, kind: Option<&str>, text: &str) -> Result<String, Business> {
    if kind != Some("AES") {
        return Err(Business::invalid("isv.invalid-encrypt-type", "加密算法须为AES"));
    }
    let key = app.config.encrypt_key.as_deref().ok_or_else(|| {
        Business::invalid("isv.decryption-error-not-valid-encrypt-key", "应用未设置接口内容加密")
    })?;
    content::open(key, text)
        .ok_or_else(|| Business::invalid("isv.decryption-error-unknown", "解密出错"))
}
