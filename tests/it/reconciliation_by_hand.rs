//! A refund that somebody made by hand in the provider's portal: the bill has it, a query proves it,
//! and the books take it as a fact of its own.

use payhub::demo::{ALIPAY, WECHAT};
use payhub::reconcile;
use sandbox::{Action, Fault, Operation, Place, PortalRefund};
use serde_json::{Value, json};

use crate::harness::{World, at, word};

const FRIDAY: &str = "2018-11-30";
/// Saturday 10:05 in Beijing.
const NEXT_MORNING: &str = "2018-12-01T02:05:00Z";
const BOOKED: &str = "SELECT count(*) FROM refunds WHERE made_by_hand AND state = 'succeeded'";
const TOLD: &str = "SELECT count(*) FROM incidents WHERE kind = 'refund_by_hand'";

/// Finance staff give money back in the portal; the refund's number.
fn in_the_portal(world: &World, number: &str, fen: i64) -> String {
    let refund = PortalRefund {
        out_trade_no: number.to_owned(),
        merchant: None,
        amount_fen: domain::Fen::new(fen),
        out_refund_no: Some(format!("HAND{fen}OF{}", number.get(..12).unwrap())),
    };
    world.sandbox.engine().refund(&refund).unwrap().out_refund_no
}

async fn next_morning(world: &World) {
    world.clock.set(at(NEXT_MORNING));
    while reconcile::run_once(&world.hub).await.unwrap() > 0 {}
    world.settle().await.unwrap();
}

/// The newest run of the day, and its differences.
async fn found(world: &World, merchant: &str) -> (Value, Vec<Value>) {
    let path = format!("/v1/reconciliations?date={FRIDAY}&merchant_id={merchant}");
    let run = world.get(&path).await.unwrap().1["data"][0].clone();
    let path = format!("/v1/reconciliations/{}/differences", word(&run, "id"));
    let differences = world.get(&path).await.unwrap().1["data"].as_array().unwrap().clone();
    (run, differences)
}

