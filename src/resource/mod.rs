//! Resources as their GET answers them; events carry the same (contract, "Webhooks").
//!
//! A stored record becomes JSON here and nowhere else, so that what a backend reads and what it is
//! told cannot differ. Nothing in a resource names a person but what is masked.

mod case;
mod combined;
mod notification;
mod treasury;
mod webhook;

use domain::time::rfc3339;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::store::fees::FeeRecord;
use crate::store::orders::{OrderRecord, PaymentRecord};
use crate::store::refunds::RefundRecord;

pub use case::case;
pub use combined::combined;
pub use notification::notification;
pub use treasury::remittance;
pub use webhook::{delivery_id, endpoint, webhook, webhook_in_full};

/// A fee.
#[must_use]
pub fn fee(record: &FeeRecord) -> Value {
    let facts = record.facts();
    let mut value = json!({
        "id": record.id,
        "case_no": record.case_no,
        "accepted_on": record.accepted_on,
        "total_fen": record.total_fen,
        "status": facts.status(),
        "outstanding_fen": facts.outstanding(),
        "paid_fen": record.paid_fen,
        "refunded_fen": record.refunded_fen,
        "remitted_fen": record.remitted_fen,
        "payer": record.payer,
        "department": record.department,
        "due_on": record.due_on,
        "notice_no": record.notice_no,
        "live_order_id": record.live_order_id,
        "billing": if record.payer_account.is_some() { "monthly" } else { "immediate" },
        "payer_account": record.payer_account,
        "statement_id": record.statement_id,
        "issued_at": rfc3339(record.issued_at),
        "voided_at": time(record.voided_at),
    });
    // The priced lines and their trace stand beside the fee's own fields, as a quote has them.
    if let (Some(fields), Value::Object(quote)) = (value.as_object_mut(), &record.quote) {
        for (name, part) in quote {
            fields.entry(name.clone()).or_insert_with(|| part.clone());
        }
    }
    value
}

/// An order with its payments.
#[must_use]
pub fn order(record: &OrderRecord) -> Value {
    let refunded = domain::Fen::sum(record.payments.iter().map(|payment| payment.refunded_fen));
    json!({
        "id": record.id,
        "combined_id": record.combined.as_ref().map(|whole| &whole.id),
        "merchant_id": record.merchant_id,
        "provider": record.provider,
        "product": record.product,
        "out_trade_no": record.out_trade_no,
        "status": record.status,
        "amount_fen": record.amount_fen,
        "subject": record.subject,
        "fee_ids": record.fees.iter().map(|fee| &fee.fee_id).collect::<Vec<_>>(),
        "created_at": rfc3339(record.created_at),
        "expires_at": rfc3339(record.expires_at),
        "pay": record.pay,
        "paid_at": time(record.paid_at),
        "paid_late": record.paid_late,
        "provider_trade_no": record.provider_trade_no,
        "refunded_fen": refunded,
        "payments": record.payments.iter().map(payment).collect::<Vec<_>>(),
        "closed_at": time(record.closed_at),
        "superseded_at": time(record.superseded_at),
        "refused": refused(record),
    })
}

/// Why its provider refused an order.
fn refused(record: &OrderRecord) -> Option<Value> {
    record.refused_code.as_ref().map(|code| {
        json!({
            "reason": record.refused_reason,
            "provider_code": code,
            "provider_message": record.refused_message,
        })
    })
}

/// A payment.
#[must_use]
pub fn payment(record: &PaymentRecord) -> Value {
    json!({
        "id": record.id,
        "provider_trade_no": record.provider_trade_no,
        "amount_fen": record.amount_fen,
        "paid_at": rfc3339(record.paid_at),
        "source": record.source,
        "surplus": record.surplus_fen > domain::Fen::ZERO,
        "surplus_fen": record.surplus_fen,
    })
}

/// A refund as it stands at `now`.
#[must_use]
pub fn refund(record: &RefundRecord, now: Timestamp) -> Value {
    let refused = record.refused_code.as_ref().map(|code| {
        json!({
            "reason": record.refused_reason,
            "provider_code": code,
            "provider_message": record.refused_message,
        })
    });
    json!({
        "id": record.id,
        "order_id": record.order_id,
        "payment_id": record.payment_id,
        "out_refund_no": record.out_refund_no,
        "amount_fen": record.amount_fen,
        "reason": record.reason,
        "status": record.status,
        "allocations": record
            .allocations
            .iter()
            .map(|share| json!({"fee_id": share.fee_id, "amount_fen": share.amount_fen}))
            .collect::<Vec<_>>(),
        "surplus_fen": record.surplus_fen,
        "requested_by": record.requested_by,
        "origin": record.origin.as_str(),
        "decided_by": record.decided_by,
        "provider_refund_no": record.provider_refund_no,
        "created_at": rfc3339(record.created_at),
        "send_after": time(record.send_after),
        "accepted_at": time(record.accepted_at),
        "succeeded_at": time(record.succeeded_at),
        "refused": refused,
        "route": record.route,
        "found_by_office": record.found_by_office,
        "treasury": treasury::way(record, now),
    })
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(rfc3339)
}
