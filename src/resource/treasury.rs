//! What concerns the treasury: remittances, and the way of a refund through it.

use domain::calendar::Calendar;
use domain::time::rfc3339;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::refunds::TreasuryStanding;
use crate::store::refunds::RefundRecord;
use crate::store::remittances::RemittanceRecord;

/// A remittance.
#[must_use]
pub fn remittance(record: &RemittanceRecord) -> Value {
    let fees = record.fees.iter();
    let merchants = record.merchants.iter();
    json!({
        "id": record.id,
        "reference": record.reference,
        "remitted_on": record.remitted_on,
        "amount_fen": record.amount_fen,
        "fees": fees
            .map(|share| json!({"fee_id": share.fee_id, "amount_fen": share.amount_fen}))
            .collect::<Vec<_>>(),
        "merchants": merchants
            .map(|share| json!({"merchant_id": share.merchant_id, "amount_fen": share.amount_fen}))
            .collect::<Vec<_>>(),
        "created_at": rfc3339(record.created_at),
        "reversal": record.reversal.as_ref().map(|reversal| {
            json!({"reason": reversal.reason, "reversed_at": rfc3339(reversal.reversed_at)})
        }),
    })
}

/// A refund's way through the treasury as it stands at `now`; nothing before it begins, and on
/// another way.
pub(super) fn way(record: &RefundRecord, now: Timestamp) -> Option<Value> {
    let standing = TreasuryStanding::of(record, Calendar::built_in().ok()?, now)?;
    let steps = record.steps.iter().map(|step| {
        json!({
            "event": step.event,
            "occurred_on": step.occurred_on,
            "by": step.by,
            "document_no": step.document_no,
            "red_flush": step.red_flush,
            "reason": step.reason,
            "told_at": rfc3339(step.told_at),
        })
    });
    Some(json!({
        "state": standing.state,
        "due_on": standing.due.map(|due| due.date),
        "provisional": standing.due.is_some_and(|due| due.provisional),
        "overdue": standing.overdue,
        "steps": steps.collect::<Vec<_>>(),
    }))
}
