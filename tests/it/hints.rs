//! Notices of refunds that nobody signed: what they say is asked about, and only the answer counts.

use payhub::demo::WECHAT;
use sandbox::{Action, Fault, Operation, Place, PortalRefund, SandboxConfig};
use serde_json::{Value, json};

use crate::harness::{World, word};
use crate::products::{LEGACY, legacy};

async fn paid(world: &World, case: &str) -> (String, String, String) {
    let fee = world.fee(case).await;
    let body = json!({"merchant_id": LEGACY, "product": "native", "fee_ids": [fee]});
    let (status, order) = world.post("/v1/orders", &body).await.unwrap();
    assert_eq!(status, 201, "{order}");
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    world.settle().await.unwrap();
    (fee, word(&order, "id"), word(&order, "out_trade_no"))
}

async fn refunded(world: &World, order: &str) -> Value {
    let body = json!({"amount_fen": 8000, "reason": "撤回"});
    let path = format!("/v1/orders/{order}/refunds");
    let (status, refund) = world.post(&path, &body).await.unwrap();
    assert_eq!(status, 201, "{refund}");
    refund
}

/// How many questions a notice raised.
const ASKED: &str = "SELECT count(*) FROM provider_calls WHERE operation = 'confirm_refund'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unsigned_notice_is_confirmed_by_a_query_before_anything_is_booked() {
    let world = World::open_with(&legacy()).await;
    let (fee, order, _) = paid(&world, "1").await;
    let refund = refunded(&world, &order).await;
    // The notice comes before a worker looks.
    world.clock.advance(jiff::SignedDuration::from_secs(60));
    world.sandbox.deliver_due().await;
    assert_eq!(world.count(ASKED).await, 1);
    let (_, then) = world.get(&format!("/v1/refunds/{}", word(&refund, "id"))).await.unwrap();
    assert_eq!(word(&then, "status"), "succeeded");
    assert_eq!(world.fee_status(&fee).await, "refunded");
    let kept = "SELECT count(*) FROM callbacks WHERE verdict = 'applied' AND merchant_id = 'legacy-wechat'";
    assert_eq!(world.count(kept).await, 2, "the payment's and the refund's");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_that_cannot_be_confirmed_is_not_taken_and_comes_again() {
    let world = World::open_with(&legacy()).await;
    let (fee, order, _) = paid(&world, "1").await;
    refunded(&world, &order).await;
    let mut dark = Fault::new(Place::Answer, Action::Status500);
    dark.operation = Some(Operation::QueryRefund);
    let dark = world.sandbox.engine().set_fault(dark).unwrap();
    world.clock.advance(jiff::SignedDuration::from_secs(60));
    world.sandbox.deliver_due().await;
    assert_eq!(world.count(ASKED).await, 1);
    assert_eq!(world.fee_status(&fee).await, "refunding", "nobody's word is booked");
    let due = "SELECT count(*) FROM refunds WHERE next_query_at <= '2018-11-30T01:01:00Z'";
    assert_eq!(world.count(due).await, 1, "a worker asks at once");
    world.sandbox.engine().lift_faults(Some(dark));
    world.seconds(120).await;
    assert_eq!(world.fee_status(&fee).await, "refunded");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_made_in_the_merchant_platform_is_told_to_finance_staff() {
    fn with_old_key(providers: &mut SandboxConfig) {
        for merchant in &mut providers.wechat {
            merchant.api_key = Some("payhubtestsonlyapiv2key012345678".to_owned());
        }
    }
    let world = World::open_at(&legacy(), with_old_key).await;
    let (_, _, number) = paid(&world, "1").await;
    let by_hand = PortalRefund {
        out_trade_no: number,
        out_refund_no: Some("HAND-1".to_owned()),
        amount_fen: domain::Fen::new(100),
        merchant: None,
    };
    world.sandbox.engine().refund(&by_hand).unwrap();
    world.seconds(61).await;
    assert!(world.count(ASKED).await >= 1);
    let told =
        "SELECT count(*) FROM incidents WHERE kind = 'refund_unknown' AND callback_id IS NOT NULL";
    assert_eq!(world.count(told).await, 1);
    assert_eq!(world.count("SELECT count(*) FROM refused_callbacks").await, 0);
    assert!(world.hub.merchant(WECHAT).is_some());
    world.finish().await;
}
