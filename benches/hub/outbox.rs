//! An outbox to be emptied: events with bodies as the hub makes them, for one receiver or several,
//! each of a key of its own or many of a key. The peer's jobs carry the same bodies.

use domain::ids::EventId;
use serde_json::json;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::database::Server;
use crate::given::{Given, Outcome};
use crate::serving::{self, HubSettings};

/// More receivers, as the first is.
const RECEIVERS: &str = "
INSERT INTO applications SELECT copy.*
  FROM generate_series(1, $1::integer - 1) AS n, applications a,
       LATERAL jsonb_populate_record(a, jsonb_build_object('application_id', 'registry-' || n,
               'key_hash', '\\x' || lpad(to_hex(n), 64, '0'))) AS copy
 WHERE a.application_id = 'registry'";
const CONCURRENCY: &str =
    "UPDATE applications SET concurrency = $1 WHERE application_id LIKE 'registry%'";
const EVENTS: &str = "
INSERT INTO events (event_id, application_id, type, subject_id, occurred_at, body)
SELECT e.event_id, CASE e.n % $4 WHEN 0 THEN 'registry' ELSE 'registry-' || e.n % $4 END, 'order.paid',
       'ord_' || e.n / $4 % $5, now(), $2 || e.event_id || $3
  FROM unnest($1::text[]) WITH ORDINALITY AS e (event_id, n)";
const DELIVERIES: &str = "
INSERT INTO deliveries (kind, event_id, receiver, ordering_key, next_at, created_at)
SELECT 'webhook', event_id, application_id, subject_id, occurred_at, occurred_at
  FROM events WHERE event_id = ANY ($1) ORDER BY event_id";
const JOBS: &str = "
SELECT count(*) FROM graphile_worker.add_jobs((
    SELECT array_agg(('nothing', ($1 || n || $2)::json, CASE WHEN $5::integer < $6 THEN 'ord_' || n % $5 END,
                      NULL, NULL, NULL, NULL, NULL)::graphile_worker.job_spec)
      FROM generate_series($3::integer, $4) AS n))";

/// What an outbox holds.
#[derive(Clone, Copy)]
pub struct Amount {
    /// How many events.
    pub events: usize,
    /// For how many receivers.
    pub receivers: i64,
    /// Of how many keys each.
    pub keys: usize,
}

/// Makes a database that a hub has migrated and left.
pub async fn template(
    given: &Given,
    server: &Server,
    name: &str,
    receiver: std::net::SocketAddr,
) -> Outcome<()> {
    server.create(name).await?;
    let table = format!("url = \"{}\"", server.url(name));
    let settings =
        HubSettings { database: &table, stub: receiver, role: "api", merchants: 1, more: "" };
    serving::hub(given, &settings).await?.process.stop()
}

/// Has the database know so many receivers, each with so much under way at once.
pub async fn receivers(client: &Client, count: i32, at_once: i32) -> Outcome<()> {
    client.execute(RECEIVERS, &[&count]).await?;
    client.execute(CONCURRENCY, &[&at_once]).await?;
    Ok(())
}

/// Fills it, and commits once at the end.
pub async fn fill(client: &Client, amount: Amount) -> Outcome<()> {
    let (before, behind) = body();
    let keys = i64::try_from(amount.keys)?;
    client.batch_execute("BEGIN").await?;
    let mut left = amount.events;
    while left > 0 {
        let some = left.min(10_000);
        let ids: Vec<String> =
            (0..some).map(|_| EventId::new(Uuid::now_v7()).to_string()).collect();
        client.execute(EVENTS, &[&ids, &before, &behind, &amount.receivers, &keys]).await?;
        client.execute(DELIVERIES, &[&ids]).await?;
        left -= some;
    }
    client.batch_execute("COMMIT").await?;
    Ok(())
}

/// Gives the peer as many jobs.
pub async fn queue(client: &Client, amount: Amount) -> Outcome<()> {
    let (before, behind) = body();
    let (events, keys) = (i32::try_from(amount.events)?, i32::try_from(amount.keys)?);
    for first in (1..=events).step_by(10_000) {
        let last = events.min(first + 9_999);
        client.execute(JOBS, &[&before, &behind, &first, &last, &keys, &events]).await?;
    }
    Ok(())
}

/// An event's body as the hub writes it, without its id.
fn body() -> (String, String) {
    let data = json!({
        "id": "ord_0190163d8694739b8bd6e3ecdb84c8a1", "merchant_id": "registry-wechat-0", "status": "paid",
        "out_trade_no": "P0190163d8694739b8bd6e3ecdb84c8", "amount_fen": 8000, "currency": "CNY",
        "product": "native", "subject": "不动产登记费", "fee_ids": ["fee_0190163d8694739b8bd6e3ecdb84c8a2"],
        "paid_at": "2026-11-30T10:00:00+08:00", "paid_late": false, "created_at": "2026-11-30T09:59:00+08:00",
        "provider_trade_no": "4200001234202611300000000001", "refunded_fen": 0,
    });
    let behind =
        json!({"type": "order.paid", "timestamp": "2026-11-30T10:00:00+08:00", "data": data});
    let behind = behind.to_string();
    ("{\"id\":\"".to_owned(), format!("\",{}", behind.get(1..).unwrap_or_default()))
}
