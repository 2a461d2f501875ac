//! Where a case stands (办件状态) and what can happen to it.
//!
//! The registration system decides and the hub mirrors it: a step that says more than the last one
//! is taken even when a step between was never told, and only a step back from the register, or
//! after the end, is refused.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::provider::UnknownWord;

/// Where a case stands. Changed only by [`CaseState::after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// Taken in, under review (已受理).
    Accepted,
    /// Waits for the applicant's further papers; the clock stands (补正中).
    Supplementing,
    /// Stopped for a public notice, a site check or an inquiry; the clock stands (暂停).
    Suspended,
    /// Under review again after a stop (审核中).
    Reviewing,
    /// Review passed (已审核).
    Approved,
    /// Entered in the register: the registration is complete (已登簿).
    Registered,
    /// The certificate waits for the applicant (待领证).
    CertificateReady,
    /// Done and handed over (已办结).
    Closed,
    /// Refused in writing (不予登记).
    Rejected,
    /// Taken back by the applicant (已撤回).
    Withdrawn,
}

/// What can happen to a case after its acceptance, in the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseEvent {
    /// The applicant is asked for further papers (补正).
    Supplement,
    /// The clock is stopped for another cause (暂停计时).
    Suspended,
    /// The papers are in or the cause is over (恢复办理).
    Resumed,
    /// Review passed (审核通过).
    Approved,
    /// Entered in the register (登簿).
    Registered,
    /// The certificate can be collected (可领证).
    CertificateReady,
    /// Handed over, nothing left to do (办结).
    Closed,
    /// Refused (不予登记).
    Rejected,
    /// Taken back (撤回).
    Withdrawn,
}

/// An event that a case's state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a case that is {from} cannot become {event}")]
pub struct CaseTransitionError {
    /// Where the case stands.
    pub from: CaseState,
    /// What was told of it.
    pub event: CaseEvent,
}

impl CaseState {
    /// The state after `event`: the only way in which a case changes. A repeat changes nothing.
    ///
    /// # Errors
    /// When the case is past such an event.
    pub fn after(self, event: CaseEvent) -> Result<Self, CaseTransitionError> {
        let open = self.is_open();
        let next = match event {
            CaseEvent::Supplement => open.then_some(Self::Supplementing),
            CaseEvent::Suspended => open.then_some(Self::Suspended),
            CaseEvent::Resumed => {
                (self.is_stopped() || self == Self::Reviewing).then_some(Self::Reviewing)
            }
            CaseEvent::Approved => open.then_some(Self::Approved),
            CaseEvent::Registered => (open || self == Self::Registered).then_some(Self::Registered),
            CaseEvent::CertificateReady => (open
                || matches!(self, Self::Registered | Self::CertificateReady))
            .then_some(Self::CertificateReady),
            CaseEvent::Closed => {
                matches!(self, Self::Registered | Self::CertificateReady | Self::Closed)
                    .then_some(Self::Closed)
            }
            CaseEvent::Rejected => (open || self == Self::Rejected).then_some(Self::Rejected),
            CaseEvent::Withdrawn => (open || self == Self::Withdrawn).then_some(Self::Withdrawn),
        };
        next.ok_or(CaseTransitionError { from: self, event })
    }

    /// Whether the office still has to decide: the working-day clock is not over.
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Accepted
            | Self::Supplementing
            | Self::Suspended
            | Self::Reviewing
            | Self::Approved => true,
            Self::Registered
            | Self::CertificateReady
            | Self::Closed
            | Self::Rejected
            | Self::Withdrawn => false,
        }
    }

    /// Whether the clock stands until [`CaseEvent::Resumed`].
    #[must_use]
    pub const fn is_stopped(self) -> bool {
        matches!(self, Self::Supplementing | Self::Suspended)
    }

    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Supplementing => "supplementing",
            Self::Suspended => "suspended",
            Self::Reviewing => "reviewing",
            Self::Approved => "approved",
            Self::Registered => "registered",
            Self::CertificateReady => "certificate_ready",
            Self::Closed => "closed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Every state, in the order of a case's life.
    pub const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Supplementing,
        Self::Suspended,
        Self::Reviewing,
        Self::Approved,
        Self::Registered,
        Self::CertificateReady,
        Self::Closed,
        Self::Rejected,
        Self::Withdrawn,
    ];
}

impl CaseEvent {
    /// Every event, in the contract's order.
    pub const ALL: [Self; 9] = [
        Self::Supplement,
        Self::Suspended,
        Self::Resumed,
        Self::Approved,
        Self::Registered,
        Self::CertificateReady,
        Self::Closed,
        Self::Rejected,
        Self::Withdrawn,
    ];

    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Supplement => "supplement",
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::Approved => "approved",
            Self::Registered => "registered",
            Self::CertificateReady => "certificate_ready",
            Self::Closed => "closed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl fmt::Display for CaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for CaseEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CaseState {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == text);
        known.ok_or_else(|| unknown("case state", text))
    }
}

impl FromStr for CaseEvent {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|event| event.as_str() == text);
        known.ok_or_else(|| unknown("case event", text))
    }
}

fn unknown(what: &'static str, word: &str) -> UnknownWord {
    UnknownWord { what, word: word.chars().take(64).collect() }
}
