//! One run of an engine: a loop that begins what may begin, goes to the database with what came of
//! it, and never waits for one thing while another is ready.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::exchange::{Request, Response, exchange, holders};
use super::lanes::Lanes;
use super::leases::Leases;
use super::{Attempted, Carrier, Engine, Made};
use crate::fault::Fault;
use crate::store::deliveries::{Cargo, Claimed};

/// How many transactions run at once: one claims while another commits. One that does nothing but
/// claim is not counted.
const EXCHANGES: usize = 2;
/// How much a claim must bring at least, so that the next one gets a transaction of its own.
const DEEP_MIN: usize = 128;
/// How often the engine looks without being woken.
const PERIOD: Duration = Duration::from_secs(1);
/// How long a carrier may take; each has shorter limits of its own.
const CARRY_MAX: Duration = Duration::from_secs(120);

type Carried<E> = (Claimed, Result<Option<Made<E>>, Fault>);
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The state of a run.
pub(super) struct Run<'a, C: Carrier> {
    engine: &'a Engine<C>,
    /// It ends when nothing is due.
    is_once: bool,
    lanes: Lanes,
    leases: Leases,
    under_way: FuturesUnordered<Boxed<'a, Carried<C::Effect>>>,
    exchanges: FuturesUnordered<Boxed<'a, Response<C::Effect>>>,
    /// What is to be written.
    attempted: Vec<Attempted<C::Effect>>,
    /// What the database refused to write, until the next period.
    refused: Vec<Attempted<C::Effect>>,
    renew: Vec<(i64, i64)>,
    release: Vec<(i64, i64)>,
    /// Something may be due.
    looks: bool,
    /// A claim is made just now.
    is_claiming: bool,
    /// By a transaction that does nothing else.
    claims_alone: bool,
    /// The last claim brought as much as it asked for, about: there is more than fits.
    is_deep: bool,
    /// The database failed; it is left alone until the next period.
    is_paused: bool,
    is_stopping: bool,
    taken: usize,
    failed: Option<Fault>,
}

impl<'a, C: Carrier> Run<'a, C> {
    pub(super) fn new(engine: &'a Engine<C>, is_once: bool) -> Self {
        Self {
            engine,
            is_once,
            lanes: Lanes::default(),
            leases: Leases::default(),
            under_way: FuturesUnordered::new(),
            exchanges: FuturesUnordered::new(),
            attempted: Vec::new(),
            refused: Vec::new(),
            renew: Vec::new(),
            release: Vec::new(),
            looks: true,
            is_claiming: false,
            claims_alone: false,
            is_deep: false,
            is_paused: false,
            is_stopping: false,
            taken: 0,
            failed: None,
        }
    }

    /// Runs to its end; how many deliveries were taken up.
    ///
    /// # Errors
    /// When the database did not answer to the last.
    pub(super) async fn until(
        mut self,
        wake: &Notify,
        mut stopped: watch::Receiver<bool>,
        beat: &(dyn Fn() + Sync),
    ) -> Result<usize, Fault> {
        let now = Instant::now();
        let mut period = interval_at(now.checked_add(PERIOD).unwrap_or(now), PERIOD);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Nobody is left to stop it: then it goes on, and asks no more.
        let mut may_stop = true;
        loop {
            if *stopped.borrow() || (self.is_once && self.failed.is_some()) {
                self.stop();
            }
            self.begin();
            // What is carried in no time is written together.
            while self.end_ready() {
                self.begin();
            }
            while self.exchange() {}
            if self.is_over() {
                break;
            }
            tokio::select! {
                Some(carried) = self.under_way.next(), if !self.under_way.is_empty() => {
                    self.end(carried);
                }
                Some(response) = self.exchanges.next(), if !self.exchanges.is_empty() => {
                    self.exchanged(response);
                    beat();
                }
                () = wake.notified() => self.looks = true,
                _ = period.tick() => {
                    if self.exchanges.is_empty() {
                        beat();
                    }
                    self.second();
                }
                changed = stopped.changed(), if may_stop => may_stop = changed.is_ok(),
            }
        }
        self.failed.map_or(Ok(self.taken), Err)
    }

