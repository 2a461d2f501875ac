//! Money goes back: once, never more than came, under one number, and never guessed.

use domain::Clock as _;
use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{Action, Fault, Operation, Place, SandboxConfig};
use serde_json::{Value, json};

use crate::harness::{World, at, word};

async fn refund(world: &World, order: &str, body: Value) -> (u16, Value) {
    world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap()
}

async fn status(world: &World, refund: &Value) -> String {
    let (_, now) = world.get(&format!("/v1/refunds/{}", word(refund, "id"))).await.unwrap();
    word(&now, "status")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_reaches_the_payer_and_the_fee_says_so() {
    let world = World::open().await;
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        let (fee, order, _) = world.paid(merchant, case).await;
        let (code, part) =
            refund(&world, &order, json!({"amount_fen": 3000, "reason": "多收"})).await;
        assert_eq!(code, 201, "{part}");
        world.seconds(120).await;
        assert_eq!(status(&world, &part).await, "succeeded", "{merchant}");
        assert_eq!(world.fee_status(&fee).await, "partially_refunded");
        let (code, rest) =
            refund(&world, &order, json!({"amount_fen": 5000, "reason": "撤回申请"})).await;
        assert_eq!(code, 201, "{rest}");
        world.seconds(120).await;
        assert_eq!(world.fee_status(&fee).await, "refunded");
        assert_eq!(world.order_now(&order).await["refunded_fen"], json!(8000));
    }
    assert_eq!(world.heard()["refund.succeeded"], 4);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t12_a_refund_whose_answer_is_lost_is_unknown_and_never_paid_twice() {
    let world = World::open().await;
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        for action in [Action::DropAfterCommit, Action::Status500, Action::Garbage] {
            let (_, order, number) = world.paid(merchant, &format!("{case}-{action:?}")).await;
            let mut fault = Fault::new(Place::Answer, action);
            fault.operation = Some(Operation::Refund);
            fault.times = Some(1);
            world.sandbox.engine().set_fault(fault).unwrap();
            let (_, asked) =
                refund(&world, &order, json!({"amount_fen": 8000, "reason": "撤回"})).await;
            assert_eq!(word(&asked, "status"), "unknown", "{merchant} {action:?}");
            world.seconds(6).await;
            world.seconds(60).await;
            world.seconds(180).await;
            assert_eq!(status(&world, &asked).await, "succeeded", "{merchant} {action:?}");
            let state = world.sandbox.engine().state();
            let there = state.orders.iter().find(|order| order.out_trade_no == number).unwrap();
            assert_eq!(there.refunded_fen.get(), 8000, "{merchant} {action:?}");
            assert_eq!(
                state.refunds.iter().filter(|refund| refund.out_trade_no == number).count(),
                1
            );
        }
    }
    world.finish().await;
}

