//! Signs calls as APIv3 asks: five lines over method, path and query, time, nonce and body, each
//! exactly as it is sent.

use url::Url;

use super::Wechat;
use crate::provider::SignError;
use crate::wire::{Call, Method, Request, Stamp, USER_AGENT};

/// The hosts under which WeChat Pay answers (wire.md a1); one merchant's keys hold for all.
const KNOWN_ORIGINS: [&str; 4] = [
    "https://api.mch.weixin.qq.com",
    "https://api2.mch.weixin.qq.com",
    "https://api.wechatpay.cn",
    "https://api2.wechatpay.cn",
];

/// Where the merchant's calls go.
pub(super) struct Base {
    /// Scheme, host and port, without a slash behind.
    origin: String,
    /// A path before every call's own, without a slash behind; empty at WeChat itself.
    path: String,
}

impl Base {
    pub(super) fn new(url: &Url) -> Self {
        Self {
            origin: url.origin().ascii_serialization(),
            path: url.path().trim_end_matches('/').to_owned(),
        }
    }

    /// The whole URL of a call, and the part of it that is signed.
    ///
    /// A target that is itself a URL (a bill's address) is taken verbatim, but only at this
    /// merchant's own origin, or between WeChat's known ones: an answer cannot send the
    /// merchant's signature elsewhere.
    fn locate(&self, target: &str) -> Result<(String, String), SignError> {
        let (url, signed) = if target.starts_with('/') {
            let signed = format!("{}{target}", self.path);
            (format!("{}{signed}", self.origin), signed)
        } else {
            (target.to_owned(), self.path_of(target)?.to_owned())
        };
        let parsed = Url::parse(&url).map_err(|source| SignError(source.to_string()))?;
        if parsed.as_str() != url {
            return Err(SignError("an HTTP client would rewrite its URL".to_owned()));
        }
        Ok((url, signed))
    }

    fn path_of<'a>(&self, url: &'a str) -> Result<&'a str, SignError> {
        let known: &[&str] =
            if KNOWN_ORIGINS.contains(&self.origin.as_str()) { &KNOWN_ORIGINS } else { &[] };
        std::iter::once(self.origin.as_str())
            .chain(known.iter().copied())
            .find_map(|origin| url.strip_prefix(origin).filter(|rest| rest.starts_with('/')))
            .ok_or_else(|| SignError("its URL is not on one of WeChat Pay's hosts".to_owned()))
    }
}

/// The text that is signed for a request.
pub(super) fn message(
    method: Method,
    path_and_query: &str,
    timestamp: i64,
    nonce: &str,
    body: &str,
) -> String {
    format!("{}\n{path_and_query}\n{timestamp}\n{nonce}\n{body}\n", method.as_str())
}

impl Wechat {
    pub(super) fn sign_call(&self, call: &Call, stamp: &Stamp) -> Result<Request, SignError> {
        if !call.parameters.is_empty() {
            return Err(SignError("a call to WeChat Pay has no parameters".to_owned()));
        }
        let (url, signed) = self.base.locate(&call.target)?;
        let mut headers = vec![
            ("Authorization".to_owned(), self.authorization(call, &signed, stamp)?),
            ("Accept".to_owned(), accept(call).to_owned()),
            ("User-Agent".to_owned(), USER_AGENT.to_owned()),
            ("Wechatpay-Serial".to_owned(), self.answer_key_id.clone()),
        ];
        if call.method == Method::Post {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        Ok(Request {
            method: call.method,
            url,
            second_url: None,
            mutual_tls: false,
            headers,
            body: call.body.clone().into_bytes(),
        })
    }

    fn authorization(
        &self,
        call: &Call,
        path_and_query: &str,
        stamp: &Stamp,
    ) -> Result<String, SignError> {
        let nonce = &stamp.nonce;
        if nonce.is_empty() || !nonce.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(SignError("the nonce must be of 0-9 A-Z a-z".to_owned()));
        }
        let timestamp = stamp.now.as_second();
        let message = message(call.method, path_and_query, timestamp, nonce, &call.body);
        let signature = self
            .private_key
            .sign(message.as_bytes())
            .map_err(|source| SignError(source.to_string()))?;
        Ok(format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{nonce}\",\
             signature=\"{signature}\",timestamp=\"{timestamp}\",serial_no=\"{}\"",
            self.account.payee, self.serial_no
        ))
    }
}

/// A file is not JSON; everything else is.
fn accept(call: &Call) -> &'static str {
    if call.target.starts_with('/') { "application/json" } else { "*/*" }
}
