//! The schema between hubs of two programs, and a database that moves to another cluster.

use payhub::demo::{ALIPAY, WECHAT};
use payhub::store::migrate::migrate;
use serde_json::Value;

use crate::harness::{World, word};

/// A newer program was here: the schema has a migration that this one does not know.
const NEWER: &str = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
                     SELECT version + 1000, 'a_newer_program', applied_on, checksum
                       FROM refinery_schema_history ORDER BY version DESC LIMIT 1";
/// What was written is of a cluster that is far ahead of this one.
const MOVED: &str = "SET session_replication_role = replica;
                     UPDATE events SET transaction_id = (transaction_id::text::bigint + 1000000000000)::text::xid8;
                     RESET session_replication_role";

async fn ready(world: &World) -> (u16, Value) {
    let answer = world.client().get(world.url("/readyz")).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_hub_stays_ready_while_newer_ones_take_over_unless_their_schema_breaks_it() {
    let world = World::open().await;
    let client = world.database().await;
    client.batch_execute(NEWER).await.unwrap();
    assert_eq!(ready(&world).await.0, 200);
    let store = world.another_store();
    assert_eq!(migrate(&store).await.unwrap(), 0, "an old hub that starts again changes nothing");
    client.batch_execute("UPDATE schema_needs SET least = 1000").await.unwrap();
    let (status, told) = ready(&world).await;
    assert_eq!(status, 503);
    assert!(word(&told["checks"], "migrations").contains("install the newer payhub"), "{told}");
    client.batch_execute("UPDATE schema_needs SET least = 14").await.unwrap();
    assert_eq!(ready(&world).await.0, 200);
    // A newer program that does not know one of ours is none of the same line.
    client.batch_execute("DELETE FROM refinery_schema_history WHERE version = 11").await.unwrap();
    let error = migrate(&store).await.unwrap_err().to_string();
    assert!(error.contains("V11"), "{error}");
    store.close();
    drop(client);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_may_take_as_long_as_it_takes() {
    let world = World::open().await;
    let client = world.database().await;
    client
        .batch_execute(
            "CREATE TABLE seen (setting text);
             CREATE FUNCTION see() RETURNS event_trigger LANGUAGE plpgsql
                 AS $$ BEGIN INSERT INTO seen VALUES (concat_ws(' ', current_setting('statement_timeout'), current_setting('lock_timeout'))); END $$;
             CREATE EVENT TRIGGER see ON ddl_command_start EXECUTE FUNCTION see()",
        )
        .await
        .unwrap();
    let store = world.another_store();
    migrate(&store).await.unwrap();
    let rows = client.query("SELECT DISTINCT setting FROM seen", &[]).await.unwrap();
    let seen: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(seen, ["0 0"], "neither a statement nor a lock is waited for in vain");
    let usual = store.client().await.unwrap();
    let usual: String = usual.query_one("SHOW statement_timeout", &[]).await.unwrap().get(0);
    assert_eq!(usual, "30s", "what works afterwards is bounded as ever");
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(world.count(locks).await, 0);
    store.close();
    drop(client);
    world.finish().await;
}

/// So many events of the feed behind a place: an event is held back while any older transaction of
/// the cluster is open, so tests beside this one may delay it.
async fn page(world: &World, after: &str, wanted: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..5000 {
        let (status, page) = world.get(&format!("/v1/events{after}")).await.unwrap();
        assert_eq!(status, 200, "{page}");
        ids = page["data"].as_array().unwrap().iter().map(|event| word(event, "id")).collect();
        if ids.len() >= wanted {
            break;
        }
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_goes_on_behind_what_was_restored_from_another_cluster() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    let before = page(&world, "", 2).await;
    assert_eq!(before.len(), 2);
    world.database().await.batch_execute(MOVED).await.unwrap();
    let epochs = "SELECT count(*) FROM feed_epochs";
    // Two hubs start at once on what was restored.
    let (one, two) =
        tokio::join!(world.twin(world.another_store()), world.twin(world.another_store()));
    let twins = [one.unwrap(), two.unwrap()];
    assert_eq!(world.count(epochs).await, 2);
    assert_eq!(page(&world, "", 2).await, before, "what was before is there");
    world.paid(ALIPAY, "2").await;
    let after = page(&world, &format!("?after={}", before[1]), 2).await;
    assert_eq!(after.len(), 2, "what came since stands behind it");
    let all: Vec<String> = before.iter().chain(&after).cloned().collect();
    assert_eq!(page(&world, "", 4).await, all);
    let third = world.twin(world.another_store()).await.unwrap();
    assert_eq!(world.count(epochs).await, 2, "the numbers go on: no epoch begins");
    third.close().await;
    for twin in twins {
        twin.close().await;
    }
    world.finish().await;
}
