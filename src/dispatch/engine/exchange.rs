//! One transaction with the database: what came of many deliveries is written, and the next are
//! claimed behind it, so that the next of a key is there as soon as the one before it is durable.

use std::collections::BTreeSet;

use deadpool_postgres::Transaction;
use domain::Clock;

use super::{Attempted, Carrier};
use crate::fault::Fault;
use crate::store::deliveries::{self, Claimed, DeliveryState, Share};
use crate::store::{Store, StoreError};

/// How often the writing of an outcome is tried, once a second: for as long as its lease lasts.
const WRITES_MAX: u32 = 25;

/// What is brought to the database.
#[derive(Debug)]
pub(super) struct Request<E> {
    /// What came of deliveries.
    pub(super) attempted: Vec<Attempted<E>>,
    /// Numbers and leases of what is to be held longer.
    pub(super) renew: Vec<(i64, i64)>,
    /// Numbers and leases of what is given back.
    pub(super) release: Vec<(i64, i64)>,
    /// How many may be claimed; none: nothing is.
    pub(super) room: usize,
    /// How many of each receiver.
    pub(super) shares: Vec<Share>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Response<E> {
    /// What was claimed.
    pub(super) claimed: Vec<Claimed>,
    /// Whether a claim was made.
    pub(super) has_claimed: bool,
    /// What could not be written now and may be later.
    pub(super) unwritten: Vec<Attempted<E>>,
    /// Why not.
    pub(super) fault: Option<Fault>,
}

/// Brings a request to the database. What the database refuses as a whole is written one by one, so
/// that a row which cannot be written harms no other.
pub(super) async fn exchange<C: Carrier>(
    store: &Store,
    clock: &dyn Clock,
    carrier: &C,
    request: Request<C::Effect>,
) -> Response<C::Effect> {
    let mut response =
        Response { claimed: Vec::new(), has_claimed: false, unwritten: Vec::new(), fault: None };
    match run(store, clock, carrier, &request).await {
        Ok(claimed) => {
            response.has_claimed = request.room > 0;
            response.claimed = claimed;
        }
        Err(failure) if failure.is_away || request.attempted.is_empty() => {
            response.fault = Some(failure.fault);
            response.unwritten = request.attempted;
        }
        Err(_of_one_of_them) => {
            for attempted in request.attempted {
                let alone = Request {
                    attempted: vec![attempted],
                    renew: Vec::new(),
                    release: Vec::new(),
                    room: 0,
                    shares: Vec::new(),
                };
                if let Err(failure) = run(store, clock, carrier, &alone).await {
                    tracing::error!(
                        fault = failure.fault.detail,
                        "what came of a delivery could not be written"
                    );
                    response.unwritten.extend(alone.attempted);
                }
            }
        }
    }
    response.unwritten.retain_mut(|attempted| {
        attempted.writes = attempted.writes.saturating_add(1);
        attempted.writes < WRITES_MAX
    });
    response
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

async fn run<C: Carrier>(
    store: &Store,
    clock: &dyn Clock,
    carrier: &C,
    request: &Request<C::Effect>,
) -> Result<Vec<Claimed>, Failure> {
    let mut client = store.client().await?;
    let tx = client.transaction().await?;
    deliveries::steady(&tx).await?;
    if !request.renew.is_empty() {
        deliveries::renew(&tx, &request.renew).await?;
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
        // Both leave together; the database does them in this order.
        let (written, claimed) = tokio::join!(settle(&tx, request), claim(&tx, clock, request));
        (written?, claimed?)
    };
    tx.commit().await?;
    tell(request, &written);
    Ok(claimed)
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
) -> Result<(), Fault> {
    for attempted in &request.attempted {
        if let Some(effect) = &attempted.effect
            && written.contains(&attempted.claimed.delivery_id)
        {
            carrier.settle(tx, &attempted.claimed, effect).await?;
        }
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
