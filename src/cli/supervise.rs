//! `payhub supervise …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::ConfigArgs;

/// `payhub supervise …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum SuperviseCommand {
    /// Compute every fee of some days again, and list what was charged otherwise; exit 1 if any was.
    Fees(SuperviseArgs),
    /// Hold every case of some days against its fees, and list what does not agree; exit 1 if any does not.
    Cases(SuperviseArgs),
}

/// Which fees or cases.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct SuperviseArgs {
    /// The first day of issue or acceptance, in Beijing.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = domain::time::parse_day)]
    pub from: Date,
    /// The last day.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = domain::time::parse_day)]
    pub until: Date,
    /// Where the findings go as CSV, too.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}
