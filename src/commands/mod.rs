//! What each command does. A command ends with an [`Exit`]; what went wrong is one line that names
//! the place and the mend.

mod audit;
mod bank;
mod bills;
mod differences;
mod doctor;
mod incidents;
mod keys;
mod maintenance;
mod payers;
mod runs;
mod sandbox;
mod serve;
mod statement;
mod supervise;
mod told;
mod users;
mod webhooks;

pub(crate) use sandbox::paste;
pub(crate) use told::told_to_stop;

use std::ffi::OsString;
use std::path::Path;

use crate::cli::{self, Asked, Command, Exit, ReconcileMode};
use crate::clock::SystemClock;
use crate::config::{Config, Environment};
use crate::fault::Fault;
use crate::hub::{self, Database, Hub, OpenError};
use crate::{demo, offline, terminal};

/// A command that ended before its end: the line to show, and how to exit.
#[derive(Debug)]
pub struct Stop {
    line: String,
    exit: Exit,
}

impl Stop {
    /// Bad usage or configuration.
    pub fn bad_usage(line: impl ToString) -> Self {
        Self { line: line.to_string(), exit: Exit::BadUsage }
    }

    /// What the configuration asks for cannot be had: the line names its file.
    pub(crate) fn configured(
        config: Option<&Path>,
        environment: &Environment,
        fault: impl std::fmt::Display,
    ) -> Self {
        let file = Config::file(config, environment);
        Self::bad_usage(format!("{}: {fault}", file.display()))
    }

    /// What was asked for was not done: not allowed to whoever asked, or not possible.
    pub(crate) fn of(fault: Fault) -> Self {
        let exit = if fault.status == 403 { Exit::BadUsage } else { Exit::FoundProblem };
        Self { line: fault.detail, exit }
    }

    /// The work found a problem.
    pub fn problem(line: impl ToString) -> Self {
        Self { line: line.to_string(), exit: Exit::FoundProblem }
    }
}

/// Reads the command line and does what it says.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let command = match cli::parse(arguments) {
        Asked::Command(command) => command,
        Asked::Text(text) => {
            terminal::show(text);
            return Exit::Done;
        }
        Asked::Wrong(line) => {
            terminal::complain(line);
            return Exit::BadUsage;
        }
    };
    // The offline reconciliation touches neither configuration nor database nor keys.
    if let Command::Reconcile(asked) = &command
        && let Some(ReconcileMode::Offline(files)) = asked.clone().mode()
    {
        return ended(offline_day(&files));
    }
    let environment = Environment::read();
    let quiet = matches!(command, Command::Demo(_)).then_some("error,actix_http=off");
    terminal::start_log(environment.log().or(quiet));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return ended(Err(Stop::problem(format!("cannot start: {error}")))),
    };
    let done = runtime.block_on(run_async(command, &environment));
    // What still blocks a thread is not waited for: whoever ends has bounded his own waiting.
    runtime.shutdown_background();
    ended(done)
}

async fn run_async(command: Command, environment: &Environment) -> Result<Exit, Stop> {
    match command {
        Command::Demo(asked) => demo::run(&asked, environment).await,
        Command::Serve(asked) => serve::serve(&asked, environment).await,
        Command::Sandbox(asked) => sandbox::sandbox(&asked, environment).await,
        Command::Migrate(asked) => maintenance::migrate(&asked, environment).await,
        Command::Doctor(asked) => doctor::doctor(&asked, environment).await,
        Command::Reconcile(asked) => match asked.mode() {
            Some(ReconcileMode::Day(day)) => maintenance::reconcile(&day, environment).await,
            Some(ReconcileMode::Offline(files)) => offline_day(&files),
            None => Err(Stop::bad_usage("give --merchant and --date, or --bill and --ledger")),
        },
        Command::Supervise(asked) => supervise::supervise(&asked, environment).await,
        Command::Bills(asked) => bills::bills(&asked, environment).await,
        Command::Run(asked) => runs::run(&asked, environment).await,
        Command::Difference(asked) => differences::difference(&asked, environment).await,
        Command::Audit(asked) => audit::audit(&asked, environment).await,
        Command::User(asked) => users::user(&asked, environment).await,
        Command::Bank(asked) => bank::bank(&asked, environment).await,
        Command::Payers(asked) => payers::payers(&asked, environment).await,
        Command::Statement(asked) => statement::statement(&asked, environment).await,
        Command::Key(asked) => keys::key(&asked, environment).await,
        Command::Callbacks(asked) => maintenance::callbacks(&asked, environment).await,
        Command::VerifyLedger(asked) => maintenance::verify_ledger(&asked, environment).await,
        Command::Refund(asked) => maintenance::refund(&asked, environment).await,
        Command::Incidents(asked) => incidents::incidents(&asked, environment).await,
        Command::Webhooks(asked) => webhooks::webhooks(&asked, environment).await,
    }
}

fn offline_day(files: &cli::OfflineArgs) -> Result<Exit, Stop> {
    match offline::reconcile(files) {
        Ok(found) => {
            terminal::say(&found.summary);
            Ok(if found.balanced { Exit::Done } else { Exit::FoundProblem })
        }
        Err(error) => Err(Stop::bad_usage(error)),
    }
}

fn ended(result: Result<Exit, Stop>) -> Exit {
    result.unwrap_or_else(|stop| {
        terminal::complain(stop.line);
        stop.exit
    })
}

/// The configuration that a command names.
fn load(config: Option<&Path>, environment: &Environment) -> Result<Config, Stop> {
    Config::load(config, environment).map_err(Stop::bad_usage)
}

/// A hub for one command, without HTTP and workers, and its database to be closed afterwards.
async fn open(config: Option<&Path>, environment: &Environment) -> Result<(Hub, Database), Stop> {
    let named = |error: OpenError| Stop::configured(config, environment, error);
    let settings = load(config, environment)?;
    let database = Database::reach(&settings.database).await.map_err(named)?;
    hub::migrate_if_asked(&settings, &database.store).await.map_err(named)?;
    let clock = std::sync::Arc::new(SystemClock);
    let hub = hub::open(&settings, database.store.clone(), clock).await.map_err(named)?;
    Ok((hub, database))
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Self {
        Self::bad_usage(error)
    }
}
