//! A hub that is told to stop: it ends what it has begun, in bounded time, and what it said was
//! stored is stored.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{Action, Fault, Operation, Place};
use serde_json::Value;

use super::town::{API_KEY, Process, Town, fee_body, order_body, until};
use crate::harness::word;

/// From the first signal to the end, as docs/operations.md says it.
const BOUND: Duration = Duration::from_secs(30);
const LEASED: &str = "SELECT (SELECT count(*) FROM orders WHERE leased_until IS NOT NULL)
                           + (SELECT count(*) FROM refunds WHERE leased_until IS NOT NULL)
                           + (SELECT count(*) FROM deliveries WHERE leased_until IS NOT NULL)
                           + (SELECT count(*) FROM runs WHERE leased_until IS NOT NULL)
                           + (SELECT count(*) FROM idempotency_keys WHERE leased_until IS NOT NULL)";

/// Issues fees until the hub takes no more; the ids of those that it acknowledged.
async fn load(town: &Town, hub: &Process, name: usize, begun: &AtomicBool) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for round in 0.. {
        let body = fee_body(&format!("{name}-{round}")).to_string();
        let request = town.client.post(hub.url("/v1/fees")).bearer_auth(API_KEY).body(body);
        let Ok(answer) = request.send().await else { break };
        assert_eq!(answer.status(), 201, "{}", hub.log());
        // An answer that breaks off is none.
        let Ok(bytes) = answer.bytes().await else { break };
        acknowledged.push(word(&serde_json::from_slice::<Value>(&bytes).unwrap(), "id"));
        begun.store(true, Ordering::SeqCst);
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_told_to_stop_under_load_has_stored_what_it_acknowledged() {
    let town = Town::open().await;
    let mut hub = town.hub("all").await;
    // Something is paid and told while it stops, too.
    for round in 0..4 {
        let order = town.order(&hub, [WECHAT, ALIPAY][round % 2], &format!("p{round}")).await;
        town.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    }
    let begun = AtomicBool::new(false);
    let stopped = async {
        until("under load", BOUND, async || begun.load(Ordering::SeqCst)).await;
        hub.signal(Signal::SIGTERM);
        Instant::now()
    };
    let loads = join_all((0..8).map(|name| load(&town, &hub, name, &begun)));
    let (acknowledged, told) = tokio::join!(loads, stopped);
    let status = hub.ended(BOUND.saturating_sub(told.elapsed())).await;
    assert_eq!(status.code(), Some(0), "{}", hub.log());
    let acknowledged = acknowledged.concat();
    assert!(!acknowledged.is_empty());
    let stored = town
        .database()
        .await
        .query_one("SELECT count(*) FROM fees WHERE fee_id = ANY ($1)", &[&acknowledged])
        .await
        .unwrap()
        .get::<_, i64>(0);
    assert_eq!(usize::try_from(stored).unwrap(), acknowledged.len());
    assert_eq!(town.count(LEASED).await, 0, "it gives back what it holds: {}", hub.log());
    // The next hub finds whatever the first left undone.
    let next = town.hub("all").await;
    let unpaid = "SELECT count(*) FROM orders WHERE state <> 'paid'";
    until("all paid", BOUND * 4, async || town.count(unpaid).await == 0).await;
    until("all told", BOUND * 4, async || town.receiver.heard().len() >= 8).await;
    next.stop().await;
    town.finish().await;
}

fn slow_orders(town: &Town, seconds: u32) {
    let mut fault = Fault::new(Place::Answer, Action::Delay);
    fault.operation = Some(Operation::Place);
    fault.delay_s = Some(seconds);
    town.sandbox.engine().set_fault(fault).unwrap();
}

/// Asks for an order at a provider that does not answer soon, and waits until the hub has begun.
async fn a_slow_order(town: &Town, hub: &Process) -> tokio::task::JoinHandle<Option<u16>> {
    let fee = town.fee(hub, "1").await;
    let body = order_body(WECHAT, &fee).to_string();
    let request = town.client.post(hub.url("/v1/orders")).bearer_auth(API_KEY).body(body);
    let asked =
        tokio::spawn(
            async move { request.send().await.ok().map(|answer| answer.status().as_u16()) },
        );
    let begun = "SELECT count(*) FROM orders";
    until("begun", BOUND, async || town.count(begun).await == 1).await;
    asked
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_hand_is_answered_before_the_hub_ends_and_no_other_is_taken() {
    let town = Town::open().await;
    let mut hub = town.hub("all").await;
    slow_orders(&town, 2);
    let asked = a_slow_order(&town, &hub).await;
    hub.signal(Signal::SIGTERM);
    let refused = || async { town.client.get(hub.url("/healthz")).send().await.is_err() };
    until("no more is taken", BOUND, refused).await;
    assert_eq!(asked.await.unwrap(), Some(201), "{}", hub.log());
    assert_eq!(hub.ended(BOUND).await.code(), Some(0));
    assert_eq!(town.count(LEASED).await, 0);
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_the_hub_at_once() {
    let town = Town::open().await;
    let mut hub = town.hub("all").await;
    slow_orders(&town, 60);
    let asked = a_slow_order(&town, &hub).await;
    hub.signal(Signal::SIGTERM);
    until("it stops", BOUND, async || hub.log().contains("payhub stops")).await;
    let begun = Instant::now();
    hub.signal(Signal::SIGINT);
    assert_eq!(hub.ended(BOUND).await.code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // Broken off, or told that it failed: nothing was promised.
    let told = asked.await.unwrap();
    assert!(told.is_none_or(|status| status >= 500), "{told:?}");
    town.finish().await;
}
