//! Refunds that somebody made in the provider's portal (商户平台退款): the bill lists them, a query
//! proves them, and they are booked and told; what is not proved stays a difference.

use domain::Fen;
use payhub::demo::{ALIPAY, Office, WECHAT};
use sandbox::{Action, Fault, Match, Operation, Place, PortalRefund};
use serde_json::{Value, json};

use crate::harness::{World, at, word};
use crate::products::{LEGACY, legacy};

const FRIDAY: &str = "2018-11-30";
/// Saturday 10:05 in Beijing.
const NEXT_MORNING: &str = "2018-12-01T02:05:00Z";

/// A paid order for a fresh fee: fee, order, number.
async fn paid(world: &World, merchant: &str) -> (String, String, String) {
    let fee = world.fee(merchant).await;
    let product = if merchant == ALIPAY { "precreate" } else { "native" };
    let body = json!({"merchant_id": merchant, "product": product, "fee_ids": [fee]});
    let (status, order) = world.post("/v1/orders", &body).await.unwrap();
    assert_eq!(status, 201, "{order}");
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    world.settle().await.unwrap();
    (fee, word(&order, "id"), word(&order, "out_trade_no"))
}

/// Somebody gives back in the portal, under `HAND-` and the order's number.
fn by_hand(world: &World, number: &str, fen: i64) {
    let refund = PortalRefund {
        out_trade_no: number.to_owned(),
        merchant: None,
        amount_fen: Fen::new(fen),
        out_refund_no: Some(format!("HAND-{number}")),
    };
    world.sandbox.engine().refund(&refund).unwrap();
}

/// No notice of a refund arrives.
fn silence(world: &World) -> u64 {
    let mut lost = Fault::new(Place::Callback, Action::Drop);
    lost.operation = Some(Operation::Refund);
    world.sandbox.engine().set_fault(lost).unwrap()
}

async fn next_morning(world: &World) {
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
}

/// The newest run of a merchant's Friday.
async fn run_of(world: &World, merchant: &str) -> Value {
    run_on(world, merchant, FRIDAY).await
}

async fn run_on(world: &World, merchant: &str, day: &str) -> Value {
    let path = format!("/v1/reconciliations?date={day}&merchant_id={merchant}");
    world.get(&path).await.unwrap().1["data"][0].clone()
}

async fn differences(world: &World, merchant: &str) -> Vec<Value> {
    differences_on(world, merchant, FRIDAY).await
}

async fn differences_on(world: &World, merchant: &str, day: &str) -> Vec<Value> {
    let run = word(&run_on(world, merchant, day).await, "id");
    let path = format!("/v1/reconciliations/{run}/differences");
    world.get(&path).await.unwrap().1["data"].as_array().unwrap().clone()
}

async fn page(world: &World, merchant: &str) -> String {
    let run = word(&run_of(world, merchant).await, "id");
    let url = world.url(&format!("/v1/reconciliations/{run}/report.html"));
    let page = world.client().get(url).bearer_auth(Office::api_key()).send().await.unwrap();
    page.text().await.unwrap()
}

/// The refund of the portal, as its GET answers it.
async fn booked(world: &World, number: &str) -> Value {
    let query = "SELECT refund_id FROM refunds WHERE out_refund_no = $1 AND origin = 'portal'";
    let number = format!("HAND-{number}");
    let id: String = world.database().await.query_one(query, &[&number]).await.unwrap().get(0);
    world.get(&format!("/v1/refunds/{id}")).await.unwrap().1
}

const OF_PORTAL: &str = "SELECT count(*) FROM refunds WHERE origin = 'portal'";

async fn incidents(world: &World, kind: &str, is_open: bool) -> i64 {
    let query = format!(
        "SELECT count(*) FROM incidents WHERE kind = '{kind}' AND (closed_at IS NULL) = {is_open}"
    );
    world.count(&query).await
}

