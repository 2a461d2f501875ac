//! Differences as the API shows them, and the events that tell of their end.

use deadpool_postgres::Transaction;
use domain::difference::DifferenceState;
use domain::event::EventType;
use domain::time::rfc3339;
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::record::event;
use crate::store::differences::{self, Difference, Step};
use crate::store::events;

/// The states of a difference that is not over.
#[must_use]
pub fn not_over() -> Vec<DifferenceState> {
    DifferenceState::ALL.into_iter().filter(|state| !state.is_over()).collect()
}

/// The first day whose differences are not older than so many days today.
#[must_use]
pub fn older_than(today: Date, days: i32) -> Date {
    today.saturating_sub(Span::new().days(days))
}

/// A difference as its GET answers it.
#[must_use]
pub fn shown(found: &Difference, now: Timestamp) -> Value {
    json!({
        "id": found.id,
        "run_id": found.run_id,
        "merchant_id": found.merchant_id,
        "kind": found.kind,
        "direction": found.direction,
        "out_trade_no": found.out_trade_no,
        "out_refund_no": found.out_refund_no,
        "provider_trade_no": found.provider_trade_no,
        "hub_amount_fen": found.hub_amount_fen,
        "bill_amount_fen": found.bill_amount_fen,
        "apart_fen": found.apart(),
        "hub_state": found.hub_state,
        "bill_state": found.bill_state,
        "detail": found.detail,
        "cause": found.cause,
        "proposed_action": found.proposed_action,
        "first_day": found.first_day,
        "age_days": found.age_at(now),
        "status": found.status,
        "owner": found.owner,
        "opened_at": rfc3339(found.opened_at),
        "steps": found.steps.iter().map(step).collect::<Vec<_>>(),
    })
}

fn step(step: &Step) -> Value {
    json!({
        "event": step.event,
        "by": step.by,
        "owner": step.owner,
        "remedy": step.action,
        "amount_fen": step.amount_fen,
        "refund_id": step.refund_id,
        "other_id": step.other_id,
        "reason": step.reason,
        "told_at": rfc3339(step.told_at),
    })
}

/// Tells of differences that ended, or were taken up again.
///
/// # Errors
/// When the database does not answer.
pub async fn tell(tx: &Transaction<'_>, moved: &[String], now: Timestamp) -> Result<(), Fault> {
    if moved.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = moved.iter().map(String::as_str).collect();
    let found = differences::by_ids(tx, &ids).await?;
    let told: Vec<events::NewEvent> = found
        .iter()
        .map(|found| {
            let kind = if found.status.is_over() {
                EventType::DifferenceResolved
            } else {
                EventType::DifferenceOpened
            };
            event(kind, None, &found.id, &found.id, &shown(found, now), now)
        })
        .collect();
    events::insert(tx, &told, now).await?;
    Ok(())
}
