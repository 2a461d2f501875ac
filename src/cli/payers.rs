//! `payhub payers …`.

use clap::{Args, Subcommand};
use domain::ids::PayerStatementId;

use super::ConfigArgs;

/// `payhub payers …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum PayersCommand {
    /// Close a month: a statement for each account that owes anything; what is closed stays closed.
    Close {
        /// The month, which must be over.
        #[arg(long, value_name = "YYYY-MM")]
        month: String,
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// List statements, newest first; exit 1 if one is overdue.
    List {
        /// Only this month.
        #[arg(long, value_name = "YYYY-MM")]
        month: Option<String>,
        /// Only this account.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Say which statements transfers pay; their sums must agree.
    Confirm(ConfirmTransferArgs),
}

/// `payhub payers confirm`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ConfirmTransferArgs {
    /// The bank's number of a transfer; several, where they pay together.
    #[arg(value_name = "BANK_SERIAL", required = true)]
    pub serials: Vec<String>,
    /// A statement that they pay; may be given several times.
    #[arg(long = "statement", value_name = "ID", required = true)]
    pub statements: Vec<PayerStatementId>,
    /// The console user who says so.
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}