    /// Whether nothing is left of a run that ends: nothing under way, and nothing to be written
    /// that can be.
    fn is_over(&self) -> bool {
        let is_idle = self.under_way.is_empty() && self.exchanges.is_empty();
        let is_written =
            self.attempted.is_empty() && self.release.is_empty() && self.lanes.waiting() == 0;
        let is_lost = self.failed.is_some() && self.is_paused;
        (self.is_once || self.is_stopping) && is_idle && (is_written || is_lost)
    }

    /// Begins what may begin, and nothing that somebody else may have claimed meanwhile.
    fn begin(&mut self) {
        let now = Instant::now();
        loop {
            let is_full = self.under_way.len() >= self.engine.at_once;
            let Some(claimed) = self.lanes.begin(is_full) else { break };
            if !self.leases.holds(claimed.delivery_id, now) {
                self.lanes.end(&claimed.receiver);
                self.give_back(&claimed);
                continue;
            }
            let carrier = &self.engine.carrier;
            self.under_way.push(Box::pin(async move {
                let carried = carry(carrier, &claimed).await;
                (claimed, carried)
            }));
        }
    }

    /// Ends what has been carried by now; whether that was any.
    fn end_ready(&mut self) -> bool {
        let mut has_ended = false;
        while let Some(Some(carried)) = self.under_way.next().now_or_never() {
            self.end(carried);
            has_ended = true;
        }
        has_ended
    }

    fn end(&mut self, (mut claimed, carried): Carried<C::Effect>) {
        self.lanes.end(&claimed.receiver);
        match carried {
            Ok(Some(made)) => {
                if let Cargo::Event { body, .. } = &mut claimed.cargo {
                    *body = String::new();
                }
                let Made { outcome, effect } = made;
                let holds = effect.as_ref().is_some_and(|effect| self.engine.carrier.holds(effect));
                if holds {
                    self.hold(&claimed.receiver);
                }
                self.attempted.push(Attempted { claimed, outcome, effect, holds, writes: 0 });
                return;
            }
            Ok(None) => {}
            Err(fault) => tracing::warn!(
                delivery = claimed.delivery_id,
                receiver = claimed.receiver,
                fault = fault.detail,
                "a delivery could not be worked on"
            ),
        }
        self.leases.let_go(claimed.delivery_id);
        // Its key may have another, and its receiver has a place.
        self.looks = true;
    }

    /// Goes to the database with whatever waits; there is no timer. Leases are renewed even while
    /// others stand in the way. Whether it went.
    fn exchange(&mut self) -> bool {
        let places = EXCHANGES.saturating_add(usize::from(self.claims_alone));
        let is_busy = self.exchanges.len() >= places;
        let is_urgent = !self.renew.is_empty() && self.exchanges.len() == places;
        if self.is_paused || (is_busy && !is_urgent) {
            return false;
        }
        if is_busy {
            let renew = std::mem::take(&mut self.renew);
            self.bring(Request { renew, ..Request::of(Vec::new()) });
            return false;
        }
        let has_none =
            self.attempted.is_empty() && self.renew.is_empty() && self.release.is_empty();
        // One claims at a time: another would only step over what the first has locked.
        let may_claim = !self.is_stopping && !self.is_claiming;
        let unwritten = self.attempted.len();
        let room = if may_claim { self.lanes.room().saturating_sub(unwritten) } else { 0 };
        if has_none && (room == 0 || !self.looks) {
            return false;
        }
        // Where there is more than fits, a claim waits for nothing that is written: what stands
        // behind that in its key is found by a later one. What holds a receiver is written first.
        let is_alone = self.is_deep
            && self.looks
            && room > 0
            && unwritten > 0
            && holders(&self.attempted).next().is_none();
        let shares = if room > 0 { self.lanes.shares(room) } else { Vec::new() };
        self.looks &= room == 0;
        self.is_claiming |= room > 0;
        self.claims_alone |= is_alone;
        let attempted = if is_alone { Vec::new() } else { std::mem::take(&mut self.attempted) };
        let request = Request {
            attempted,
            renew: std::mem::take(&mut self.renew),
            release: std::mem::take(&mut self.release),
            room,
            shares,
        };
        self.bring(request);
        true
    }

