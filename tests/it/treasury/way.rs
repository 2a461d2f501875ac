//! The way of one refund, from its application to its end, with its clock.

use payhub::demo::{ALIPAY, WECHAT};
use serde_json::{Value, json};

use super::{applied, check, days, proved, refund, refund_now, refused, step, told};
use crate::harness::{World, word};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_of_a_remitted_fee_is_verified_approved_and_paid_and_no_provider_hears_of_it() {
    let world = World::open().await;
    let mut refunds = Vec::new();
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        let (fee, asked) = applied(&world, merchant, case).await;
        check(&asked, "processing", "applied");
        assert_eq!(asked["treasury"]["due_on"], json!("2018-12-14"));
        assert_eq!(world.fee_status(&fee).await, "refunding");
        proved(&world).await;
        refunds.push((fee, asked));
    }
    let stored = "SELECT count(*) FROM refunds WHERE refund_call IS NOT NULL";
    assert_eq!(world.count(stored).await, 0, "there is nothing that could be sent");
    days(&world, 3).await;
    for (fee, asked) in refunds {
        let then = step(&world, &asked, "verified", "张科员", "2018-12-03").await;
        check(&then, "processing", "unit_verified");
        assert_eq!(then["treasury"]["due_on"], json!("2018-12-17"));
        let then = step(&world, &asked, "approved", "财政局", "2018-12-03").await;
        check(&then, "processing", "finance_approved");
        let then = step(&world, &asked, "paid", "国库", "2018-12-03").await;
        check(&then, "succeeded", "paid");
        assert_eq!(then["treasury"]["due_on"], Value::Null);
        assert_eq!(then["succeeded_at"], json!("2018-12-03T00:00:00+08:00"));
        assert_eq!(word(&then["treasury"]["steps"][2], "document_no"), "approved-1");
        assert_eq!(world.fee_status(&fee).await, "refunded");
    }
    world.settle().await.unwrap();
    assert_eq!(world.heard()["refund.succeeded"], 2);
    let calls = "SELECT count(*) FROM provider_calls WHERE operation LIKE '%refund%'";
    assert_eq!(world.count(calls).await, 0);
    assert!(world.sandbox.engine().state().refunds.is_empty());
    world.finish().await;
}

