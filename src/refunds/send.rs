//! Sends a refund to its provider, for the first time or again: always the stored call, byte for
//! byte, under the same number.

use adapters::provider::RefundKey;
use adapters::wire::{Call, Outcome, Reason, Refusal};
use callbacks::Claim;
use domain::fact::{ProviderFact, Source};
use domain::ids::IncidentId;
use domain::refund::{RefundState, RefundTransition};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::pause::{Slot, slot};
use super::request::taken_from;
use super::{call_context, merchant_of, shares_of};
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::outbound::{Kind, Question, ask};
use crate::record::{Arrival, Effects, commit, record};
use crate::seal::Purpose;
use crate::store::StoreError;
use crate::store::incidents::{self, NewIncident};
use crate::store::refunds::{self, Answered, RefundRecord};

/// When a refund whose answer did not come is asked for.
const SOON: SignedDuration = SignedDuration::from_secs(1);
/// When a refund that waits for funds is sent again.
const FUNDS_PAUSE: SignedDuration = SignedDuration::from_mins(10);
/// When a refund that was refused on being repeated is asked for: long after an earlier sending
/// must show at its provider.
pub(super) const DOUBT_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// Whether a refund can have been sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nobody can have: a refusal says that nothing moved.
    First,
    /// It was, or a hub that died may have: a refusal says nothing about what that one moved.
    Again,
}

/// Whether a refund left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// It did, and what came of it is written.
    Left,
    /// It or another refund of the same payment left a moment ago: it waits for its turn; or it
    /// ended meanwhile.
    Waits,
}

/// Sends `refund` and writes what came of it; or lets it wait for its turn.
///
/// # Errors
/// When the stored call cannot be read, or the answer cannot be written: the refund stays as it
/// was and is picked up again.
pub(super) async fn send(hub: &Hub, refund: &RefundRecord, turn: Turn) -> Result<Sent, Fault> {
    let merchant = merchant_of(hub, refund)?;
    let client = hub.store.client().await?;
    let sealed = refunds::call(&client, &refund.id).await?;
    drop(client);
    let Some(turn) = may_leave(hub, merchant, refund, turn).await? else { return Ok(Sent::Waits) };
    let sealed = sealed.ok_or_else(|| Fault::not_found("refund"))?;
    let opened = hub.sealer.open(Purpose::Call, &sealed, call_context(&refund.id).as_bytes())?;
    let call: Call = serde_json::from_slice(&opened).map_err(|error| Fault::internal(&error))?;
    let key = key_of(refund);
    let question = Question { operation: "refund", subject: refund.id.as_str(), kind: Kind::Call };
    let outcome = ask(hub, merchant, question, &call, |answer, stamp| {
        merchant.provider.read_refunded(&key, answer, stamp.now)
    })
    .await;
    match outcome {
        Outcome::Accepted(fact) => {
            let claim = Claim { fact: ProviderFact::Refund(fact), source: Source::Query };
            record(hub, &[Arrival { merchant, claims: vec![claim], evidence: None }]).await?;
        }
        Outcome::Refused(refusal) if refusal.reason == Reason::NotEnoughFunds => {
            wait_for_funds(hub, refund, &refusal).await?;
        }
        Outcome::Refused(refusal) => {
            let why = (refusal.reason.as_str(), refusal.code.as_str(), refusal.message.as_str());
            match turn {
                Turn::First => fail(hub, refund, why).await?,
                Turn::Again => doubt(hub, refund, why).await?,
            }
        }
        Outcome::Unknown(_) => lose_track(hub, refund, SOON, Some(hub.clock.now())).await?,
    }
    Ok(Sent::Left)
}

/// Takes the refund's turn, with its order locked: either it leaves now, which is written before it
/// does, or it waits, and nothing is sent. The locked row overrules who thinks it the first time.
async fn may_leave(
    hub: &Hub,
    merchant: &Merchant,
    refund: &RefundRecord,
    turn: Turn,
) -> Result<Option<Turn>, Fault> {
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let order = crate::store::orders::lock(&tx, &[refund.order_id.as_str()])
        .await?
        .pop()
        .ok_or_else(|| Fault::not_found("order"))?;
    let turn = match slot(&order, &refund.id, merchant.provider.refund_gap(), now) {
        Slot::First => Some(turn),
        Slot::Again => Some(Turn::Again),
        Slot::At(at) => {
            refunds::wait_until(&tx, &refund.id, at).await?;
            None
        }
        Slot::Asked(until) => {
            let queries = refund.queries.saturating_add(1);
            refunds::reschedule(&tx, &refund.id, Some(until), queries).await?;
            None
        }
        Slot::Never => None,
    };
    if turn.is_some() {
        refunds::leave(&tx, &refund.id, now).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(turn)
}

/// Why a provider refused: reason, code, text.
pub(super) type Why<'a> = (&'a str, &'a str, &'a str);

