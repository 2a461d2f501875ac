//! `payhub demo`: a seeded office day from nothing, and the next morning's report. It is a user of
//! the hub like any other: everything goes through its API.

mod at_work;
mod day;
mod office;
mod plan;
mod receiver;
mod settings;
mod verdict;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use domain::calendar::Calendar;
use domain::time::{beijing, business_day, from_beijing};
use domain::{Clock as _, Fen};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::cli::{DemoArgs, Exit};
use crate::clock::SystemClock;
use crate::commands::{Stop, told_to_stop};
use crate::config::{self, Environment};
use crate::hub::Database;
use crate::{reconcile, report, terminal};

pub use office::{ALIPAY, Office, OfficeError, Opening, Twin, WECHAT};
pub use receiver::{Heard, Receiver};

/// Runs the day.
///
/// # Errors
/// The part that did not work.
pub async fn run(asked: &DemoArgs, environment: &Environment) -> Result<Exit, Stop> {
    let folder = Folder::new(asked.out.as_deref(), environment).map_err(Stop::problem)?;
    let configured = config::Database::private(folder.database.clone(), environment);
    let database = Database::reach(&configured).await.map_err(Stop::bad_usage)?;
    if let Some(private) = &database.private {
        terminal::say(private.notice());
    }
    let lived = with_office(asked, &folder, &database).await;
    let closed = database.close().await;
    folder.clean();
    closed.map_err(Stop::problem)?;
    lived
}

async fn with_office(asked: &DemoArgs, folder: &Folder, database: &Database) -> Result<Exit, Stop> {
    let date = the_day().map_err(Stop::problem)?;
    let opening = from_beijing(date.at(9, 0, 0, 0));
    let listen = asked.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0)));
    let office = Office::open(
        database.store.clone(),
        &Opening { now: opening, listen, seed: asked.seed, more: "", arrange: |_as_usual| {} },
    )
    .await
    .map_err(Stop::bad_usage)?;
    terminal::say(format_args!(
        "{date} 09:00 Asia/Shanghai, {} cases, seed {}; the hub on http://{}, the providers on {}",
        asked.cases,
        asked.seed,
        office.address(),
        office.sandbox.base_url()
    ));
    let done = the_whole_day(asked, folder, &office, date, opening).await;
    let exit = match done {
        Ok(explained) => explained,
        Err(error) => {
            office.close().await;
            return Err(Stop::problem(error));
        }
    };
    if !asked.once {
        terminal::say("the office stays open; stop it with Ctrl-C");
        told_to_stop().await;
    }
    office.close().await;
    Ok(exit)
}

async fn the_whole_day(
    asked: &DemoArgs,
    folder: &Folder,
    office: &Office,
    date: Date,
    opening: Timestamp,
) -> Result<Exit, OfficeError> {
    let mut lived = Vec::new();
    for case in plan::plan(asked.cases, asked.seed, date) {
        lived.push(day::live(office, &case, opening).await?);
    }
    terminal::say("the counter closes; the night passes, unpaid orders expire");
    night(office, date).await?;
    let planted = day::plant(office, &lived)?;
    let morning = date.tomorrow().map_err(office::told)?;
    office.clock.set(from_beijing(morning.at(10, 5, 0, 0)));
    terminal::say(format_args!("{morning} 10:05: the bills are fetched and matched"));
    office.settle().await?;
    let verdict = verdict::of(office, date, &lived, &planted).await?;
    let run_ids: Vec<&str> = verdict.run_ids.iter().map(String::as_str).collect();
    let found = reconcile::report(&office.hub, &run_ids).await?;
    let files = report::write(&found, &folder.out).map_err(office::told)?;
    verdict.say(&lived);
    terminal::say(format_args!("report: {}", files.page.display()));
    terminal::say(format_args!("workbook: {}", files.workbook.display()));
    terminal::say(verdict.last_line());
    Ok(if verdict.is_good() { Exit::Done } else { Exit::FoundProblem })
}

/// Lets the evening and the night pass by the hour, so that what expires does so in its time.
async fn night(office: &Office, date: Date) -> Result<(), OfficeError> {
    let morning = date.tomorrow().map_err(office::told)?;
    let end = from_beijing(morning.at(9, 30, 0, 0));
    while office.clock.now() < end {
        office.pass(SignedDuration::from_mins(30)).await?;
    }
    Ok(())
}

/// The last working day before today.
fn the_day() -> Result<Date, OfficeError> {
    let today = business_day(SystemClock.now());
    Ok(Calendar::built_in().map_err(office::told)?.previous_working_day(today))
}

/// Where the demonstration keeps its things.
struct Folder {
    database: PathBuf,
    out: PathBuf,
}

impl Folder {
    /// Makes the folders: the database's is thrown away at the end, the reports stay.
    fn new(out: Option<&Path>, environment: &Environment) -> Result<Self, String> {
        let name = format!("payhub-demo-{}", std::process::id());
        let base = environment.temporary_folder().join(name);
        let out = out.map_or_else(|| base.with_extension("reports"), Path::to_owned);
        let make = |folder: &Path| {
            std::fs::create_dir_all(folder)
                .map_err(|error| format!("{}: {error}; choose another --out", folder.display()))
        };
        make(&out)?;
        Ok(Self { database: base, out })
    }

    fn clean(&self) {
        if let Err(error) = std::fs::remove_dir_all(&self.database) {
            tracing::warn!(%error, "the demonstration's database could not be removed");
        }
    }
}

/// An amount in a column of the terminal.
fn yuan(fen: Fen) -> String {
    format!("{:>12}", fen.yuan())
}

/// A time of day in Beijing.
fn time_of_day(at: Timestamp) -> String {
    beijing(at).strftime("%H:%M").to_string()
}