/// No notice of a refund comes: only the bill tells.
fn without_notices(world: &World) {
    let mut lost = Fault::new(Place::Callback, Action::Drop);
    lost.operation = Some(Operation::Refund);
    world.sandbox.engine().set_fault(lost).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_of_the_portal_is_booked_from_the_bill_and_told_to_finance_staff() {
    let world = World::open().await;
    without_notices(&world);
    let mut made = Vec::new();
    for merchant in [WECHAT, ALIPAY] {
        let (fee, order, number) = world.paid(merchant, merchant).await;
        made.push((merchant, fee, order, in_the_portal(&world, &number, 3000)));
    }
    next_morning(&world).await;
    for (merchant, fee, order, refund_no) in made {
        let (run, differences) = found(&world, merchant).await;
        assert_eq!((word(&run, "status").as_str(), differences.len()), ("balanced", 0), "{run}");
        assert_eq!(world.fee_status(&fee).await, "partially_refunded", "{merchant}");
        let (_, order) = world.get(&format!("/v1/orders/{order}")).await.unwrap();
        assert_eq!(order["refunded_fen"], json!(3000), "{order}");
        let id = "SELECT refund_id FROM refunds WHERE out_refund_no = $1";
        let id: String = world.database().await.query_one(id, &[&refund_no]).await.unwrap().get(0);
        let (_, refund) = world.get(&format!("/v1/refunds/{id}")).await.unwrap();
        assert_eq!(refund["made_by_hand"], json!(true), "{refund}");
        assert_eq!(refund["requested_by"], json!("provider_portal"), "{refund}");
        let heard = world.receiver.heard();
        let of_it = heard.iter().filter(|it| {
            it.body["type"] == json!("refund.succeeded") && it.body["data"]["id"] == json!(id)
        });
        assert_eq!(of_it.count(), 1, "its backend hears of it once");
    }
    assert_eq!((world.count(BOOKED).await, world.count(TOLD).await), (2, 2));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_again_and_a_late_notice_book_it_no_second_time() {
    let world = World::open().await;
    let (_, _, number) = world.paid(WECHAT, "1").await;
    without_notices(&world);
    let refund_no = in_the_portal(&world, &number, 8000);
    next_morning(&world).await;
    for version in [2, 3] {
        let body = json!({"merchant_id": WECHAT, "date": FRIDAY});
        let (status, _) = world.post("/v1/reconciliations", &body).await.unwrap();
        assert_eq!(status, 202);
        while reconcile::run_once(&world.hub).await.unwrap() > 0 {}
        let (run, differences) = found(&world, WECHAT).await;
        assert_eq!((&run["version"], differences.len()), (&json!(version), 0), "{run}");
    }
    assert_eq!((world.count(BOOKED).await, world.count(TOLD).await), (1, 1));
    let entries = "SELECT count(*) FROM journal_entries WHERE kind LIKE 'refund%'";
    assert_eq!(world.count(entries).await, 2, "promised and paid: {refund_no}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_no_answer_proves_stays_a_difference() {
    let world = World::open().await;
    let (fee, _, number) = world.paid(WECHAT, "1").await;
    without_notices(&world);
    in_the_portal(&world, &number, 3000);
    let mut silent = Fault::new(Place::Answer, Action::Status500);
    silent.operation = Some(Operation::QueryRefund);
    world.sandbox.engine().set_fault(silent).unwrap();
    next_morning(&world).await;
    let (_, differences) = found(&world, WECHAT).await;
    assert_eq!(differences.len(), 1, "{differences:?}");
    assert_eq!(differences[0]["kind"], json!("only_in_bill"));
    assert_eq!(differences[0]["cause"], json!("refund_by_hand"));
    assert_eq!(world.fee_status(&fee).await, "paid", "nothing is booked");
    assert_eq!(world.count("SELECT count(*) FROM refunds").await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_of_money_that_is_promised_elsewhere_is_not_booked() {
    let world = World::open().await;
    let (_, order, number) = world.paid(WECHAT, "1").await;
    without_notices(&world);
    // The hub's own refund holds everything, and its provider does not have it.
    let mut refused = Fault::new(Place::Answer, Action::Status500);
    refused.operation = Some(Operation::Refund);
    world.sandbox.engine().set_fault(refused).unwrap();
    let body = json!({"amount_fen": 8000, "reason": "多收"});
    let (status, refund) = world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    assert_eq!((status, word(&refund, "status").as_str()), (201, "unknown"), "{refund}");
    in_the_portal(&world, &number, 3000);
    next_morning(&world).await;
    let (_, differences) = found(&world, WECHAT).await;
    let by_hand: Vec<&Value> =
        differences.iter().filter(|it| it["kind"] == json!("only_in_bill")).collect();
    assert_eq!(by_hand.len(), 1, "{differences:?}");
    assert_eq!(by_hand[0]["cause"], json!("done_not_booked"));
    assert_eq!(world.count("SELECT count(*) FROM refunds WHERE made_by_hand").await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_before_the_bill_and_one_after_it_are_one_refund_and_one_task() {
    let world = World::open().await;
    let (_, _, number) = world.paid(ALIPAY, "1").await;
    in_the_portal(&world, &number, 3000);
    world.settle().await.unwrap();
    let unknown = "SELECT count(*) FROM incidents WHERE kind = 'refund_unknown'";
    assert_eq!(world.count(unknown).await, 1, "the notice came first");
    next_morning(&world).await;
    assert_eq!((world.count(BOOKED).await, world.count(TOLD).await), (1, 1));
    let client = world.database().await;
    let last = "SELECT callback_id FROM callbacks ORDER BY received_at DESC LIMIT 1";
    let id = client.query_one(last, &[]).await.unwrap().get::<_, &str>(0).parse().unwrap();
    payhub::replay::replay(&world.hub, &id).await.unwrap();
    drop(client);
    world.seconds(60).await;
    assert_eq!(world.count(BOOKED).await, 1);
    let open = "SELECT count(*) FROM incidents WHERE kind = 'refund_unknown' AND closed_at IS NULL";
    assert_eq!(world.count(open).await, 0, "it is known now");
    let entries = "SELECT count(*) FROM journal_entries WHERE kind LIKE 'refund%'";
    assert_eq!(world.count(entries).await, 2);
    world.finish().await;
}

/// Takes a refund of 30.00 into the books, as a hub does that dies before it records the answer.
async fn adopted(world: &World, order_id: &str, out_refund_no: &str) {
    let client = world.database().await;
    let of = "SELECT provider_trade_no FROM payments WHERE order_id = $1";
    let trade_no: String = client.query_one(of, &[&order_id]).await.unwrap().get(0);
    drop(client);
    let by_hand = payhub::refunds::ByHand {
        order_id: &order_id.parse().unwrap(),
        provider_trade_no: &trade_no.parse().unwrap(),
        out_refund_no: &out_refund_no.parse().unwrap(),
        amount: domain::Fen::new(3000),
    };
    let done = payhub::refunds::adopt(&world.hub, &by_hand).await.unwrap();
    assert_eq!(done, payhub::refunds::Adopted::Written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_dies_after_taking_it_in_leaves_it_to_be_followed() {
    let world = World::open().await;
    without_notices(&world);
    let (fee, order, number) = world.paid(WECHAT, "1").await;
    let refund_no = in_the_portal(&world, &number, 3000);
    adopted(&world, &order, &refund_no).await;
    adopted(&world, &order, &refund_no).await;
    world.seconds(600).await;
    assert_eq!((world.count(BOOKED).await, world.count(TOLD).await), (1, 1));
    assert_eq!(world.fee_status(&fee).await, "partially_refunded");
    next_morning(&world).await;
    let (run, differences) = found(&world, WECHAT).await;
    assert_eq!((word(&run, "status").as_str(), differences.len()), ("balanced", 0), "{run}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_its_provider_does_not_have_any_more_is_never_sent_and_told() {
    let world = World::open().await;
    let (_, order, _) = world.paid(WECHAT, "1").await;
    adopted(&world, &order, "HANDGONE").await;
    for pause in [10, 20, 60, 120, 600, 1800, 3600] {
        world.seconds(pause).await;
    }
    let sent = "SELECT count(*) FROM refunds WHERE sent_at IS NOT NULL";
    assert_eq!(world.count(sent).await, 0, "nobody here asks for it");
    let told = "SELECT count(*) FROM incidents WHERE kind = 'refund_not_at_provider'";
    assert_eq!(world.count(told).await, 1);
    let paced = "SELECT queries::bigint FROM refunds";
    assert!((4..10).contains(&world.count(paced).await), "asked ever more rarely");
    world.finish().await;
}
