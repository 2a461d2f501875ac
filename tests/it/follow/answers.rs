//! Answers to placing that were lost: at the counter the barcode is sent once, anywhere else the
//! order is placed again under its number.

use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{Action, Fault, Operation, Place};
use serde_json::{Value, json};

use crate::harness::{World, word};
use crate::products::{LEGACY, legacy};

/// A merchant, its product, and a barcode whose payer is asked for a password.
const COUNTERS: [(&str, &str, &str); 2] =
    [(LEGACY, "codepay", "134567890123459900"), (ALIPAY, "pay", "281234567890129900")];

/// The next answer to placing goes wrong.
fn spoil(world: &World, action: Action) {
    let fault = Fault::new(Place::Answer, action).during(Operation::Place).times(1);
    world.sandbox.engine().set_fault(fault).unwrap();
}

async fn scan(world: &World, (merchant, product, code): (&str, &str, &str)) -> Value {
    let fee = world.fee(merchant).await;
    let body = json!({
        "merchant_id": merchant, "product": product, "fee_ids": [fee], "auth_code": code,
    });
    let (status, order) = world.post("/v1/orders", &body).await.unwrap();
    assert_eq!((status, word(&order, "status").as_str()), (202, "unknown"), "{order}");
    order
}

async fn status(world: &World, order: &Value) -> String {
    word(&world.order_now(&word(order, "id")).await, "status")
}

/// How often an order was sent.
async fn sent(world: &World, order: &Value) -> i64 {
    let sent = format!(
        "SELECT count(*) FROM provider_calls WHERE operation = 'place' AND subject_id = '{}'",
        word(order, "id")
    );
    world.count(&sent).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t12_a_barcode_whose_answer_was_lost_is_sent_once_and_its_payer_is_waited_for() {
    let world = World::open_with(&legacy()).await;
    for counter in COUNTERS {
        spoil(&world, Action::DropAfterCommit);
        let order = scan(&world, counter).await;
        world.seconds(2).await;
        assert_eq!(status(&world, &order).await, "pending", "{}", counter.0);
        assert_eq!(world.order_now(&word(&order, "id")).await["pay"], json!({"kind": "none"}));
        world.seconds(5).await;
        assert_eq!(sent(&world, &order).await, 1, "{}", counter.0);
        world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
        world.seconds(5).await;
        assert_eq!(status(&world, &order).await, "paid", "{}", counter.0);
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t12_a_barcode_that_never_arrived_is_sent_again_under_its_number() {
    let world = World::open_with(&legacy()).await;
    for counter in COUNTERS {
        spoil(&world, Action::Drop);
        let order = scan(&world, counter).await;
        world.seconds(2).await;
        assert_eq!(status(&world, &order).await, "pending", "{}", counter.0);
        assert_eq!(sent(&world, &order).await, 2, "{}", counter.0);
        let number = word(&order, "out_trade_no");
        let state = world.sandbox.engine().state();
        assert_eq!(state.orders.iter().filter(|order| order.out_trade_no == number).count(), 1);
        world.sandbox.engine().pay(&number, false).unwrap();
        world.seconds(5).await;
        assert_eq!(status(&world, &order).await, "paid", "{}", counter.0);
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t12_an_order_that_waits_for_its_payer_is_placed_again_because_nobody_has_its_code() {
    let world = World::open().await;
    for merchant in [WECHAT, ALIPAY] {
        for action in [Action::DropAfterCommit, Action::Drop] {
            spoil(&world, action);
            let fee = world.fee(&format!("{merchant}-{action:?}")).await;
            let (code, order) = world.order(merchant, &[&fee]).await;
            assert_eq!((code, word(&order, "status").as_str()), (202, "unknown"));
            world.seconds(2).await;
            let now = world.order_now(&word(&order, "id")).await;
            assert_eq!(word(&now, "status"), "pending", "{merchant} {action:?}");
            assert!(now["pay"]["code_url"].is_string(), "{now}");
            assert_eq!(now["out_trade_no"], order["out_trade_no"]);
            assert_eq!(sent(&world, &order).await, 2);
        }
    }
    assert_eq!(world.sandbox.engine().state().orders.len(), 4);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t12_a_hub_that_dies_between_sending_and_saving_loses_no_order() {
    let world = World::open().await;
    for merchant in [WECHAT, ALIPAY] {
        let fee = world.fee(merchant).await;
        let (_, order) = world.order(merchant, &[&fee]).await;
        // As the row stood before the answer: what the hub wrote last is that it sends.
        let died = format!(
            "UPDATE orders SET state = 'created', pay = NULL, placed_at = NULL,
                    next_query_at = created_at + interval '30 seconds' WHERE order_id = '{}'",
            word(&order, "id")
        );
        world.database().await.execute(&died, &[]).await.unwrap();
        world.seconds(30).await;
        let now = world.order_now(&word(&order, "id")).await;
        assert_eq!(word(&now, "status"), "pending", "{merchant}");
        assert!(now["pay"]["code_url"].is_string(), "{now}");
        // A repeat may bring another code; the number is the same, and so is the order there.
        let number = word(&order, "out_trade_no");
        assert_eq!(word(&now, "out_trade_no"), number);
        assert_eq!(sent(&world, &order).await, 2, "{merchant}");
        world.sandbox.engine().pay(&number, true).unwrap();
        world.settle().await.unwrap();
        assert_eq!(status(&world, &order).await, "paid", "{merchant}");
    }
    assert_eq!(world.sandbox.engine().state().orders.len(), 2);
    world.finish().await;
}
