//! The hub as a whole under load, beside peers in the same run: a private PostgreSQL with its default
//! durability, `payhub serve` as a process of its own, and raw connections that send prepared requests.
//! `benches/run NAME` calls it; docs/benchmarks.md says what each benchmark does.

mod callbacks;
mod database;
mod delivered;
mod dispatch;
mod engine;
mod footprint;
mod given;
mod load;
mod notices;
mod office;
mod orders;
mod outbox;
mod process;
mod profile;
mod receiver;
mod seed;
mod serving;
mod soak;
mod stub;
mod table;

use std::process::ExitCode;

use given::{Given, Outcome};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    // A benchmark starts this program again as the process that it measures.
    if std::env::args().nth(1).is_some_and(|what| what == "engine") {
        return ended(
            Given::read(std::env::args().skip(1)).and_then(|given| engine::serve(&given)),
        );
    }
    // One thread: the load must leave the machine to what it loads.
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(until_told()),
        Err(error) => ended(Err(error.into())),
    }
}

async fn until_told() -> ExitCode {
    // Told to stop, it drops what it runs, and that ends every process it has started.
    let done = tokio::select! {
        done = run() => done,
        () = told_to_stop() => Err("stopped".into()),
    };
    ended(done)
}

fn ended(done: Outcome<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", whole(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// An error with what is behind it: the database's own sentence stands there.
fn whole(error: &dyn std::error::Error) -> String {
    let behind = std::iter::successors(error.source(), |error| error.source());
    behind.fold(error.to_string(), |text, error| format!("{text}: {error}"))
}

async fn run() -> Outcome<()> {
    let given = Given::read(std::env::args().skip(1))?;
    match given.what.as_str() {
        "callbacks" => callbacks::run(&given).await,
        "orders" => orders::run(&given).await,
        "dispatch" => dispatch::run(&given).await,
        "footprint" => footprint::run(&given).await,
        "soak" => soak::run(&given).await,
        "profile" => profile::run(&given).await,
        other => Err(format!("no benchmark {other}").into()),
    }
}

async fn told_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
