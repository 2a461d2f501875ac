//! `payhub payers`: months that are closed, statements, and transfers that people decide about.

use serde_json::Value;

use super::{Stop, open};
use crate::audit;
use crate::cli::{ConfirmTransferArgs, Exit, PayersCommand};
use crate::config::Environment;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::payers::{self, ConfirmingTransfer};
use crate::statement::first_day;
use crate::store::payers::WhichStatements;
use crate::terminal;

/// The most statements that are listed.
const MOST: i64 = 1000;

pub(super) async fn payers(asked: &PayersCommand, environment: &Environment) -> Result<Exit, Stop> {
    let config = match asked {
        PayersCommand::Close { config, .. } | PayersCommand::List { config, .. } => config,
        PayersCommand::Confirm(args) => &args.config,
    };
    let (hub, database) = open(config.config.as_deref(), environment).await?;
    let done = match asked {
        PayersCommand::Close { month, .. } => close(&hub, month).await,
        PayersCommand::List { month, account, .. } => {
            list(&hub, month.as_deref(), account.as_deref()).await
        }
        PayersCommand::Confirm(args) => confirm(&hub, args).await,
    };
    database.close().await?;
    done.map_err(Stop::of)
}

async fn close(hub: &Hub, month: &str) -> Result<Exit, Fault> {
    let made = payers::close(hub, first_day(month)?, audit::OPERATOR).await?;
    terminal::say(format_args!("{month}: {} statements made", made.len()));
    list(hub, Some(month), None).await?;
    Ok(Exit::Done)
}

async fn list(hub: &Hub, month: Option<&str>, account: Option<&str>) -> Result<Exit, Fault> {
    let period = month.map(first_day).transpose()?;
    let which = WhichStatements { account, period, ..WhichStatements::default() };
    let mut overdue = false;
    for statement in payers::statements(hub, which, MOST).await? {
        let word = |name: &str| statement.get(name).and_then(Value::as_str).unwrap_or_default();
        let fen = |name: &str| statement.get(name).and_then(Value::as_i64).unwrap_or_default();
        let is_late = statement.get("is_overdue").and_then(Value::as_bool).unwrap_or_default();
        overdue |= is_late;
        terminal::say(format_args!(
            "{}  {}  {}  {} yuan, {} owed, due {}  {}{}",
            word("id"),
            word("number"),
            word("account"),
            domain::Fen::new(fen("total_fen")).yuan(),
            domain::Fen::new(fen("open_fen")).yuan(),
            word("due_on"),
            word("status"),
            if is_late { ", overdue" } else { "" }
        ));
    }
    Ok(if overdue { Exit::FoundProblem } else { Exit::Done })
}

async fn confirm(hub: &Hub, args: &ConfirmTransferArgs) -> Result<Exit, Fault> {
    let ConfirmTransferArgs { serials, statements, user, reason, config: _ } = args;
    let reason = reason.as_deref();
    let asked = ConfirmingTransfer { serials, statements, by: user, reason };
    let match_id = payers::confirm(hub, &asked).await?;
    terminal::say(format_args!("{match_id}  {} matched by {user}", serials.join(", ")));
    Ok(Exit::Done)
}
