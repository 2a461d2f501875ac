//! Money that comes after an order was given up, and money that comes twice: never dropped, always
//! told, and given back only where that is decided.

use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{Action, Fault, Operation, Pay, Place};
use serde_json::{Value, json};

use crate::harness::{World, word};

/// The payer was quicker than the close, or two payers scanned.
fn pay_all_the_same(world: &World, order: &Value) {
    let number = word(order, "out_trade_no");
    let pay = Pay { out_trade_no: number, force: true, notify: Some(true), ..Pay::default() };
    world.sandbox.engine().pay_as(&pay).unwrap();
}

/// The open incidents of a kind, as the API lists them.
async fn open(world: &World, kind: &str) -> Vec<Value> {
    let (status, list) = world.get(&format!("/v1/incidents?state=open&kind={kind}")).await.unwrap();
    assert_eq!(status, 200, "{list}");
    list["data"].as_array().unwrap().clone()
}

async fn close(world: &World, order: &Value) -> (u16, Value) {
    world.post(&format!("/v1/orders/{}/close", word(order, "id")), &json!({})).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t14_a_payment_that_was_quicker_than_the_close_is_no_late_one() {
    let world = World::open().await;
    for merchant in [WECHAT, ALIPAY] {
        let fee = world.fee(merchant).await;
        let (_, order) = world.order(merchant, &[&fee]).await;
        // The provider has the money when the hub comes to close, and nobody has told the hub.
        world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
        let (status, told) = close(&world, &order).await;
        assert_eq!((status, &told["code"]), (409, &json!("order_paid")), "{told}");
        let now = world.order_now(&word(&order, "id")).await;
        assert_eq!((&now["status"], &now["paid_late"]), (&json!("paid"), &json!(false)));
        assert_eq!(world.fee_status(&fee).await, "paid");
    }
    world.settle().await.unwrap();
    assert_eq!(world.heard().get("order.closed"), None);
    assert!(open(&world, "late_payment").await.is_empty());
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t14_nothing_is_closed_here_that_may_still_be_paid_there() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    let (_, order) = world.order(WECHAT, &[&fee]).await;
    let dark = Fault::new(Place::Answer, Action::Drop).during(Operation::Close).times(1);
    world.sandbox.engine().set_fault(dark).unwrap();
    assert_eq!(close(&world, &order).await.0, 409, "the provider has not said so");
    assert_ne!(word(&world.order_now(&word(&order, "id")).await, "status"), "closed");
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    world.settle().await.unwrap();
    let now = world.order_now(&word(&order, "id")).await;
    assert_eq!((&now["status"], &now["paid_late"]), (&json!("paid"), &json!(false)));
    world.seconds(60).await;
    assert_eq!(world.fee_status(&fee).await, "paid");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t14_late_money_settles_its_fee_and_a_person_is_asked() {
    let world = World::open().await;
    for merchant in [WECHAT, ALIPAY] {
        let fee = world.fee(merchant).await;
        let (_, order) = world.order(merchant, &[&fee]).await;
        assert_eq!(close(&world, &order).await.0, 200);
        pay_all_the_same(&world, &order);
        world.settle().await.unwrap();
        let now = world.order_now(&word(&order, "id")).await;
        assert_eq!((&now["status"], &now["paid_late"]), (&json!("paid"), &json!(true)), "{now}");
        assert_eq!(now["payments"][0]["surplus"], json!(false));
        assert_eq!(world.fee_status(&fee).await, "paid");
        let task = open(&world, "late_payment").await.remove(0);
        assert_eq!(task["order_id"], order["id"], "{task}");
        let proposed = &task["proposed_action"];
        assert_eq!(
            (&proposed["action"], &proposed["amount_fen"], &proposed["payment_id"]),
            (&json!("refund_or_keep"), &json!(8000), &now["payments"][0]["id"])
        );
    }
    assert_eq!(world.heard()["order.paid_late"], 2);
    assert_eq!(world.heard().get("order.paid"), None, "a late one is told as late");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t14_late_money_settles_nothing_where_the_office_gives_it_back() {
    let world = World::open_with("[policy]\nlate_payment = \"refund\"\n").await;
    let fee = world.fee("1").await;
    let (_, order) = world.order(WECHAT, &[&fee]).await;
    assert_eq!(close(&world, &order).await.0, 200);
    pay_all_the_same(&world, &order);
    world.settle().await.unwrap();
    let now = world.order_now(&word(&order, "id")).await;
    assert_eq!((&now["status"], &now["paid_late"]), (&json!("paid"), &json!(true)), "{now}");
    assert_eq!(now["payments"][0]["surplus"], json!(true), "{now}");
    assert_eq!(world.fee_status(&fee).await, "issued", "the fee is owed as before");
    let task = open(&world, "surplus_payment").await.remove(0);
    assert_eq!(task["proposed_action"]["amount_fen"], json!(8000), "{task}");
    assert_eq!(world.count("SELECT count(*) FROM refunds").await, 0, "proposed, not done");
    // What is proposed is done by one call, and the task is over with it.
    let path = format!("/v1/orders/{}/refunds", word(&order, "id"));
    let body = json!({"amount_fen": task["proposed_action"]["amount_fen"], "reason": "逾期到账"});
    assert_eq!(world.post(&path, &body).await.unwrap().0, 201);
    world.seconds(120).await;
    assert!(open(&world, "surplus_payment").await.is_empty());
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t15_two_wallets_for_one_fee_settle_it_once_and_the_second_is_surplus() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    let (_, first) = world.order(ALIPAY, &[&fee]).await;
    let (_, second) = world.order(WECHAT, &[&fee]).await;
    for order in [&second, &first] {
        world.sandbox.engine().pay(&word(order, "out_trade_no"), true).unwrap();
        world.settle().await.unwrap();
    }
    assert_eq!(world.fee_status(&fee).await, "paid");
    let now = world.order_now(&word(&first, "id")).await;
    assert_eq!((&now["status"], &now["payments"][0]["surplus"]), (&json!("paid"), &json!(true)));
    let heard = world.heard();
    assert_eq!((heard["payment.surplus"], heard["fee.paid"]), (1, 1));
    let tasks = open(&world, "surplus_payment").await;
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0]["payment_id"], now["payments"][0]["id"]);
    assert_eq!(tasks[0]["proposed_action"]["action"], json!("refund_surplus"));
    let surplus =
        "SELECT count(*) FROM journal_lines WHERE credit LIKE '%surplus%' AND amount_fen = 8000";
    assert_eq!(world.count(surplus).await, 1, "it is in the books as what is owed to its payer");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t15_two_scanners_of_one_code_are_two_payments_and_the_second_goes_back() {
    let world = World::open().await;
    for merchant in [WECHAT, ALIPAY] {
        let (fee, id, _) = world.paid(merchant, merchant).await;
        let order = world.order_now(&id).await;
        pay_all_the_same(&world, &order);
        world.settle().await.unwrap();
        let now = world.order_now(&id).await;
        let numbers = [0, 1].map(|index| word(&now["payments"][index], "provider_trade_no"));
        assert_ne!(numbers[0], numbers[1], "{now}");
        let task = open(&world, "surplus_payment").await.remove(0);
        assert_eq!(task["payment_id"], now["payments"][1]["id"], "{task}");
        let path = format!("/v1/orders/{id}/refunds");
        let body =
            json!({"amount_fen": task["proposed_action"]["amount_fen"], "reason": "重复支付"});
        let (status, refund) = world.post(&path, &body).await.unwrap();
        assert_eq!((status, &refund["surplus_fen"]), (201, &json!(8000)), "{refund}");
        for _ in 0..4 {
            world.seconds(120).await;
        }
        assert_eq!(world.fee_status(&fee).await, "paid", "{merchant}: the fee keeps its money");
        assert!(open(&world, "surplus_payment").await.is_empty(), "{merchant}");
    }
    assert_eq!(world.heard()["payment.surplus"], 2);
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 4);
    world.finish().await;
}
