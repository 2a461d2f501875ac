//! A merchant's budget of queries: kept by all hubs together, spent first on those who wait, and
//! nobody starves.

use jiff::SignedDuration;
use payhub::demo::WECHAT;
use serde_json::{Value, json};

use crate::harness::{World, word};
use crate::products::{LEGACY, legacy};

/// An office whose old merchant carries six queries a second.
async fn six_a_second() -> World {
    with_budget(6).await
}

/// An office whose old merchant carries so many queries a second.
pub(super) async fn with_budget(queries: u32) -> World {
    World::open_with(&format!("{}queries_per_second = {queries}\n", legacy())).await
}

/// The most queries of a merchant that left in any second of the clock.
pub(super) async fn most_in_a_second(world: &World) -> i64 {
    world
        .count(
            "SELECT COALESCE(max(n), 0) FROM (
                 SELECT count(*) AS n FROM provider_calls WHERE operation LIKE 'query%'
                  GROUP BY merchant_id, date_trunc('second', begun_at)) AS seconds",
        )
        .await
}

/// Orders of the old merchant that may be asked for, `count` of them.
pub(super) async fn orders(world: &World, count: usize) -> Vec<Value> {
    let mut orders = Vec::new();
    for number in 0..count {
        let fee = world.fee(&format!("{number}")).await;
        let body = json!({"merchant_id": LEGACY, "product": "native", "fee_ids": [fee]});
        let (status, order) = world.post("/v1/orders", &body).await.unwrap();
        assert_eq!(status, 201, "{order}");
        orders.push(order);
    }
    orders
}

