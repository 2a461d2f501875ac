//! At the counter: the clerk scans the payer, and within a minute the order is paid, refused or
//! taken back. Nothing calls back, and a barcode is never kept in clear.

use payhub::demo::ALIPAY;
use serde_json::{Value, json};

use crate::harness::{World, word};
use crate::products::{LEGACY, legacy};

/// A merchant, its product, and barcodes: one that pays, one that asks the payer, one that pays
/// while the answer says that nobody knows, one that is not good.
type Counter = (&'static str, &'static str, [&'static str; 4]);

const COUNTERS: [Counter; 2] = [
    (
        LEGACY,
        "codepay",
        ["134567890123456788", "134567890123459900", "134567890123459901", "134567890123459902"],
    ),
    (
        ALIPAY,
        "pay",
        ["281234567890123488", "281234567890129900", "281234567890129901", "281234567890129902"],
    ),
];

async fn scan(world: &World, counter: &Counter, fee: &str, code: &str) -> (u16, Value) {
    let body = json!({
        "merchant_id": counter.0, "product": counter.1, "fee_ids": [fee], "auth_code": code,
    });
    world.post("/v1/orders", &body).await.unwrap()
}

async fn status(world: &World, order: &Value) -> String {
    word(&world.order_now(&word(order, "id")).await, "status")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_barcode_pays_in_the_same_breath() {
    let world = World::open_with(&legacy()).await;
    for counter in COUNTERS {
        let [pays, _, unseen, bad] = counter.2;
        let fee = world.fee(counter.0).await;
        let (code, order) = scan(&world, &counter, &fee, pays).await;
        assert_eq!((code, word(&order, "status").as_str()), (201, "paid"), "{order}");
        assert_eq!(order["pay"], json!({"kind": "none"}));
        assert_eq!(order["payments"][0]["source"], "query");
        assert_eq!(world.fee_status(&fee).await, "paid");
        let fee = world.fee(&format!("{}-bad", counter.0)).await;
        let (code, refused) = scan(&world, &counter, &fee, bad).await;
        assert_eq!((code, &refused["code"]), (422, &json!("provider_refused")), "{refused}");
        // Its answer is lost, and it was paid all the same: a query tells.
        let (_, order) = scan(&world, &counter, &fee, unseen).await;
        world.seconds(6).await;
        assert_eq!(status(&world, &order).await, "paid", "{order}");
    }
    let clear = "SELECT (SELECT count(*) FROM orders WHERE to_jsonb(orders)::text ~ '(13456|28123)[0-9]{12}')
                      + (SELECT count(*) FROM provider_calls WHERE to_jsonb(provider_calls)::text ~ '(13456|28123)[0-9]{12}')";
    assert_eq!(world.count(clear).await, 0, "barcodes are sealed");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_who_is_asked_has_a_minute() {
    let world = World::open_with(&legacy()).await;
    for counter in COUNTERS {
        let fee = world.fee(counter.0).await;
        let (code, order) = scan(&world, &counter, &fee, counter.2[1]).await;
        assert!(matches!(code, 201 | 202), "{order}");
        world.seconds(6).await;
        let before = status(&world, &order).await;
        assert!(matches!(before.as_str(), "pending" | "unknown"), "{before}");
        world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
        world.seconds(6).await;
        assert_eq!(status(&world, &order).await, "paid", "asked every five seconds");
        assert_eq!(world.fee_status(&fee).await, "paid");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_who_goes_away_is_taken_back_and_the_fee_is_free() {
    let world = World::open_with(&legacy()).await;
    for counter in COUNTERS {
        let fee = world.fee(counter.0).await;
        let (_, order) = scan(&world, &counter, &fee, counter.2[1]).await;
        for _ in 0..16 {
            world.seconds(5).await;
        }
        assert_eq!(status(&world, &order).await, "closed", "{}", counter.0);
        let number = word(&order, "out_trade_no");
        assert!(world.sandbox.engine().pay(&number, false).is_err(), "{}", counter.0);
        let (code, paid) = scan(&world, &counter, &fee, counter.2[0]).await;
        assert_eq!((code, word(&paid, "status").as_str()), (201, "paid"), "{paid}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_barcode_is_a_new_order_and_the_earlier_one_is_taken_back_first() {
    let world = World::open_with(&legacy()).await;
    for counter in COUNTERS {
        let fee = world.fee(counter.0).await;
        let (_, first) = scan(&world, &counter, &fee, counter.2[1]).await;
        world.seconds(6).await;
        let (code, same) = scan(&world, &counter, &fee, counter.2[1]).await;
        assert_eq!((code, &same["id"]), (200, &first["id"]), "the same barcode");
        let (code, second) = scan(&world, &counter, &fee, counter.2[0]).await;
        assert_eq!((code, word(&second, "status").as_str()), (201, "paid"), "{second}");
        assert_eq!(status(&world, &first).await, "closed");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_came_while_another_barcode_was_scanned_is_kept() {
    let world = World::open_with(&legacy()).await;
    for counter in COUNTERS {
        let fee = world.fee(counter.0).await;
        let (_, first) = scan(&world, &counter, &fee, counter.2[1]).await;
        world.sandbox.engine().pay(&word(&first, "out_trade_no"), false).unwrap();
        let (code, refused) = scan(&world, &counter, &fee, counter.2[0]).await;
        assert_eq!((code, &refused["code"]), (409, &json!("fee_already_paid")), "{refused}");
        assert_eq!(status(&world, &first).await, "paid", "taking it back would give it back");
    }
    world.finish().await;
}
