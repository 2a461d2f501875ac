//! What came of handing a message on: to a vendor of SMS, or to a backend's webhook.
//!
//! Channels differ in one thing that decides everything: whether sending twice is harmless. Where
//! it is not, an answer that never came is [`Delivery::Unknown`], and only the vendor's own record
//! ([`Lookup`]) may decide whether to send again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The outcome of one attempt. There is no seventh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Delivery {
    /// The other side took it over. Accepted is not yet delivered.
    Accepted {
        /// The vendor's own number of the message, for receipts.
        vendor_ref: Option<String>,
    },
    /// It will never be taken as it is: repeating it is useless.
    Rejected {
        /// The other side's code.
        code: String,
        /// The other side's words, cut and without phone numbers.
        message: String,
    },
    /// It was not taken because too much was sent; it may be repeated from `until`.
    Throttled {
        /// The first instant at which a repeat makes sense.
        until: Timestamp,
        /// The other side's code or words.
        message: String,
    },
    /// Not this message is at fault but our account, template or endpoint: stop using it and
    /// tell a person.
    AccountFault {
        /// What must be stopped.
        scope: FaultScope,
        /// The other side's code.
        code: String,
        /// The other side's words, cut and without phone numbers.
        message: String,
    },
    /// It was certainly not taken, or taking it twice is harmless: repeat it.
    Transient {
        /// What happened.
        detail: String,
    },
    /// Nobody knows whether it was taken, and twice would be wrong: look it up first.
    Unknown {
        /// What happened.
        detail: String,
    },
}

impl Delivery {
    /// The outcome of an attempt that never reached the other side: name not resolved,
    /// connection refused, TLS not agreed. Nothing was written, so every channel may repeat it.
    #[must_use]
    pub fn not_sent(detail: impl Into<String>) -> Self {
        Self::Transient { detail: detail.into() }
    }

    /// The outcome of an attempt whose answer did not come after the request may have been
    /// written: time-out, reset, or the hub's own stop in between.
    #[must_use]
    pub fn no_answer(repeat: Repeat, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        match repeat {
            Repeat::Harmless => Self::Transient { detail },
            Repeat::AfterLookup => Self::Unknown { detail },
        }
    }

    /// Its word in the database and in metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Rejected { .. } => "rejected",
            Self::Throttled { .. } => "throttled",
            Self::AccountFault { .. } => "account_fault",
            Self::Transient { .. } => "transient",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// What makes a repeat safe on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// The receiver tells repeats by an id that stays the same (`webhook-id`).
    Harmless,
    /// Nothing does: ask for the vendor's record first.
    AfterLookup,
}

/// How much of a channel an account fault stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultScope {
    /// Everything that goes out under the vendor account.
    Account,
    /// One template or signature at this vendor.
    Template,
    /// One receiver's endpoint: it says that it is gone.
    Endpoint,
}

impl FaultScope {
    /// Its word in the database and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Template => "template",
            Self::Endpoint => "endpoint",
        }
    }
}

/// What the vendor's record says about a message whose outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The vendor has it: it must not be sent again. `None`: no receipt from the carrier yet.
    Found(Option<Arrival>),
    /// The vendor does not have it.
    Absent,
    /// The vendor did not answer, or not in a way that decides: ask again.
    NoAnswer(String),
}

impl Lookup {
    /// Two records of one message, of two neighbouring days or two attempts: found in either is
    /// found, the better end counts, and only absent in both is absent.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Found(Some(Arrival::Delivered)), _)
            | (_, Self::Found(Some(Arrival::Delivered))) => Self::Found(Some(Arrival::Delivered)),
            (Self::Found(None), _) | (_, Self::Found(None)) => Self::Found(None),
            (Self::Found(Some(arrival)), _) | (_, Self::Found(Some(arrival))) => {
                Self::Found(Some(arrival))
            }
            (Self::NoAnswer(why), _) | (_, Self::NoAnswer(why)) => Self::NoAnswer(why),
            (Self::Absent, Self::Absent) => Self::Absent,
        }
    }
}

/// How a message ended, as the carrier reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "arrival", rename_all = "snake_case")]
pub enum Arrival {
    /// It is on the person's phone.
    Delivered,
    /// It is not and will not be.
    Undelivered {
        /// The hub's own word for why.
        reason: Undelivered,
        /// The carrier's code, for the record.
        code: String,
    },
}

/// Why a message did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undelivered {
    /// No such number.
    AbsentNumber,
    /// Switched off or out of reach: the only one that a later message may mend.
    Unreachable,
    /// The person or the carrier refuses our messages.
    Blacklisted,
    /// The carrier refuses the words.
    ContentBlocked,
    /// Too many messages to this number.
    Frequency,
    /// A code that we do not know.
    Unknown,
}

impl Undelivered {
    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AbsentNumber => "absent_number",
            Self::Unreachable => "unreachable",
            Self::Blacklisted => "blacklisted",
            Self::ContentBlocked => "content_blocked",
            Self::Frequency => "frequency",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_answer_is_repeated_only_where_that_is_harmless() {
        assert_eq!(Delivery::no_answer(Repeat::Harmless, "t").as_str(), "transient");
        assert_eq!(Delivery::no_answer(Repeat::AfterLookup, "t").as_str(), "unknown");
        assert_eq!(Delivery::not_sent("refused").as_str(), "transient");
    }

    #[test]
    fn a_message_is_absent_only_when_every_day_says_so() {
        let silent = || Lookup::NoAnswer("t".to_owned());
        let there = || Lookup::Found(None);
        assert_eq!(Lookup::Absent.or(Lookup::Absent), Lookup::Absent);
        assert_eq!(Lookup::Absent.or(silent()), silent());
        assert_eq!(there().or(silent()), there());
        assert_eq!(Lookup::Absent.or(there()), there());
        assert_eq!(
            there().or(Lookup::Found(Some(Arrival::Delivered))),
            Lookup::Found(Some(Arrival::Delivered))
        );
        let reason = Undelivered::Unreachable;
        let lost = || Arrival::Undelivered { reason, code: "UNDELIV".to_owned() };
        assert_eq!(Lookup::Absent.or(Lookup::Found(Some(lost()))), Lookup::Found(Some(lost())));
        assert_eq!(Lookup::Found(Some(lost())).or(there()), there(), "the second is on its way");
    }
}
