//! Three hubs over one database, each with its workers: every job is leased once, whoever dies
//! leaves it to another, and no day is skipped.

use futures_util::future::join_all;
use payhub::demo::{ALIPAY, WECHAT};
use payhub::hub::Hub;
use payhub::store::runs::{self, Pause};
use payhub::{dispatch, orders, reconcile};

use crate::harness::{World, at, word};

/// The next morning, when bills are ready.
const NEXT_MORNING: &str = "2018-12-01T03:00:00Z";
/// Each merchant's days with how many runs they have and how many of those have ended.
const DAYS: &str = "SELECT string_agg(day || ' ' || runs || ' ' || ended, ', ' ORDER BY day)
                      FROM (SELECT bill_date AS day, count(*) AS runs, count(finished_at) AS ended
                              FROM runs WHERE merchant_id = $1 GROUP BY bill_date) AS days";

/// Lets every hub work at once until none has anything to do; how much they did.
async fn all_work(hubs: &[&Hub]) -> usize {
    let work = async |hub: &Hub| {
        let mut done = 0;
        loop {
            match reconcile::run_once(hub).await.unwrap() {
                0 => return done,
                some => done += some,
            }
        }
    };
    join_all(hubs.iter().map(|hub| work(hub))).await.into_iter().sum()
}

async fn days(world: &World, merchant: &str) -> String {
    world.database().await.query_one(DAYS, &[&merchant]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t33_three_hubs_do_each_job_once_and_skip_no_day() {
    let world = World::open().await;
    let twins = [
        world.twin(world.another_store()).await.unwrap(),
        world.twin(world.another_store()).await.unwrap(),
    ];
    let hubs = [&*world.hub, &*twins[0].hub, &*twins[1].hub];
    // An order that is due to be asked for is asked for once, and what it tells is sent once.
    let fee = world.fee("1").await;
    let (_, order) = world.order(WECHAT, &[&fee]).await;
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
    world.clock.advance(jiff::SignedDuration::from_secs(30));
    for asked in join_all(hubs.map(orders::run_once)).await {
        asked.unwrap();
    }
    let queries = "SELECT count(*) FROM provider_calls WHERE operation = 'query'";
    assert_eq!(world.count(queries).await, 1);
    for sent in join_all(hubs.map(dispatch::run_once)).await {
        sent.unwrap();
    }
    world.settle().await.unwrap();
    assert_eq!(world.receiver.heard().len(), 2, "order and fee");
    // Days are reconciled once each, also those for which nobody was there.
    for (now, made) in [(NEXT_MORNING, 2), ("2018-12-02T03:00:00Z", 2), ("2018-12-05T03:00:00Z", 6)]
    {
        world.clock.set(at(now));
        assert_eq!(all_work(&hubs).await, made, "{now}");
    }
    for merchant in [WECHAT, ALIPAY] {
        let each = "2018-11-30 1 1, 2018-12-01 1 1, 2018-12-02 1 1, 2018-12-03 1 1, 2018-12-04 1 1";
        assert_eq!(days(&world, merchant).await, each, "{merchant}");
    }
    let bills =
        "SELECT count(*) - count(DISTINCT subject_id) FROM provider_calls WHERE operation = 'bill'";
    assert_eq!(world.count(bills).await, 0, "each bill is asked for once");
    for twin in twins {
        twin.close().await;
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t33_what_a_dead_hub_had_leased_another_does_once_the_lease_is_over() {
    let world = World::open().await;
    let twin = world.twin(world.another_store()).await.unwrap();
    let hubs = [&*world.hub, &*twin.hub];
    world.clock.set(at(NEXT_MORNING));
    let day = "2018-11-30".parse().unwrap();
    let run = reconcile::begin(&world.hub, WECHAT, day, false, "张三").await.unwrap();
    // Somebody takes the run and is not heard of again.
    let client = world.another_store().client().await.unwrap();
    let now = world.hub.clock.now();
    let held = runs::claim(&client, now, 8).await.unwrap();
    assert_eq!(held.iter().map(|held| &held.run_id).collect::<Vec<_>>(), [&run.id]);
    assert!(runs::renew(&client, &held[0]).await.unwrap());
    let as_he_knew_it = runs::by_ids(&client, &[run.id.as_str()]).await.unwrap().remove(0);
    assert_eq!(all_work(&hubs).await, 1, "the other merchant's day alone");
    let unended = "SELECT count(*) FROM runs WHERE finished_at IS NULL";
    assert_eq!(world.count(unended).await, 1);
    world.let_leases_end().await;
    let taken = runs::claim(&client, now, 8).await.unwrap();
    assert_eq!((taken.len(), taken[0].lease), (1, held[0].lease + 1));
    // He was only slow: what he writes now changes nothing.
    assert!(!runs::renew(&client, &held[0]).await.unwrap());
    let given_up = Pause { status: "failed", next_at: None, failure: "late", damaged: true };
    runs::wait(&client, &as_he_knew_it, &given_up).await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM runs WHERE status = 'failed'").await, 0);
    world.let_leases_end().await;
    assert_eq!(all_work(&hubs).await, 1);
    for merchant in [WECHAT, ALIPAY] {
        assert_eq!(days(&world, merchant).await, "2018-11-30 1 1", "{merchant}");
    }
    let told = "SELECT count(*) FROM events WHERE type = 'reconciliation.completed'";
    assert_eq!(world.count(told).await, 2);
    drop(client);
    twin.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_workers_and_the_outbox_are_measured() {
    let world = World::open().await;
    world.receiver.answer_with(500);
    world.paid(WECHAT, "1").await;
    world.clock.advance(jiff::SignedDuration::from_secs(60));
    let dead = "UPDATE deliveries SET state = 'dead'
                 WHERE delivery_id = (SELECT max(delivery_id) FROM deliveries WHERE receiver = 'registry')";
    world.database().await.batch_execute(dead).await.unwrap();
    let _beat = world.hub.health.begin("orders".to_owned(), std::time::Duration::from_secs(60));
    let text = world.client().get(world.url("/metrics")).send().await.unwrap();
    let text = text.text().await.unwrap();
    let value = |name: &str| -> i64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap()
    };
    let of = |name: &str| value(&format!("payhub_deliveries_{name}{{receiver=\"registry\"}}"));
    assert_eq!((of("waiting"), of("dead")), (1, 1));
    assert!(of("waiting_attempts") >= 1, "{text}");
    assert!((1..=60).contains(&of("late_seconds")), "{text}");
    assert_eq!(value("payhub_worker_silent_seconds{worker=\"orders\"}"), 0);
    world.receiver.answer_with(200);
    world.finish().await;
}
