//! The one path by which facts reach the books: callbacks, queries and bills alike.
//!
//! One transaction for many facts, in three ways to the database and back: lock the orders; lock the
//! balances of their fees, then their journals' heads, and read all; judge each fact, and write all
//! effects with the events and messages that tell of them. Only after the commit may anybody be told
//! that it is done.

mod aside;
mod chain;
mod locked;
mod outbox;
mod rounds;
mod rows;

use std::collections::BTreeMap;

use callbacks::{Claim, Effect, Judgement, PaymentEffect, judge};
use domain::fact::ProviderFact;
use domain::ids::{CallbackId, IncidentId, MerchantId, OrderId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::audit::{self, Act};
use crate::hub::{Hub, Merchant};
use crate::orders::taken_back_until;
use crate::seal::SealError;
use crate::store::StoreError;
use crate::store::incidents::{self, NewIncident};
use crate::store::journal::{self, Head, LockedHead};
use crate::store::orders::{OrderRecord, PaymentRecord};
use crate::store::unit::{Statements, Unit};

use locked::{account, lock};
use rounds::{Place, number, rounds};

pub use aside::{held, keep_unbooked};
pub use chain::{Linked, link};
pub use outbox::{Telling, event, params_context};
pub use rows::{Effects, Side, Transferred, TreasuryMove};

/// How often a batch is tried again after it lost a race.
const TRIES: u32 = 3;

/// Facts that came together, with the evidence that proves them.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// Whose they are.
    pub merchant: &'a Merchant,
    /// What they say; none for a message that concerns nobody here.
    pub claims: Vec<Claim>,
    /// The callback that brought them; a query leaves its evidence with the call.
    pub evidence: Option<Evidence>,
}

/// A callback to be stored with what it changes.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Its id.
    pub callback_id: CallbackId,
    /// When it came.
    pub received_at: Timestamp,
    /// The provider's id of it.
    pub notice_id: Option<String>,
    /// The provider's word for what happened.
    pub kind: String,
    /// Its bytes, headers and plaintext, sealed.
    pub sealed: Vec<u8>,
    /// The stored callback that it repeats by hand.
    pub replay_of: Option<CallbackId>,
    /// Why it could not be read or booked, though it is the provider's: then it brings no claims.
    pub unbooked: Option<Unbooked>,
}

/// The incident about an authentic callback that could not be read.
pub const UNREADABLE: &str = "notice_unreadable";
/// The incident about one of which the books take nothing.
const NOT_BOOKED: &str = "notice_not_booked";

/// What finance staff are told of an authentic callback that could not be read or booked.
#[derive(Clone, Debug)]
pub struct Unbooked {
    /// The incident's kind.
    pub kind: &'static str,
    /// Why, for a person.
    pub why: String,
    /// What makes the same notice one cause, however often it comes.
    pub cause: String,
}

/// What became of an arrival, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It changed the books.
    Applied,
    /// It is authentic but does not fit: an incident is open.
    Incident,
    /// It is known already, or says nothing that concerns the hub.
    Known,
}

impl Verdict {
    /// The word on record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Incident => "incident",
            Self::Known => "known",
        }
    }

    /// The verdict of a word on record.
    fn read(word: &str) -> Option<Self> {
        [Self::Applied, Self::Incident, Self::Known].into_iter().find(|it| it.as_str() == word)
    }
}

/// Why facts could not be recorded; none of them was.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The database did not take them.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The evidence could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A sum does not fit into the books.
    #[error("an amount does not fit into the books")]
    TooLarge,
    /// Something broke that never should.
    #[error("a defect; the log has more")]
    Defect,
}

impl RecordError {
    /// Whether somebody held a row of it for longer than anybody waits.
    #[must_use]
    pub fn is_held(&self) -> bool {
        match self {
            Self::Store(error) => error.is_held(),
            Self::Seal(_) | Self::TooLarge | Self::Defect => false,
        }
    }

    /// Whether one arrival may be the reason, so that the others can be recorded without it. Where
    /// the database is away, all must wait.
    #[must_use]
    pub fn is_of_one(&self) -> bool {
        match self {
            // A journal that takes no more entries takes no other one either.
            Self::Store(StoreError::Journal { .. }) => false,
            Self::Store(error) => !error.is_away(),
            Self::Seal(_) | Self::TooLarge | Self::Defect => true,
        }
    }
}

