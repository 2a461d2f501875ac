//! The machine's clock, for `serve` alone. No other file of the hub may ask the machine what time
//! it is; everything else is handed a [`Clock`].

use domain::Clock;
use jiff::Timestamp;

/// The real clock of this machine, cut to microseconds: what PostgreSQL keeps, so that a time
/// read back equals the time written.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[allow(
            clippy::disallowed_methods,
            reason = "the one place that reads the machine's clock; all others are handed it"
        )]
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_stored_is_read_back_the_same() {
        let now = SystemClock.now();
        assert_eq!(now.as_nanosecond() % 1000, 0);
        assert!(now > "2026-01-01T00:00:00Z".parse().unwrap(), "{now}");
    }
}
