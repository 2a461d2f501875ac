//! A mortgage bank that pays by the month: its fees accrue, a statement charges them, and a transfer
//! pays it whole or not at all.

mod apart;
mod settled;
mod stated;

use payhub::demo::WECHAT;
use serde_json::{Value, json};

use crate::bank::{csv, hand_in};
use crate::harness::{World, at, word};

/// Two banks that pay by the month.
const BANKS: &str = r#"
[[payer_accounts]]
id = "icbc-mortgage"
name = "中国工商银行园区支行"
application = "registry"
bank_accounts = ["6222 0000 1111 2222"]
credit_days = 15
reference = ["工行按揭"]
[[payer_accounts]]
id = "ccb-mortgage"
name = "建设银行园区支行"
application = "registry"
bank_accounts = ["3333-4444-5555"]
"#;
const ICBC: &str = "icbc-mortgage";
const CCB: &str = "ccb-mortgage";
/// Monday 3 December, the month's first working day.
const FIRST_WORKING_DAY: &str = "2018-12-03T02:00:00Z";

/// A fee of 80 yuan that an account pays.
async fn accrued(world: &World, account: &str, case_no: &str) -> String {
    let body = json!({
        "case_no": case_no, "payer": {"name": "张三"}, "payer_account": account,
        "items": [{"code": "REG.RES", "quantity": 1, "registration_type": "mortgage"}],
    });
    let (status, fee) = world.post("/v1/fees", &body).await.unwrap();
    assert_eq!((status, &fee["total_fen"]), (201, &json!(8_000)), "{fee}");
    assert_eq!(word(&fee, "billing"), "monthly");
    word(&fee, "id")
}

async fn fee(world: &World, id: &str) -> Value {
    world.get(&format!("/v1/fees/{id}")).await.unwrap().1
}

/// How a fee stands.
async fn standing(world: &World, id: &str) -> String {
    word(&fee(world, id).await, "status")
}

/// The newest statement of an account, with its lines.
async fn statement(world: &World, account: &str) -> Value {
    let (status, page) =
        world.get(&format!("/v1/payer-statements?account={account}")).await.unwrap();
    assert_eq!(status, 200, "{page}");
    let id = word(&page["data"][0], "id");
    let (status, whole) = world.get(&format!("/v1/payer-statements/{id}")).await.unwrap();
    assert_eq!(status, 200, "{whole}");
    whole
}

/// The month is over and its first working day has come.
async fn closed(world: &World) {
    world.clock.set(at(FIRST_WORKING_DAY));
    world.settle().await.unwrap();
}

/// A credit; what the statement of the bank says became of it.
async fn comes(world: &World, row: &str) -> Value {
    let (status, taken) = hand_in(world, &csv(&[row])).await;
    assert_eq!(status, 201, "{taken}");
    taken
}

/// What is proposed for a credit.
async fn proposed(world: &World, serial: &str) -> Vec<Value> {
    let (_, page) = world.get("/v1/bank-lines?status=proposed").await.unwrap();
    let lines = page["data"].as_array().unwrap();
    let line = lines.iter().find(|line| word(line, "bank_serial") == serial);
    line.map(|line| line["payer_candidates"].as_array().unwrap().clone()).unwrap_or_default()
}

async fn incidents(world: &World, kind: &str) -> i64 {
    let open =
        format!("SELECT count(*) FROM incidents WHERE kind = '{kind}' AND closed_at IS NULL");
    world.count(&open).await
}

/// The balance of an account of the journal of a payer.
async fn balance(world: &World, journal: &str, account: &str) -> i64 {
    let query = format!(
        "SELECT COALESCE(sum(CASE WHEN debit = '{account}' THEN amount_fen ELSE 0 END)
                         - sum(CASE WHEN credit = '{account}' THEN amount_fen ELSE 0 END), 0)::bigint
           FROM journal_lines WHERE merchant_id = '{journal}'"
    );
    world.count(&query).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fee_of_an_account_is_paid_by_the_month_alone() {
    let world = World::open_with(BANKS).await;
    let id = accrued(&world, ICBC, "1").await;
    let (status, refused) = world.order(WECHAT, &[&id]).await;
    assert_eq!((status, word(&refused, "code").as_str()), (409, "fee_on_monthly_account"));
    assert_eq!(word(&refused, "payer_account"), ICBC);
    assert_eq!(standing(&world, &id).await, "issued");
    let body = json!({
        "case_no": "2", "payer": {"name": "张三"}, "payer_account": "nobody",
        "items": [{"code": "REG.RES", "quantity": 1}],
    });
    let (status, refused) = world.post("/v1/fees", &body).await.unwrap();
    assert_eq!((status, word(&refused, "code").as_str()), (422, "payer_account_unknown"));
    // The database knows the rule by itself.
    let other = world.fee("3").await;
    let (_, order) = world.order(WECHAT, &[&other]).await;
    let client = world.database().await;
    let insert = "INSERT INTO order_allocations (order_id, position, fee_id, amount_fen) VALUES ($1, 9, $2, 1)";
    let error = client.execute(insert, &[&word(&order, "id"), &id]).await.unwrap_err();
    assert!(error.as_db_error().is_some(), "{error}");
    world.finish().await;
}
