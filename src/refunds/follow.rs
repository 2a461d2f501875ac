//! Follows refunds: asks the provider how one stands under its own number; what it does not have
//! is sent again, same number, same bytes.

use adapters::wire::Outcome;
use callbacks::Claim;
use domain::fact::{ProviderFact, Source};
use domain::ids::{MerchantId, RefundId};
use domain::refund::{RefundOrigin, RefundState};
use domain::treasury::Route;
use futures_util::future;
use jiff::{SignedDuration, Timestamp};

use super::send::{DOUBT_PAUSE, Sent, Turn, alarm, fail, found, key_of, lose_track, send};
use super::{load, merchant_of, redirect, surplus, treasury};
use crate::fault::Fault;
use crate::hub::{Hub, Shift};
use crate::incidents;
use crate::outbound::{Asker, Kind, Question, ask, keep_busy, may_ask};
use crate::record::{Arrival, record};
use crate::store::refunds::{self, RefundRecord};

/// The pauses between queries of a refund of which nobody knows whether it was done, in seconds; the
/// last one repeats.
const UNKNOWN: [i64; 8] = [1, 2, 5, 10, 30, 60, 300, 1800];
/// Those of one that its provider has accepted: it says itself when the money is back.
const PROCESSING: [i64; 6] = [5, 10, 30, 60, 300, 1800];
/// After how many queries somebody is told of a refund that its provider accepted and yet does
/// not have.
const MISSED: i32 = 3;

/// Follows refunds whose time has come, at all merchants at the same time, and then does what else
/// there is to do about money that came in surplus; how many there were.
///
/// # Errors
/// When the database does not answer. What happens to one refund does not stop the others.
pub async fn run_once(hub: &Hub) -> Result<usize, Fault> {
    let shift = &Shift::once();
    let runs = hub.merchants.keys().map(|merchant| async move {
        let followed = run_of(hub, merchant, shift).await?;
        Ok(followed.saturating_add(run_surplus_of(hub, merchant).await?))
    });
    // One that fails does not break off the others.
    future::join_all(runs).await.into_iter().sum()
}

/// Follows refunds of one merchant whose time has come, within its budget of queries, until none is
/// due or the shift is over; how many there were.
///
/// # Errors
/// When the database does not answer.
pub async fn run_of(hub: &Hub, merchant: &MerchantId, shift: &Shift) -> Result<usize, Fault> {
    let Some(of) = hub.merchants.get(merchant) else { return Ok(0) };
    let claim = |room| async move {
        let client = hub.store.client().await?;
        let now = hub.clock.now();
        let share = of.queries.share(Asker::Others, now);
        Ok(refunds::claim(&client, merchant, now, room, &share).await?)
    };
    let renew = |held: Vec<RefundId>| async move {
        let client = hub.store.client().await?;
        Ok(refunds::renew(&client, &held).await?)
    };
    keep_busy(of.queries.at_once(), shift, claim, renew, |refund: RefundId| async move {
        if let Err(fault) = follow_counted(hub, &refund).await {
            tracing::warn!(%refund, fault = fault.detail, "a refund could not be followed");
        }
    })
    .await
}

/// Gives a merchant's duplicates back where the office wants that, and closes incidents that the
/// facts have resolved; how many duplicates there were.
///
/// # Errors
/// When the database does not answer.
pub async fn run_surplus_of(hub: &Hub, merchant: &MerchantId) -> Result<usize, Fault> {
    let given_back = surplus::run_of(hub, merchant).await?;
    incidents::resolve(hub, merchant).await?;
    Ok(given_back)
}

/// Asks how a refund stands and acts on the answer; the refund as it is then. Where the queries of
/// this second are spent nobody is asked, and it is as it was.
///
/// # Errors
/// When the database does not answer.
pub async fn follow(hub: &Hub, refund_id: &RefundId) -> Result<RefundRecord, Fault> {
    let refund = load(hub, refund_id).await?;
    if !may_ask(hub, merchant_of(hub, &refund)?, Asker::Others).await? {
        return Ok(refund);
    }
    follow_counted(hub, refund_id).await
}

