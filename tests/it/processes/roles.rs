//! One process takes requests, another works: they hear of each other at once, and each says at
//! `/readyz` what it is.

use std::time::{Duration, Instant};

use payhub::demo::WECHAT;
use serde_json::json;

use super::town::{Town, until};
use crate::harness::word;

const LONG: Duration = Duration::from_secs(30);
/// Half of the period at which a worker looks when nobody tells it anything.
const HALF_A_PERIOD: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_api_process_commits_a_worker_process_sends_at_once() {
    let town = Town::open().await;
    let api = town.hub("api").await;
    let worker = town.hub("worker").await;
    let client = town.database().await;
    let mut took = Vec::new();
    for round in 0..9_usize {
        let order = town.order(&api, WECHAT, &round.to_string()).await;
        let heard = town.receiver.heard().len();
        town.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
        let paid = "SELECT FROM payments";
        until("paid", LONG, async || client.query(paid, &[]).await.unwrap().len() > round).await;
        let committed = Instant::now();
        until("told", LONG, async || town.receiver.heard().len() >= heard + 2).await;
        took.push(committed.elapsed());
    }
    took.sort();
    assert!(took[4] < HALF_A_PERIOD, "the median of {took:?}");
    let (status, ready) = town.get(&worker, "/readyz").await;
    assert_eq!((status, &ready["checks"]["workers"]), (200, &json!("ok")));
    let (status, ready) = town.get(&api, "/readyz").await;
    assert_eq!((status, &ready["checks"]["workers"]), (200, &json!("none in this process")));
    for closed in ["/v1/events", "/openapi.json", "/docs"] {
        assert_eq!(town.get(&worker, closed).await.0, 404, "{closed}");
    }
    let counted = town.client.get(worker.url("/metrics")).send().await.unwrap();
    assert_eq!(counted.status(), 200);
    api.stop().await;
    worker.stop().await;
    town.finish().await;
}
