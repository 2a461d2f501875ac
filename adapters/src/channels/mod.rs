//! The vendors that carry messages to people. As with payments, nothing is sent from here: a call
//! is built and stored, signed under a fresh stamp, and its answer read into a [`Delivery`].
//!
//! ```
//! use adapters::channels::aliyun_sms::{AliyunSms, AliyunSmsConfig};
//! use adapters::channels::{SmsChannel, SmsLookup, SmsMessage, lookup_days};
//! # use adapters::wire::{Answer, Headers, Stamp};
//! # use domain::delivery::{Delivery, Lookup};
//! # use domain::personal::{Personal, Secret};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let channel: Box<dyn SmsChannel> = Box::new(AliyunSms::new(AliyunSmsConfig {
//!     access_key_id: "id".into(),
//!     access_key_secret: Secret::new("secret"),
//!     sign_name: "园区不动产".into(),
//!     endpoint: "https://dysmsapi.aliyuncs.com".into(),
//! })?);
//! let phone = Personal::new("13800000000");
//! let params = [("no".to_owned(), "201811300001".to_owned())];
//! let out_id = "ntf_0193f0aa"; // one for all attempts of a notification on this channel
//! let call = channel.send(&SmsMessage {
//!     phone: &phone,
//!     template_code: "SMS_1",
//!     params: &params,
//!     out_id,
//! })?; // store it sealed, with the attempt, before it is sent
//! let now = "2018-11-30T01:00:00Z".parse()?;
//! let request = channel.sign(&call, &Stamp { now, nonce: "32 letters of chance".into() })?;
//! # drop(request);
//! # let answer = Answer { status: 504, headers: Headers::default(), body: Vec::new() };
//! if let Delivery::Unknown { .. } = channel.read_send(&answer, now) {
//!     // minutes later, on each day that the attempt may have been counted to:
//!     for day in lookup_days(now) {
//!         let lookup = SmsLookup { phone: &phone, day, out_id };
//!         let query = channel.query(&lookup)?;
//!         # drop(query);
//!         let found: Lookup = channel.read_query(&lookup, &answer); // combine with Lookup::or
//!         # drop(found);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

pub mod aliyun_sms;

use std::fmt;

pub use domain::delivery::{Arrival, Delivery, FaultScope, Lookup, Repeat, Undelivered};
use domain::personal::Personal;
use domain::time::business_day;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

pub use crate::provider::{LimitError, Reply, SignError};
use crate::wire::{Answer, Call, Request, Stamp};

/// A vendor of SMS (短信通道).
pub trait SmsChannel: Send + Sync {
    /// Its kind, as the configuration names it.
    fn kind(&self) -> &'static str;
    /// The signature (短信签名) that stands before its messages, without brackets.
    fn signature(&self) -> &str;
    /// What makes sending twice safe.
    fn repeat(&self) -> Repeat;

    /// The call that sends a message. It holds the phone number: store it sealed.
    ///
    /// # Errors
    /// When the vendor's own limits would refuse it; nothing is sent then.
    fn send(&self, message: &SmsMessage<'_>) -> Result<Call, LimitError>;
    /// The call that asks what the vendor's record of one day says about a message.
    ///
    /// # Errors
    /// When the vendor cannot be asked about such a number.
    fn query(&self, lookup: &SmsLookup<'_>) -> Result<Call, LimitError>;
    /// Signs a call under a fresh stamp. The URL may hold the phone number: it must not be
    /// logged, nor an error that repeats it.
    ///
    /// # Errors
    /// When the stored call is not one of this vendor's.
    fn sign(&self, call: &Call, stamp: &Stamp) -> Result<Request, SignError>;

    /// Reads the answer to [`send`](Self::send).
    fn read_send(&self, answer: &Answer, now: Timestamp) -> Delivery;
    /// Reads the answer to [`query`](Self::query).
    fn read_query(&self, lookup: &SmsLookup<'_>, answer: &Answer) -> Lookup;
    /// Reads receipts that the vendor posts. They are not signed: each is a hint, good only for
    /// an attempt whose vendor number and phone it names.
    ///
    /// # Errors
    /// When the body is not this vendor's form at all.
    fn read_receipts(&self, body: &[u8]) -> Result<ReceiptBatch, ReceiptError>;
    /// The exact answer to posted receipts: `is_taken` once they are durable.
    fn acknowledge_receipts(&self, is_taken: bool) -> Reply;
}

/// A message for one phone.
#[derive(Clone, Copy)]
pub struct SmsMessage<'a> {
    /// A mainland number, with or without `+86`.
    pub phone: &'a Personal,
    /// The vendor's id of the approved template.
    pub template_code: &'a str,
    /// The template's variables in order: name and value.
    pub params: &'a [(String, String)],
    /// The hub's id of the message at this vendor: the same over all attempts, so that a lookup
    /// finds whichever of them came through.
    pub out_id: &'a str,
}

impl fmt::Debug for SmsMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmsMessage({}, {})", self.template_code, self.out_id)
    }
}

