//! An endpoint that asks to wait (`Retry-After`): it hears nothing at all until then, whoever works,
//! and the others go on.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use payhub::dispatch;
use payhub::store::deliveries;
use serde_json::json;

use super::{Archive, OPEN};
use crate::dispatch::peer::{Said, status};
use crate::harness::word;

/// What waits for it and is due.
const WAITING: &str = "SELECT count(*) FROM deliveries
                        WHERE receiver = 'archive' AND state = 'due' AND next_at <= '2018-11-30T01:00:00Z'";
/// Those of its deliveries that were tried.
const TRIED: &str = "SELECT count(*) FROM deliveries WHERE receiver = 'archive' AND attempts > 0";

fn come_again(status: u16, when: &str) -> Said {
    Some((status, format!("retry-after: {when}\r\n"), String::new()))
}

/// One that takes one event at a time.
async fn one_by_one() -> Archive {
    let archive = Archive::open(OPEN).await;
    let (code, set) = archive.put(&json!({"url": archive.hooks(), "concurrency": 1})).await;
    assert_eq!(code, 200, "{set}");
    archive
}

async fn some_happen(archive: &Archive, count: usize) -> Vec<String> {
    let mut told = Vec::new();
    for order in 0..count {
        told.push(archive.happens(&format!("ord_{order}")).await.to_string());
    }
    told
}

