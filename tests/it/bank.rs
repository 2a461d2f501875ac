//! Money at the bank: statements taken in whole or not at all, credits that are settlements to the
//! fen, and what people decide about the others.

mod decided;
mod fiscal;
mod month;
mod statements;
mod typed;
mod undone;

use payhub::demo::{Office, WECHAT};
use sandbox::BANK_HEADER;
use serde_json::Value;

use crate::harness::{World, at, word};

/// Saturday 10:05 in Beijing.
const NEXT_MORNING: &str = "2018-12-01T02:05:00Z";
/// Monday 11:00: the money of Friday to Sunday is due today.
const MONDAY: &str = "2018-12-03T03:00:00Z";

/// Rows under the header.
pub(crate) fn csv(rows: &[&str]) -> String {
    let rows: String = rows.iter().map(|row| format!("{row}\n")).collect();
    format!("{BANK_HEADER}\n{rows}")
}

/// Hands a statement in; status and answer.
pub(crate) async fn hand_in(world: &World, file: &str) -> (u16, Value) {
    hand_in_under(world, file, None).await
}

async fn hand_in_under(world: &World, file: &str, key: Option<&str>) -> (u16, Value) {
    let request = world
        .client()
        .post(world.url("/v1/bank-statements"))
        .bearer_auth(Office::api_key())
        .header("content-type", "text/csv");
    let request = match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    };
    let answer = request.body(file.to_owned()).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

/// The lines of a status.
async fn lines(world: &World, status: &str) -> Vec<Value> {
    let (code, page) = world.get(&format!("/v1/bank-lines?status={status}")).await.unwrap();
    assert_eq!(code, 200, "{page}");
    page["data"].as_array().unwrap().clone()
}

/// The settlements of the bill days since the opening.
async fn settlements(world: &World) -> Vec<Value> {
    let (code, page) =
        world.get("/v1/settlements?from=2018-11-30&until=2019-03-31&limit=200").await.unwrap();
    assert_eq!(code, 200, "{page}");
    page["data"].as_array().unwrap().clone()
}

async fn settlement_of(world: &World, account: &str, day: &str) -> Value {
    let all = settlements(world).await;
    let found =
        all.into_iter().find(|it| word(it, "account") == account && word(it, "bill_date") == day);
    found.unwrap_or_else(|| panic!("nothing is expected of {account} on {day}"))
}

/// The balance of an account of the journal, over all merchants.
async fn balance(world: &World, account: &str) -> i64 {
    let query = format!(
        "SELECT COALESCE(sum(CASE WHEN debit = '{account}' THEN amount_fen ELSE 0 END)
                         - sum(CASE WHEN credit = '{account}' THEN amount_fen ELSE 0 END), 0)::bigint FROM journal_lines"
    );
    world.count(&query).await
}

/// An office on the Monday after a Friday on which WeChat Pay took 160 yuan and gave 30 back.
async fn friday_is_due() -> World {
    let world = World::open().await;
    let (_, order, _) = world.paid(WECHAT, "1").await;
    world.paid(WECHAT, "2").await;
    let body = serde_json::json!({"amount_fen": 3000, "reason": "多收"});
    world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    world.seconds(120).await;
    for morning in [NEXT_MORNING, "2018-12-02T02:05:00Z", MONDAY] {
        world.clock.set(at(morning));
        world.settle().await.unwrap();
    }
    world
}
