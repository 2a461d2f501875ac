//! The log, and sending again: one, many, the dead, a time.

use serde_json::{Value, json};

use super::Archive;
use crate::dispatch::peer::status;
use crate::harness::word;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t26_a_dead_letter_is_seen_with_every_attempt_and_one_call_sends_it_again() {
    let archive = Archive::listening().await;
    archive.receiver.says(|_| status(503));
    let event = archive.happens("ord_1").await.to_string();
    archive.run().await;
    assert_eq!(archive.listed("?state=due").await, [event.as_str()]);
    archive.pass(30).await;
    assert_eq!(archive.listed("?state=due").await, [event.as_str()], "after 30 h it goes on");
    archive.pass(90).await;
    assert_eq!(archive.listed("?state=dead").await, [event.as_str()]);
    assert_eq!(archive.listed("?state=due").await, Vec::<String>::new());
    let (_, page) = archive.get("/v1/deliveries?state=dead").await;
    let id = word(&page["data"][0], "id");
    let (code, found) = archive.get(&format!("/v1/deliveries/{id}")).await;
    assert_eq!(code, 200, "{found}");
    assert_eq!(found["attempts_made"], json!(10));
    let attempts = found["attempts"].as_array().unwrap();
    let numbers: Vec<i64> = attempts.iter().map(|one| one["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
    for attempt in attempts {
        assert_eq!((&attempt["status"], &attempt["outcome"]), (&json!(503), &json!("throttled")));
        assert_eq!(attempt["detail"], json!("HTTP 503"), "never what stood in its body");
        assert!(attempt["took_ms"].is_i64(), "{attempt}");
    }
    archive.receiver.says(|_| status(200));
    let (code, again) = archive.post(&format!("/v1/deliveries/{id}/resend"), &json!({})).await;
    assert_eq!((code, word(&again, "state").as_str()), (200, "due"));
    archive.run().await;
    assert_eq!(archive.listed("?state=done").await, [event.as_str()]);
    let asked = archive.receiver.asked();
    assert!(asked.iter().all(|one| one.header("webhook-id") == event), "the same id");
    assert!(asked.iter().all(|one| one.body == asked[0].body), "and the same bytes");
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_were_taken_already_are_sent_again_the_oldest_of_an_order_first() {
    let archive = Archive::listening().await;
    let mut told = Vec::new();
    for _ in 0..3 {
        told.push(archive.happens("ord_1").await.to_string());
    }
    archive.run().await;
    assert_eq!(archive.heard(), told);
    let asked = json!({"event_ids": [told[2], told[0], "evt_00000000000000000000000000000000"]});
    let (code, resent) = archive.post("/v1/deliveries/resend", &asked).await;
    assert_eq!((code, &resent["resent"]), (200, &json!(2)), "one is nobody's: {resent}");
    archive.run().await;
    assert_eq!(archive.heard()[3..], [told[0].clone(), told[2].clone()]);
    let body = &archive.receiver.asked()[0].body;
    assert_eq!(&archive.receiver.asked()[3].body, body, "byte for byte");
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_is_sent_again_by_type_and_nothing_outside_of_it() {
    let archive = Archive::listening().await;
    let first = archive.happens("ord_1").await.to_string();
    archive.run().await;
    archive.pass(1).await;
    let second = archive.happens("ord_2").await.to_string();
    archive.run().await;
    let resend = |types: Value| {
        let (since, until) = ("2018-11-30T10:00:00+08:00", "2018-11-30T10:00:01+08:00");
        let mut body = json!({"since": since, "until": until});
        if !types.is_null() {
            body["types"] = types;
        }
        body
    };
    let count = |body: Value| {
        let archive = &archive;
        async move { archive.post("/v1/deliveries/resend", &body).await.1["resent"].clone() }
    };
    assert_eq!(count(resend(json!(["fee.paid"]))).await, json!(0));
    assert_eq!(count(resend(json!(null))).await, json!(1));
    archive.run().await;
    assert_eq!(archive.heard(), [first, second.clone(), second]);
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_dead_letters_than_one_call_sends_are_sent_by_the_next() {
    let archive = Archive::listening().await;
    archive.happens("ord_1").await;
    // A thousand more, given up long ago.
    let sql = archive.world.database().await;
    sql.batch_execute(
        "INSERT INTO events (event_id, application_id, type, subject_id, occurred_at, body)
         SELECT 'evt_' || lpad(n::text, 32, '0'), application_id, type, 'ord_' || n, occurred_at, body
           FROM events, generate_series(2, 1002) n;
         INSERT INTO deliveries (kind, event_id, receiver, ordering_key, next_at, created_at)
         SELECT 'webhook', event_id, 'archive', subject_id, occurred_at, occurred_at
           FROM events WHERE subject_id <> 'ord_1';
         UPDATE deliveries SET state = 'dead', finished_at = next_at",
    )
    .await
    .unwrap();
    assert_eq!(archive.endpoint().await["dead"], json!(1002));
    let (_, resent) = archive.post("/v1/deliveries/resend", &json!({"state": "dead"})).await;
    assert_eq!(resent["resent"], json!(1000));
    let next = json!({"state": "dead", "after": word(&resent, "next_cursor")});
    let (_, rest) = archive.post("/v1/deliveries/resend", &next).await;
    assert_eq!((&rest["resent"], &rest["next_cursor"]), (&json!(2), &json!(null)));
    sql.batch_execute("UPDATE deliveries SET state = 'done' WHERE state = 'due'").await.unwrap();
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_goes_back_page_by_page_and_shows_nobody_elses() {
    let archive = Archive::listening().await;
    let mut told = Vec::new();
    for number in 0..5 {
        told.insert(0, archive.happens(&format!("ord_{number}")).await.to_string());
    }
    // The other backend service has one too.
    archive.world.paid(payhub::demo::WECHAT, "201811300001").await;
    archive.run().await;
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let (_, page) = archive.get(&format!("/v1/deliveries?limit=2{after}")).await;
        seen.extend(page["data"].as_array().unwrap().iter().map(|one| word(one, "event_id")));
        let Some(next) = page["next_cursor"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen, told);
    assert_eq!(archive.listed("?event_type=order.paid&state=done").await.len(), 5);
    assert_eq!(archive.listed("?event_type=fee.paid").await.len(), 0);
    let (_, others) = archive.world.get("/v1/deliveries").await.unwrap();
    let foreign = word(&others["data"][0], "id");
    let (code, _) = archive.get(&format!("/v1/deliveries/{foreign}")).await;
    assert_eq!(code, 404);
    let (code, _) = archive.post(&format!("/v1/deliveries/{foreign}/resend"), &json!({})).await;
    assert_eq!(code, 404);
    let events = json!({"event_ids": [word(&others["data"][0], "event_id")]});
    assert_eq!(archive.post("/v1/deliveries/resend", &events).await.1["resent"], json!(0));
    for wrong in ["?state=lost", "?event_type=fee.unpaid", "?after=evt_1", "?limit=0", "?page=2"] {
        assert_eq!(archive.get(&format!("/v1/deliveries{wrong}")).await.0, 400, "{wrong}");
    }
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_call_to_send_again_sends_once() {
    let archive = Archive::listening().await;
    let event = archive.happens("ord_1").await;
    archive.run().await;
    let body = json!({"event_ids": [event]});
    for _ in 0..2 {
        let path = "/v1/deliveries/resend";
        let (code, resent) = archive.ask("POST", path, Some(&body), "again-1").await;
        assert_eq!((code, &resent["resent"]), (200, &json!(1)));
        archive.run().await;
    }
    assert_eq!(archive.heard().len(), 2);
    archive.close().await;
}
