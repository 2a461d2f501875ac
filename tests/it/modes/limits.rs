//! How long and how often providers give back.

use jiff::SignedDuration;
use payhub::demo::{ALIPAY, WECHAT};
use serde_json::{Value, json};

use crate::harness::World;
use crate::products::legacy;

async fn refund(world: &World, order: &str, fen: i64) -> (u16, Value) {
    let body = json!({"amount_fen": fen, "reason": "撤回"});
    world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap()
}

#[track_caller]
fn is_limit((status, refused): &(u16, Value), field: &str, rule: &str) {
    assert_eq!((*status, &refused["code"]), (422, &json!("limit")), "{refused}");
    assert_eq!(refused["field"], field, "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains(rule), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_year_nothing_is_given_back_and_nobody_is_asked() {
    let world = World::open_with(&legacy()).await;
    let mut orders = Vec::new();
    for merchant in [WECHAT, ALIPAY] {
        orders.push((merchant, world.paid(merchant, merchant).await.1));
    }
    // The last moment: a year by the calendar.
    world.clock.set("2019-11-30T01:00:00Z".parse().unwrap());
    for (merchant, order) in &orders {
        let (status, taken) = refund(&world, order, 1).await;
        assert_eq!(status, 201, "{merchant}: {taken}");
    }
    world.settle().await.unwrap();
    world.clock.advance(SignedDuration::from_secs(120));
    world.settle().await.unwrap();
    let calls = "SELECT count(*) FROM provider_calls WHERE operation = 'refund'";
    let before = world.count(calls).await;
    for (_, order) in &orders {
        is_limit(&refund(&world, order, 1).await, "paid_at", "1 year after the payment");
    }
    assert_eq!(world.count(calls).await, before);
    let money = "SELECT count(*) FROM refunds";
    assert_eq!(world.count(money).await, 2, "nothing is promised either");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_fifty_first_refund_of_a_payment_is_refused() {
    let world = World::open().await;
    let (_, order, _) = world.paid(WECHAT, "1").await;
    for number in 1..=50 {
        let (status, taken) = refund(&world, &order, 1).await;
        assert_eq!(status, 201, "{number}: {taken}");
        world.clock.advance(SignedDuration::from_secs(61));
    }
    world.seconds(120).await;
    let arrived = "SELECT count(*) FROM refunds WHERE state = 'succeeded'";
    for _ in 0..100 {
        if world.count(arrived).await == 50 {
            break;
        }
        world.seconds(61).await;
    }
    assert_eq!(world.count(arrived).await, 50);
    is_limit(&refund(&world, &order, 1).await, "out_refund_no", "at most 50 times");
    assert_eq!(world.count("SELECT count(*) FROM refunds").await, 50);
    world.finish().await;
}
