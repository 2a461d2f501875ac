//! Tasks for people: who sees them, what is proposed, who closes them, and which close themselves.

mod again;
mod whose;

use payhub::demo::WECHAT;
use sandbox::{Action, Fault, Operation, Pay, Place};
use serde_json::{Value, json};

use crate::harness::{World, word};

const OTHER_KEY: &str = "phk_another_service_000000000000000000000";
const OTHER: &str = r#"
[[applications]]
id = "another"
api_key = "phk_another_service_000000000000000000000"
"#;

/// An order that two payers paid.
async fn paid_twice(world: &World, case_no: &str) -> String {
    let (_, order, number) = world.paid(WECHAT, case_no).await;
    let twice = Pay { out_trade_no: number, force: true, notify: Some(true), ..Pay::default() };
    world.sandbox.engine().pay_as(&twice).unwrap();
    world.settle().await.unwrap();
    order
}

async fn list(world: &World, query: &str) -> Vec<Value> {
    let (status, list) = world.get(&format!("/v1/incidents{query}")).await.unwrap();
    assert_eq!(status, 200, "{list}");
    list["data"].as_array().unwrap().clone()
}

async fn as_another(world: &World, path: &str) -> (u16, Value) {
    let asked = world.client().get(world.url(path)).bearer_auth(OTHER_KEY).send().await.unwrap();
    let status = asked.status().as_u16();
    (status, serde_json::from_slice(&asked.bytes().await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_closed_once_with_a_note_by_whoever_dealt_with_it() {
    let world = World::open().await;
    let order = paid_twice(&world, "1").await;
    let task = list(&world, "?state=open").await.remove(0);
    assert_eq!((&task["kind"], &task["order_id"]), (&json!("surplus_payment"), &json!(order)));
    assert!(word(&task, "id").starts_with("inc_"));
    let path = format!("/v1/incidents/{}/close", word(&task, "id"));
    let (status, refused) = world.post(&path, &json!({"note": " "})).await.unwrap();
    assert_eq!((status, &refused["code"]), (422, &json!("note_needed")), "{refused}");
    let note = json!({"note": "当面退还"});
    let (status, closed) = world.post(&path, &note).await.unwrap();
    assert_eq!((status, &closed["status"]), (200, &json!("closed")), "{closed}");
    assert_eq!((&closed["closed_by"], &closed["note"]), (&json!("registry"), &note["note"]));
    assert_eq!(closed["proposed_action"], Value::Null);
    let (status, again) = world.post(&path, &note).await.unwrap();
    assert_eq!((status, &again["code"]), (409, &json!("incident_closed")), "{again}");
    assert!(list(&world, "?state=open").await.is_empty());
    assert_eq!(list(&world, "?state=closed").await.len(), 1);
    let nobody = "/v1/incidents/inc_00000000000000000000000000000000/close";
    assert_eq!(world.post(nobody, &note).await.unwrap().0, 404);
    assert_eq!(world.get("/v1/incidents?state=lost").await.unwrap().0, 400);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_sees_its_own_tasks_and_the_office_s_when_it_hears_those() {
    let world = World::open_with(OTHER).await;
    paid_twice(&world, "1").await;
    paid_twice(&world, "2").await;
    // One about nobody's order.
    world
        .database()
        .await
        .execute(
            "INSERT INTO incidents (incident_id, merchant_id, kind, detail, dedupe_key, opened_at)
             VALUES ('inc_00000000000000000000000000000001', $1, 'channel_fault', 'no balance', 'x', $2)",
            &[&WECHAT, &crate::harness::at(crate::harness::OPENING)],
        )
        .await
        .unwrap();
    assert_eq!(list(&world, "").await.len(), 3, "registry hears of office-wide events");
    assert_eq!(list(&world, "?kind=channel_fault").await.len(), 1);
    assert_eq!(list(&world, "?merchant_id=nobody").await.len(), 0);
    let (status, seen) = as_another(&world, "/v1/incidents").await;
    assert_eq!((status, &seen["data"]), (200, &json!([])), "it has no order, and hears nothing");
    let mut read = Vec::new();
    let mut cursor = String::new();
    loop {
        let (_, page) = world.get(&format!("/v1/incidents?limit=1{cursor}")).await.unwrap();
        read.extend(page["data"].as_array().unwrap().iter().map(|task| word(task, "id")));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(read.len(), 3, "each once, page by page");
    assert!(read.windows(2).all(|pair| pair[0] > pair[1]), "newest first");
    let theirs = world
        .client()
        .post(world.url(&format!("/v1/incidents/{}/close", read[0])))
        .bearer_auth(OTHER_KEY)
        .header("content-type", "application/json")
        .body(json!({"note": "?"}).to_string());
    assert_eq!(theirs.send().await.unwrap().status().as_u16(), 404);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t30_a_refund_that_waits_for_funds_is_a_task_until_it_goes_through() {
    let world = World::open().await;
    let (_, order, _) = world.paid(WECHAT, "1").await;
    let poor = Fault::new(Place::Answer, Action::NotEnough).during(Operation::Refund).times(2);
    world.sandbox.engine().set_fault(poor).unwrap();
    let body = json!({"amount_fen": 8000, "reason": "撤回"});
    let (status, asked) = world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    assert_eq!(status, 201, "{asked}");
    let tasks = list(&world, "?state=open").await;
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0]["proposed_action"]["action"], json!("top_up"), "{}", tasks[0]);
    assert_eq!(tasks[0]["refund_id"], asked["id"]);
    world.seconds(601).await;
    assert_eq!(list(&world, "?state=open").await.len(), 1, "one task, however often it waits");
    world.seconds(601).await;
    world.seconds(120).await;
    let closed = list(&world, "?state=closed").await.remove(0);
    assert_eq!(closed["closed_by"], json!("payhub"), "{closed}");
    let (_, now) = world.get(&format!("/v1/refunds/{}", word(&asked, "id"))).await.unwrap();
    assert_eq!(
        (&now["status"], &now["out_refund_no"]),
        (&json!("succeeded"), &asked["out_refund_no"])
    );
    assert_eq!(world.sandbox.engine().state().refunds.len(), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abnormal_refund_is_a_task_until_its_money_is_there() {
    let world = World::open().await;
    let (_, order, _) = world.paid(WECHAT, "1").await;
    let bad = Fault::new(Place::Answer, Action::Abnormal).during(Operation::Refund).times(1);
    world.sandbox.engine().set_fault(bad).unwrap();
    let body = json!({"amount_fen": 8000, "reason": "撤回"});
    let (_, asked) = world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    world.seconds(120).await;
    let task = list(&world, "?state=open&kind=refund_abnormal").await.remove(0);
    assert_eq!(
        (&task["refund_id"], &task["proposed_action"]["action"]),
        (&asked["id"], &json!("redirect_refund"))
    );
    let path = format!("/v1/refunds/{}/redirect", word(&asked, "id"));
    let (status, sent) = world.post(&path, &json!({"to": "merchant_account"})).await.unwrap();
    assert_eq!(status, 200, "{sent}");
    for _ in 0..3 {
        world.seconds(60).await;
    }
    let closed = list(&world, "?state=closed&kind=refund_abnormal").await.remove(0);
    assert_eq!(
        (&closed["closed_by"], &closed["note"]),
        (&json!("payhub"), &json!("the refund is succeeded"))
    );
    world.finish().await;
}
