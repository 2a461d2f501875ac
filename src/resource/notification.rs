//! A notification as its GET answers it. The address is masked and the values are not shown: they
//! are sealed, and whoever asked for the message knows them.

use domain::time::rfc3339;
use serde_json::{Value, json};

use super::time;
use crate::store::notifications::NotificationRecord;

/// A notification with its attempts.
#[must_use]
pub fn notification(record: &NotificationRecord) -> Value {
    let attempts: Vec<Value> = record
        .attempts
        .iter()
        .map(|attempt| {
            json!({
                "attempt": attempt.attempt,
                "begun_at": rfc3339(attempt.begun_at),
                "outcome": attempt.outcome,
                "detail": attempt.detail,
            })
        })
        .collect();
    json!({
        "id": record.id,
        "template": record.template,
        "channel": record.channel,
        "status": record.status,
        "to": {"phone": record.to},
        "locale": record.locale,
        "dedupe_key": record.dedupe_key,
        "subject_id": record.subject_id,
        "not_before": time(record.not_before),
        "expires_at": time(record.expires_at),
        "next_at": time(record.next_at),
        "failure": record.failure,
        "created_at": rfc3339(record.created_at),
        "sent_at": time(record.sent_at),
        "delivered_at": time(record.delivered_at),
        "attempts": attempts,
    })
}
