//! Notices of refunds that nobody signed: what they say is asked about, and only the answer counts.

use sandbox::{Action, Fault, Operation, Place, PortalRefund, SandboxConfig};
use serde_json::{Value, json};

use crate::combined::{TAX, payee};
use crate::harness::{World, word};
use crate::products::{LEGACY, legacy};

async fn paid(world: &World, case: &str) -> (String, String, String) {
    paid_through(world, LEGACY, case).await
}

async fn paid_through(world: &World, merchant: &str, case: &str) -> (String, String, String) {
    let fee = world.fee(case).await;
    let body = json!({"merchant_id": merchant, "product": "native", "fee_ids": [fee]});
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

/// The key of the old interface at the providers, for every merchant.
fn with_old_key(providers: &mut SandboxConfig) {
    for merchant in &mut providers.wechat {
        merchant.api_key = Some("payhubtestsonlyapiv2key012345678".to_owned());
    }
}

/// A merchant of APIv3 that can open notices of the old interface as well.
fn with_both_keys() -> String {
    let key = "apiv3_key";
    payee(TAX, "1900000109").replacen(
        key,
        &format!("api_key = \"payhubtestsonlyapiv2key012345678\"\n{key}"),
        1,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_made_in_the_merchant_platform_is_told_to_finance_staff() {
    for (merchant, more) in [(LEGACY, legacy()), (TAX, with_both_keys())] {
        let world = World::open_at(&more, with_old_key).await;
        let (fee, _, number) = paid_through(&world, merchant, "1").await;
        let by_hand = PortalRefund {
            out_trade_no: number,
            out_refund_no: Some("HAND-1".to_owned()),
            amount_fen: domain::Fen::new(100),
            merchant: None,
        };
        world.sandbox.engine().refund(&by_hand).unwrap();
        world.seconds(61).await;
        assert_eq!(world.count(ASKED).await, 1, "{merchant}");
        let told = format!(
            "SELECT count(*) FROM incidents JOIN callbacks USING (callback_id)
              WHERE incidents.kind = 'refund_unknown' AND callbacks.merchant_id = '{merchant}'"
        );
        assert_eq!(world.count(&told).await, 1, "{merchant}");
        assert_eq!(world.count("SELECT count(*) FROM refused_callbacks").await, 0, "{merchant}");
        assert_eq!(world.count("SELECT count(*) FROM refunds").await, 0, "{merchant}");
        assert_eq!(world.fee_status(&fee).await, "paid", "{merchant}: a person decides");
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_at_a_siblings_address_is_booked_for_the_merchant_whose_order_it_is() {
    let world = World::open_at(&format!("{}{}", with_both_keys(), legacy()), with_old_key).await;
    let (fee, order, number) = paid(&world, "1").await;
    let refund = refunded(&world, &order).await;
    let mut lost = Fault::new(Place::Callback, Action::Drop);
    lost.operation = Some(Operation::Refund);
    world.sandbox.engine().set_fault(lost).unwrap();
    world.clock.advance(jiff::SignedDuration::from_secs(60));
    world.sandbox.deliver_due().await;
    assert_eq!(world.count(ASKED).await, 0, "it was lost on the way to its own address");
    let notice = world.sandbox.engine().sealed_callback(&number).unwrap();
    let request = world.client().post(world.url(&format!("/callbacks/{TAX}")));
    let answer = request.body(notice.body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(answer.text().await.unwrap().contains("SUCCESS"));
    assert_eq!(world.fee_status(&fee).await, "refunded");
    let (_, then) = world.get(&format!("/v1/refunds/{}", word(&refund, "id"))).await.unwrap();
    assert_eq!(word(&then, "status"), "succeeded");
    let kept = "SELECT count(*) FROM callbacks WHERE verdict = 'applied' AND merchant_id = 'legacy-wechat'";
    assert_eq!(world.count(kept).await, 2, "the payment's and the refund's");
    assert_eq!(world.count("SELECT count(*) FROM incidents").await, 0);
    world.finish().await;
}
