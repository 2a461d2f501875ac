//! `payhub bank`: statements taken in, and credits that people decide about.

use std::path::Path;

use domain::Fen;
use jiff::civil::Date;
use serde_json::Value;

use super::{Stop, open};
use crate::bank::{self, Confirmed, Confirming, Unmatched, Unmatching};
use crate::cli::{BankCommand, ConfirmArgs, Exit, UnmatchArgs};
use crate::config::Environment;
use crate::fault::Fault;
use crate::fiscal;
use crate::hub::Hub;
use crate::terminal;

/// The largest statement: as over HTTP.
const LARGEST: u64 = 1024 * 1024;

pub(super) async fn bank(asked: &BankCommand, environment: &Environment) -> Result<Exit, Stop> {
    // What cannot be read is told before a database is opened.
    let (config, file) = match asked {
        BankCommand::Import { file, config } => (config, read(file)?),
        BankCommand::Confirm(args) => (&args.config, Vec::new()),
        BankCommand::Unmatch(args) => (&args.config, Vec::new()),
        BankCommand::SettlementFile { config, .. } => (config, Vec::new()),
    };
    let (hub, database) = open(config.config.as_deref(), environment).await?;
    let done = match asked {
        BankCommand::Import { .. } => import(&hub, &file).await,
        BankCommand::Confirm(args) => confirm(&hub, args).await,
        BankCommand::Unmatch(args) => unmatch(&hub, args).await,
        BankCommand::SettlementFile { date, out, .. } => settlement_file(&hub, *date, out).await,
    };
    database.close().await?;
    done.map_err(|fault| {
        let line = told(&fault);
        Stop { line, ..Stop::of(fault) }
    })
}

async fn settlement_file(hub: &Hub, date: Date, out: &Path) -> Result<Exit, Fault> {
    let file = fiscal::settlement_file(hub, date).await?;
    std::fs::write(out, &file.bytes)
        .map_err(|error| Fault::unavailable(format!("{}: {error}", out.display())))?;
    terminal::say(format_args!("{}  SHA-256 {}", out.display(), file.sha256));
    Ok(Exit::Done)
}

fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    let named = |error: std::io::Error| Stop::bad_usage(format!("{}: {error}", path.display()));
    if std::fs::metadata(path).map_err(named)?.len() > LARGEST {
        let line =
            format!("{}: has more than {LARGEST} bytes; hand it in in parts", path.display());
        return Err(Stop::bad_usage(line));
    }
    std::fs::read(path).map_err(named)
}

async fn import(hub: &Hub, file: &[u8]) -> Result<Exit, Fault> {
    let taken = bank::import(hub, None, file, None).await?;
    terminal::say(format_args!(
        "{}  {} rows, {} booked, {} known; {} matched, {} proposed, {} unmatched",
        taken.id,
        taken.rows,
        taken.booked,
        taken.known,
        taken.matched,
        taken.proposed,
        taken.unmatched
    ));
    let is_clear = taken.proposed == 0 && taken.unmatched == 0;
    Ok(if is_clear { Exit::Done } else { Exit::FoundProblem })
}

async fn confirm(hub: &Hub, args: &ConfirmArgs) -> Result<Exit, Fault> {
    let ConfirmArgs { serial, settlements, user, reason, config: _ } = args;
    let reason = reason.as_deref();
    let asked = Confirming { serial, settlements, by: user, reason };
    let line = match bank::confirm(hub, &asked).await? {
        Confirmed::Matched { difference } => {
            format!("{serial}  matched by {user}, difference {}", difference.yuan())
        }
        Confirmed::Waits { difference } => {
            let what = match difference {
                Fen::ZERO => "takes a day of long before".to_owned(),
                difference => format!("closes a difference of {}", difference.yuan()),
            };
            format!("{serial}  {what}: another must confirm the same")
        }
    };
    terminal::say(line);
    Ok(Exit::Done)
}

async fn unmatch(hub: &Hub, args: &UnmatchArgs) -> Result<Exit, Fault> {
    let UnmatchArgs { serial, user, reason, config: _ } = args;
    let asked = Unmatching { serial, by: user, reason };
    terminal::say(match bank::unmatch(hub, &asked).await? {
        Unmatched::TakenBack => format!("{serial}  its match is taken back by {user}"),
        Unmatched::Waits => format!("{serial}  two agreed to it: another must ask for the same"),
    });
    Ok(Exit::Done)
}

/// A fault with every row that it names, a line each.
fn told(fault: &Fault) -> String {
    let mut text = fault.detail.clone();
    let errors = fault.members.iter().filter(|(name, _)| *name == "errors");
    for error in errors.flat_map(|(_, rows)| rows.as_array().into_iter().flatten()) {
        let of = |name: &str| error.get(name).map(Value::to_string).unwrap_or_default();
        let (column, detail) = (of("column"), of("detail"));
        text.push_str(&format!(
            "\nrow {}, {}: {}",
            of("row"),
            column.trim_matches('"'),
            detail.trim_matches('"')
        ));
    }
    text
}
