//! The audit trail: what people did is on it, and a hand in it shows.

use domain::difference::Remedy;
use domain::sign_off::SignOffStep;
use payhub::demo::WECHAT;
use payhub::differences::Doing;
use payhub::ledger;
use payhub::sign_off::{Signing, sign};
use payhub::store::audit;
use serde_json::json;

use super::{act, remedy, two_differences};
use crate::harness::{World, word};

/// A morning: a difference is worked on, a run is signed, a day is asked for again.
async fn morning() -> World {
    let (world, id, _) = two_differences().await;
    act(&world, &id, Doing::Assign { to: "张三" }, "李四").await;
    act(&world, &id, remedy(Remedy::Park), "张三").await;
    let path = format!("/v1/reconciliations?date=2018-11-30&merchant_id={WECHAT}");
    let run = word(&world.get(&path).await.unwrap().1["data"][0], "id");
    let signing = Signing { step: SignOffStep::Prepared, by: "张三", reason: None };
    sign(&world.hub, &run, &signing).await.unwrap();
    let body = json!({"merchant_id": WECHAT, "date": "2018-11-30"});
    assert_eq!(world.post("/v1/reconciliations", &body).await.unwrap().0, 202);
    world.settle().await.unwrap();
    world
}

/// Changes rows as a superuser can, who switches triggers off; the breaks that are found then, and
/// everything is as it was.
async fn breaks_after(world: &World, hand: &str) -> Vec<String> {
    let mut client = world.database().await;
    let tx = client.transaction().await.unwrap();
    let hand = format!("SET LOCAL session_replication_role = replica; {hand}");
    tx.batch_execute(&hand).await.unwrap();
    tx.commit().await.unwrap();
    ledger::verify(&world.hub).await.unwrap().breaks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_do_stands_on_the_trail_and_nobody_is_named_who_pays() {
    let world = morning().await;
    let client = world.hub.store.client().await.unwrap();
    let day: jiff::civil::Date = "2018-12-01".parse().unwrap();
    let entries = audit::of_day(&client, day).await.unwrap();
    let told: Vec<(i64, &str, &str)> =
        entries.iter().map(|it| (it.seq, it.by.as_str(), it.action.as_str())).collect();
    assert_eq!(
        told,
        [
            (1, "李四", "difference.assigned"),
            (2, "张三", "difference.proposed"),
            (3, "张三", "run.prepared"),
            (4, "application registry", "run.asked_for"),
        ]
    );
    let all = entries.iter().map(|entry| entry.data.to_string()).collect::<String>();
    assert!(!all.contains("查明原因"), "a reason may name anybody: {all}");
    assert!(entries[1].data["reason"].is_string(), "what proves it is there");
    assert_eq!(audit::list(&client, 2, None, 10).await.unwrap().len(), 2);
    let about = audit::list(&client, 0, Some(&entries[0].subject), 10).await.unwrap();
    assert_eq!(about.len(), 2);
    drop(client);
    let proof = ledger::verify(&world.hub).await.unwrap();
    assert_eq!((proof.acts, proof.breaks.len()), (4, 0));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_audit_row_is_found() {
    for (hand, told) in [
        ("UPDATE audit_entries SET \"by\" = '王五' WHERE seq = 2", "audit trail: entry 2 "),
        (
            "UPDATE audit_entries SET data = data || '{\"to\": \"approved\"}' WHERE seq = 3",
            "audit trail: entry 3 ",
        ),
        (
            "UPDATE audit_entries SET at = at + interval '1 second' WHERE seq = 1",
            "audit trail: entry 1 ",
        ),
        ("DELETE FROM audit_entries WHERE seq = 2", "audit trail: entry 2 is missing"),
    ] {
        let world = morning().await;
        assert_eq!(ledger::verify(&world.hub).await.unwrap().breaks, [""; 0]);
        let refused = world.database().await.batch_execute(hand).await.unwrap_err();
        assert_eq!(refused.as_db_error().unwrap().constraint(), Some("facts_are_never_changed"));
        let breaks = breaks_after(&world, hand).await;
        assert!(breaks.iter().any(|found| found.starts_with(told)), "{hand}: {breaks:?}");
        world.close_only().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_tail_of_the_trail_is_found() {
    let world = morning().await;
    let cut = "DELETE FROM audit_entries WHERE seq > 3";
    let breaks = breaks_after(&world, cut).await;
    assert!(breaks.iter().any(|found| found.contains("its head is entry 4")), "{breaks:?}");
    // Nobody acts behind it, so that the hole is not written over.
    let path = format!("/v1/reconciliations?date=2018-11-30&merchant_id={WECHAT}");
    let run = word(&world.get(&path).await.unwrap().1["data"][0], "id");
    let signing = Signing { step: SignOffStep::Prepared, by: "张三", reason: None };
    assert_eq!(sign(&world.hub, &run, &signing).await.unwrap_err().status, 500);
    // The head set back to where the tail ends now: no one has the seal for it.
    let back =
        "UPDATE audit_heads SET seq = 3, mac = (SELECT mac FROM audit_entries WHERE seq = 3)";
    let breaks = breaks_after(&world, back).await;
    assert!(breaks.iter().any(|found| found.contains("somebody else set its head")), "{breaks:?}");
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_is_not_on_the_trail_is_found() {
    let world = morning().await;
    let hand = "UPDATE difference_steps SET \"by\" = '王五' WHERE event = 'proposed'";
    let breaks = breaks_after(&world, hand).await;
    let told = "(proposed by 王五) stands on the audit trail 0 times";
    assert!(breaks.iter().any(|found| found.contains(told)), "{breaks:?}");
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_claims_to_be_a_run_and_who_gives_himself_a_role_is_found() {
    use domain::personal::Secret;
    use domain::user::UserRole;
    use payhub::users;
    let world = morning().await;
    let password = Secret::new("a long password".to_owned());
    users::add(&world.hub, "王五", &[UserRole::Preparer], &password).await.unwrap();
    users::add(&world.hub, "赵六", &[UserRole::Auditor], &password).await.unwrap();
    users::set_password(&world.hub, "王五", &Secret::new("another password".to_owned()))
        .await
        .unwrap();
    users::disable(&world.hub, "赵六").await.unwrap();
    assert_eq!(ledger::verify(&world.hub).await.unwrap().breaks, [""; 0]);
    let mut client = world.hub.store.client().await.unwrap();
    for (hand, told) in [
        (
            "UPDATE difference_steps SET \"by\" = '王五', run_id = (SELECT run_id FROM runs LIMIT 1) WHERE event = 'proposed'",
            "(proposed by 王五) stands on the audit trail 0 times",
        ),
        (
            "UPDATE difference_steps SET \"by\" = r.run_id, run_id = r.run_id FROM (SELECT run_id FROM runs LIMIT 1) r WHERE event = 'proposed'",
            "stands on the audit trail 0 times",
        ),
        (
            "UPDATE users SET roles = ARRAY['preparer', 'approver'] WHERE name = '王五'",
            "user 王五 has the roles preparer, approver, the audit trail says",
        ),
        ("UPDATE users SET disabled_at = NULL", "user 赵六 is enabled"),
        ("UPDATE users SET disabled_at = created_at", "user 王五 is disabled"),
        (
            "INSERT INTO users SELECT '钱七', '钱七', roles, password_hash, created_at, NULL FROM users WHERE name = '王五'",
            "user 钱七 has the roles preparer, the audit trail says nothing",
        ),
        ("DELETE FROM users WHERE name = '王五'", "user 王五 has the roles none"),
        (
            "UPDATE users u SET password_hash = (SELECT password_hash FROM users WHERE name = '赵六') WHERE name = '王五'",
            "user 王五 has another password than the audit trail says",
        ),
    ] {
        let tx = client.transaction().await.unwrap();
        let hand = format!("SET LOCAL session_replication_role = replica; {hand}");
        tx.batch_execute(&hand).await.unwrap();
        let breaks = ledger::prove(&tx, &world.hub.sealer).await.unwrap().breaks;
        assert!(breaks.iter().any(|found| found.contains(told)), "{hand}: {breaks:?}");
        tx.rollback().await.unwrap();
    }
    drop(client);
    world.finish().await;
}
