//! How this process is: whether its workers come round, and whether it is about to end. Kept in
//! memory; an operator and a load balancer ask for it at `/readyz`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What is known of a process's workers and of its end.
#[derive(Debug, Default)]
pub struct Health {
    stopping: AtomicBool,
    beats: Mutex<Vec<Arc<Beat>>>,
}

/// One worker's loop, as it tells that it comes round.
#[derive(Debug)]
pub struct Beat {
    name: String,
    patience: Duration,
    last: Mutex<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    at: Instant,
    broke_down: bool,
}

/// How the workers of a process stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It runs none.
    None,
    /// All come round.
    Fine,
    /// Some do not, each with what is wrong.
    Stuck(Vec<String>),
}

impl Health {
    /// The process is about to end: it takes no more work.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Whether it is about to end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// A worker's loop begins; it counts as stuck when it does not come round for `patience`.
    pub fn begin(&self, name: String, patience: Duration) -> Arc<Beat> {
        let last = Mutex::new(Last { at: Instant::now(), broke_down: false });
        let beat = Arc::new(Beat { name, patience, last });
        self.beats.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&beat));
        beat
    }

    /// Every worker with the time since it came round.
    #[must_use]
    pub fn rounds(&self) -> Vec<(String, Duration)> {
        let beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        beats.iter().map(|beat| (beat.name.clone(), beat.last().at.elapsed())).collect()
    }

    /// How the workers stand now.
    #[must_use]
    pub fn workers(&self) -> Standing {
        let beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        let stuck: Vec<String> = beats.iter().filter_map(|beat| beat.wrong()).collect();
        if !stuck.is_empty() {
            Standing::Stuck(stuck)
        } else if beats.is_empty() {
            Standing::None
        } else {
            Standing::Fine
        }
    }
}

impl Beat {
    /// The loop came round.
    pub fn came_round(&self) {
        *self.last() = Last { at: Instant::now(), broke_down: false };
    }

    /// The loop broke down; it counts as stuck until it comes round again.
    pub fn broke_down(&self) {
        self.last().broke_down = true;
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrong(&self) -> Option<String> {
        let Last { at, broke_down } = *self.last();
        let silent = at.elapsed();
        if broke_down {
            Some(format!("{} broke down", self.name))
        } else if silent > self.patience {
            Some(format!("{} has not come round for {} s", self.name, silent.as_secs()))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[track_caller]
    fn check(health: &Health, expected: &Standing) {
        assert_eq!(health.workers(), *expected);
    }

    #[test]
    fn a_process_without_workers_has_none_that_are_stuck() {
        check(&Health::default(), &Standing::None);
    }

    #[test]
    fn a_loop_that_broke_down_is_stuck_until_it_comes_round() {
        let health = Health::default();
        let (orders, cases) =
            (health.begin("orders".into(), LONG), health.begin("cases".into(), LONG));
        check(&health, &Standing::Fine);
        orders.broke_down();
        cases.came_round();
        check(&health, &Standing::Stuck(vec!["orders broke down".into()]));
        orders.came_round();
        check(&health, &Standing::Fine);
    }

    #[test]
    fn a_loop_that_is_silent_for_longer_than_it_may_is_stuck() {
        let health = Health::default();
        let _beat = health.begin("orders".into(), Duration::ZERO);
        while health.workers() == Standing::Fine {}
        check(&health, &Standing::Stuck(vec!["orders has not come round for 0 s".into()]));
    }
}
