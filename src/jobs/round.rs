//! A worker's rounds: it works while there is something to do, then sleeps until it is woken or its
//! period ends, and tells each time that it came round. One that panics starts again, and so does
//! one that knows no rounds and runs until it is stopped.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::fault::Fault;
use crate::hub::{Beat, Hub, Shift};

/// What a worker does in one round: how much that was.
pub(super) type Work<'a> = Pin<Box<dyn Future<Output = Result<usize, Fault>> + Send + 'a>>;

/// A worker as it is known beforehand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worker {
    /// Its name, in the log and at `/readyz`.
    pub(super) name: &'static str,
    /// What wakes it before its period ends.
    pub(super) wakes: Wakes,
    /// How long it sleeps when nobody wakes it.
    pub(super) period: Duration,
    /// How long one round may take.
    pub(super) longest: Duration,
}

/// What wakes a worker.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wakes {
    /// An order or a refund to be asked for.
    Follow,
    /// A run to be made.
    Reconcile,
    /// Nothing but its period.
    Period,
}

impl Worker {
    /// With its period and its longest round in seconds.
    pub(super) const fn new(
        name: &'static str,
        wakes: Wakes,
        period_s: u64,
        longest_s: u64,
    ) -> Self {
        let (period, longest) = (Duration::from_secs(period_s), Duration::from_secs(longest_s));
        Self { name, wakes, period, longest }
    }

    /// After how long without a sign of life it counts as stuck.
    pub(super) const fn patience(self) -> Duration {
        self.period.saturating_mul(3).saturating_add(self.longest)
    }

    const fn signal(self, hub: &Hub) -> &Notify {
        match self.wakes {
            Wakes::Follow => &hub.signals.follow,
            Wakes::Reconcile => &hub.signals.reconcile,
            Wakes::Period => &hub.signals.period,
        }
    }
}

/// Keeps a worker running, round after round.
pub(super) async fn keep(
    hub: Arc<Hub>,
    stopped: watch::Receiver<bool>,
    worker: Worker,
    beat: Arc<Beat>,
    work: impl for<'a> Fn(&'a Hub, &'a Shift) -> Work<'a> + Clone + Send + Sync + 'static,
) {
    let rounds = |stopped| run(Arc::clone(&hub), stopped, worker, Arc::clone(&beat), work.clone());
    stay(stopped, worker, &beat, rounds).await;
}

/// Keeps a worker running that runs until it is stopped: one that panics is told and starts again.
pub(super) async fn stay<F>(
    mut stopped: watch::Receiver<bool>,
    worker: Worker,
    beat: &Beat,
    run: impl Fn(watch::Receiver<bool>) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    while let Err(error) = tokio::spawn(run(stopped.clone())).await {
        beat.broke_down();
        tracing::error!(worker = worker.name, %error, "a worker broke down; it starts again");
        tokio::select! {
            () = tokio::time::sleep(worker.period) => {}
            _ = stopped.changed() => return,
        }
    }
}

async fn run(
    hub: Arc<Hub>,
    mut stopped: watch::Receiver<bool>,
    worker: Worker,
    beat: Arc<Beat>,
    work: impl for<'a> Fn(&'a Hub, &'a Shift) -> Work<'a>,
) {
    let shift = Shift::of(stopped.clone(), Arc::clone(&beat));
    while !shift.is_over() {
        let done = work(&hub, &shift).await;
        beat.came_round();
        match done {
            Ok(0) => {}
            Ok(_more) => continue,
            Err(fault) => {
                let name = worker.name;
                tracing::warn!(worker = name, fault = fault.detail, "a worker failed; it goes on");
            }
        }
        tokio::select! {
            () = worker.signal(&hub).notified() => {}
            () = tokio::time::sleep(worker.period) => {}
            _ = stopped.changed() => {}
        }
    }
}
