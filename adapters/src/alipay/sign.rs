//! Signs calls to the gateway: every parameter, sorted, unencoded; then encoded for transport,
//! the public ones in the query and `biz_content` in a form.

use std::collections::BTreeMap;

use domain::time::beijing;
use jiff::Timestamp;

use super::Alipay;
use crate::percent;
use crate::provider::SignError;
use crate::wire::{Call, Method, Request, USER_AGENT};

/// Whether a call's target is the name of a gateway method, rather than a bill's address.
pub(super) fn is_method(target: &str) -> bool {
    target.starts_with("alipay.")
        && target.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'))
}

/// The text that is signed for a request: empty values dropped, names in ASCII order,
/// `sign_type` among them (in a notice it is not).
pub(super) fn message(parameters: &BTreeMap<&str, &str>) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

impl Alipay {
    pub(super) fn sign_call(&self, call: &Call, now: Timestamp) -> Result<Request, SignError> {
        let timestamp = beijing(now).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let mut parameters = BTreeMap::from([
            ("app_id", self.account.app.as_str()),
            ("method", call.target.as_str()),
            ("format", "JSON"),
            ("charset", "utf-8"),
            ("sign_type", "RSA2"),
            ("timestamp", timestamp.as_str()),
            ("version", "1.0"),
            ("biz_content", call.body.as_str()),
        ]);
        for (name, value) in &call.parameters {
            if name == "sign" || parameters.insert(name, value).is_some() {
                return Err(SignError(format!("the parameter {name} is the gateway's own")));
            }
        }
        let signature = self
            .app_private_key
            .sign(message(&parameters).as_bytes())
            .map_err(|source| SignError(source.to_string()))?;
        parameters.insert("sign", &signature);
        let (form, query): (Vec<_>, Vec<_>) = parameters
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (*name, format!("{name}={}", percent::encode(value))))
            .partition(|(name, _)| *name == "biz_content");
        Ok(Request {
            method: Method::Post,
            url: format!("{}?{}", self.gateway, joined(query)),
            second_url: None,
            mutual_tls: false,
            headers: vec![
                (
                    "Content-Type".to_owned(),
                    "application/x-www-form-urlencoded;charset=utf-8".to_owned(),
                ),
                ("Accept".to_owned(), "application/json".to_owned()),
                ("User-Agent".to_owned(), USER_AGENT.to_owned()),
            ],
            body: joined(form).into_bytes(),
        })
    }
}

fn joined(pairs: Vec<(&str, String)>) -> String {
    pairs.into_iter().map(|(_, pair)| pair).collect::<Vec<_>>().join("&")
}
