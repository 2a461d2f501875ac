//! `payhub audit …`.

use std::path::PathBuf;

use clap::Subcommand;

use super::ConfigArgs;

/// `payhub audit …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum AuditCommand {
    /// List what people did, in order.
    List {
        /// Only behind this entry.
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after: i64,
        /// Only about this run, difference, refund, user or key.
        #[arg(long, value_name = "ID")]
        subject: Option<String>,
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Write the whole trail as a CSV file.
    Export {
        /// Where to.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigArgs,
    },
}
