//! `payhub run`: a day's reconciliation, signed by people.

use domain::sign_off::SignOffStep;
use domain::time::rfc3339;

use super::{Stop, open};
use crate::cli::{Exit, ReasonArgs, RunCommand, SignArgs};
use crate::config::Environment;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::sign_off::{self, Signing};
use crate::{reconcile, terminal};

pub(super) async fn run(asked: &RunCommand, environment: &Environment) -> Result<Exit, Stop> {
    let (step, args, reason) = match asked {
        RunCommand::Show { id, config } => {
            let (hub, database) = open(config.config.as_deref(), environment).await?;
            let shown = show(&hub, id.as_str()).await;
            database.close().await?;
            shown.map_err(Stop::of)?;
            return Ok(Exit::Done);
        }
        RunCommand::Prepare(args) => (SignOffStep::Prepared, args, None),
        RunCommand::Review(args) => (SignOffStep::Reviewed, args, None),
        RunCommand::Reopen(args) => (SignOffStep::Reopened, args, None),
        RunCommand::Return(ReasonArgs { sign, reason }) => {
            (SignOffStep::Returned, sign, Some(reason.as_str()))
        }
        RunCommand::AskReopen(ReasonArgs { sign, reason }) => {
            (SignOffStep::ReopenAsked, sign, Some(reason.as_str()))
        }
    };
    let SignArgs { id, user, config } = args;
    let (hub, database) = open(config.config.as_deref(), environment).await?;
    let signing = Signing { step, by: user, reason };
    let signed = sign_off::sign(&hub, id.as_str(), &signing).await;
    database.close().await?;
    let run = signed.map_err(Stop::of)?;
    terminal::say(format_args!("{}  {}  {step} by {user}", run.id, run.sign_off));
    Ok(Exit::Done)
}

async fn show(hub: &Hub, id: &str) -> Result<(), Fault> {
    let run = reconcile::load(hub, id).await?;
    terminal::say(run.line());
    terminal::say(format_args!("    sign-off: {}", run.sign_off));
    for signature in sign_off::signatures(hub, id).await? {
        let (at, event, by) = (rfc3339(signature.signed_at), signature.event, signature.by);
        let why = signature.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        terminal::say(format_args!("    {at}  {event} by {by}{why}"));
    }
    Ok(())
}
