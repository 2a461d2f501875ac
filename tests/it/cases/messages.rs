//! What the applicant is told of a case: each step once, by template, where a phone was left.

use serde_json::{Value, json};

use super::{case, open, tell, told};
use crate::harness::{World, word};

/// The templates and values of the messages that the vendor took, in order.
fn messages(world: &World) -> Vec<(String, Value)> {
    let sms = world.sandbox.engine().state().sms;
    sms.into_iter()
        .map(|it| (it.template_code, serde_json::from_str(&it.template_param).unwrap()))
        .collect()
}

/// A template of the configuration for each event, its code ending in the event's name.
fn templates(events: &[&str]) -> String {
    let row = |event: &&str| {
        let code = event.replace('.', "_");
        format!(
            "[[templates]]\nevent = \"{event}\"\nchannel = \"sms-main\"\ncode = \"SMS_{code}\"\nlocale = \"zh-CN\"\n"
        )
    };
    events.iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_applicant_is_told_each_step_once() {
    let world = World::open_with(&templates(&[
        "CASE.ACCEPTED",
        "CASE.SUPPLEMENT",
        "CASE.SUSPENDED",
        "CASE.RESUMED",
        "CASE.APPROVED",
        "CASE.REGISTERED",
        "CERT.READY",
    ]))
    .await;
    open(&world, &case("1")).await;
    world.post("/v1/cases", &case("1")).await.unwrap();
    let demand = json!({
        "event": "supplement", "reason": "缺身份证明", "due_on": "2018-12-07", "tel": "0512-12345",
    });
    tell(&world, "1", demand).await;
    for event in [
        "resumed",
        "suspended",
        "resumed",
        "approved",
        "approved",
        "registered",
        "certificate_ready",
        "closed",
    ] {
        told(&world, "1", event).await;
    }
    world.settle().await.unwrap();
    let mut got = messages(&world);
    got.sort_by(|one, other| one.0.cmp(&other.0));
    let mut expected = vec![
        (
            "SMS_CASE_ACCEPTED",
            json!({"biz": "转移登记", "no": "1", "n": "3", "date": "2018-12-05"}),
        ),
        (
            "SMS_CASE_SUPPLEMENT",
            json!({"no": "1", "brief": "缺身份证明", "date": "2018-12-07", "tel": "0512-12345"}),
        ),
        ("SMS_CASE_RESUMED", json!({"no": "1"})),
        ("SMS_CASE_SUSPENDED", json!({"no": "1", "reason": "办理需要"})),
        ("SMS_CASE_RESUMED", json!({"no": "1"})),
        ("SMS_CASE_APPROVED", json!({"no": "1"})),
        ("SMS_CASE_REGISTERED", json!({"no": "1"})),
        ("SMS_CERT_READY", json!({"no": "1", "place": "园区不动产登记中心（演示）"})),
    ];
    expected.sort_by(|one, other| one.0.cmp(other.0));
    let expected: Vec<(String, Value)> =
        expected.into_iter().map(|(code, values)| (code.to_owned(), values)).collect();
    assert_eq!(got, expected);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_left_no_phone_or_has_no_template_is_not_told() {
    let world = World::open_with(&templates(&["CASE.REJECTED"])).await;
    open(&world, &case("1")).await;
    let mut body = case("2");
    body["applicant"] = json!({"name": "李四"});
    open(&world, &body).await;
    told(&world, "2", "rejected").await;
    told(&world, "1", "approved").await;
    world.settle().await.unwrap();
    assert_eq!(messages(&world), []);
    let (_, case) =
        tell(&world, "1", json!({"event": "rejected", "place": "服务大厅5号窗口"})).await;
    assert_eq!(word(&case, "state"), "rejected");
    world.settle().await.unwrap();
    let values = json!({"no": "1", "place": "服务大厅5号窗口"});
    assert_eq!(messages(&world), [("SMS_CASE_REJECTED".to_owned(), values)]);
    world.finish().await;
}
