//! An order, between its request and its answer, under an idempotency key.

use jiff::SignedDuration;
use payhub::demo::WECHAT;
use serde_json::{Value, json};

use super::{Fall, WAYS, Way, arm, ask, proved, recover};
use crate::harness::wire::Wire;
use crate::harness::{World, word};

/// As long as the lease of a key runs.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_written_with_its_key_and_answered_with_it_wherever_the_hub_dies() {
    let (mut world, wire) = World::open_on_a_wire("", 1, |_as_usual| {}).await;
    let mut seen = [0; 3];
    for way in WAYS {
        for n in 1.. {
            let step = format!("{way:?} {n}");
            let (fell, stage) = once(&mut world, &wire, (n, way), &step).await;
            if !fell {
                break;
            }
            seen[stage] += 1;
        }
        proved(&world, &format!("{way:?}")).await;
    }
    assert!(seen.iter().all(|times| *times > 0), "not every stage was cut at: {seen:?}");
    world.finish().await;
}

/// One request with the wire cut at one message, and its repeat; whether it was cut, and with
/// nothing written, with the order written, or with its answer written too.
async fn once(world: &mut World, wire: &Wire, (n, way): (u64, Way), step: &str) -> (bool, usize) {
    let fee = world.fee(step).await;
    let key = step.replace(' ', "");
    arm(wire, n, way);
    let first = request(world, &fee, &key).await;
    let stage = stage(world, &fee, &key, way.0, step).await;
    let fell = recover(world, wire, way.0).await;
    world.clock.advance(LEASE);
    let again = request(world, &fee, &key).await.unwrap();
    let order: Value = serde_json::from_slice(&again.1).unwrap();
    assert!(matches!(again.0, 200 | 201), "{step}: {order}");
    assert_eq!(word(&order, "status"), "pending", "{step}: {order}");
    assert!(order["pay"]["code_url"].is_string(), "{step}: {order}");
    if let Some(first) = first.filter(|(status, _)| *status < 500) {
        assert_eq!(first, again, "{step}");
    }
    assert_eq!(request(world, &fee, &key).await, Some(again), "{step}");
    let id = word(&order, "id");
    let of_fee = format!("SELECT count(*) FROM order_allocations WHERE fee_id = '{fee}'");
    assert_eq!(world.count(&of_fee).await, 1, "{step}: ordered twice");
    let evidence = format!(
        "SELECT count(*) FROM provider_calls
          WHERE operation = 'place' AND subject_id = '{id}' AND outcome = 'accepted'"
    );
    assert!(world.count(&evidence).await >= 1, "{step}: no evidence");
    (fell, stage)
}

/// How far it came. A hub that died left a key that is worked under exactly where it left an order
/// without its provider's answer, and an answered key exactly where it left an answered order.
async fn stage(world: &World, fee: &str, key: &str, fall: Fall, step: &str) -> usize {
    let orders = |state: &str| {
        format!(
            "SELECT count(*) FROM orders JOIN order_allocations USING (order_id)
              WHERE fee_id = '{fee}' AND (state = 'created') = {state}"
        )
    };
    let keys = |open: &str| {
        format!(
            "SELECT count(*) FROM idempotency_keys WHERE key = '{key}' AND (status IS NULL) = {open}"
        )
    };
    let written = world.count(&orders("true")).await;
    let answered = world.count(&orders("false")).await;
    if fall == Fall::Killed {
        let found = (world.count(&keys("true")).await, world.count(&keys("false")).await);
        assert_eq!(found, (written, answered), "{step}: keys, and orders");
    }
    match (written, answered) {
        (0, 0) => 0,
        (1, 0) => 1,
        (0, 1) => 2,
        more => panic!("{step}: {more:?} orders"),
    }
}

async fn request(world: &World, fee: &str, key: &str) -> Option<(u16, Vec<u8>)> {
    let body = json!({"merchant_id": WECHAT, "product": "native", "fee_ids": [fee]});
    ask(world, "/v1/orders", key, &body).await
}
