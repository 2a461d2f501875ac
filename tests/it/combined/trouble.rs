//! What goes wrong with combined orders: lost answers, late money, fees that changed meanwhile,
//! requests and providers that refuse.

use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{Action, Fault, Operation, Place};
use serde_json::{Value, json};

use super::{TAX, asked, close, combine, now, office, pay, pay_late, payee, stands, waiting};
use crate::harness::{World, word};

/// How often the hub placed something.
async fn placings(world: &World) -> i64 {
    world.count("SELECT count(*) FROM provider_calls WHERE operation = 'place'").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_placing_whose_answer_is_lost_is_placed_once() {
    // It came there and the answer was cut off; or it never came there.
    for action in [Action::DropAfterCommit, Action::Drop] {
        let world = office().await;
        let mut fault = Fault::new(Place::Answer, action);
        fault.operation = Some(Operation::Place);
        fault.times = Some(1);
        world.sandbox.engine().set_fault(fault).unwrap();
        let (fee, tax) = (world.fee("1").await, world.fee("2").await);
        let (status, whole) = combine(&world, &fee, &tax).await;
        assert_eq!((status, word(&whole, "status").as_str()), (202, "unknown"), "{whole}");
        let (status, same) = combine(&world, &fee, &tax).await;
        assert_eq!((status, &same["id"]), (200, &whole["id"]), "nobody guesses a second number");
        world.seconds(2).await;
        assert_eq!(stands(&world, &whole).await, ["pending", "pending", "pending"], "{action:?}");
        assert_eq!(now(&world, &whole).await["pay"]["kind"], json!("qr_code"));
        assert_eq!(placings(&world).await, 2);
        assert_eq!(world.sandbox.engine().state().orders.len(), 2, "one order a payee");
        pay(&world, &whole, true);
        world.settle().await.unwrap();
        assert_eq!(stands(&world, &whole).await, ["paid", "paid", "paid"]);
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_combined_order_paid_after_it_was_closed_is_paid_late_in_every_part() {
    let world = office().await;
    let (fee, tax, whole) = waiting(&world).await;
    assert_eq!(close(&world, &whole).await.0, 200);
    pay_late(&world, &whole);
    world.settle().await.unwrap();
    assert_eq!(stands(&world, &whole).await, ["paid", "paid", "paid"]);
    for part in now(&world, &whole).await["orders"].as_array().unwrap() {
        assert_eq!(part["paid_late"], json!(true), "{part}");
    }
    assert_eq!(
        (world.fee_status(&fee).await, world.fee_status(&tax).await),
        ("paid".to_owned(), "paid".to_owned())
    );
    assert_eq!(world.heard()["order.paid_late"], 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tax_that_became_void_meanwhile_leaves_a_surplus_and_the_fee_is_paid() {
    let world = office().await;
    let (fee, tax, whole) = waiting(&world).await;
    let void = format!("/v1/fees/{tax}/void");
    let (status, refused) = world.post(&void, &json!({})).await.unwrap();
    assert_eq!((status, &refused["code"]), (409, &json!("fee_has_live_order")), "{refused}");
    assert_eq!(close(&world, &whole).await.0, 200);
    assert_eq!(world.post(&void, &json!({})).await.unwrap().0, 200);
    pay_late(&world, &whole);
    world.settle().await.unwrap();
    assert_eq!(world.fee_status(&fee).await, "paid");
    assert_eq!(world.fee_status(&tax).await, "void");
    let whole = now(&world, &whole).await;
    let surplus = |part: usize| whole["orders"][part]["payments"][0]["surplus_fen"].clone();
    assert_eq!((surplus(0), surplus(1)), (json!(0), json!(8000)));
    let told = format!("SELECT count(*) FROM incidents WHERE merchant_id = '{TAX}'");
    assert_eq!(world.count(&told).await, 1, "the payee's matter");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_is_closed_as_soon_as_another_code_has_paid_one_of_its_fees() {
    let world = office().await;
    let (fee, tax) = (world.fee("1").await, world.fee("2").await);
    // A code of Alipay that nobody scanned cannot be closed there: it stays payable.
    let (_, first) = world.order(ALIPAY, &[&tax]).await;
    let (status, whole) = combine(&world, &fee, &tax).await;
    assert_eq!(status, 201, "{whole}");
    world.sandbox.engine().pay(&word(&first, "out_trade_no"), true).unwrap();
    world.settle().await.unwrap();
    assert_eq!(world.fee_status(&tax).await, "paid");
    assert_eq!(stands(&world, &whole).await, ["closed", "closed", "closed"]);
    assert_eq!(world.order(WECHAT, &[&fee]).await.0, 201, "what is still owed can be paid");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_tells_is_not_guessed() {
    let world = office().await;
    let (fee, _, whole) = waiting(&world).await;
    let mut dark = Fault::new(Place::Answer, Action::Status500);
    dark.operation = Some(Operation::Close);
    let dark = world.sandbox.engine().set_fault(dark).unwrap();
    let (status, unknown) = close(&world, &whole).await;
    assert_eq!((status, &unknown["code"]), (409, &json!("order_state_unknown")), "{unknown}");
    assert!(unknown["retry_after_s"].is_u64());
    let (status, blocked) = world.order(WECHAT, &[&fee]).await;
    assert_eq!((status, &blocked["code"]), (409, &json!("fee_has_live_order")), "{blocked}");
    assert_eq!(stands(&world, &whole).await, ["pending", "pending", "pending"]);
    // Paid meanwhile, and the callback is lost: closing finds the money.
    pay(&world, &whole, false);
    world.sandbox.engine().lift_faults(Some(dark));
    let (status, paid) = close(&world, &whole).await;
    assert_eq!((status, &paid["code"]), (409, &json!("order_paid")), "{paid}");
    assert_eq!(stands(&world, &whole).await, ["paid", "paid", "paid"]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_breaks_a_rule_is_refused_and_nothing_is_written() {
    let nobody = payee("nobody", "1900000999");
    let world = World::open_with(&format!("{}{nobody}", payee(TAX, "1900000109"))).await;
    let (fee, tax) = (world.fee("1").await, world.fee("2").await);
    let good = asked(&fee, &tax);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = good.clone();
        change(&mut body);
        body
    };
    let cases = [
        ("combined_not_offered", with(&|body| body["merchant_id"] = json!(ALIPAY))),
        ("merchant_unknown", with(&|body| body["parts"][1]["merchant_id"] = json!("who"))),
        ("parts_invalid", with(&|body| body["parts"][1]["merchant_id"] = json!(ALIPAY))),
        ("parts_invalid", with(&|body| body["parts"][1]["merchant_id"] = json!(WECHAT))),
        ("parts_invalid", with(&|body| body["parts"] = json!([body["parts"][0]]))),
        ("fee_ids_invalid", with(&|body| body["parts"][1]["fee_ids"] = json!([fee]))),
        ("fee_ids_invalid", with(&|body| body["parts"][1]["fee_ids"] = json!([]))),
        ("expires_in_s_invalid", with(&|body| body["expires_in_s"] = json!(59))),
        ("limit", with(&|body| body["product"] = json!("jsapi"))),
        ("limit", with(&|body| body["product"] = json!("codepay"))),
        ("return_url_invalid", with(&|body| body["return_url"] = json!("http://office.example/"))),
    ];
    for (code, body) in cases {
        let (status, refused) = world.post("/v1/combined-orders", &body).await.unwrap();
        assert_eq!((status, &refused["code"]), (422, &json!(code)), "{refused}");
    }
    assert_eq!(world.count("SELECT count(*) FROM orders").await, 0);
    assert_eq!(world.get("/v1/combined-orders/cmb_0").await.unwrap().0, 404);
    // The provider knows no such payee: refused for good, and the fees are free again.
    let body = with(&|body| body["parts"][1]["merchant_id"] = json!("nobody"));
    let (status, refused) = world.post("/v1/combined-orders", &body).await.unwrap();
    assert_eq!((status, &refused["code"]), (422, &json!("provider_refused")), "{refused}");
    let (_, failed) =
        world.get(&format!("/v1/combined-orders/{}", word(&refused, "combined_id"))).await.unwrap();
    assert_eq!(word(&failed, "status"), "failed", "{failed}");
    assert!(failed["refused"]["provider_code"].is_string(), "{failed}");
    assert_eq!(combine(&world, &fee, &tax).await.0, 201);
    world.finish().await;
}
