//! One process takes requests, another works: they hear of each other at once.

use std::time::Duration;

use payhub::demo::WECHAT;
use serde_json::json;

use super::town::{Town, until};
use crate::harness::word;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_api_process_commits_a_worker_process_sends_at_once() {
    let town = Town::open().await;
    let api = town.hub("api").await;
    let worker = town.hub("worker").await;
    // A worker process that has just begun may be in the middle of its first round.
    for round in 0..5 {
        let order = town.order(&api, WECHAT, &format!("{round}")).await;
        let heard = town.receiver.heard().len();
        town.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
        let paid = "SELECT count(*) FROM payments";
        until("paid", Duration::from_secs(30), async || town.count(paid).await > round).await;
        let told = until("told", Duration::from_secs(30), async || {
            town.receiver.heard().len() >= heard + 2
        });
        eprintln!("{round}: {:?} after the payment was there", told.await);
    }
    let (status, ready) = town.get(&worker, "/readyz").await;
    assert_eq!((status, &ready["checks"]["workers"]), (200, &json!("ok")));
    let (status, ready) = town.get(&api, "/readyz").await;
    assert_eq!((status, &ready["checks"]["workers"]), (200, &json!("none in this process")));
    api.stop().await;
    worker.stop().await;
    town.finish().await;
}
