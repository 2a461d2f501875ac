//! The workers: each is one function that does what is due and says how much that was, called when
//! it is woken and once a period. What a crashed hub left leased, another takes over.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::fault::Fault;
use crate::hub::{Hub, prepare_months};
use crate::store::idempotency;
use crate::{cases, dispatch, keys, orders, reconcile, refunds};

/// How long a worker sleeps when nobody wakes it.
const PERIOD: Duration = Duration::from_secs(1);
/// How long the daily jobs sleep when nobody wakes them.
const DAILY_PERIOD: Duration = Duration::from_secs(30);
/// How often old things are put away.
const HOUSEKEEPING: Duration = Duration::from_secs(3600);
/// How long workers may take to end what they are doing.
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
    /// verification keys are each process's own.
    #[must_use]
    pub fn start_keys(hub: &Arc<Hub>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(keep(Arc::clone(hub), stopped, "keys", DAILY_PERIOD, |hub| {
            Box::pin(keys::run_once(hub))
        }));
        Self { stop, tasks }
    }

    /// Starts every worker.
    #[must_use]
    pub fn start(hub: &Arc<Hub>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        // One of each a merchant: a provider that does not answer holds up no other.
        for merchant in hub.merchants.keys() {
            let of = merchant.clone();
            tasks.spawn(keep(Arc::clone(hub), stopped.clone(), "orders", PERIOD, move |hub| {
                let of = of.clone();
                Box::pin(async move { orders::run_of(hub, &of).await })
            }));
            let of = merchant.clone();
            tasks.spawn(keep(Arc::clone(hub), stopped.clone(), "refunds", PERIOD, move |hub| {
                let of = of.clone();
                Box::pin(async move { refunds::run_of(hub, &of).await })
            }));
        }
        tasks.spawn(keep(Arc::clone(hub), stopped.clone(), "dispatch", PERIOD, |hub| {
            Box::pin(dispatch::run_once(hub))
        }));
        tasks.spawn(keep(Arc::clone(hub), stopped.clone(), "reconcile", DAILY_PERIOD, |hub| {
            Box::pin(reconcile::run_once(hub))
        }));
        tasks.spawn(keep(Arc::clone(hub), stopped.clone(), "keys", DAILY_PERIOD, |hub| {
            Box::pin(keys::run_once(hub))
        }));
        tasks.spawn(keep(Arc::clone(hub), stopped.clone(), "cases", DAILY_PERIOD, |hub| {
            Box::pin(cases::run_once(hub))
        }));
        tasks.spawn(keep(Arc::clone(hub), stopped, "housekeeping", HOUSEKEEPING, |hub| {
            Box::pin(housekeeping(hub))
        }));
        Self { stop, tasks }
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

type Work<'a> =
    std::pin::Pin<Box<dyn std::future::Future<Output = Result<usize, Fault>> + Send + 'a>>;

/// Keeps a worker running: one that panics is told and starts again.
async fn keep(
    hub: Arc<Hub>,
    stopped: watch::Receiver<bool>,
    name: &'static str,
    period: Duration,
    work: impl for<'a> Fn(&'a Hub) -> Work<'a> + Clone + Send + Sync + 'static,
) {
    while let Err(error) =
        tokio::spawn(run(Arc::clone(&hub), stopped.clone(), name, period, work.clone())).await
    {
        tracing::error!(worker = name, %error, "a worker broke down; it starts again");
        tokio::time::sleep(period).await;
    }
}

async fn run(
    hub: Arc<Hub>,
    mut stopped: watch::Receiver<bool>,
    name: &'static str,
    period: Duration,
    work: impl for<'a> Fn(&'a Hub) -> Work<'a>,
) {
    while !*stopped.borrow() {
        match work(&hub).await {
            Ok(0) => {}
            Ok(_more) => continue,
            Err(fault) => {
                tracing::warn!(worker = name, fault = fault.detail, "a worker failed; it goes on");
            }
        }
        tokio::select! {
            () = signal(&hub, name).notified() => {}
            () = tokio::time::sleep(period) => {}
            _ = stopped.changed() => {}
        }
    }
}

fn signal<'a>(hub: &'a Hub, name: &str) -> &'a Notify {
    match name {
        "dispatch" => &hub.signals.dispatch,
        "reconcile" => &hub.signals.reconcile,
        "cases" | "keys" | "housekeeping" => &hub.signals.period,
        _ => &hub.signals.follow,
    }
}

async fn housekeeping(hub: &Hub) -> Result<usize, Fault> {
    prepare_months(hub).await?;
    let client = hub.store.client().await?;
    let before = hub.clock.now().saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
    idempotency::forget(&client, before).await?;
    Ok(0)
}
