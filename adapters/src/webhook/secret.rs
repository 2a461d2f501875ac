//! The key that hub and receiver share, and the signatures made with it. The key is never
//! printed, except once to the person who has to give it to the receiver.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::personal::Secret;
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use crate::wire::Headers;

/// How far a `webhook-timestamp` may be from the receiver's clock, either way.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// What stands before the base64 of a secret.
const PREFIX: &str = "whsec_";

/// Why a text is no webhook secret. No variant repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The prefix is missing.
    #[error("a webhook secret begins with whsec_")]
    Prefix,
    /// Not base64.
    #[error("behind whsec_ a webhook secret is base64")]
    Base64,
    /// Too short or too long.
    #[error("a webhook secret has 24 to 64 bytes, this one has {0}")]
    Length(usize),
}

/// A shared key of 24 to 64 bytes, written `whsec_` and base64.
#[derive(Clone)]
pub struct WebhookSecret {
    bytes: Zeroizing<Vec<u8>>,
    key: hmac::Key,
}

impl WebhookSecret {
    /// A key of these random bytes; 32 are a good number.
    ///
    /// # Errors
    /// When there are fewer than 24 or more than 64.
    pub fn from_random(bytes: &[u8]) -> Result<Self, SecretError> {
        if !(24..=64).contains(&bytes.len()) {
            return Err(SecretError::Length(bytes.len()));
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        Ok(Self { bytes: Zeroizing::new(bytes.to_vec()), key })
    }

    /// The secret as its receiver needs it, to be shown once or sealed.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        Secret::new(format!("{PREFIX}{}", STANDARD.encode(&*self.bytes)))
    }

    /// One signature, `v1,` and base64, over `id`, the attempt's time in Unix seconds, and the
    /// body's raw bytes.
    #[must_use]
    pub fn sign(&self, id: &str, unix_timestamp: i64, body: &[u8]) -> String {
        format!("v1,{}", STANDARD.encode(self.tag(id, unix_timestamp, body)))
    }

    fn tag(&self, id: &str, unix_timestamp: i64, body: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [id.as_bytes(), b".", unix_timestamp.to_string().as_bytes(), b".", body] {
            context.update(part);
        }
        context.sign()
    }
}

impl FromStr for WebhookSecret {
    type Err = SecretError;
    fn from_str(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError::Prefix)?;
        let bytes = STANDARD.decode(encoded).map(Zeroizing::new);
        Self::from_random(&bytes.map_err(|_may_repeat_a_letter| SecretError::Base64)?)
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// The value of `webhook-signature`: a signature under each secret, so that a receiver may hold
/// the old or the new one while they are exchanged.
#[must_use]
pub fn sign_all(secrets: &[&WebhookSecret], id: &str, unix_timestamp: i64, body: &[u8]) -> String {
    let signatures = secrets.iter().map(|secret| secret.sign(id, unix_timestamp, body));
    signatures.collect::<Vec<_>>().join(" ")
}

/// Why a webhook is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// One of the three headers is missing, stands twice or is unreadable.
    #[error("{0} is missing, stands twice or is unreadable")]
    Header(&'static str),
    /// Its time is more than five minutes away.
    #[error("the webhook's time is more than five minutes away")]
    Stale,
    /// No `v1` signature verifies under any of the secrets.
    #[error("no signature verifies")]
    Signature,
}

/// What a receiver does: believes a body when its time is near `now` and one of its signatures
/// is one of `secrets`'. Compares in constant time.
///
/// # Errors
/// Which of the two failed, or which header is missing.
pub fn verify(
    secrets: &[&WebhookSecret],
    headers: &Headers,
    body: &[u8],
    now: Timestamp,
) -> Result<(), VerifyError> {
    let header = |name| headers.only(name).ok_or(VerifyError::Header(name));
    let id = header("webhook-id")?;
    let written = header("webhook-timestamp")?;
    let signatures = header("webhook-signature")?;
    let at = written.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let at = at.ok_or(VerifyError::Header("webhook-timestamp"))?;
    if now.duration_since(at).abs() > TOLERANCE {
        return Err(VerifyError::Stale);
    }
    let good = signatures
        .split(' ')
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|encoded| STANDARD.decode(encoded).ok())
        .any(|given| secrets.iter().any(|secret| secret.is_tag(id, written, body, &given)));
    if good { Ok(()) } else { Err(VerifyError::Signature) }
}

impl WebhookSecret {
    /// Whether `given` signs the bytes as they were written; the time is signed as a text.
    fn is_tag(&self, id: &str, written: &str, body: &[u8], given: &[u8]) -> bool {
        let mut message = Vec::with_capacity(body.len().saturating_add(64));
        for part in [id.as_bytes(), b".", written.as_bytes(), b".", body] {
            message.extend_from_slice(part);
        }
        hmac::verify(&self.key, &message, given).is_ok()
    }
}
