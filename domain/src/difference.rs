//! The way of a difference (差错处理): given to a person, a remedy proposed, agreed to by another,
//! and done. A run ends one by itself when the rows agree; to say that it is over takes two people.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::bill::Direction;
use crate::money::Fen;

/// How far a difference is. Changed only by [`DifferenceState::after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceState {
    /// Nobody has it (待处理).
    Open,
    /// Somebody has it (已指派).
    Assigned,
    /// A remedy is proposed (待审批).
    Proposed,
    /// Another person agreed to it (已审批).
    Approved,
    /// It was done (已解决).
    Resolved,
    /// Its money was written off (已核销).
    WrittenOff,
    /// A later bill, an answer or a fact explains it (已消除).
    Cleared,
    /// A newer run of its day does not have it (已被取代).
    Superseded,
}

/// What happens to a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceStep {
    /// It is given to a person.
    Assigned,
    /// That person, or another, proposes a remedy and says why.
    Proposed,
    /// Another agrees.
    Approved,
    /// It is not agreed to, with a reason.
    Declined,
    /// What was agreed to is done.
    Resolved,
    /// Its money is written off, as was agreed to.
    WrittenOff,
    /// Another difference is matched with it by force, as was agreed to there.
    Matched,
    /// That a write-off is taken up again is asked for, with a reason.
    ReopenAsked,
    /// It is taken up again, with a reason; where its money was written off, by another than who asked.
    Reopened,
    /// A run finds that the rows agree.
    Cleared,
    /// A run of its day does not have it any more.
    Superseded,
}

/// A remedy (处理方式) that a person proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// The money goes back by a refund, which is named (退款).
    Refund,
    /// The money is written off (核销).
    WriteOff,
    /// Two differences are one payment or refund under two numbers (强制匹配).
    ForceMatch,
    /// The money stays where it is until somebody knows whose it is (挂账).
    Park,
    /// The provider was asked and mends it (渠道更正).
    AskProvider,
    /// It was mended elsewhere (已更正).
    Corrected,
}

/// A step that the state of a difference does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a difference that is {from} cannot be {step}")]
pub struct DifferenceError {
    /// How far it was.
    pub from: DifferenceState,
    /// What was to be done.
    pub step: DifferenceStep,
}

impl DifferenceState {
    /// Every state, in the order of a difference's life.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Assigned,
        Self::Proposed,
        Self::Approved,
        Self::Resolved,
        Self::WrittenOff,
        Self::Cleared,
        Self::Superseded,
    ];

    /// The state after a step: the only way in which a difference moves.
    ///
    /// # Errors
    /// When the business does not know such a step.
    pub const fn after(self, step: DifferenceStep) -> Result<Self, DifferenceError> {
        use DifferenceStep as Step;
        match (self, step) {
            (Self::Open | Self::Assigned, Step::Assigned) | (Self::Proposed, Step::Declined) => {
                Ok(Self::Assigned)
            }
            // What was agreed to may turn out not to be possible: another remedy takes its place.
            (Self::Assigned | Self::Approved, Step::Proposed) => Ok(Self::Proposed),
            (Self::Proposed, Step::Approved) => Ok(Self::Approved),
            (Self::Approved, Step::Resolved)
            | (Self::Open | Self::Assigned | Self::Proposed | Self::Approved, Step::Matched) => {
                Ok(Self::Resolved)
            }
            (Self::Approved, Step::WrittenOff) | (Self::WrittenOff, Step::ReopenAsked) => {
                Ok(Self::WrittenOff)
            }
            (Self::Resolved | Self::WrittenOff, Step::Reopened) => Ok(Self::Open),
            (Self::Open | Self::Assigned | Self::Proposed | Self::Approved, Step::Cleared) => {
                Ok(Self::Cleared)
            }
            (Self::Open | Self::Assigned | Self::Proposed | Self::Approved, Step::Superseded) => {
                Ok(Self::Superseded)
            }
            (Self::Open, Step::Proposed)
            | (
                Self::Open | Self::Assigned,
                Step::Approved
                | Step::Declined
                | Step::Resolved
                | Step::WrittenOff
                | Step::ReopenAsked
                | Step::Reopened,
            )
            | (
                Self::Proposed,
                Step::Assigned
                | Step::Proposed
                | Step::Resolved
                | Step::WrittenOff
                | Step::ReopenAsked
                | Step::Reopened,
            )
            | (
                Self::Approved,
                Step::Assigned
                | Step::Approved
                | Step::Declined
                | Step::ReopenAsked
                | Step::Reopened,
            )
            | (Self::Resolved, Step::ReopenAsked)
            | (
                Self::Resolved | Self::WrittenOff,
                Step::Assigned
                | Step::Proposed
                | Step::Approved
                | Step::Declined
                | Step::Resolved
                | Step::WrittenOff
                | Step::Matched
                | Step::Cleared
                | Step::Superseded,
            )
            | (Self::Cleared | Self::Superseded, _) => Err(DifferenceError { from: self, step }),
        }
    }

    /// Whether it is over: by two people, or by a run.
    #[must_use]
    pub const fn is_over(self) -> bool {
        match self {
            Self::Open | Self::Assigned | Self::Proposed | Self::Approved => false,
            Self::Resolved | Self::WrittenOff | Self::Cleared | Self::Superseded => true,
        }
    }

    /// The word on record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Assigned => "assigned",
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Resolved => "resolved",
            Self::WrittenOff => "written_off",
            Self::Cleared => "cleared",
            Self::Superseded => "superseded",
        }
    }

    /// Its name on the office's papers.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Open => "待处理",
            Self::Assigned => "已指派",
            Self::Proposed => "待审批",
            Self::Approved => "已审批",
            Self::Resolved => "已解决",
            Self::WrittenOff => "已核销",
            Self::Cleared => "已消除",
            Self::Superseded => "已被取代",
        }
    }
}

