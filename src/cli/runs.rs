//! `payhub run …`.

use clap::{Args, Subcommand};
use domain::ids::RunId;

use super::ConfigArgs;

/// `payhub run …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum RunCommand {
    /// Show a run and who signed it.
    Show {
        /// The run.
        #[arg(value_name = "ID")]
        id: RunId,
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Sign a run as complete (制表).
    Prepare(SignArgs),
    /// Confirm a run that another prepared (复核): it is locked, and its papers are kept.
    Review(SignArgs),
    /// Give a prepared run back, with a reason.
    Return(ReasonArgs),
    /// Ask that a locked run be opened again, with a reason.
    AskReopen(ReasonArgs),
    /// Open a locked run again for which another asked: a new version of its day begins.
    Reopen(SignArgs),
}

/// Who signs which run.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct SignArgs {
    /// The run.
    #[arg(value_name = "ID")]
    pub id: RunId,
    /// The console user who signs.
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Who signs which run, and why.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ReasonArgs {
    /// Who and which.
    #[command(flatten)]
    pub sign: SignArgs,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}
