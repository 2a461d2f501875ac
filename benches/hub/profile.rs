//! Where the time of a callback goes: the statements by `pg_stat_statements`, what PostgreSQL's
//! processes wait for, and the hottest functions by `perf` where that is there and allowed.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use crate::database::Server;
use crate::given::{Given, Outcome};
use crate::load::Connections;
use crate::notices::signed;
use crate::process::{Process, tree};
use crate::serving::{self, HubSettings};
use crate::table::{Row, Used};
use crate::{seed, stub};

const DATABASE: &str = "profiled";
/// What PostgreSQL needs for it.
pub const SETTINGS: &str =
    "shared_preload_libraries = 'pg_stat_statements'\npg_stat_statements.track_planning = on";
const STATEMENTS: &str = "
SELECT calls, total_exec_time, total_plan_time, rows, wal_records, wal_bytes::float8, shared_blks_dirtied,
       left(regexp_replace(regexp_replace(query, '^(--[^\\n]*\\n)+', ''), '\\s+', ' ', 'g'), 90)
  FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
 ORDER BY total_exec_time + total_plan_time DESC LIMIT 25";
const WAITS: &str = "
SELECT COALESCE(wait_event_type || ':' || wait_event, 'on CPU')
  FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()";

/// Runs it over `count` callbacks after `warm`, in the hub's mode that `more` chooses:
/// `per_commit=1` for one transaction each.
pub async fn run(given: &Given) -> Outcome<()> {
    let (count, warm) = (given.or("count", 20_000)?, given.or("warm", 2_000)?);
    let per_commit: usize = given.or("per_commit", 0)?;
    let more = match per_commit {
        0 => String::new(),
        some => format!("[callbacks]\nper_commit = {some}\n"),
    };
    let server = Server::start_with(given, SETTINGS).await?;
    let stub = stub::serve().await?;
    let orders = seed::orders(given, &server, DATABASE, stub, warm + count).await?;
    let watch = server.connect(DATABASE).await?;
    watch.batch_execute("CREATE EXTENSION pg_stat_statements").await?;
    let table = format!("url = \"{}\"", server.url(DATABASE));
    let settings = HubSettings { database: &table, stub, role: "api", merchants: 1, more: &more };
    let mut hub = serving::hub(given, &settings).await?;
    let notices = signed(&orders, 0)?;
    let mut connections = Connections::open(hub.address, given.or("connections", 32)?).await?;
    connections.send(&notices, 0..warm).await?.must_succeed()?;
    watch.batch_execute("SELECT pg_stat_statements_reset()").await?;
    let perf = perf(given, &hub.process, &server);
    let over = Rc::new(Cell::new(false));
    let before = Used::now(hub.process.id(), &server);
    let load = async {
        let measured = connections.send(&notices, warm..warm + count).await;
        over.set(true);
        measured
    };
    let (measured, waits) = tokio::join!(load, waits(&watch, &over));
    let measured = measured?;
    let each = before.each_until(Used::now(hub.process.id(), &server), count);
    if let Some(perf) = perf {
        let _ended_by_a_signal = perf.stop();
    }
    measured.must_succeed()?;
    Row::head("callbacks, profiled");
    Row::of("payhub", &measured, each).print();
    print_waits(&waits?);
    print_statements(&watch, count).await?;
    hub.process.must_run()?;
    symbols(given);
    Ok(())
}

async fn waits(
    watch: &tokio_postgres::Client,
    over: &Cell<bool>,
) -> Outcome<BTreeMap<String, usize>> {
    let statement = watch.prepare(WAITS).await?;
    let mut found = BTreeMap::new();
    while !over.get() {
        for row in watch.query(&statement, &[]).await? {
            *found.entry(row.get::<_, String>(0)).or_default() += 1;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(found)
}

fn print_waits(found: &BTreeMap<String, usize>) {
    let all: usize = found.values().sum();
    println!("\nWhat the backends that were not idle were doing, of {all} sightings 20 ms apart:");
    let mut found: Vec<_> = found.iter().collect();
    found.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (what, count) in found {
        println!("{:5.1} %  {what}", *count as f64 * 100.0 / all.max(1) as f64);
    }
}

/// Prints the statements of a database that took the longest, over so many requests.
pub async fn print_statements(watch: &tokio_postgres::Client, count: usize) -> Outcome<()> {
    println!(
        "\n| µs each: run | plan | calls each | rows each | WAL records each | WAL bytes each | statement |"
    );
    println!("|---|---|---|---|---|---|---|");
    let each = |figure: f64| figure / count as f64;
    for row in watch.query(STATEMENTS, &[]).await? {
        println!(
            "| {:.1} | {:.1} | {:.3} | {:.2} | {:.1} | {:.0} | `{}` |",
            each(row.get::<_, f64>(1)) * 1000.0,
            each(row.get::<_, f64>(2)) * 1000.0,
            each(row.get::<_, i64>(0) as f64),
            each(row.get::<_, i64>(3) as f64),
            each(row.get::<_, i64>(4) as f64),
            each(row.get::<_, f64>(5)),
            row.get::<_, String>(7),
        );
    }
    Ok(())
}

/// Samples hub and PostgreSQL, if `perf` may.
fn perf(given: &Given, hub: &Process, server: &Server) -> Option<Process> {
    let mut ids = tree(server.id());
    ids.push(hub.id());
    let ids: Vec<String> = ids.iter().map(u32::to_string).collect();
    let mut command = Command::new("perf");
    command.args(["record", "-F", "499", "-g", "-p", &ids.join(","), "-o"]);
    command.arg(given.work.join("perf.data"));
    let perf = Process::start("perf", &mut command, &given.work.join("perf.log"));
    // It must have attached before the load begins.
    std::thread::sleep(Duration::from_millis(500));
    perf.ok()
}

fn symbols(given: &Given) {
    let data = given.work.join("perf.data");
    for (title, sort) in [("by program", "comm"), ("by function", "comm,symbol")] {
        let report = Command::new("perf")
            .args([
                "report",
                "--stdio",
                "--no-children",
                "-g",
                "none",
                "--percent-limit",
                "0.4",
                "--sort",
                sort,
                "-i",
            ])
            .arg(&data)
            .output();
        let Ok(report) = report else { return println!("\nno perf: no symbols") };
        println!("\nProcessor time {title}:");
        let text = String::from_utf8_lossy(&report.stdout);
        for line in
            text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).take(90)
        {
            println!("{line}");
        }
    }
}
