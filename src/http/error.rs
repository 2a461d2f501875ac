//! Turns faults into RFC 9457 answers; nothing else does.

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::observe::request_id;
use crate::fault::Fault;

/// A fault as `application/problem+json`.
pub(super) fn problem(fault: &Fault, request_id: &str) -> Answer {
    let mut members = Map::new();
    members.insert("type".to_owned(), json!(format!("urn:payhub:problem:{}", fault.code)));
    members.insert("title".to_owned(), json!(title(fault.code)));
    members.insert("status".to_owned(), json!(fault.status));
    members.insert("code".to_owned(), json!(fault.code));
    members.insert("detail".to_owned(), json!(fault.detail));
    members.insert("request_id".to_owned(), json!(request_id));
    if let Some(seconds) = fault.retry_after_s {
        members.insert("retry_after_s".to_owned(), json!(seconds));
    }
    for (name, value) in &fault.members {
        members.entry((*name).to_owned()).or_insert_with(|| value.clone());
    }
    Answer::json(fault.status, &Value::Object(members))
}

/// Answers a request with a fault.
pub(super) fn respond(http: &HttpRequest, fault: &Fault) -> HttpResponse {
    problem(fault, &request_id(http)).send()
}

/// The code as words.
fn title(code: &str) -> String {
    let mut letters = code.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let words = letters.map(|letter| if letter == '_' { ' ' } else { letter });
    first.into_iter().chain(words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_members_of_the_contract_and_none_of_ours_replaces_them() {
        let fault = Fault::conflict("fee_has_live_order", "ask again")
            .with("order_id", "ord_1")
            .with("status", 200)
            .retry_after(3);
        let answer = problem(&fault, "req-1");
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(
            body,
            json!({
                "type": "urn:payhub:problem:fee_has_live_order", "title": "Fee has live order",
                "status": 409, "code": "fee_has_live_order", "detail": "ask again",
                "request_id": "req-1", "retry_after_s": 3, "order_id": "ord_1",
            })
        );
    }
}
