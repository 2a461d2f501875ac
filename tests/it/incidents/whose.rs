//! Whose an incident is, who may close it, and that a repeat of the call that closed it hears what
//! the first one did.

use domain::ids::IncidentId;
use payhub::demo::{Office, WECHAT};
use payhub::incidents::{self, Closing};
use payhub::store::incidents::{NewOfApplication, open_of_application};
use sandbox::{Action, Fault, Operation, Place};
use serde_json::{Value, json};

use super::{OTHER, OTHER_KEY, as_another, list};
use crate::harness::{World, at, word};

/// The other service hears office-wide events, too.
const HEARS: &str = "webhook_events = [\"reconciliation.completed\"]\n";

/// The endpoint of an application is gone.
async fn gone(world: &World, application: &str, key: &str) {
    let client = world.hub.store.client().await.unwrap();
    let id: IncidentId = "inc_00000000000000000000000000000001".parse().unwrap();
    let incident = NewOfApplication {
        incident_id: &id,
        application,
        kind: "endpoint_gone",
        detail: "410",
        dedupe_key: key,
        now: world.hub.clock.now(),
    };
    assert!(open_of_application(&client, &incident).await.unwrap());
}

async fn close_as(world: &World, key: &str, id: &str) -> (u16, Value) {
    let path = world.url(&format!("/v1/incidents/{id}/close"));
    let body = json!({"note": "mended"}).to_string();
    let answer = world.client().post(path).bearer_auth(key).body(body).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_about_an_endpoint_is_its_application_s_and_nobody_else_s() {
    let world = World::open_with(&format!("{OTHER}{HEARS}")).await;
    gone(&world, "registry", "endpoint_gone:registry:1").await;
    let own = list(&world, "?kind=endpoint_gone").await.remove(0);
    assert_eq!((&own["application_id"], &own["merchant_id"]), (&json!("registry"), &json!(null)));
    let (_, theirs) = as_another(&world, "/v1/incidents").await;
    assert_eq!(theirs["data"], json!([]), "it hears office-wide events, and this is none");
    let id = word(&own, "id");
    assert_eq!(close_as(&world, OTHER_KEY, &id).await.0, 404);
    let (status, closed) = close_as(&world, Office::api_key(), &id).await;
    assert_eq!((status, &closed["status"]), (200, &json!("closed")), "{closed}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_about_the_hub_itself_is_closed_by_an_operator() {
    let world = World::open().await;
    world
        .database()
        .await
        .execute(
            "INSERT INTO incidents (incident_id, merchant_id, kind, detail, dedupe_key, opened_at)
             VALUES ('inc_00000000000000000000000000000002', $1, 'journal_broken', 'entry 7', 'x', $2)",
            &[&WECHAT, &at(crate::harness::OPENING)],
        )
        .await
        .unwrap();
    let id = word(&list(&world, "").await.remove(0), "id");
    let (status, refused) = close_as(&world, Office::api_key(), &id).await;
    assert_eq!((status, &refused["code"]), (409, &json!("operator_needed")), "{refused}");
    assert_eq!(list(&world, "?state=open").await.len(), 1);
    let closing = Closing { id: &id, application: None, by: "chief", note: "restored" };
    let client = world.hub.store.client().await.unwrap();
    let closed = incidents::close(&client, closing, world.hub.clock.now()).await.unwrap();
    assert_eq!(closed.closed_by.as_deref(), Some("chief"));
    drop(client);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_about_the_refund_with_exactly_its_number() {
    let world = World::open().await;
    let (_, order, _) = world.paid(WECHAT, "1").await;
    let ask = async |number: &str| {
        let body = json!({"amount_fen": 1000, "reason": "撤回", "out_refund_no": number});
        let path = format!("/v1/orders/{order}/refunds");
        let (status, asked) = world.post(&path, &body).await.unwrap();
        assert_eq!(status, 201, "{asked}");
        world.seconds(120).await;
        world.seconds(120).await;
        asked
    };
    ask("R_1").await;
    let bad = Fault::new(Place::Answer, Action::Abnormal).during(Operation::Refund).times(1);
    world.sandbox.engine().set_fault(bad).unwrap();
    let abnormal = ask("RA1").await;
    let states = "SELECT string_agg(out_refund_no || ' ' || state, ', ' ORDER BY out_refund_no) FROM refunds";
    let states: String = world.database().await.query_one(states, &[]).await.unwrap().get(0);
    assert_eq!(states, "RA1 abnormal, R_1 succeeded");
    // In a pattern, R_1 would stand for RA1, and close its task.
    let task = list(&world, "?kind=refund_abnormal").await.remove(0);
    assert_eq!((&task["refund_id"], &task["status"]), (&abnormal["id"], &json!("open")), "{task}");
    world.finish().await;
}

/// Whether the answer that is kept under the only key was written together with a row.
async fn settled_with(world: &World, row: &str) -> bool {
    let client = world.database().await;
    let query = format!(
        "SELECT (SELECT xmin::text FROM idempotency_keys WHERE key = 'k' AND status IS NOT NULL)
              = (SELECT xmin::text FROM {row})"
    );
    client.query_one(&query, &[]).await.unwrap().get::<_, Option<bool>>(0) == Some(true)
}

async fn with_key(world: &World, path: &str, body: &Value) -> (u16, Value) {
    let request = world.client().post(world.url(path)).bearer_auth(Office::api_key());
    let request = request.header("idempotency-key", "k").body(body.to_string());
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_and_its_answer_are_one_transaction() {
    let world = World::open().await;
    gone(&world, "registry", "endpoint_gone:registry:1").await;
    let id = word(&list(&world, "").await.remove(0), "id");
    let path = format!("/v1/incidents/{id}/close");
    let first = with_key(&world, &path, &json!({"note": "mended"})).await;
    assert_eq!(first.0, 200, "{}", first.1);
    // A hub that dies behind the commit leaves the answer, and not a 409 for who comes again.
    assert!(settled_with(&world, "incidents").await);
    assert_eq!(with_key(&world, &path, &json!({"note": "mended"})).await, first);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_of_the_treasury_and_its_answer_are_one_transaction() {
    let world = World::open().await;
    let (fee, order, _) = world.paid(WECHAT, "1").await;
    let left = json!({"remitted_on": "2018-11-30", "reference": "缴1", "fee_ids": [fee]});
    let (status, left) = world.post("/v1/remittances", &left).await.unwrap();
    assert_eq!(status, 201, "{left}");
    let body = json!({"amount_fen": 8000, "reason": "撤回"});
    let (status, asked) = world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    assert_eq!(status, 201, "{asked}");
    let path = format!("/v1/refunds/{}/treasury", word(&asked, "id"));
    let step = json!({"event": "verified", "occurred_on": "2018-11-30", "by": "科长"});
    let first = with_key(&world, &path, &step).await;
    assert_eq!(first.0, 200, "{}", first.1);
    assert!(settled_with(&world, "treasury_steps WHERE event = 'verified'").await);
    let (_, now) = world.get(&format!("/v1/refunds/{}", word(&asked, "id"))).await.unwrap();
    assert_eq!(first.1, now, "it is answered as it stands");
    assert_eq!(with_key(&world, &path, &step).await, first);
    world.close_only().await;
}