/// Time passes in steps of a minute.
async fn minutes(archive: &Archive, count: i64) {
    for _ in 0..count {
        archive.world.clock.advance(SignedDuration::from_mins(1));
        archive.run().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_asks_to_wait_hears_nothing_until_then_and_others_go_on() {
    let archive = one_by_one().await;
    let told = some_happen(&archive, 3).await;
    archive.receiver.says(|_| come_again(429, "900"));
    archive.run().await;
    assert_eq!(archive.heard(), told[..1], "the others were due as well");
    let endpoint = archive.endpoint().await;
    assert_eq!(endpoint["held_until"], json!("2018-11-30T09:15:00+08:00"));
    assert_eq!(endpoint["state"], json!("active"), "it takes events, later");
    archive.receiver.says(|_| status(200));
    archive.world.paid(payhub::demo::WECHAT, "C-1").await;
    let others = archive.world.heard();
    assert_eq!(others.get("order.paid"), Some(&1), "another endpoint hears of its orders");
    let late = archive.happens("ord_9").await.to_string();
    minutes(&archive, 14).await;
    assert_eq!(archive.heard().len(), 1, "and what happens meanwhile waits too");
    assert_eq!(archive.world.count(TRIED).await, 1, "who waits has lost none of its tries");
    minutes(&archive, 1).await;
    let mut heard = archive.heard();
    assert_eq!(heard[1..3], told[1..], "they go on in their order");
    assert!(heard.contains(&late));
    assert_eq!(archive.endpoint().await["held_until"], json!(null));
    minutes(&archive, 4).await;
    heard = archive.heard();
    assert_eq!(heard.iter().filter(|id| **id == told[0]).count(), 2, "and so does the first");
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_worker_and_one_that_was_started_anew_let_it_wait_as_well() {
    let archive = one_by_one().await;
    let told = some_happen(&archive, 3).await;
    // Ten minutes, as a date.
    archive.receiver.says(|_| come_again(503, "Fri, 30 Nov 2018 01:10:00 GMT"));
    archive.run().await;
    let twin = archive.world.twin(archive.world.another_store()).await.unwrap();
    archive.receiver.says(|_| status(200));
    let client = twin.hub.store.client().await.unwrap();
    let claimed = deliveries::claim(&client, archive.world.hub.clock.now(), 16, &[]).await.unwrap();
    assert_eq!(claimed.len(), 0, "nothing of it is even claimed");
    drop(client);
    assert_eq!(archive.world.count(WAITING).await, 2);
    archive.world.clock.advance(SignedDuration::from_mins(9));
    assert_eq!(dispatch::run_once(&twin.hub).await.unwrap(), 0);
    archive.world.clock.advance(SignedDuration::from_mins(1));
    dispatch::run_once(&twin.hub).await.unwrap();
    // The first comes again at its own time, which may be this one.
    assert_eq!(archive.heard()[1..3], told[1..]);
    twin.close().await;
    minutes(&archive, 3).await;
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_claimed_before_its_endpoint_asked_to_wait_is_not_sent_either() {
    let archive = one_by_one().await;
    let mut told = some_happen(&archive, 40).await;
    // It takes sixteen, so that many more are claimed ahead of it, and then no more.
    let answered = AtomicUsize::new(0);
    archive.receiver.says(move |_| {
        let is_over = answered.fetch_add(1, Ordering::SeqCst) >= 16;
        if is_over { come_again(429, "600") } else { status(200) }
    });
    archive.run().await;
    assert_eq!(archive.heard().len(), 17, "the next place was free at once, and none took it");
    assert_eq!(archive.world.count(TRIED).await, 17);
    let leased = "SELECT count(*) FROM deliveries WHERE leased_until IS NOT NULL";
    assert_eq!(archive.world.count(leased).await, 0, "what was claimed is given back");
    archive.receiver.says(|_| status(200));
    minutes(&archive, 13).await;
    let mut heard = archive.heard();
    assert_eq!(heard.len(), 41, "each once, and the one that was put off twice");
    heard.sort();
    heard.dedup();
    told.sort();
    assert_eq!(heard, told);
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_claimed_before_another_worker_was_asked_to_wait_is_not_sent_either() {
    let archive = one_by_one().await;
    some_happen(&archive, 12).await;
    // It answers eight, so that more are claimed ahead of it, and lets the ninth wait.
    let (receiver, answered) = (archive.receiver.clone(), AtomicUsize::new(0));
    archive.receiver.says(move |_| {
        receiver.answers(answered.fetch_add(1, Ordering::SeqCst) != 7);
        status(200)
    });
    let hub = std::sync::Arc::clone(&archive.world.hub);
    let work = tokio::spawn(async move { dispatch::run_once(&hub).await });
    archive.receiver.was_asked(9).await;
    let asked = "UPDATE applications SET webhook_held_until = '2018-11-30T01:10:00Z'
                  WHERE application_id = 'archive'";
    archive.world.database().await.batch_execute(asked).await.unwrap();
    archive.receiver.answers(true);
    work.await.unwrap().unwrap();
    assert_eq!(archive.heard().len(), 9);
    assert_eq!(archive.world.count(TRIED).await, 9);
    minutes(&archive, 10).await;
    assert_eq!(archive.heard().len(), 12);
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_time_that_the_endpoint_names_itself_holds_its_other_events() {
    for said in [status(429), status(503), come_again(502, "900"), come_again(429, "soon")] {
        let archive = one_by_one().await;
        some_happen(&archive, 3).await;
        archive.receiver.says(move |_| said.clone());
        archive.run().await;
        assert_eq!(archive.heard().len(), 3, "each is put off by itself");
        assert_eq!(archive.endpoint().await["held_until"], json!(null));
        archive.receiver.says(|_| status(200));
        minutes(&archive, 19).await;
        archive.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_or_a_new_address_ends_the_wait() {
    let archive = one_by_one().await;
    some_happen(&archive, 2).await;
    archive.receiver.says(|_| come_again(503, "999999999"));
    archive.run().await;
    let endpoint = archive.endpoint().await;
    assert_eq!(endpoint["held_until"], json!("2018-12-01T09:00:00+08:00"), "a day at most");
    archive.put(&json!({"url": archive.hooks()})).await;
    assert_ne!(archive.endpoint().await["held_until"], json!(null), "that is the same address");
    let (_, enabled) = archive.post("/v1/webhook-endpoint/enable", &json!({})).await;
    assert_eq!(enabled["held_until"], json!(null));
    archive.run().await;
    assert_eq!(archive.heard().len(), 2, "it was asked again, and said the same");
    assert_ne!(archive.endpoint().await["held_until"], json!(null));
    archive.receiver.says(|_| status(200));
    let url = format!("{}/new", archive.receiver.url);
    let (_, moved) = archive.put(&json!({"url": url})).await;
    assert_eq!(moved["held_until"], json!(null));
    archive.run().await;
    assert_eq!(archive.heard().len(), 3, "the one that was not tried yet");
    let (_, enabled) = archive.post("/v1/webhook-endpoint/enable", &json!({})).await;
    assert_eq!(word(&enabled, "state"), "active");
    archive.run().await;
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_old_address_says_at_last_is_not_meant_for_the_new_one() {
    for (last_word, state) in [(come_again(503, "86400"), "held"), (status(410), "gone")] {
        let archive = one_by_one().await;
        some_happen(&archive, 2).await;
        archive.receiver.answers(false);
        archive.receiver.says(move |asked| {
            if asked.target.ends_with("/new") { status(200) } else { last_word.clone() }
        });
        let moved = async {
            archive.receiver.was_asked(1).await;
            let new = format!("{}/new", archive.hooks());
            let (code, set) = archive.put(&json!({"url": new, "concurrency": 1})).await;
            assert_eq!(code, 200, "{set}");
            archive.receiver.answers(true);
        };
        tokio::join!(archive.run(), moved);
        let endpoint = archive.endpoint().await;
        assert_eq!(endpoint["held_until"], json!(null), "{state}");
        assert_eq!(endpoint["state"], json!("active"), "{state}");
        archive.close().await;
    }
}