async fn is_booked_by_the_bill(world: &World, merchant: &str) {
    let (fee, order, number) = paid(world, merchant).await;
    silence(world);
    by_hand(world, &number, 3000);
    world.seconds(200).await;
    assert_eq!(world.count(OF_PORTAL).await, 0, "{merchant}: nobody told");
    next_morning(world).await;
    let run = run_of(world, merchant).await;
    assert_eq!(word(&run, "status"), "balanced", "{merchant}: {run}");
    let sums = json!({"count": 1, "amount_fen": 3000});
    assert_eq!(
        (&run["summary"]["hub"]["refunds"], &run["summary"]["bill"]["refunds"]),
        (&sums, &sums)
    );
    let refund = booked(world, &number).await;
    assert_eq!(
        (&refund["origin"], &refund["requested_by"], &refund["status"], &refund["order_id"]),
        (&json!("portal"), &Value::Null, &json!("succeeded"), &json!(order)),
        "{merchant}: {refund}"
    );
    assert_eq!(refund["allocations"], json!([{"fee_id": fee, "amount_fen": 3000}]), "{merchant}");
    assert_eq!(world.fee_status(&fee).await, "partially_refunded", "{merchant}");
    assert_eq!(world.order_now(&order).await["refunded_fen"], json!(3000), "{merchant}");
    assert_eq!(incidents(world, "portal_refund", true).await, 1, "{merchant}: finance is told");
    assert_eq!(world.heard().get("refund.succeeded"), Some(&1), "{merchant}");
    assert_eq!(world.heard().get("difference.opened"), None, "{merchant}");
    let asked = "SELECT count(*) FROM provider_calls WHERE operation = 'query_refund'";
    assert_eq!(world.count(asked).await, 1, "{merchant}: the answer is its evidence");
    let page = page(world, merchant).await;
    assert!(page.contains("商户平台") && page.contains("经查询补记"), "{merchant}: {page}");
    let entries =
        "SELECT count(*) FROM journal_entries e JOIN refunds r ON e.subject_id = r.refund_id
                    WHERE e.kind IN ('refund_requested', 'refund_succeeded')";
    assert_eq!(world.count(entries).await, 2, "{merchant}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_made_in_the_portal_is_booked_from_the_bill_that_a_query_confirms() {
    for (merchant, more) in [(WECHAT, String::new()), (ALIPAY, String::new()), (LEGACY, legacy())] {
        let world = World::open_with(&more).await;
        is_booked_by_the_bill(&world, merchant).await;
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_of_the_portal_is_booked_once_however_often_the_day_is_run_and_told() {
    let world = World::open().await;
    let (fee, _, number) = world.paid(ALIPAY, "1").await;
    let silent = silence(&world);
    by_hand(&world, &number, 8000);
    world.clock.set(at(NEXT_MORNING));
    // Two hubs on one database: each works on what is due.
    let (one, other) = tokio::join!(
        payhub::reconcile::run_once(&world.hub),
        payhub::reconcile::run_once(&world.hub)
    );
    assert!(one.is_ok() && other.is_ok());
    world.settle().await.unwrap();
    assert_eq!(world.count(OF_PORTAL).await, 1);
    assert_eq!(world.fee_status(&fee).await, "refunded");
    // The provider's own notice comes at last: it says nothing new.
    world.sandbox.engine().lift_faults(Some(silent));
    world.seconds(26 * 3600).await;
    let told = "SELECT count(*) FROM callbacks WHERE verdict = 'known'";
    assert!(world.count(told).await > 0, "the notice came");
    let body = json!({"merchant_id": ALIPAY, "date": FRIDAY});
    assert_eq!(world.post("/v1/reconciliations", &body).await.unwrap().0, 202);
    world.settle().await.unwrap();
    let run = run_of(&world, ALIPAY).await;
    assert_eq!((&run["version"], &run["status"]), (&json!(2), &json!("balanced")));
    assert_eq!(world.count(OF_PORTAL).await, 1);
    assert_eq!(incidents(&world, "portal_refund", true).await, 1);
    assert_eq!(incidents(&world, "refund_unknown", true).await, 0);
    assert_eq!(world.heard()["refund.succeeded"], 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_notice_told_of_before_the_bill_came_is_closed_by_the_bill() {
    let world = World::open().await;
    let (_, _, number) = world.paid(ALIPAY, "1").await;
    by_hand(&world, &number, 8000);
    world.seconds(200).await;
    assert_eq!(incidents(&world, "refund_unknown", true).await, 1, "a notice alone books nothing");
    assert_eq!(world.count(OF_PORTAL).await, 0);
    next_morning(&world).await;
    assert_eq!(world.count(OF_PORTAL).await, 1);
    world.seconds(60).await;
    assert_eq!(incidents(&world, "refund_unknown", false).await, 1, "the books have it now");
    assert_eq!(incidents(&world, "portal_refund", true).await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_the_books_have_left_is_not_booked_and_stays_a_difference_with_its_cause() {
    let world = World::open_with("[policy]\nrefund_approval = \"always\"\n").await;
    for merchant in [WECHAT, ALIPAY] {
        let (fee, order, number) = world.paid(merchant, merchant).await;
        let body = json!({"amount_fen": 5001, "reason": "多收"});
        world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
        silence(&world);
        by_hand(&world, &number, 3000);
        assert_eq!(world.fee_status(&fee).await, "refunding");
    }
    next_morning(&world).await;
    for merchant in [WECHAT, ALIPAY] {
        let found = differences(&world, merchant).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (
                &found[0]["kind"],
                &found[0]["direction"],
                &found[0]["cause"],
                &found[0]["proposed_action"]
            ),
            (
                &json!("only_in_bill"),
                &json!("refund"),
                &json!("refund_not_covered"),
                &json!("find_refunder")
            ),
            "{merchant}: {found:?}"
        );
        assert!(page(&world, merchant).await.contains("系统可退余额不足"), "{merchant}");
    }
    assert_eq!(world.count(OF_PORTAL).await, 0);
    assert_eq!(incidents(&world, "portal_refund_exceeds", true).await, 2);
    // Whoever asked for too much is declined, and the day is run again.
    let client = world.database().await;
    let waiting = client.query("SELECT refund_id FROM refunds", &[]).await.unwrap();
    for row in &waiting {
        let decline = payhub::refunds::Decision::Decline;
        payhub::refunds::decide(&world.hub, row.get(0), decline, "科长").await.unwrap();
    }
    for merchant in [WECHAT, ALIPAY] {
        let body = json!({"merchant_id": merchant, "date": FRIDAY});
        world.post("/v1/reconciliations", &body).await.unwrap();
        world.settle().await.unwrap();
        assert_eq!(word(&run_of(&world, merchant).await, "status"), "balanced", "{merchant}");
    }
    world.seconds(60).await;
    assert_eq!(world.count(OF_PORTAL).await, 2);
    assert_eq!(incidents(&world, "portal_refund_exceeds", true).await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_bill_and_answer_say_differently_is_not_booked() {
    let world = World::open().await;
    let mut numbers = Vec::new();
    for merchant in [WECHAT, ALIPAY] {
        numbers.push(paid(&world, merchant).await.2);
    }
    next_morning(&world).await;
    silence(&world);
    // Given back on the day after the payment: its bill has nothing else.
    for number in numbers {
        by_hand(&world, &number, 3000);
        let mut fault = Fault::new(Place::Bill, Action::ChangedRow);
        fault.of = Match { out_refund_no: Some(format!("HAND-{number}")), ..Match::default() };
        world.sandbox.engine().set_fault(fault).unwrap();
    }
    world.clock.set(at("2018-12-02T02:05:00Z"));
    world.settle().await.unwrap();
    for merchant in [WECHAT, ALIPAY] {
        let found = differences_on(&world, merchant, "2018-12-01").await;
        assert_eq!(found.len(), 1, "{merchant}: {found:?}");
        assert_eq!(
            (&found[0]["kind"], &found[0]["direction"], &found[0]["cause"]),
            (&json!("only_in_bill"), &json!("refund"), &json!("bill_contradicted")),
            "{merchant}: {found:?}"
        );
    }
    assert_eq!(world.count(OF_PORTAL).await, 0);
    // The right bill proves it, also on another day than that of the payment.
    world.sandbox.engine().lift_faults(None);
    for merchant in [WECHAT, ALIPAY] {
        payhub::reconcile::now(
            &world.hub,
            &merchant.parse().unwrap(),
            "2018-12-01".parse().unwrap(),
            "出纳",
        )
        .await
        .unwrap();
        assert_eq!(differences_on(&world, merchant, "2018-12-01").await, Vec::<Value>::new());
    }
    assert_eq!(world.count(OF_PORTAL).await, 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_provider_does_not_answer_it_stays_a_difference_and_a_later_run_books_it() {
    let world = World::open().await;
    let (_, _, number) = world.paid(WECHAT, "1").await;
    by_hand(&world, &number, 3000);
    let mut dark = Fault::new(Place::Answer, Action::Status500);
    dark.operation = Some(Operation::QueryRefund);
    let dark = world.sandbox.engine().set_fault(dark).unwrap();
    next_morning(&world).await;
    let found = differences(&world, WECHAT).await;
    assert_eq!((found.len(), &found[0]["cause"]), (1, &json!("refund_by_hand")), "{found:?}");
    assert_eq!(found[0]["proposed_action"], json!("record_refund"));
    world.sandbox.engine().lift_faults(Some(dark));
    let body = json!({"merchant_id": WECHAT, "date": FRIDAY});
    world.post("/v1/reconciliations", &body).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(word(&run_of(&world, WECHAT).await, "status"), "balanced");
    assert_eq!(word(&booked(&world, &number).await, "status"), "succeeded");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_of_anothers_order_stays_a_difference_and_nobody_is_asked() {
    let world = World::open().await;
    let (_, _, number) = world.paid(WECHAT, "1").await;
    by_hand(&world, &number, 3000);
    // As if another system of the same account had placed it.
    let client = world.database().await;
    client.execute("UPDATE orders SET out_trade_no = 'OURS01'", &[]).await.unwrap();
    next_morning(&world).await;
    let found = differences(&world, WECHAT).await;
    let of_refund: Vec<&Value> =
        found.iter().filter(|it| it["direction"] == json!("refund")).collect();
    assert_eq!(of_refund.len(), 1, "{found:?}");
    assert_eq!(
        (&of_refund[0]["kind"], &of_refund[0]["cause"]),
        (&json!("only_in_bill"), &json!("refund_by_hand"))
    );
    let asked = "SELECT count(*) FROM provider_calls WHERE operation = 'query_refund'";
    assert_eq!((world.count(OF_PORTAL).await, world.count(asked).await), (0, 0));
    drop(client);
    world.close_only().await;
}
