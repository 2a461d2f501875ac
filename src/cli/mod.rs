//! The command line: what may be asked, and nothing of how it is done.
//!
//! [`parse`] ends the process by itself only for `--help` and `--version`; a wrong command comes
//! back as one line, because the terminal belongs to [`crate::terminal`].

mod audit;
mod bank;
mod bills;
mod differences;
mod exit;
mod incidents;
mod payers;
mod reconcile;
mod runs;
mod statement;
mod supervise;
#[cfg(test)]
mod tests;
mod users;
mod webhooks;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::ids::{ApplicationId, CallbackId, RefundId};
use domain::treasury::TreasuryEvent;
use jiff::civil::Date;
use url::Url;

pub use audit::AuditCommand;
pub use bank::{BankCommand, ConfirmArgs, UnmatchArgs};
pub use bills::{BillsCommand, SaveArgs};
pub use differences::{DifferenceArgs, DifferenceCommand, FindArgs, ProposeArgs};
pub use exit::Exit;
pub use incidents::{CloseArgs, IncidentsCommand};
pub use payers::{ConfirmTransferArgs, PayersCommand};
pub use reconcile::{DayArgs, OfflineArgs, ReconcileArgs, ReconcileMode};
pub use runs::{ReasonArgs, RunCommand, SignArgs};
pub use statement::StatementArgs;
pub use supervise::{SuperviseArgs, SuperviseCommand};
pub use users::{NewUserArgs, PasswordArgs, UserArgs, UserCommand};
pub use webhooks::{EndpointArgs, ListArgs, ResendArgs, Unfinished, WebhooksCommand};

/// A payment and notification hub for registration offices.
#[derive(Debug, Parser)]
#[command(name = "payhub", version, about, propagate_version = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run a seeded office day on a fresh machine: hub, database and sandbox providers.
    Demo(DemoArgs),
    /// Run the hub.
    Serve(ServeArgs),
    /// Run WeChat Pay, Alipay and the SMS vendors on loopback, alone.
    Sandbox(SandboxArgs),
    /// Bring the database's schema up to date.
    Migrate(ConfigArgs),
    /// Check configuration, keys, clock, database and reachability, one line each.
    Doctor(ConfigArgs),
    /// Reconcile one day of a merchant now, or a bill file against a ledger file, offline.
    Reconcile(ReconcileArgs),
    /// Fee supervision.
    #[command(subcommand)]
    Supervise(SuperviseCommand),
    /// The providers' bills as they were fetched.
    #[command(subcommand)]
    Bills(BillsCommand),
    /// Reconciliation runs, and who signs them.
    #[command(subcommand)]
    Run(RunCommand),
    /// Differences, and what people do about them.
    #[command(subcommand)]
    Difference(DifferenceCommand),
    /// What people did.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// People of the finance office.
    #[command(subcommand)]
    User(UserCommand),
    /// Bank statements, and the settlements of providers in them.
    #[command(subcommand)]
    Bank(BankCommand),
    /// Write the statement of a month.
    Statement(StatementArgs),
    /// Keys of backend services.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Stored callbacks.
    #[command(subcommand)]
    Callbacks(CallbacksCommand),
    /// Prove the journal: sums, hash chain, agreement of orders, fees and ledger.
    VerifyLedger(ConfigArgs),
    /// Payers who pay by the month: their statements, and the transfers that pay them.
    #[command(subcommand)]
    Payers(PayersCommand),
    /// Refunds that wait for a second person, or are on their way through the treasury.
    #[command(subcommand)]
    Refund(RefundCommand),
    /// What people must look at.
    #[command(subcommand)]
    Incidents(IncidentsCommand),
    /// Webhooks that backend services did not take, and their endpoints.
    #[command(subcommand)]
    Webhooks(WebhooksCommand),
}

/// Where the configuration is.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigArgs {
    /// The configuration; absent: PAYHUB_CONFIG, else ./payhub.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `payhub demo`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct DemoArgs {
    /// End after the day with 0 when every fee is explained and only planted differences were
    /// found, else with 1; absent: stay up.
    #[arg(long)]
    pub once: bool,
    /// How many cases the day has.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub cases: u32,
    /// One seed gives one day, at whatever hour it runs.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Where the reports go; absent: a folder of its own under the system's temporary one.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Where the hub listens; absent: a free port on loopback.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
}

