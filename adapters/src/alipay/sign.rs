//! Signs calls to the gateway: every parameter, sorted, unencoded; then encoded for transport,
//! the public ones in the query and `biz_content` in a form. What belongs to the merchant rather
//! than to the order (certificates, the seller's token, the seal) is added here, so that a stored
//! call holds none of it.

use std::collections::BTreeMap;

use domain::time::beijing;
use jiff::Timestamp;

use super::Alipay;
use super::offer::is_carried;
use super::renewal::DOWNLOAD;
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
pub(super) fn message(parameters: &BTreeMap<&str, String>) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

impl Alipay {
    /// Every parameter of a call, its signature among them.
    pub(super) fn signed<'c>(
        &self,
        call: &'c Call,
        now: Timestamp,
    ) -> Result<BTreeMap<&'c str, String>, SignError> {
        let mut parameters: BTreeMap<&str, String> = BTreeMap::from([
            ("app_id", self.account.app.clone()),
            ("method", call.target.clone()),
            ("format", "JSON".to_owned()),
            ("charset", "utf-8".to_owned()),
            ("sign_type", "RSA2".to_owned()),
            ("timestamp", beijing(now).strftime("%Y-%m-%d %H:%M:%S").to_string()),
            ("version", "1.0".to_owned()),
            ("biz_content", call.body.clone()),
        ]);
        if let Some(token) = &self.app_auth_token {
            parameters.insert("app_auth_token", token.expose().to_owned());
        }
        if let Some(ring) = self.trust.ring() {
            parameters.insert("app_cert_sn", ring.app_number.clone());
            parameters.insert("alipay_root_cert_sn", ring.root_number().to_owned());
        }
        // A certificate is public, and must come even when nothing else can be read.
        if let Some(key) = self.content.as_ref().filter(|_| call.target != DOWNLOAD) {
            let sealed = key.seal(&call.body).map_err(|why| SignError(why.to_string()))?;
            parameters.insert("biz_content", sealed);
            parameters.insert("encrypt_type", "AES".to_owned());
        }
        for (name, value) in &call.parameters {
            if !matches!(name.as_str(), "notify_url" | "return_url") {
                return Err(SignError(format!("the parameter {name} is not an order's own")));
            }
            if parameters.insert(name, value.clone()).is_some() {
                return Err(SignError(format!("the parameter {name} stands twice")));
            }
        }
        let signature = self
            .app_private_key
            .sign(message(&parameters).as_bytes())
            .map_err(|source| SignError(source.to_string()))?;
        parameters.insert("sign", signature);
        Ok(parameters)
    }

    /// The request that the hub itself sends.
    pub(super) fn sign_call(&self, call: &Call, now: Timestamp) -> Result<Request, SignError> {
        if is_carried(&call.target) {
            return Err(SignError("the payer carries it to Alipay; it is never sent".to_owned()));
        }
        let parameters = self.signed(call, now)?;
        let (content, public) = encoded(&parameters);
        Ok(Request {
            method: Method::Post,
            url: format!("{}?{}", self.gateway, joined(public)),
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
            body: joined(content).into_bytes(),
        })
    }
}

/// A parameter's name and, encoded, the whole of it.
type Pair<'p> = (&'p str, String);

/// The parameters encoded for transport: `biz_content`, and the public ones.
pub(super) fn encoded<'p>(
    parameters: &BTreeMap<&'p str, String>,
) -> (Vec<Pair<'p>>, Vec<Pair<'p>>) {
    parameters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (*name, format!("{name}={}", percent::encode(value))))
        .partition(|(name, _)| *name == "biz_content")
}

pub(super) fn joined(pairs: Vec<Pair<'_>>) -> String {
    pairs.into_iter().map(|(_, pair)| pair).collect::<Vec<_>>().join("&")
}
