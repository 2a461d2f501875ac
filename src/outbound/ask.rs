//! Asks a provider: signs a stored call, sends it, has the answer read, and keeps both as
//! evidence. What did not come back is unknown, never failed.

use adapters::wire::{Answer, Call, Outcome, Reason, Stamp};
use serde_json::json;

use super::{Kind, Silence, alarm};
use crate::hub::{Hub, Merchant};
use crate::keys;
use crate::seal::Purpose;
use crate::store::callbacks::{ProviderCall, keep_call};

/// What is asked, for the record.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The operation's word.
    pub operation: &'static str,
    /// The order, refund or day.
    pub subject: &'a str,
    /// How much of an answer is awaited.
    pub kind: Kind,
}

/// Asks `merchant`'s provider. `read` gives the answer its meaning; the stamp is the one that was
/// signed under. An answer that names a key which the hub does not have is read again once the keys
/// are renewed, so `read` may be called twice.
pub async fn ask<T>(
    hub: &Hub,
    merchant: &Merchant,
    question: Question<'_>,
    call: &Call,
    read: impl Fn(&Answer, &Stamp) -> Outcome<T>,
) -> Outcome<T> {
    let (answer, mut outcome) = exchange(hub, merchant, question, call, &read).await;
    if let (Some((answer, stamp)), Outcome::Unknown(_)) = (&answer, &outcome)
        && keys::renew_if_missing(hub, merchant).await
    {
        outcome = read(answer, stamp);
    }
    let answer = answer.as_ref().map(|(answer, _)| answer);
    keep(hub, merchant, question, call, answer, &outcome).await;
    outcome
}

/// Asks for keys: an answer that names a key which the hub does not have asks for nothing more.
pub(crate) async fn ask_for_keys<T>(
    hub: &Hub,
    merchant: &Merchant,
    call: &Call,
    read: impl Fn(&Answer, &Stamp) -> Outcome<T>,
) -> Outcome<T> {
    let subject = merchant.id.as_str();
    let question = Question { operation: "keys", subject, kind: Kind::Call };
    let (answer, outcome) = exchange(hub, merchant, question, call, &read).await;
    let answer = answer.as_ref().map(|(answer, _)| answer);
    keep(hub, merchant, question, call, answer, &outcome).await;
    outcome
}

/// Signs, sends and reads once; the answer with the stamp that it is read under.
async fn exchange<T>(
    hub: &Hub,
    merchant: &Merchant,
    question: Question<'_>,
    call: &Call,
    read: &impl Fn(&Answer, &Stamp) -> Outcome<T>,
) -> (Option<(Answer, Stamp)>, Outcome<T>) {
    let stamp = match hub.stamp() {
        Ok(stamp) => stamp,
        Err(error) => return (None, Outcome::Unknown(error.to_string())),
    };
    let request = match merchant.provider.sign(call, &stamp) {
        Ok(request) => request,
        Err(error) => return (None, Outcome::Unknown(error.to_string())),
    };
    let rate = merchant.provider.rate(call);
    match hub.outbound.send_for(&merchant.id, rate, &request, question.kind).await {
        Ok(answer) => {
            // Reading verifies a signature and may unpack a bill.
            let fresh = Stamp { now: hub.clock.now(), nonce: stamp.nonce };
            let outcome = read(&answer, &fresh);
            (Some((answer, fresh)), outcome)
        }
        Err(silence @ (Silence::NotSent(_) | Silence::NoAnswer(_))) => {
            (None, Outcome::Unknown(silence.to_string()))
        }
    }
}

/// Keeps the evidence. Losing it must not lose the answer, so a failure is only logged.
async fn keep<T>(
    hub: &Hub,
    merchant: &Merchant,
    question: Question<'_>,
    call: &Call,
    answer: Option<&Answer>,
    outcome: &Outcome<T>,
) {
    let (word, detail) = match outcome {
        Outcome::Accepted(_) => ("accepted", String::new()),
        Outcome::Refused(refusal) => ("refused", format!("{}: {}", refusal.code, refusal.message)),
        Outcome::Unknown(why) => ("unknown", why.clone()),
    };
    if let Outcome::Refused(refusal) = outcome
        && refusal.reason == Reason::Configuration
    {
        alarm::refused_us(hub, merchant, refusal, answer).await;
    }
    tracing::debug!(
        merchant = %merchant.id, operation = question.operation, subject = question.subject,
        outcome = word, detail, "asked the provider"
    );
    let body = answer
        .filter(|_| question.kind == Kind::Call)
        .map(|answer| String::from_utf8_lossy(&answer.body).into_owned());
    let evidence = json!({"call": call, "answer": body}).to_string();
    let context = format!("provider_calls:{}", merchant.id);
    let done = async {
        let sealed =
            hub.sealer.seal(Purpose::Call, evidence.as_bytes(), context.as_bytes()).ok()?;
        let client = hub.store.client().await.ok()?;
        let kept = ProviderCall {
            begun_at: hub.clock.now(),
            merchant_id: &merchant.id,
            operation: question.operation,
            subject_id: Some(question.subject),
            status: answer.map(|answer| i32::from(answer.status)),
            outcome: word,
            detail: &detail,
            sealed: &sealed,
        };
        keep_call(&client, &kept).await.ok()
    };
    if done.await.is_none() {
        tracing::warn!(operation = question.operation, "a provider call could not be kept");
    }
}
