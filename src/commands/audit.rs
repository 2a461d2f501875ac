//! `payhub audit`: what people did.

use std::path::Path;

use domain::time::rfc3339;

use super::{Stop, open};
use crate::cli::{AuditCommand, Exit};
use crate::config::Environment;
use crate::hub::Hub;
use crate::store::audit::{self, AuditEntry};
use crate::terminal;

/// How many entries are read at a time.
const PAGE: i64 = 500;

pub(super) async fn audit(asked: &AuditCommand, environment: &Environment) -> Result<Exit, Stop> {
    let (AuditCommand::List { config, .. } | AuditCommand::Export { config, .. }) = asked;
    let (hub, database) = open(config.config.as_deref(), environment).await?;
    let done = match asked {
        AuditCommand::List { after, subject, .. } => {
            each(&hub, *after, subject.as_deref(), |entry| {
                let AuditEntry { seq, at, by, action, subject, data, .. } = entry;
                terminal::say(format_args!(
                    "{seq}  {}  {by}  {action}  {subject}  {data}",
                    rfc3339(*at)
                ));
                Ok(())
            })
            .await
        }
        AuditCommand::Export { out, .. } => export(&hub, out).await,
    };
    database.close().await?;
    done.map(|()| Exit::Done)
}

async fn each(
    hub: &Hub,
    after: i64,
    subject: Option<&str>,
    mut show: impl FnMut(&AuditEntry) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let client = hub.store.client().await.map_err(Stop::problem)?;
    let mut after = after;
    loop {
        let page = audit::list(&client, after, subject, PAGE).await.map_err(Stop::problem)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        page.iter().try_for_each(&mut show)?;
    }
}

/// The whole trail as a file that is there when it is whole.
async fn export(hub: &Hub, out: &Path) -> Result<(), Stop> {
    let named =
        |error: &dyn std::fmt::Display| Stop::problem(format!("{}: {error}", out.display()));
    let mut table = csv::Writer::from_writer(Vec::new());
    table
        .write_record(["seq", "at", "by", "action", "subject", "data", "mac"])
        .map_err(|error| named(&error))?;
    let mut count: u64 = 0;
    each(hub, 0, None, |entry| {
        let mac: String = entry.mac.iter().map(|byte| format!("{byte:02x}")).collect();
        count = count.saturating_add(1);
        let (seq, at, data) = (entry.seq.to_string(), rfc3339(entry.at), entry.data.to_string());
        let row = [&seq, &at, &entry.by, &entry.action, &entry.subject, &data, &mac];
        table.write_record(row).map_err(|error| named(&error))
    })
    .await?;
    let bytes = table.into_inner().map_err(|error| named(&error))?;
    let beside = out.with_extension("part");
    std::fs::write(&beside, bytes).map_err(|error| named(&error))?;
    std::fs::rename(&beside, out).map_err(|error| named(&error))?;
    terminal::say(format_args!("{count} entries in {}", out.display()));
    Ok(())
}
