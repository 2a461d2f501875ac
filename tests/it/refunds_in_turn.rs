//! Refunds of one payment leave one after the other, in the order in which they were asked for, and
//! none leaves twice because several hubs look at it at once.

use domain::Clock as _;
use domain::ids::RefundId;
use jiff::{SignedDuration, Timestamp};
use payhub::demo::WECHAT;
use payhub::refunds::follow;
use sandbox::{Action, Fault, Operation, Place, SandboxConfig};
use serde_json::{Value, json};

use crate::harness::{World, word};

/// Providers that refuse a refund which comes too soon after another of its payment.
fn strict(providers: &mut SandboxConfig) {
    providers.wechat.iter_mut().for_each(|merchant| merchant.strict_intervals = true);
}

/// An order of 80 yuan with some refunds, asked for at the same moment.
async fn with_refunds(world: &World, count: usize) -> Vec<Value> {
    let (_, order, _) = world.paid(WECHAT, "1").await;
    let path = format!("/v1/orders/{order}/refunds");
    let mut refunds = Vec::new();
    for _ in 0..count {
        let body = json!({"amount_fen": 100, "reason": "多收"});
        let (code, refund) = world.post(&path, &body).await.unwrap();
        assert_eq!(code, 201, "{refund}");
        refunds.push(refund);
    }
    refunds
}

/// How often a refund was sent.
async fn sendings(world: &World, refund: &Value) -> i64 {
    let id = word(refund, "id");
    let sent = "SELECT count(*) FROM provider_calls WHERE operation = 'refund' AND subject_id = ";
    world.count(&format!("{sent}'{id}'")).await
}

/// The refunds left in their order, once each and never closer than the provider wants it.
async fn check_order(world: &World, refunds: &[Value]) {
    let client = world.database().await;
    let query = "SELECT sent_at::text FROM refunds ORDER BY refund_id";
    let rows = client.query(query, &[]).await.unwrap();
    let sent: Vec<Timestamp> = rows
        .iter()
        .map(|row| row.get::<_, Option<String>>(0).expect("all have left").parse().unwrap())
        .collect();
    for (one, next) in sent.iter().zip(sent.iter().skip(1)) {
        let gap = next.duration_since(*one);
        assert!(gap >= SignedDuration::from_mins(1), "{gap} apart: {sent:?}");
    }
    for refund in refunds {
        assert_eq!(sendings(world, refund).await, 1);
    }
}

/// Four hubs look at a refund at the same moment.
async fn four_look_at(world: &World, refund: &Value) {
    let id: RefundId = word(refund, "id").parse().unwrap();
    let look = || follow(&world.hub, &id);
    let (one, two, three, four) = tokio::join!(look(), look(), look(), look());
    for looked in [one, two, three, four] {
        looked.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_keep_their_order_though_each_leaves_a_little_late() {
    let world = World::open_at("", strict).await;
    let refunds = with_refunds(&world, 6).await;
    for _ in 0..50 {
        world.pass(SignedDuration::from_millis(7_300)).await.unwrap();
    }
    check_order(&world, &refunds).await;
    let late = world.clock.now().duration_since(refunds_began(&refunds));
    assert!(late < SignedDuration::from_secs(370), "none went to the end of the queue: {late}");
    world.finish().await;
}

fn refunds_began(refunds: &[Value]) -> Timestamp {
    word(&refunds[0], "created_at").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_that_waited_while_no_hub_ran_leave_in_their_order() {
    let world = World::open_at("", strict).await;
    let refunds = with_refunds(&world, 6).await;
    world.seconds(1200).await;
    let left = "SELECT count(*) FROM refunds WHERE send_after IS NULL";
    assert_eq!(world.count(left).await, 2, "the first one, and now the second");
    for _ in 0..4 {
        world.seconds(60).await;
    }
    check_order(&world, &refunds).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_refund_that_many_look_at_leaves_once() {
    let world = World::open_at("", strict).await;
    let refunds = with_refunds(&world, 2).await;
    world.clock.advance(SignedDuration::from_mins(5));
    four_look_at(&world, &refunds[1]).await;
    assert_eq!(sendings(&world, &refunds[1]).await, 1);
    world.seconds(120).await;
    world.seconds(120).await;
    let done = "SELECT count(*) FROM refunds WHERE state = 'succeeded'";
    assert_eq!(world.count(done).await, 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_whose_answer_was_lost_leaves_once_a_pause_however_many_look_at_it() {
    let world = World::open_at("", strict).await;
    let mut dark = Fault::new(Place::Answer, Action::Status500);
    dark.operation = Some(Operation::Refund);
    dark.times = Some(2);
    world.sandbox.engine().set_fault(dark).unwrap();
    let refunds = with_refunds(&world, 1).await;
    assert_eq!(word(&refunds[0], "status"), "unknown");
    four_look_at(&world, &refunds[0]).await;
    assert_eq!(sendings(&world, &refunds[0]).await, 1, "an answer may be on its way");
    world.clock.advance(SignedDuration::from_mins(1));
    four_look_at(&world, &refunds[0]).await;
    assert_eq!(sendings(&world, &refunds[0]).await, 2);
    world.seconds(120).await;
    world.seconds(120).await;
    let done = "SELECT count(*) FROM refunds WHERE state = 'succeeded'";
    assert_eq!(world.count(done).await, 1);
    world.finish().await;
}
