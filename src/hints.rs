//! What an unsigned notice claims is nobody's word: the provider is asked at once, under the
//! numbers that it names, and only its answer is booked.

use std::time::Duration;

use adapters::provider::{RefundHint, RefundKey};
use adapters::wire::Outcome;
use callbacks::Claim;
use domain::fact::{ProviderFact, Source};
use futures_util::future;

use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::outbound::{Kind, Question, ask};
use crate::store::refunds;

/// How long the answers may take in all: a provider waits 5 seconds for its own.
const PATIENCE: Duration = Duration::from_secs(3);
/// The most refunds that one notice can ask about.
const MOST: usize = 4;

/// A hint about which the provider said nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered;

/// Asks about what a notice hints at: what the provider says of it, which may be nothing because it
/// has no such refund.
///
/// # Errors
/// When it gave no answer in time. A refund that the hub knows is then asked for at once.
pub async fn confirm(
    hub: &Hub,
    merchant: &Merchant,
    hints: &[RefundHint],
) -> Result<Vec<Claim>, Unanswered> {
    let asked = hints.iter().take(MOST).map(|hint| confirm_one(hub, merchant, hint));
    let answers = match tokio::time::timeout(PATIENCE, future::join_all(asked)).await {
        Ok(answers) => answers.into_iter().collect::<Result<Vec<_>, Unanswered>>(),
        Err(_elapsed) => Err(Unanswered),
    };
    match answers {
        Ok(claims) => Ok(claims.into_iter().flatten().collect()),
        Err(unanswered) => {
            for hint in hints.iter().take(MOST) {
                if let Err(fault) = ask_soon(hub, merchant, hint).await {
                    tracing::warn!(merchant = %merchant.id, detail = fault.detail, "a refund is not asked for");
                }
            }
            Err(unanswered)
        }
    }
}

async fn confirm_one(
    hub: &Hub,
    merchant: &Merchant,
    hint: &RefundHint,
) -> Result<Option<Claim>, Unanswered> {
    let key = RefundKey {
        out_trade_no: &hint.out_trade_no,
        out_refund_no: &hint.out_refund_no,
        amount: hint.amount,
    };
    let call = merchant.provider.query_refund(&key);
    let subject = hint.out_refund_no.as_str();
    let question = Question { operation: "confirm_refund", subject, kind: Kind::Call };
    let outcome = ask(hub, merchant, question, &call, |answer, stamp| {
        merchant.provider.read_refund(&key, answer, stamp.now)
    })
    .await;
    match outcome {
        Outcome::Accepted(fact) => {
            Ok(fact.map(|fact| Claim { fact: ProviderFact::Refund(fact), source: Source::Query }))
        }
        Outcome::Refused(_) | Outcome::Unknown(_) => Err(Unanswered),
    }
}

/// A worker asks about it at once, if it is one of the hub's.
async fn ask_soon(hub: &Hub, merchant: &Merchant, hint: &RefundHint) -> Result<(), Fault> {
    let client = hub.store.client().await?;
    let known = refunds::by_number(&client, &merchant.id, &hint.out_refund_no).await?;
    if let Some((refund_id, _, _)) = known {
        refunds::reschedule(&client, &refund_id, Some(hub.clock.now()), 0).await?;
        hub.signals.follow.notify_waiters();
    }
    Ok(())
}
