//! A refund through the treasury (退付): money that was paid over to it (缴库) comes back only by an
//! application that the office verifies, the finance bureau approves and the treasury pays.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, Deadline};
use crate::provider::UnknownWord;

/// By which way a refund reaches the payer (退款途径).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// The provider gives it back the way it came (原路退回).
    #[default]
    Provider,
    /// The treasury pays it (国库退付).
    Treasury,
}

impl Route {
    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Treasury => "treasury",
        }
    }
}

/// Where a refund through the treasury stands. Changed only by [`TreasuryState::after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TreasuryState {
    /// The payer or the office applied for it (已申请).
    Applied,
    /// The collecting unit verified it (执收单位已核实).
    UnitVerified,
    /// The finance bureau approved it (财政部门已审批).
    FinanceApproved,
    /// The treasury paid it to the payer (已退付).
    Paid,
    /// The payment came back to the treasury (退票): it holds the money again.
    Returned,
    /// The collecting unit, the finance bureau or the treasury rejected it (已驳回).
    Rejected,
}

/// What happens to a refund through the treasury.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TreasuryEvent {
    /// It is applied for: the way begins.
    Applied,
    /// The collecting unit verified it.
    Verified,
    /// The finance bureau approved it.
    Approved,
    /// The treasury paid it.
    Paid,
    /// The payer's bank sent the payment back to the treasury.
    Returned,
    /// It was rejected.
    Rejected,
}

/// A step that its state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a refund by the treasury that is {} cannot be {event}", .from.map_or("not applied for", TreasuryState::as_str))]
pub struct TreasuryStepError {
    from: Option<TreasuryState>,
    event: TreasuryEvent,
}

/// How many working days the step out of `state` may take.
struct Limit {
    state: TreasuryState,
    working_days: u32,
    /// The shorter limit where the office found the error itself.
    found_by_office: u32,
}

/// The time limits (办理时限), in one place. From a provincial regulation on non-tax revenue, §17, as
/// the domain notes quote it (1.8): the collecting unit verifies in 10 working days, 5 if it found the
/// error itself; the finance bureau approves in 10; the treasury pays in 10. It says nothing of a
/// payment that came back: the treasury has its 10 again. An office under another regulation changes
/// this table.
const LIMITS: [Limit; 4] = [
    Limit { state: TreasuryState::Applied, working_days: 10, found_by_office: 5 },
    Limit { state: TreasuryState::UnitVerified, working_days: 10, found_by_office: 10 },
    Limit { state: TreasuryState::FinanceApproved, working_days: 10, found_by_office: 10 },
    Limit { state: TreasuryState::Returned, working_days: 10, found_by_office: 10 },
];

impl TreasuryState {
    /// Every state, in the order of the way.
    pub const ALL: [Self; 6] = [
        Self::Applied,
        Self::UnitVerified,
        Self::FinanceApproved,
        Self::Paid,
        Self::Returned,
        Self::Rejected,
    ];

    /// The state after `event`, from `None` before the way begins: the only way in which it changes.
    ///
    /// # Errors
    /// When the way knows no such step: one is left out, or told a second time, or comes after a
    /// rejection. Only a payment may be told again, once it came back.
    pub fn after(from: Option<Self>, event: TreasuryEvent) -> Result<Self, TreasuryStepError> {
        use TreasuryEvent::{Applied, Approved, Paid, Rejected, Returned, Verified};
        match (from, event) {
            (None, Applied) => Ok(Self::Applied),
            (Some(Self::Applied), Verified) => Ok(Self::UnitVerified),
            (Some(Self::UnitVerified), Approved) => Ok(Self::FinanceApproved),
            // What came back is paid again, to the same payer: it was approved.
            (Some(Self::FinanceApproved | Self::Returned), Paid) => Ok(Self::Paid),
            (Some(Self::Paid), Returned) => Ok(Self::Returned),
            (
                Some(Self::Applied | Self::UnitVerified | Self::FinanceApproved | Self::Returned),
                Rejected,
            ) => Ok(Self::Rejected),
            (
                None
                | Some(
                    Self::Applied
                    | Self::UnitVerified
                    | Self::FinanceApproved
                    | Self::Paid
                    | Self::Returned
                    | Self::Rejected,
                ),
                Applied | Verified | Approved | Paid | Returned | Rejected,
            ) => Err(TreasuryStepError { from, event }),
        }
    }

    /// The last day of the step out of this state, counted from the day on which it was reached;
    /// `None` at the end of the way.
    #[must_use]
    pub fn due(self, calendar: &Calendar, since: Date, found_by_office: bool) -> Option<Deadline> {
        let limit = LIMITS.iter().find(|limit| limit.state == self)?;
        let days = if found_by_office { limit.found_by_office } else { limit.working_days };
        Some(calendar.add_working_days(since, days))
    }

    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::UnitVerified => "unit_verified",
            Self::FinanceApproved => "finance_approved",
            Self::Paid => "paid",
            Self::Returned => "returned",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for TreasuryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TreasuryEvent {
    /// Every event.
    pub const ALL: [Self; 6] =
        [Self::Applied, Self::Verified, Self::Approved, Self::Paid, Self::Returned, Self::Rejected];

    /// The steps whose doer may not do this one as well (不相容岗位): who asks, who verifies, who
    /// approves and who pays are four people.
    #[must_use]
    pub const fn apart_from(self) -> &'static [Self] {
        match self {
            Self::Verified => &[Self::Applied],
            Self::Approved => &[Self::Applied, Self::Verified],
            Self::Paid => &[Self::Applied, Self::Verified, Self::Approved],
            Self::Applied | Self::Returned | Self::Rejected => &[],
        }
    }

    /// Whether who decided on the refund at the office may not do this step as well.
    #[must_use]
    pub const fn is_apart_from_the_decision(self) -> bool {
        match self {
            Self::Approved | Self::Paid => true,
            Self::Applied | Self::Verified | Self::Returned | Self::Rejected => false,
        }
    }

    /// Whether it must say why.
    #[must_use]
    pub const fn needs_a_reason(self) -> bool {
        match self {
            Self::Returned | Self::Rejected => true,
            Self::Applied | Self::Verified | Self::Approved | Self::Paid => false,
        }
    }

    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Verified => "verified",
            Self::Approved => "approved",
            Self::Paid => "paid",
            Self::Returned => "returned",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for TreasuryEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TreasuryEvent {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|event| event.as_str() == text).ok_or_else(|| UnknownWord {
            what: "treasury event",
            word: text.chars().take(64).collect(),
        })
    }
}

#[cfg(test)]
mod tests;
