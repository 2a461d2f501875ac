//! The engine of the outbox: it claims what is due in batches, has a bounded number carried at
//! once, and writes what came of many in one transaction. It knows neither webhooks nor messages:
//! whoever carries tells it what came of a delivery.

mod exchange;
mod lanes;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Transaction;
use domain::Clock;
use futures_util::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::fault::Fault;
use crate::store::Store;
use crate::store::deliveries::{Cargo, Claimed, Outcome};
use exchange::{Request, Response, exchange};
use lanes::Lanes;

/// How many deliveries are under way at once in one process.
const AT_ONCE: usize = 256;
/// How many are claimed and wait, at most: their bodies are in memory.
const WAITING_MAX: usize = 4_000;
/// How many transactions run at once: one claims while another commits.
const EXCHANGES: usize = 2;
/// How often the engine looks without being woken.
const PERIOD: Duration = Duration::from_secs(1);
/// After how many periods a lease of 30 s is held longer.
const RENEW_AFTER: u32 = 10;

/// Carries deliveries, and knows what they are.
pub trait Carrier: Sync {
    /// What an attempt does beside its own delivery.
    type Effect: Send + Sync + std::fmt::Debug;

    /// Takes a claimed delivery as far as it goes now. `None`: everything is written already.
    ///
    /// # Errors
    /// Whatever stopped it: nothing is written, and the delivery is claimed again when its lease
    /// has run out.
    fn carry(
        &self,
        claimed: &Claimed,
    ) -> impl Future<Output = Result<Option<Made<Self::Effect>>, Fault>> + Send;

    /// Writes an effect in the transaction of its outcome; only when the lease still held.
    ///
    /// # Errors
    /// When the database refuses; then nothing of the outcome is written either.
    fn settle(
        &self,
        tx: &Transaction<'_>,
        claimed: &Claimed,
        effect: &Self::Effect,
    ) -> impl Future<Output = Result<(), Fault>> + Send;
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

    /// At most so many under way at once, of all receivers.
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
        let mut run = Run::new(self, true);
        run.until(&Notify::new(), stopped).await;
        run.failed.map_or(Ok(run.taken), Err)
    }

    /// Hands on what is due, when woken and once a second, until `stopped` says so: then nothing
    /// more is begun, what was claimed is given back, and what is under way ends. How many were
    /// taken up.
    pub async fn run(&self, wake: &Notify, stopped: watch::Receiver<bool>) -> usize {
        let mut run = Run::new(self, false);
        run.until(wake, stopped).await;
        run.taken
    }
}

type Carried<E> = (Claimed, Result<Option<Made<E>>, Fault>);
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One run of an engine.
struct Run<'a, C: Carrier> {
    engine: &'a Engine<C>,
    /// It ends when nothing is due.
    is_once: bool,
    lanes: Lanes,
    under_way: FuturesUnordered<Boxed<'a, Carried<C::Effect>>>,
    exchanges: FuturesUnordered<Boxed<'a, Response<C::Effect>>>,
    /// What is to be written.
    attempted: Vec<Attempted<C::Effect>>,
    /// The leases of all that is claimed and not yet written, and their age in periods.
    leases: BTreeMap<i64, (i64, u32)>,
    renew: Vec<(i64, i64)>,
    release: Vec<(i64, i64)>,
    /// Something may be due.
    looks: bool,
    /// The last claim got all that it asked for, so more is there.
    is_hungry: bool,
    /// The database failed; it is left alone until the next period.
    is_paused: bool,
    is_stopping: bool,
    taken: usize,
    failed: Option<Fault>,
}

impl<'a, C: Carrier> Run<'a, C> {
    fn new(engine: &'a Engine<C>, is_once: bool) -> Self {
        Self {
            engine,
            is_once,
            lanes: Lanes::default(),
            under_way: FuturesUnordered::new(),
            exchanges: FuturesUnordered::new(),
            attempted: Vec::new(),
            leases: BTreeMap::new(),
            renew: Vec::new(),
            release: Vec::new(),
            looks: true,
            is_hungry: false,
            is_paused: false,
            is_stopping: false,
            taken: 0,
            failed: None,
        }
    }

