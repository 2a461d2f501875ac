//! Webhooks end to end: `payhub serve` as processes, signed and posted to a receiver on loopback.
//! How many a second, and how soon after `kill -9` of their worker.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::database::Server;
use crate::given::{Given, Outcome};
use crate::outbox::{self, Amount};
use crate::receiver::Receiver;
use crate::serving::{self, HubSettings, Serving};
use crate::table::{Used, rounded};

const PATIENCE: Duration = Duration::from_secs(120);
const UNDONE: &str = "SELECT count(*) FROM deliveries WHERE state <> 'done'";
const LEASED: &str = "SELECT event_id FROM deliveries WHERE leased_until > clock_timestamp()";

/// Runs what `only` names of `webhooks` and `recovery`; both, where it names nothing.
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
        for (receivers, at_once) in [(1, 4), (1, 64)] {
            webhooks(given, server, template, receiver, (receivers, at_once, count)).await?;
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
