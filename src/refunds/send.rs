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

use super::request::taken_from;
use super::{call_context, merchant_of, shares_of};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::outbound::{Kind, Question, ask};
use crate::record::{Arrival, Effects, commit, record};
use crate::seal::Purpose;
use crate::store::StoreError;
use crate::store::incidents::{self, NewIncident};
use crate::store::refunds::{self, Answered, RefundRecord};

/// When a refund whose answer did not come is asked for.
const SOON: SignedDuration = SignedDuration::from_secs(5);
/// When a refund that waits for funds is sent again.
const FUNDS_PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// Sends `refund`, which is submitted or unknown, and writes what came of it.
///
/// # Errors
/// When the stored call cannot be read, or the answer cannot be written: the refund stays as it
/// was and is picked up again.
pub(super) async fn send(hub: &Hub, refund: &RefundRecord) -> Result<(), Fault> {
    let merchant = merchant_of(hub, refund)?;
    let client = hub.store.client().await?;
    let sealed = refunds::call(&client, &refund.id).await?;
    drop(client);
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
            Ok(())
        }
        Outcome::Refused(refusal) if refusal.reason == Reason::NotEnoughFunds => {
            wait_for_funds(hub, refund, &refusal).await
        }
        Outcome::Refused(refusal) => refused(hub, refund, &refusal).await,
        Outcome::Unknown(_) => lose_track(hub, refund, SOON).await,
    }
}

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
) -> Result<(), Fault> {
    let Ok(after) = refund.status.after(RefundTransition::LoseTrack) else { return Ok(()) };
    write(hub, refund, after, None, Some(pause), None).await
}

/// The balance does not cover it: it stays submitted under its number and is sent again.
async fn wait_for_funds(hub: &Hub, refund: &RefundRecord, why: &Refusal) -> Result<(), Fault> {
    let incident = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id: &refund.merchant_id,
        kind: "refund_waits_for_funds",
        detail: &format!("refund {} waits: {} {}", refund.id, why.code, why.message),
        dedupe_key: &format!("refund_waits_for_funds:{}", refund.id),
        order_id: Some(refund.order_id.as_str()),
        refund_id: Some(refund.id.as_str()),
        now: hub.clock.now(),
    };
    let client = hub.store.client().await?;
    incidents::open(&client, &incident).await?;
    drop(client);
    write(hub, refund, refund.status, None, Some(FUNDS_PAUSE), None).await
}

/// The provider will not do it: its money is released in the same transaction.
async fn refused(hub: &Hub, refund: &RefundRecord, why: &Refusal) -> Result<(), Fault> {
    let Ok(after) = refund.status.after(RefundTransition::Fail) else { return Ok(()) };
    let mut effects = Effects::new(hub.clock.now());
    effects.release(&refund.merchant_id, taken_from(refund), &shares_of(refund))?;
    effects.ended(&refund.id, &refund.order_id, false);
    write(hub, refund, after, Some(why), None, Some(effects)).await
}

async fn write(
    hub: &Hub,
    refund: &RefundRecord,
    after: RefundState,
    refused: Option<&Refusal>,
    pause: Option<SignedDuration>,
    effects: Option<Effects>,
) -> Result<(), Fault> {
    let now = hub.clock.now();
    let answer = Answered {
        refund_id: &refund.id,
        before: refund.status,
        after,
        refused: refused.map(|why| (why.reason.as_str(), why.code.as_str(), why.message.as_str())),
        sent_at: now,
        next_query_at: pause.map(|pause| now.saturating_add(pause).unwrap_or(Timestamp::MAX)),
        queries: refund.queries.saturating_add(1),
    };
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    // The order first, as every other path locks it.
    crate::store::orders::lock(&tx, &[refund.order_id.as_str()]).await?;
    if refunds::answered(&tx, &answer).await? {
        commit(hub, tx, effects.unwrap_or_else(|| Effects::new(now))).await?;
    }
    Ok(())
}