    async fn until(&mut self, wake: &Notify, mut stopped: watch::Receiver<bool>) {
        let now = Instant::now();
        let mut period = interval_at(now.checked_add(PERIOD).unwrap_or(now), PERIOD);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if *stopped.borrow() || (self.is_once && self.failed.is_some()) {
                self.stop();
            }
            self.begin();
            self.exchange();
            if self.is_over() {
                break;
            }
            tokio::select! {
                Some(carried) = self.under_way.next(), if !self.under_way.is_empty() => {
                    self.end(carried);
                    while let Some(Some(carried)) = self.under_way.next().now_or_never() {
                        self.end(carried);
                    }
                }
                Some(response) = self.exchanges.next(), if !self.exchanges.is_empty() => {
                    self.exchanged(response);
                }
                () = wake.notified() => self.looks = true,
                _ = period.tick() => self.second(),
                Ok(()) = stopped.changed() => {}
            }
        }
    }

    /// Whether nothing is left of a run that ends: nothing under way, and nothing to be written
    /// that can be.
    fn is_over(&self) -> bool {
        let is_idle = self.under_way.is_empty() && self.exchanges.is_empty();
        let is_written = self.attempted.is_empty() && self.lanes.waiting() == 0;
        let is_lost = self.failed.is_some() && self.is_paused;
        (self.is_once || self.is_stopping) && is_idle && (is_written || is_lost)
    }

    /// Begins what may begin.
    fn begin(&mut self) {
        while self.under_way.len() < self.engine.at_once {
            let Some(claimed) = self.lanes.begin() else { break };
            let carrier = &self.engine.carrier;
            self.under_way.push(Box::pin(async move {
                let carried = carrier.carry(&claimed).await;
                (claimed, carried)
            }));
        }
    }

    fn end(&mut self, (mut claimed, carried): Carried<C::Effect>) {
        self.lanes.end(&claimed.receiver);
        match carried {
            Ok(Some(made)) => {
                if let Cargo::Event { body, .. } = &mut claimed.cargo {
                    *body = String::new();
                }
                let Made { outcome, effect } = made;
                self.attempted.push(Attempted { claimed, outcome, effect, writes: 0 });
            }
            // Its key may have another.
            Ok(None) => {
                self.leases.remove(&claimed.delivery_id);
                self.looks = true;
            }
            Err(fault) => {
                self.leases.remove(&claimed.delivery_id);
                tracing::warn!(
                    delivery = claimed.delivery_id,
                    receiver = claimed.receiver,
                    fault = fault.detail,
                    "a delivery could not be worked on"
                );
            }
        }
    }

    /// Goes to the database with whatever waits; there is no timer.
    fn exchange(&mut self) {
        if self.is_paused || self.exchanges.len() >= EXCHANGES {
            return;
        }
        let has_news =
            !(self.attempted.is_empty() && self.renew.is_empty() && self.release.is_empty());
        let waiting = self.lanes.waiting();
        let room = WAITING_MAX.saturating_sub(waiting);
        let may_claim = !self.is_stopping && room > 0;
        let wants = self.looks || (self.is_hungry && waiting == 0);
        if !has_news && !(may_claim && wants) {
            return;
        }
        let room = if may_claim { room } else { 0 };
        let shares = if room > 0 { self.lanes.shares(room) } else { Vec::new() };
        let request = Request {
            attempted: std::mem::take(&mut self.attempted),
            renew: std::mem::take(&mut self.renew),
            release: std::mem::take(&mut self.release),
            room,
            shares,
        };
        for attempted in &request.attempted {
            self.leases.remove(&attempted.claimed.delivery_id);
        }
        if room > 0 {
            self.looks = false;
            self.is_hungry = false;
        }
        let engine = self.engine;
        self.exchanges.push(Box::pin(async move {
            exchange(&engine.store, engine.clock.as_ref(), &engine.carrier, request).await
        }));
    }

    fn exchanged(&mut self, response: Response<C::Effect>) {
        if response.has_claimed && !response.claimed.is_empty() {
            self.looks = true;
            self.is_hungry = true;
        }
        self.taken = self.taken.saturating_add(response.claimed.len());
        for claimed in response.claimed {
            self.leases.insert(claimed.delivery_id, (claimed.lease, 0));
            self.lanes.put(claimed);
        }
        for attempted in response.unwritten {
            let claimed = &attempted.claimed;
            self.leases.insert(claimed.delivery_id, (claimed.lease, RENEW_AFTER));
            self.attempted.push(attempted);
            self.is_paused = true;
        }
        if let Some(fault) = response.fault {
            tracing::warn!(fault = fault.detail, "the outbox could not be reached; it goes on");
            self.is_paused = true;
            self.failed = Some(fault);
        } else if !self.is_once {
            self.failed = None;
        }
        if self.is_stopping {
            self.stop();
        }
    }

    /// A period went by.
    fn second(&mut self) {
        self.looks = true;
        self.is_paused = false;
        for claimed in self.lanes.second() {
            self.give_back(&claimed);
        }
        for (delivery, (lease, age)) in &mut self.leases {
            *age = age.saturating_add(1);
            if *age >= RENEW_AFTER {
                *age = 0;
                self.renew.push((*delivery, *lease));
            }
        }
    }

    /// Begins nothing more and gives back what is not begun.
    fn stop(&mut self) {
        self.is_stopping = true;
        for claimed in self.lanes.clear() {
            self.give_back(&claimed);
        }
    }

    fn give_back(&mut self, claimed: &Claimed) {
        self.leases.remove(&claimed.delivery_id);
        self.release.push((claimed.delivery_id, claimed.lease));
    }
}
