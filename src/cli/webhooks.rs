//! `payhub webhooks …`: what an operator does about events that backends do not take.

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use domain::ids::{ApplicationId, EventId};
use jiff::Timestamp;

use super::ConfigArgs;

/// `payhub webhooks …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum WebhooksCommand {
    /// List webhooks that are dead letters, or that wait.
    List(ListArgs),
    /// Send webhooks of an application again: same event, same id, same body.
    Resend(ResendArgs),
    /// Show the endpoint of an application, or decide about it.
    Endpoint(EndpointArgs),
}

/// `payhub webhooks list`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ListArgs {
    /// Of this backend service; absent: of all.
    #[arg(long, value_name = "NAME")]
    pub application: Option<ApplicationId>,
    /// Which ones.
    #[arg(long, value_enum, default_value_t = Unfinished::Dead)]
    pub state: Unfinished,
    /// How many at most, the newest.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub limit: u16,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Which webhooks are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Unfinished {
    /// Given up.
    Dead,
    /// Waiting for the next attempt.
    Due,
}

/// `payhub webhooks resend`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(group(ArgGroup::new("which").required(true).args(["events", "dead", "since"])))]
pub struct ResendArgs {
    /// Of which backend service.
    #[arg(long, value_name = "NAME")]
    pub application: ApplicationId,
    /// This event; may be given several times.
    #[arg(long = "event", value_name = "ID")]
    pub events: Vec<EventId>,
    /// Every dead letter.
    #[arg(long)]
    pub dead: bool,
    /// Every event from this moment on.
    #[arg(long, value_name = "TIME", requires = "until")]
    pub since: Option<Timestamp>,
    /// And before this one.
    #[arg(long, value_name = "TIME", requires = "since")]
    pub until: Option<Timestamp>,
    /// Of this type only; may be given several times.
    #[arg(long = "type", value_name = "TYPE", requires = "since")]
    pub types: Vec<String>,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `payhub webhooks endpoint`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(group(ArgGroup::new("what").args(["disable", "enable", "rotate_secret"])))]
pub struct EndpointArgs {
    /// Whose endpoint.
    #[arg(value_name = "NAME")]
    pub application: ApplicationId,
    /// Let events wait.
    #[arg(long)]
    pub disable: bool,
    /// Let events go on.
    #[arg(long)]
    pub enable: bool,
    /// Make a new secret, printed once.
    #[arg(long)]
    pub rotate_secret: bool,
    /// How long both secrets sign.
    #[arg(long, value_name = "HOURS", requires = "rotate_secret", value_parser = clap::value_parser!(u16).range(0..=168))]
    pub overlap_hours: Option<u16>,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}