/// Providers that refuse a refund which comes too soon after another of its payment.
fn strict(providers: &mut SandboxConfig) {
    providers.wechat.iter_mut().for_each(|merchant| merchant.strict_intervals = true);
    providers.alipay.iter_mut().for_each(|app| app.strict_intervals = true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_comes_too_soon_waits_for_its_turn_and_says_so() {
    let world = World::open_at("", strict).await;
    for (merchant, case, gap) in [(WECHAT, "1", 60), (ALIPAY, "2", 3)] {
        let (fee, order, _) = world.paid(merchant, case).await;
        let half = || json!({"amount_fen": 4000, "reason": "多收"});
        let (_, first) = refund(&world, &order, half()).await;
        assert_eq!(first["send_after"], Value::Null);
        let (code, second) = refund(&world, &order, half()).await;
        assert_eq!((code, word(&second, "status").as_str()), (201, "submitted"), "{second}");
        let wait = at(&word(&second, "send_after")).duration_since(world.clock.now());
        assert_eq!(wait.as_secs(), gap, "{merchant}");
        let refresh = format!("/v1/refunds/{}?refresh=true", word(&second, "id"));
        let (_, looked_at) = world.get(&refresh).await.unwrap();
        assert_eq!(looked_at["send_after"], second["send_after"], "a look sends nothing");
        world.seconds(gap).await;
        let (_, sent) = world.get(&format!("/v1/refunds/{}", word(&second, "id"))).await.unwrap();
        assert_eq!(sent["send_after"], Value::Null);
        assert_ne!(word(&sent, "status"), "submitted", "{merchant}");
        world.seconds(120).await;
        world.seconds(120).await;
        assert_eq!(world.fee_status(&fee).await, "refunded", "{merchant}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_the_payers_account_refused_goes_to_another_account() {
    let world = World::open().await;
    let (fee, order, _) = world.paid(WECHAT, "1").await;
    let mut stuck = Fault::new(Place::Answer, Action::Abnormal);
    stuck.operation = Some(Operation::Refund);
    stuck.times = Some(1);
    world.sandbox.engine().set_fault(stuck).unwrap();
    let (_, asked) = refund(&world, &order, json!({"amount_fen": 8000, "reason": "撤回"})).await;
    let path = format!("/v1/refunds/{}/redirect", word(&asked, "id"));
    let to_merchant = json!({"to": "merchant_account"});
    let (code, early) = world.post(&path, &to_merchant).await.unwrap();
    assert_eq!((code, &early["code"]), (409, &json!("refund_not_abnormal")), "{early}");
    world.seconds(120).await;
    assert_eq!(status(&world, &asked).await, "abnormal");
    let (code, bare) = world.post(&path, &json!({"to": "payer_card"})).await.unwrap();
    assert_eq!((code, &bare["code"]), (422, &json!("limit")), "{bare}");
    let card = json!({
        "to": "payer_card", "bank": "ICBC_DEBIT", "card": "6222020200000000000", "holder": "张三",
    });
    let (code, sent) = world.post(&path, &card).await.unwrap();
    assert_eq!((code, word(&sent, "status").as_str()), (200, "processing"), "{sent}");
    for _ in 0..4 {
        world.seconds(60).await;
    }
    assert_eq!(status(&world, &asked).await, "succeeded");
    assert_eq!(world.fee_status(&fee).await, "refunded");
    let clear = "SELECT (SELECT count(*) FROM refund_redirects WHERE to_jsonb(refund_redirects)::text LIKE '%62220202%')
                      + (SELECT count(*) FROM provider_calls WHERE to_jsonb(provider_calls)::text LIKE '%62220202%')";
    assert_eq!(world.count(clear).await, 0, "a card's number is sealed");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t13_twenty_refunds_at_once_never_exceed_the_payment() {
    let world = World::open_at("", strict).await;
    let (_, order, number) = world.paid(WECHAT, "1").await;
    let all =
        (0..20).map(|_| refund(&world, &order, json!({"amount_fen": 1000, "reason": "多收"})));
    let answers = futures_util::future::join_all(all).await;
    let taken = answers.iter().filter(|(code, _)| *code == 201).count();
    let refused: Vec<_> = answers.iter().filter(|(code, _)| *code != 201).collect();
    assert_eq!((taken, refused.len()), (8, 12));
    assert!(
        refused.iter().all(|(code, body)| {
            *code == 422 && body["code"] == json!("refund_exceeds_payment")
        })
    );
    // They leave a minute apart, as the provider wants it.
    for _ in 0..10 {
        world.seconds(60).await;
    }
    let state = world.sandbox.engine().state();
    let there = state.orders.iter().find(|order| order.out_trade_no == number).unwrap();
    assert_eq!(there.refunded_fen.get(), 8000);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_number_is_one_refund() {
    let world = World::open().await;
    let (_, order, _) = world.paid(WECHAT, "1").await;
    let body = json!({"amount_fen": 1000, "reason": "多收", "out_refund_no": "MY-1"});
    let (first, made) = refund(&world, &order, body.clone()).await;
    let (second, same) = refund(&world, &order, body).await;
    assert_eq!((first, second, &made["id"]), (201, 200, &same["id"]));
    let other = json!({"amount_fen": 1001, "reason": "多收", "out_refund_no": "MY-1"});
    let (code, problem) = refund(&world, &order, other).await;
    assert_eq!((code, &problem["code"]), (409, &json!("refund_number_reused")));
    world.seconds(120).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t30_a_refund_without_funds_waits_under_its_number() {
    let world = World::open().await;
    let (_, order, _) = world.paid(WECHAT, "1").await;
    let mut fault = Fault::new(Place::Answer, Action::NotEnough);
    fault.operation = Some(Operation::Refund);
    fault.times = Some(1);
    world.sandbox.engine().set_fault(fault).unwrap();
    let (_, asked) = refund(&world, &order, json!({"amount_fen": 8000, "reason": "撤回"})).await;
    assert_eq!(word(&asked, "status"), "submitted");
    assert_eq!(
        world.count("SELECT count(*) FROM incidents WHERE kind = 'refund_waits_for_funds'").await,
        1
    );
    world.seconds(700).await;
    world.seconds(120).await;
    assert_eq!(status(&world, &asked).await, "succeeded");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_policy_holds_needs_a_second_person() {
    use payhub::refunds::{Decision, decide};
    let world = World::open_with("[policy]\nrefund_approval = \"always\"\n").await;
    let (fee, order, _) = world.paid(WECHAT, "1").await;
    let (_, held) = refund(&world, &order, json!({"amount_fen": 8000, "reason": "撤回"})).await;
    assert_eq!(word(&held, "status"), "pending_approval");
    assert_eq!(world.fee_status(&fee).await, "refunding");
    let same = decide(&world.hub, &word(&held, "id"), Decision::Approve, "registry").await;
    assert_eq!(same.unwrap_err().code, "same_person");
    let declined =
        decide(&world.hub, &word(&held, "id"), Decision::Decline, "chief").await.unwrap();
    assert_eq!(declined.status.as_str(), "declined");
    assert_eq!(world.fee_status(&fee).await, "paid", "what was held is free again");
    let (_, again) = refund(&world, &order, json!({"amount_fen": 8000, "reason": "撤回"})).await;
    decide(&world.hub, &word(&again, "id"), Decision::Approve, "chief").await.unwrap();
    world.seconds(120).await;
    assert_eq!(world.fee_status(&fee).await, "refunded");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t31_a_refund_that_is_tried_again_keeps_its_number() {
    let world = World::open_at("", strict).await;
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        let (fee, order, number) = world.paid(merchant, case).await;
        let mut fault = Fault::new(Place::Answer, Action::Status500);
        fault.operation = Some(Operation::Refund);
        fault.times = Some(3);
        world.sandbox.engine().set_fault(fault).unwrap();
        let (_, asked) =
            refund(&world, &order, json!({"amount_fen": 8000, "reason": "撤回"})).await;
        for _ in 0..12 {
            world.seconds(60).await;
        }
        assert_eq!(status(&world, &asked).await, "succeeded", "{merchant}");
        assert_eq!(world.fee_status(&fee).await, "refunded");
        let sent = format!(
            "SELECT count(*) FROM provider_calls WHERE operation = 'refund' AND subject_id = '{}'",
            word(&asked, "id")
        );
        assert_eq!(world.count(&sent).await, 4, "{merchant}");
        let there = world.sandbox.engine().state().refunds;
        let there: Vec<&str> = there
            .iter()
            .filter(|refund| refund.out_trade_no == number)
            .map(|refund| refund.out_refund_no.as_str())
            .collect();
        assert_eq!(there, [word(&asked, "out_refund_no").as_str()], "{merchant}");
    }
    world.finish().await;
}
