//! `payhub difference`: what people do about differences.

use domain::Fen;
use domain::difference::DifferenceStep;
use domain::time::{business_day, rfc3339};

use super::{Stop, open};
use crate::cli::{DifferenceArgs, DifferenceCommand, Exit, FindArgs, ProposeArgs};
use crate::config::Environment;
use crate::differences::{self, Doing, Proposal, Signed};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::differences::{self as stored, Difference, Sought, Step};
use crate::terminal;

/// How many differences are read at a time.
const PAGE: i64 = 200;

pub(super) async fn difference(
    asked: &DifferenceCommand,
    environment: &Environment,
) -> Result<Exit, Stop> {
    let (args, doing) = match asked {
        DifferenceCommand::List(args) => {
            let (hub, database) = open(args.config.config.as_deref(), environment).await?;
            let done = list(&hub, args).await;
            database.close().await?;
            return done.map(|()| Exit::Done).map_err(Stop::of);
        }
        DifferenceCommand::Show { id, config } => {
            let (hub, database) = open(config.config.as_deref(), environment).await?;
            let done = show(&hub, id.as_str()).await;
            database.close().await?;
            return done.map(|()| Exit::Done).map_err(Stop::of);
        }
        DifferenceCommand::Assign { of, to } => (of, Doing::Assign { to }),
        DifferenceCommand::Propose(args) => (&args.of, Doing::Propose(proposal(args))),
        DifferenceCommand::Approve(args) => (args, Doing::Approve),
        DifferenceCommand::Decline(args) => (args, Doing::Decline),
        DifferenceCommand::Resolve(args) => (args, Doing::Resolve),
        DifferenceCommand::WriteOff(args) => (args, Doing::WriteOff),
        DifferenceCommand::ForceMatch { of, with } => {
            (of, Doing::ForceMatch { with: with.as_str() })
        }
        DifferenceCommand::Reopen(args) => (args, Doing::Reopen),
    };
    let DifferenceArgs { id, user, reason, config } = args;
    let (hub, database) = open(config.config.as_deref(), environment).await?;
    let signed = Signed { by: user, reason: reason.as_deref() };
    let done = differences::take(&hub, id.as_str(), doing, signed).await;
    let today = business_day(hub.clock.now());
    database.close().await?;
    let found = done.map_err(Stop::of)?;
    terminal::say(line(&found, today));
    if found.steps.last().is_some_and(|last| last.event == DifferenceStep::ReopenAsked) {
        terminal::say("    two wrote it off: another must reopen it as well");
    }
    Ok(Exit::Done)
}

fn proposal(args: &ProposeArgs) -> Proposal<'_> {
    Proposal {
        remedy: args.action,
        amount: args.amount_fen.map(Fen::new),
        refund_id: args.refund.as_ref().map(|id| id.as_str()),
        with: args.with.as_ref().map(|id| id.as_str()),
    }
}

async fn list(hub: &Hub, args: &FindArgs) -> Result<(), Fault> {
    let today = business_day(hub.clock.now());
    let client = hub.store.client().await?;
    let mut after = String::new();
    let before = args.older_than.map(|days| differences::older_than(today, days));
    loop {
        let sought = Sought {
            states: args.status.map_or_else(differences::not_over, |state| vec![state]),
            owner: args.owner.as_deref(),
            merchants: None,
            before,
            after: &after,
        };
        let page = stored::find(&client, &sought, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.id);
        page.iter().for_each(|found| terminal::say(line(found, today)));
    }
}

async fn show(hub: &Hub, id: &str) -> Result<(), Fault> {
    let client = hub.store.client().await?;
    let found = stored::by_ids(&client, &[id]).await?.pop();
    let found = found.ok_or_else(|| Fault::not_found("difference"))?;
    terminal::say(line(&found, business_day(hub.clock.now())));
    let Difference { kind, cause, detail, proposed_action, run_id, .. } = &found;
    terminal::say(format_args!("    {kind}, {cause}: {detail}"));
    terminal::say(format_args!("    {run_id} proposes: {proposed_action}"));
    found.steps.iter().for_each(|step| terminal::say(format_args!("    {}", told(step))));
    Ok(())
}

/// A difference in a line.
fn line(found: &Difference, today: jiff::civil::Date) -> String {
    let amount =
        |fen: Option<Fen>| fen.map_or_else(|| "-".to_owned(), |fen| fen.yuan().to_string());
    format!(
        "{}  {}  {}  {} days  {}  hub {} bill {}  {}  {}",
        found.id,
        found.status,
        found.first_day,
        found.age_days(today),
        found.out_trade_no,
        amount(found.hub_amount_fen),
        amount(found.bill_amount_fen),
        found.kind,
        found.owner.as_deref().unwrap_or("nobody's")
    )
}

/// A step in a line.
fn told(step: &Step) -> String {
    let what = match step.event {
        DifferenceStep::Assigned => {
            format!("assigned to {}", step.owner.as_deref().unwrap_or_default())
        }
        DifferenceStep::Proposed => {
            let remedy = step.action.map_or("", |remedy| remedy.as_str());
            format!("{remedy} proposed")
        }
        DifferenceStep::Approved
        | DifferenceStep::Declined
        | DifferenceStep::Resolved
        | DifferenceStep::WrittenOff
        | DifferenceStep::Matched
        | DifferenceStep::ReopenAsked
        | DifferenceStep::Reopened
        | DifferenceStep::Cleared
        | DifferenceStep::Superseded => step.event.to_string(),
    };
    let with = [step.refund_id.as_deref(), step.other_id.as_deref()];
    let with: String = with.into_iter().flatten().map(|id| format!(" {id}")).collect();
    let amount = step.amount_fen.map(|fen| format!(" {}", fen.yuan())).unwrap_or_default();
    let why = step.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{}  {what}{with}{amount} by {}{why}", rfc3339(step.told_at), step.by)
}
