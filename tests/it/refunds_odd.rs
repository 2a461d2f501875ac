//! Refunds that take a crooked way: refused when repeated, accepted and never done, failed and yet
//! done, heard of a day late, and taken from an order that was paid twice.

use callbacks::Claim;
use domain::fact::{ProviderFact, RefundFact, RefundStanding, Source, Stated};
use payhub::demo::{ALIPAY, WECHAT};
use payhub::record::{Arrival, Verdict, record};
use sandbox::{Action, Fault, Operation, Pay, Place, PortalRefund};
use serde_json::{Value, json};

use crate::harness::{World, at, word};

async fn refund(world: &World, order: &str, body: Value) -> (u16, Value) {
    world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap()
}

async fn status(world: &World, refund: &Value) -> String {
    let (_, now) = world.get(&format!("/v1/refunds/{}", word(refund, "id"))).await.unwrap();
    word(&now, "status")
}

/// The next answer to a refund goes wrong.
fn spoil_refund(world: &World, action: Action) {
    let mut fault = Fault::new(Place::Answer, action);
    fault.operation = Some(Operation::Refund);
    fault.times = Some(1);
    world.sandbox.engine().set_fault(fault).unwrap();
}

/// The provider says how a refund stands.
async fn say(
    world: &World,
    merchant: &str,
    number: &str,
    refund: &Value,
    standing: RefundStanding,
) -> Verdict {
    let fact = RefundFact {
        stated: Stated::default(),
        out_trade_no: number.parse().unwrap(),
        out_refund_no: word(refund, "out_refund_no").parse().unwrap(),
        provider_trade_no: None,
        provider_refund_no: None,
        amount: None,
        given_back: None,
        standing,
        at: None,
        accepted_at: None,
    };
    let claims = vec![Claim { source: Source::Query, fact: ProviderFact::Refund(fact) }];
    let merchant = world.hub.merchant(merchant).unwrap();
    record(&world.hub, &[Arrival { merchant, claims, evidence: None }]).await.unwrap()[0]
}

