//! Asks a provider: signs a stored call, sends it, has the answer read, and keeps both as
//! evidence. What did not come back is unknown, never failed.

use adapters::wire::{Answer, Call, Outcome, Reason, Stamp};
use domain::ids::MerchantId;
use jiff::Timestamp;
use serde_json::json;

use super::{Kind, LARGEST_ANSWER, Silence, alarm};
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

/// A call as it is kept: what was said, and what came back.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    at: Timestamp,
    merchant_id: MerchantId,
    operation: &'static str,
    subject: String,
    status: Option<i32>,
    outcome: &'static str,
    detail: String,
    sealed: Vec<u8>,
}

impl Evidence {
    /// The row that keeps it.
    pub(crate) fn row(&self) -> ProviderCall<'_> {
        ProviderCall {
            begun_at: self.at,
            merchant_id: &self.merchant_id,
            operation: self.operation,
            subject_id: Some(&self.subject),
            status: self.status,
            outcome: self.outcome,
            detail: &self.detail,
            sealed: &self.sealed,
        }
    }

    /// Keeps it by itself. Losing it must not lose the answer, so a failure is only logged.
    pub(crate) async fn keep(&self, hub: &Hub) {
        let kept = async { keep_call(&hub.store.client().await?, &self.row()).await };
        if let Err(error) = kept.await {
            let operation = self.operation;
            tracing::warn!(operation, %error, "a provider call could not be kept");
        }
    }
}

/// Asks `merchant`'s provider and keeps the evidence. `read` gives the answer its meaning; the stamp
/// is the one that was signed under. An answer that names a key which the hub does not have is read
/// again once the keys are renewed, so `read` may be called twice.
pub async fn ask<T>(
    hub: &Hub,
    merchant: &Merchant,
    question: Question<'_>,
    call: &Call,
    read: impl Fn(&Answer, &Stamp) -> Outcome<T>,
) -> Outcome<T> {
    let (outcome, evidence) = ask_and_tell(hub, merchant, question, call, read).await;
    if let Some(evidence) = evidence {
        evidence.keep(hub).await;
    }
    outcome
}

/// As [`ask`], for a caller that keeps the evidence himself, with what he makes of the answer.
/// `None`: it could not be sealed, which is logged.
pub(crate) async fn ask_and_tell<T>(
    hub: &Hub,
    merchant: &Merchant,
    question: Question<'_>,
    call: &Call,
    read: impl Fn(&Answer, &Stamp) -> Outcome<T>,
) -> (Outcome<T>, Option<Evidence>) {
    let (answer, mut outcome) = exchange(hub, merchant, question, call, &read).await;
    if let (Some((answer, stamp)), Outcome::Unknown(_)) = (&answer, &outcome)
        && keys::renew_if_missing(hub, merchant).await
    {
        outcome = read(answer, stamp);
    }
    let answer = answer.as_ref().map(|(answer, _)| answer);
    let evidence = evidence(hub, merchant, question, call, answer, &outcome).await;
    (outcome, evidence)
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
    if let Some(evidence) = evidence(hub, merchant, question, call, answer, &outcome).await {
        evidence.keep(hub).await;
    }
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

/// The evidence of a call. A refusal of the hub itself is told to a person.
async fn evidence<T>(
    hub: &Hub,
    merchant: &Merchant,
    question: Question<'_>,
    call: &Call,
    answer: Option<&Answer>,
    outcome: &Outcome<T>,
) -> Option<Evidence> {
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
        .filter(|answer| match question.kind {
            Kind::Call => true,
            Kind::Bill => false,
            // A file is stored as the bill that it is; a ticket and a refusal are small.
            Kind::BillOrTicket => answer.body.len() <= LARGEST_ANSWER,
        })
        .map(|answer| String::from_utf8_lossy(&answer.body).into_owned());
    let evidence = json!({"call": call, "answer": body}).to_string();
    let context = format!("provider_calls:{}", merchant.id);
    let sealed = match hub.sealer.seal(Purpose::Call, evidence.as_bytes(), context.as_bytes()) {
        Ok(sealed) => sealed,
        Err(error) => {
            tracing::warn!(operation = question.operation, %error, "a provider call is not kept");
            return None;
        }
    };
    Some(Evidence {
        at: hub.clock.now(),
        merchant_id: merchant.id.clone(),
        operation: question.operation,
        subject: question.subject.to_owned(),
        status: answer.map(|answer| i32::from(answer.status)),
        outcome: word,
        detail,
        sealed,
    })
}
