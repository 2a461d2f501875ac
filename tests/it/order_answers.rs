//! What a new order is answered, and what is kept with that answer: the call that placed it, and the
//! answer under its `Idempotency-Key`.

use payhub::demo::{ALIPAY, Office, WECHAT};
use sandbox::{Action, Fault, Operation, Place};
use serde_json::{Value, json};

use crate::harness::{World, word};

/// Asks for an order under a key; status and body.
async fn order(world: &World, key: &str, body: &Value) -> (u16, Value) {
    let answer = world
        .client()
        .post(world.url("/v1/orders"))
        .bearer_auth(Office::api_key())
        .header("idempotency-key", key)
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

/// The status under a key, if it is answered.
async fn answered(world: &World, key: &str) -> Option<i32> {
    let query = "SELECT status FROM idempotency_keys WHERE key = $1";
    world.database().await.query_one(query, &[&key]).await.unwrap().get(0)
}

/// What became of each call that placed an order.
async fn calls(world: &World, order: &str) -> Vec<String> {
    let query = "SELECT outcome FROM provider_calls WHERE operation = 'place' AND subject_id = $1 ORDER BY call_id";
    let rows = world.database().await.query(query, &[&order]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// The answer to an order comes seconds after its provider has it.
fn slow(world: &World) {
    let mut slow = Fault::new(Place::Answer, Action::Delay).during(Operation::Place).times(1);
    slow.delay_s = Some(2);
    world.sandbox.engine().set_fault(slow).unwrap();
}

fn native(fee: &str) -> Value {
    json!({"merchant_id": WECHAT, "product": "native", "fee_ids": [fee]})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_order_is_answered_as_it_is_stored() {
    let world = World::open().await;
    let openid = json!({"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"});
    for (merchant, product, payer) in [
        (WECHAT, "native", json!({})),
        (WECHAT, "jsapi", openid),
        (ALIPAY, "precreate", json!({})),
        (ALIPAY, "page", json!({})),
    ] {
        let (one, other) = (world.fee(product).await, world.fee(product).await);
        let body = json!({
            "merchant_id": merchant, "product": product, "fee_ids": [other, one], "payer": payer,
        });
        let (status, new) = order(&world, product, &body).await;
        assert_eq!(status, 201, "{new}");
        assert_eq!(new, world.order_now(&word(&new, "id")).await);
        assert_eq!(order(&world, product, &body).await, (201, new));
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_call_that_placed_an_order_is_kept_whatever_came_of_it() {
    let world = World::open().await;
    let (placed, lost, refused) =
        (world.fee("1").await, world.fee("2").await, world.fee("3").await);
    let (status, new) = order(&world, "placed", &native(&placed)).await;
    assert_eq!((status, answered(&world, "placed").await), (201, Some(201)), "{new}");
    assert_eq!(calls(&world, &word(&new, "id")).await, ["accepted"]);
    let fault = Fault::new(Place::Answer, Action::DropAfterCommit).during(Operation::Place);
    world.sandbox.engine().set_fault(fault.times(1)).unwrap();
    let (status, new) = order(&world, "lost", &native(&lost)).await;
    assert_eq!((status, answered(&world, "lost").await), (202, Some(202)), "{new}");
    assert_eq!(word(&new, "status"), "unknown");
    assert_eq!(calls(&world, &word(&new, "id")).await, ["unknown"]);
    let body = json!({
        "merchant_id": ALIPAY, "product": "pay", "fee_ids": [refused], "auth_code": "281234567890129902",
    });
    let (status, problem) = order(&world, "refused", &body).await;
    assert_eq!((status, answered(&world, "refused").await), (422, Some(422)), "{problem}");
    assert_eq!(calls(&world, &word(&problem, "order_id")).await, ["refused"]);
    assert_eq!(order(&world, "refused", &body).await, (422, problem), "also the request_id");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_overtakes_the_answer_to_its_order_is_told_in_it() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    slow(&world);
    let body = native(&fee);
    let paid = async {
        let number = loop {
            let placed = world.sandbox.engine().state().orders.first().cloned();
            match placed {
                Some(placed) => break placed.out_trade_no,
                None => tokio::task::yield_now().await,
            }
        };
        world.sandbox.engine().pay(&number, true).unwrap();
        world.sandbox.deliver_due().await;
        assert_eq!(world.fee_status(&fee).await, "paid");
    };
    let ((status, new), ()) = tokio::join!(order(&world, "k", &body), paid);
    assert_eq!((status, word(&new, "status").as_str()), (201, "paid"), "{new}");
    assert_eq!(new["payments"].as_array().unwrap().len(), 1);
    assert_eq!(calls(&world, &word(&new, "id")).await, ["accepted"]);
    assert_eq!(order(&world, "k", &body).await, (201, new));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_keeps_its_provider_s_answer_when_its_key_was_taken_over_meanwhile() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    slow(&world);
    let body = native(&fee);
    let taken = async {
        while world.sandbox.engine().state().orders.is_empty() {
            tokio::task::yield_now().await;
        }
        let taken = "UPDATE idempotency_keys SET lease = lease + 1000";
        assert_eq!(world.database().await.execute(taken, &[]).await.unwrap(), 1);
    };
    let ((status, new), ()) = tokio::join!(order(&world, "k", &body), taken);
    assert_eq!((status, word(&new, "status").as_str()), (201, "pending"), "{new}");
    assert_eq!(answered(&world, "k").await, None, "it is the other worker's");
    assert_eq!(new, world.order_now(&word(&new, "id")).await);
    // When his lease ends too, the same order is found again.
    let over = "UPDATE idempotency_keys SET leased_until = clock_timestamp() - interval '1 second'";
    world.database().await.execute(over, &[]).await.unwrap();
    assert_eq!(order(&world, "k", &body).await, (200, new));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fee_that_changes_while_its_order_is_written_is_looked_at_again() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    let client = world.database().await;
    client.batch_execute("BEGIN; UPDATE fee_balances SET voided_at = now()").await.unwrap();
    let body = native(&fee);
    let withdrawn = async {
        let waits = "SELECT count(*) FROM pg_stat_activity
                      WHERE datname = current_database() AND wait_event_type = 'Lock'";
        world.becomes(waits, 1).await;
        client.batch_execute("COMMIT").await.unwrap();
    };
    let ((status, refused), ()) = tokio::join!(order(&world, "k", &body), withdrawn);
    assert_eq!((status, &refused["code"]), (409, &json!("fee_void")), "{refused}");
    assert_eq!(world.count("SELECT count(*) FROM orders").await, 0);
    assert_eq!(order(&world, "k", &body).await, (409, refused));
    drop(client);
    world.finish().await;
}
