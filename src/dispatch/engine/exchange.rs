//! One transaction with the database: what came of many deliveries is written, and the next are
//! claimed behind it, so that the next of a key is there as soon as the one before it is durable.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use deadpool_postgres::Transaction;
use domain::Clock;
use futures_util::FutureExt as _;
use futures_util::future::join;
use tokio::time::Instant;

use super::{Attempted, Carrier};
use crate::fault::Fault;
use crate::store::deliveries::{self, Claimed, DeliveryState, Share};
use crate::store::{Store, StoreError};

/// How often the writing of an outcome that the database refuses is tried, once a second.
const WRITES_MAX: u32 = 10;

/// What is brought to the database.
#[derive(Debug)]
pub(super) struct Request<E> {
    /// What came of deliveries.
    pub(super) attempted: Vec<Attempted<E>>,
    /// Numbers and leases of what is to be held longer, by number.
    pub(super) renew: Vec<(i64, i64)>,
    /// Numbers and leases of what is given back.
    pub(super) release: Vec<(i64, i64)>,
    /// How many may be claimed; none: nothing is.
    pub(super) room: usize,
    /// How many of each receiver.
    pub(super) shares: Vec<Share>,
}

impl<E> Request<E> {
    /// Brings nothing but outcomes.
    pub(super) const fn of(attempted: Vec<Attempted<E>>) -> Self {
        Self { attempted, renew: Vec::new(), release: Vec::new(), room: 0, shares: Vec::new() }
    }
}

/// Numbers and leases of what was to be held longer, and the numbers of what is.
pub(super) type Renewed = (Vec<(i64, i64)>, Vec<i64>);

/// What came back.
#[derive(Debug)]
pub(super) struct Response<E> {
    /// When the database was asked: no lease of it began before.
    pub(super) asked_at: Instant,
    /// How much a claim asked for; `None`: none was made, or tried.
    pub(super) asked: Option<usize>,
    /// What was claimed.
    pub(super) claimed: Vec<Claimed>,
    /// What is held longer; `None`: nobody knows.
    pub(super) renewed: Option<Renewed>,
    /// What is to be given back still.
    pub(super) unreleased: Vec<(i64, i64)>,
    /// What could not be written because the database was away.
    pub(super) unwritten: Vec<Attempted<E>>,
    /// What the database refused to write, each by itself.
    pub(super) refused: Vec<Attempted<E>>,
    /// The receivers of what was to be written and held them, one for each of those.
    pub(super) held: Vec<String>,
    /// Why the database was away.
    pub(super) fault: Option<Fault>,
}

/// What a transaction did.
struct Ran {
    renewed: Vec<i64>,
    claimed: Vec<Claimed>,
}

/// Brings a request to the database. What the database refuses as a whole is written one by one, so
/// that a row which cannot be written harms no other.
pub(super) async fn exchange<C: Carrier>(
    store: &Store,
    clock: &dyn Clock,
    carrier: &C,
    request: Request<C::Effect>,
) -> Response<C::Effect> {
    let mut response = Response {
        asked_at: Instant::now(),
        asked: asked(&request),
        claimed: Vec::new(),
        renewed: None,
        unreleased: Vec::new(),
        unwritten: Vec::new(),
        refused: Vec::new(),
        held: holders(&request.attempted).map(str::to_owned).collect(),
        fault: None,
    };
    match run(store, clock, carrier, &request).await {
        Ok(ran) => {
            response.renewed = Some((request.renew, ran.renewed));
            response.claimed = ran.claimed;
        }
        Err(failure) if failure.is_away || request.attempted.is_empty() => {
            response.fault = Some(failure.fault);
            response.unwritten = request.attempted;
            response.unreleased = request.release;
        }
        Err(_of_one_of_them) => {
            response.unreleased = request.release;
            one_by_one(store, clock, carrier, request.attempted, &mut response).await;
        }
    }
    response
}

/// How much a request would claim, of what it knows.
fn asked<E>(request: &Request<E>) -> Option<usize> {
    let places = request.shares.iter().filter_map(|share| usize::try_from(share.places).ok());
    (request.room > 0).then(|| places.fold(0, usize::saturating_add).min(request.room))
}

/// The receivers that these hold.
pub(super) fn holders<E>(attempted: &[Attempted<E>]) -> impl Iterator<Item = &str> {
    attempted.iter().filter(|one| one.holds).map(|one| one.claimed.receiver.as_str())
}

