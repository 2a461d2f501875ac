//! A process that is killed between its commit and what should follow, and commands beside hubs at
//! work: what was committed happens, and nobody undoes what others decided.

use std::time::Duration;

use payhub::demo::WECHAT;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use super::town::{Town, until};
use crate::harness::word;

const LONG: Duration = Duration::from_secs(60);
const DUE: &str = "SELECT count(*) FROM deliveries WHERE state <> 'done'";

fn heard(town: &Town) -> Vec<String> {
    let mut ids: Vec<String> =
        town.receiver.heard().iter().map(|heard| word(&heard.body, "id")).collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t25_a_hub_killed_between_commit_and_sending_loses_no_event() {
    let town = Town::open().await;
    // One that commits and sends nothing, so that it dies in between for certain.
    let mut api = town.hub("api").await;
    let order = town.order(&api, WECHAT, "1").await;
    town.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    until("committed", LONG, async || town.count(DUE).await == 2).await;
    api.kill();
    assert_eq!(heard(&town), Vec::<String>::new());
    let next = town.hub("all").await;
    until("told", LONG, async || heard(&town).len() >= 2).await;
    let mut written = town.events().await;
    written.sort();
    assert_eq!(heard(&town), written, "each under the id with which it was committed");
    until("noted", LONG, async || town.count(DUE).await == 0).await;
    next.stop().await;
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t25_a_hub_killed_while_a_receiver_does_not_answer_has_it_told_again_under_one_id() {
    let town = Town::open().await;
    let mut hub = town.hub("all").await;
    // A receiver that takes what is sent and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = format!("http://{}/", silent.local_addr().unwrap());
    let client = town.database().await;
    client.execute("UPDATE applications SET webhook_url = $1", &[&there]).await.unwrap();
    let order = town.order(&hub, WECHAT, "1").await;
    town.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    let (mut stream, _) = silent.accept().await.unwrap();
    let mut said = Vec::new();
    while !String::from_utf8_lossy(&said).contains("\"id\":\"evt_") {
        assert_ne!(stream.read_buf(&mut said).await.unwrap(), 0, "it breaks off");
    }
    hub.kill();
    let written = town.events().await;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(written.iter().any(|id| said.contains(id)), "{written:?} {said}");
    town.let_leases_end().await;
    // The next one reads the address from its file again.
    hub.start();
    hub.ready(&town.client).await;
    until("told again", LONG, async || written.iter().all(|id| heard(&town).contains(id))).await;
    assert_eq!(town.events().await.len(), written.len(), "nothing is written anew");
    hub.stop().await;
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_with_an_old_file_changes_no_application_of_the_hubs() {
    let town = Town::open().await;
    let hub = town.hub("all").await;
    let client = town.database().await;
    client
        .batch_execute("UPDATE applications SET endpoint_gone_at = clock_timestamp()")
        .await
        .unwrap();
    let standing = async || -> String {
        let row = client.query_one("SELECT to_jsonb(a)::text FROM applications a", &[]).await;
        row.unwrap().get(0)
    };
    let before = standing().await;
    let old = ("webhook_events = [\"difference.resolved\", ", "webhook_events = [");
    for command in [&["incidents", "list"][..], &["webhooks", "list"], &["key", "list"]] {
        let done = town.command(command, old);
        assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(standing().await, before, "{command:?}");
    }
    drop(client);
    hub.stop().await;
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_does_not_start_on_a_schema_that_needs_a_newer_one() {
    let town = Town::open().await;
    let client = town.database().await;
    client
        .batch_execute(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
             SELECT version + 1000, 'a_newer_program', applied_on, checksum
               FROM refinery_schema_history ORDER BY version DESC LIMIT 1",
        )
        .await
        .unwrap();
    // A newer program's schema is good as long as it lets this one.
    town.hub("all").await.stop().await;
    client.batch_execute("UPDATE schema_needs SET least = 1000").await.unwrap();
    let mut late = town.unready_hub("all");
    late.start();
    assert_eq!(late.ended(LONG).await.code(), Some(2), "{}", late.log());
    assert!(late.log().contains("install the newer payhub"), "{}", late.log());
    drop(client);
    town.finish().await;
}
