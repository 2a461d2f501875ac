//! Money that was paid over to the treasury (缴库) and comes back from there (退付): told over HTTP,
//! held by constraints, and proved by the journal at every step.

mod command_line;
mod people;
mod remittances;
mod routes;
mod way;

use jiff::SignedDuration;
use payhub::ledger;
use serde_json::{Value, json};

use crate::harness::{World, word};

/// The Friday on which every test begins.
const FRIDAY: &str = "2018-11-30";

/// Tells that fees were paid over to the treasury on that Friday.
async fn remit(world: &World, reference: &str, fees: &[&str]) -> (u16, Value) {
    let body = json!({"remitted_on": FRIDAY, "reference": reference, "fee_ids": fees});
    world.post("/v1/remittances", &body).await.unwrap()
}

async fn refund(world: &World, order: &str, body: Value) -> (u16, Value) {
    world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap()
}

async fn refund_now(world: &World, refund: &Value) -> Value {
    let (code, now) = world.get(&format!("/v1/refunds/{}", word(refund, "id"))).await.unwrap();
    assert_eq!(code, 200, "{now}");
    now
}

/// A fee that was paid and remitted, and the refund of all of it, which only the treasury can pay.
async fn applied(world: &World, merchant: &str, case_no: &str) -> (String, Value) {
    let (fee, order, _) = world.paid(merchant, case_no).await;
    let (code, remittance) = remit(world, &format!("缴-{case_no}"), &[&fee]).await;
    assert_eq!(code, 201, "{remittance}");
    let (code, asked) = refund(world, &order, json!({"amount_fen": 8000, "reason": "撤回"})).await;
    assert_eq!((code, word(&asked, "route").as_str()), (201, "treasury"), "{asked}");
    (fee, asked)
}

/// Tells a step.
async fn told(world: &World, refund: &Value, body: Value) -> (u16, Value) {
    world.post(&format!("/v1/refunds/{}/treasury", word(refund, "id")), &body).await.unwrap()
}

/// Tells a step that follows, with what every step may need; the refund as it is then.
async fn step(world: &World, refund: &Value, event: &str, by: &str, on: &str) -> Value {
    let body = json!({
        "event": event, "occurred_on": on, "by": by, "document_no": format!("{event}-1"),
        "reason": "收款账号有误",
    });
    let (code, then) = told(world, refund, body).await;
    assert_eq!(code, 200, "{event}: {then}");
    proved(world).await;
    then
}

async fn days(world: &World, days: i64) {
    world.pass(SignedDuration::from_hours(24 * days)).await.unwrap();
}

/// The books agree with themselves at this moment.
#[track_caller]
fn proved(world: &World) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let proof = ledger::verify(&world.hub).await.unwrap();
        assert_eq!(proof.breaks, Vec::<String>::new(), "{place}");
    }
}

/// What the refund says of where it stands: its status and its place on the treasury's way.
fn stands(refund: &Value) -> (String, String) {
    (word(refund, "status"), word(&refund["treasury"], "state"))
}

#[track_caller]
fn check(refund: &Value, status: &str, state: &str) {
    assert_eq!(stands(refund), (status.to_owned(), state.to_owned()), "{refund}");
}

#[track_caller]
fn refused((status, problem): (u16, Value), expected: u16, code: &str) -> Value {
    assert_eq!((status, problem["code"].as_str()), (expected, Some(code)), "{problem}");
    problem
}
