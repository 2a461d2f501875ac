//! Asking for a message: told once under one key, refused by the name of what is wrong, over HTTP.

use domain::personal::Personal;
use payhub::dispatch::request::{Request, Requested};
use serde_json::json;

use super::messages::{about, paid};
use super::{PHONE, Post};
use crate::harness::{World, word};

#[actix_web::test]
async fn a_thing_is_told_once_and_a_wrong_one_is_refused_by_name() {
    let post = Post::open().await;
    let once = Request { dedupe_key: Some("notice-1".to_owned()), ..paid() };
    let first = post.ask(&once).await.unwrap();
    assert_eq!(post.ask(&once).await.unwrap(), Requested::Same(first.id().clone()));
    assert!(matches!(post.ask(&paid()).await, Ok(Requested::New(_))));
    let check = async |asked: Request, code: &str, path: &str| {
        let fault = post.ask(&asked).await.unwrap_err();
        assert_eq!((fault.status, fault.code), (422, code), "{}", fault.detail);
        assert!(fault.members.contains(&("path", json!(path))), "{}", fault.detail);
    };
    check(about("NO.SUCH", &json!({})), "unknown_template", "template").await;
    check(about("CASE.APPROVED", &json!({"no": "1"})), "no_channel", "template").await;
    check(about("PAY.SUCCEEDED", &json!({"no": "1"})), "invalid_params", "params.amt").await;
    let bad = json!({"no": "1", "amt": "many"});
    check(about("PAY.SUCCEEDED", &bad), "invalid_params", "params.amt").await;
    let channels = Some(vec!["sms-other".to_owned()]);
    check(Request { channels, ..paid() }, "unknown_channel", "channels").await;
    let phone = Personal::new("+85291234567");
    check(Request { phone, ..paid() }, "vendor_limit", "to.phone").await;
    let rows = post.text("SELECT count(*)::text FROM notifications").await;
    assert_eq!(rows, "2", "what is refused is not stored");
    let readable = post
        .text("SELECT encode(params_sealed, 'escape') || encode(to_sealed, 'escape') || to_masked FROM notifications LIMIT 1")
        .await;
    assert!(!readable.contains("201811300001") && !readable.contains(PHONE));
    post.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_tells_a_person_over_http_and_reads_what_became_of_it() {
    let world = World::open().await;
    let body = json!({
        "template": "PAY.SUCCEEDED", "to": {"phone": "138-1234-5678"},
        "params": {"no": "201811300001", "amt": "80.00"}, "dedupe_key": "notice-1",
        "expires_at": "2018-12-01T09:00:00+08:00",
    });
    let (status, told) = world.post("/v1/notifications", &body).await.unwrap();
    assert_eq!((status, word(&told, "status").as_str()), (201, "queued"), "{told}");
    let (status, same) = world.post("/v1/notifications", &body).await.unwrap();
    assert_eq!((status, word(&same, "id")), (200, word(&told, "id")));
    world.settle().await.unwrap();
    world.seconds(60).await;
    let path = format!("/v1/notifications/{}", word(&told, "id"));
    let (status, now) = world.get(&path).await.unwrap();
    assert_eq!((status, word(&now, "status").as_str()), (200, "delivered"), "{now}");
    assert_eq!(now["to"]["phone"], json!("138****5678"));
    assert_eq!(now["attempts"][0]["outcome"], json!("accepted"), "{now}");
    assert_eq!(world.heard()["notification.delivered"], 1);

    for (member, wrong, code) in [
        ("template", json!("NO.SUCH"), "unknown_template"),
        ("to", json!({"phone": "110"}), "phone_invalid"),
        ("to", json!({"openid": "o1"}), "no_channel"),
        ("params", json!({"no": "1"}), "invalid_params"),
        ("channels", json!(["pigeon"]), "unknown_channel"),
        ("dedupe_key", json!(""), "invalid_body"),
        ("not_before", json!("soon"), "invalid_body"),
        ("surprise", json!(1), "invalid_body"),
    ] {
        let mut wrong_body = body.clone();
        wrong_body[member] = wrong;
        let (status, problem) = world.post("/v1/notifications", &wrong_body).await.unwrap();
        assert_eq!((status, word(&problem, "code").as_str()), (422, code), "{problem}");
        assert!(problem["path"].is_string(), "{problem}");
    }
    let (status, _) =
        world.get("/v1/notifications/ntf_00000000000000000000000000000007").await.unwrap();
    assert_eq!(status, 404);
    world.finish().await;
}
