//! Holds the description against what is really read and answered.

use std::collections::BTreeSet;

use domain::schedule::{QuoteItem, Schedule};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::super::cases::{ApplicantRequest, CaseRequest, ProgressRequest};
use super::super::deliveries::ResendRequest;
use super::super::endpoints::{RotationRequest, SetRequest};
use super::super::fees::{FeeRequest, QuoteRequest};
use super::*;
use crate::combined::{CombinedRequest, PartRequest};
use crate::incidents::{self, CloseRequest};
use crate::orders::OrderRequest;
use crate::refunds::{RefundRequest, StepRequest};
use crate::remittances::{RemittanceRequest, ReversalRequest};
use crate::resource as shown;
use crate::store::endpoints::EndpointRecord;
use crate::store::webhooks::{AttemptRecord, WebhookRecord};

const UUID: &str = "00000000000000000000000000000001";
const TIME: &str = "2018-11-30T01:00:00Z";

fn document() -> Value {
    serde_json::from_str(DOCUMENT.as_ref().unwrap()).unwrap()
}

fn properties(schema: &str) -> BTreeSet<String> {
    let document = document();
    let properties = &document["components"]["schemas"][schema]["properties"];
    properties
        .as_object()
        .unwrap_or_else(|| panic!("{schema} is described"))
        .keys()
        .cloned()
        .collect()
}

/// Whether a schema has the members that an answer has.
#[track_caller]
fn describes(schema: &str, answer: &Value) {
    let members = answer.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(properties(schema), members, "{schema}");
}

/// Whether a schema has the members that a request may have, as its reader lists them.
#[track_caller]
fn describes_request<T: DeserializeOwned + std::fmt::Debug>(schema: &str) {
    let refused = serde_json::from_value::<T>(json!({"?": 0})).unwrap_err().to_string();
    let (_, listed) = refused.split_once("expected").unwrap();
    let members: BTreeSet<String> =
        listed.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    assert_eq!(properties(schema), members, "{schema}");
}

fn quote() -> Value {
    let mut item = QuoteItem::new("REG.RES", 1);
    item.evidence = vec!["small_micro_declaration".to_owned()];
    let day = "2018-11-30".parse().unwrap();
    serde_json::to_value(Schedule::built_in().unwrap().price(&[item], day).unwrap()).unwrap()
}

#[test]
fn what_is_read_is_described() {
    describes_request::<FeeRequest>("FeeRequest");
    describes_request::<QuoteRequest>("QuoteRequest");
    describes_request::<QuoteItem>("QuoteItem");
    describes_request::<CaseRequest>("CaseRequest");
    describes_request::<ApplicantRequest>("Applicant");
    describes_request::<ProgressRequest>("CaseProgress");
    describes_request::<OrderRequest>("OrderRequest");
    describes_request::<CombinedRequest>("CombinedRequest");
    describes_request::<PartRequest>("CombinedPart");
    describes_request::<RefundRequest>("RefundRequest");
    describes_request::<StepRequest>("TreasuryStepRequest");
    describes_request::<RemittanceRequest>("RemittanceRequest");
    describes_request::<ReversalRequest>("ReversalRequest");
    describes_request::<SetRequest>("EndpointRequest");
    describes_request::<RotationRequest>("RotationRequest");
    describes_request::<ResendRequest>("ResendRequest");
    describes_request::<CloseRequest>("IncidentClose");
}

#[test]
fn a_fee_and_its_quote_are_described() {
    describes("Quote", &quote());
    let line = quote()["lines"][0].clone();
    let known = properties("QuoteLine");
    assert!(line.as_object().unwrap().keys().all(|name| known.contains(name)), "{line}");
    let record = json!({
        "id": format!("fee_{UUID}"), "application_id": "a", "case_no": "1",
        "accepted_on": "2018-11-30", "total_fen": 8000, "quote": quote(),
        "payer": {"name": "张*", "phone": "138****1234"}, "issued_at": TIME, "paid_fen": 0,
        "refunding_fen": 0, "refunded_fen": 0, "remitted_fen": 0,
    });
    let fee = shown::fee(&serde_json::from_value(record).unwrap());
    describes("Fee", &fee);
    describes("MaskedPayer", &fee["payer"]);
}

#[test]
fn a_remittance_is_described() {
    let record = json!({
        "id": format!("rmt_{UUID}"), "application_id": "a", "reference": "1",
        "remitted_on": "2018-11-30", "amount_fen": 1, "created_at": TIME, "fees": [],
        "merchants": [{"merchant_id": "m", "amount_fen": 1}],
        "reversal": {"reason": "r", "reversed_at": TIME},
    });
    let remittance = shown::remittance(&serde_json::from_value(record).unwrap());
    describes("Remittance", &remittance);
    describes("MerchantShare", &remittance["merchants"][0]);
    describes("RemittanceReversal", &remittance["reversal"]);
}

