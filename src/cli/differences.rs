//! `payhub difference …`.

use clap::{Args, Subcommand};
use domain::difference::{DifferenceState, Remedy};
use domain::ids::{DifferenceId, RefundId};

use super::ConfigArgs;

/// `payhub difference …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum DifferenceCommand {
    /// List differences with their age, oldest first.
    List(FindArgs),
    /// Show a difference and what was done about it.
    Show {
        /// The difference.
        #[arg(value_name = "ID")]
        id: DifferenceId,
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Give a difference to somebody (指派).
    Assign {
        /// Which, and who gives it.
        #[command(flatten)]
        of: DifferenceArgs,
        /// To whom.
        #[arg(long, value_name = "NAME")]
        to: String,
    },
    /// Propose a remedy (提出处理).
    Propose(ProposeArgs),
    /// Agree to what another proposed (同意).
    Approve(DifferenceArgs),
    /// Do not agree, with a reason (退回).
    Decline(DifferenceArgs),
    /// Say that what was agreed to is done (办结).
    Resolve(DifferenceArgs),
    /// Write its money off, as was agreed to (核销).
    WriteOff(DifferenceArgs),
    /// Match it with another by force, as was agreed to (强制匹配).
    ForceMatch {
        /// Which, and who does it.
        #[command(flatten)]
        of: DifferenceArgs,
        /// With which.
        #[arg(long, value_name = "ID")]
        with: DifferenceId,
    },
    /// Take it up again, with a reason; what was written off is taken back (重新打开).
    Reopen(DifferenceArgs),
}

/// Who does something about which difference, and why.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct DifferenceArgs {
    /// The difference.
    #[arg(value_name = "ID")]
    pub id: DifferenceId,
    /// The console user who does it.
    #[arg(long, value_name = "NAME")]
    pub user: String,
    /// Why; propose, decline and reopen need it.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `payhub difference propose`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ProposeArgs {
    /// Which, who and why.
    #[command(flatten)]
    pub of: DifferenceArgs,
    /// refund, write_off, force_match, park, ask_provider or corrected.
    #[arg(long, value_name = "REMEDY", value_parser = remedy)]
    pub action: Remedy,
    /// How much is to be written off, in fen; absent: what both sides are apart.
    #[arg(long, value_name = "FEN")]
    pub amount_fen: Option<i64>,
    /// The refund that settles it.
    #[arg(long, value_name = "ID")]
    pub refund: Option<RefundId>,
    /// The difference that it is to be matched with.
    #[arg(long, value_name = "ID")]
    pub with: Option<DifferenceId>,
}

/// `payhub difference list`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct FindArgs {
    /// Only in this state; absent: those that are not over.
    #[arg(long, value_name = "STATE", value_parser = state)]
    pub status: Option<DifferenceState>,
    /// Only this person's.
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
    /// Only those whose money is older than so many days.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i32).range(0..=36500))]
    pub older_than: Option<i32>,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}

fn remedy(word: &str) -> Result<Remedy, String> {
    let known = Remedy::ALL.into_iter().find(|it| it.as_str() == word.replace('-', "_"));
    let words = Remedy::ALL.map(Remedy::as_str).join(", ");
    known.ok_or_else(|| format!("give one of {words}"))
}

fn state(word: &str) -> Result<DifferenceState, String> {
    let known = DifferenceState::ALL.into_iter().find(|it| it.as_str() == word.replace('-', "_"));
    let words = DifferenceState::ALL.map(DifferenceState::as_str).join(", ");
    known.ok_or_else(|| format!("give one of {words}"))
}
