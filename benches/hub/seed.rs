//! What stands in the database before a run: one fee and one order of each provider are made by the
//! hub itself, and the rest are copies of their rows under ids of their own.

use domain::ids::{FeeId, OrderId, OutTradeNo};
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::database::Server;
use crate::given::{Given, Outcome};
use crate::load::{ask, request};
use crate::notices::Payable;
use crate::office::{API_KEY, Provider};
use crate::serving::{self, HubSettings, Serving};

const FEES: &str = "
INSERT INTO fees SELECT copy.*
  FROM unnest($2::text[]) AS n (fee_id), fees f,
       LATERAL jsonb_populate_record(f, jsonb_build_object('fee_id', n.fee_id, 'case_no', 'B' || n.fee_id)) AS copy
 WHERE f.fee_id = $1";
const BALANCES: &str = "
INSERT INTO fee_balances SELECT copy.*
  FROM unnest($2::text[]) AS n (fee_id), fee_balances b,
       LATERAL jsonb_populate_record(b, jsonb_build_object('fee_id', n.fee_id)) AS copy
 WHERE b.fee_id = $1";
// Nobody asks for them while the run lasts.
const ORDERS: &str = "
INSERT INTO orders SELECT copy.*
  FROM unnest($2::text[], $3::text[]) AS n (order_id, out_trade_no), orders o,
       LATERAL jsonb_populate_record(o, jsonb_build_object('order_id', n.order_id, 'out_trade_no', n.out_trade_no,
               'next_query_at', now() + interval '1 day', 'expires_at', now() + interval '1 day')) AS copy
 WHERE o.order_id = $1";
const ALLOCATIONS: &str = "
INSERT INTO order_allocations (order_id, position, fee_id, amount_fen)
SELECT n.order_id, a.position, n.fee_id, a.amount_fen
  FROM unnest($2::text[], $3::text[]) AS n (order_id, fee_id), order_allocations a
 WHERE a.order_id = $1";
const LIVE: &str = "
INSERT INTO live_orders (fee_id, order_id)
SELECT fee_id, order_id FROM unnest($1::text[], $2::text[]) AS n (order_id, fee_id)";

// Only what was filled: nobody vacuums a table that was never written to, and one that PostgreSQL has been shown to be
// empty is planned for as empty.
const CLEAN: &str = "VACUUM (ANALYZE) fees, fee_balances, orders, order_allocations, live_orders";

/// Makes `count` orders that wait for their payment in `database`, one of WeChat Pay and one of Alipay
/// in turn, each for a fee of its own.
pub async fn orders(
    given: &Given,
    server: &Server,
    database: &str,
    stub: std::net::SocketAddr,
    count: usize,
) -> Outcome<Vec<Payable>> {
    server.create(database).await?;
    let hub = open(given, server, database, stub).await?;
    let wechat = first(&hub, Provider::Wechat).await?;
    let alipay = first(&hub, Provider::Alipay).await?;
    hub.process.stop()?;
    let client = server.connect(database).await?;
    let mut payable = Vec::with_capacity(count);
    // In the order of their making, as an office makes them, and not one provider's after the other's.
    for part in 0..count.div_ceil(1000) {
        let some = (count - part * 1000).min(1000);
        let uuids: Vec<(Uuid, Uuid)> =
            (0..some).map(|_| (Uuid::now_v7(), Uuid::now_v7())).collect();
        for (turn, first) in [&wechat, &alipay].into_iter().enumerate() {
            let own: Vec<&(Uuid, Uuid)> = uuids.iter().skip(turn).step_by(2).collect();
            copy(&client, first, &own).await?;
        }
        for (index, (_, order)) in uuids.iter().enumerate() {
            let first = if index % 2 == 0 { &wechat } else { &alipay };
            payable.push(Payable {
                provider: first.provider,
                merchant: 0,
                out_trade_no: OutTradeNo::new(*order).as_str().to_owned(),
                amount_fen: first.amount_fen,
            });
        }
    }
    client.batch_execute(CLEAN).await?;
    Ok(payable)
}