/// `payhub serve`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ServeArgs {
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which part of the hub this process is; several may share one database.
    #[arg(long, value_enum, default_value_t = Role::All)]
    pub role: Role,
}

/// Which part of the hub a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// HTTP and workers.
    All,
    /// HTTP only.
    Api,
    /// Workers only, with health and metrics over HTTP.
    Worker,
}

impl Role {
    /// Whether it answers backend services and providers.
    #[must_use]
    pub const fn serves_api(self) -> bool {
        matches!(self, Self::All | Self::Api)
    }

    /// Whether it runs jobs and deliveries.
    #[must_use]
    pub const fn works(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }
}

/// `payhub sandbox`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct SandboxArgs {
    /// Where the configuration is, if the sandbox shall know its merchants.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Where the sandbox listens, loopback only; absent: as its configuration says, else
    /// 127.0.0.1:9010.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
}

/// `payhub key …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum KeyCommand {
    /// Make a key for a backend service; key and webhook secret are printed once.
    Add {
        /// The backend service's id.
        #[arg(value_name = "NAME")]
        name: ApplicationId,
        /// Where its events go.
        #[arg(long, value_name = "URL")]
        webhook_url: Option<Url>,
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Take a backend service's key away.
    Revoke {
        /// The backend service's id.
        #[arg(value_name = "NAME")]
        name: ApplicationId,
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// List the backend services.
    List(ConfigArgs),
}

/// `payhub callbacks …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum CallbacksCommand {
    /// Process stored callbacks again, from their opened text.
    Replay {
        /// Which ones.
        #[arg(value_name = "ID", required = true)]
        ids: Vec<CallbackId>,
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// `payhub refund …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum RefundCommand {
    /// Agree to a refund that somebody else asked for.
    Approve(DecisionArgs),
    /// Refuse a refund that somebody else asked for.
    Decline(DecisionArgs),
    /// Tell a step of a refund's way through the treasury.
    Treasury(TreasuryArgs),
}

/// `payhub refund treasury`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct TreasuryArgs {
    /// The refund.
    #[arg(value_name = "ID")]
    pub id: RefundId,
    /// What happened: verified, approved, paid, returned or rejected.
    #[arg(long, value_name = "EVENT")]
    pub event: TreasuryEvent,
    /// Who did it: another person for each of verified, approved and paid.
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// On which day; absent: today.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = domain::time::parse_day)]
    pub occurred_on: Option<Date>,
    /// The number of the paper that says so.
    #[arg(long, value_name = "NO")]
    pub document_no: Option<String>,
    /// A note on the fiscal e-bill's red flush.
    #[arg(long, value_name = "TEXT")]
    pub red_flush: Option<String>,
    /// Why; a return and a rejection need it.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Who decides about which refund.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct DecisionArgs {
    /// The refund.
    #[arg(value_name = "ID")]
    pub id: RefundId,
    /// The console user who decides; never the one who asked.
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// What the command line asks for, or what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A command.
    Command(Command),
    /// Help or the version: the text to print, then done.
    Text(String),
    /// Nothing that can be done: one line, then [`Exit::BadUsage`].
    Wrong(String),
}

/// Reads the arguments of the process, the program's name first.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Asked {
    match CommandLine::try_parse_from(arguments) {
        Ok(line) => Asked::Command(line.command),
        Err(fault) if fault.use_stderr() && !shows_help(&fault) => Asked::Wrong(one_line(&fault)),
        Err(text) => Asked::Text(text.render().to_string()),
    }
}

/// `payhub` alone is a question, not a mistake in a word: but it did nothing, so it is bad usage.
fn shows_help(fault: &clap::Error) -> bool {
    matches!(
        fault.kind(),
        clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion
    )
}

/// clap explains over many lines; the contract asks for one, and `--help` has the rest.
fn one_line(fault: &clap::Error) -> String {
    if fault.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "error: no command given; see `payhub --help`".to_owned();
    }
    let text = fault.render().to_string();
    let words: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty())
        .collect();
    format!("{}; see `payhub --help`", words.join(" "))
}
