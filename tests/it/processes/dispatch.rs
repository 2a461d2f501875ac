//! A worker's receivers that do not answer, and a worker that is killed with deliveries in flight:
//! nobody else waits, and everything is told in the end under the id that it had.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::event::EventType;
use domain::ids::{ApplicationId, EventId};
use payhub::record::event;
use payhub::store::events;
use serde_json::json;

use super::town::{Town, until};
use crate::dispatch::peer::Peer;

const LONG: Duration = Duration::from_secs(60);
/// Within how long others deliver what a killed worker held.
const RECOVERY: Duration = Duration::from_secs(30);
const UNDONE: &str = "SELECT count(*) FROM deliveries WHERE state <> 'done'";

/// A town with a second backend service, which listens at `peer`.
async fn town_with(peer: &Peer) -> Town {
    let more = format!(
        "[[applications]]\nid = \"archive\"\napi_key = \"phk_archive_000000000000000000000000000000\"\n\
         webhook_url = \"{}/hooks\"\nwebhook_secret = \"whsec_cGF5aHViIGRlbW9uc3RyYXRpb24gc2VjcmV0IDAwMDE=\"\n",
        peer.url
    );
    Town::open_with(&more, |_as_usual| {}).await
}

/// Commits `count` events of a backend service, each of an order of its own; their ids.
async fn happen(town: &Town, application: &str, count: usize) -> BTreeSet<String> {
    let hub = town.insider().await;
    let name: ApplicationId = application.parse().unwrap();
    let now = hub.clock.now();
    let told = |number: usize| {
        let order = format!("ord_{number}");
        event(EventType::OrderPaid, Some(&name), &order, &order, &json!({"id": order}), now)
    };
    let told: Vec<_> = (0..count).map(told).collect();
    let client = hub.store.client().await.unwrap();
    events::insert(&client, &told, now).await.unwrap();
    drop(client);
    hub.store.close();
    told.iter().map(|told| EventId::to_string(&told.event_id)).collect()
}

fn heard(peer: &Peer) -> Vec<String> {
    peer.asked().iter().map(|asked| asked.header("webhook-id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_does_not_answer_keeps_no_other_waiting() {
    let peer = Peer::start().await;
    peer.answers(false);
    let town = town_with(&peer).await;
    let worker = town.hub("worker").await;
    happen(&town, "archive", 20).await;
    peer.was_asked(4).await;
    // Not one of those has its answer; the other service hears everything meanwhile.
    let told = happen(&town, "registry", 40).await;
    until("the other service hears", LONG, async || town.receiver.heard().len() >= 40).await;
    let others: BTreeSet<String> =
        town.receiver.heard().into_iter().map(|heard| heard.id).collect();
    assert_eq!(others, told);
    let answered = "SELECT count(*) FROM deliveries WHERE receiver = 'archive' AND state = 'done'";
    assert_eq!(town.count(answered).await, 0);
    peer.answers(true);
    until("all is told", LONG, async || town.count(UNDONE).await == 0).await;
    worker.stop().await;
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_worker_had_in_flight_another_delivers_within_half_a_minute() {
    let peer = Peer::start().await;
    peer.answers(false);
    let town = town_with(&peer).await;
    let mut worker = town.hub("worker").await;
    let told = happen(&town, "archive", 12).await;
    peer.was_asked(4).await;
    worker.kill();
    let killed = Instant::now();
    let in_flight: BTreeSet<String> = heard(&peer).into_iter().collect();
    peer.answers(true);
    let next = town.hub("worker").await;
    until("all is told", RECOVERY, async || town.count(UNDONE).await == 0).await;
    assert!(killed.elapsed() < RECOVERY, "{:?}", killed.elapsed());
    let heard = heard(&peer);
    assert_eq!(heard.iter().cloned().collect::<BTreeSet<_>>(), told, "under the ids that they had");
    for id in &in_flight {
        assert_eq!(heard.iter().filter(|heard| *heard == id).count(), 2, "once by each worker");
    }
    assert_eq!(heard.len(), told.len() + in_flight.len(), "and nothing else twice");
    next.stop().await;
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_are_replaced_one_by_one_tell_everything_and_nothing_twice() {
    let peer = Peer::start().await;
    let town = town_with(&peer).await;
    let mut workers = vec![town.hub("worker").await, town.hub("worker").await];
    let mut told = BTreeSet::new();
    for _turn in 0..3 {
        told.extend(happen(&town, "archive", 100).await);
        // One that is told to stop ends what it has begun and gives back the rest.
        workers.remove(0).stop().await;
        workers.push(town.hub("worker").await);
    }
    until("all is told", LONG, async || town.count(UNDONE).await == 0).await;
    let heard = heard(&peer);
    assert_eq!(heard.iter().cloned().collect::<BTreeSet<_>>(), told);
    assert_eq!(heard.len(), 300, "nobody was cut off in the middle");
    for worker in workers {
        worker.stop().await;
    }
    town.finish().await;
}