/// Which orders were asked for since `from`.
async fn asked_since(world: &World, from: i64) -> Vec<String> {
    let rows = world
        .database()
        .await
        .query(
            "SELECT subject_id FROM provider_calls WHERE operation = 'query' AND call_id > $1
              ORDER BY call_id",
            &[&from],
        )
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hubs_together_never_ask_more_than_the_budget_and_use_all_of_it() {
    let world = six_a_second().await;
    let twin = world.twin(world.another_store()).await.unwrap();
    let orders = orders(&world, 20).await;
    world.clock.advance(SignedDuration::from_secs(7));
    // An eighth is kept for others: a query in three of these four seconds.
    for expected in [5, 11, 16, 20] {
        super::look(&world, &twin).await;
        let asked = asked_since(&world, 0).await.len();
        assert_eq!(asked, expected);
        // Whoever comes again in the same second gets nothing.
        super::look(&world, &twin).await;
        assert_eq!(asked_since(&world, 0).await.len(), asked);
        world.clock.advance(SignedDuration::from_secs(1));
    }
    let mut asked = asked_since(&world, 0).await;
    asked.sort_unstable();
    asked.dedup();
    assert_eq!(asked.len(), orders.len(), "each of them once");
    assert_eq!(most_in_a_second(&world).await, 6);
    twin.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_wait_go_first_and_nobody_starves() {
    let world = six_a_second().await;
    let all = orders(&world, 20).await;
    let client = world.database().await;
    // They are old, and all are due, the first ones longest.
    client
        .execute(
            "UPDATE orders SET created_at = created_at - interval '1 hour',
                    next_query_at = created_at + row_number * interval '1 second'
               FROM (SELECT order_id, row_number() OVER (ORDER BY order_id) FROM orders) AS numbered
              WHERE orders.order_id = numbered.order_id",
            &[],
        )
        .await
        .unwrap();
    let ids: Vec<String> = all.iter().map(|order| word(order, "id")).collect();
    let urgent = [&ids[17], &ids[18], &ids[19]];
    let mark = |set: &str, id: &str| format!("UPDATE orders SET {set} WHERE order_id = '{id}'");
    let soon = "watched_until = next_query_at + interval '1 minute'";
    client.execute(&mark(soon, urgent[0]), &[]).await.unwrap();
    client.execute(&mark("closes = 1, close_wanted_at = NULL", urgent[1]), &[]).await.unwrap();
    let young = "created_at = created_at + interval '1 hour'";
    client.execute(&mark(young, urgent[2]), &[]).await.unwrap();
    world.clock.advance(SignedDuration::from_secs(20));
    payhub::orders::run_once(&world.hub).await.unwrap();
    let first = asked_since(&world, 0).await;
    assert_eq!(first.len(), 6);
    assert!(urgent.iter().all(|id| first.contains(id)), "{first:?}");
    assert!(ids[..3].iter().all(|id| first.contains(id)), "then those that are longest due");
    // The others are asked for although the urgent ones are due again and again.
    for _ in 0..6 {
        world.clock.advance(SignedDuration::from_secs(1));
        payhub::orders::run_once(&world.hub).await.unwrap();
    }
    let asked = asked_since(&world, 0).await;
    assert!(ids.iter().all(|id| asked.contains(id)), "{asked:?}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_refreshes_is_counted_and_sees_what_is_known_when_nothing_is_left() {
    let world = six_a_second().await;
    let order = orders(&world, 1).await.pop().unwrap();
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
    let client = world.database().await;
    let spent = "INSERT INTO query_budgets VALUES ($1, date_trunc('second', $2::timestamptz), 6, 0)
                 ON CONFLICT (merchant_id) DO UPDATE SET second = excluded.second, taken = 6";
    client.execute(spent, &[&LEGACY, &crate::harness::at(crate::harness::OPENING)]).await.unwrap();
    let refresh = format!("/v1/orders/{}?refresh=true", word(&order, "id"));
    let (status, now) = world.get(&refresh).await.unwrap();
    assert_eq!((status, &now["status"]), (200, &json!("pending")), "nobody was asked");
    world.clock.advance(SignedDuration::from_secs(1));
    let (_, now) = world.get(&refresh).await.unwrap();
    assert_eq!(now["status"], "paid");
    assert_eq!(
        world.count("SELECT taken FROM query_budgets WHERE merchant_id = 'legacy-wechat'").await,
        1
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_young_order_is_asked_for_beside_two_hundred_refunds_that_are_due() {
    let world = World::open().await;
    let (_, order, _) = world.paid(WECHAT, "1").await;
    let body = json!({"amount_fen": 100, "reason": "多收"});
    let (status, refund) = world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    assert_eq!(status, 201, "{refund}");
    let fee = world.fee("2").await;
    let (_, young) = world.order(WECHAT, &[&fee]).await;
    world.clock.advance(SignedDuration::from_secs(7));
    let client = world.database().await;
    let many = "INSERT INTO refunds
                SELECT (jsonb_populate_record(r, jsonb_build_object(
                            'refund_id', 'rfd_' || replace(gen_random_uuid()::text, '-', ''),
                            'out_refund_no', 'R' || replace(gen_random_uuid()::text, '-', ''),
                            'next_query_at', r.created_at, 'state', 'unknown', 'leased_until', NULL))).*
                  FROM refunds r, generate_series(1, 200)";
    assert_eq!(client.execute(many, &[]).await.unwrap(), 200);
    payhub::refunds::run_once(&world.hub).await.unwrap();
    assert_eq!(asked("query_refund", &world).await, 25, "half of fifty, and not more");
    payhub::orders::run_once(&world.hub).await.unwrap();
    assert_eq!(asked_since(&world, 0).await, [word(&young, "id")]);
    world.close_only().await;
}

/// How often a provider was asked so.
async fn asked(operation: &str, world: &World) -> i64 {
    let asked = format!("SELECT count(*) FROM provider_calls WHERE operation = '{operation}'");
    world.count(&asked).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_refreshes_all_the_time_leaves_half_to_those_who_follow() {
    let world = World::open().await;
    let (one, other) = (world.fee("1").await, world.fee("2").await);
    let (_, wanted) = world.order(WECHAT, &[&one]).await;
    world.clock.advance(SignedDuration::from_secs(7));
    let (_, looked_at) = world.order(WECHAT, &[&other]).await;
    let refresh = format!("/v1/orders/{}?refresh=true", word(&looked_at, "id"));
    for _ in 0..50 {
        assert_eq!(world.get(&refresh).await.unwrap().0, 200);
    }
    assert_eq!(asked("query", &world).await, 25);
    payhub::orders::run_once(&world.hub).await.unwrap();
    let by_now = asked_since(&world, 0).await;
    assert!(by_now.contains(&word(&wanted, "id")), "{by_now:?}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_takes_no_query_for_what_another_hub_has_in_hand() {
    let world = six_a_second().await;
    let orders = orders(&world, 6).await;
    world.clock.advance(SignedDuration::from_secs(8));
    let mut client = world.database().await;
    // Another hub is just about to lease four of them.
    let tx = client.transaction().await.unwrap();
    let four: Vec<String> = orders[..4].iter().map(|order| word(order, "id")).collect();
    let lock = "SELECT FROM orders WHERE order_id = ANY ($1) FOR UPDATE";
    tx.query(lock, &[&four]).await.unwrap();
    payhub::orders::run_once(&world.hub).await.unwrap();
    tx.rollback().await.unwrap();
    let taken = "SELECT taken FROM query_budgets WHERE merchant_id = 'legacy-wechat'";
    assert_eq!(world.count(taken).await, 2);
    payhub::orders::run_once(&world.hub).await.unwrap();
    assert_eq!(asked_since(&world, 0).await.len(), 6, "and none is lost");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_without_sense_stops_the_start() {
    use payhub::config::{Config, Environment};
    for (given, is_good) in [("1", true), ("300", true), ("0", false), ("301", false)] {
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://127.0.0.1\"\n[security]\n\
             master_key = \"cGF5aHViIGRlbW9uc3RyYXRpb24ga2V5IDAwMDAwMDE=\"\n\
             [database]\nurl = \"postgres://127.0.0.1/payhub\"\n{}queries_per_second = {given}\n",
            legacy().replace("{providers}", "http://127.0.0.1")
        );
        let path = std::path::Path::new("payhub.toml");
        match Config::parse(&text, path, &Environment::of([])) {
            Ok(_config) => assert!(is_good, "{given}"),
            Err(fault) => {
                let line = fault.to_string();
                assert!(!is_good && line.contains("queries_per_second"), "{given}: {line}");
            }
        }
    }
}
