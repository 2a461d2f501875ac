//! Sign-off of a day's reconciliation (对账签批): one prepares, another reviews, and then the run is
//! locked. To open it again takes two people, and ends in a new version of the day.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far a run is signed. Changed only by [`SignOff::after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignOff {
    /// Nobody has signed it.
    None,
    /// One person says that it is complete (制表).
    Prepared,
    /// Another has checked it (复核): it is locked, and its papers are kept as they were.
    Reviewed,
    /// Two people opened it again: another version of the day takes its place.
    Reopened,
}

/// What a person does to a run's sign-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignOffStep {
    /// Says that it is complete.
    Prepared,
    /// Confirms what another prepared.
    Reviewed,
    /// Gives back what was prepared, with a reason.
    Returned,
    /// Asks that a locked run be opened again, with a reason.
    ReopenAsked,
    /// Agrees to what another asked.
    Reopened,
}

/// A step that a run's sign-off does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run whose sign-off is {from} cannot be {step}")]
pub struct SignOffError {
    /// How far it was signed.
    pub from: SignOff,
    /// What was to be done.
    pub step: SignOffStep,
}

impl SignOff {
    /// Every state, in the order of a run's life.
    pub const ALL: [Self; 4] = [Self::None, Self::Prepared, Self::Reviewed, Self::Reopened];

    /// The state after a step: the only way in which a sign-off changes.
    ///
    /// # Errors
    /// When the business does not know such a step.
    pub const fn after(self, step: SignOffStep) -> Result<Self, SignOffError> {
        use SignOffStep::{Prepared, ReopenAsked, Reopened, Returned, Reviewed};
        match (self, step) {
            (Self::None, Prepared) => Ok(Self::Prepared),
            (Self::Prepared, Reviewed) | (Self::Reviewed, ReopenAsked) => Ok(Self::Reviewed),
            (Self::Prepared, Returned) => Ok(Self::None),
            (Self::Reviewed, Reopened) => Ok(Self::Reopened),
            (Self::None, Reviewed | Returned | ReopenAsked | Reopened)
            | (Self::Prepared, Prepared | ReopenAsked | Reopened)
            | (Self::Reviewed, Prepared | Reviewed | Returned)
            | (Self::Reopened, Prepared | Reviewed | Returned | ReopenAsked | Reopened) => {
                Err(SignOffError { from: self, step })
            }
        }
    }

    /// Whether nobody may reconcile its day anew.
    #[must_use]
    pub const fn is_locked(self) -> bool {
        matches!(self, Self::Reviewed)
    }

    /// The word on record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Prepared => "prepared",
            Self::Reviewed => "reviewed",
            Self::Reopened => "reopened",
        }
    }
}

impl SignOffStep {
    /// Every step.
    pub const ALL: [Self; 5] =
        [Self::Prepared, Self::Reviewed, Self::Returned, Self::ReopenAsked, Self::Reopened];

    /// Whether it must say why.
    #[must_use]
    pub const fn needs_reason(self) -> bool {
        matches!(self, Self::Returned | Self::ReopenAsked)
    }

    /// The step of another person on which it builds: who took that may not take this one.
    #[must_use]
    pub const fn builds_on(self) -> Option<Self> {
        match self {
            Self::Reviewed => Some(Self::Prepared),
            Self::Reopened => Some(Self::ReopenAsked),
            Self::Prepared | Self::Returned | Self::ReopenAsked => None,
        }
    }

    /// The word on record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Reviewed => "reviewed",
            Self::Returned => "returned",
            Self::ReopenAsked => "reopen_asked",
            Self::Reopened => "reopened",
        }
    }
}

impl fmt::Display for SignOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for SignOffStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_from_every_state() {
        let table: Vec<String> = SignOff::ALL
            .into_iter()
            .map(|from| {
                let steps = SignOffStep::ALL.map(|step| match from.after(step) {
                    Ok(to) => to.as_str(),
                    Err(_) => "-",
                });
                format!("{from}: {}", steps.join(" "))
            })
            .collect();
        assert_eq!(
            table,
            [
                // prepared, reviewed, returned, reopen_asked, reopened
                "none: prepared - - - -",
                "prepared: - reviewed none - -",
                "reviewed: - - - reviewed reopened",
                "reopened: - - - - -",
            ]
        );
    }
}
