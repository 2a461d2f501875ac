//! Webhooks end to end: `payhub serve` as processes, signed and posted to a receiver on loopback.
//! How many a second, how soon after the commit, and how soon after `kill -9` of their worker.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::database::Server;
use crate::given::{Given, Outcome};
use crate::load::Connections;
use crate::notices::signed;
use crate::outbox::{self, Amount};
use crate::receiver::Receiver;
use crate::seed;
use crate::serving::{self, HubSettings, Serving};
use crate::table::{Used, milliseconds, rounded};

const PATIENCE: Duration = Duration::from_secs(120);
const UNDONE: &str = "SELECT count(*) FROM deliveries WHERE state <> 'done'";
const LEASED: &str = "SELECT event_id FROM deliveries WHERE leased_until > clock_timestamp()";

/// Runs what `only` names of `webhooks`, `latency` and `recovery`; all, where it names nothing.
pub async fn run(
    given: &Given,
    server: &Server,
    template: &str,
    receiver: &Receiver,
) -> Outcome<()> {
    if given.wants("webhooks") {
        println!(
            "| webhooks, signed and posted | a second | µs of CPU each: receiver | worker | PostgreSQL |\n|---|---|---|---|---|"
        );
        let count = given.or("webhooks", 20_000)?;
        for (receivers, at_once) in [(1, 4), (1, 64), (16, 4)] {
            webhooks(given, server, template, receiver, (receivers, at_once, count)).await?;
        }
    }
    if given.wants("latency") {
        println!(
            "\n| from the answer to a callback to the webhook | p50 | p99 | worst |\n|---|---|---|---|"
        );
        for roles in [&["all"][..], &["api", "worker"]] {
            latency(given, server, receiver, roles).await?;
        }
    }
    if given.wants("recovery") {
        println!(
            "\n| a worker is killed | in flight | from `kill -9` to the last of them | to the last of all |\n|---|---|---|---|"
        );
        for round in 0..given.or("rounds", 3)? {
            recovery(given, server, template, receiver, round).await?;
        }
    }
    Ok(())
}

async fn worker(
    given: &Given,
    name: &str,
    role: &str,
    server: &Server,
    database: &str,
    receiver: &Receiver,
) -> Outcome<Serving> {
    let table = format!("url = \"{}\"", server.url(database));
    let stub = receiver.address;
    let settings = HubSettings { database: &table, stub, role, merchants: 1, more: "" };
    serving::named(given, name, &settings).await
}

async fn webhooks(
    given: &Given,
    server: &Server,
    template: &str,
    receiver: &Receiver,
    (receivers, at_once, count): (i32, i32, usize),
) -> Outcome<()> {
    let database = "webhooks_run";
    server.clone(template, database).await?;
    let worker = worker(given, "payhub", "worker", server, database, receiver).await?;
    let client = server.connect(database).await?;
    outbox::receivers(&client, receivers, at_once).await?;
    let amount = |events| Amount { events, receivers: i64::from(receivers), keys: events };
    let mut took = None;
    for events in [count / 10, count] {
        let before = receiver.count();
        outbox::fill(&client, amount(events)).await?;
        let (begun, used) = (Instant::now(), Used::now(worker.process.id(), server));
        client.execute("SELECT pg_notify('payhub', 'dispatch')", &[]).await?;
        receiver.until(before + events, PATIENCE).await?;
        let seconds = begun.elapsed().as_secs_f64();
        took = Some((seconds, used.each_until(Used::now(worker.process.id(), server), events)));
        all_done(&client).await?;
    }
    let (seconds, each) = took.ok_or("nothing was measured")?;
    println!(
        "| {receivers} receivers, {at_once} at once each | {} | {:.0} | {:.0} | {:.0} |",
        rounded(count as f64 / seconds),
        each.load,
        each.server,
        each.database
    );
    drop(client);
    worker.process.stop()?;
    server.drop(database).await
}

