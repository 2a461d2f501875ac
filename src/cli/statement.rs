//! `payhub statement`.

use std::path::PathBuf;

use clap::Args;
use domain::ids::MerchantId;

use super::ConfigArgs;

/// The statement of a month.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct StatementArgs {
    /// The month.
    #[arg(long, value_name = "YYYY-MM")]
    pub month: String,
    /// Only the account of this merchant.
    #[arg(long, value_name = "ID")]
    pub merchant: Option<MerchantId>,
    /// Where it goes, as month.xlsx, month.html and month.json; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}
