//! What is looked at when `/metrics` is asked for: the outbox in the database, and the workers of
//! this process. The look is bounded in rows and time and is not taken more often than every few
//! seconds, whoever asks; where it fails, nothing is shown rather than something old.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::super::shared::Shared;
use crate::fault::Fault;
use crate::store::deliveries::{self, Standing as Outbox};

/// How long what was looked at is good.
const GOOD_FOR: Duration = Duration::from_secs(5);
/// How long the look may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many deliveries of a receiver are looked at, waiting and dead ones each.
const ROWS: i64 = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Receiver {
    receiver: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Worker {
    worker: String,
}

/// How outbox and workers stood when they were last looked at.
#[derive(Debug, Default)]
pub(super) struct Standing {
    waiting: Family<Receiver, Gauge>,
    attempts: Family<Receiver, Gauge>,
    late: Family<Receiver, Gauge>,
    dead: Family<Receiver, Gauge>,
    silent: Family<Worker, Gauge>,
    looked: Mutex<Option<Instant>>,
}

impl Standing {
    pub(super) fn register(&self, registry: &mut Registry) {
        for (name, help, gauge) in [
            ("deliveries_waiting", "Deliveries that are not finished, by receiver", &self.waiting),
            (
                "deliveries_waiting_attempts",
                "Attempts that were made of the deliveries that are not finished",
                &self.attempts,
            ),
            (
                "deliveries_late_seconds",
                "For how long the oldest delivery that is due has been due",
                &self.late,
            ),
            ("deliveries_dead", "Deliveries that were given up, by receiver", &self.dead),
        ] {
            registry.register(name, help, gauge.clone());
        }
        registry.register(
            "worker_silent_seconds",
            "Time since a worker of this process came round",
            self.silent.clone(),
        );
    }

    /// Looks, unless somebody did a moment ago.
    pub(super) async fn look(&self, shared: &Shared) {
        self.silent.clear();
        for (worker, silent) in shared.hub.health.rounds() {
            let silent = i64::try_from(silent.as_secs()).unwrap_or(i64::MAX);
            self.silent.get_or_create(&Worker { worker }).set(silent);
        }
        if !self.is_due() {
            return;
        }
        let hub = shared.hub.clone();
        let look = shared.run(async move {
            let channels: Vec<&str> = hub.channels.keys().map(String::as_str).collect();
            let client = hub.store.client().await?;
            let now = hub.clock.now();
            let found = deliveries::standing(&client, &channels, ROWS, now).await?;
            Ok::<_, Fault>((now, found))
        });
        let found = tokio::time::timeout(PATIENCE, look).await;
        for family in [&self.waiting, &self.attempts, &self.late, &self.dead] {
            family.clear();
        }
        if let Ok(Ok(Ok((now, found)))) = found {
            found.iter().for_each(|outbox| self.note(outbox, now));
        }
    }

    /// Whether what is known is old; who asks is the one who looks.
    fn is_due(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = looked.is_none_or(|looked| looked.elapsed() >= GOOD_FOR);
        if is_due {
            *looked = Some(Instant::now());
        }
        is_due
    }

    fn note(&self, outbox: &Outbox, now: jiff::Timestamp) {
        let of = Receiver { receiver: outbox.receiver.clone() };
        let late = outbox.due_since.map_or(0, |since| now.duration_since(since).as_secs());
        self.waiting.get_or_create(&of).set(outbox.waiting);
        self.attempts.get_or_create(&of).set(outbox.attempts);
        self.late.get_or_create(&of).set(late);
        self.dead.get_or_create(&of).set(outbox.dead);
    }
}
