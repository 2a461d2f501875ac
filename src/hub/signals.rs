//! What wakes workers before their period ends: in this process at once, and in the others by what
//! [`crate::jobs`] tells them after the commit. Telling costs the waker nothing, and nothing
//! depends on it: who misses a signal looks when his period ends.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// What waits, as hubs tell it to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Something in the outbox.
    Dispatch,
    /// An order or a refund that wants to be asked for.
    Follow,
    /// A run that wants to be made.
    Reconcile,
}

impl Waiting {
    /// Everything that hubs tell each other.
    pub const ALL: [Self; 3] = [Self::Dispatch, Self::Follow, Self::Reconcile];

    /// The word on the wire between hubs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dispatch => "dispatch",
            Self::Follow => "follow",
            Self::Reconcile => "reconcile",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Dispatch => 1,
            Self::Follow => 2,
            Self::Reconcile => 4,
        }
    }
}

/// Wakes workers before their period ends.
#[derive(Debug, Default)]
pub struct Signals {
    /// Something waits in the outbox.
    pub dispatch: Notify,
    /// An order or refund wants to be asked for.
    pub follow: Notify,
    /// A run wants to be made.
    pub reconcile: Notify,
    /// Nobody wakes those who wait here: they keep to their period and take no other's signal.
    pub period: Notify,
    /// One bit for each [`Waiting`] that the other hubs have not been told of.
    untold: AtomicU8,
    /// Wakes the one who tells them.
    tell: Notify,
}

impl Signals {
    /// Something waits in the outbox. To be called after the commit.
    pub fn wake_dispatch(&self) {
        self.wake(Waiting::Dispatch);
    }

    /// An order or a refund wants to be asked for. To be called after the commit.
    pub fn wake_follow(&self) {
        self.wake(Waiting::Follow);
    }

    /// A run wants to be made. To be called after the commit.
    pub fn wake_reconcile(&self) {
        self.wake(Waiting::Reconcile);
    }

    fn wake(&self, waiting: Waiting) {
        self.wake_here(waiting);
        self.tell_again(waiting);
    }

    /// Wakes the workers of this process alone: another hub has told of it.
    pub fn wake_here(&self, waiting: Waiting) {
        match waiting {
            Waiting::Dispatch => self.dispatch.notify_one(),
            Waiting::Follow => self.follow.notify_waiters(),
            Waiting::Reconcile => self.reconcile.notify_one(),
        }
    }

    /// Has the other hubs told of it, once for however many ask before that is done.
    pub fn tell_again(&self, waiting: Waiting) {
        let before = self.untold.fetch_or(waiting.bit(), Ordering::AcqRel);
        if before & waiting.bit() == 0 {
            self.tell.notify_one();
        }
    }

    /// Waits until there is something to tell, and takes it. One caller at a time.
    pub async fn untold(&self) -> Vec<Waiting> {
        loop {
            let bits = self.untold.swap(0, Ordering::AcqRel);
            if bits != 0 {
                return Waiting::ALL.into_iter().filter(|it| bits & it.bit() != 0).collect();
            }
            self.tell.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn many_wakings_are_told_once_and_each_kind_for_itself() {
        let signals = Signals::default();
        assert_eq!(signals.untold().now_or_never(), None);
        for _ in 0..100 {
            signals.wake_dispatch();
        }
        signals.wake_reconcile();
        let told = signals.untold().now_or_never();
        assert_eq!(told, Some(vec![Waiting::Dispatch, Waiting::Reconcile]));
        assert_eq!(signals.untold().now_or_never(), None);
        signals.wake_follow();
        assert_eq!(signals.untold().now_or_never(), Some(vec![Waiting::Follow]));
    }

    #[test]
    fn what_another_hub_told_is_not_told_again() {
        let signals = Signals::default();
        signals.wake_here(Waiting::Dispatch);
        assert_eq!(signals.untold().now_or_never(), None);
        assert!(signals.dispatch.notified().now_or_never().is_some(), "but it wakes the worker");
    }
}
