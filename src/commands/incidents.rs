//! `payhub incidents`: what people must look at, and what came of it.

use domain::time::rfc3339;
use domain::user::UserAct;
use serde_json::json;

use super::{Stop, open};
use crate::audit::{self, Act};
use crate::cli::{CloseArgs, Exit, IncidentsCommand};
use crate::config::Environment;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::incidents::Closing;
use crate::store::StoreError;
use crate::store::incidents::{IncidentRecord, Which};
use crate::{incidents, terminal, users};

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
                    let merchant = known.merchant_id.as_ref().map(|id| id.as_str());
                    let application = known.application_id.as_ref().map(|id| id.as_str());
                    let whose = merchant.or(application).unwrap_or_default();
                    terminal::say(format_args!("{}  {at}  {kind}  {whose}", known.id));
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
            let closed = close(&hub, args).await;
            database.close().await?;
            let closed = closed.map_err(Stop::of)?;
            terminal::say(format_args!("{}  closed by {}", closed.id, args.user));
            Ok(Exit::Done)
        }
    }
}

async fn close(hub: &Hub, args: &CloseArgs) -> Result<IncidentRecord, Fault> {
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let (id, note, now) = (args.id.as_str(), args.note.as_str(), hub.clock.now());
    let by = users::permit(&tx, &args.user, UserAct::CloseIncident).await?;
    let closing = Closing { id, application: None, by: &by, note };
    let closed = incidents::close(&tx, closing, now).await?;
    let data = json!({"kind": closed.kind, "note": audit::stands_for(&hub.sealer, Some(note))});
    let act = Act::of(&by, "incident.closed", id, data);
    audit::write_down(&tx, &hub.sealer, &[act], now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(closed)
}
