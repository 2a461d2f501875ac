//! The workers: each is one function that does what is due and says how much that was, called when
//! it is woken and once a period. What a crashed hub left leased, another takes over.

mod line;
mod round;

use std::sync::Arc;
use std::time::Duration;

use domain::ids::MerchantId;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::fault::Fault;
use crate::hub::{Hub, Shift, prepare_months};
use crate::store::idempotency;
use crate::{cases, combined, dispatch, keys, orders, payers, reconcile, refunds};

use round::{Wakes, Work, Worker};

/// Asks for orders whose time has come. A round goes on as long as any is due, and tells that it
/// does; the longest time between is what a claim may wait for the database.
const ORDERS: Worker = Worker::new("orders", Wakes::Follow, 1, 60);
/// The same for combined orders: neither waits for an answer about the other.
const COMBINED: Worker = Worker::new("combined", Wakes::Follow, 1, 60);
/// Sends and asks for refunds, likewise.
const REFUNDS: Worker = Worker::new("refunds", Wakes::Follow, 1, 60);
/// Gives duplicates back, some in a round, each with a call of its own.
const SURPLUS: Worker = Worker::new("surplus", Wakes::Follow, 1, 300);
/// Hands on what the outbox holds. It has no rounds and looks once a second by itself; a statement
/// that does not end is broken off after half a minute.
const DISPATCH: Worker = Worker::new("dispatch", Wakes::Period, 1, 60);
/// Makes the daily runs. A large bill takes its time.
const RECONCILE: Worker = Worker::new("reconcile", Wakes::Reconcile, 30, 1800);
/// Renews the providers' verification keys, each process its own.
const KEYS: Worker = Worker::new("keys", Wakes::Period, 30, 120);
/// Looks at the lights of cases.
const CASES: Worker = Worker::new("cases", Wakes::Period, 30, 120);
/// Closes the months of those who pay by the month.
const PAYERS: Worker = Worker::new("payers", Wakes::Period, 30, 120);
/// Puts old things away.
const HOUSEKEEPING: Worker = Worker::new("housekeeping", Wakes::Period, 3600, 120);
/// How long workers may take to end what they are doing: longer than the longest call.
const DRAIN: Duration = Duration::from_secs(20);
/// How long an idempotency key is kept: longer than the 7 days that are promised.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 8);

/// The running workers.
#[derive(Debug)]
pub struct Workers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Workers {
    /// Starts what a process needs that takes requests and does no other work: the providers'
    /// verification keys are each process's own, and what it commits is told to those that work.
    #[must_use]
    pub fn start_keys(hub: &Arc<Hub>) -> Self {
        let mut workers = Self::none();
        workers.tasks.spawn(line::keep(Arc::clone(hub), false, workers.stop.subscribe()));
        workers.keep(hub, KEYS, "", |hub| Box::pin(keys::run_once(hub)));
        workers
    }

    /// Starts every worker.
    #[must_use]
    pub fn start(hub: &Arc<Hub>) -> Self {
        let mut workers = Self::none();
        workers.tasks.spawn(line::keep(Arc::clone(hub), true, workers.stop.subscribe()));
        // One of each a merchant: a provider that does not answer holds up no other.
        for (merchant, of) in &hub.merchants {
            workers.follow(hub, ORDERS, merchant, |hub, of, shift| {
                Box::pin(orders::run_of(hub, of, shift))
            });
            if of.provider.combined().is_some() {
                workers.follow(hub, COMBINED, merchant, |hub, of, shift| {
                    Box::pin(combined::run_of(hub, of, shift))
                });
            }
            workers.follow(hub, REFUNDS, merchant, |hub, of, shift| {
                Box::pin(refunds::run_of(hub, of, shift))
            });
            workers.follow(hub, SURPLUS, merchant, |hub, of, _shift| {
                Box::pin(refunds::run_surplus_of(hub, of))
            });
        }
        workers.dispatch(hub);
        workers.keep(hub, RECONCILE, "", |hub| Box::pin(reconcile::run_once(hub)));
        workers.keep(hub, KEYS, "", |hub| Box::pin(keys::run_once(hub)));
        workers.keep(hub, CASES, "", |hub| Box::pin(cases::run_once(hub)));
        if !hub.payers.is_empty() {
            workers.keep(hub, PAYERS, "", |hub| Box::pin(payers::run_once(hub)));
        }
        workers.keep(hub, HOUSEKEEPING, "", |hub| Box::pin(housekeeping(hub)));
        workers
    }

    fn none() -> Self {
        Self { stop: watch::channel(false).0, tasks: JoinSet::new() }
    }

    /// Keeps one more worker running; `of` is whose it is, where there are several.
    fn keep(
        &mut self,
        hub: &Arc<Hub>,
        worker: Worker,
        of: &str,
        work: impl for<'a> Fn(&'a Hub) -> Work<'a> + Clone + Send + Sync + 'static,
    ) {
        self.keep_in_shifts(hub, worker, of, move |hub, _shift| work(hub));
    }

    /// Keeps a merchant's worker running, whose rounds last as long as anything is due.
    fn follow(
        &mut self,
        hub: &Arc<Hub>,
        worker: Worker,
        merchant: &MerchantId,
        work: for<'a> fn(&'a Hub, &'a MerchantId, &'a Shift) -> Work<'a>,
    ) {
        let of: Arc<MerchantId> = Arc::new(merchant.clone());
        self.keep_in_shifts(hub, worker, merchant.as_str(), move |hub, shift| {
            let of = Arc::clone(&of);
            Box::pin(async move { work(hub, &of, shift).await })
        });
    }

    fn keep_in_shifts(
        &mut self,
        hub: &Arc<Hub>,
        worker: Worker,
        of: &str,
        work: impl for<'a> Fn(&'a Hub, &'a Shift) -> Work<'a> + Clone + Send + Sync + 'static,
    ) {
        let name = [worker.name, of].join(" ").trim_end().to_owned();
        let beat = hub.health.begin(name, worker.patience());
        let stopped = self.stop.subscribe();
        self.tasks.spawn(round::keep(Arc::clone(hub), stopped, worker, beat, work));
    }

    /// Keeps the dispatch running.
    fn dispatch(&mut self, hub: &Arc<Hub>) {
        let beat = hub.health.begin(DISPATCH.name.to_owned(), DISPATCH.patience());
        let (hub, stopped) = (Arc::clone(hub), self.stop.subscribe());
        self.tasks.spawn(async move {
            let run = |stopped| {
                let (hub, beat) = (Arc::clone(&hub), Arc::clone(&beat));
                async move {
                    dispatch::run(&hub, stopped, &|| beat.came_round()).await;
                }
            };
            round::stay(stopped, DISPATCH, &beat, run).await;
        });
    }

    /// Lets the workers end what they are doing, for a bounded time.
    pub async fn stop(mut self) {
        let _nobody_listens = self.stop.send(true);
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("workers did not end in time; their leases run out");
        }
    }
}

async fn housekeeping(hub: &Hub) -> Result<usize, Fault> {
    prepare_months(hub).await?;
    let client = hub.store.client().await?;
    let before = hub.clock.now().saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
    idempotency::forget(&client, before).await?;
    Ok(0)
}
