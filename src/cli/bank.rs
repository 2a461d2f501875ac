//! `payhub bank …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::ids::SettlementId;
use jiff::civil::Date;

use super::ConfigArgs;

/// `payhub bank …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum BankCommand {
    /// Take a bank statement in, all of it or nothing; exit 1 if a credit is not explained.
    Import {
        /// The statement, as CSV.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Say which settlements a credit is; another says the same where that closes a difference.
    Confirm(ConfirmArgs),
    /// Take the match of a credit back; another asks for the same where two agreed to it.
    Unmatch(UnmatchArgs),
    /// Write what went to the treasury on a day, by remittance and item, for the treasury's side.
    SettlementFile {
        /// The day on which it left.
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = domain::time::parse_day)]
        date: Date,
        /// Where it goes.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// `payhub bank confirm`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ConfirmArgs {
    /// The bank's number of the credit.
    #[arg(value_name = "BANK_SERIAL")]
    pub serial: String,
    /// A settlement whose money it is; may be given several times.
    #[arg(long = "settlement", value_name = "ID", required = true)]
    pub settlements: Vec<SettlementId>,
    /// The console user who says so.
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Why, where it closes a difference.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `payhub bank unmatch`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct UnmatchArgs {
    /// The bank's number of the credit.
    #[arg(value_name = "BANK_SERIAL")]
    pub serial: String,
    /// The console user who asks for it.
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}
