//! `payhub statement`: a month, for the file.

use super::{Stop, open};
use crate::cli::{Exit, StatementArgs};
use crate::config::Environment;
use crate::report::{self, Month};
use crate::statement::{self, Paper};
use crate::terminal;

pub(super) async fn statement(
    asked: &StatementArgs,
    environment: &Environment,
) -> Result<Exit, Stop> {
    let first =
        statement::first_day(&asked.month).map_err(|fault| Stop::bad_usage(fault.detail))?;
    let (hub, database) = open(asked.config.config.as_deref(), environment).await?;
    let merchant = asked.merchant.as_ref().map(|merchant| merchant.as_str());
    let month = statement::month(&hub, first, merchant).await;
    database.close().await?;
    let month = month.map_err(|fault| Stop::problem(fault.detail))?;
    write(&month, asked)?;
    terminal::say(format_args!(
        "{} to {}, {} accounts: {}",
        month.first,
        month.last,
        month.accounts.len(),
        asked.out.display()
    ));
    if month.holds() {
        Ok(Exit::Done)
    } else {
        Err(Stop::problem("the month does not foot; run payhub verify-ledger"))
    }
}

fn write(month: &Month, asked: &StatementArgs) -> Result<(), Stop> {
    let mut parts = Vec::new();
    for (name, paper) in
        [("month.xlsx", Paper::Workbook), ("month.html", Paper::Page), ("month.json", Paper::Json)]
    {
        let bytes = statement::write(month, paper).map_err(|fault| Stop::problem(fault.detail))?;
        parts.push((name, bytes));
    }
    report::place(&asked.out, &parts).map_err(Stop::problem)
}
