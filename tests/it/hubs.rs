//! Hubs side by side over one database, and one that starts anew: neither undoes what the other or
//! an operator did.

mod jobs;
mod schema;

use domain::ids::ApplicationId;
use payhub::demo::Office;
use payhub::store::Store;
use payhub::store::applications::{self, NewApplication};
use payhub::store::callbacks::prepare_month;
use payhub::store::migrate::migrate;

use crate::harness::{World, at};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hubs_that_start_in_one_moment_both_prepare_a_new_month() {
    let world = World::open().await;
    for month in 1..=9 {
        let day = at(&format!("2020-0{month}-10T00:00:00Z"));
        let prepare = |store: Store| async move {
            migrate(&store).await.unwrap();
            let client = store.client().await.unwrap();
            prepare_month(&client, day).await
        };
        let both = [world.another_store(), world.another_store()];
        for done in both.map(|store| tokio::spawn(prepare(store))) {
            done.await.unwrap().unwrap();
        }
    }
    let parts =
        "SELECT count(*) FROM pg_class WHERE relname LIKE 'callbacks\\_2020\\_%' AND relkind = 'r'";
    assert_eq!(world.count(parts).await, 9);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_taken_back_stays_so_until_the_file_names_another() {
    let world = World::open().await;
    let client = world.hub.store.client().await.unwrap();
    let now = at("2018-11-30T01:00:00Z");
    assert_eq!(applications::revoke(&client, "nobody", now).await.unwrap(), None);
    let stands_in_file = applications::revoke(&client, "registry", now).await.unwrap();
    assert_eq!(stands_in_file, Some(true));
    assert_eq!(applications::revoke(&client, "registry", now).await.unwrap(), None);
    assert_eq!(world.get("/v1/events").await.unwrap().0, 401);
    // The hub starts anew with the same file.
    let twin = world.twin(world.another_store()).await.unwrap();
    let asked = world.client().get(twin.url("/v1/events")).bearer_auth(Office::api_key());
    assert_eq!(asked.send().await.unwrap().status().as_u16(), 401);
    twin.close().await;
    // The file names a new key.
    let name: ApplicationId = "registry".parse().unwrap();
    let key_hash = world.hub.sealer.api_key_hash("a new key");
    let new = NewApplication {
        application_id: &name,
        key_hash: &key_hash,
        webhook_url: None,
        webhook_secret: None,
        webhook_previous: None,
        webhook_events: &[],
        concurrency: 4,
        now,
    };
    applications::upsert(&client, &new).await.unwrap();
    assert_eq!(applications::by_key(&client, &key_hash).await.unwrap(), Some(name));
    assert_eq!(world.get("/v1/events").await.unwrap().0, 401, "the old one stays taken back");
    drop(client);
    world.finish().await;
}
