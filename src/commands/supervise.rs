//! `payhub supervise`: what was charged, computed again.

use super::{Stop, open};
use crate::cli::{Exit, SuperviseArgs, SuperviseCommand};
use crate::config::Environment;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::supervision::{self, Days, Faulty};
use crate::terminal;

/// How many fees are read at once.
const PAGE: i64 = 1000;

pub(super) async fn supervise(
    asked: &SuperviseCommand,
    environment: &Environment,
) -> Result<Exit, Stop> {
    let SuperviseCommand::Fees(args) = asked;
    let (hub, database) = open(args.config.config.as_deref(), environment).await?;
    let found = all(&hub, args).await;
    database.close().await?;
    let (count, faulty) = found.map_err(|fault| Stop::problem(fault.detail))?;
    for Faulty { fee, findings, .. } in &faulty {
        for finding in findings {
            let (kind, name) = (finding.kind.as_str(), finding.kind.name());
            let code = finding.code.as_deref().unwrap_or("合计");
            let expected = finding.expected_fen.map_or_else(|| "-".to_owned(), |fen| fen.yuan());
            let paper = finding.evidence.as_ref().map(|paper| format!("  缺 {paper}"));
            terminal::say(format_args!(
                "{}  {}  {kind} {name}  {code}  开单 {} 应收 {expected}{}",
                fee.fee_id,
                fee.case_no,
                finding.charged_fen.yuan(),
                paper.unwrap_or_default(),
            ));
        }
    }
    if let Some(path) = &args.out {
        let bytes = supervision::csv(&faulty).map_err(|error| Stop::problem(error.to_string()))?;
        std::fs::write(path, bytes)
            .map_err(|error| Stop::problem(format!("{}: {error}", path.display())))?;
    }
    let wrong = faulty.len();
    terminal::say(format_args!("examined {count} fees, {wrong} were charged otherwise"));
    Ok(if wrong == 0 { Exit::Done } else { Exit::FoundProblem })
}

async fn all(hub: &Hub, args: &SuperviseArgs) -> Result<(usize, Vec<Faulty>), Fault> {
    let days = Days { from: args.from, until: args.until };
    let (mut count, mut faulty, mut after) = (0_usize, Vec::new(), String::new());
    loop {
        let page = supervision::examine(hub, None, days, &after, PAGE).await?;
        count = count.saturating_add(page.count);
        faulty.extend(page.faulty);
        match page.next {
            Some(last) => after = last,
            None => return Ok((count, faulty)),
        }
    }
}
