//! A bounded soak: one hub does everything at a steady pace, callbacks, orders, webhooks and SMS, while
//! its memory is read every five seconds. It ends by itself.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::json;
use uuid::Uuid;

use crate::database::Server;
use crate::footprint::mebibytes;
use crate::given::{Given, Outcome};
use crate::load::{Connections, Measured, request};
use crate::notices::{Payable, signed};
use crate::office::{API_KEY, Provider};
use crate::process::memory;
use crate::serving::{self, HubSettings};
use crate::{seed, stub};

const TEMPLATE: &str = "soak";
/// Notices are signed for so long at a time: they must be fresh.
const SLICE: usize = 60;
const BETWEEN_SAMPLES: Duration = Duration::from_secs(5);

/// Runs for `seconds`, with so many `callbacks` and `orders` a second.
pub async fn run(given: &Given) -> Outcome<()> {
    let seconds: usize = given.or("seconds", 120)?;
    let callbacks: usize = given.or("callbacks", 50)?;
    let orders: usize = given.or("orders", 10)?;
    let server = Server::start(given).await?;
    let stub = stub::serve().await?;
    let payable = seed::orders(given, &server, TEMPLATE, stub, callbacks * seconds).await?;
    let fees = seed::more_fees(&server, TEMPLATE, orders * seconds).await?;
    let table = format!("url = \"{}\"", server.url(TEMPLATE));
    let settings = HubSettings { database: &table, stub, role: "all", merchants: 4, more: "" };
    let mut hub = serving::hub(given, &settings).await?;
    let samples = Rc::new(Cell::new(Vec::new()));
    let over = Rc::new(Cell::new(false));
    let sampler = sample(hub.process.id(), Rc::clone(&samples), Rc::clone(&over));
    let load = async {
        let done = load(hub.address, &payable, &fees, (seconds, callbacks, orders)).await;
        over.set(true);
        done
    };
    let (done, ()) = tokio::join!(load, sampler);
    let (told, ordered) = done?;
    hub.process.must_run()?;
    settle(&server).await?;
    hub.process.stop()?;
    println!("| soak of {seconds} s | a second | p50 | p99 | worst |\n|---|---|---|---|---|");
    for (name, paced, measured) in [("callbacks", callbacks, told), ("orders", orders, ordered)] {
        let [half, most, worst] = [500, 990, 1000].map(|part| measured.within(part));
        println!("| {name} | {paced} | {half:.1} ms | {most:.1} ms | {worst:.0} ms |");
    }
    report(&samples.take());
    if serving::payhub(given, "verify-ledger")? {
        Ok(())
    } else {
        Err("verify-ledger finds breaks".into())
    }
}

async fn load(
    address: std::net::SocketAddr,
    payable: &[Payable],
    fees: &[String],
    (seconds, callbacks, orders): (usize, usize, usize),
) -> Outcome<(Measured, Measured)> {
    let (mut telling, mut ordering) =
        (Connections::open(address, 8).await?, Connections::open(address, 4).await?);
    let (mut told, mut ordered) = (Measured::default(), Measured::default());
    for (slice, from) in (0..seconds).step_by(SLICE).enumerate() {
        let to = (from + SLICE).min(seconds);
        let part = payable.get(from * callbacks..to * callbacks).unwrap_or_default();
        let notices = signed(part, slice)?;
        let part = fees.get(from * orders..to * orders).unwrap_or_default();
        let requests = Rc::new(part.iter().enumerate().map(order).collect::<Vec<_>>());
        let (some_told, some_ordered) = tokio::join!(
            telling.send_at(&notices, 0..notices.len(), Some(callbacks as f64)),
            ordering.send_at(&requests, 0..requests.len(), Some(orders as f64)),
        );
        told.add(some_told?);
        ordered.add(some_ordered?);
    }
    told.must_succeed()?;
    ordered.must_succeed()?;
    Ok((told, ordered))
}

fn order((index, fee): (usize, &String)) -> Vec<u8> {
    let provider = if index % 2 == 0 { Provider::Wechat } else { Provider::Alipay };
    let product = if provider == Provider::Wechat { "native" } else { "precreate" };
    let body = json!({
        "merchant_id": provider.merchant(1 + index % 3), "product": product, "fee_ids": [fee],
    });
    let (key, bearer) = (Uuid::now_v7().to_string(), format!("Bearer {API_KEY}"));
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", key.as_str()),
    ];
    request("POST", "/v1/orders", &headers, body.to_string().as_bytes())
}

/// Reads the memory until the load is over: seconds since the start, and KiB.
async fn sample(id: u32, samples: Rc<Cell<Vec<(u64, u64)>>>, over: Rc<Cell<bool>>) {
    let begun = Instant::now();
    while !over.get() {
        tokio::time::sleep(BETWEEN_SAMPLES).await;
        let mut known = samples.take();
        known.push((begun.elapsed().as_secs(), memory(id).rss));
        samples.set(known);
    }
}

/// Waits until every webhook has been delivered, and counts what was done.
async fn settle(server: &Server) -> Outcome<()> {
    let client = server.connect(TEMPLATE).await?;
    let begun = Instant::now();
    let undone = "SELECT count(*) FROM deliveries WHERE kind = 'webhook' AND state <> 'done'";
    loop {
        let left: i64 = client.query_one(undone, &[]).await?.get(0);
        if left == 0 {
            break;
        }
        if begun.elapsed() > Duration::from_secs(60) {
            return Err(format!("{left} webhooks are not delivered a minute after the end").into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let text = "SELECT (SELECT count(*) FROM payments), (SELECT count(*) FROM orders WHERE state = 'pending'),
                       (SELECT count(*) FROM deliveries WHERE kind = 'webhook'),
                       (SELECT count(*) FROM deliveries WHERE kind = 'sms' AND attempts > 0)";
    let row = client.query_one(text, &[]).await?;
    let [payments, pending, webhooks, sms] = [0, 1, 2, 3].map(|column| row.get::<_, i64>(column));
    println!(
        "{payments} payments, {pending} orders that wait, {webhooks} webhooks delivered ({:.1} s after the end), \
         {sms} SMS sent\n",
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

/// The first third against the last.
fn report(samples: &[(u64, u64)]) {
    let third = (samples.len() / 3).max(1);
    let mean = |part: &[(u64, u64)]| {
        part.iter().map(|(_, held)| held).sum::<u64>() / part.len().max(1) as u64
    };
    let first = mean(samples.get(..third).unwrap_or(samples));
    let last = mean(samples.get(samples.len().saturating_sub(third)..).unwrap_or(samples));
    let most = samples.iter().map(|(_, held)| *held).max().unwrap_or_default();
    let grown = (last as f64 / first.max(1) as f64 - 1.0) * 100.0;
    println!("\n| RSS of the hub, first third | last third | grown | most |\n|---|---|---|---|");
    println!(
        "| {} | {} | {grown:+.1} % | {} |\n",
        mebibytes(first),
        mebibytes(last),
        mebibytes(most)
    );
    let list: Vec<String> =
        samples.iter().map(|(at, held)| format!("{at}s {}", mebibytes(*held))).collect();
    println!("{}", list.join(", "));
}
