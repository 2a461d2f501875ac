//! `payhub webhooks`: dead letters and endpoints of every backend service.

use deadpool_postgres::Transaction;
use domain::ids::EventId;
use domain::time::rfc3339;
use serde_json::Value;

use super::{Stop, open};
use crate::cli::{EndpointArgs, Exit, ListArgs, ResendArgs, Unfinished, WebhooksCommand};
use crate::config::Environment;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::resource;
use crate::store::webhooks::{self as log, Page, Span, Which};
use crate::terminal;
use crate::webhooks::{self, MOST_RESENT, Resent, Selection, USUAL_OVERLAP_H};

pub(super) async fn webhooks(
    asked: &WebhooksCommand,
    environment: &Environment,
) -> Result<Exit, Stop> {
    let config = match asked {
        WebhooksCommand::List(args) => &args.config,
        WebhooksCommand::Resend(args) => &args.config,
        WebhooksCommand::Endpoint(args) => &args.config,
    };
    let (hub, database) = open(config.config.as_deref(), environment).await?;
    let done = match asked {
        WebhooksCommand::List(args) => list(&hub, args).await,
        WebhooksCommand::Resend(args) => resend(&hub, args).await,
        WebhooksCommand::Endpoint(args) => endpoint(&hub, args).await,
    };
    database.close().await?;
    done.map_err(|fault| Stop::problem(fault.detail))?;
    Ok(Exit::Done)
}

async fn list(hub: &Hub, args: &ListArgs) -> Result<(), Fault> {
    let which = match args.state {
        Unfinished::Dead => Which::Dead,
        Unfinished::Due => Which::Due,
    };
    let limit = i64::from(args.limit);
    let page = Page { which, event_type: None, before: i64::MAX, limit };
    let client = hub.store.client().await?;
    let application = args.application.as_ref().map(|name| name.as_str());
    let found = log::unfinished(&client, application, &page).await?;
    for one in &found {
        terminal::say(format_args!(
            "{}  {}  {}  {}  {} attempts, the last {}  {}",
            one.application,
            one.event_id,
            one.event_type,
            one.subject_id,
            one.attempts,
            one.last_outcome.as_deref().unwrap_or("not made"),
            rfc3339(one.created_at),
        ));
    }
    if found.is_empty() {
        terminal::say("there are none");
    }
    Ok(())
}

async fn resend(hub: &Hub, args: &ResendArgs) -> Result<(), Fault> {
    let application = args.application.as_str();
    let mut total = 0_usize;
    if args.events.is_empty() {
        let mut behind = Some(0);
        while let Some(from) = behind {
            let resent = once(hub, application, &selection(args, from)).await?;
            total = total.saturating_add(resent.count);
            behind = resent.next;
        }
    } else {
        for some in args.events.chunks(MOST_RESENT) {
            let events = some.iter().map(EventId::as_str).collect();
            let resent = once(hub, application, &Selection::Events(events)).await?;
            total = total.saturating_add(resent.count);
        }
    }
    terminal::say(format_args!("{total} webhooks of {application} are sent again"));
    Ok(())
}

fn selection(args: &ResendArgs, behind: i64) -> Selection<'_> {
    match (args.since, args.until) {
        (Some(since), Some(until)) => {
            let types = args.types.iter().map(String::as_str).collect::<Vec<_>>();
            let types = Some(types).filter(|types| !types.is_empty());
            Selection::Time(Span { since, until, types }, behind)
        }
        _ => Selection::Dead(behind),
    }
}

async fn once(hub: &Hub, application: &str, selection: &Selection<'_>) -> Result<Resent, Fault> {
    let mut client = hub.store.client().await?;
    let tx = begin(&mut client).await?;
    let resent = webhooks::resend(&tx, application, selection, hub.clock.now()).await?;
    commit(tx).await?;
    Ok(resent)
}

async fn endpoint(hub: &Hub, args: &EndpointArgs) -> Result<(), Fault> {
    let application = args.application.as_str();
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = begin(&mut client).await?;
    let mut made = None;
    if args.disable {
        webhooks::disable(&tx, application, now).await?;
    } else if args.enable {
        webhooks::enable(&tx, application, now).await?;
    } else if args.rotate_secret {
        let overlap = args.overlap_hours.unwrap_or(USUAL_OVERLAP_H);
        made = Some(webhooks::rotate(hub, &tx, application, overlap).await?);
    }
    let found = webhooks::endpoint(&tx, application, now).await?;
    commit(tx).await?;
    let shown = resource::endpoint(&found, made.as_ref());
    for (name, value) in shown.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::String(text) => terminal::say(format_args!("{name}: {text}")),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                terminal::say(format_args!("{name}: {value}"));
            }
        }
    }
    Ok(())
}

async fn begin(client: &mut deadpool_postgres::Object) -> Result<Transaction<'_>, Fault> {
    Ok(client.transaction().await.map_err(crate::store::StoreError::from)?)
}

async fn commit(tx: Transaction<'_>) -> Result<(), Fault> {
    Ok(tx.commit().await.map_err(crate::store::StoreError::from)?)
}
