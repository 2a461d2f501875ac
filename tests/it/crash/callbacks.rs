//! A callback, between its socket and its commit.

use payhub::demo::{ALIPAY, WECHAT};
use sandbox::Pay;
use serde_json::json;

use super::{KILLED, WAYS, Way, arm, proved, recover};
use crate::harness::wire::Wire;
use crate::harness::{World, word};

/// What the provider tells of.
#[derive(Clone, Copy, Debug)]
enum Told {
    Payment(&'static str),
    LatePayment(&'static str),
    Refund,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t01_a_payment_at_wechat_is_taken_once_wherever_the_hub_dies() {
    everywhere(Told::Payment(WECHAT), &WAYS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t01_a_payment_at_alipay_is_taken_once_wherever_the_hub_dies() {
    everywhere(Told::Payment(ALIPAY), &KILLED).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_payment_is_taken_once_wherever_the_hub_dies() {
    everywhere(Told::LatePayment(WECHAT), &KILLED).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_notice_is_taken_once_wherever_the_hub_dies() {
    everywhere(Told::Refund, &KILLED).await;
}

#[allow(clippy::print_stdout, reason = "how many steps there are is worth knowing")]
async fn everywhere(told: Told, ways: &[Way]) {
    let (mut world, wire) = World::open_on_a_wire("", 1, |_as_usual| {}).await;
    let mut cut = 0;
    for way in ways {
        for n in 1.. {
            let step = format!("{told:?} {way:?} {n}");
            if !once(&mut world, &wire, told, (n, *way), &step).await {
                break;
            }
            cut += 1;
        }
        proved(&world, &format!("{told:?} {way:?}")).await;
    }
    println!("{told:?}: cut at {cut} steps");
    assert!(cut >= 5 * ways.len(), "{told:?}: the wire was cut at {cut} steps only");
    world.finish().await;
}

/// One callback with the wire cut at one message; whether it was cut.
async fn once(
    world: &mut World,
    wire: &Wire,
    told: Told,
    (n, way): (u64, Way),
    step: &str,
) -> bool {
    let (order, holds) = before(world, told, step).await;
    arm(wire, n, way);
    let heard = world.sandbox.deliver_due().await;
    assert_eq!(heard.sent, 1, "{step}");
    if heard.acknowledged == 1 {
        assert_eq!(world.count(&holds).await, 1, "{step}: acknowledged and not stored");
    }
    let fell = recover(world, wire, way.0).await;
    // The provider comes again, by its own cadence.
    world.clock.advance(jiff::SignedDuration::from_secs(240));
    let again = world.sandbox.deliver_due().await;
    assert_eq!(heard.acknowledged + again.acknowledged, 1, "{step}: {heard:?} {again:?}");
    assert_eq!(world.count(&holds).await, 1, "{step}");
    world.settle().await.unwrap();
    assert_eq!(world.count(&holds).await, 1, "{step}");
    let events = format!(
        "SELECT count(*) FROM deliveries WHERE ordering_key = '{order}' AND state = 'done'"
    );
    assert!(world.count(&events).await >= 1, "{step}: nobody was told");
    fell
}

/// Lets it come so far that the notice is due and nothing else; the order, and a query that counts
/// what the notice must leave behind: one.
async fn before(world: &World, told: Told, case: &str) -> (String, String) {
    let merchant = match told {
        Told::Payment(merchant) | Told::LatePayment(merchant) => merchant,
        Told::Refund => WECHAT,
    };
    let fee = world.fee(case).await;
    let (status, order) = world.order(merchant, &[&fee]).await;
    assert_eq!(status, 201, "{order}");
    let (id, number) = (word(&order, "id"), word(&order, "out_trade_no"));
    let engine = world.sandbox.engine();
    let payments = format!("SELECT count(*) FROM payments WHERE order_id = '{id}'");
    match told {
        Told::Payment(_) => {
            quiet(world).await;
            engine.pay(&number, true).unwrap();
            (id, payments)
        }
        Told::LatePayment(_) => {
            let path = format!("/v1/orders/{id}/close");
            assert_eq!(world.post(&path, &json!({})).await.unwrap().0, 200);
            quiet(world).await;
            let late = Pay { out_trade_no: number, force: true, ..Pay::default() };
            engine.pay_as(&late).unwrap();
            (id, format!("{payments} AND late"))
        }
        Told::Refund => {
            engine.pay(&number, true).unwrap();
            quiet(world).await;
            let body = json!({"amount_fen": 3000, "reason": "多收"});
            let path = format!("/v1/orders/{id}/refunds");
            assert_eq!(world.post(&path, &body).await.unwrap().0, 201);
            world.settle().await.unwrap();
            world.clock.advance(jiff::SignedDuration::from_secs(60));
            let done = "SELECT count(*) FROM refunds WHERE state = 'succeeded' AND order_id";
            (id.clone(), format!("{done} = '{id}'"))
        }
    }
}

/// Everybody has been told of what there was, and every receipt is in.
async fn quiet(world: &World) {
    world.settle().await.unwrap();
    world.seconds(6).await;
}