impl DifferenceStep {
    /// Every step.
    pub const ALL: [Self; 11] = [
        Self::Assigned,
        Self::Proposed,
        Self::Approved,
        Self::Declined,
        Self::Resolved,
        Self::WrittenOff,
        Self::Matched,
        Self::ReopenAsked,
        Self::Reopened,
        Self::Cleared,
        Self::Superseded,
    ];

    /// Whether it must say why.
    #[must_use]
    pub const fn needs_reason(self) -> bool {
        matches!(self, Self::Proposed | Self::Declined | Self::ReopenAsked | Self::Reopened)
    }

    /// The word on record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Resolved => "resolved",
            Self::WrittenOff => "written_off",
            Self::Matched => "matched",
            Self::ReopenAsked => "reopen_asked",
            Self::Reopened => "reopened",
            Self::Cleared => "cleared",
            Self::Superseded => "superseded",
        }
    }

    /// Its name on the office's papers.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Assigned => "指派",
            Self::Proposed => "提出处理",
            Self::Approved => "同意",
            Self::Declined => "退回",
            Self::Resolved => "办结",
            Self::WrittenOff => "核销",
            Self::Matched => "强制匹配",
            Self::ReopenAsked => "申请重新打开",
            Self::Reopened => "重新打开",
            Self::Cleared => "自动消除",
            Self::Superseded => "新版取代",
        }
    }
}

impl Remedy {
    /// Every remedy.
    pub const ALL: [Self; 6] = [
        Self::Refund,
        Self::WriteOff,
        Self::ForceMatch,
        Self::Park,
        Self::AskProvider,
        Self::Corrected,
    ];

    /// The step that does it; `None` where nothing is done, and the difference waits.
    #[must_use]
    pub const fn ends_with(self) -> Option<DifferenceStep> {
        match self {
            Self::Refund | Self::ForceMatch | Self::AskProvider | Self::Corrected => {
                Some(DifferenceStep::Resolved)
            }
            Self::WriteOff => Some(DifferenceStep::WrittenOff),
            Self::Park => None,
        }
    }

    /// The word on record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::WriteOff => "write_off",
            Self::ForceMatch => "force_match",
            Self::Park => "park",
            Self::AskProvider => "ask_provider",
            Self::Corrected => "corrected",
        }
    }

    /// Its name on the office's papers.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Refund => "退款",
            Self::WriteOff => "核销",
            Self::ForceMatch => "强制匹配",
            Self::Park => "挂账",
            Self::AskProvider => "渠道更正",
            Self::Corrected => "已更正",
        }
    }
}

/// What the bill has more than the books, refunds negative: above zero the office has more money than
/// it counts (长款), below it less (短款). `hub` is what the books count, nothing where no money moved.
#[must_use]
pub fn apart(direction: Direction, hub: Option<Fen>, bill: Option<Fen>) -> Fen {
    let (hub, bill) = (hub.unwrap_or_default().get(), bill.unwrap_or_default().get());
    Fen::new(match direction {
        Direction::Payment => bill.saturating_sub(hub),
        Direction::Refund => hub.saturating_sub(bill),
    })
}

impl fmt::Display for DifferenceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for DifferenceStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