/// The same, its query being counted already.
async fn follow_counted(hub: &Hub, refund_id: &RefundId) -> Result<RefundRecord, Fault> {
    let refund = load(hub, refund_id).await?;
    if refund.route == Route::Treasury {
        // No provider knows of it.
        treasury::look(hub, &refund).await?;
        return load(hub, refund_id).await;
    }
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
    if let (None, Some(send_after)) = (refund.sent_at, refund.send_after) {
        // It never left: there is nothing to ask for.
        if send_after <= hub.clock.now() {
            send(hub, &refund, Turn::First).await?;
        }
        return load(hub, refund_id).await;
    }
    let merchant = merchant_of(hub, &refund)?;
    let key = key_of(&refund);
    let asked_at = hub.clock.now();
    let call = merchant.provider.query_refund(&key);
    let question =
        Question { operation: "query_refund", subject: refund.id.as_str(), kind: Kind::Call };
    let outcome = ask(hub, merchant, question, &call, |answer, stamp| {
        merchant.provider.read_refund(&key, answer, stamp.now)
    })
    .await;
    match outcome {
        Outcome::Accepted(Some(fact)) => {
            let claim = Claim { fact: ProviderFact::Refund(fact), source: Source::Query };
            record(hub, &[Arrival { merchant, claims: vec![claim], evidence: None }]).await?;
            let then = load(hub, refund_id).await?;
            if then.status == refund.status {
                if then.refused_code.is_some() {
                    found(hub, &then).await?;
                }
                let then = redirect::settle(hub, then, asked_at).await?;
                reschedule(hub, &then).await?;
            }
        }
        Outcome::Accepted(None) => absent(hub, &refund).await?,
        Outcome::Unknown(_) if refund.status == RefundState::Submitted => {
            lose_track(hub, &refund, pause(&refund), None).await?;
        }
        Outcome::Refused(_) | Outcome::Unknown(_) => reschedule(hub, &refund).await?,
    }
    load(hub, refund_id).await
}

/// The provider has no such refund. One that it refused when it was sent again has failed; any
/// other is sent again, also one that it said to have accepted (Alipay says so without having
/// moved anything). What the payer's account refused is a person's work.
async fn absent(hub: &Hub, refund: &RefundRecord) -> Result<(), Fault> {
    if refund.status == RefundState::Abnormal {
        return reschedule(hub, refund).await;
    }
    if refund.origin == RefundOrigin::Portal {
        // No call of ours made it, so none can be sent again.
        if refund.queries >= MISSED {
            let detail = format!("refund {} of the portal is not at its provider", refund.id);
            alarm(hub, refund, "refund_not_at_provider", &detail).await?;
        }
        return reschedule(hub, refund).await;
    }
    if let (Some(reason), Some(code), Some(message)) =
        (&refund.refused_reason, &refund.refused_code, &refund.refused_message)
    {
        // Who looks by hand looks too early: it may show yet.
        let sure = refund.sent_at.and_then(|sent| sent.checked_add(DOUBT_PAUSE).ok());
        if sure.is_some_and(|sure| sure > hub.clock.now()) {
            return Ok(());
        }
        return fail(hub, refund, (reason, code, message)).await;
    }
    if refund.status == RefundState::Processing && refund.queries >= MISSED {
        let detail =
            format!("refund {} was accepted, but its provider does not have it", refund.id);
        alarm(hub, refund, "refund_not_at_provider", &detail).await?;
    }
    let sent = send(hub, refund, Turn::Again).await?;
    let then = load(hub, &refund.id).await?;
    if sent == Sent::Left && (then.status, then.queries) == (refund.status, refund.queries) {
        reschedule(hub, &then).await?;
    }
    Ok(())
}

async fn reschedule(hub: &Hub, refund: &RefundRecord) -> Result<(), Fault> {
    let client = hub.store.client().await?;
    let under_way = matches!(
        refund.status,
        RefundState::Submitted | RefundState::Unknown | RefundState::Processing
    );
    let redirected = refund.status == RefundState::Abnormal && refund.redirected_at.is_some();
    let next = (under_way || redirected)
        .then(|| hub.clock.now().saturating_add(pause(refund)).unwrap_or(Timestamp::MAX));
    refunds::reschedule(&client, &refund.id, next, refund.queries.saturating_add(1)).await?;
    Ok(())
}

fn pause(refund: &RefundRecord) -> SignedDuration {
    let pauses: &[i64] = match refund.status {
        RefundState::Submitted | RefundState::Unknown => &UNKNOWN,
        RefundState::Processing
        | RefundState::Abnormal
        | RefundState::PendingApproval
        | RefundState::Declined
        | RefundState::Succeeded
        | RefundState::Failed => &PROCESSING,
    };
    let queries = usize::try_from(refund.queries).unwrap_or(usize::MAX);
    let seconds = pauses.get(queries).or(pauses.last()).copied().unwrap_or_default();
    SignedDuration::from_secs(seconds)
}
