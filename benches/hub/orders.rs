//! Orders: `POST /v1/orders` at providers that cost nothing, each written down, signed, sent, verified and
//! written again before it is answered; beside a Node peer that does the same with the providers' packages.

use std::net::SocketAddr;
use std::rc::Rc;

use serde_json::json;
use uuid::Uuid;

use crate::callbacks::peer_variables;
use crate::database::Server;
use crate::given::{Given, Outcome};
use crate::load::{Connections, request};
use crate::office::{API_KEY, Provider};
use crate::serving::{self, HubSettings, Serving};
use crate::table::{Row, Used};
use crate::{seed, stub};

const TEMPLATE: &str = "orders_template";
const CONNECTIONS: usize = 32;

/// Something that is ordered.
struct Product {
    /// For the table.
    name: &'static str,
    provider: Provider,
    /// The product's word.
    word: &'static str,
}

const PRODUCTS: [Product; 3] = [
    Product { name: "WeChat Pay, jsapi", provider: Provider::Wechat, word: "jsapi" },
    Product { name: "WeChat Pay, native", provider: Provider::Wechat, word: "native" },
    Product { name: "Alipay, precreate", provider: Provider::Alipay, word: "precreate" },
];

/// Who takes orders.
#[derive(Clone, Copy)]
enum Taker {
    Hub,
    /// In so many processes.
    Node(usize),
}

const TAKERS: [(&str, Taker); 3] = [
    ("payhub", Taker::Hub),
    ("Node, 1 process", Taker::Node(1)),
    ("Node, 2 processes", Taker::Node(2)),
];

/// Runs them all: `count` orders of each product measured with the hub, a third of them with the
/// peer, after `warm` that are not. `merchants`: so many accounts at each provider share the load,
/// because one account is never asked faster than its provider allows.
pub async fn run(given: &Given) -> Outcome<()> {
    let count = given.or("count", 6_000)?;
    let warm = given.or("warm", 600)?;
    let merchants = given.or("merchants", 16)?;
    let server = Server::start(given).await?;
    let stub = stub::serve().await?;
    let fees = seed::fees(given, &server, TEMPLATE, stub, warm + count).await?;
    Row::head(&format!("orders, {CONNECTIONS} connections, {merchants} accounts"));
    for product in &PRODUCTS {
        let mut rows: Vec<Row> = Vec::new();
        for (who, taker) in TAKERS {
            let name = format!("{}: {who}", product.name);
            if !given.wants(&name) {
                continue;
            }
            let measured = if matches!(taker, Taker::Hub) { count } else { count / 3 };
            let amount = (warm, measured, merchants);
            let row = once(given, &server, stub, &fees, (&name, product, taker), amount).await?;
            row.print();
            rows.push(row);
        }
        if let Some((hub, peers)) = rows.split_first() {
            for peer in peers {
                println!(
                    "| … times {} | {:.1} | | | | | | | |",
                    peer.name,
                    hub.a_second / peer.a_second
                );
            }
        }
    }
    Ok(())
}

async fn once(
    given: &Given,
    server: &Server,
    stub: SocketAddr,
    fees: &[String],
    (name, product, taker): (&str, &Product, Taker),
    (warm, count, merchants): (usize, usize, usize),
) -> Outcome<Row> {
    let database = "orders_run";
    server.clone(TEMPLATE, database).await?;
    let mut serving = start(given, server, stub, database, taker, merchants).await?;
    let requests = Rc::new(requests(fees, product, warm + count, merchants));
    let mut connections = Connections::open(serving.address, CONNECTIONS).await?;
    connections.send(&requests, 0..warm).await?.must_succeed()?;
    let before = Used::now(serving.process.id(), server);
    let measured = connections.send(&requests, warm..warm + count).await?;
    let each = before.each_until(Used::now(serving.process.id(), server), count);
    measured.must_succeed()?;
    serving.process.must_run()?;
    drop(connections);
    serving.process.stop()?;
    check(server, database, warm + count).await?;
    server.drop(database).await?;
    Ok(Row::of(name, &measured, each))
}

/// Orders, the accounts in turn.
fn requests(fees: &[String], product: &Product, count: usize, merchants: usize) -> Vec<Vec<u8>> {
    let bearer = format!("Bearer {API_KEY}");
    let one = |(index, fee): (usize, &String)| {
        let mut body = json!({
            "merchant_id": product.provider.merchant(index % merchants), "product": product.word,
            "fee_ids": [fee], "subject": "不动产登记费",
        });
        if product.word == "jsapi" {
            body["payer"] = json!({"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"});
        }
        let key = Uuid::now_v7().to_string();
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", key.as_str()),
        ];
        request("POST", "/v1/orders", &headers, body.to_string().as_bytes())
    };
    fees.iter().take(count).enumerate().map(one).collect()
}

async fn start(
    given: &Given,
    server: &Server,
    stub: SocketAddr,
    database: &str,
    taker: Taker,
    merchants: usize,
) -> Outcome<Serving> {
    match taker {
        Taker::Hub => {
            let table = format!("url = \"{}\"", server.url(database));
            let settings = HubSettings { database: &table, stub, role: "api", merchants, more: "" };
            serving::hub(given, &settings).await
        }
        Taker::Node(processes) => {
            let mut variables = peer_variables(server, database);
            variables.extend([
                ("PROCESSES", processes.to_string()),
                ("PROVIDERS", format!("http://{stub}")),
            ]);
            serving::peer(given, "orders.mjs", &variables).await
        }
    }
}

/// Fails unless each order that was answered is there, pending, with what its payer needs.
async fn check(server: &Server, database: &str, sent: usize) -> Outcome<()> {
    let client = server.connect(database).await?;
    let text = "SELECT count(*) FROM orders JOIN order_allocations USING (order_id) JOIN live_orders USING (order_id)
                 WHERE state = 'pending' AND pay IS NOT NULL";
    let found: i64 = client.query_one(text, &[]).await?.get(0);
    if found == i64::try_from(sent)? {
        Ok(())
    } else {
        Err(format!("{found} orders are pending, but {sent} were answered").into())
    }
}
