//! Many questions at once: whoever else needs the database does not wait for them, and each order is
//! in one hand at a time.

use jiff::SignedDuration;
use payhub::store::orders;

use super::budget::{orders as some, with_budget};
use crate::harness::{World, word};

/// More than there are connections, of both sorts together.
const CROWD: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_many_are_asked_for_at_once_nobody_else_waits_for_a_connection() {
    let world = with_budget(300).await;
    let crowd = some(&world, CROWD).await;
    world.clock.advance(SignedDuration::from_secs(7));
    let mut client = world.database().await;
    // Whoever has an answer cannot keep it, and holds his connection.
    let tx = client.transaction().await.unwrap();
    tx.batch_execute("LOCK TABLE provider_calls IN SHARE MODE").await.unwrap();
    let others = async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted
                          AND relation = 'provider_calls'::regclass";
        world.becomes(waiting, 8).await;
        for order in crowd.iter().step_by(4) {
            assert_eq!(word(&world.order_now(&word(order, "id")).await, "status"), "pending");
        }
        world.fee("another").await;
        tx.rollback().await.unwrap();
    };
    let (followed, ()) = tokio::join!(payhub::orders::run_once(&world.hub), others);
    assert_eq!(followed.unwrap(), CROWD);
    let requests = world.sandbox.engine().state().requests;
    let asked = requests.iter().filter(|said| said.target == "/pay/orderquery").count();
    assert_eq!(asked, CROWD);
    assert_eq!(world.count("SELECT count(*) FROM orders WHERE leased_until IS NOT NULL").await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_is_renewed_while_it_is_held_and_not_taken_back_once_it_ended() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    let (_, order) = world.order(payhub::demo::WECHAT, &[&fee]).await;
    let id = word(&order, "id").parse().unwrap();
    let client = world.database().await;
    let store = world.another_store();
    let left =
        "SELECT COALESCE(ceil(extract(epoch FROM leased_until - clock_timestamp()))::bigint, 0)
                  FROM orders";
    for (given, renewed) in
        [("clock_timestamp() + interval '3 seconds'", 25), ("clock_timestamp()", 0), ("NULL", 0)]
    {
        let lease = format!("UPDATE orders SET leased_until = {given}");
        client.execute(&lease, &[]).await.unwrap();
        orders::renew(&store.client().await.unwrap(), std::slice::from_ref(&id)).await.unwrap();
        assert_eq!(world.count(left).await, renewed, "{given}");
    }
    store.close();
    world.finish().await;
}
