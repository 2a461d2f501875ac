//! An order's life beside other orders of its fees: which may still be given out, which must be
//! closed, and for how long a code is watched that another wallet has superseded.

use std::time::Duration;

use jiff::SignedDuration;
use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{Action, Fault, Operation, Place};
use serde_json::{Value, json};

use crate::harness::{World, at, word};

/// Two orders for one fee: the Alipay code that nobody had scanned, and the WeChat one that took
/// its place.
async fn superseded(world: &World, fee: &str) -> (Value, Value) {
    let (_, first) = world.order(ALIPAY, &[fee]).await;
    let (status, second) = world.order(WECHAT, &[fee]).await;
    assert_eq!(status, 201, "{second}");
    (first, second)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_for_a_fee_that_another_code_has_paid_is_not_given_out_again() {
    let world = World::open().await;
    let (fee, other) = (world.fee("1").await, world.fee("2").await);
    let (first, second) = superseded(&world, &fee).await;
    let (_, same) = world.order(WECHAT, &[&fee]).await;
    assert_eq!(word(&same, "id"), word(&second, "id"), "while the fee is owed it is");
    world.sandbox.engine().pay(&word(&first, "out_trade_no"), true).unwrap();
    // The callback comes, and no worker has looked at the other order yet.
    world.sandbox.deliver_due().await;
    assert_eq!(world.fee_status(&fee).await, "paid");
    let before = word(&world.order_now(&word(&second, "id")).await, "status");
    assert_eq!(before, "pending");
    let (status, refused) = world.order(WECHAT, &[&fee]).await;
    assert_eq!((status, &refused["code"]), (409, &json!("fee_already_paid")), "{refused}");
    let after = word(&world.order_now(&word(&second, "id")).await, "status");
    assert_eq!(after, "closed");
    assert_eq!(world.order(WECHAT, &[&other]).await.0, 201);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_closed_at_its_provider_as_soon_as_another_code_has_paid_one_of_its_fees() {
    let world = World::open().await;
    let (fee, other, third) = (world.fee("1").await, world.fee("2").await, world.fee("3").await);
    let (_, first) = world.order(ALIPAY, &[&fee]).await;
    let (_, both) = world.order(WECHAT, &[&fee, &other]).await;
    let (_, bystander) = world.order(WECHAT, &[&third]).await;
    world.sandbox.engine().pay(&word(&first, "out_trade_no"), true).unwrap();
    world.settle().await.unwrap();
    assert_eq!(word(&world.order_now(&word(&both, "id")).await, "status"), "closed");
    assert!(world.sandbox.engine().pay(&word(&both, "out_trade_no"), true).is_err());
    assert_eq!(word(&world.order_now(&word(&bystander, "id")).await, "status"), "pending");
    assert_eq!(world.heard()["order.closed"], 2, "the superseded one, and the overtaken one");
    assert_eq!(world.order(WECHAT, &[&other]).await.0, 201, "what is still owed can be paid");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_look_at_a_superseded_code_is_repeated_until_it_is_answered() {
    for is_answered in [true, false] {
        let world = World::open().await;
        let fee = world.fee("1").await;
        let (first, _second) = superseded(&world, &fee).await;
        world.clock.set(at("2018-11-30T02:59:30Z"));
        world.settle().await.unwrap();
        let mut dark = Fault::new(Place::Answer, Action::Status500);
        dark.operation = Some(Operation::Query);
        let dark = world.sandbox.engine().set_fault(dark).unwrap();
        if is_answered {
            world.sandbox.engine().lift_faults(Some(dark));
        } else {
            // The payer pays in the last half minute, and the callback is lost.
            world.sandbox.engine().pay(&word(&first, "out_trade_no"), false).unwrap();
        }
        for _ in 0..8 {
            world.seconds(60).await;
        }
        let looks = format!(
            "SELECT count(*) FROM orders WHERE order_id = '{}' AND next_query_at IS NOT NULL",
            word(&first, "id")
        );
        assert_eq!(world.count(&looks).await, i64::from(!is_answered));
        world.sandbox.engine().lift_faults(Some(dark));
        for _ in 0..2 {
            world.seconds(60).await;
        }
        let status = word(&world.order_now(&word(&first, "id")).await, "status");
        assert_eq!(status, if is_answered { "closed" } else { "paid" });
        assert_eq!(world.count(&looks).await, 0);
        world.finish().await;
    }
}

/// Follows orders until a fee is paid while so many calls are out: sooner than the hub's patience
/// with a silent call ends.
async fn is_paid_meanwhile(world: &World, fee: &str, silent: usize) {
    world.clock.advance(SignedDuration::from_secs(11));
    // Whatever is leased is being asked for at this moment.
    let leased = "SELECT count(*) FROM orders WHERE leased_until > clock_timestamp()";
    let asked = |said: &&sandbox::Verdict| said.target.contains("out-trade-no");
    let paid = async {
        while world.fee_status(fee).await != "paid"
            || usize::try_from(world.count(leased).await).unwrap() < silent
            || world.sandbox.engine().state().requests.iter().filter(asked).count() < silent
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = payhub::orders::run_once(&world.hub) => panic!("the silent call was not waited for"),
        found = tokio::time::timeout(Duration::from_secs(8), paid) => found.unwrap(),
    }
}

/// Queries that stay unanswered for longer than the hub waits.
fn silence() -> Fault {
    let mut silent = Fault::new(Place::Answer, Action::Delay);
    silent.operation = Some(Operation::Query);
    silent.delay_s = Some(60);
    silent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_does_not_answer_holds_up_no_other() {
    let world = World::open().await;
    for case in ["1", "2", "3", "4", "5"] {
        let fee = world.fee(case).await;
        world.order(WECHAT, &[&fee]).await;
    }
    let fee = world.fee("6").await;
    let (_, order) = world.order(ALIPAY, &[&fee]).await;
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
    let mut silent = silence();
    silent.of.merchant = Some("1900000001".to_owned());
    let silent = world.sandbox.engine().set_fault(silent).unwrap();
    // None of the silent ones waits behind another.
    is_paid_meanwhile(&world, &fee, 5).await;
    world.sandbox.engine().lift_faults(Some(silent));
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_whose_query_is_not_answered_holds_up_no_other_of_its_merchant() {
    let world = World::open().await;
    let mut silent = silence();
    for case in ["1", "2", "3"] {
        let fee = world.fee(case).await;
        let (_, hangs) = world.order(WECHAT, &[&fee]).await;
        silent.of.out_trade_no = Some(word(&hangs, "out_trade_no"));
        world.sandbox.engine().set_fault(silent.clone()).unwrap();
    }
    let last = world.fee("4").await;
    let (_, order) = world.order(WECHAT, &[&last]).await;
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
    is_paid_meanwhile(&world, &last, 3).await;
    world.sandbox.engine().lift_faults(None);
    world.close_only().await;
}
