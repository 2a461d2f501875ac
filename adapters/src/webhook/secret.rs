//! The key that hub and receiver share, the signatures made with it, and what a receiver does with
//! them. The key is never printed, except once to the person who has to give it to the receiver.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::personal::Secret;
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::key_pair::{SigningKey, VerifyingKey};
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
        let signed = signed_bytes(id, &unix_timestamp.to_string(), body);
        format!("v1,{}", STANDARD.encode(hmac::sign(&self.key, &signed)))
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

/// What signs the attempts to one endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signers<'a> {
    /// The shared secret and, while it is exchanged, the one before: the newest first.
    pub secrets: &'a [&'a WebhookSecret],
    /// The key pair, where the application has one.
    pub pair: Option<&'a SigningKey>,
}

impl Signers<'_> {
    /// The value of `webhook-signature`: `v1` under each secret, so that a receiver may hold the
    /// old or the new one, then `v1a`.
    #[must_use]
    pub fn sign(&self, id: &str, unix_timestamp: i64, body: &[u8]) -> String {
        let shared = self.secrets.iter().map(|secret| secret.sign(id, unix_timestamp, body));
        let own = self.pair.iter().map(|pair| pair.sign(id, unix_timestamp, body));
        shared.chain(own).collect::<Vec<_>>().join(" ")
    }
}

/// What a receiver holds against a signature: secrets that it shares, or a public key.
#[derive(Clone, Copy, Debug)]
pub enum Verifier<'a> {
    /// Any of these secrets (`v1`).
    Secrets(&'a [&'a WebhookSecret]),
    /// The application's public key (`v1a`).
    PublicKey(&'a VerifyingKey),
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
    /// No signature of the verifier's version holds.
    #[error("no signature verifies")]
    Signature,
}

/// What a receiver does: believes a body when its time is near `now` and one of its signatures
/// holds. Compares in constant time.
///
/// # Errors
/// Which of the two failed, or which header is missing.
pub fn verify(
    verifier: &Verifier<'_>,
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
    let signed = signed_bytes(id, written, body);
    let version = match verifier {
        Verifier::Secrets(_) => "v1,",
        Verifier::PublicKey(_) => "v1a,",
    };
    let good = signatures
        .split(' ')
        .filter_map(|signature| signature.strip_prefix(version))
        .filter_map(|encoded| STANDARD.decode(encoded).ok())
        .any(|given| match verifier {
            Verifier::Secrets(secrets) => {
                secrets.iter().any(|secret| hmac::verify(&secret.key, &signed, &given).is_ok())
            }
            Verifier::PublicKey(key) => key.is_signature(&signed, &given),
        });
    if good { Ok(()) } else { Err(VerifyError::Signature) }
}

/// The bytes that are signed; the time is signed as a text, as it was written.
pub(super) fn signed_bytes(id: &str, written: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", written.as_bytes(), b".", body].concat()
}
