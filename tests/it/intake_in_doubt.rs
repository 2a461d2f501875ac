//! A commit of which nobody hears whether it happened. The server is told to wait for a standby that
//! does not exist: it commits, and keeps the answer back; then the connection is cut.

use payhub::demo::WECHAT;

use crate::harness::World;
use crate::intake::{paid_unheard, say, taken};

/// The connection of the hub that has committed and waits for the standby.
const COMMITTED: &str = "SELECT min(pid) FROM pg_stat_activity
     WHERE application_name = 'payhub' AND wait_event = 'SyncRep' AND pid <> $1";

/// Waits for a connection other than `known` that has committed and tells nobody yet.
async fn committed(beside: &tokio_postgres::Client, known: i32) -> i32 {
    let begun = std::time::Instant::now();
    loop {
        let found: Option<i32> = beside.query_one(COMMITTED, &[&known]).await.unwrap().get(0);
        if let Some(pid) = found {
            return pid;
        }
        assert!(begun.elapsed().as_secs() < 20, "nothing commits");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_which_nobody_heard_is_found_done_and_answered_as_it_was() {
    let world = World::open_alone().await;
    let numbers = paid_unheard(&world, WECHAT, 2).await;
    let beside = world.database().await;
    beside.batch_execute("SET synchronous_commit = local").await.unwrap();
    beside.batch_execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await.unwrap();
    beside.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    let said = say(&world, WECHAT, &numbers[0]);
    let first = committed(&beside, 0).await;
    assert!(!said.is_finished());
    beside.query("SELECT pg_terminate_backend($1)", &[&first]).await.unwrap();
    // It is recorded again, finds everything known, and commits that.
    let second = committed(&beside, first).await;
    assert_ne!(first, second);
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 1, "the first one happened");
    assert!(!said.is_finished());
    beside.batch_execute("ALTER SYSTEM RESET synchronous_standby_names").await.unwrap();
    beside.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    assert_eq!(said.await.unwrap(), taken(WECHAT));
    let stored = "SELECT count(*) FROM callbacks WHERE verdict = 'applied'";
    assert_eq!(world.count(stored).await, 1, "as the first one found it");
    assert_eq!(world.count("SELECT count(*) FROM callbacks").await, 1);
    // The writer goes on.
    assert_eq!(say(&world, WECHAT, &numbers[1]).await.unwrap(), taken(WECHAT));
    assert_eq!(world.count("SELECT count(*) FROM journal_entries").await, 2);
    let metrics = world.client().get(world.url("/metrics")).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let counted = format!("callbacks_total{{merchant=\"{WECHAT}\",verdict=\"applied\"}} 2");
    assert!(metrics.contains(&counted), "{metrics}");
    drop(beside);
    world.finish().await;
}