/// Makes `count` fees that nobody has paid in `database`, in which the hub has issued one; their ids.
pub async fn more_fees(server: &Server, database: &str, count: usize) -> Outcome<Vec<String>> {
    let client = server.connect(database).await?;
    let first = "SELECT fee_id FROM fees WHERE case_no = 'B0' ORDER BY fee_id LIMIT 1";
    let first: String = client.query_one(first, &[]).await?.get(0);
    let ids: Vec<String> = (0..count).map(|_| FeeId::new(Uuid::now_v7()).to_string()).collect();
    for statement in [FEES, BALANCES] {
        client.execute(statement, &[&first, &ids]).await?;
    }
    client.batch_execute(CLEAN).await?;
    Ok(ids)
}

/// Makes a database with `count` fees that nobody has paid; their ids.
pub async fn fees(
    given: &Given,
    server: &Server,
    database: &str,
    stub: std::net::SocketAddr,
    count: usize,
) -> Outcome<Vec<String>> {
    server.create(database).await?;
    let hub = open(given, server, database, stub).await?;
    issue(&hub).await?;
    hub.process.stop()?;
    more_fees(server, database, count).await
}

async fn open(
    given: &Given,
    server: &Server,
    database: &str,
    stub: std::net::SocketAddr,
) -> Outcome<Serving> {
    let table = format!("url = \"{}\"", server.url(database));
    let settings = HubSettings { database: &table, stub, role: "api", merchants: 1, more: "" };
    serving::hub(given, &settings).await
}

/// A fee and an order that the hub made.
struct First {
    provider: Provider,
    fee_id: String,
    order_id: String,
    amount_fen: i64,
}

async fn issue(hub: &Serving) -> Outcome<String> {
    let body = json!({
        "case_no": "B0",
        "items": [{"code": "REG.RES", "quantity": 1, "registration_type": "transfer"}],
        "payer": {"name": "张三", "phone": "13812345678"},
    });
    let fee = post(hub, "/v1/fees", &body).await?;
    Ok(fee["id"].as_str().unwrap_or_default().to_owned())
}

async fn first(hub: &Serving, provider: Provider) -> Outcome<First> {
    let fee_id = issue(hub).await?;
    let product = if provider == Provider::Wechat { "native" } else { "precreate" };
    let body =
        json!({"merchant_id": provider.merchant(0), "product": product, "fee_ids": [fee_id]});
    let order = post(hub, "/v1/orders", &body).await?;
    let (Some(id), Some(amount_fen)) = (order["id"].as_str(), order["amount_fen"].as_i64()) else {
        return Err(format!("the first order: {order}").into());
    };
    Ok(First { provider, fee_id, order_id: id.to_owned(), amount_fen })
}

async fn post(hub: &Serving, path: &str, body: &Value) -> Outcome<Value> {
    let (key, bearer) = (Uuid::now_v7().to_string(), format!("Bearer {API_KEY}"));
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", key.as_str()),
    ];
    let (status, answer) =
        ask(hub.address, &request("POST", path, &headers, body.to_string().as_bytes())).await?;
    if status != 201 {
        return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&answer)).into());
    }
    Ok(serde_json::from_slice(&answer)?)
}

async fn copy(client: &Client, first: &First, uuids: &[&(Uuid, Uuid)]) -> Outcome<()> {
    let fees: Vec<String> = uuids.iter().map(|(fee, _)| FeeId::new(*fee).to_string()).collect();
    let orders: Vec<String> =
        uuids.iter().map(|(_, order)| OrderId::new(*order).to_string()).collect();
    let numbers: Vec<String> =
        uuids.iter().map(|(_, order)| OutTradeNo::new(*order).as_str().to_owned()).collect();
    client.batch_execute("BEGIN").await?;
    client.execute(FEES, &[&first.fee_id, &fees]).await?;
    client.execute(BALANCES, &[&first.fee_id, &fees]).await?;
    client.execute(ORDERS, &[&first.order_id, &orders, &numbers]).await?;
    client.execute(ALLOCATIONS, &[&first.order_id, &orders, &fees]).await?;
    client.execute(LIVE, &[&orders, &fees]).await?;
    client.batch_execute("COMMIT").await?;
    Ok(())
}
