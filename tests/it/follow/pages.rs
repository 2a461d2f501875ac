//! A page that is opened while its order's provider is asked: whatever the answer is, the order is
//! asked for soon, and not in three quarters of a minute.

use domain::ids::CombinedId;
use domain::order::OrderState;
use jiff::{SignedDuration, Timestamp};
use payhub::demo::WECHAT;
use payhub::store::orders::{Answered, NextQuery};
use payhub::store::{combined, orders};

use crate::combined::{TAX, combine, payee};
use crate::harness::{World, at, word};

const NOW: &str = "2018-11-30T01:10:00Z";

fn after(seconds: i64) -> Timestamp {
    at(NOW).checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

/// As the hub chose it before the page was open.
fn chosen() -> NextQuery {
    NextQuery { at: Some(after(45)), watched: after(7), queries: 9, now: at(NOW) }
}

/// In how many seconds a row is asked for.
async fn soon(world: &World, table: &str) -> i64 {
    let seconds = format!(
        "SELECT COALESCE(extract(epoch FROM next_query_at - '{NOW}')::bigint, -1) FROM {table}
          WHERE watched_until IS NOT NULL"
    );
    world.count(&seconds).await
}

async fn is_watched_until(world: &World, table: &str, until: i64) {
    let watched = format!("UPDATE {table} SET watched_until = $1");
    world.database().await.execute(&watched, &[&after(until)]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_placed_again_or_closed_in_vain_is_asked_for_soon_while_its_page_is_open()
{
    let world = World::open().await;
    let fee = world.fee("1").await;
    let (_, order) = world.order(WECHAT, &[&fee]).await;
    let id = word(&order, "id").parse().unwrap();
    let store = world.another_store();
    for (until, within) in [(60, 7), (0, 45)] {
        is_watched_until(&world, "orders", until).await;
        let client = store.client().await.unwrap();
        let answered = Answered {
            order_id: &id,
            before: OrderState::Pending,
            after: OrderState::Pending,
            pay: None,
            refused: None,
            closed_at: None,
            superseded_at: None,
            next: chosen(),
        };
        assert!(orders::answered(&client, &answered).await.unwrap());
        assert_eq!(soon(&world, "orders").await, within, "placed again");
        orders::close_unsaid(&client, &id, None, &chosen()).await.unwrap();
        assert_eq!(soon(&world, "orders").await, within, "closed in vain");
        let never = NextQuery { at: None, ..chosen() };
        orders::answered(&client, &Answered { next: never, ..answered }).await.unwrap();
        assert_eq!(soon(&world, "orders").await, -1, "what is asked for no more stays so");
    }
    store.close();
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_combined_order_that_is_closed_in_vain_is_asked_for_soon_while_its_page_is_open() {
    let world = World::open_with(&payee(TAX, "1900000109")).await;
    let (status, whole) = combine(&world, &world.fee("1").await, &world.fee("2").await).await;
    assert_eq!(status, 201, "{whole}");
    let id: CombinedId = word(&whole, "id").parse().unwrap();
    let store = world.another_store();
    for (until, within) in [(60, 7), (0, 45)] {
        is_watched_until(&world, "combined_orders", until).await;
        let client = store.client().await.unwrap();
        combined::close_unsaid(&client, &id, None, &chosen()).await.unwrap();
        assert_eq!(soon(&world, "combined_orders").await, within);
    }
    store.close();
    world.close_only().await;
}
