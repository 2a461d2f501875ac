//! A callback arrives: once, twice, fifty times, forged, about somebody else, not at all.

use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{Action, Fault, Operation, Pay, Place};
use serde_json::json;

use crate::harness::{World, word};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fee_is_paid_through_either_wallet_and_everybody_hears_of_it() {
    let world = World::open().await;
    for (merchant, case) in [(WECHAT, "201811300001"), (ALIPAY, "201811300002")] {
        let (fee, order, _) = world.paid(merchant, case).await;
        let order = world.order_now(&order).await;
        assert_eq!(order["paid_late"], json!(false));
        assert_eq!(order["payments"][0]["source"], json!("callback"));
        assert_eq!(order["payments"][0]["amount_fen"], json!(8000));
        assert_eq!(world.fee_status(&fee).await, "paid");
    }
    let heard = world.heard();
    assert_eq!((heard["order.paid"], heard["fee.paid"]), (2, 2));
    let sms = world.sandbox.engine().state().sms;
    assert_eq!(sms.len(), 2, "the notices of fees that were paid meanwhile are not sent");
    let fee = world.fee("201811300003").await;
    world.settle().await.unwrap();
    assert_eq!(world.sandbox.engine().state().sms.len(), 3, "the notice of a fee that is owed is");
    assert_eq!(world.fee_status(&fee).await, "issued");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_of_a_payment_is_what_its_order_and_fee_answer() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    world.paid(ALIPAY, "2").await;
    let (_, late) = world.order(WECHAT, &[&world.fee("3").await]).await;
    let late_id = word(&late, "id");
    world.post(&format!("/v1/orders/{late_id}/close"), &json!({})).await.unwrap();
    let pay = Pay {
        out_trade_no: word(&late, "out_trade_no"),
        force: true,
        notify: Some(true),
        ..Pay::default()
    };
    world.sandbox.engine().pay_as(&pay).unwrap();
    world.settle().await.unwrap();
    assert_eq!(world.order_now(&late_id).await["paid_late"], json!(true));
    let told = [("order.paid", "orders"), ("order.paid_late", "orders"), ("fee.paid", "fees")];
    let mut compared = 0;
    for event in world.receiver.heard() {
        let Some((_, path)) = told.iter().find(|(kind, _)| event.body["type"] == json!(kind))
        else {
            continue;
        };
        let id = word(&event.body["data"], "id");
        let (_, answered) = world.get(&format!("/v1/{path}/{id}")).await.unwrap();
        assert_eq!(event.body["data"], answered);
        compared += 1;
    }
    assert_eq!(compared, 6);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t02_the_same_notice_fifty_times_at_two_hubs_is_one_payment_and_fifty_right_answers() {
    let world = World::open().await;
    let twin = world.twin(world.another_store()).await.unwrap();
    for (merchant, case, good) in [(WECHAT, "1", ""), (ALIPAY, "2", "success")] {
        let fee = world.fee(case).await;
        let (_, order) = world.order(merchant, &[&fee]).await;
        let number = word(&order, "out_trade_no");
        world.sandbox.engine().pay(&number, true).unwrap();
        let notice = world.sandbox.engine().sealed_callback(&number).unwrap();
        let all = (0..50).map(|turn| {
            let path = format!("/callbacks/{merchant}");
            let url = if turn % 2 == 0 { world.url(&path) } else { twin.url(&path) };
            let mut request = world.client().post(url);
            for (name, value) in &notice.headers {
                request = request.header(*name, value);
            }
            let request = request.body(notice.body.clone());
            async move {
                let answer = request.send().await.unwrap();
                (answer.status().as_u16(), answer.text().await.unwrap())
            }
        });
        for answer in futures_util::future::join_all(all).await {
            assert_eq!(answer, (200, good.to_owned()));
        }
        assert_eq!(world.fee_status(&fee).await, "paid");
    }
    world.settle().await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 2);
    assert_eq!(world.count("SELECT count(*) FROM journal_entries").await, 2);
    assert_eq!(world.heard()["order.paid"], 2);
    twin.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t03_the_answer_is_the_providers_own_to_the_byte() {
    let world = World::open().await;
    for (merchant, body) in [(WECHAT, r#"{"code":"FAIL","message":""#), (ALIPAY, "failure")] {
        let answer = world
            .client()
            .post(world.url(&format!("/callbacks/{merchant}")))
            .body("{}")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), 401);
        assert!(answer.text().await.unwrap().starts_with(body));
    }
    let nobody =
        world.client().post(world.url("/callbacks/nobody")).body("{}").send().await.unwrap();
    assert_eq!(nobody.status().as_u16(), 404);
    world.becomes("SELECT count(*) FROM refused_callbacks", 2).await;
    assert_eq!(world.count("SELECT count(*) FROM callbacks").await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t05_t08_a_notice_that_is_not_signed_by_the_provider_changes_nothing() {
    let world = World::open().await;
    for action in [Action::Corrupt, Action::WrongSignature, Action::UnknownSerial, Action::SignTest]
    {
        for merchant in [WECHAT, ALIPAY] {
            let mut fault = Fault::new(Place::Callback, action);
            fault.times = Some(1);
            let id = world.sandbox.engine().set_fault(fault).unwrap();
            let fee = world.fee(&format!("{merchant}-{action:?}")).await;
            let (_, order) = world.order(merchant, &[&fee]).await;
            let number = word(&order, "out_trade_no");
            world.sandbox.engine().pay(&number, true).unwrap();
            let sent = world.sandbox.deliver_due().await;
            assert_eq!((sent.sent, sent.acknowledged), (1, 0), "{merchant} {action:?}");
            assert_eq!(world.fee_status(&fee).await, "issued", "{merchant} {action:?}");
            world.sandbox.engine().lift_faults(Some(id));
        }
    }
    assert_eq!(world.count("SELECT count(*) FROM incidents").await, 0);
    world.becomes("SELECT count(*) FROM refused_callbacks", 8).await;
    // The genuine notices come again by the providers' cadence.
    world.seconds(600).await;
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 8);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t06_an_old_notice_is_refused_and_a_kept_one_is_replayed_at_any_time() {
    let world = World::open().await;
    let (_, _, number) = world.paid(WECHAT, "1").await;
    let notice = world.sandbox.engine().sealed_callback(&number).unwrap();
    let post = || {
        let mut request = world.client().post(world.url(&format!("/callbacks/{WECHAT}")));
        for (name, value) in &notice.headers {
            request = request.header(*name, value);
        }
        request.body(notice.body.clone()).send()
    };
    world.clock.advance(jiff::SignedDuration::from_secs(300));
    assert_eq!(post().await.unwrap().status().as_u16(), 200, "300 seconds are still fresh");
    world.clock.advance(jiff::SignedDuration::from_secs(1));
    assert_eq!(post().await.unwrap().status().as_u16(), 401);
    world.clock.advance(jiff::SignedDuration::from_hours(48));
    let client = world.database().await;
    let id: String =
        client.query_one("SELECT callback_id FROM callbacks LIMIT 1", &[]).await.unwrap().get(0);
    let verdict = payhub::replay::replay(&world.hub, &id.parse().unwrap()).await.unwrap();
    assert_eq!(verdict.as_str(), "known");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t01_a_lost_callback_is_found_by_asking() {
    let world = World::open().await;
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        let fee = world.fee(case).await;
        let (_, order) = world.order(merchant, &[&fee]).await;
        world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
        world.seconds(10).await;
        assert_eq!(world.fee_status(&fee).await, "paid", "{merchant}");
        let order = world.order_now(&word(&order, "id")).await;
        assert_eq!(order["payments"][0]["source"], json!("query"));
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t04_money_that_does_not_fit_is_kept_as_an_incident_and_acknowledged() {
    let world = World::open().await;
    let (_, _, number) = world.paid(WECHAT, "1").await;
    // Two payers scanned the same code: the second payment settles no fee.
    let twice =
        Pay { out_trade_no: number.clone(), force: true, notify: Some(true), ..Pay::default() };
    world.sandbox.engine().pay_as(&twice).unwrap();
    world.settle().await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM payments WHERE surplus_fen = 8000").await, 1);
    assert_eq!(
        world.count("SELECT count(*) FROM incidents WHERE kind = 'surplus_payment'").await,
        1
    );
    assert_eq!(world.heard()["payment.surplus"], 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_for_a_closed_order_is_late_and_settles_its_fee() {
    let world = World::open().await;
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        let fee = world.fee(case).await;
        let (_, order) = world.order(merchant, &[&fee]).await;
        let id = word(&order, "id");
        let (status, closed) =
            world.post(&format!("/v1/orders/{id}/close"), &json!({})).await.unwrap();
        assert_eq!((status, word(&closed, "status").as_str()), (200, "closed"), "{closed}");
        let late = Pay {
            out_trade_no: word(&order, "out_trade_no"),
            force: true,
            notify: Some(true),
            ..Pay::default()
        };
        world.sandbox.engine().pay_as(&late).unwrap();
        world.settle().await.unwrap();
        let order = world.order_now(&id).await;
        assert_eq!((word(&order, "status").as_str(), &order["paid_late"]), ("paid", &json!(true)));
        assert_eq!(world.fee_status(&fee).await, "paid");
    }
    assert_eq!(world.heard()["order.paid_late"], 2);
    assert_eq!(world.heard()["order.closed"], 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_can_always_change_the_wallet() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    let (_, first) = world.order(ALIPAY, &[&fee]).await;
    let (status, same) = world.order(ALIPAY, &[&fee]).await;
    assert_eq!((status, &same["id"]), (200, &first["id"]), "the same order, not another");
    let (status, second) = world.order(WECHAT, &[&fee]).await;
    assert_eq!(status, 201, "{second}");
    // Nobody had scanned the first code: it cannot be closed at Alipay and stays payable.
    let first_now = world.order_now(&word(&first, "id")).await;
    assert_eq!(word(&first_now, "status"), "closed");
    assert!(first_now["superseded_at"].is_string());
    world.sandbox.engine().pay(&word(&second, "out_trade_no"), true).unwrap();
    world.settle().await.unwrap();
    assert_eq!(world.fee_status(&fee).await, "paid");
    // The payer pays the old code as well: surplus, found although its callback is lost.
    world.sandbox.engine().pay(&word(&first, "out_trade_no"), false).unwrap();
    world.seconds(70).await;
    assert_eq!(world.heard()["payment.surplus"], 1);
    assert_eq!(world.fee_status(&fee).await, "paid");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_nobody_pays_is_closed_at_its_provider_and_frees_its_fee() {
    let world = World::open().await;
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        let fee = world.fee(case).await;
        let (_, order) = world.order(merchant, &[&fee]).await;
        world.seconds(7200).await;
        // An Alipay code that nobody scanned waits out a grace of five minutes and one more query.
        let after_expiry = if merchant == WECHAT { "closed" } else { "pending" };
        let id = word(&order, "id");
        assert_eq!(word(&world.order_now(&id).await, "status"), after_expiry, "{merchant}");
        world.seconds(301).await;
        assert_eq!(word(&world.order_now(&id).await, "status"), "closed", "{merchant}");
        let (status, again) = world.order(merchant, &[&fee]).await;
        assert_eq!(status, 201, "{again}");
        assert_ne!(again["out_trade_no"], order["out_trade_no"], "a number is used once");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t12_an_order_whose_answer_is_lost_is_unknown_and_a_query_decides() {
    let world = World::open().await;
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        for action in [Action::DropAfterCommit, Action::Status500, Action::Garbage] {
            let mut fault = Fault::new(Place::Answer, action);
            fault.operation = Some(Operation::Place);
            fault.times = Some(1);
            world.sandbox.engine().set_fault(fault).unwrap();
            let fee = world.fee(&format!("{case}-{action:?}")).await;
            let (status, order) = world.order(merchant, &[&fee]).await;
            assert_eq!((status, word(&order, "status").as_str()), (202, "unknown"), "{action:?}");
            world.seconds(5).await;
            let found = world.order_now(&word(&order, "id")).await;
            assert_eq!(word(&found, "status"), "pending", "{merchant} {action:?}");
            assert_eq!(found["out_trade_no"], order["out_trade_no"]);
            assert!(found["pay"]["code_url"].is_string(), "{found}");
        }
    }
    assert_eq!(world.sandbox.engine().state().orders.len(), 6, "never a second number");
    world.finish().await;
}
