//! The shapes in which a call leaves the hub and its answer comes back, whoever the provider is.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Named in every request: WeChat answers 400 to a request without.
pub(crate) const USER_AGENT: &str = concat!("payhub/", env!("CARGO_PKG_VERSION"));

/// An HTTP method; providers use no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Writes.
    Post,
}

impl Method {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A business request before it is signed. It is stored before it is first sent, and a repeat
/// sends the same `target` and `body` byte for byte under a fresh time, nonce and signature.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// HTTP method.
    pub method: Method,
    /// What is called, in the provider's terms: path and query, or a gateway method's name.
    pub target: String,
    /// The business body, exactly as it is signed; empty on GET.
    pub body: String,
    /// Parameters beside the body that belong to the business, such as `notify_url`, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<(String, String)>,
}

impl fmt::Debug for Call {
    /// Bodies may hold personal data, queries a bill's token: only the body's length is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.target.split('?').next().unwrap_or_default();
        write!(f, "Call({} {place}, {} bytes)", self.method.as_str(), self.body.len())
    }
}

/// What makes one signature of a call different from the next: given, never taken from a clock.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The time that is signed.
    pub now: Timestamp,
    /// 32 letters of chance from `0-9A-Za-z`.
    pub nonce: String,
}

/// A signed request, ready to be sent as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// The whole URL, already encoded: it must not be rewritten, because it is signed.
    pub url: String,
    /// The same at the provider's second host, for when the first cannot be reached.
    pub second_url: Option<String>,
    /// Whether the merchant must show its certificate (mutual TLS).
    pub mutual_tls: bool,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl fmt::Debug for Request {
    /// Headers hold signatures and bodies personal data: neither is shown, nor is the query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.url.split('?').next().unwrap_or_default();
        write!(f, "Request({} {place}, {} bytes)", self.method.as_str(), self.body.len())
    }
}

/// Header names and values as they came; names compare without case.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The value of the only header of that name; `None` when it is missing or stands twice, so
    /// that nobody can choose which of two values is believed.
    #[must_use]
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// What came back over HTTP.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers as they came.
    pub headers: Headers,
    /// The body's bytes, untouched.
    pub body: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

/// What an answer means for the business. There is no fourth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// The provider did it, and its answer is proved to be its own.
    Accepted(T),
    /// The provider did not do it and will not.
    Refused(Refusal),
    /// Nobody knows: no answer, a server fault, a bad signature, a word that we do not know. Only
    /// a query under the same number may decide.
    Unknown(String),
}

/// Why a provider refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The hub's own stable word for it.
    pub reason: Reason,
    /// The provider's code, for people and logs.
    pub code: String,
    /// The provider's text, for people, cut to 256 characters.
    pub message: String,
}

impl Refusal {
    /// A refusal in the provider's own code and text, which is cut to what a person reads.
    pub(crate) fn new(reason: Reason, code: &str, message: &str) -> Self {
        Self {
            reason,
            code: code.chars().take(64).collect(),
            message: message.chars().take(256).collect(),
        }
    }
}

/// The hub's stable words for refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The request itself is wrong for the provider.
    InvalidRequest,
    /// Keys, ids or permissions of the merchant are wrong: an alarm, not a retry.
    Configuration,
    /// The order or refund is not known there.
    NotFound,
    /// It is already paid there.
    AlreadyPaid,
    /// It is already closed there.
    AlreadyClosed,
    /// The number was used with other parameters.
    NumberReused,
    /// The merchant's balance does not cover the refund; it may later.
    NotEnoughFunds,
    /// A rule of the provider forbids it (time window, count, account).
    NotAllowed,
}

impl Reason {
    /// The word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Configuration => "configuration",
            Self::NotFound => "not_found",
            Self::AlreadyPaid => "already_paid",
            Self::AlreadyClosed => "already_closed",
            Self::NumberReused => "number_reused",
            Self::NotEnoughFunds => "not_enough_funds",
            Self::NotAllowed => "not_allowed",
        }
    }
}
