//! `payhub incidents`: what people must look at, and what came of it.

use domain::time::rfc3339;

use super::{Stop, open};
use crate::cli::{Exit, IncidentsCommand};
use crate::config::Environment;
use crate::store::incidents::Which;
use crate::{incidents, terminal};

/// How many are read at once.
const PAGE: i64 = 200;

pub(super) async fn incidents(
    asked: &IncidentsCommand,
    environment: &Environment,
) -> Result<Exit, Stop> {
    match asked {
        IncidentsCommand::List { all, config } => {
            let (hub, database) = open(config.config.as_deref(), environment).await?;
            let open = (!all).then_some(true);
            let mut before: Option<String> = None;
            loop {
                let which = Which { open, before: before.as_deref(), ..Which::default() };
                let found = incidents::list(&hub, &which, PAGE).await;
                let found = found.map_err(|fault| Stop::problem(fault.detail))?;
                for known in &found {
                    let (at, kind) = (rfc3339(known.opened_at), &known.kind);
                    terminal::say(format_args!(
                        "{}  {at}  {kind}  {}",
                        known.id, known.merchant_id
                    ));
                    terminal::say(format_args!("    {}", known.detail));
                    match (&known.closed_by, &known.note) {
                        (Some(by), Some(note)) => {
                            terminal::say(format_args!("    closed by {by}: {note}"));
                        }
                        _ => terminal::say(format_args!("    -> {}", incidents::advice(known))),
                    }
                }
                before = found.last().map(|last| last.id.as_str().to_owned());
                if i64::try_from(found.len()).is_ok_and(|count| count < PAGE) {
                    break;
                }
            }
            database.close().await?;
            Ok(Exit::Done)
        }
        IncidentsCommand::Close(args) => {
            let (hub, database) = open(args.config.config.as_deref(), environment).await?;
            let id = args.id.as_str();
            let closed = incidents::close(&hub, None, id, &args.user, &args.note).await;
            database.close().await?;
            let closed = closed.map_err(|fault| Stop::problem(fault.detail))?;
            terminal::say(format_args!("{}  closed by {}", closed.id, args.user));
            Ok(Exit::Done)
        }
    }
}
