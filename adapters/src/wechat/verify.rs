//! Proves that an answer or a notice is WeChat Pay's: headers, time, key, and the signature over
//! the body's bytes as they came.

use jiff::Timestamp;

use super::Wechat;
use crate::provider::{NoticeError, NoticeFault};
use crate::wire::Headers;

/// How far a statement's time may be from ours, either way, in seconds.
const FRESH_SECONDS: u64 = 300;

/// The one algorithm that the configured keys can verify.
const ALGORITHM: &str = "WECHATPAY2-SHA256-RSA2048";

/// What stands in the headers of a signed statement, once it is fresh.
pub(super) struct Signed<'a> {
    timestamp: &'a str,
    nonce: &'a str,
    /// The name of the key.
    pub(super) serial: &'a str,
    /// The signature in base64.
    pub(super) signature: &'a str,
}

impl<'a> Signed<'a> {
    /// Reads the headers. `now` is the time of receipt.
    pub(super) fn read(headers: &'a Headers, now: Timestamp) -> Result<Self, NoticeError> {
        let signed = Self {
            timestamp: required(headers, "Wechatpay-Timestamp")?,
            nonce: required(headers, "Wechatpay-Nonce")?,
            serial: required(headers, "Wechatpay-Serial")?,
            signature: required(headers, "Wechatpay-Signature")?,
        };
        right_algorithm(headers)?;
        fresh(signed.timestamp, now)?;
        Ok(signed)
    }

    /// The bytes that were signed.
    pub(super) fn message(&self, body: &[u8]) -> Vec<u8> {
        message(self.timestamp, self.nonce, body)
    }
}

impl Wechat {
    /// Proves `body`. `now` is the time of receipt.
    ///
    /// # Errors
    /// The first reason why it is not proved. A probe (`WECHATPAY/SIGNTEST/…`) is no base64 of a
    /// signature and fails like any other wrong one.
    pub(super) fn verify(
        &self,
        headers: &Headers,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), NoticeError> {
        let signed = Signed::read(headers, now)?;
        match self.ring.verifies(signed.serial, now, &signed.message(body), signed.signature) {
            Some(true) => Ok(()),
            Some(false) => Err(bad_signature()),
            None => {
                let serial: String = signed.serial.chars().take(64).collect();
                Err(NoticeError::new(NoticeFault::UnknownKey, format!("signed by {serial:?}")))
            }
        }
    }
}

pub(super) fn bad_signature() -> NoticeError {
    NoticeError::new(NoticeFault::BadSignature, "Wechatpay-Signature does not verify")
}

/// The bytes under a signature of WeChat Pay.
pub(super) fn message(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat()
}

fn required<'a>(headers: &'a Headers, name: &str) -> Result<&'a str, NoticeError> {
    headers.only(name).filter(|value| !value.is_empty()).ok_or_else(|| {
        NoticeError::new(NoticeFault::Incomplete, format!("{name} must stand exactly once"))
    })
}

/// The header may be absent; whatever else it says is refused.
fn right_algorithm(headers: &Headers) -> Result<(), NoticeError> {
    let name = "Wechatpay-Signature-Type";
    let absent = !headers.0.iter().any(|(key, _)| key.eq_ignore_ascii_case(name));
    if absent || headers.only(name) == Some(ALGORITHM) {
        return Ok(());
    }
    Err(NoticeError::new(NoticeFault::WrongAlgorithm, format!("{name} is not {ALGORITHM}")))
}

fn fresh(timestamp: &str, now: Timestamp) -> Result<(), NoticeError> {
    let digits = timestamp.bytes().all(|b| b.is_ascii_digit());
    let seconds: i64 =
        timestamp.parse().ok().filter(|_| digits && timestamp.len() <= 12).ok_or_else(|| {
            NoticeError::new(NoticeFault::Incomplete, "Wechatpay-Timestamp is not seconds")
        })?;
    let away = seconds.abs_diff(now.as_second());
    if away <= FRESH_SECONDS {
        return Ok(());
    }
    Err(NoticeError::new(
        NoticeFault::Stale,
        format!("its time is {away} s away from this host's; if that is new, check the clock"),
    ))
}
