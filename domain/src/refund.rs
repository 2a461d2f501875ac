//! A refund (退款): money on its way back to the payer, under one number for ever.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::provider::UnknownWord;

/// Where a refund stands. Changed only by [`RefundState::after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// It waits for a second person.
    PendingApproval,
    /// The second person said no.
    Declined,
    /// Written down; the provider's answer is not there yet.
    Submitted,
    /// The provider's answer did not come or did not verify.
    Unknown,
    /// The provider accepted it; the money has not arrived.
    Processing,
    /// The money is back with the payer.
    Succeeded,
    /// The provider refused or closed it; nothing moved.
    Failed,
    /// The payer's account refused the money; a person must handle it (退款异常).
    Abnormal,
}

/// Who had a refund made (退款来源).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundOrigin {
    /// It was asked for here.
    #[default]
    Hub,
    /// Somebody made it in the provider's own portal (商户平台退款); nobody asked here.
    Portal,
}

impl RefundOrigin {
    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hub => "hub",
            Self::Portal => "portal",
        }
    }
}

/// What can happen to a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefundTransition {
    /// A second person agreed.
    Approve,
    /// A second person said no.
    Decline,
    /// The provider's answer is unknown.
    LoseTrack,
    /// The provider accepted it.
    Accept,
    /// The money is back with the payer.
    Succeed,
    /// The provider refused or closed it.
    Fail,
    /// The payer's account refused the money.
    Stick,
    /// The treasury's payment came back to it, and is to be paid again.
    Return,
}

/// A transition that its state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a refund that is {from} cannot {transition:?}")]
pub struct RefundTransitionError {
    from: RefundState,
    transition: RefundTransition,
}

impl RefundState {
    /// Every state, in the order of a refund's life.
    pub const ALL: [Self; 8] = [
        Self::PendingApproval,
        Self::Declined,
        Self::Submitted,
        Self::Unknown,
        Self::Processing,
        Self::Succeeded,
        Self::Failed,
        Self::Abnormal,
    ];

    /// The state after `transition`: the only way in which a refund changes.
    ///
    /// # Errors
    /// When the business does not know such a step.
    pub fn after(self, transition: RefundTransition) -> Result<Self, RefundTransitionError> {
        use RefundTransition::{Accept, Approve, Decline, Fail, LoseTrack, Return, Stick, Succeed};
        match (self, transition) {
            (Self::PendingApproval, Approve) => Ok(Self::Submitted),
            (Self::PendingApproval, Decline) => Ok(Self::Declined),
            (Self::Submitted | Self::Unknown, LoseTrack) => Ok(Self::Unknown),
            // What the payer's account refused is under way again once it goes to another one.
            (Self::Submitted | Self::Unknown | Self::Processing | Self::Abnormal, Accept) => {
                Ok(Self::Processing)
            }
            // A fact wins over what we thought of it; a repeat changes nothing.
            (
                Self::Submitted
                | Self::Unknown
                | Self::Processing
                | Self::Abnormal
                | Self::Failed
                | Self::Succeeded,
                Succeed,
            ) => Ok(Self::Succeeded),
            (
                Self::Submitted | Self::Unknown | Self::Processing | Self::Abnormal | Self::Failed,
                Fail,
            ) => Ok(Self::Failed),
            (Self::Submitted | Self::Unknown | Self::Processing | Self::Abnormal, Stick) => {
                Ok(Self::Abnormal)
            }
            // No provider says so: what the treasury paid, the payer's bank may send back.
            (Self::Succeeded, Return) => Ok(Self::Processing),
            (
                Self::PendingApproval
                | Self::Declined
                | Self::Submitted
                | Self::Unknown
                | Self::Processing
                | Self::Succeeded
                | Self::Failed
                | Self::Abnormal,
                _,
            ) => Err(RefundTransitionError { from: self, transition }),
        }
    }

    /// Whether its amount is taken from what may still be refunded.
    #[must_use]
    pub const fn holds_money(self) -> bool {
        !matches!(self, Self::Declined | Self::Failed)
    }

    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingApproval => "pending_approval",
            Self::Declined => "declined",
            Self::Submitted => "submitted",
            Self::Unknown => "unknown",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Abnormal => "abnormal",
        }
    }
}

impl fmt::Display for RefundState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RefundState {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| UnknownWord {
            what: "refund state",
            word: text.chars().take(64).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::RefundTransition::{Accept, Approve, Fail, LoseTrack, Succeed};
    use super::*;

    #[test]
    fn a_refund_that_succeeded_stays_so_whatever_its_provider_says() {
        assert_eq!(RefundState::Succeeded.after(Succeed), Ok(RefundState::Succeeded));
        for late in [Accept, Fail, LoseTrack, Approve] {
            assert!(RefundState::Succeeded.after(late).is_err(), "{late:?}");
        }
    }

    #[test]
    fn an_abnormal_refund_that_goes_to_another_account_is_under_way_again() {
        assert_eq!(RefundState::Abnormal.after(Accept), Ok(RefundState::Processing));
        assert!(RefundState::Failed.after(Accept).is_err());
    }

    #[test]
    fn only_money_that_had_arrived_comes_back() {
        for state in RefundState::ALL {
            let expected = (state == RefundState::Succeeded).then_some(RefundState::Processing);
            assert_eq!(state.after(RefundTransition::Return).ok(), expected, "{state}");
        }
    }

    #[test]
    fn a_notice_before_its_answer_is_taken() {
        assert_eq!(RefundState::Submitted.after(Succeed), Ok(RefundState::Succeeded));
        assert_eq!(RefundState::Unknown.after(Succeed), Ok(RefundState::Succeeded));
    }

    #[test]
    fn every_word_is_read_back() {
        for state in RefundState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }
}
