//! What follows an attempt, a lookup or a receipt. The rule above all: an unknown outcome is
//! looked up, and a message goes out again only when the vendor says that it does not have it.

use domain::delivery::{Arrival, Delivery, FaultScope, Lookup, Undelivered};
use jiff::{SignedDuration, Timestamp};

use crate::policy::Policy;
use crate::status::Transition;
use crate::template::Urgency;

/// The waits between attempts that were certainly not taken.
const RETRY_DELAYS: [SignedDuration; 8] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(10),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(4),
];

/// How often a message is tried on one channel.
pub const ATTEMPTS_MAX: usize = RETRY_DELAYS.len().saturating_add(1);

/// The waits before the vendor is asked, and asked again; the last one repeats.
const LOOKUP_DELAYS: [SignedDuration; 6] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(10),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(1),
];

/// How long after an attempt the vendor's "not there" is not yet believed: its record lags, and
/// the request may still be on its way.
pub const LOOKUP_SETTLES: SignedDuration = SignedDuration::from_mins(5);

/// After how long without any record a person must decide.
pub const LOOKUP_GIVE_UP: SignedDuration = SignedDuration::from_hours(24);

/// How long a faulty account is left alone, unless a person mends it earlier.
pub const ACCOUNT_PAUSE: SignedDuration = SignedDuration::from_mins(15);

/// How long after a phone was out of reach it is tried again, once.
const UNREACHABLE_PAUSE: SignedDuration = SignedDuration::from_hours(2);

/// How far a message has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Attempts on this channel, the one just made included.
    pub attempts_made: usize,
    /// Whether the plan has another channel behind this one.
    pub has_next_channel: bool,
    /// How much the message minds the hour.
    pub urgency: Urgency,
    /// From when on it is of no use.
    pub expires_at: Timestamp,
    /// The present instant.
    pub now: Timestamp,
    /// A random number of 0 to 1000: up to a fifth is added to a wait.
    pub jitter: u16,
}

/// What a person must be told about a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What does not work; `None`: one message whose fate nobody knows.
    pub scope: Option<FaultScope>,
    /// The vendor's code, or what happened.
    pub detail: String,
}

/// Why a message will not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailReason {
    /// The vendor refused it for ever.
    Rejected,
    /// It was tried often enough.
    Exhausted,
    /// The carrier could not deliver it.
    Undelivered,
    /// Nobody could say whether it went out; it was not sent again.
    Undecided,
}

impl FailReason {
    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Exhausted => "exhausted",
            Self::Undelivered => "undelivered",
            Self::Undecided => "undecided",
        }
    }
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// The vendor has it: wait for the receipt.
    Sent {
        /// The vendor's number of it.
        vendor_ref: Option<String>,
    },
    /// It arrived.
    Delivered,
    /// Send the same call again, freshly signed.
    Retry {
        /// When.
        at: Timestamp,
    },
    /// Ask the vendor for its record.
    Query {
        /// When.
        at: Timestamp,
    },
    /// Use the plan's next channel.
    NextChannel {
        /// When.
        at: Timestamp,
        /// What to tell a person, if the channel itself is at fault.
        alarm: Option<Alarm>,
    },
    /// Stop the account or template for everybody and wait.
    Hold {
        /// Until when.
        until: Timestamp,
        /// What to tell a person.
        alarm: Alarm,
    },
    /// It will not arrive.
    Fail {
        /// Why.
        reason: FailReason,
        /// The vendor's or carrier's code and words.
        detail: String,
        /// What to tell a person, if anything.
        alarm: Option<Alarm>,
    },
    /// It would leave too late to be of use.
    Expire,
}

impl NextStep {
    /// What this step does to the notification's status; `None`: it stays `sending`.
    #[must_use]
    pub const fn transition(&self) -> Option<Transition> {
        match self {
            Self::Sent { .. } => Some(Transition::Accept),
            Self::Delivered => Some(Transition::Deliver),
            Self::Retry { .. } | Self::NextChannel { .. } => Some(Transition::Queue),
            Self::Query { .. } => None,
            Self::Hold { .. } => Some(Transition::Hold),
            Self::Fail { .. } => Some(Transition::Fail),
            Self::Expire => Some(Transition::Expire),
        }
    }
}

/// What follows an attempt with this outcome.
#[must_use]
pub fn after(outcome: &Delivery, progress: &Progress, policy: &Policy) -> NextStep {
    match outcome {
        Delivery::Accepted { vendor_ref } => NextStep::Sent { vendor_ref: vendor_ref.clone() },
        Delivery::Rejected { code, message } => {
            progress.give_up_channel(policy, FailReason::Rejected, &format!("{code}: {message}"))
        }
        Delivery::Throttled { until, .. } => {
            let wait = until.duration_since(progress.now).max(SignedDuration::ZERO);
            let extra = progress
                .jittered(SignedDuration::from_secs(30))
                .saturating_sub(SignedDuration::from_secs(30));
            progress.again(policy, wait.saturating_add(extra))
        }
        Delivery::AccountFault { scope, code, message } => {
            let alarm = Alarm { scope: Some(*scope), detail: format!("{code}: {message}") };
            if progress.has_next_channel {
                return NextStep::NextChannel { at: progress.now, alarm: Some(alarm) };
            }
            NextStep::Hold { until: progress.later(ACCOUNT_PAUSE), alarm }
        }
        Delivery::Transient { detail } => progress.again_if_left(policy, detail),
        Delivery::Unknown { .. } => NextStep::Query { at: progress.later(lookup_delay(0)) },
    }
}

