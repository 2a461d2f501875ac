//! Webhooks to backend services, by Standard Webhooks 1.0.0: `v1` (a shared secret) and `v1a` (the
//! application's own key pair) beside each other.
//!
//! An event keeps its `webhook-id` over all attempts, so that a repeat is harmless: whatever is
//! not a clear yes is tried again along [`RETRY_DELAYS`], for over 24 h.
//!
//! ```
//! use adapters::webhook::{
//!     Message, Signers, SigningKey, WebhookSecret, build, next_attempt, read_answer,
//! };
//! # use adapters::wire::{Answer, Headers};
//! # use domain::delivery::Delivery;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = WebhookSecret::from_random(&[7; 32])?; // or parse("whsec_…")
//! let pair = SigningKey::from_seed(&[8; 32])?; // its public half is the receiver's to see
//! let now = "2018-11-30T01:00:00Z".parse()?;
//! let message = Message {
//!     url: "https://registry.example/hooks",
//!     id: "evt_0193…", // the same over all attempts
//!     body: br#"{"type":"fee.paid","timestamp":"2018-11-30T09:00:00+08:00","data":{}}"#,
//! };
//! // The new secret and, while it is exchanged, the old one.
//! let signers = Signers { secrets: &[&secret], pair: Some(&pair) };
//! let request = build(&message, &signers, now);
//! # assert_eq!(request.body, message.body);
//! # let answer = Answer { status: 500, headers: Headers::default(), body: Vec::new() };
//! let wait = match read_answer(&answer, now) {
//!     Delivery::Accepted { .. } => None,                         // done
//!     Delivery::AccountFault { .. } => None,                     // 410: disable the endpoint
//!     Delivery::Throttled { until, .. } => next_attempt(1, Some(until.duration_since(now)), 500),
//!     _ => next_attempt(1, None, 500),                           // None after the last: dead letter
//! };
//! # assert!(wait.is_some());
//! # Ok(())
//! # }
//! ```

mod guard;
mod key_pair;
mod schedule;
mod secret;
#[cfg(test)]
mod tests;

use domain::delivery::{Delivery, FaultScope};
use jiff::{SignedDuration, Timestamp};

pub use guard::{AllowList, Target, TargetError, is_public, read_target};
pub use key_pair::{KeyPairError, SigningKey, VerifyingKey};
pub use schedule::{ATTEMPTS, JITTER_PERMILLE_MAX, RETRY_DELAYS, next_attempt};
pub use secret::{SecretError, Signers, TOLERANCE, Verifier, VerifyError, WebhookSecret, verify};

use crate::wire::{Answer, Method, Request};

/// How long the receiver is left alone when it is overloaded and does not say for how long.
pub const THROTTLE_DEFAULT: SignedDuration = SignedDuration::from_secs(60);

/// The longest `Retry-After` that is believed.
pub const THROTTLE_MAX: SignedDuration = SignedDuration::from_hours(24);

/// One event on its way to one endpoint.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// The receiver's address.
    pub url: &'a str,
    /// The `evt_…` id, the same over all attempts.
    pub id: &'a str,
    /// The JSON body, byte for byte as it is stored.
    pub body: &'a [u8],
}

impl std::fmt::Debug for Message<'_> {
    /// Addresses may carry tokens and bodies personal data: neither is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({}, {} bytes)", self.id, self.body.len())
    }
}

/// Builds the request of one attempt at `now`.
#[must_use]
pub fn build(message: &Message<'_>, signers: &Signers<'_>, now: Timestamp) -> Request {
    let timestamp = now.as_second();
    let header = |name: &str, value: String| (name.to_owned(), value);
    Request {
        method: Method::Post,
        url: message.url.to_owned(),
        second_url: None,
        mutual_tls: false,
        headers: vec![
            header("content-type", "application/json".to_owned()),
            header("user-agent", concat!("payhub/", env!("CARGO_PKG_VERSION")).to_owned()),
            header("webhook-id", message.id.to_owned()),
            header("webhook-timestamp", timestamp.to_string()),
            header("webhook-signature", signers.sign(message.id, timestamp, message.body)),
        ],
        body: message.body.to_vec(),
    }
}

/// What the receiver's answer means. Redirects are not followed: they are failures.
#[must_use]
pub fn read_answer(answer: &Answer, now: Timestamp) -> Delivery {
    let detail = || format!("HTTP {}", answer.status);
    match answer.status {
        200..=299 => Delivery::Accepted { vendor_ref: None },
        410 => Delivery::AccountFault {
            scope: FaultScope::Endpoint,
            code: "410".to_owned(),
            message: "the receiver says that the endpoint is gone".to_owned(),
        },
        429 | 502 | 503 | 504 => {
            let wait = retry_after(answer, now).unwrap_or(THROTTLE_DEFAULT);
            Delivery::Throttled { until: after(now, wait), message: detail() }
        }
        _ => Delivery::Transient { detail: detail() },
    }
}

/// Until when the receiver wants to hear nothing at all: it said so itself (429 or 503 with a
/// `Retry-After`). A gateway that cannot reach it speaks for one event only.
#[must_use]
pub fn asked_to_wait(answer: &Answer, now: Timestamp) -> Option<Timestamp> {
    if !matches!(answer.status, 429 | 503) {
        return None;
    }
    Some(after(now, retry_after(answer, now)?)).filter(|until| *until > now)
}

/// The end of a wait, of which no more is believed than [`THROTTLE_MAX`].
fn after(now: Timestamp, wait: SignedDuration) -> Timestamp {
    let wait = wait.clamp(SignedDuration::ZERO, THROTTLE_MAX);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// `Retry-After`, in seconds or as an HTTP date; `None` when it is missing, twice or unreadable.
fn retry_after(answer: &Answer, now: Timestamp) -> Option<SignedDuration> {
    let text = answer.headers.only("retry-after")?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(THROTTLE_MAX, SignedDuration::from_secs));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(at.duration_since(now))
}
