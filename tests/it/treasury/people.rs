//! Who asks, who decides, who verifies, who approves and who pays: the rule and its constraint.

use payhub::demo::WECHAT;
use payhub::refunds::{Decision, decide};
use serde_json::{Value, json};

use super::{applied, check, refund, refused, remit, step, told};
use crate::harness::{World, word};

async fn by(world: &World, refund: &Value, event: &str, by: &str) -> (u16, Value) {
    told(world, refund, json!({"event": event, "occurred_on": super::FRIDAY, "by": by})).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_takes_two_steps_of_a_refund() {
    let world = World::open().await;
    let (_, asked) = applied(&world, WECHAT, "1").await;
    let way = [("verified", "张科员"), ("approved", "财政局"), ("paid", "国库")];
    let mut took = vec!["registry"];
    for (event, who) in way {
        for earlier in &took {
            refused(by(&world, &asked, event, earlier).await, 409, "same_person");
            refused(by(&world, &asked, event, &format!(" {earlier} ")).await, 409, "same_person");
        }
        step(&world, &asked, event, who, super::FRIDAY).await;
        took.push(who);
    }
    // What came back is paid again by whoever pays, and told by anybody.
    step(&world, &asked, "returned", "张科员", super::FRIDAY).await;
    refused(by(&world, &asked, "paid", "财政局").await, 409, "same_person");
    step(&world, &asked, "paid", "国库", super::FRIDAY).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_decided_on_a_refund_neither_approves_nor_pays_it() {
    let world = World::open_with("[policy]\nrefund_approval = \"always\"\n").await;
    let (fee, order, _) = world.paid(WECHAT, "1").await;
    remit(&world, "缴-1", &[&fee]).await;
    let (_, asked) = refund(&world, &order, json!({"amount_fen": 8000, "reason": "撤回"})).await;
    assert_eq!(
        (word(&asked, "status").as_str(), &asked["treasury"]),
        ("pending_approval", &Value::Null)
    );
    refused(by(&world, &asked, "verified", "张科员").await, 409, "treasury_step_not_possible");
    super::proved(&world).await;
    decide(&world.hub, &word(&asked, "id"), Decision::Approve, "李科长").await.unwrap();
    check(&super::refund_now(&world, &asked).await, "processing", "applied");
    step(&world, &asked, "verified", "张科员", super::FRIDAY).await;
    refused(by(&world, &asked, "approved", "李科长").await, 409, "same_person");
    step(&world, &asked, "approved", "财政局", super::FRIDAY).await;
    refused(by(&world, &asked, "paid", "李科长").await, 409, "same_person");
    step(&world, &asked, "paid", "国库", super::FRIDAY).await;
    let (fee, order, _) = world.paid(WECHAT, "2").await;
    remit(&world, "缴-2", &[&fee]).await;
    let (_, other) = refund(&world, &order, json!({"amount_fen": 8000, "reason": "撤回"})).await;
    decide(&world.hub, &word(&other, "id"), Decision::Decline, "李科长").await.unwrap();
    assert_eq!(super::refund_now(&world, &other).await["treasury"], Value::Null);
    assert_eq!(world.fee_status(&fee).await, "paid");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn constraints_hold_who_takes_which_step_and_what_the_treasury_holds() {
    let world = World::open_with("[policy]\nrefund_approval = \"always\"\n").await;
    let (fee, order, _) = world.paid(WECHAT, "1").await;
    remit(&world, "缴-1", &[&fee]).await;
    let (_, asked) = refund(&world, &order, json!({"amount_fen": 3000, "reason": "撤回"})).await;
    decide(&world.hub, &word(&asked, "id"), Decision::Approve, "li").await.unwrap();
    step(&world, &asked, "verified", "zhang", super::FRIDAY).await;
    let add = |event: &str, by: &str, reason: &str| {
        format!(
            "INSERT INTO treasury_steps (refund_id, position, event, occurred_on, by, requested_by, reason, told_at)
             SELECT refund_id, 3, '{event}', '2018-11-30', '{by}', 'registry', {reason}, created_at FROM refunds"
        )
    };
    let client = world.database().await;
    for (statement, constraint) in [
        (add("approved", "zhang", "NULL"), "nobody_takes_two_steps_of_a_treasury_refund"),
        (add("approved", "li", "NULL"), "nobody_takes_two_steps_of_a_treasury_refund"),
        (add("paid", "li", "NULL"), "nobody_takes_two_steps_of_a_treasury_refund"),
        (add("approved", "registry", "NULL"), "nobody_verifies_or_approves_his_own_refund"),
        (add("verified", "wang", "NULL"), "a_treasury_step_is_taken_once"),
        (add("returned", "wang", "NULL"), "a_return_and_a_rejection_say_why"),
        (add("rejected", "wang", "NULL"), "a_return_and_a_rejection_say_why"),
        (add("refunded", "wang", "NULL"), "a_treasury_step_is_known"),
        ("UPDATE treasury_steps SET by = 'li'".to_owned(), "facts_are_never_changed"),
        ("DELETE FROM remittances".to_owned(), "facts_are_never_changed"),
        ("DELETE FROM remittance_reversals".to_owned(), "facts_are_never_changed"),
        ("UPDATE remittance_shares SET amount_fen = 1".to_owned(), "facts_are_never_changed"),
        (
            "UPDATE fee_balances SET treasury_refunding_fen = remitted_fen + 1".to_owned(),
            "the_treasury_gives_back_only_what_was_remitted",
        ),
        (
            "UPDATE fee_balances SET refunding_fen = refunding_fen + 1".to_owned(),
            "what_was_remitted_goes_back_through_the_treasury",
        ),
        (
            "UPDATE refunds SET state = 'unknown'".to_owned(),
            "the_treasurys_refund_is_in_a_state_of_its_route",
        ),
        (
            "UPDATE refunds SET surplus_fen = 1".to_owned(),
            "surplus_never_goes_through_the_treasury",
        ),
        (
            "UPDATE refunds SET refund_call = 'sent'".to_owned(),
            "only_a_refund_that_the_hub_sends_has_a_call",
        ),
    ] {
        let error = client.execute(statement.as_str(), &[]).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().constraint(), Some(constraint), "{statement}");
    }
    world.finish().await;
}
