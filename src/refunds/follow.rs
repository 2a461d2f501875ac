//! Follows refunds: asks the provider how one stands under its own number; what it does not have
//! is sent again, same number, same bytes.

use adapters::wire::Outcome;
use callbacks::Claim;
use domain::fact::{ProviderFact, Source};
use domain::ids::RefundId;
use domain::refund::RefundState;
use jiff::{SignedDuration, Timestamp};

use super::send::{key_of, lose_track, send};
use super::{load, merchant_of};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::outbound::{Kind, Question, ask};
use crate::record::{Arrival, record};
use crate::store::refunds::{self, RefundRecord};

/// How many refunds one run takes.
const BATCH: i64 = 32;
/// The pauses between queries, in seconds; the last one repeats.
const PAUSES: [i64; 6] = [5, 10, 30, 60, 300, 1800];

/// Follows every refund whose time has come; how many there were.
///
/// # Errors
/// When the database does not answer. What happens to one refund does not stop the others.
pub async fn run_once(hub: &Hub) -> Result<usize, Fault> {
    let client = hub.store.client().await?;
    let due = refunds::claim(&client, hub.clock.now(), BATCH).await?;
    drop(client);
    for refund in &due {
        if let Err(fault) = follow(hub, refund).await {
            tracing::warn!(refund = %refund, fault = fault.detail, "a refund could not be followed");
        }
    }
    Ok(due.len())
}

/// Asks how a refund stands and acts on the answer; the refund as it is then.
///
/// # Errors
/// When the database does not answer.
pub async fn follow(hub: &Hub, refund_id: &RefundId) -> Result<RefundRecord, Fault> {
    let refund = load(hub, refund_id).await?;
    let asked = matches!(
        refund.status,
        RefundState::Submitted
            | RefundState::Unknown
            | RefundState::Processing
            | RefundState::Abnormal
    );
    if !asked {
        let client = hub.store.client().await?;
        refunds::reschedule(&client, &refund.id, None, 0).await?;
        return Ok(refund);
    }
    let merchant = merchant_of(hub, &refund)?;
    let key = key_of(&refund);
    let call = merchant.provider.query_refund(&key);
    let question =
        Question { operation: "query_refund", subject: refund.id.as_str(), kind: Kind::Call };
    let outcome = ask(hub, merchant, question, &call, |answer, stamp| {
        merchant.provider.read_refund(&key, answer, stamp.now)
    })
    .await;
    let absent_is_unsent = matches!(refund.status, RefundState::Submitted | RefundState::Unknown);
    match outcome {
        Outcome::Accepted(Some(fact)) => {
            let claim = Claim { fact: ProviderFact::Refund(fact), source: Source::Query };
            record(hub, &[Arrival { merchant, claims: vec![claim], evidence: None }]).await?;
            let then = load(hub, refund_id).await?;
            if then.status == refund.status {
                reschedule(hub, &then).await?;
            }
        }
        Outcome::Accepted(None) if absent_is_unsent => send(hub, &refund).await?,
        Outcome::Unknown(_) if refund.status == RefundState::Submitted => {
            lose_track(hub, &refund, pause(&refund)).await?;
        }
        Outcome::Accepted(None) | Outcome::Refused(_) | Outcome::Unknown(_) => {
            reschedule(hub, &refund).await?;
        }
    }
    load(hub, refund_id).await
}

async fn reschedule(hub: &Hub, refund: &RefundRecord) -> Result<(), Fault> {
    let client = hub.store.client().await?;
    let next = matches!(
        refund.status,
        RefundState::Submitted | RefundState::Unknown | RefundState::Processing
    )
    .then(|| hub.clock.now().saturating_add(pause(refund)).unwrap_or(Timestamp::MAX));
    refunds::reschedule(&client, &refund.id, next, refund.queries.saturating_add(1)).await?;
    Ok(())
}

fn pause(refund: &RefundRecord) -> SignedDuration {
    let queries = usize::try_from(refund.queries).unwrap_or(usize::MAX);
    let last = PAUSES.last().copied().unwrap_or(1800);
    SignedDuration::from_secs(PAUSES.get(queries).copied().unwrap_or(last))
}
