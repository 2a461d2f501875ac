//! Money that settles no fee: proposed to finance, or given back by the hub where the office wants
//! that and the payment is a proved duplicate.

use payhub::demo::{ALIPAY, WECHAT};
use sandbox::Pay;
use serde_json::json;

use crate::harness::{World, word};

const GIVE_BACK: &str = "[policy]\nsurplus_payment = \"refund\"\n";

/// Both codes of one fee are paid, the second wallet first; gives the surplus order's id.
async fn paid_twice(world: &World) -> String {
    let fee = world.fee("1").await;
    let (_, first) = world.order(ALIPAY, &[&fee]).await;
    let (_, second) = world.order(WECHAT, &[&fee]).await;
    for order in [&second, &first] {
        world.sandbox.engine().pay(&word(order, "out_trade_no"), true).unwrap();
        world.settle().await.unwrap();
    }
    assert_eq!(world.fee_status(&fee).await, "paid");
    word(&first, "id")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proved_duplicate_is_given_back_once_where_the_office_wants_it() {
    let world = World::open_with(GIVE_BACK).await;
    let order = paid_twice(&world).await;
    world.seconds(300).await;
    world.seconds(300).await;
    let now = world.order_now(&order).await;
    assert_eq!((&now["status"], &now["refunded_fen"]), (&json!("paid"), &json!(8000)), "{now}");
    let right = format!(
        "SELECT count(*) FROM refunds JOIN payments p USING (payment_id)
          WHERE refunds.order_id = '{order}' AND refunds.surplus_fen = 8000 AND state = 'succeeded'
            AND requested_by = 'payhub' AND out_refund_no = replace(p.payment_id, 'pay_', 'S')"
    );
    assert_eq!(world.count(&right).await, 1);
    assert_eq!(world.count("SELECT count(*) FROM refunds").await, 1);
    assert_eq!(world.heard()["refund.succeeded"], 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_two_people_paid_gives_the_second_one_his_money_back() {
    let world = World::open_with(GIVE_BACK).await;
    let (fee, order, number) = world.paid(WECHAT, "1").await;
    let twice = Pay { out_trade_no: number, force: true, notify: Some(true), ..Pay::default() };
    world.sandbox.engine().pay_as(&twice).unwrap();
    world.seconds(300).await;
    world.seconds(60).await;
    assert_eq!(world.order_now(&order).await["refunded_fen"], json!(8000));
    assert_eq!(world.fee_status(&fee).await, "paid", "the fee keeps what paid it");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_waits_for_the_second_person_whom_the_office_asks_for_refunds() {
    use payhub::refunds::{Decision, decide};
    let more = format!("{GIVE_BACK}refund_approval = \"always\"\n");
    let world = World::open_with(&more).await;
    paid_twice(&world).await;
    world.seconds(300).await;
    let client = world.database().await;
    let row = client.query_one("SELECT refund_id, state FROM refunds", &[]).await.unwrap();
    let (id, state): (String, String) = (row.get(0), row.get(1));
    assert_eq!(state, "pending_approval");
    decide(&world.hub, &id, Decision::Approve, "chief").await.unwrap();
    world.seconds(120).await;
    assert_eq!(world.count("SELECT count(*) FROM refunds WHERE state = 'succeeded'").await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn surplus_that_is_no_proved_duplicate_is_left_to_finance() {
    let proposed = World::open().await;
    paid_twice(&proposed).await;
    proposed.seconds(300).await;
    assert_eq!(proposed.count("SELECT count(*) FROM refunds").await, 0, "the policy proposes");
    proposed.finish().await;

    let world = World::open_with(&format!("{GIVE_BACK}late_payment = \"refund\"\n")).await;
    // Half of it settles a fee.
    let (first, second) = (world.fee("1").await, world.fee("2").await);
    let (_, both) = world.order(ALIPAY, &[&first, &second]).await;
    let (_, one) = world.order(WECHAT, &[&first]).await;
    for order in [&one, &both] {
        world.sandbox.engine().pay(&word(order, "out_trade_no"), true).unwrap();
        world.settle().await.unwrap();
    }
    // It came late, and nobody else has paid the fee.
    let fee = world.fee("3").await;
    let (_, late) = world.order(WECHAT, &[&fee]).await;
    let path = format!("/v1/orders/{}/close", word(&late, "id"));
    world.post(&path, &json!({})).await.unwrap();
    let number = word(&late, "out_trade_no");
    let pay = Pay { out_trade_no: number, force: true, notify: Some(true), ..Pay::default() };
    world.sandbox.engine().pay_as(&pay).unwrap();
    world.seconds(300).await;
    assert_eq!(world.count("SELECT count(*) FROM payments WHERE surplus_fen > 0").await, 2);
    assert_eq!(world.count("SELECT count(*) FROM refunds").await, 0);
    let told = "SELECT count(*) FROM incidents WHERE kind = 'surplus_payment'";
    assert_eq!(world.count(told).await, 2);
    world.finish().await;
}
