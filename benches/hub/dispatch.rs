//! The outbox. First the engine alone, with a carrier that does nothing, beside graphile-worker with
//! a task that does nothing, on the same server: jobs a second and processor time. Ours keeps each
//! delivery and writes a row for its attempt; the peer deletes what is done. Then webhooks end to
//! end ([`crate::delivered`]).

use serde_json::Value;

use crate::database::Server;
use crate::given::{Given, Outcome};
use crate::load::{ask, request};
use crate::outbox::{self, Amount};
use crate::receiver::Receiver;
use crate::serving::{self, Serving};
use crate::table::{Each, Used, rounded};
use crate::{callbacks, delivered, profile};

const TEMPLATE: &str = "outbox_template";

/// Who empties it.
#[derive(Clone, Copy)]
enum Worker {
    /// The hub's engine, for so many receivers with so much at once each.
    Engine(i32, i32),
    /// graphile-worker: processes, jobs at once in each, jobs fetched at once, and for how many
    /// milliseconds completions wait for each other.
    Graphile([i32; 4]),
}

struct Mode {
    name: &'static str,
    worker: Worker,
    /// How many jobs of a key, one after another; 1: no order among any.
    of_a_key: usize,
}

const fn mode(name: &'static str, worker: Worker, of_a_key: usize) -> Mode {
    Mode { name, worker, of_a_key }
}

const MODES: [Mode; 6] = [
    mode("payhub, 1 receiver", Worker::Engine(1, 64), 1),
    mode("payhub, 20 receivers", Worker::Engine(20, 16), 1),
    mode("payhub, 20 receivers, 10 of a key in order", Worker::Engine(20, 16), 10),
    mode("graphile-worker, best, 1 process", Worker::Graphile([1, 24, 500, 0]), 1),
    mode("graphile-worker, best, 2 processes", Worker::Graphile([2, 24, 500, 0]), 1),
    mode("graphile-worker, upstream preset, 4 processes", Worker::Graphile([4, 24, 500, 0]), 1),
];

/// What a mode gave.
struct Gave {
    name: String,
    a_second: f64,
    each: Each,
    is_ours: bool,
}

/// Runs them all over `count` jobs after `warm` that are not measured, and then the webhooks;
/// `only` names modes by a part of their names. `graphile=1,24,500,0` adds a mode, and `profile=1`
/// shows the statements of each.
pub async fn run(given: &Given) -> Outcome<()> {
    let (count, warm) = (given.or("count", 200_000)?, given.or("warm", 10_000)?);
    let settings = if given.or("profile", 0)? == 1 { profile::SETTINGS } else { "" };
    let server = Server::start_with(given, settings).await?;
    let receiver = Receiver::start()?;
    outbox::template(given, &server, TEMPLATE, receiver.address).await?;
    println!(
        "| {count} jobs | a second | µs of CPU each: worker | PostgreSQL | all |\n|---|---|---|---|---|"
    );
    let mut rows = Vec::new();
    for mode in MODES.iter().filter(|mode| given.wants(mode.name)) {
        rows.push(once(given, &server, mode, (warm, count)).await?);
    }
    let asked: String = given.or("graphile", String::new())?;
    let numbers: Vec<i32> = asked.split(',').filter_map(|number| number.parse().ok()).collect();
    if let Ok(settings) = <[i32; 4]>::try_from(numbers) {
        let mode = mode("graphile-worker, as asked", Worker::Graphile(settings), 1);
        rows.push(once(given, &server, &mode, (warm, count)).await?);
    }
    ratios(&rows);
    delivered::run(given, &server, TEMPLATE, &receiver).await
}

