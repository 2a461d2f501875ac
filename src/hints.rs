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
use crate::outbound::{Asker, Kind, Question, ask, may_ask};
use crate::store::{refunds, runs};

/// How long the answers may take in all: a provider waits 5 seconds for its own.
const PATIENCE: Duration = Duration::from_secs(3);
/// The most refunds that one notice can ask about.
const MOST: usize = 4;

/// A hint about which the provider said nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered;

/// What the provider says of a notice's hints.
#[derive(Debug)]
pub struct Confirmed<'a> {
    /// Whose order they are about: the merchant to which the notice came, or another of the same
    /// account, because an account has one address for notices of what its staff do by hand.
    pub owner: &'a Merchant,
    /// What is true of them; none where the provider has no such refund.
    pub claims: Vec<Claim>,
}

/// Asks about what a notice to `merchant` hints at, through the merchant whose order it is.
///
/// # Errors
/// When there was no answer in time. A refund that the hub knows is then asked for at once.
pub async fn confirm<'a>(
    hub: &'a Hub,
    merchant: &'a Merchant,
    hints: &[RefundHint],
) -> Result<Confirmed<'a>, Unanswered> {
    // A notice is about one order.
    let Some(hint) = hints.first() else {
        return Ok(Confirmed { owner: merchant, claims: Vec::new() });
    };
    let owner = match owner_of(hub, merchant, hint).await {
        Ok(owner) => owner,
        Err(fault) => {
            tracing::warn!(merchant = %merchant.id, detail = fault.detail, "whose order it is cannot be told");
            return Err(Unanswered);
        }
    };
    Ok(Confirmed { owner, claims: ask_about(hub, owner, hints).await? })
}

/// Which merchant of the account has the order that a hint names; where none has, the one to which
/// the notice came.
async fn owner_of<'a>(
    hub: &'a Hub,
    merchant: &'a Merchant,
    hint: &RefundHint,
) -> Result<&'a Merchant, Fault> {
    let all = hub.of_one_account(merchant);
    if all.len() < 2 {
        return Ok(merchant);
    }
    let ids: Vec<&str> = all.iter().map(|merchant| merchant.id.as_str()).collect();
    let client = hub.store.client().await?;
    let owner = runs::owner_of(&client, &ids, hint.out_trade_no.as_str()).await?;
    Ok(owner.and_then(|owner| hub.merchants.get(&owner)).unwrap_or(merchant))
}

async fn ask_about(
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
    let may_ask = may_ask(hub, merchant, Asker::Others).await.map_err(|fault| {
        tracing::warn!(merchant = %merchant.id, detail = fault.detail, "no query can be taken");
        Unanswered
    });
    if !may_ask? {
        return Err(Unanswered);
    }
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
        hub.signals.wake_follow();
    }
    Ok(())
}