#[test]
fn an_order_its_payments_and_refunds_are_described() {
    let refused = json!({
        "refused_reason": "invalid_request", "refused_code": "PARAM_ERROR", "refused_message": "?",
    });
    let mut order = json!({
        "id": format!("ord_{UUID}"), "application_id": "a", "merchant_id": "m",
        "provider": "wechat", "product": "native", "out_trade_no": "P1", "amount_fen": 1,
        "subject": "s", "status": "failed", "created_at": TIME, "expires_at": TIME,
        "paid_late": false, "queries": 0, "fees": [], "refunds": [],
        "payments": [{
            "id": format!("pay_{UUID}"), "provider_trade_no": "4", "amount_fen": 1,
            "surplus_fen": 0, "paid_at": TIME, "source": "callback", "refunding_fen": 0,
            "refunded_fen": 0, "surplus_refunding_fen": 0, "shares": [],
        }],
    });
    order.as_object_mut().unwrap().extend(refused.as_object().unwrap().clone());
    let order = shown::order(&serde_json::from_value(order).unwrap());
    describes("Order", &order);
    describes("Payment", &order["payments"][0]);
    assert_eq!(order["combined_id"], json!(null), "it stands alone");
    describes("Refused", &order["refused"]);
    let mut refund = json!({
        "id": format!("rfd_{UUID}"), "application_id": "a", "merchant_id": "m",
        "order_id": format!("ord_{UUID}"), "payment_id": format!("pay_{UUID}"),
        "out_trade_no": "P1", "out_refund_no": "R1", "amount_fen": 1, "surplus_fen": 0,
        "reason": "r", "route": "provider", "found_by_office": false, "steps": [], "status": "failed", "requested_by": "a", "origin": "hub", "created_at": TIME, "queries": 0,
        "allocations": [{"fee_id": format!("fee_{UUID}"), "amount_fen": 1}],
    });
    refund.as_object_mut().unwrap().extend(refused.as_object().unwrap().clone());
    let refund = shown::refund(&serde_json::from_value(refund).unwrap(), TIME.parse().unwrap());
    describes("Refund", &refund);
    describes("Allocation", &refund["allocations"][0]);
}

#[test]
fn an_endpoint_and_what_was_sent_to_it_are_described() {
    let now = TIME.parse().unwrap();
    let endpoint = EndpointRecord {
        url: None,
        events: Vec::new(),
        from_file: false,
        concurrency: 4,
        since: None,
        gone_at: None,
        disabled_at: None,
        disabled_by: None,
        has_secret: false,
        has_previous: false,
        previous_until: None,
        public_key: None,
        failing_since: None,
        success_at: None,
        failure_at: None,
        failure: None,
        held_until: None,
        waiting: 0,
        dead: 0,
    };
    describes("Endpoint", &shown::endpoint(&endpoint, None));
    let sent = WebhookRecord {
        delivery_id: 1,
        application: "a".to_owned(),
        event_id: format!("evt_{UUID}"),
        event_type: "fee.paid".to_owned(),
        subject_id: format!("fee_{UUID}"),
        state: "due".to_owned(),
        attempts: 1,
        last_outcome: None,
        next_at: now,
        created_at: now,
        finished_at: None,
    };
    describes("Delivery", &shown::webhook(&sent));
    let attempt = AttemptRecord {
        number: 1,
        begun_at: now,
        took_ms: None,
        outcome: "transient".to_owned(),
        status: None,
        detail: String::new(),
    };
    let in_full = shown::webhook_in_full(&sent, &[attempt]);
    describes("DeliveryInFull", &in_full);
    describes("WebhookAttempt", &in_full["attempts"][0]);
}

#[test]
fn an_incident_is_described() {
    let known = json!({
        "id": format!("inc_{UUID}"), "merchant_id": "m", "kind": "surplus_payment", "detail": "d",
        "payment": {"id": format!("pay_{UUID}"), "amount_fen": 2, "surplus_fen": 1},
        "opened_at": TIME,
        "earlier": [{"opened_at": TIME, "closed_at": TIME, "closed_by": "a", "note": "n"}],
    });
    let incident = incidents::shown(&serde_json::from_value(known).unwrap());
    describes("Incident", &incident);
    describes("ProposedAction", &incident["proposed_action"]);
    describes("EarlierIncident", &incident["earlier"][0]);
}

#[test]
fn every_operation_under_v1_asks_for_a_key_and_every_reference_is_there() {
    let document = document();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let is_open = operation["security"][0]["api_key"].is_null();
            assert_eq!(is_open, !path.starts_with("/v1/"), "{method} {path}");
            assert!(operation["summary"].is_string() || operation["description"].is_string());
        }
    }
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
    }
}

#[test]
fn every_operation_says_what_any_call_may_be_answered() {
    let document = document();
    let statuses = |path: &str, method: &str| -> BTreeSet<String> {
        let responses = document["paths"][path][method]["responses"].as_object().unwrap();
        responses.keys().cloned().collect()
    };
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys().filter(|_| path.starts_with("/v1/")) {
            let wanted: &[&str] = match method.as_str() {
                "get" => &["401", "500", "503"],
                _ => &["400", "401", "408", "409", "413", "422", "500", "503"],
            };
            let found = statuses(path, method);
            assert!(wanted.iter().all(|it| found.contains(*it)), "{method} {path}: {found:?}");
        }
    }
    assert!(statuses("/v1/events", "get").contains("400"), "it has a query string");
    assert!(!statuses("/v1/fees/{id}", "get").contains("400"), "it has none");
    let text = document["paths"]["/v1/orders/{id}/close"]["post"]["responses"]["409"].to_string();
    assert!(text.contains("order_paid") && text.contains("idempotency_in_progress"), "{text}");
}
