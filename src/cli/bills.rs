//! `payhub bills …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::ConfigArgs;

/// `payhub bills …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum BillsCommand {
    /// List the files that a provider gave as a day's bill, those that were refused and
    /// fund flow bills too.
    List {
        /// The merchant.
        #[arg(long, value_name = "ID")]
        merchant: String,
        /// The day of the bill.
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = domain::time::parse_day)]
        date: Date,
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Write a file as it was fetched.
    Save(SaveArgs),
}

/// Which file goes where.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct SaveArgs {
    /// Its number in the list.
    #[arg(value_name = "NUMBER")]
    pub number: i64,
    /// Whether it is one of those that were refused.
    #[arg(long)]
    pub refused: bool,
    /// Whether it is a fund flow bill.
    #[arg(long, conflicts_with = "refused")]
    pub fund_flow: bool,
    /// Where it goes; a file that is there is not overwritten.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}