/// A refund whose first sending got no answer, and whose second one is refused: somebody has
/// given money back by hand meanwhile.
async fn refused_when_repeated(world: &World, merchant: &str) -> (String, String, Value) {
    let (fee, order, number) = world.paid(merchant, merchant).await;
    spoil_refund(world, Action::Status500);
    let (_, asked) = refund(world, &order, json!({"amount_fen": 8000, "reason": "撤回"})).await;
    assert_eq!(word(&asked, "status"), "unknown");
    let by_hand = PortalRefund {
        out_trade_no: number.clone(),
        out_refund_no: Some(format!("HAND-{merchant}")),
        amount_fen: domain::Fen::new(1),
        merchant: None,
    };
    world.sandbox.engine().refund(&by_hand).unwrap();
    world.seconds(6).await;
    world.seconds(60).await;
    (fee, number, asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_of_a_repeated_refund_releases_nothing_until_a_later_query_finds_nothing() {
    let world = World::open().await;
    for merchant in [WECHAT, ALIPAY] {
        let (fee, _, asked) = refused_when_repeated(&world, merchant).await;
        assert_eq!(status(&world, &asked).await, "unknown", "{merchant}");
        assert_eq!(world.fee_status(&fee).await, "refunding", "{merchant}: the money stays held");
        let look = format!("/v1/refunds/{}?refresh=true", word(&asked, "id"));
        let (_, early) = world.get(&look).await.unwrap();
        assert_eq!(word(&early, "status"), "unknown", "{merchant}: who looks early sees no end");
        world.seconds(301).await;
        assert_eq!(status(&world, &asked).await, "failed", "{merchant}");
        assert_eq!(world.fee_status(&fee).await, "paid", "{merchant}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_shows_after_its_repeat_was_refused_has_succeeded_once() {
    let world = World::open().await;
    for merchant in [WECHAT, ALIPAY] {
        let (fee, number, asked) = refused_when_repeated(&world, merchant).await;
        let verdict = say(&world, merchant, &number, &asked, RefundStanding::Succeeded).await;
        assert_eq!(verdict, Verdict::Applied, "{merchant}");
        world.seconds(301).await;
        let (_, now) = world.get(&format!("/v1/refunds/{}", word(&asked, "id"))).await.unwrap();
        assert_eq!((&now["status"], &now["refused"]), (&json!("succeeded"), &Value::Null));
        assert_eq!(world.fee_status(&fee).await, "refunded", "{merchant}");
    }
    let released = "SELECT count(*) FROM journal_entries WHERE kind = 'refund_released'";
    assert_eq!(world.count(released).await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_was_accepted_and_never_done_is_sent_again_under_its_number() {
    let world = World::open().await;
    let (fee, order, number) = world.paid(ALIPAY, "1").await;
    spoil_refund(&world, Action::NotEnough);
    let (_, asked) = refund(&world, &order, json!({"amount_fen": 8000, "reason": "多收"})).await;
    // Alipay's 10000 with fund_change=N, while nothing was moved.
    say(&world, ALIPAY, &number, &asked, RefundStanding::Processing).await;
    assert_eq!(status(&world, &asked).await, "processing");
    world.seconds(120).await;
    assert_eq!(status(&world, &asked).await, "succeeded");
    assert_eq!(world.fee_status(&fee).await, "refunded");
    let there = world.sandbox.engine().state();
    assert_eq!(there.refunds.len(), 1);
    assert_eq!(there.refunds[0].out_refund_no, word(&asked, "out_refund_no"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_its_provider_accepted_and_does_not_have_is_shown_to_finance() {
    let world = World::open().await;
    let (_, order, number) = world.paid(ALIPAY, "1").await;
    let mut dark = Fault::new(Place::Answer, Action::Status500);
    dark.operation = Some(Operation::Refund);
    world.sandbox.engine().set_fault(dark).unwrap();
    let (_, asked) = refund(&world, &order, json!({"amount_fen": 8000, "reason": "多收"})).await;
    say(&world, ALIPAY, &number, &asked, RefundStanding::Processing).await;
    let told = "SELECT count(*) FROM incidents WHERE kind = 'refund_not_at_provider'";
    assert_eq!(world.count(told).await, 0);
    for _ in 0..8 {
        world.seconds(600).await;
    }
    assert_eq!(status(&world, &asked).await, "processing", "nobody knows better");
    assert_eq!(world.count(told).await, 1);
    world.sandbox.engine().lift_faults(None);
    world.seconds(1801).await;
    assert_eq!(status(&world, &asked).await, "succeeded");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_failed_and_yet_succeeded_never_takes_more_surplus_than_there_is() {
    let world = World::open().await;
    let (first, second) = (world.fee("1").await, world.fee("2").await);
    let (_, both) = world.order(ALIPAY, &[&first, &second]).await;
    let (_, one) = world.order(WECHAT, &[&first]).await;
    for order in [&one, &both] {
        world.sandbox.engine().pay(&word(order, "out_trade_no"), true).unwrap();
        world.settle().await.unwrap();
    }
    let (id, number) = (word(&both, "id"), word(&both, "out_trade_no"));
    spoil_refund(&world, Action::DropAfterCommit);
    let (_, lost) = refund(&world, &id, json!({"amount_fen": 8000, "reason": "多收"})).await;
    say(&world, ALIPAY, &number, &lost, RefundStanding::Failed).await;
    let (code, part) = refund(&world, &id, json!({"amount_fen": 4000, "reason": "多收"})).await;
    assert_eq!((code, &part["surplus_fen"]), (201, &json!(4000)));
    let yet = say(&world, ALIPAY, &number, &lost, RefundStanding::Succeeded).await;
    assert_eq!(yet, Verdict::Incident, "its surplus is promised elsewhere");
    let (_, next) = refund(&world, &id, json!({"amount_fen": 5000, "reason": "多收"})).await;
    assert_eq!(
        (&next["surplus_fen"], &next["allocations"][0]["amount_fen"]),
        (&json!(4000), &json!(1000)),
        "{next}"
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fee_is_refunded_by_allocation_beside_a_surplus_payment() {
    let world = World::open().await;
    let (fee, order, number) = world.paid(WECHAT, "1").await;
    let twice = Pay { out_trade_no: number, force: true, notify: Some(true), ..Pay::default() };
    world.sandbox.engine().pay_as(&twice).unwrap();
    world.settle().await.unwrap();
    let of_fee = |fen| json!([{"fee_id": fee, "amount_fen": fen}]);
    let body = json!({"amount_fen": 8001, "reason": "撤回", "allocations": of_fee(8001)});
    let (code, problem) = refund(&world, &order, body).await;
    assert_eq!((code, &problem["code"]), (422, &json!("refund_exceeds_payment")), "{problem}");
    let body = json!({"amount_fen": 8000, "reason": "撤回", "allocations": of_fee(8000)});
    let (code, asked) = refund(&world, &order, body).await;
    assert_eq!((code, &asked["surplus_fen"]), (201, &json!(0)), "{asked}");
    let (code, rest) = refund(&world, &order, json!({"amount_fen": 8000, "reason": "重复"})).await;
    assert_eq!((code, &rest["surplus_fen"]), (201, &json!(8000)), "{rest}");
    world.seconds(120).await;
    assert_eq!(world.fee_status(&fee).await, "refunded");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_heard_of_the_next_morning_stays_on_its_day() {
    let world = World::open().await;
    world.sandbox.engine().set_fault(Fault::new(Place::Callback, Action::Drop)).unwrap();
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        let fee = world.fee(case).await;
        let (_, order) = world.order(merchant, &[&fee]).await;
        world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
        world.seconds(60).await;
        spoil_refund(&world, Action::DropAfterCommit);
        let body = json!({"amount_fen": 3000, "reason": "多收"});
        let (_, asked) = refund(&world, &word(&order, "id"), body).await;
        assert_eq!(word(&asked, "status"), "unknown");
    }
    // The hub stands still until the morning.
    world.clock.set(at("2018-12-01T00:30:00Z"));
    world.settle().await.unwrap();
    world.seconds(300).await;
    let done = "SELECT count(*) FROM refunds WHERE state = 'succeeded'
                   AND accepted_at < '2018-11-30T16:00:00Z' AND accepted_at >= created_at";
    assert_eq!(world.count(done).await, 2);
    for morning in ["2018-12-01T02:05:00Z", "2018-12-02T02:05:00Z"] {
        world.clock.set(at(morning));
        world.settle().await.unwrap();
    }
    assert_eq!(world.count("SELECT count(*) FROM runs WHERE status = 'balanced'").await, 4);
    assert_eq!(world.count("SELECT count(*) FROM differences").await, 0);
    world.finish().await;
}
