//! `payhub supervise`: what was charged, computed again, and held against its cases.

use super::{Stop, open};
use crate::cli::{Exit, SuperviseArgs, SuperviseCommand};
use crate::config::Environment;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::supervision::{Days, cases, fees};
use crate::terminal;

/// How many fees or cases are read at once.
const PAGE: i64 = 1000;

pub(super) async fn supervise(
    asked: &SuperviseCommand,
    environment: &Environment,
) -> Result<Exit, Stop> {
    let (SuperviseCommand::Fees(args) | SuperviseCommand::Cases(args)) = asked;
    let (hub, database) = open(args.config.config.as_deref(), environment).await?;
    let done = match asked {
        SuperviseCommand::Fees(_) => look_at_fees(&hub, args).await,
        SuperviseCommand::Cases(_) => look_at_cases(&hub, args).await,
    };
    database.close().await?;
    done
}

async fn look_at_fees(hub: &Hub, args: &SuperviseArgs) -> Result<Exit, Stop> {
    let (count, faulty) = all_fees(hub, args).await.map_err(|fault| Stop::problem(fault.detail))?;
    for fees::Faulty { fee, findings, .. } in &faulty {
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
    write(args, fees::csv(&faulty))?;
    let wrong = faulty.len();
    terminal::say(format_args!("examined {count} fees, {wrong} were charged otherwise"));
    Ok(if wrong == 0 { Exit::Done } else { Exit::FoundProblem })
}

async fn look_at_cases(hub: &Hub, args: &SuperviseArgs) -> Result<Exit, Stop> {
    let (count, faulty) =
        all_cases(hub, args).await.map_err(|fault| Stop::problem(fault.detail))?;
    for cases::Faulty { case, gate, finding } in &faulty {
        terminal::say(format_args!(
            "{}  {}  {} {}  {}  缴费节点 {}  {}",
            case.case_no,
            case.business_type,
            finding.kind.as_str(),
            finding.kind.name(),
            case.state,
            gate.as_str(),
            finding.amount_fen.yuan(),
        ));
    }
    write(args, cases::csv(&faulty))?;
    let wrong = faulty.len();
    terminal::say(format_args!("examined {count} cases, {wrong} do not agree with their fees"));
    Ok(if wrong == 0 { Exit::Done } else { Exit::FoundProblem })
}

/// Writes the table where one is asked for.
fn write(args: &SuperviseArgs, table: Result<Vec<u8>, csv::Error>) -> Result<(), Stop> {
    let Some(path) = &args.out else { return Ok(()) };
    let bytes = table.map_err(|error| Stop::problem(error.to_string()))?;
    std::fs::write(path, bytes)
        .map_err(|error| Stop::problem(format!("{}: {error}", path.display())))
}

async fn all_fees(hub: &Hub, args: &SuperviseArgs) -> Result<(usize, Vec<fees::Faulty>), Fault> {
    let days = Days { from: args.from, until: args.until };
    let (mut count, mut faulty, mut after) = (0_usize, Vec::new(), String::new());
    loop {
        let page = fees::examine(hub, None, days, &after, PAGE).await?;
        count = count.saturating_add(page.count);
        faulty.extend(page.faulty);
        match page.next {
            Some(last) => after = last,
            None => return Ok((count, faulty)),
        }
    }
}

async fn all_cases(hub: &Hub, args: &SuperviseArgs) -> Result<(usize, Vec<cases::Faulty>), Fault> {
    let days = Days { from: args.from, until: args.until };
    let (mut count, mut faulty) = (0_usize, Vec::new());
    let mut after = (String::new(), String::new());
    loop {
        let page = cases::examine(hub, None, days, (&after.0, &after.1), PAGE).await?;
        count = count.saturating_add(page.count);
        faulty.extend(page.faulty);
        match page.next {
            Some(last) => after = last,
            None => return Ok((count, faulty)),
        }
    }
}
