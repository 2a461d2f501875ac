//! `payhub user …`.

use clap::{Args, Subcommand};
use domain::user::UserRole;

use super::ConfigArgs;

/// `payhub user …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum UserCommand {
    /// Make a user. From the first one on, names are no longer believed.
    Add(NewUserArgs),
    /// Give a user another password.
    Passwd(PasswordArgs),
    /// List the users with their roles.
    List(ConfigArgs),
    /// Disable a user: nothing is done in the name any more.
    Disable(UserArgs),
}

/// `payhub user add`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct NewUserArgs {
    /// Who, and with which password.
    #[command(flatten)]
    pub user: PasswordArgs,
    /// cashier, preparer, reviewer, approver, auditor or admin; several with commas between.
    #[arg(long, value_name = "ROLE", required = true, value_delimiter = ',')]
    pub role: Vec<UserRole>,
}

/// Who, and where the password comes from.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct PasswordArgs {
    /// Who, and where the configuration is.
    #[command(flatten)]
    pub user: UserArgs,
    /// Read the password from standard input; absent: one is made, and shown once.
    #[arg(long)]
    pub password_stdin: bool,
}

/// A user.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct UserArgs {
    /// The name.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigArgs,
}