/// A refund that the treasury has paid.
async fn paid_out(world: &World, case: &str) -> (String, Value) {
    let (fee, asked) = applied(world, WECHAT, case).await;
    for (event, by) in [("verified", "张科员"), ("approved", "财政局"), ("paid", "国库")] {
        step(world, &asked, event, by, super::FRIDAY).await;
    }
    (fee, asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_comes_back_to_the_treasury_is_made_again() {
    let world = World::open().await;
    let (fee, asked) = paid_out(&world, "1").await;
    assert_eq!(world.fee_status(&fee).await, "refunded");
    for round in 1..=2 {
        let back = step(&world, &asked, "returned", "国库", super::FRIDAY).await;
        check(&back, "processing", "returned");
        assert_eq!(back["succeeded_at"], Value::Null, "round {round}");
        assert_eq!(back["treasury"]["due_on"], json!("2018-12-14"));
        assert_eq!(world.fee_status(&fee).await, "refunding");
        let twice = json!({"event": "returned", "occurred_on": super::FRIDAY, "by": "国库",
                           "reason": "收款账号有误"});
        refused(told(&world, &asked, twice).await, 409, "treasury_step_not_possible");
        let again = step(&world, &asked, "paid", "国库", super::FRIDAY).await;
        check(&again, "succeeded", "paid");
        assert_eq!(world.fee_status(&fee).await, "refunded");
    }
    let posted = "SELECT count(*) FROM journal_entries WHERE kind = 'treasury_refund_returned'";
    assert_eq!(world.count(posted).await, 2);
    let owed = "SELECT COALESCE(sum(CASE WHEN debit = 'treasury_claim' THEN amount_fen
                                         WHEN credit = 'treasury_claim' THEN -amount_fen END), 0)::bigint
                  FROM journal_lines";
    assert_eq!(world.count(owed).await, 0, "the treasury owes nothing more");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_came_back_may_be_rejected_and_the_fee_be_refunded_anew() {
    let world = World::open().await;
    let (fee, asked) = paid_out(&world, "1").await;
    step(&world, &asked, "returned", "国库", super::FRIDAY).await;
    let then = step(&world, &asked, "rejected", "国库", super::FRIDAY).await;
    check(&then, "failed", "rejected");
    assert_eq!(world.fee_status(&fee).await, "paid");
    let order = word(&asked, "order_id");
    let (code, anew) = refund(&world, &order, json!({"amount_fen": 8000, "reason": "撤回"})).await;
    assert_eq!((code, word(&anew, "route").as_str()), (201, "treasury"), "{anew}");
    check(&anew, "processing", "applied");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_may_be_rejected_with_a_reason_and_the_money_is_free_again() {
    let world = World::open().await;
    let before = [
        vec![],
        vec![("verified", "张科员")],
        vec![("verified", "张科员"), ("approved", "财政局")],
    ];
    for (case, steps) in ["1", "2", "3"].into_iter().zip(before) {
        let (fee, asked) = applied(&world, ALIPAY, case).await;
        for (event, by) in steps {
            step(&world, &asked, event, by, super::FRIDAY).await;
        }
        let bare = json!({"event": "rejected", "occurred_on": super::FRIDAY, "by": "张科员"});
        refused(told(&world, &asked, bare).await, 422, "reason_needed");
        let then = step(&world, &asked, "rejected", "张科员", super::FRIDAY).await;
        check(&then, "failed", "rejected");
        assert_eq!(world.fee_status(&fee).await, "paid");
    }
    world.settle().await.unwrap();
    assert_eq!(world.heard()["refund.failed"], 3);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_step_is_left_out_told_twice_or_told_of_a_day_that_cannot_be() {
    let world = World::open().await;
    let (_, asked) = applied(&world, WECHAT, "1").await;
    let of = |event: &str, on: &str| json!({"event": event, "occurred_on": on, "by": "某人", "reason": "有误"});
    for early in ["applied", "approved", "paid", "returned"] {
        let answer = told(&world, &asked, of(early, super::FRIDAY)).await;
        refused(answer, 409, "treasury_step_not_possible");
    }
    for day in ["2018-11-29", "2018-12-01"] {
        refused(told(&world, &asked, of("verified", day)).await, 422, "occurred_on_invalid");
    }
    for (field, text) in [("by", " "), ("by", "一\u{7}二"), ("document_no", ""), ("reason", "\n")]
    {
        let mut odd = of("verified", super::FRIDAY);
        odd[field] = json!(text);
        let problem = refused(told(&world, &asked, odd).await, 422, "text_invalid");
        assert_eq!(problem["field"], json!(field));
    }
    let (code, problem) = told(&world, &asked, of("refunded", super::FRIDAY)).await;
    assert_eq!(code, 422, "{problem}");
    for (event, by) in [("verified", "张科员"), ("approved", "财政局"), ("paid", "国库")] {
        step(&world, &asked, event, by, super::FRIDAY).await;
        let twice = told(&world, &asked, of(event, super::FRIDAY)).await;
        refused(twice, 409, "treasury_step_not_possible");
    }
    refused(
        told(&world, &asked, of("rejected", super::FRIDAY)).await,
        409,
        "treasury_step_not_possible",
    );
    let nobody = json!({"id": "rfd_00000000000000000000000000000000"});
    assert_eq!(told(&world, &nobody, of("verified", super::FRIDAY)).await.0, 404);
    let (_, order, _) = world.paid(WECHAT, "2").await;
    let (_, other) = refund(&world, &order, json!({"amount_fen": 8000, "reason": "撤回"})).await;
    refused(told(&world, &other, of("verified", super::FRIDAY)).await, 409, "refund_not_treasury");
    world.seconds(120).await;
    world.finish().await;
}

async fn overdue(world: &World, state: &str) -> i64 {
    world
        .count(&format!(
            "SELECT count(*) FROM incidents WHERE kind = 'treasury_refund_overdue' AND closed_at IS {state}"
        ))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_is_not_taken_in_its_working_days_is_a_task_until_it_is_taken() {
    let world = World::open().await;
    let (_, asked) = applied(&world, WECHAT, "1").await;
    // Friday the 14th is the tenth working day; it is over at midnight.
    days(&world, 14).await;
    assert_eq!(refund_now(&world, &asked).await["treasury"]["overdue"], json!(false));
    assert_eq!(overdue(&world, "NULL").await, 0);
    days(&world, 1).await;
    assert_eq!(refund_now(&world, &asked).await["treasury"]["overdue"], json!(true));
    assert_eq!(overdue(&world, "NULL").await, 1);
    days(&world, 1).await;
    assert_eq!(overdue(&world, "NULL").await, 1, "once");
    let (_, tasks) =
        world.get("/v1/incidents?state=open&kind=treasury_refund_overdue").await.unwrap();
    assert_eq!(word(&tasks["data"][0], "refund_id"), word(&asked, "id"));
    let then = step(&world, &asked, "verified", "张科员", "2018-12-16").await;
    assert_eq!(then["treasury"]["overdue"], json!(false));
    world.seconds(1).await;
    assert_eq!((overdue(&world, "NULL").await, overdue(&world, "NOT NULL").await), (0, 1));
    days(&world, 13).await;
    assert_eq!(overdue(&world, "NULL").await, 1, "the next step has a clock of its own");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_that_the_office_found_itself_is_verified_in_five_days() {
    let world = World::open().await;
    let (fee, order, _) = world.paid(WECHAT, "1").await;
    super::remit(&world, "缴-1", &[&fee]).await;
    let body = json!({"amount_fen": 500, "reason": "多收", "found_by_office": true});
    let (_, asked) = refund(&world, &order, body).await;
    assert_eq!(asked["treasury"]["due_on"], json!("2018-12-07"));
    let then = step(&world, &asked, "verified", "张科员", super::FRIDAY).await;
    assert_eq!(then["treasury"]["due_on"], json!("2018-12-14"));
    world.finish().await;
}
