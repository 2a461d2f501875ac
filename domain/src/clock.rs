//! The one clock. Only the hub's `serve` has a real one; everything else is handed this trait.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// Says what time it is in the business's world.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still until it is moved by hand; clones share the same hands.
#[derive(Clone, Debug)]
pub struct ManualClock {
    unix_micros: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { unix_micros: Arc::new(AtomicI64::new(now.as_microsecond())) }
    }

    /// Moves the hands to `now`, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.unix_micros.store(now.as_microsecond(), Ordering::SeqCst);
    }

    /// Moves the hands by `step`.
    pub fn advance(&self, step: SignedDuration) {
        self.set(self.now().saturating_add(step).unwrap_or(Timestamp::MAX));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.unix_micros.load(Ordering::SeqCst))
            .unwrap_or(Timestamp::MAX)
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}
