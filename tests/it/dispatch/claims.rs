//! What a claim reads: nothing of what waits for an endpoint that is disabled or asked to wait.

use payhub::store::deliveries::{self, Cargo};
use payhub::store::sql;
use serde_json::Value;
use tokio_postgres::SimpleQueryMessage;

use super::Post;

const BACKLOG: usize = 300;
const DISABLED: &str =
    "UPDATE applications SET webhook_disabled_at = created_at, webhook_disabled_by = 'hand'";
const HELD: &str = "UPDATE applications SET webhook_held_until = '2018-11-30T02:00:01Z'";

/// Rows that a plan's nodes read and threw away, in all.
fn thrown_away(node: &Value) -> u64 {
    let here = node["Rows Removed by Filter"].as_u64().unwrap_or_default()
        * node["Actual Loops"].as_u64().unwrap_or(1);
    let below = node["Plans"].as_array().map_or(0, |nodes| nodes.iter().map(thrown_away).sum());
    here + below
}

/// Rows that a claim of everything throws away; it is taken back.
async fn claim_throws_away(post: &Post) -> u64 {
    let claim = sql::ALL.iter().find(|(name, _)| *name == "deliveries_claim").unwrap().1;
    let steady = sql::ALL.iter().find(|(name, _)| *name == "deliveries_steady").unwrap().1;
    let statement = format!("DEALLOCATE ALL; PREPARE claims AS {claim}");
    post.sql.batch_execute(&statement).await.unwrap();
    post.sql.batch_execute(&format!("BEGIN; {steady}")).await.unwrap();
    let explain = "EXPLAIN (ANALYZE, FORMAT JSON)
                   EXECUTE claims('2018-11-30T02:00:00Z', 4000, '{registry}', '{2000}')";
    let rows = post.sql.simple_query(explain).await.unwrap();
    post.sql.batch_execute("ROLLBACK").await.unwrap();
    let text = rows
        .iter()
        .find_map(|row| if let SimpleQueryMessage::Row(row) = row { row.get(0) } else { None });
    let plan: Value = serde_json::from_str(text.unwrap()).unwrap();
    assert!(plan[0]["Plan"]["Plans"].is_array(), "{plan}");
    thrown_away(&plan[0]["Plan"])
}

#[actix_web::test]
async fn a_claim_reads_nothing_of_what_waits_for_an_endpoint_that_is_left_alone() {
    for left_alone in [DISABLED, HELD] {
        let post = Post::open().await;
        for order in 0..BACKLOG {
            post.happens(&format!("ord_{order}")).await;
        }
        post.sql.batch_execute("ANALYZE deliveries").await.unwrap();
        post.sql.batch_execute(left_alone).await.unwrap();
        let thrown_away = claim_throws_away(&post).await;
        assert!(thrown_away < 10, "{left_alone}: {thrown_away} of {BACKLOG} read for nothing");
        let client = post.hub.store.client().await.unwrap();
        assert_eq!(deliveries::claim(&client, post.now(), 4000, &[]).await.unwrap().len(), 0);
        drop(client);
        post.close().await;
    }
}

#[actix_web::test]
async fn the_messages_of_a_channel_with_the_name_of_such_an_endpoint_are_claimed() {
    for left_alone in [DISABLED, HELD] {
        let post = Post::open().await;
        post.happens("ord_1").await;
        post.sql.batch_execute(left_alone).await.unwrap();
        let message = "INSERT INTO deliveries (kind, notification_id, receiver, ordering_key, next_at, created_at)
                       SELECT 'sms', 'ntf_00000000000000000000000000000007', receiver, 'told', next_at, created_at
                         FROM deliveries";
        post.sql.batch_execute(message).await.unwrap();
        let client = post.hub.store.client().await.unwrap();
        let claimed = deliveries::claim(&client, post.now(), 16, &[]).await.unwrap();
        assert_eq!(claimed.len(), 1, "{left_alone}");
        assert!(matches!(claimed[0].cargo, Cargo::Notification(_)));
        drop(client);
        post.close().await;
    }
}