/// What names a refund at its provider.
pub(super) fn key_of(refund: &RefundRecord) -> RefundKey<'_> {
    RefundKey {
        out_trade_no: &refund.out_trade_no,
        out_refund_no: &refund.out_refund_no,
        amount: refund.amount_fen,
    }
}

/// Nobody knows whether it was executed: a query under its number decides.
pub(super) async fn lose_track(
    hub: &Hub,
    refund: &RefundRecord,
    pause: SignedDuration,
    sent_at: Option<Timestamp>,
) -> Result<(), Fault> {
    let Ok(after) = refund.status.after(RefundTransition::LoseTrack) else { return Ok(()) };
    let step = Step { after, refused: None, sent_at, pause: Some(pause) };
    write(hub, refund, step, Effects::new(hub.clock.now())).await
}

/// The balance does not cover it: it keeps its state and its number and is sent again.
async fn wait_for_funds(hub: &Hub, refund: &RefundRecord, why: &Refusal) -> Result<(), Fault> {
    let detail = format!("refund {} waits: {} {}", refund.id, why.code, why.message);
    alarm(hub, refund, "refund_waits_for_funds", &detail).await?;
    let now = hub.clock.now();
    let after = refund.status;
    let step = Step { after, refused: None, sent_at: Some(now), pause: Some(FUNDS_PAUSE) };
    write(hub, refund, step, Effects::new(now)).await
}

/// Opens an incident about a refund, once a kind.
pub(super) async fn alarm(
    hub: &Hub,
    refund: &RefundRecord,
    kind: &str,
    detail: &str,
) -> Result<(), Fault> {
    let incident = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id: &refund.merchant_id,
        kind,
        detail,
        dedupe_key: &format!("{kind}:{}", refund.id),
        order_id: Some(refund.order_id.as_str()),
        refund_id: Some(refund.id.as_str()),
        now: hub.clock.now(),
    };
    let client = hub.store.client().await?;
    incidents::open(&client, &incident).await?;
    Ok(())
}

/// The provider refused to do it again, and may have done it before: its money stays held, the
/// refusal is noted, and it fails only when a later query does not find it either.
async fn doubt(hub: &Hub, refund: &RefundRecord, why: Why<'_>) -> Result<(), Fault> {
    let after = refund.status.after(RefundTransition::LoseTrack).unwrap_or(refund.status);
    let now = hub.clock.now();
    let step = Step { after, refused: Some(why), sent_at: Some(now), pause: Some(DOUBT_PAUSE) };
    write(hub, refund, step, Effects::new(now)).await
}

/// The provider has it after all: a refusal that it was repeated under no longer counts.
pub(super) async fn found(hub: &Hub, refund: &RefundRecord) -> Result<(), Fault> {
    let step = Step { after: refund.status, refused: None, sent_at: None, pause: Some(SOON) };
    write(hub, refund, step, Effects::new(hub.clock.now())).await
}

/// The provider did not do it and will not: its money is released in the same transaction.
pub(super) async fn fail(hub: &Hub, refund: &RefundRecord, why: Why<'_>) -> Result<(), Fault> {
    let Ok(after) = refund.status.after(RefundTransition::Fail) else { return Ok(()) };
    let mut effects = Effects::new(hub.clock.now());
    effects.release(&refund.merchant_id, taken_from(refund), &shares_of(refund))?;
    effects.ended(&refund.id, &refund.order_id, false);
    let step = Step { after, refused: Some(why), sent_at: None, pause: None };
    write(hub, refund, step, effects).await
}

/// What an answer changes in a refund.
struct Step<'a> {
    after: RefundState,
    refused: Option<Why<'a>>,
    sent_at: Option<Timestamp>,
    pause: Option<SignedDuration>,
}

async fn write(
    hub: &Hub,
    refund: &RefundRecord,
    step: Step<'_>,
    effects: Effects,
) -> Result<(), Fault> {
    let now = hub.clock.now();
    let answer = Answered {
        refund_id: &refund.id,
        before: refund.status,
        after: step.after,
        refused: step.refused,
        sent_at: step.sent_at,
        next_query_at: step.pause.map(|pause| now.saturating_add(pause).unwrap_or(Timestamp::MAX)),
        queries: refund.queries.saturating_add(1),
    };
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    // The order first, as every other path locks it.
    crate::store::orders::lock(&tx, &[refund.order_id.as_str()]).await?;
    if refunds::answered(&tx, &answer).await? {
        commit(hub, tx, effects).await?;
    }
    Ok(())
}