    fn bring(&mut self, request: Request<C::Effect>) {
        for attempted in &request.attempted {
            self.leases.let_go(attempted.claimed.delivery_id);
        }
        let engine = self.engine;
        self.exchanges.push(Box::pin(async move {
            exchange(&engine.store, engine.clock.as_ref(), &engine.carrier, request).await
        }));
    }

    fn exchanged(&mut self, response: Response<C::Effect>) {
        let Response {
            asked_at,
            asked,
            claimed,
            renewed,
            mut unreleased,
            unwritten,
            refused,
            held,
            fault,
        } = response;
        let has_claimed = asked.is_some();
        if let Some(asked) = asked {
            (self.is_claiming, self.claims_alone) = (false, false);
            self.is_deep = claimed.len() >= DEEP_MIN && claimed.len().saturating_mul(2) >= asked;
        }
        // Where something was, more may be; a transaction that was rolled back has not looked; and what
        // was settled without a claim behind it is over only now: a claim beside it did not see that.
        self.looks |= !claimed.is_empty() || renewed.is_none() || !has_claimed;
        self.taken = self.taken.saturating_add(claimed.len());
        for claimed in claimed {
            self.leases.take(claimed.delivery_id, claimed.lease, asked_at);
            self.lanes.put(claimed);
        }
        if let Some((asked, held)) = renewed {
            self.leases.renewed(&asked, &held, asked_at);
        }
        self.release.append(&mut unreleased);
        for attempted in unwritten.iter().chain(&refused) {
            // As old as it can be: it is renewed at the next period, if it is still held.
            let Claimed { delivery_id, lease, .. } = attempted.claimed;
            self.leases.take(delivery_id, lease, asked_at);
        }
        // What is still to be written holds on.
        for receiver in holders(&unwritten).chain(holders(&refused)) {
            self.hold(receiver);
        }
        for receiver in held {
            self.lanes.go_on(&receiver);
        }
        self.attempted.extend(unwritten);
        self.refused.extend(refused);
        if let Some(fault) = fault {
            tracing::warn!(fault = fault.detail, "the outbox could not be reached; it goes on");
            self.is_paused = true;
            self.looks = true;
            self.failed = Some(fault);
        } else if !self.is_once {
            self.failed = None;
        }
    }

    /// A period went by.
    fn second(&mut self) {
        self.looks = true;
        self.is_paused = false;
        for claimed in self.lanes.second() {
            self.give_back(&claimed);
        }
        self.renew = self.leases.to_renew(Instant::now());
        if !self.refused.is_empty() && self.exchanges.len() <= EXCHANGES {
            let refused = std::mem::take(&mut self.refused);
            self.bring(Request::of(refused));
        }
    }

    /// Begins nothing more and gives back what is not begun.
    fn stop(&mut self) {
        self.is_stopping = true;
        for claimed in self.lanes.clear() {
            self.give_back(&claimed);
        }
    }

    /// Begins nothing more of a receiver, and gives back what waits for it.
    fn hold(&mut self, receiver: &str) {
        for claimed in self.lanes.hold(receiver) {
            self.give_back(&claimed);
        }
    }

    fn give_back(&mut self, claimed: &Claimed) {
        self.leases.let_go(claimed.delivery_id);
        self.release.push((claimed.delivery_id, claimed.lease));
    }
}

/// Has a delivery carried; who breaks down or does not end harms no other.
async fn carry<C: Carrier>(
    carrier: &C,
    claimed: &Claimed,
) -> Result<Option<Made<C::Effect>>, Fault> {
    let carried = AssertUnwindSafe(carrier.carry(claimed)).catch_unwind();
    match timeout(CARRY_MAX, carried).await {
        Ok(Ok(carried)) => carried,
        Ok(Err(_told_already)) => Err(Fault::internal(&"the carrier broke down")),
        Err(_elapsed) => Err(Fault::internal(&"the carrier did not end")),
    }
}
