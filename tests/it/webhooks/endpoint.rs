//! Where a backend is told of events: set, judged, disabled, enabled, gone, failing.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::{Archive, OPEN};
use crate::dispatch::peer::status;
use crate::harness::{World, word};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_sets_its_endpoint_and_is_told_of_events() {
    let archive = Archive::open(OPEN).await;
    let before = archive.endpoint().await;
    assert_eq!((word(&before, "state").as_str(), &before["url"]), ("none", &json!(null)));
    let unheard = archive.happens("ord_0").await;
    let wanted = json!({
        "url": archive.hooks(), "events": ["reconciliation.completed"], "concurrency": 2,
    });
    let (code, set) = archive.put(&wanted).await;
    assert_eq!(code, 200, "{set}");
    assert_eq!(set["secret"], json!(null), "it had one since its key was made");
    let told = archive.happens("ord_1").await;
    archive.run().await;
    assert_eq!(archive.heard(), [told.as_str()], "what was before it stands in the feed only");
    assert_ne!(told, unheard);
    let endpoint = archive.endpoint().await;
    for (member, value) in [
        ("url", json!(archive.hooks())),
        ("state", json!("active")),
        ("since", json!("2018-11-30T09:00:00+08:00")),
        ("from_file", json!(false)),
        ("events", json!(["reconciliation.completed"])),
        ("concurrency", json!(2)),
        ("secret", json!(null)),
        ("secrets", json!(1)),
        ("waiting", json!(0)),
        ("dead", json!(0)),
        ("last_success_at", json!("2018-11-30T09:00:00+08:00")),
        ("last_failure_at", json!(null)),
    ] {
        assert_eq!(endpoint[member], value, "{member}");
    }
    assert!(word(&endpoint, "public_key").starts_with("whpk_"));
    // What is left out stays as it was.
    let (_, again) = archive.put(&json!({"url": archive.hooks()})).await;
    assert_eq!(again["events"], json!(["reconciliation.completed"]));
    assert_eq!(again["concurrency"], json!(2));
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t27_an_endpoint_is_judged_when_it_is_set() {
    let archive = Archive::open("").await;
    for url in [
        "http://127.0.0.1:9000/hooks",
        "http://localhost:9000/hooks",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest",
        "https://user:word@registry.example/",
        "ftp://registry.example/",
        "hooks",
    ] {
        let (code, fault) = archive.put(&json!({"url": url})).await;
        assert_eq!((code, word(&fault, "code").as_str()), (422, "webhook_url_refused"), "{url}");
    }
    for wrong in [
        json!({"url": "http://8.8.8.8/", "concurrency": 0}),
        json!({"url": "http://8.8.8.8/", "concurrency": 65}),
        json!({"url": "http://8.8.8.8/", "events": ["fee.unpaid"]}),
        json!({"url": "http://8.8.8.8/", "events": ["difference.opened", "order.paid"]}),
    ] {
        let (code, fault) = archive.put(&wrong).await;
        assert_eq!((code, word(&fault, "code").as_str()), (422, "invalid_body"), "{wrong}");
    }
    assert_eq!(word(&archive.endpoint().await, "state"), "none", "nothing of that was kept");
    assert_eq!(archive.put(&json!({"url": "https://8.8.8.8/hooks"})).await.0, 200);
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_file_says_is_changed_in_the_file() {
    let world = World::open().await;
    let (_, before) = world.get("/v1/webhook-endpoint").await.unwrap();
    assert_eq!((&before["from_file"], &before["state"]), (&json!(true), &json!("active")));
    let put = world.client().put(world.url("/v1/webhook-endpoint"));
    let put = put.bearer_auth(payhub::demo::Office::api_key()).body(r#"{"url":"http://8.8.8.8/"}"#);
    assert_eq!(put.send().await.unwrap().status().as_u16(), 409);
    let (code, fault) = world.post("/v1/webhook-endpoint/rotate-secret", &json!({})).await.unwrap();
    assert_eq!((code, word(&fault, "code").as_str()), (409, "endpoint_from_file"));
    assert!(word(&fault, "detail").contains("webhook_secret_previous"));
    // Where it stands is no matter of the file, and outlives a start.
    let (code, _) = world.post("/v1/webhook-endpoint/disable", &json!({})).await.unwrap();
    assert_eq!(code, 200);
    let twin = world.twin(world.another_store()).await.unwrap();
    let (_, still) = world.get("/v1/webhook-endpoint").await.unwrap();
    assert_eq!(still["state"], json!("disabled"));
    twin.close().await;
    world.post("/v1/webhook-endpoint/enable", &json!({})).await.unwrap();
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_endpoint_keeps_its_events_and_goes_on_in_their_order() {
    let archive = Archive::listening().await;
    let (code, disabled) = archive.post("/v1/webhook-endpoint/disable", &json!({})).await;
    assert_eq!((code, word(&disabled, "state").as_str()), (200, "disabled"));
    assert_eq!(disabled["disabled_by"], json!("hand"));
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(archive.happens("ord_1").await.to_string());
    }
    archive.pass(100).await;
    assert_eq!(archive.heard(), Vec::<String>::new());
    assert_eq!(archive.endpoint().await["waiting"], json!(3), "nothing grows old meanwhile");
    // A new address does not enable it behind the back of who disabled it.
    let (_, set) = archive.put(&json!({"url": archive.hooks()})).await;
    assert_eq!(set["state"], json!("disabled"));
    let (_, enabled) = archive.post("/v1/webhook-endpoint/enable", &json!({})).await;
    assert_eq!(enabled["state"], json!("active"));
    archive.run().await;
    assert_eq!(archive.heard(), told);
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_claimed_before_its_endpoint_was_disabled_is_not_sent_either() {
    let archive = Archive::open(OPEN).await;
    archive.put(&json!({"url": archive.hooks(), "concurrency": 1})).await;
    let mut told = Vec::new();
    for order in 0..12 {
        told.push(archive.happens(&format!("ord_{order}")).await.to_string());
    }
    // It answers eight, so that more are claimed ahead of it, and lets the ninth wait.
    let (receiver, answered) = (archive.receiver.clone(), AtomicUsize::new(0));
    archive.receiver.says(move |_| {
        receiver.answers(answered.fetch_add(1, Ordering::SeqCst) != 7);
        status(200)
    });
    let hub = std::sync::Arc::clone(&archive.world.hub);
    let work = tokio::spawn(async move { payhub::dispatch::run_once(&hub).await });
    archive.receiver.was_asked(9).await;
    // One is under way, and another is claimed behind it by now or in a moment. A second later it
    // would be given back, so nobody insists on seeing it.
    let claimed =
        "SELECT count(*) FROM deliveries WHERE leased_until IS NOT NULL AND receiver = 'archive'";
    let mut looks = 0..50;
    while archive.world.count(claimed).await < 2 && looks.next().is_some() {}
    archive.post("/v1/webhook-endpoint/disable", &json!({})).await;
    archive.receiver.answers(true);
    work.await.unwrap().unwrap();
    assert_eq!(archive.heard().len(), 9);
    let tried = "SELECT count(*) FROM deliveries WHERE receiver = 'archive' AND attempts > 0";
    assert_eq!(archive.world.count(tried).await, 9, "what waits has lost none of its tries");
    archive.post("/v1/webhook-endpoint/enable", &json!({})).await;
    archive.run().await;
    let mut heard = archive.heard();
    heard.sort();
    told.sort();
    assert_eq!(heard, told);
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_fails_for_five_days_is_disabled_and_finance_staff_are_told() {
    let archive = Archive::listening().await;
    archive.receiver.says(|_| status(500));
    // Each order's event is tried for three days; new ones come every day.
    for day in 0..4 {
        archive.happens(&format!("ord_{day}")).await;
        archive.pass(24).await;
    }
    let failing = archive.endpoint().await;
    assert_eq!(failing["state"], json!("active"), "four days are not five");
    assert_eq!(failing["failing_since"], json!("2018-11-30T09:30:00+08:00"));
    assert_eq!(failing["last_failure"], json!("HTTP 500"));
    archive.happens("ord_4").await;
    archive.pass(48).await;
    let disabled = archive.endpoint().await;
    assert_eq!(disabled["state"], json!("disabled"));
    assert_eq!(disabled["disabled_by"], json!("failing"));
    let told = "SELECT count(*) FROM incidents WHERE kind = 'endpoint_disabled' AND application_id = 'archive'";
    assert_eq!(archive.world.count(told).await, 1);
    let tried = archive.heard().len();
    let late = archive.happens("ord_5").await;
    archive.pass(30).await;
    assert_eq!(archive.heard().len(), tried, "it is left alone");
    archive.receiver.says(|_| status(200));
    archive.post("/v1/webhook-endpoint/enable", &json!({})).await;
    archive.run().await;
    assert!(archive.heard().contains(&late.to_string()));
    assert_eq!(archive.endpoint().await["failing_since"], json!(null));
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_success_between_failures_keeps_an_endpoint_enabled() {
    let archive = Archive::listening().await;
    let bad = archive.happens("ord_bad").await.to_string();
    archive
        .receiver
        .says(move |asked| status(if asked.header("webhook-id") == bad { 400 } else { 200 }));
    for day in 0..7 {
        archive.happens(&format!("ord_{day}")).await;
        archive.pass(24).await;
    }
    let endpoint = archive.endpoint().await;
    assert_eq!((&endpoint["state"], &endpoint["dead"]), (&json!("active"), &json!(1)));
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gone_endpoint_says_so_and_comes_back_by_a_new_address() {
    let archive = Archive::listening().await;
    archive.receiver.says(|_| status(410));
    archive.happens("ord_1").await;
    archive.run().await;
    let gone = archive.endpoint().await;
    assert_eq!((&gone["state"], &gone["dead"]), (&json!("gone"), &json!(1)));
    archive.receiver.says(|_| status(200));
    let (_, set) = archive.put(&json!({"url": format!("{}/new", archive.receiver.url)})).await;
    assert_eq!(set["state"], json!("active"));
    archive.happens("ord_2").await;
    archive.run().await;
    assert_eq!(archive.heard().len(), 2);
    assert_eq!(archive.endpoint().await["dead"], json!(1), "what it missed is sent again by hand");
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_endpoint_there_is_nothing_to_decide_about() {
    let archive = Archive::open(OPEN).await;
    for verb in ["disable", "enable", "rotate-secret"] {
        let path = format!("/v1/webhook-endpoint/{verb}");
        let (code, fault) = archive.post(&path, &json!({})).await;
        assert_eq!((code, word(&fault, "code").as_str()), (409, "no_endpoint"), "{verb}");
    }
    archive.close().await;
}
