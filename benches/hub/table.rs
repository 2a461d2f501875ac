//! Figures as rows of a Markdown table, and the processor time behind them.

use std::time::Duration;

use crate::database::Server;
use crate::load::Measured;
use crate::process::{own_processor_seconds, processor_seconds};

/// Seconds of processor used so far.
#[derive(Clone, Copy)]
pub struct Used {
    load: f64,
    server: f64,
    database: f64,
}

impl Used {
    /// By this process, by `server` with all below it, and by PostgreSQL with all below it.
    pub fn now(server: u32, database: &Server) -> Self {
        Self {
            load: own_processor_seconds(std::process::id()),
            server: processor_seconds(server),
            database: processor_seconds(database.id()),
        }
    }

    /// Microseconds for each of `count`, since `self`: load, server, database.
    pub fn each_until(self, later: Self, count: usize) -> Each {
        let each = |before: f64, after: f64| (after - before) * 1e6 / count as f64;
        Each {
            load: each(self.load, later.load),
            server: each(self.server, later.server),
            database: each(self.database, later.database),
        }
    }
}

/// Microseconds of processor for each request.
#[derive(Clone, Copy, Default)]
pub struct Each {
    /// The load, and the stub where there is one.
    pub load: f64,
    /// The hub or the peer.
    pub server: f64,
    /// PostgreSQL.
    pub database: f64,
}

impl Each {
    /// All of it.
    pub fn all(self) -> f64 {
        self.load + self.server + self.database
    }
}

/// A row: what was measured and what it gave.
#[derive(Clone)]
pub struct Row {
    /// What.
    pub name: String,
    /// Requests a second.
    pub a_second: f64,
    /// 50, 99 and 99.9 in a hundred, in milliseconds.
    pub within: [f64; 3],
    /// Processor time.
    pub each: Each,
}

impl Row {
    /// The row of a run.
    pub fn of(name: &str, measured: &Measured, each: Each) -> Self {
        let within = [500, 990, 999].map(|thousandths| measured.within(thousandths));
        Self { name: name.to_owned(), a_second: measured.a_second(), within, each }
    }

    /// Prints the head of a table.
    pub fn head(what: &str) {
        println!(
            "| {what} | a second | p50 | p99 | p99.9 | µs of CPU each: load | server | PostgreSQL | all |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
    }

    /// Prints it.
    pub fn print(&self) {
        let [half, most, nearly_all] = self.within.map(in_milliseconds);
        let Each { load, server, database } = self.each;
        println!(
            "| {} | {} | {half} | {most} | {nearly_all} | {load:.0} | {server:.0} | {database:.0} | {:.0} |",
            self.name,
            rounded(self.a_second),
            self.each.all()
        );
    }
}

/// A figure with three digits that mean something.
pub fn rounded(figure: f64) -> String {
    let unit = match figure {
        figure if figure >= 10_000.0 => 100.0,
        figure if figure >= 1_000.0 => 10.0,
        _ => 1.0,
    };
    let whole = ((figure / unit).round() * unit).to_string();
    match whole.len() {
        0..=3 => whole,
        length => format!("{},{}", &whole[..length - 3], &whole[length - 3..]),
    }
}

fn in_milliseconds(figure: f64) -> String {
    if figure < 10.0 { format!("{figure:.1} ms") } else { format!("{figure:.0} ms") }
}

/// Milliseconds of a duration.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