/// One mode, on a database of its own.
async fn once(
    given: &Given,
    server: &Server,
    mode: &Mode,
    (warm, count): (usize, usize),
) -> Outcome<Gave> {
    let database = "outbox_run";
    let mut serving = start(given, server, database, mode.worker).await?;
    let client = server.connect(database).await?;
    let mut measured = None;
    for events in [warm, count] {
        match mode.worker {
            Worker::Engine(receivers, _) => {
                let keys = (events / mode.of_a_key).div_ceil(usize::try_from(receivers)?);
                let amount = Amount { events, receivers: i64::from(receivers), keys };
                outbox::fill(&client, amount).await?;
            }
            Worker::Graphile(_) => {
                let amount = Amount { events, receivers: 1, keys: events / mode.of_a_key };
                outbox::queue(&client, amount).await?;
            }
        }
        client.batch_execute("VACUUM (ANALYZE)").await?;
        client.batch_execute("CHECKPOINT").await?;
        let is_profiled = events == count && given.or("profile", 0)? == 1;
        if is_profiled {
            client.batch_execute("CREATE EXTENSION pg_stat_statements").await?;
        }
        let before = Used::now(serving.process.id(), server);
        let seconds = empty(&serving, events).await?;
        let each = before.each_until(Used::now(serving.process.id(), server), events);
        measured = Some((seconds, each));
        if is_profiled {
            profile::print_statements(&client, count).await?;
        }
    }
    serving.process.must_run()?;
    check(&client, mode.worker, warm + count).await?;
    drop(client);
    serving.process.stop()?;
    server.drop(database).await?;
    let (seconds, each) = measured.ok_or("nothing was measured")?;
    let gave = Gave {
        name: mode.name.to_owned(),
        a_second: count as f64 / seconds,
        each,
        is_ours: matches!(mode.worker, Worker::Engine(..)),
    };
    let Each { server, database, .. } = gave.each;
    let all = server + database;
    println!(
        "| {} | {} | {server:.0} | {database:.0} | {all:.0} |",
        gave.name,
        rounded(gave.a_second)
    );
    Ok(gave)
}

async fn start(given: &Given, server: &Server, database: &str, worker: Worker) -> Outcome<Serving> {
    match worker {
        Worker::Engine(count, at_once) => {
            server.clone(TEMPLATE, database).await?;
            outbox::receivers(&server.connect(database).await?, count, at_once).await?;
            serving::engine(given, &server.url(database)).await
        }
        Worker::Graphile(settings) => {
            server.create(database).await?;
            let mut variables = callbacks::peer_variables(server, database);
            let names = ["PROCESSES", "CONCURRENT", "LOCAL", "DELAY"];
            variables.extend(names.into_iter().zip(settings.map(|setting| setting.to_string())));
            serving::peer(given, "dispatch.mjs", &variables).await
        }
    }
}

/// Has everything worked off; how long that took.
async fn empty(serving: &Serving, expected: usize) -> Outcome<f64> {
    let (_, answer) = ask(serving.address, &request("POST", "/run", &[], b"")).await?;
    let answer: Value = serde_json::from_slice(&answer)?;
    match (answer["jobs"].as_u64(), answer["seconds"].as_f64()) {
        (Some(jobs), Some(seconds)) if jobs == expected as u64 => Ok(seconds),
        _ => Err(format!("{answer}, and not {expected} jobs").into()),
    }
}

/// Fails unless everything is done, and ours has its history.
async fn check(client: &tokio_postgres::Client, worker: Worker, jobs: usize) -> Outcome<()> {
    let jobs = i64::try_from(jobs)?;
    let expected: &[(&str, i64)] = match worker {
        Worker::Engine(..) => &[
            ("deliveries WHERE state = 'done' AND attempts = 1", jobs),
            ("delivery_attempts", jobs),
        ],
        Worker::Graphile(_) => &[("graphile_worker.jobs", 0)],
    };
    for (rows, expected) in expected {
        let text = format!("SELECT count(*) FROM {rows}");
        let found: i64 = client.query_one(&text, &[]).await?.get(0);
        if found != *expected {
            return Err(format!("{found} {rows}, and not {expected}").into());
        }
    }
    Ok(())
}

/// How often ours is faster than the fastest peer with the same order, and with how much less
/// processor time.
fn ratios(rows: &[Gave]) {
    println!(
        "\n| beside the fastest peer | times as many a second | times less CPU each |\n|---|---|---|"
    );
    for ours in rows.iter().filter(|row| row.is_ours) {
        let peers = rows.iter().filter(|row| !row.is_ours);
        let Some(peer) = peers.max_by(|one, other| one.a_second.total_cmp(&other.a_second)) else {
            continue;
        };
        println!(
            "| {} : {} | {:.1} | {:.1} |",
            ours.name,
            peer.name,
            ours.a_second / peer.a_second,
            (peer.each.server + peer.each.database) / (ours.each.server + ours.each.database)
        );
    }
    println!();
}