async fn all_done(client: &tokio_postgres::Client) -> Outcome<()> {
    let begun = Instant::now();
    loop {
        let undone: i64 = client.query_one(UNDONE, &[]).await?.get(0);
        if undone == 0 {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("{undone} deliveries are not done").into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn latency(
    given: &Given,
    server: &Server,
    receiver: &Receiver,
    roles: &[&str],
) -> Outcome<()> {
    let (count, warm) = (given.or("latency", 400)?, 50);
    let database = format!("latency_{}", roles.len());
    let orders = seed::orders(given, server, &database, receiver.address, warm + count).await?;
    let mut hubs = Vec::new();
    for role in roles {
        hubs.push(
            worker(given, &format!("payhub-{role}"), role, server, &database, receiver).await?,
        );
    }
    let front = hubs.first().ok_or("no hub")?;
    // What the seeding told of goes out first.
    let client = server.connect(&database).await?;
    all_webhooks_done(&client).await?;
    let notices = signed(&orders, roles.len())?;
    let mut connections = Connections::open(front.address, 1).await?;
    let mut took = Vec::with_capacity(count);
    for index in 0..warm + count {
        let before = receiver.count();
        connections.send(&Rc::clone(&notices), index..index + 1).await?.must_succeed()?;
        let answered = Instant::now();
        receiver.until(before + 2, PATIENCE).await?;
        if index >= warm
            && let Some((heard, _)) = receiver.heard_from(before).first()
        {
            took.push(milliseconds(heard.saturating_duration_since(answered)));
        }
    }
    took.sort_by(f64::total_cmp);
    let at = |thousandth: usize| {
        let last = took.len().saturating_sub(1);
        took.get((took.len() * thousandth / 1000).min(last)).copied().unwrap_or_default()
    };
    println!(
        "| {} | {:.1} ms | {:.1} ms | {:.1} ms |",
        roles.join(" and "),
        at(500),
        at(990),
        at(1000)
    );
    drop((connections, client));
    for hub in hubs {
        hub.process.stop()?;
    }
    server.drop(&database).await
}

async fn all_webhooks_done(client: &tokio_postgres::Client) -> Outcome<()> {
    let begun = Instant::now();
    let undone = "SELECT count(*) FROM deliveries WHERE state = 'due' AND kind = 'webhook'";
    while client.query_one(undone, &[]).await?.get::<_, i64>(0) > 0 {
        if begun.elapsed() > PATIENCE {
            return Err("webhooks of the seeding are not done".into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn recovery(
    given: &Given,
    server: &Server,
    template: &str,
    receiver: &Receiver,
    round: usize,
) -> Outcome<()> {
    let database = "recovery_run";
    server.clone(template, database).await?;
    let first = worker(given, "payhub-first", "worker", server, database, receiver).await?;
    let client = server.connect(database).await?;
    outbox::receivers(&client, 1, 64).await?;
    let before = receiver.count();
    receiver.waits(Duration::from_millis(200));
    outbox::fill(&client, Amount { events: 3_000, receivers: 1, keys: 3_000 }).await?;
    receiver.until(before + 500, PATIENCE).await?;
    first.process.kill()?;
    let killed = Instant::now();
    let rows = client.query(LEASED, &[]).await?;
    let in_flight: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    receiver.waits(Duration::ZERO);
    let known = receiver.count();
    let second = worker(given, "payhub-second", "worker", server, database, receiver).await?;
    all_done(&client).await?;
    let heard = receiver.heard_from(known);
    let of = |heard: &mut dyn Iterator<Item = &(Instant, String)>| {
        heard.map(|(at, _)| at.saturating_duration_since(killed).as_secs_f64()).fold(0.0, f64::max)
    };
    let last = of(&mut heard.iter().filter(|(_, id)| in_flight.contains(id)));
    println!(
        "| {} | {} of 3,000 | {last:.1} s | {:.1} s |",
        round + 1,
        in_flight.len(),
        of(&mut heard.iter())
    );
    let told: BTreeSet<String> =
        receiver.heard_from(before).into_iter().map(|(_, id)| id).collect();
    if told.len() != 3_000 {
        return Err(format!("{} of 3,000 events were told", told.len()).into());
    }
    drop(client);
    second.process.stop()?;
    server.drop(database).await
}
