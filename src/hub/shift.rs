//! A worker's shift: how its work learns that the process is about to end, and tells that it still
//! goes on.

use std::sync::Arc;

use tokio::sync::watch;

use super::Beat;

/// What a worker's work is given for as long as it lasts.
#[derive(Debug)]
pub struct Shift {
    stopped: watch::Receiver<bool>,
    beat: Option<Arc<Beat>>,
}

impl Shift {
    /// That of a worker, which ends when `stopped` says so.
    #[must_use]
    pub const fn of(stopped: watch::Receiver<bool>, beat: Arc<Beat>) -> Self {
        Self { stopped, beat: Some(beat) }
    }

    /// That of somebody who works once, until nothing is due.
    #[must_use]
    pub fn once() -> Self {
        Self { stopped: watch::channel(false).1, beat: None }
    }

    /// Whether nothing new may be begun.
    #[must_use]
    pub fn is_over(&self) -> bool {
        *self.stopped.borrow()
    }

    /// The work goes on: a long round is not taken for one that hangs.
    pub fn goes_on(&self) {
        if let Some(beat) = &self.beat {
            beat.came_round();
        }
    }
}
