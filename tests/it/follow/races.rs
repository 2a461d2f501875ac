//! One effect, whatever arrives first: a notice beside a query, over two hubs, and a refund's notice
//! before the answer to the refund itself.

use jiff::SignedDuration;
use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{Action, Fault, Operation, Place};
use serde_json::json;

use crate::harness::{World, word};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_notice_that_races_queries_at_two_hubs_is_one_payment() {
    let world = World::open().await;
    let twin = world.twin(world.another_store()).await.unwrap();
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        for round in 0..4 {
            let fee = world.fee(&format!("{case}-{round}")).await;
            let (_, order) = world.order(merchant, &[&fee]).await;
            let number = word(&order, "out_trade_no");
            world.sandbox.engine().pay(&number, true).unwrap();
            let notice = world.sandbox.engine().sealed_callback(&number).unwrap();
            let path = format!("/callbacks/{merchant}");
            let tell = |url: String| {
                let mut request = world.client().post(url);
                for (name, value) in &notice.headers {
                    request = request.header(*name, value);
                }
                request.body(notice.body.clone()).send()
            };
            world.clock.advance(SignedDuration::from_secs(7));
            let (one, other, ..) = tokio::join!(
                tell(world.url(&path)),
                tell(twin.url(&path)),
                payhub::orders::run_once(&world.hub),
                payhub::orders::run_once(&twin.hub),
            );
            assert_eq!(
                (one.unwrap().status().as_u16(), other.unwrap().status().as_u16()),
                (200, 200)
            );
            assert_eq!(world.fee_status(&fee).await, "paid");
        }
    }
    world.settle().await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 8);
    assert_eq!(world.count("SELECT count(*) FROM journal_entries").await, 8);
    assert_eq!(world.heard()["order.paid"], 8);
    twin.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refund_s_notice_before_the_answer_to_the_refund_is_one_refund() {
    let world = World::open().await;
    let (fee, order, _) = world.paid(WECHAT, "1").await;
    let mut slow = Fault::new(Place::Answer, Action::Delay).during(Operation::Refund).times(1);
    slow.delay_s = Some(2);
    world.sandbox.engine().set_fault(slow).unwrap();
    let path = format!("/v1/orders/{order}/refunds");
    let body = json!({"amount_fen": 8000, "reason": "撤回"});
    let asked = world.post(&path, &body);
    let told = async {
        while world.sandbox.engine().state().refunds.is_empty() {
            tokio::task::yield_now().await;
        }
        // The provider is done with it, and says so, while its answer is still on its way.
        world.clock.advance(SignedDuration::from_secs(60));
        while world.count("SELECT count(*) FROM refunds WHERE state = 'succeeded'").await == 0 {
            world.sandbox.deliver_due().await;
            world.clock.advance(SignedDuration::from_secs(1));
        }
    };
    let (asked, ()) = tokio::join!(asked, told);
    let (status, refund) = asked.unwrap();
    assert_eq!(status, 201, "{refund}");
    world.seconds(120).await;
    let (_, now) = world.get(&format!("/v1/refunds/{}", word(&refund, "id"))).await.unwrap();
    assert_eq!(word(&now, "status"), "succeeded");
    assert_eq!(world.fee_status(&fee).await, "refunded");
    assert_eq!(world.heard()["refund.succeeded"], 1);
    assert_eq!(world.sandbox.engine().state().refunds.len(), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t17_a_partial_refund_s_notices_never_mark_a_payment_again() {
    let world = World::open().await;
    for merchant in [ALIPAY, WECHAT] {
        let (fee, order, _) = world.paid(merchant, merchant).await;
        let path = format!("/v1/orders/{order}/refunds");
        for fen in [1000, 7000] {
            let body = json!({"amount_fen": fen, "reason": "多收"});
            let (status, refund) = world.post(&path, &body).await.unwrap();
            assert_eq!(status, 201, "{refund}");
            world.seconds(120).await;
        }
        let now = world.order_now(&order).await;
        assert_eq!((&now["status"], &now["refunded_fen"]), (&json!("paid"), &json!(8000)));
        assert_eq!(world.fee_status(&fee).await, "refunded", "{merchant}");
    }
    let heard = world.heard();
    assert_eq!((heard["order.paid"], heard["refund.succeeded"]), (2, 4));
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 2);
    assert_eq!(world.count("SELECT count(*) FROM incidents").await, 0);
    world.finish().await;
}
