//! Signs calls as APIv3 asks: five lines over method, path and query, time, nonce and body, each
//! exactly as it is sent.

use url::Url;

use super::{Wechat, place, seal};
use crate::provider::SignError;
use crate::settings::SettingError;
use crate::wire::{Call, Method, Request, Stamp, USER_AGENT};

/// The hosts under which WeChat Pay answers (wire.md a1); one merchant's keys hold for all.
const KNOWN_ORIGINS: [&str; 4] = [
    "https://api.mch.weixin.qq.com",
    "https://api2.mch.weixin.qq.com",
    "https://api.wechatpay.cn",
    "https://api2.wechatpay.cn",
];

/// WeChat's own first and second host.
const FIRST: &str = "https://api.mch.weixin.qq.com";
const SECOND: &str = "https://api2.mch.weixin.qq.com";

/// Where the merchant's calls go.
pub(super) struct Base {
    /// Scheme, host and port, without a slash behind.
    origin: String,
    /// The same of the host to turn to when the first cannot be reached.
    second: Option<String>,
    /// A path before every call's own, without a slash behind; empty at WeChat itself.
    path: String,
}

/// Where one call goes, and what of it is signed.
struct Place {
    url: String,
    second_url: Option<String>,
    signed: String,
}

impl Base {
    /// WeChat's own first host has its second without being told.
    ///
    /// # Errors
    /// When the second address is not the first at another host: one signature, which covers the
    /// path, must hold for both.
    pub(super) fn new(first: &Url, second: Option<&Url>) -> Result<Self, SettingError> {
        let origin = first.origin().ascii_serialization();
        let path = first.path().trim_end_matches('/').to_owned();
        let fault = |mend| Err(SettingError::new("second_base_url", mend));
        let second = match second {
            Some(second) if second.path().trim_end_matches('/') != path => {
                return fault("must have the same path as base_url");
            }
            Some(second) => Some(second.origin().ascii_serialization()),
            None => (origin == FIRST && path.is_empty()).then(|| SECOND.to_owned()),
        };
        if second.as_ref() == Some(&origin) {
            return fault("must be at another host than base_url");
        }
        Ok(Self { origin, second, path })
    }

    /// Where a call goes.
    ///
    /// A target that is itself a URL (a bill's address) is taken verbatim, but only at this
    /// merchant's own origins, or between WeChat's known ones: an answer cannot send the
    /// merchant's signature elsewhere.
    fn locate(&self, target: &str) -> Result<Place, SignError> {
        let (origin, signed) = if target.starts_with('/') {
            (self.origin.as_str(), format!("{}{target}", self.path))
        } else {
            let (origin, path) = self.split(target)?;
            (origin, path.to_owned())
        };
        let url = format!("{origin}{signed}");
        let parsed = Url::parse(&url).map_err(|source| SignError(source.to_string()))?;
        if parsed.as_str() != url {
            return Err(SignError("an HTTP client would rewrite its URL".to_owned()));
        }
        let other = [Some(&self.origin), self.second.as_ref()]
            .into_iter()
            .flatten()
            .find(|other| *other != origin)
            .filter(|_| self.second.is_some());
        Ok(Place { url, second_url: other.map(|other| format!("{other}{signed}")), signed })
    }

    /// Origin and rest of a URL at one of the hosts.
    fn split<'a>(&'a self, url: &'a str) -> Result<(&'a str, &'a str), SignError> {
        let own = [Some(self.origin.as_str()), self.second.as_deref()];
        let known: &[&str] =
            if KNOWN_ORIGINS.contains(&self.origin.as_str()) { &KNOWN_ORIGINS } else { &[] };
        own.into_iter()
            .flatten()
            .chain(known.iter().copied())
            .find_map(|origin| {
                let rest = url.strip_prefix(origin).filter(|rest| rest.starts_with('/'))?;
                Some((origin, rest))
            })
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
        let strange = |name: &str| name != seal::SERIAL && name != place::RETURN_URL;
        if call.parameters.iter().any(|(name, _)| strange(name)) {
            return Err(SignError("a parameter is not one of WeChat Pay's".to_owned()));
        }
        let Place { url, second_url, signed } = self.base.locate(&call.target)?;
        let mut headers = vec![
            ("Authorization".to_owned(), self.authorization(call, &signed, stamp)?),
            ("Accept".to_owned(), accept(call).to_owned()),
            ("User-Agent".to_owned(), USER_AGENT.to_owned()),
        ];
        // The key with which fields were sealed, else the one that is to sign the answer.
        let kept = call.parameters.iter().find(|(name, _)| name == seal::SERIAL);
        let serial = kept.map(|(_, serial)| serial.clone()).or_else(|| self.ring.newest_name());
        headers.extend(serial.map(|serial| (seal::SERIAL.to_owned(), serial)));
        if call.method == Method::Post {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        Ok(Request {
            method: call.method,
            url,
            second_url,
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
            self.parties.mchid, self.serial_no
        ))
    }
}

/// A file is not JSON; everything else is.
fn accept(call: &Call) -> &'static str {
    if call.target.starts_with('/') { "application/json" } else { "*/*" }
}
