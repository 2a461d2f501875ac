//! An order (支付单): one attempt to collect fees through one provider, under one number for ever.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::provider::UnknownWord;

/// Where an order stands. Changed only by [`OrderState::after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Written down; the provider has not been asked, or has not answered yet.
    Created,
    /// The provider took it and waits for the payer.
    Pending,
    /// The provider's answer did not come or did not verify: a query decides, nobody guesses.
    Unknown,
    /// A payment is on record.
    Paid,
    /// It cannot be paid any more, as far as the hub knows.
    Closed,
    /// The provider refused it.
    Failed,
}

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderTransition {
    /// The provider accepted it.
    Place,
    /// The provider's answer to placing it is unknown.
    LoseTrack,
    /// The provider refused it for good.
    Refuse,
    /// Money is there.
    Pay,
    /// It was closed at the provider, expired there, or was superseded.
    Close,
}

/// A transition that its state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {from} cannot {transition:?}")]
pub struct OrderTransitionError {
    from: OrderState,
    transition: OrderTransition,
}

impl OrderState {
    /// The state after `transition`: the only way in which an order changes.
    ///
    /// # Errors
    /// When the business does not know such a step.
    pub fn after(self, transition: OrderTransition) -> Result<Self, OrderTransitionError> {
        use OrderTransition::{Close, LoseTrack, Pay, Place, Refuse};
        match (self, transition) {
            (Self::Created | Self::Pending | Self::Unknown, Place) => Ok(Self::Pending),
            (Self::Created | Self::Unknown, LoseTrack) => Ok(Self::Unknown),
            (Self::Created | Self::Unknown, Refuse) => Ok(Self::Failed),
            // A repeat changes nothing, and money is a fact: it wins over our own closing.
            (
                Self::Created
                | Self::Pending
                | Self::Unknown
                | Self::Paid
                | Self::Closed
                | Self::Failed,
                Pay,
            ) => Ok(Self::Paid),
            (Self::Created | Self::Pending | Self::Unknown | Self::Closed, Close) => {
                Ok(Self::Closed)
            }
            (Self::Pending | Self::Paid | Self::Closed | Self::Failed, LoseTrack | Refuse)
            | (Self::Paid | Self::Closed | Self::Failed, Place)
            | (Self::Paid | Self::Failed, Close) => {
                Err(OrderTransitionError { from: self, transition })
            }
        }
    }

    /// Whether money that comes now comes late: after the hub had given the order up.
    #[must_use]
    pub const fn makes_payment_late(self) -> bool {
        matches!(self, Self::Closed | Self::Failed)
    }

    /// Whether it may still be paid, so that its fees cannot have another order.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Created | Self::Pending | Self::Unknown)
    }

    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Paid => "paid",
            Self::Closed => "closed",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for OrderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OrderState {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Created, Self::Pending, Self::Unknown, Self::Paid, Self::Closed, Self::Failed]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownWord {
                what: "order state",
                word: text.chars().take(64).collect(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::OrderState::{Closed, Created, Failed, Paid, Pending, Unknown};
    use super::OrderTransition::{Close, LoseTrack, Pay, Place, Refuse};

    #[test]
    fn money_wins_over_every_state() {
        for state in [Created, Pending, Unknown, Paid, Closed, Failed] {
            assert_eq!(state.after(Pay), Ok(Paid));
        }
    }

    #[test]
    fn a_paid_order_never_becomes_anything_else() {
        for transition in [Place, LoseTrack, Refuse, Close] {
            assert!(Paid.after(transition).is_err(), "{transition:?}");
        }
    }

    #[test]
    fn what_is_unknown_is_decided_by_an_answer_only() {
        assert_eq!(Unknown.after(Place), Ok(Pending));
        assert_eq!(Unknown.after(Refuse), Ok(Failed));
        assert_eq!(Unknown.after(Close), Ok(Closed));
        assert_eq!(Created.after(LoseTrack), Ok(Unknown));
    }
}
