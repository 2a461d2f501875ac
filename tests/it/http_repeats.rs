//! What a repeat under an `Idempotency-Key` gets when the first answer was of the moment, or when
//! another worker took the key over meanwhile.

use payhub::demo::{ALIPAY, Office, WECHAT};
use payhub::store::idempotency::{self as keys, Held};
use reqwest::RequestBuilder;
use sandbox::{Action, Fault, Operation, Place};
use serde_json::{Value, json};

use crate::harness::{World, at, word};

fn post(world: &World, path: &str, body: &Value) -> RequestBuilder {
    world
        .client()
        .post(world.url(path))
        .bearer_auth(Office::api_key())
        .header("idempotency-key", "k")
        .body(body.to_string())
}

async fn send(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

fn fee_body() -> Value {
    json!({
        "case_no": "1", "payer": {"name": "张三"},
        "items": [{"code": "REG.RES", "quantity": 1}],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_again_after_retry_after_with_the_same_key_gets_on() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    world.order(WECHAT, &[&fee]).await;
    let mut fault = Fault::new(Place::Answer, Action::Status500);
    fault.operation = Some(Operation::Close);
    fault.times = Some(1);
    world.sandbox.engine().set_fault(fault).unwrap();
    let body = json!({"merchant_id": ALIPAY, "product": "precreate", "fee_ids": [fee]});
    let (status, refused) = send(post(&world, "/v1/orders", &body)).await;
    assert_eq!((status, &refused["code"]), (409, &json!("fee_has_live_order")));
    assert!(refused["retry_after_s"].is_u64(), "{refused}");
    let (status, order) = send(post(&world, "/v1/orders", &body)).await;
    assert_eq!(status, 201, "{order}");
    let again = send(post(&world, "/v1/orders", &body)).await;
    assert_eq!(again, (201, order));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_that_lasts_is_answered_again_as_it_was() {
    let world = World::open().await;
    let (fee, _, _) = world.paid(WECHAT, "1").await;
    let body = json!({"merchant_id": ALIPAY, "product": "precreate", "fee_ids": [fee]});
    let first = send(post(&world, "/v1/orders", &body)).await;
    assert_eq!((first.0, &first.1["code"]), (409, &json!("fee_already_paid")));
    let again = send(post(&world, "/v1/orders", &body)).await;
    assert_eq!(again, first, "also the request_id: it is the stored answer");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_who_lost_his_lease_overwrites_no_answer() {
    let world = World::open().await;
    let client = world.hub.store.client().await.unwrap();
    let (registry, now) = ("registry".parse().unwrap(), at("2018-11-30T01:00:00Z"));
    let begin = || keys::begin(&client, &registry, "k", "POST /v1/fees", b"body", now);
    let slow = begin().await.unwrap().unwrap();
    assert_eq!(begin().await.unwrap(), None, "it is being worked on");
    let over = "UPDATE idempotency_keys SET leased_until = clock_timestamp() - interval '1 second'";
    client.execute(over, &[]).await.unwrap();
    let quick = begin().await.unwrap().unwrap();
    let held = |lease| Held { application: &registry, key: "k", lease };
    assert!(!keys::finish(&client, held(slow), 201, b"late").await.unwrap());
    assert!(!keys::renew(&client, held(slow)).await.unwrap());
    keys::release(&client, held(slow)).await.unwrap();
    assert!(keys::renew(&client, held(quick)).await.unwrap());
    assert!(keys::finish(&client, held(quick), 201, b"first").await.unwrap());
    assert!(!keys::finish(&client, held(quick), 201, b"again").await.unwrap());
    let known = keys::get(&client, &registry, "k").await.unwrap().unwrap();
    assert_eq!(known.answer, Some((201, b"first".to_vec())));
    drop(client);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_whose_key_was_taken_over_is_not_done() {
    let world = World::open().await;
    let client = world.database().await;
    client.batch_execute("BEGIN; LOCK TABLE fees IN EXCLUSIVE MODE").await.unwrap();
    let first = tokio::spawn(send(post(&world, "/v1/fees", &fee_body())));
    while world.count("SELECT count(*) FROM idempotency_keys").await == 0 {}
    let taken = "UPDATE idempotency_keys SET lease = lease + 1000";
    world.database().await.execute(taken, &[]).await.unwrap();
    client.batch_execute("COMMIT").await.unwrap();
    let (status, refused) = first.await.unwrap();
    assert_eq!((status, &refused["code"]), (409, &json!("idempotency_in_progress")));
    assert_eq!(world.count("SELECT count(*) FROM fees").await, 0);
    let waiting = "SELECT count(*) FROM idempotency_keys WHERE status IS NULL";
    assert_eq!(world.count(waiting).await, 1, "it is the other worker's");
    let over = "UPDATE idempotency_keys SET leased_until = clock_timestamp() - interval '1 second'";
    world.database().await.execute(over, &[]).await.unwrap();
    let (status, fee) = send(post(&world, "/v1/fees", &fee_body())).await;
    assert_eq!(status, 201, "{fee}");
    assert_eq!(word(&fee, "status"), "issued");
    drop(client);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waited_for_a_lock_in_vain_comes_again_under_his_key() {
    let world = World::open().await;
    let client = world.database().await;
    client.batch_execute("BEGIN; LOCK TABLE fees IN EXCLUSIVE MODE").await.unwrap();
    let (status, refused) = send(post(&world, "/v1/fees", &fee_body())).await;
    assert_eq!((status, &refused["code"]), (503, &json!("unavailable")), "{refused}");
    assert!(refused["retry_after_s"].is_u64(), "{refused}");
    client.batch_execute("COMMIT").await.unwrap();
    let (status, fee) = send(post(&world, "/v1/fees", &fee_body())).await;
    assert_eq!(status, 201, "{fee}");
    assert_eq!(world.count("SELECT count(*) FROM fees").await, 1);
    drop(client);
    world.finish().await;
}
