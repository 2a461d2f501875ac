//! Transfers that pay statements: clear ones by themselves, others by a person, and none twice.

use domain::ids::PayerStatementId;
use payhub::payers::{ConfirmingTransfer, confirm};
use serde_json::{Value, json};

use super::{
    BANKS, CCB, ICBC, accrued, balance, closed, comes, fee, incidents, proposed, standing,
    statement,
};
use crate::bank::{csv, hand_in};
use crate::harness::{World, at, word};

/// The code that refuses a person's word, or `paid`.
pub(super) async fn says(world: &World, serials: &[&str], statements: &[&Value]) -> String {
    let serials: Vec<String> = serials.iter().map(|serial| (*serial).to_owned()).collect();
    let statements: Vec<PayerStatementId> =
        statements.iter().map(|it| word(it, "id").parse().unwrap()).collect();
    let asked =
        ConfirmingTransfer {
            serials: &serials, statements: &statements, by: "张三", reason: None
        };
    match confirm(&world.hub, &asked).await {
        Ok(_) => "paid".to_owned(),
        Err(fault) => fault.code.to_owned(),
    }
}

/// A closed month of two fees of one bank, and the Thursday after that.
pub(super) async fn november() -> (World, [String; 2], Value) {
    let world = World::open_with(BANKS).await;
    let fees = [accrued(&world, ICBC, "1").await, accrued(&world, ICBC, "2").await];
    closed(&world).await;
    let stated = statement(&world, ICBC).await;
    world.clock.set(at("2018-12-06T01:00:00Z"));
    (world, fees, stated)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_transfer_that_names_the_statement_pays_all_its_fees() {
    let (world, fees, stated) = november().await;
    let number = word(&stated, "number");
    let taken = comes(&world, &format!("B1,2018-12-05,in,16000,付{number}款,工行,x")).await;
    assert_eq!(taken["matched"], json!(1), "{taken}");
    for id in &fees {
        assert_eq!(standing(&world, id).await, "paid");
    }
    let stated = statement(&world, ICBC).await;
    assert_eq!(word(&stated, "status"), "paid");
    assert_eq!(word(&stated["payment"]["transfers"][0], "bank_serial"), "B1");
    assert_eq!(balance(&world, ICBC, "collecting_account").await, 16_000);
    assert_eq!(balance(&world, ICBC, "fees_collected").await, -16_000);
    world.settle().await.unwrap();
    assert_eq!(world.heard().get("fee.paid"), Some(&2), "each fee is told once");
    // The order that it is; no provider can give it back.
    let order = word(&stated["payment"]["transfers"][0], "order_id");
    let (status, shown) = world.get(&format!("/v1/orders/{order}?refresh=true")).await.unwrap();
    assert_eq!((status, word(&shown, "status").as_str()), (200, "paid"), "{shown}");
    assert_eq!([word(&shown, "provider"), word(&shown["payments"][0], "source")], ["bank", "bank"]);
    let body = json!({"amount_fen": 8000, "reason": "多收"});
    let (status, refused) =
        world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    assert_eq!((status, word(&refused, "code").as_str()), (409, "paid_by_transfer"), "{refused}");
    // Once it is the treasury's, the treasury gives it back.
    let body = json!({"remitted_on": "2018-12-05", "reference": "JK-1", "fee_ids": [fees[0]]});
    world.clock.set(at("2018-12-06T02:00:00Z"));
    let (status, told) = world.post("/v1/remittances", &body).await.unwrap();
    assert_eq!(status, 201, "{told}");
    assert_eq!(fee(&world, &fees[0]).await["remitted_fen"], json!(8_000));
    let body = json!({"amount_fen": 8000, "reason": "多收", "allocations": [{"fee_id": fees[0], "amount_fen": 8000}]});
    let (status, refund) = world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    assert_eq!((status, word(&refund, "route").as_str()), (201, "treasury"), "{refund}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_transfer_and_a_second_one_never_pay_twice() {
    let (world, _, stated) = november().await;
    let number = word(&stated, "number");
    let row = format!("B1,2018-12-05,in,16000,{number},工行,x");
    comes(&world, &row).await;
    let again = comes(&world, &row).await;
    assert_eq!(again["known"], json!(1));
    comes(&world, &format!("B2,2018-12-06,in,16000,{number},工行,x")).await;
    let [twice] = proposed(&world, "B2").await.try_into().unwrap();
    assert_eq!(word(&twice, "cause"), "transfer_twice");
    assert_eq!(incidents(&world, "transfer_twice").await, 1);
    assert_eq!(says(&world, &["B2"], &[&stated]).await, "statement_paid");
    assert_eq!(says(&world, &["B1"], &[&stated]).await, "bank_line_matched");
    assert_eq!(balance(&world, ICBC, "collecting_account").await, 16_000);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_number_account_and_amount_are_proposed_and_a_person_confirms() {
    let (world, fees, stated) = november().await;
    comes(&world, "B1,2018-12-05,in,16000,月结登记费,工行,6222000011112222").await;
    assert_eq!(standing(&world, &fees[0]).await, "issued", "nothing is taken for granted");
    let [found] = proposed(&world, "B1").await.try_into().unwrap();
    assert_eq!(found["statements"], json!([stated["id"]]));
    assert_eq!((&found["difference_fen"], &found["cause"]), (&json!(0), &json!(null)));
    assert_eq!(says(&world, &["B1"], &[&stated]).await, "paid");
    assert_eq!(standing(&world, &fees[0]).await, "paid");
    let acts = "SELECT count(*) FROM audit_entries WHERE action = 'payer_statement.confirmed'";
    assert_eq!(world.count(acts).await, 1);
    assert_eq!(word(&statement(&world, ICBC).await["payment"], "claimed_by"), "张三");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_transfer_pays_nothing_until_its_rest_comes() {
    let (world, fees, stated) = november().await;
    let number = word(&stated, "number");
    comes(&world, &format!("B1,2018-12-05,in,10000,{number},工行,x")).await;
    let [short] = proposed(&world, "B1").await.try_into().unwrap();
    assert_eq!(
        (word(&short, "cause").as_str(), &short["difference_fen"]),
        ("transfer_short", &json!(-6_000))
    );
    assert_eq!(incidents(&world, "transfer_short").await, 1);
    assert_eq!(says(&world, &["B1"], &[&stated]).await, "transfer_differs");
    assert_eq!(standing(&world, &fees[0]).await, "issued", "nothing is half paid");
    assert_eq!(balance(&world, ICBC, "collecting_account").await, 0);
    comes(&world, &format!("B2,2018-12-06,in,6000,{number} 补,工行,x")).await;
    assert_eq!(says(&world, &["B1", "B2", "B2"], &[&stated]).await, "paid");
    for id in &fees {
        assert_eq!(standing(&world, id).await, "paid");
    }
    assert_eq!(incidents(&world, "transfer_short").await, 0, "it is decided");
    assert_eq!(balance(&world, ICBC, "collecting_account").await, 16_000);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_paper_said_before_a_fee_was_withdrawn_leaves_a_surplus() {
    let (world, fees, stated) = november().await;
    world.post(&format!("/v1/fees/{}/void", fees[1]), &json!({})).await.unwrap();
    let number = word(&stated, "number");
    comes(&world, &format!("B1,2018-12-05,in,16000,{number},工行,x")).await;
    let [found] = proposed(&world, "B1").await.try_into().unwrap();
    assert_eq!(word(&found, "cause"), "transfer_for_void");
    assert_eq!(says(&world, &["B1"], &[&stated]).await, "paid");
    assert_eq!(
        [standing(&world, &fees[0]).await, standing(&world, &fees[1]).await],
        ["paid", "void"]
    );
    assert_eq!(balance(&world, ICBC, "fees_collected").await, -8_000);
    assert_eq!(balance(&world, ICBC, "surplus_payable").await, -8_000);
    world.settle().await.unwrap();
    assert_eq!(world.heard().get("payment.surplus"), Some(&1));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_of_what_is_left_after_a_void_is_clear() {
    let (world, fees, stated) = november().await;
    world.post(&format!("/v1/fees/{}/void", fees[1]), &json!({})).await.unwrap();
    let number = word(&stated, "number");
    let taken = comes(&world, &format!("B1,2018-12-05,in,8000,{number},工行,x")).await;
    assert_eq!(taken["matched"], json!(1));
    assert_eq!(standing(&world, &fees[0]).await, "paid");
    assert_eq!(balance(&world, ICBC, "surplus_payable").await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_transfer_pays_two_months_and_too_much_stays_open() {
    let (world, fees, _) = november().await;
    let december = accrued(&world, ICBC, "3").await;
    world.clock.set(at("2019-01-02T02:00:00Z"));
    payhub::hub::prepare_months(&world.hub).await.unwrap();
    payhub::payers::run_once(&world.hub).await.unwrap();
    comes(&world, "B1,2019-01-02,in,24001,月结,工行,6222000011112222").await;
    let [over] = proposed(&world, "B1").await.try_into().unwrap();
    assert_eq!(word(&over, "cause"), "transfer_over");
    comes(&world, "B2,2019-01-02,in,24000,工行按揭 两个月,工行,x").await;
    let [both] = proposed(&world, "B2").await.try_into().unwrap();
    assert_eq!(both["numbers"], json!(["YJ2018110001", "YJ2018120001"]));
    assert_eq!(
        incidents(&world, "payer_statement_overdue").await,
        1,
        "November was due, told once"
    );
    let of = |at: usize| json!({"id": both["statements"][at]});
    assert_eq!(says(&world, &["B2"], &[&of(0), &of(1)]).await, "paid");
    for id in fees.iter().chain([&december]) {
        assert_eq!(standing(&world, id).await, "paid");
    }
    assert_eq!(incidents(&world, "payer_statement_overdue").await, 0);
    assert_eq!(proposed(&world, "B1").await, Vec::<Value>::new(), "nothing is owed any more");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_from_another_payers_account_is_asked_about() {
    let (world, fees, stated) = november().await;
    accrued(&world, CCB, "9").await;
    let number = word(&stated, "number");
    comes(&world, &format!("B1,2018-12-05,in,16000,{number},建行,333344445555")).await;
    let [found] = proposed(&world, "B1").await.try_into().unwrap();
    assert_eq!(word(&found, "cause"), "transfer_of_another");
    assert_eq!(standing(&world, &fees[0]).await, "issued");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_pay_a_statement_once() {
    let (world, fees, stated) = november().await;
    comes(&world, "B1,2018-12-05,in,16000,月结,工行,6222000011112222").await;
    comes(&world, "B2,2018-12-05,in,16000,月结,工行,6222000011112222").await;
    let number = word(&stated, "number");
    let file = csv(&[&format!("B3,2018-12-05,in,16000,{number},工行,x")]);
    // Two people, two transfers, the statement of the bank and a withdrawal, all in one moment.
    let (statements, path, nothing) = ([&stated], format!("/v1/fees/{}/void", fees[0]), json!({}));
    let (one, other, _, void) = tokio::join!(
        says(&world, &["B1"], &statements),
        says(&world, &["B2"], &statements),
        hand_in(&world, &file),
        world.post(&path, &nothing),
    );
    let paid = world.count("SELECT count(*) FROM payer_match_statements").await;
    let is_void = void.unwrap().0 == 200;
    assert!(paid <= 1, "{one} {other}");
    assert_eq!(standing(&world, &fees[0]).await, if is_void { "void" } else { "paid" });
    // Whatever came first, what is booked is one transfer or none.
    let came = balance(&world, ICBC, "collecting_account").await;
    assert_eq!(came, paid * 16_000);
    world.finish().await;
}
