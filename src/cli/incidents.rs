//! `payhub incidents …`.

use clap::{Args, Subcommand};
use domain::ids::IncidentId;

use super::ConfigArgs;

/// `payhub incidents …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum IncidentsCommand {
    /// List what people must look at, newest first, with what is proposed for it.
    List {
        /// Closed ones as well.
        #[arg(long)]
        all: bool,
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Close one that was dealt with.
    Close(CloseArgs),
}

/// Who closes which incident, and what came of it.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct CloseArgs {
    /// The incident.
    #[arg(value_name = "ID")]
    pub id: IncidentId,
    /// What came of it.
    #[arg(long, value_name = "TEXT")]
    pub note: String,
    /// The console user who dealt with it.
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}