/// Records arrivals; the verdict of each, in order.
///
/// # Errors
/// When nothing of a transaction was recorded. Arrivals about one order come in several
/// transactions, so an error may leave the first of them recorded; recording again is harmless.
pub async fn record(hub: &Hub, arrivals: &[Arrival<'_>]) -> Result<Vec<Verdict>, RecordError> {
    let mut verdicts = vec![Verdict::Known; arrivals.len()];
    for round in rounds(arrivals) {
        let (mut tries, mut in_doubt) = (1, false);
        let mut found = loop {
            match once(hub, arrivals, &round).await {
                Err(RecordError::Store(error))
                    if (error.is_transient() || error.is_cut()) && tries < TRIES =>
                {
                    tries = tries.saturating_add(1);
                    in_doubt |= error.is_cut();
                }
                Err(RecordError::Store(error)) => {
                    alarm(hub, &error).await;
                    return Err(error.into());
                }
                done => break done?,
            }
        };
        if in_doubt {
            as_stored(hub, arrivals, &mut found).await?;
        }
        for (arrival, verdict) in found {
            if let Some(known) = verdicts.get_mut(arrival) {
                *known = verdict.min(*known);
            }
        }
    }
    hub.signals.wake_dispatch();
    Ok(verdicts)
}

/// What an earlier try found, where its commit happened although nobody heard of it: the later try
/// found everything known, and left the callback as the earlier one had stored it.
async fn as_stored(
    hub: &Hub,
    arrivals: &[Arrival<'_>],
    found: &mut [(usize, Verdict)],
) -> Result<(), RecordError> {
    let evidence = |index: usize| arrivals.get(index).and_then(|it| it.evidence.as_ref());
    let ids: Vec<&str> = found
        .iter()
        .filter_map(|(index, _)| evidence(*index))
        .map(|evidence| evidence.callback_id.as_str())
        .collect();
    let client = hub.store.client().await?;
    let stored = crate::store::callbacks::verdicts(&client, &ids).await?;
    for (index, verdict) in found {
        let word = evidence(*index).and_then(|evidence| stored.get(evidence.callback_id.as_str()));
        *verdict =
            word.and_then(|word| Verdict::read(word)).map_or(*verdict, |it| it.min(*verdict));
    }
    Ok(())
}

/// Opens an incident when a journal takes no more entries: every fact of its merchant waits then,
/// and nobody else would tell finance staff.
async fn alarm(hub: &Hub, error: &StoreError) {
    let StoreError::Journal { merchant_id, last, .. } = error else { return };
    tracing::error!(%error, "a journal is broken; nothing is recorded for its merchant");
    let incident = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id,
        kind: "journal_broken",
        detail: &format!("{error}: run payhub verify-ledger; payments and refunds wait"),
        dedupe_key: &format!("journal_broken:{merchant_id}:{last}"),
        order_id: None,
        refund_id: None,
        now: hub.clock.now(),
    };
    let opened = async { incidents::open(&hub.store.client().await?, &incident).await };
    if let Err(error) = opened.await {
        tracing::error!(%error, "the incident could not be opened");
    }
}

async fn once(
    hub: &Hub,
    arrivals: &[Arrival<'_>],
    round: &[Place],
) -> Result<Vec<(usize, Verdict)>, RecordError> {
    let mut unit = Unit::on(hub.store.client().await?);
    let done = judge_and_write(hub, &mut unit, arrivals, round).await;
    if done.is_err() {
        unit.roll_back().await;
    }
    done
}

async fn judge_and_write(
    hub: &Hub,
    unit: &mut Unit,
    arrivals: &[Arrival<'_>],
    round: &[Place],
) -> Result<Vec<(usize, Verdict)>, RecordError> {
    let now = hub.clock.now();
    let mut locked = lock(unit, arrivals, round).await?;
    let mut effects = Effects::new(now);
    let mut verdicts = Vec::new();
    let mut brought: BTreeMap<usize, (Verdict, Option<OrderId>)> = BTreeMap::new();
    for (index, position) in round {
        let Some(arrival) = arrivals.get(*index) else { continue };
        let claim = position.and_then(|position| arrival.claims.get(position));
        let order = claim.and_then(|claim| locked.of(&arrival.merchant.id, number(claim)));
        let (verdict, booked) = apply(hub, &mut effects, arrival, claim, order)?;
        if position.is_none_or(|position| position == 0) {
            brought.insert(*index, (verdict, order.map(|order| order.id.clone())));
        } else if let Some((whole, _)) = brought.get_mut(index) {
            *whole = verdict.min(*whole);
        }
        verdicts.push((*index, verdict));
        if let Some((effect, payment)) = booked {
            locked.book(&effect, payment, &mut effects);
        }
    }
    for (index, (verdict, order)) in &brought {
        let Some(arrival) = arrivals.get(*index) else { continue };
        effects.callback(arrival, *verdict, order.as_ref());
    }
    effects.stand(locked.fees);
    write(hub, unit, effects, &locked.heads).await?;
    Ok(verdicts)
}

/// A payment as it was judged, and as it will stand.
type Booked = (PaymentEffect, PaymentRecord);

/// Judges one claim and adds its effect; the verdict, and the payment that it booked.
fn apply(
    hub: &Hub,
    effects: &mut Effects,
    arrival: &Arrival<'_>,
    claim: Option<&Claim>,
    order: Option<&OrderRecord>,
) -> Result<(Verdict, Option<Booked>), RecordError> {
    let Some(claim) = claim else {
        let verdict = if effects.unbooked(arrival) { Verdict::Incident } else { Verdict::Known };
        return Ok((verdict, None));
    };
    let is_payment = matches!(claim.fact, ProviderFact::Payment(_));
    if is_payment && order.is_some_and(|order| taken_back_until(order, hub.clock.now()).is_some()) {
        // It may be given back in this moment. The order is asked for when that is decided.
        return Ok((Verdict::Known, None));
    }
    let books = order.map(OrderRecord::books);
    let account = account(hub, arrival, order);
    match judge(claim, books.as_ref(), &account, hub.judging()) {
        Judgement::Known => Ok((Verdict::Known, None)),
        Judgement::Incident(incident) => {
            effects.incident(arrival, claim, &incident, order);
            Ok((Verdict::Incident, None))
        }
        Judgement::Apply(effect) => {
            let Some(order) = order else { return Ok((Verdict::Known, None)) };
            match effect {
                Effect::Payment(payment) => {
                    let booked = effects.payment(arrival, claim, order, &payment)?;
                    Ok((Verdict::Applied, Some((payment, booked))))
                }
                Effect::Refund(refund) => {
                    effects.refund(arrival, claim, order, &refund)?;
                    Ok((Verdict::Applied, None))
                }
                Effect::PortalRefund(refund) => {
                    effects.portal_refund(arrival, claim, order, &refund)?;
                    Ok((Verdict::Applied, None))
                }
            }
        }
    }
}

/// Links the journal entries, writes everything, tells of it, and commits.
///
/// # Errors
/// When nothing was written.
pub async fn commit(
    hub: &Hub,
    tx: deadpool_postgres::Transaction<'_>,
    effects: Effects,
) -> Result<(), RecordError> {
    write(hub, &mut &tx, effects, &[]).await?;
    tx.commit().await.map_err(StoreError::from)?;
    hub.signals.wake_dispatch();
    Ok(())
}

/// The same, and writes down what people did with it: behind the journals' heads.
///
/// # Errors
/// When nothing was written.
pub async fn commit_acts(
    hub: &Hub,
    tx: deadpool_postgres::Transaction<'_>,
    effects: Effects,
    acts: &[Act],
) -> Result<(), RecordError> {
    write(hub, &mut &tx, effects, &[]).await?;
    audit::write_down(&tx, &hub.sealer, acts, hub.clock.now()).await?;
    tx.commit().await.map_err(StoreError::from)?;
    hub.signals.wake_dispatch();
    Ok(())
}

/// Links the journal entries behind the heads that are locked, locking what is missing, writes
/// everything, and tells of it.
async fn write(
    hub: &Hub,
    to: &mut impl Statements,
    mut effects: Effects,
    locked: &[LockedHead],
) -> Result<(), RecordError> {
    let journals = effects.journals();
    let is_locked = |merchant: &&MerchantId| locked.iter().any(|it| it.merchant_id() == *merchant);
    let missing: Vec<&str> =
        journals.iter().filter(|it| !is_locked(it)).map(MerchantId::as_str).collect();
    let more = match missing.is_empty() {
        true => Vec::new(),
        false => journal::lock_heads(to, &missing).await?,
    };
    let needed = locked.iter().chain(&more).filter(|head| journals.contains(head.merchant_id()));
    let heads = needed.map(LockedHead::sound).collect::<Result<Vec<Head>, _>>()?;
    let (tellings, known) = effects.tellings();
    let (rows, now) = effects.into_rows(&hub.sealer, &heads);
    outbox::write_and_tell(hub, to, (&rows, now), &tellings, known).await
}