/// What follows when the vendor was asked about an attempt made at `sent_at`; `lookups_made`
/// counts this one. Ask about each day of the attempt and combine with [`Lookup::or`].
#[must_use]
pub fn after_lookup(
    lookup: &Lookup,
    lookups_made: usize,
    sent_at: Timestamp,
    progress: &Progress,
    policy: &Policy,
) -> NextStep {
    let age = progress.now.duration_since(sent_at);
    match lookup {
        Lookup::Found(None) => NextStep::Sent { vendor_ref: None },
        Lookup::Found(Some(arrival)) => after_arrival(arrival, progress, policy),
        Lookup::Absent if age < LOOKUP_SETTLES => {
            NextStep::Query { at: sent_at.saturating_add(LOOKUP_SETTLES).unwrap_or(Timestamp::MAX) }
        }
        Lookup::Absent => progress.again_if_left(policy, "its outcome was unknown"),
        Lookup::NoAnswer(_) if age < LOOKUP_GIVE_UP => {
            NextStep::Query { at: progress.later(lookup_delay(lookups_made)) }
        }
        Lookup::NoAnswer(why) => NextStep::Fail {
            reason: FailReason::Undecided,
            detail: why.clone(),
            alarm: Some(Alarm { scope: None, detail: why.clone() }),
        },
    }
}

/// What follows a receipt. Check first that it names a known attempt's vendor number and phone:
/// receipts are not signed.
#[must_use]
pub fn after_arrival(arrival: &Arrival, progress: &Progress, policy: &Policy) -> NextStep {
    let (reason, code) = match arrival {
        Arrival::Delivered => return NextStep::Delivered,
        Arrival::Undelivered { reason, code } => (*reason, code),
    };
    let may_try_again = match reason {
        Undelivered::Unreachable => progress.attempts_made < 2 && !progress.has_next_channel,
        Undelivered::AbsentNumber
        | Undelivered::Blacklisted
        | Undelivered::ContentBlocked
        | Undelivered::Frequency
        | Undelivered::Unknown => false,
    };
    let at = progress.free(policy, UNREACHABLE_PAUSE);
    if may_try_again && at < progress.expires_at {
        return NextStep::Retry { at };
    }
    let detail = format!("{}: {code}", reason.as_str());
    progress.give_up_channel(policy, FailReason::Undelivered, &detail)
}

impl Progress {
    /// The present plus a wait.
    fn later(&self, wait: SignedDuration) -> Timestamp {
        self.now.saturating_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// The first instant after a wait at which the message may leave.
    fn free(&self, policy: &Policy, wait: SignedDuration) -> Timestamp {
        policy.earliest(self.urgency, self.later(wait))
    }

    /// A wait with chance added, so that what failed together does not come back together.
    fn jittered(&self, wait: SignedDuration) -> SignedDuration {
        let permille = i32::from(self.jitter.min(1000));
        let extra = wait.checked_mul(permille).and_then(|extra| extra.checked_div(5000));
        wait.saturating_add(extra.unwrap_or(SignedDuration::ZERO))
    }

    /// Another attempt after a wait, or the next channel if that would be too late.
    fn again(&self, policy: &Policy, wait: SignedDuration) -> NextStep {
        let at = self.free(policy, wait);
        if at < self.expires_at {
            NextStep::Retry { at }
        } else if self.has_next_channel && self.now < self.expires_at {
            NextStep::NextChannel { at: self.free(policy, SignedDuration::ZERO), alarm: None }
        } else {
            NextStep::Expire
        }
    }

    /// Another attempt after the schedule's wait, if there is one left.
    fn again_if_left(&self, policy: &Policy, detail: &str) -> NextStep {
        match RETRY_DELAYS.get(self.attempts_made.saturating_sub(1)) {
            Some(wait) => self.again(policy, self.jittered(*wait)),
            None => self.give_up_channel(policy, FailReason::Exhausted, detail),
        }
    }

    /// The next channel, or the end.
    fn give_up_channel(&self, policy: &Policy, reason: FailReason, detail: &str) -> NextStep {
        if self.has_next_channel {
            let at = self.free(policy, SignedDuration::ZERO);
            if at < self.expires_at {
                return NextStep::NextChannel { at, alarm: None };
            }
        }
        NextStep::Fail { reason, detail: detail.to_owned(), alarm: None }
    }
}

fn lookup_delay(lookups_made: usize) -> SignedDuration {
    let last = SignedDuration::from_hours(1);
    LOOKUP_DELAYS.get(lookups_made).copied().unwrap_or(last)
}

#[cfg(test)]
mod tests;