async fn one_by_one<C: Carrier>(
    store: &Store,
    clock: &dyn Clock,
    carrier: &C,
    attempted: Vec<Attempted<C::Effect>>,
    response: &mut Response<C::Effect>,
) {
    for attempted in attempted {
        let mut alone = Request::of(vec![attempted]);
        let Err(failure) = run(store, clock, carrier, &alone).await else { continue };
        if failure.is_away {
            response.fault = Some(failure.fault);
            response.unwritten.append(&mut alone.attempted);
            continue;
        }
        for mut attempted in alone.attempted {
            tracing::error!(
                delivery = attempted.claimed.delivery_id,
                fault = failure.fault.detail,
                "what came of a delivery could not be written"
            );
            attempted.writes = attempted.writes.saturating_add(1);
            if attempted.writes < WRITES_MAX {
                response.refused.push(attempted);
            }
        }
    }
}

/// Why a transaction did not come about.
struct Failure {
    fault: Fault,
    /// Nothing is wrong with what was to be written.
    is_away: bool,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self { is_away: error.is_away() || error.is_transient(), fault: error.into() }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        StoreError::from(error).into()
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self { is_away: false, fault }
    }
}

/// One transaction; a carrier that breaks down in it breaks nothing else.
async fn run<C: Carrier>(
    store: &Store,
    clock: &dyn Clock,
    carrier: &C,
    request: &Request<C::Effect>,
) -> Result<Ran, Failure> {
    let ran = AssertUnwindSafe(transact(store, clock, carrier, request)).catch_unwind().await;
    ran.unwrap_or_else(|_told_already| {
        Err(Fault::internal(&"the carrier broke down while it wrote").into())
    })
}

async fn transact<C: Carrier>(
    store: &Store,
    clock: &dyn Clock,
    carrier: &C,
    request: &Request<C::Effect>,
) -> Result<Ran, Failure> {
    let mut client = store.client().await?;
    let tx = client.transaction().await?;
    deliveries::steady(&tx).await?;
    let mut renewed = Vec::new();
    if !request.renew.is_empty() {
        renewed = deliveries::renew(&tx, &request.renew).await?;
    }
    if !request.release.is_empty() {
        deliveries::release(&tx, &request.release).await?;
    }
    let has_effects = request.attempted.iter().any(|attempted| attempted.effect.is_some());
    let (written, claimed) = if has_effects {
        let written = settle(&tx, request).await?;
        effects(&tx, carrier, request, &written).await?;
        (written, claim(&tx, clock, request).await?)
    } else {
        // Both leave together, and in this order the database does them: the next of a key is
        // claimed behind the one that is done.
        let (written, claimed) = join(settle(&tx, request), claim(&tx, clock, request)).await;
        (written?, claimed?)
    };
    tx.commit().await?;
    tell(request, &written);
    Ok(Ran { renewed, claimed })
}

async fn settle<E>(
    tx: &Transaction<'_>,
    request: &Request<E>,
) -> Result<BTreeSet<i64>, StoreError> {
    if request.attempted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut outcomes: Vec<_> = request
        .attempted
        .iter()
        .map(|attempted| (&attempted.claimed, &attempted.outcome))
        .collect();
    outcomes.sort_unstable_by_key(|(claimed, _)| claimed.delivery_id);
    Ok(deliveries::settle(tx, &outcomes).await?.into_iter().collect())
}

async fn effects<C: Carrier>(
    tx: &Transaction<'_>,
    carrier: &C,
    request: &Request<C::Effect>,
    written: &BTreeSet<i64>,
) -> Result<(), StoreError> {
    let mut written: Vec<_> = request
        .attempted
        .iter()
        .filter(|attempted| written.contains(&attempted.claimed.delivery_id))
        .filter_map(|attempted| Some((&attempted.claimed, attempted.effect.as_ref()?)))
        .collect();
    // Effects on one receiver are never written in another order than beside them: two transactions
    // would wait for each other.
    written.sort_unstable_by_key(|(claimed, _)| (claimed.receiver.as_str(), claimed.delivery_id));
    for (claimed, effect) in written {
        carrier.settle(tx, claimed, effect).await?;
    }
    Ok(())
}

async fn claim<E>(
    tx: &Transaction<'_>,
    clock: &dyn Clock,
    request: &Request<E>,
) -> Result<Vec<Claimed>, StoreError> {
    if request.room == 0 {
        return Ok(Vec::new());
    }
    let limit = i64::try_from(request.room).unwrap_or(i64::MAX);
    deliveries::claim(tx, clock.now(), limit, &request.shares).await
}

fn tell<E>(request: &Request<E>, written: &BTreeSet<i64>) {
    for Attempted { claimed, outcome, .. } in &request.attempted {
        if !written.contains(&claimed.delivery_id) {
            tracing::info!(delivery = claimed.delivery_id, "a lease was lost; another goes on");
        } else if outcome.state == DeliveryState::Dead {
            tracing::warn!(
                delivery = claimed.delivery_id,
                receiver = claimed.receiver,
                attempts = outcome.attempts,
                detail = outcome.tried.as_ref().map(|tried| tried.detail.as_str()),
                "a delivery is a dead letter"
            );
        }
    }
}
