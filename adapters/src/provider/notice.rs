//! A callback on its way: as it came in, opened or refused, and how it is answered.

use std::fmt;

use domain::fact::ProviderFact;
use domain::ids::{OutRefundNo, OutTradeNo};
use domain::money::Fen;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::wire::Headers;

/// A callback as it came in.
#[derive(Clone)]
pub struct Notice<'a> {
    /// Headers as they came.
    pub headers: &'a Headers,
    /// The body's bytes, untouched.
    pub body: &'a [u8],
    /// When the hub received it: freshness is judged by this.
    pub received_at: Timestamp,
}

impl fmt::Debug for Notice<'_> {
    /// Bodies may hold personal data: only their length is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notice({:?}, {} bytes)", self.headers, self.body.len())
    }
}

/// A callback that is proved to be the provider's.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenedNotice {
    /// The provider's id of the notice.
    pub notice_id: Option<String>,
    /// The provider's word for what happened, for the record.
    pub kind: String,
    /// What it says about money; empty when it says nothing that concerns the hub.
    pub facts: Vec<ProviderFact>,
    /// The decrypted text, kept (sealed) for replay; the body as it came where that is as far as
    /// it could be read.
    pub plaintext: Vec<u8>,
    /// What it only claims, because nobody signed it: nothing is booked from it, and a query under
    /// these numbers decides.
    pub hints: Vec<RefundHint>,
    /// Why it could not be read, though it is the provider's: a person must look. Repeats neither
    /// the body nor a secret.
    pub unreadable: Option<String>,
}

/// A refund of which an unsigned notice tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundHint {
    /// The order's number.
    pub out_trade_no: OutTradeNo,
    /// The refund's number.
    pub out_refund_no: OutRefundNo,
    /// What it is said to give back.
    pub amount: Fen,
}

impl OpenedNotice {
    /// A notice that is the provider's and says nothing that could be read.
    pub(crate) fn unreadable(plaintext: &[u8], why: &NoticeError) -> Self {
        Self {
            notice_id: None,
            kind: NoticeFault::Unreadable.as_str().to_owned(),
            facts: Vec::new(),
            hints: Vec::new(),
            plaintext: plaintext.to_vec(),
            unreadable: Some(why.detail.clone()),
        }
    }

    /// The notice, if it could be read.
    ///
    /// # Errors
    /// Why it could not.
    pub(crate) fn readable(self) -> Result<Self, NoticeError> {
        match self.unreadable {
            Some(why) => Err(NoticeError::new(NoticeFault::Unreadable, why)),
            None => Ok(self),
        }
    }
}

/// A word that an authentic notice uses for itself, cut to what is kept on record.
pub(crate) fn own_word(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(64).collect()
}

impl fmt::Debug for OpenedNotice {
    /// The plaintext holds personal data: only its length is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedNotice")
            .field("notice_id", &self.notice_id)
            .field("kind", &self.kind)
            .field("facts", &self.facts)
            .field("hints", &self.hints)
            .field("plaintext_bytes", &self.plaintext.len())
            .field("unreadable", &self.unreadable)
            .finish()
    }
}

/// Why a callback is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeFault {
    /// A header or parameter that the signature needs is missing or stands twice.
    Incomplete,
    /// Its time is more than 300 seconds away.
    Stale,
    /// It names a key that the merchant does not have.
    UnknownKey,
    /// It asks for another algorithm than the configured one.
    WrongAlgorithm,
    /// The signature does not verify.
    BadSignature,
    /// It cannot be read as far as its signature; of a kept one, that it is none of the provider's.
    Unreadable,
}

impl NoticeFault {
    /// The word on record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Stale => "stale",
            Self::UnknownKey => "unknown_key",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::BadSignature => "bad_signature",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A refused callback: why, and a sentence for the record that repeats no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", fault.as_str())]
pub struct NoticeError {
    /// Why, as a stable word.
    pub fault: NoticeFault,
    /// What exactly, for a person.
    pub detail: String,
}

impl NoticeError {
    /// A refusal; `detail` must repeat neither the body nor a secret.
    pub(crate) fn new(fault: NoticeFault, detail: impl Into<String>) -> Self {
        Self { fault, detail: detail.into() }
    }
}

/// What the hub has to say about a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// It is durable.
    Taken,
    /// It is not from the provider.
    Refused,
    /// It could not be made durable now: come again.
    TryAgain,
}

/// The exact answer to a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`, if the body has one.
    pub content_type: Option<&'static str>,
    /// The body's bytes.
    pub body: &'static [u8],
}
