//! The engine of the outbox: it claims what is due in batches, has a bounded number carried at
//! once, and writes what came of many in one transaction. It knows neither webhooks nor messages:
//! whoever carries tells it what came of a delivery.

mod exchange;
mod lanes;
mod leases;
mod run;

use std::sync::Arc;

use deadpool_postgres::Transaction;
use domain::Clock;
use tokio::sync::{Notify, watch};

use crate::fault::Fault;
use crate::store::deliveries::{Claimed, Outcome};
use crate::store::{Store, StoreError};
use run::Run;

/// How many deliveries are under way at once in one process; beyond that, each receiver may have
/// one.
const AT_ONCE: usize = 256;

/// Carries deliveries, and knows what they are.
pub trait Carrier: Sync {
    /// What an attempt does beside its own delivery.
    type Effect: Send + Sync + std::fmt::Debug;

    /// Takes a claimed delivery as far as it goes now. `None`: everything is written already. It is
    /// given up after two minutes.
    ///
    /// # Errors
    /// Whatever stopped it: nothing is written, and the delivery is claimed again when its lease
    /// has run out. A panic is the same.
    fn carry(
        &self,
        claimed: &Claimed,
    ) -> impl Future<Output = Result<Option<Made<Self::Effect>>, Fault>> + Send;

    /// Whether an effect is about the whole receiver, so that this process begins nothing more for
    /// it until the effect is written.
    fn holds(&self, effect: &Self::Effect) -> bool {
        let _most_do_not = effect;
        false
    }

    /// Writes an effect in the transaction of its outcome; only when the lease still held.
    ///
    /// # Errors
    /// When the database refuses; then nothing of the outcome is written either.
    fn settle(
        &self,
        tx: &Transaction<'_>,
        claimed: &Claimed,
        effect: &Self::Effect,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What came of an attempt, not yet written.
#[derive(Clone, Debug)]
pub struct Made<E> {
    /// What becomes of the delivery.
    pub outcome: Outcome,
    /// What must be written beside it, in the same transaction.
    pub effect: Option<E>,
}

/// A delivery and what came of it.
#[derive(Debug)]
struct Attempted<E> {
    claimed: Claimed,
    outcome: Outcome,
    effect: Option<E>,
    /// Its receiver is begun nothing more for until this is written.
    holds: bool,
    /// How often its writing was tried.
    writes: u32,
}

/// Hands on what the outbox holds through a [`Carrier`].
pub struct Engine<C> {
    store: Store,
    clock: Arc<dyn Clock>,
    carrier: C,
    at_once: usize,
}

impl<C> std::fmt::Debug for Engine<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({} at once)", self.at_once)
    }
}

impl<C: Carrier> Engine<C> {
    /// An engine over a database. What is due is judged by `clock`, leases by the database's own.
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, carrier: C) -> Self {
        Self { store, clock, carrier, at_once: AT_ONCE }
    }

    /// At most so many under way at once, of all receivers; beyond that, one of each.
    #[must_use]
    pub fn at_once(mut self, deliveries: usize) -> Self {
        self.at_once = deliveries.max(1);
        self
    }

    /// Hands on everything that is due, and what comes due meanwhile; how many were taken up.
    ///
    /// # Errors
    /// When the database does not answer. What happens to one delivery does not stop the others.
    pub async fn run_once(&self) -> Result<usize, Fault> {
        let (_nobody_stops, stopped) = watch::channel(false);
        Run::new(self, true).until(&Notify::new(), stopped, &|| {}).await
    }

    /// Hands on what is due, when woken and once a second, until `stopped` says so: then nothing
    /// more is begun, what was claimed is given back, and what is under way ends. `beat` is called
    /// at least once a second, as long as the database's answers come. How many were taken up.
    pub async fn run(
        &self,
        wake: &Notify,
        stopped: watch::Receiver<bool>,
        beat: &(dyn Fn() + Sync),
    ) -> usize {
        // Whatever failed has been told, and was tried again.
        Run::new(self, false).until(wake, stopped, beat).await.unwrap_or_default()
    }
}
