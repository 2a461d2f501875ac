//! Endpoints and what was sent to them, as their GET answers them. A secret stands only in the
//! answer that made it.

use adapters::webhook::VerifyingKey;
use domain::personal::Secret;
use domain::time::rfc3339;
use serde_json::{Value, json};

use super::time;
use crate::store::endpoints::EndpointRecord;
use crate::store::webhooks::{AttemptRecord, WebhookRecord};

/// An endpoint; `made`: the secret that this call made.
#[must_use]
pub fn endpoint(record: &EndpointRecord, made: Option<&Secret>) -> Value {
    let (state, since) = match (&record.url, record.disabled_at, record.gone_at) {
        (None, _, _) => ("none", None),
        (Some(_), Some(at), _) => ("disabled", Some(at)),
        (Some(_), None, Some(at)) => ("gone", Some(at)),
        (Some(_), None, None) => ("active", record.since),
    };
    let secrets = u8::from(record.has_secret).saturating_add(u8::from(record.has_previous));
    let public_key = record.public_key.as_ref().and_then(|bytes| {
        let bytes: Option<[u8; 32]> = bytes.as_slice().try_into().ok();
        bytes.map(|bytes| VerifyingKey::from(bytes).to_string())
    });
    json!({
        "url": record.url,
        "state": state,
        "since": time(since),
        "disabled_by": record.disabled_by,
        "from_file": record.from_file,
        "events": record.events,
        "concurrency": record.concurrency,
        "secret": made.map(Secret::expose),
        "secrets": secrets,
        "previous_until": time(record.previous_until.filter(|_| record.has_previous)),
        "public_key": public_key,
        "waiting": record.waiting,
        "dead": record.dead,
        "failing_since": time(record.failing_since),
        "last_success_at": time(record.success_at),
        "last_failure_at": time(record.failure_at),
        "last_failure": record.failure,
        "held_until": time(record.held_until),
    })
}

/// The id of a delivery as callers see it.
#[must_use]
pub fn delivery_id(number: i64) -> String {
    format!("dlv_{number}")
}

/// One event's way to its endpoint.
#[must_use]
pub fn webhook(record: &WebhookRecord) -> Value {
    json!({
        "id": delivery_id(record.delivery_id),
        "event_id": record.event_id,
        "event_type": record.event_type,
        "subject_id": record.subject_id,
        "state": record.state,
        "attempts_made": record.attempts,
        "last_outcome": record.last_outcome,
        "next_at": time((record.state == "due").then_some(record.next_at)),
        "created_at": rfc3339(record.created_at),
        "finished_at": time(record.finished_at),
    })
}

/// The same with each attempt.
#[must_use]
pub fn webhook_in_full(record: &WebhookRecord, attempts: &[AttemptRecord]) -> Value {
    let attempts: Vec<Value> = attempts
        .iter()
        .map(|attempt| {
            json!({
                "number": attempt.number,
                "begun_at": rfc3339(attempt.begun_at),
                "took_ms": attempt.took_ms,
                "outcome": attempt.outcome,
                "status": attempt.status,
                "detail": attempt.detail,
            })
        })
        .collect();
    let mut value = webhook(record);
    if let Some(members) = value.as_object_mut() {
        members.insert("attempts".to_owned(), Value::Array(attempts));
    }
    value
}
