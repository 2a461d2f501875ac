//! Commands that do one thing with the database and end.

use domain::Clock as _;
use domain::time::business_day;
use domain::treasury::TreasuryEvent;
use domain::user::UserAct;

use super::{Stop, load, open};
use crate::audit::OPERATOR;
use crate::cli::{CallbacksCommand, ConfigArgs, DayArgs, Exit, RefundCommand, TreasuryArgs};
use crate::config::Environment;
use crate::fault::Fault;
use crate::hub::{Database, Hub};
use crate::refunds::{Decision, StepRequest};
use crate::store::migrate;
use crate::store::refunds::RefundRecord;
use crate::store::runs::RunRecord;
use crate::{ledger, reconcile, refunds, replay, terminal, users};

pub(super) async fn migrate(asked: &ConfigArgs, environment: &Environment) -> Result<Exit, Stop> {
    let config = load(asked.config.as_deref(), environment)?;
    let database = Database::reach(&config.database).await?;
    let applied = migrate::migrate(&database.store).await.map_err(Stop::problem)?;
    let version = migrate::version(&database.store).await.map_err(Stop::problem)?;
    database.close().await?;
    terminal::say(format_args!("{applied} migrations applied, the schema is at {}", version.found));
    Ok(Exit::Done)
}

pub(super) async fn verify_ledger(
    asked: &ConfigArgs,
    environment: &Environment,
) -> Result<Exit, Stop> {
    let (hub, database) = open(asked.config.as_deref(), environment).await?;
    let proof = ledger::verify(&hub).await.map_err(Stop::problem)?;
    database.close().await?;
    for found in &proof.breaks {
        terminal::say(format_args!("BROKEN  {found}"));
    }
    terminal::say(format_args!("{} acts on the audit trail", proof.acts));
    terminal::say(format_args!(
        "{} journals, {} entries, {} breaks",
        proof.journals,
        proof.entries,
        proof.breaks.len()
    ));
    Ok(if proof.breaks.is_empty() { Exit::Done } else { Exit::FoundProblem })
}

pub(super) async fn callbacks(
    asked: &CallbacksCommand,
    environment: &Environment,
) -> Result<Exit, Stop> {
    let CallbacksCommand::Replay { ids, config } = asked;
    let (hub, database) = open(config.config.as_deref(), environment).await?;
    let mut failed = false;
    for id in ids {
        match replay::replay(&hub, id).await {
            Ok(verdict) => terminal::say(format_args!("{id}  {}", verdict.as_str())),
            Err(fault) => {
                failed = true;
                terminal::complain(format_args!("{id}  {}", fault.detail));
            }
        }
    }
    database.close().await?;
    Ok(if failed { Exit::FoundProblem } else { Exit::Done })
}

pub(super) async fn refund(asked: &RefundCommand, environment: &Environment) -> Result<Exit, Stop> {
    let (decision, args) = match asked {
        RefundCommand::Approve(args) => (Decision::Approve, args),
        RefundCommand::Decline(args) => (Decision::Decline, args),
        RefundCommand::Treasury(args) => return treasury(args, environment).await,
    };
    let (hub, database) = open(args.config.config.as_deref(), environment).await?;
    let decided = refunds::decide(&hub, args.id.as_str(), decision, &args.user).await;
    database.close().await?;
    let refund = decided.map_err(Stop::of)?;
    terminal::say(format_args!("{}  {}  by {}", refund.id, refund.status, args.user));
    Ok(Exit::Done)
}

/// Tells a step of a refund's way through the treasury.
async fn treasury(asked: &TreasuryArgs, environment: &Environment) -> Result<Exit, Stop> {
    let (hub, database) = open(asked.config.config.as_deref(), environment).await?;
    let step = StepRequest {
        event: asked.event,
        occurred_on: asked.occurred_on.unwrap_or_else(|| business_day(hub.clock.now())),
        by: asked.user.clone(),
        document_no: asked.document_no.clone(),
        red_flush: asked.red_flush.clone(),
        reason: asked.reason.clone(),
    };
    let taken = take(&hub, asked.id.as_str(), &step).await;
    database.close().await?;
    let refund = taken.map_err(Stop::of)?;
    terminal::say(format_args!("{}  {}  {} by {}", refund.id, refund.status, step.event, step.by));
    Ok(Exit::Done)
}

async fn take(hub: &Hub, id: &str, step: &StepRequest) -> Result<RefundRecord, Fault> {
    let mut client = hub.store.client().await?;
    let act = match step.event {
        TreasuryEvent::Approved => UserAct::ApproveTreasury,
        TreasuryEvent::Applied
        | TreasuryEvent::Verified
        | TreasuryEvent::Paid
        | TreasuryEvent::Returned
        | TreasuryEvent::Rejected => UserAct::TellTreasury,
    };
    let by = users::permit(&client, &step.by, act).await?;
    let step = StepRequest { by, ..step.clone() };
    refunds::step(hub, &mut client, id, &step).await?.commit(hub).await
}

pub(super) async fn reconcile(asked: &DayArgs, environment: &Environment) -> Result<Exit, Stop> {
    let (hub, database) = open(asked.config.config.as_deref(), environment).await?;
    let done = reconcile_again(&hub, asked).await;
    database.close().await?;
    // 1 says that the day differs: a day or merchant that cannot be run is bad usage.
    let run = done.map_err(|fault| match fault.status {
        422 => Stop::bad_usage(fault.detail),
        _ => Stop::of(fault),
    })?;
    terminal::say(run.line());
    Ok(if run.is_balanced() { Exit::Done } else { Exit::FoundProblem })
}

async fn reconcile_again(hub: &Hub, asked: &DayArgs) -> Result<RunRecord, Fault> {
    let by = match &asked.user {
        Some(user) => {
            let client = hub.store.client().await?;
            users::permit(&client, users::named("user", user)?, UserAct::RerunDay).await?
        }
        None => OPERATOR.to_owned(),
    };
    reconcile::now(hub, &asked.merchant, asked.date, &by).await
}
