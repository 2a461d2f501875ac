//! The way of a difference: assigned, proposed, agreed to by another, done; ended by a run; taken up
//! again.

use domain::difference::Remedy;
use payhub::demo::WECHAT;
use payhub::differences::{Doing, Proposal, Signed, take};
use sandbox::Action;
use serde_json::json;

use super::{NEXT_MORNING, act, difference, remedy, spoil, two_differences};
use crate::harness::{World, at, word};

async fn rerun(world: &World) {
    let body = json!({"merchant_id": WECHAT, "date": "2018-11-30", "refetch": true});
    assert_eq!(world.post("/v1/reconciliations", &body).await.unwrap().0, 202);
    world.settle().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proposer_never_approves() {
    let (world, id, _) = two_differences().await;
    assert_eq!(act(&world, &id, remedy(Remedy::Park), "张三").await, "difference_conflict");
    assert_eq!(act(&world, &id, Doing::Assign { to: "张三" }, "李四").await, "assigned");
    let silent = Signed { by: "张三", reason: None };
    let refused = take(&world.hub, &id, remedy(Remedy::Park), silent).await.unwrap_err();
    assert_eq!(refused.code, "reason_missing");
    assert_eq!(act(&world, &id, remedy(Remedy::AskProvider), "张三").await, "proposed");
    assert_eq!(act(&world, &id, Doing::Resolve, "张三").await, "difference_conflict");
    for same in ["张三", " 张 三 "] {
        assert_eq!(act(&world, &id, Doing::Approve, same).await, "same_person", "{same:?}");
    }
    // By hand in the database, around every rule of the program.
    let client = world.database().await;
    for (event, more, constraint) in [
        ("approved", "", "nobody_approves_what_he_proposed"),
        ("resolved", "", "nothing_is_over_before_another_agreed"),
        ("reopened", "'x'", "what_is_over_is_taken_up_again_first"),
    ] {
        let reason = if more.is_empty() { "NULL" } else { more };
        let by_hand = format!(
            "INSERT INTO difference_steps (difference_id, position, event, \"by\", reason, told_at)
             VALUES ($1, 3, '{event}', '张 三', {reason}, $2)"
        );
        let refused = client.execute(&by_hand, &[&id, &at(NEXT_MORNING)]).await.unwrap_err();
        let found = refused.as_db_error().unwrap().constraint().unwrap_or_default().to_owned();
        assert_eq!(found, constraint, "{refused:?}");
    }
    assert!(client.batch_execute("DELETE FROM difference_steps").await.is_err());
    drop(client);
    // Two hubs at once: one agrees, the other hears that it is done.
    let (one, two) = tokio::join!(
        act(&world, &id, Doing::Approve, "李四"),
        act(&world, &id, Doing::Approve, "王五")
    );
    let mut outcomes = [one, two];
    outcomes.sort();
    assert_eq!(outcomes, ["approved", "difference_conflict"]);
    assert_eq!(act(&world, &id, Doing::Resolve, "张三").await, "resolved");
    let found = difference(&world, &id).await;
    let steps: Vec<String> =
        found["steps"].as_array().unwrap().iter().map(|step| word(step, "event")).collect();
    assert_eq!(steps, ["assigned", "proposed", "approved", "resolved"]);
    assert_eq!((&found["owner"], &found["age_days"]), (&json!("张三"), &json!(1)));
    world.settle().await.unwrap();
    assert_eq!(world.heard().get("difference.resolved"), Some(&1));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_bill_ends_a_difference_whoever_has_it() {
    let (world, missing, extra) = two_differences().await;
    act(&world, &missing, Doing::Assign { to: "张三" }, "李四").await;
    act(&world, &missing, remedy(Remedy::Park), "张三").await;
    // The same bill again: the difference is the same, and keeps its way.
    rerun(&world).await;
    assert_eq!(word(&difference(&world, &missing).await, "status"), "proposed");
    let runs = world.get("/v1/reconciliations?date=2018-11-30").await.unwrap().1;
    let newest = runs["data"].as_array().unwrap().iter().find(|run| run["version"] == 2).unwrap();
    let path = format!("/v1/reconciliations/{}/differences", word(newest, "id"));
    let (_, of_run) = world.get(&path).await.unwrap();
    let shown = of_run["data"].as_array().unwrap().iter().find(|one| one["id"] == missing.as_str());
    assert_eq!(shown.unwrap()["status"], "proposed", "{of_run}");
    world.sandbox.engine().lift_faults(None);
    rerun(&world).await;
    let cleared = difference(&world, &missing).await;
    assert_eq!(word(&cleared, "status"), "cleared");
    let last = cleared["steps"].as_array().unwrap().last().unwrap().clone();
    assert!(word(&last, "by").starts_with("run_"), "{last}");
    assert_eq!(word(&difference(&world, &extra).await, "status"), "superseded");
    assert_eq!(act(&world, &missing, Doing::Approve, "李四").await, "difference_conflict");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_ended_is_the_same_difference_in_a_newer_run() {
    let (world, missing, extra) = two_differences().await;
    for (id, how) in [(&missing, Remedy::Corrected), (&extra, Remedy::WriteOff)] {
        act(&world, id, Doing::Assign { to: "张三" }, "李四").await;
        assert_eq!(act(&world, id, remedy(how), "张三").await, "proposed");
        assert_eq!(act(&world, id, Doing::Approve, "李四").await, "approved");
    }
    assert_eq!(act(&world, &missing, Doing::WriteOff, "张三").await, "difference_conflict");
    assert_eq!(act(&world, &missing, Doing::Resolve, "张三").await, "resolved");
    assert_eq!(act(&world, &extra, Doing::WriteOff, "张三").await, "written_off");
    rerun(&world).await;
    // It was said to be mended, and the bill lacks it still; what was written off stays so.
    assert_eq!(word(&difference(&world, &missing).await, "status"), "open");
    assert_eq!(word(&difference(&world, &extra).await, "status"), "written_off");
    assert_eq!(world.count("SELECT count(*) FROM differences WHERE same_as IS NULL").await, 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_settles_a_difference_when_it_is_done_and_of_its_order() {
    let world = World::open().await;
    let (_, order, number) = world.paid(WECHAT, "1").await;
    let (_, other, _) = world.paid(WECHAT, "2").await;
    let body = json!({"amount_fen": 8000, "reason": "撤回"});
    let ask = |order: String| {
        let (world, body) = (&world, &body);
        async move {
            let (_, asked) =
                world.post(&format!("/v1/orders/{order}/refunds"), body).await.unwrap();
            word(&asked, "id")
        }
    };
    let (refund, foreign) = (ask(order).await, ask(other).await);
    spoil(&world, Action::ChangedRow, &number);
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let (_, list) = world.get("/v1/differences").await.unwrap();
    let id = word(&list["data"][0], "id");
    act(&world, &id, Doing::Assign { to: "张三" }, "李四").await;
    let by = |refund_id| {
        Doing::Propose(Proposal { remedy: Remedy::Refund, amount: None, refund_id, with: None })
    };
    assert_eq!(act(&world, &id, by(None), "张三").await, "remedy_invalid");
    assert_eq!(act(&world, &id, by(Some(&foreign)), "张三").await, "remedy_invalid");
    assert_eq!(act(&world, &id, by(Some(&refund)), "张三").await, "proposed");
    assert_eq!(act(&world, &id, Doing::Approve, "李四").await, "approved");
    assert_eq!(act(&world, &id, Doing::Resolve, "张三").await, "resolved");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn differences_are_found_by_state_owner_and_age() {
    let (world, missing, extra) = two_differences().await;
    act(&world, &missing, Doing::Assign { to: "张三" }, "李四").await;
    let ids = |query: &'static str| {
        let world = &world;
        async move {
            let (status, list) = world.get(&format!("/v1/differences{query}")).await.unwrap();
            assert_eq!(status, 200, "{list}");
            let data = list["data"].as_array().unwrap();
            data.iter().map(|one| word(one, "id")).collect::<Vec<String>>()
        }
    };
    assert_eq!(ids("?owner=张三").await, [missing.as_str()]);
    assert_eq!(ids("?status=open").await, [extra.as_str()]);
    assert_eq!(ids("?status=resolved").await, [""; 0]);
    assert_eq!(ids("?older_than=0").await.len(), 2);
    assert_eq!(ids("?older_than=1").await, [""; 0], "they are one day old");
    assert_eq!(ids("?merchant_id=nobody").await, [""; 0]);
    assert_eq!(ids("?limit=1").await.len(), 1);
    let (status, bad) = world.get("/v1/differences?status=lost").await.unwrap();
    assert_eq!((status, &bad["code"]), (400, &json!("invalid_query")), "{bad}");
    assert_eq!(world.get("/v1/differences/dif_x").await.unwrap().0, 404);
    let (status, _) = world.post(&format!("/v1/differences/{extra}"), &json!({})).await.unwrap();
    assert_eq!(status, 405, "no key of a backend takes a step");
    world.finish().await;
}
