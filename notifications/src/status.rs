//! Where a notification stands (通知状态). It only moves forward: a receipt proves arrival for
//! good, and nothing that may be out is ever put back without the vendor's word.

use std::fmt;
use std::str::FromStr;

use domain::provider::UnknownWord;
use serde::{Deserialize, Serialize};

/// Where a notification stands, in the contract's words. Changed only by
/// [`NotificationStatus::after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationStatus {
    /// It goes out as soon as a worker takes it.
    Queued,
    /// It waits for an hour: quiet hours, `not_before`, a vendor's pause, an account's repair.
    Held,
    /// It is being sent, or its outcome is being looked up.
    Sending,
    /// The vendor took it; no receipt yet.
    Sent,
    /// It is on the person's phone.
    Delivered,
    /// It will not arrive.
    Failed,
    /// It was of no use any more before it could leave.
    Expired,
    /// It was not to be sent: a duplicate, an opt-out, or no longer true.
    Suppressed,
}

/// What can happen to a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transition {
    /// It must wait.
    Hold,
    /// It need not wait any more, or is to be tried again.
    Queue,
    /// A worker begins to send it.
    Begin,
    /// The vendor took it.
    Accept,
    /// A receipt or the vendor's record says that it arrived.
    Deliver,
    /// It will not arrive.
    Fail,
    /// Its time is over.
    Expire,
    /// It is not to be sent.
    Suppress,
}

/// A transition that its status does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a notification that is {from} cannot {transition:?}")]
pub struct StatusError {
    from: NotificationStatus,
    transition: Transition,
}

impl NotificationStatus {
    /// Every status, in the order of a notification's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Held,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Failed,
        Self::Expired,
        Self::Suppressed,
    ];

    /// The status after `transition`. A repeat changes nothing.
    ///
    /// # Errors
    /// When the status does not allow it.
    pub const fn after(self, transition: Transition) -> Result<Self, StatusError> {
        use Transition::{Accept, Begin, Deliver, Expire, Fail, Hold, Queue, Suppress};
        match (self, transition) {
            // A receipt is a fact, even when it overtakes the vendor's answer or our giving up.
            (
                Self::Sending | Self::Sent | Self::Delivered | Self::Failed | Self::Expired,
                Deliver,
            ) => Ok(Self::Delivered),
            (Self::Queued | Self::Held | Self::Sending, Hold) => Ok(Self::Held),
            // Out of `sending` and `sent` only when the vendor's word says that it did not arrive.
            (Self::Queued | Self::Held | Self::Sending | Self::Sent, Queue) => Ok(Self::Queued),
            (Self::Queued | Self::Held | Self::Sending, Begin) => Ok(Self::Sending),
            (Self::Sending | Self::Sent, Accept) => Ok(Self::Sent),
            // The receipt came before the vendor's answer.
            (Self::Delivered | Self::Failed, Accept) => Ok(self),
            (Self::Queued | Self::Held | Self::Sending | Self::Sent | Self::Failed, Fail) => {
                Ok(Self::Failed)
            }
            (Self::Queued | Self::Held | Self::Sending | Self::Sent | Self::Expired, Expire) => {
                Ok(Self::Expired)
            }
            (Self::Queued | Self::Held | Self::Suppressed, Suppress) => Ok(Self::Suppressed),
            (Self::Queued | Self::Held | Self::Suppressed, Accept | Deliver)
            | (Self::Sending | Self::Sent, Suppress)
            | (Self::Sent, Hold | Begin)
            | (Self::Delivered, Hold | Queue | Begin | Fail | Expire | Suppress)
            | (Self::Failed, Hold | Queue | Begin | Expire | Suppress)
            | (Self::Expired, Hold | Queue | Begin | Accept | Fail | Suppress)
            | (Self::Suppressed, Hold | Queue | Begin | Fail | Expire) => {
                Err(StatusError { from: self, transition })
            }
        }
    }

    /// Whether the hub does nothing more about it. A late receipt may still change it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed | Self::Expired | Self::Suppressed)
    }

    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Held => "held",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Suppressed => "suppressed",
        }
    }
}

impl fmt::Display for NotificationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NotificationStatus {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| UnknownWord {
            what: "notification status",
            word: text.chars().take(64).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::NotificationStatus::{
        Delivered, Expired, Failed, Held, Queued, Sending, Sent, Suppressed,
    };
    use super::Transition::{Accept, Begin, Deliver, Expire, Fail, Hold, Queue, Suppress};
    use super::*;

    #[track_caller]
    fn check(way: &[Transition], end: NotificationStatus) {
        let walked = way.iter().try_fold(Queued, |status, step| status.after(*step));
        assert_eq!(walked, Ok(end), "{way:?}");
    }

    #[test]
    fn a_message_goes_its_way_to_the_phone() {
        check(&[Begin, Accept, Deliver], Delivered);
        check(&[Hold, Queue, Begin, Queue, Begin, Accept, Deliver], Delivered);
        check(&[Hold, Begin, Accept, Fail], Failed);
        check(&[Hold, Expire], Expired);
        check(&[Suppress], Suppressed);
    }

    #[test]
    fn a_receipt_that_overtakes_the_answer_is_not_lost() {
        // T35
        check(&[Begin, Deliver, Accept], Delivered);
        check(&[Begin, Accept, Deliver, Deliver], Delivered);
        check(&[Begin, Fail, Accept], Failed);
        check(&[Begin, Accept, Fail, Deliver], Delivered);
    }

    #[test]
    fn what_has_arrived_stays_arrived() {
        for transition in [Hold, Queue, Begin, Fail, Expire, Suppress] {
            assert!(Delivered.after(transition).is_err(), "{transition:?}");
        }
    }

    #[test]
    fn what_ended_is_never_sent_again() {
        for status in [Delivered, Failed, Expired, Suppressed] {
            for transition in [Queue, Begin, Hold] {
                assert!(status.after(transition).is_err(), "{status} {transition:?}");
            }
            assert!(status.is_final());
        }
    }

    #[test]
    fn what_was_never_sent_cannot_have_been_taken() {
        for status in [Queued, Held, Suppressed] {
            assert!(status.after(Accept).is_err());
            assert!(status.after(Deliver).is_err());
        }
        assert!(Sent.after(Begin).is_err());
        assert!(Sending.after(Suppress).is_err());
    }

    #[test]
    fn every_status_has_its_word() {
        for status in NotificationStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert!("done".parse::<NotificationStatus>().is_err());
    }
}
