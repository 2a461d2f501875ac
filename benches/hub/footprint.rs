//! What an idle hub holds in memory, and how soon it is ready on a migrated database.

use std::time::Duration;

use crate::database::{Server, running};
use crate::given::{Given, Outcome};
use crate::process::{memory, memory_of_tree};
use crate::serving::{self, HubSettings};
use crate::stub;
use crate::table::milliseconds;

/// How long after it is ready the memory is read.
const IDLE: Duration = Duration::from_secs(10);

/// Runs it: memory after ten idle seconds and `starts` starts, with a database that runs already and
/// with the private one.
pub async fn run(given: &Given) -> Outcome<()> {
    let starts = given.or("starts", 10)?;
    let stub = stub::serve().await?;
    println!(
        "| payhub serve | RSS | PSS | PostgreSQL beside it, PSS | start to ready: median | worst |"
    );
    println!("|---|---|---|---|---|---|");
    {
        let server = Server::start(given).await?;
        server.create("footprint").await?;
        let table = format!("url = \"{}\"", server.url("footprint"));
        let settings = HubSettings { database: &table, stub, role: "all", merchants: 1, more: "" };
        serving::hub(given, &settings).await?.process.stop()?;
        measure(given, "a database that runs", &settings, starts).await?;
    }
    let table = format!("data_dir = \"{}\"", given.work.join("data").display());
    let settings = HubSettings { database: &table, stub, role: "all", merchants: 1, more: "" };
    measure(given, "its private database, started with it", &settings, starts).await
}

async fn measure(
    given: &Given,
    name: &str,
    settings: &HubSettings<'_>,
    starts: usize,
) -> Outcome<()> {
    let mut took = Vec::with_capacity(starts);
    for _ in 1..starts {
        let hub = serving::hub(given, settings).await?;
        took.push(hub.started_in);
        hub.process.stop()?;
    }
    let hub = serving::hub(given, settings).await?;
    took.push(hub.started_in);
    tokio::time::sleep(IDLE).await;
    let held = memory(hub.process.id());
    let database = memory_of_tree(running(given)?.0);
    hub.process.stop()?;
    took.sort_unstable();
    let at = |index: usize| took.get(index).copied().map_or(0.0, milliseconds);
    println!(
        "| {name} | {} | {} | {} | {:.0} ms | {:.0} ms |",
        mebibytes(held.rss),
        mebibytes(held.pss),
        mebibytes(database),
        at(took.len() / 2),
        at(took.len().saturating_sub(1)),
    );
    Ok(())
}

/// KiB as MiB.
pub fn mebibytes(kibibytes: u64) -> String {
    format!("{:.1} MiB", kibibytes as f64 / 1024.0)
}
