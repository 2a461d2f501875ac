//! A case as its GET answers it. The applicant is masked; state, deadline and light are those of
//! the instant at which it is read.

use domain::calendar::Deadline;
use domain::time::rfc3339;
use serde_json::{Value, json};

use crate::cases::Standing;
use crate::store::cases::CaseRecord;
use crate::store::fees::FeeRecord;

/// A case with its timeline, and its fees in short.
#[must_use]
pub fn case(record: &CaseRecord, standing: &Standing, fees: &[FeeRecord]) -> Value {
    let timeline: Vec<Value> = record
        .events
        .iter()
        .map(|told| {
            json!({
                "seq": told.seq,
                "event": told.event,
                "occurred_at": rfc3339(told.occurred_at),
                "reason": told.reason,
                "due_on": told.due_on,
                "place": told.place,
                "tel": told.tel,
            })
        })
        .collect();
    let mut applicant = record.applicant.clone();
    if let Some(members) = applicant.as_object_mut() {
        members.insert("locale".to_owned(), json!(record.locale));
    }
    json!({
        "case_no": record.case_no,
        "business_type": record.business_type,
        "state": standing.state,
        "accepted_at": rfc3339(record.accepted_at),
        "promised_working_days": record.promised_working_days,
        "legal_working_days": record.legal_working_days,
        "deadline": deadline(standing.deadline),
        "legal_deadline": standing.legal_deadline.map(deadline),
        "light": standing.light,
        "department": record.department,
        "handler": record.handler,
        "applicant": applicant,
        "timeline": timeline,
        "fees": fees.iter().map(in_short).collect::<Vec<_>>(),
        "opened_at": rfc3339(record.opened_at),
    })
}

fn deadline(deadline: Deadline) -> Value {
    json!({"date": deadline.date, "provisional": deadline.provisional})
}

fn in_short(fee: &FeeRecord) -> Value {
    let facts = fee.facts();
    json!({
        "id": fee.id,
        "status": facts.status(),
        "total_fen": fee.total_fen,
        "outstanding_fen": facts.outstanding(),
    })
}
