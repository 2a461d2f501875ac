//! `payhub bills`: the providers' bill files as they were fetched.

use std::fs::OpenOptions;
use std::io::Write as _;

use domain::time::rfc3339;
use jiff::civil::Date;

use super::{Stop, open};
use crate::cli::{BillsCommand, Exit, SaveArgs};
use crate::config::Environment;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::bills::{self, Shelf};
use crate::terminal;

pub(super) async fn bills(asked: &BillsCommand, environment: &Environment) -> Result<Exit, Stop> {
    let (BillsCommand::List { config, .. } | BillsCommand::Save(SaveArgs { config, .. })) = asked;
    let (hub, database) = open(config.config.as_deref(), environment).await?;
    let done = match asked {
        BillsCommand::List { merchant, date, .. } => {
            list(&hub, merchant, *date).await.map_err(|fault| Stop::problem(fault.detail))
        }
        BillsCommand::Save(asked) => save(&hub, asked).await,
    };
    database.close().await?;
    done.map(|()| Exit::Done)
}

/// Bills of an account are stored for the first of its merchants.
async fn list(hub: &Hub, merchant: &str, date: Date) -> Result<(), Fault> {
    let ids: Vec<&str> = hub.merchant(merchant).map_or_else(
        || vec![merchant],
        |known| hub.of_one_account(known).into_iter().map(|one| one.id.as_str()).collect(),
    );
    let given = bills::given(&hub.store.client().await?, &ids, date).await?;
    for file in &given {
        let (at, sha256) = (rfc3339(file.fetched_at), &file.sha256);
        let runs: Vec<&str> = file.runs.iter().map(|run| run.as_str()).collect();
        let fate = match &file.why {
            Some(why) => format!("refused: {why}"),
            None => format!("read by {}", runs.join(" ")),
        };
        let fate = if file.fund_flow { format!("fund flow, {fate}") } else { fate };
        terminal::say(format_args!("{}  {at}  SHA-256 {sha256}  {fate}", file.number));
    }
    if given.is_empty() {
        terminal::say(format_args!("no bill of {merchant} of {date} was given"));
    }
    Ok(())
}

async fn save(hub: &Hub, asked: &SaveArgs) -> Result<(), Stop> {
    let SaveArgs { number, refused, fund_flow, out, .. } = asked;
    let shelf = match (refused, fund_flow) {
        (true, _) => Shelf::Refused,
        (false, true) => Shelf::FundFlow,
        (false, false) => Shelf::Trade,
    };
    let file = opened(hub, *number, shelf).await.map_err(|fault| Stop::problem(fault.detail))?;
    let told = |error: std::io::Error| Stop::problem(format!("{}: {error}", out.display()));
    let mut written = OpenOptions::new().write(true).create_new(true).open(out).map_err(told)?;
    written.write_all(&file).map_err(told)?;
    terminal::say(format_args!("{}: {} bytes", out.display(), file.len()));
    Ok(())
}

async fn opened(hub: &Hub, number: i64, shelf: Shelf) -> Result<Vec<u8>, Fault> {
    let stored = bills::read(&hub.store.client().await?, number, shelf).await?;
    let stored = stored.ok_or_else(|| Fault::not_found("bill"))?;
    stored.open(&hub.sealer).map_err(|error| Fault::internal(&error))
}