/// A question about a message whose outcome is unknown.
#[derive(Clone, Copy, Debug)]
pub struct SmsLookup<'a> {
    /// The number it was for.
    pub phone: &'a Personal,
    /// The Beijing day on which it was sent.
    pub day: Date,
    /// The hub's id that went out with it.
    pub out_id: &'a str,
}

/// How far the vendor's clock and ours may differ at midnight.
const MIDNIGHT_MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The days to ask about for an attempt at `sent_at`: one, or two near midnight in Beijing. A
/// message is absent only when it is absent on all of them.
#[must_use]
pub fn lookup_days(sent_at: Timestamp) -> Vec<Date> {
    let around = [sent_at.checked_sub(MIDNIGHT_MARGIN), sent_at.checked_add(MIDNIGHT_MARGIN)];
    let mut days: Vec<Date> = around.into_iter().flatten().map(business_day).collect();
    days.dedup();
    days
}

/// Receipts from one post, with what could not be read in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptBatch {
    /// What could be read.
    pub receipts: Vec<Receipt>,
    /// How many entries could not: for a metric, never a reason to lose the others.
    pub unreadable: usize,
}

/// One delivery receipt (状态报告).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The number that it is about.
    pub phone: Personal,
    /// The hub's own id, if the vendor gives it back.
    pub out_id: Option<String>,
    /// The vendor's number of the message.
    pub vendor_ref: Option<String>,
    /// How it ended.
    pub arrival: Arrival,
    /// When the carrier reported it.
    pub reported_at: Option<Timestamp>,
    /// How many parts the vendor charges.
    pub segments: Option<u32>,
}

/// A body that holds no receipts of this vendor's form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list of delivery receipts: {0}")]
pub struct ReceiptError(pub String);

/// A channel that cannot be set up from its configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {rule}")]
pub struct ChannelConfigError {
    /// The key in the configuration.
    pub key: &'static str,
    /// Which rule it breaks.
    pub rule: &'static str,
}

/// The vendor's words for the record: at most 256 characters, and every run of seven or more
/// digits hidden, because some vendors repeat the phone number.
pub(crate) fn for_record(text: &str) -> String {
    let mut kept = String::new();
    let mut digits = String::new();
    for letter in text.chars().take(256).chain(std::iter::once('\n')) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        kept.push_str(if digits.len() < 7 { &digits } else { "…" });
        digits.clear();
        if !letter.is_control() {
            kept.push(letter);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendors_words_are_kept_without_the_phone_number() {
        assert_eq!(for_record("触发天级流控Permits:10"), "触发天级流控Permits:10");
        assert_eq!(for_record("13812341234invalid mobile"), "…invalid mobile");
        assert_eq!(for_record("number +8613812341234"), "number +…");
        assert_eq!(for_record("a\nb"), "ab");
        assert_eq!(for_record(&"x".repeat(999)).len(), 256);
    }

    #[test]
    fn a_message_near_midnight_is_looked_for_on_both_days() {
        let days = |text: &str| {
            let days = lookup_days(text.parse().unwrap());
            days.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(days("2018-11-30T10:00:00+08:00"), ["2018-11-30"]);
        assert_eq!(days("2018-11-30T23:59:59+08:00"), ["2018-11-30", "2018-12-01"]);
        assert_eq!(days("2018-12-01T00:03:00+08:00"), ["2018-11-30", "2018-12-01"]);
    }
}
