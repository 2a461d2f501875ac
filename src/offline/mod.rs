//! `payhub reconcile --bill FILE --ledger FILE --out DIR`: a bill as downloaded against a ledger
//! file, without configuration, database or keys. Both files are read to their end and found good
//! before anything is written.

mod crew;
mod error;
mod streams;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

use adapters::bill::{self, BillError};
use domain::Fen;
use domain::bill::BillTotals;
use reconciliation::fund::Before;
use reconciliation::{
    FundFinding, FundMatcher, LedgerError, Matcher, Reconciliation, Rules, ledger,
};

use crate::cli::OfflineArgs;
use crate::report::{self, FileStamp, FundCheck, MerchantDay, Report};

pub use error::OfflineError;

/// How an offline run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// Whether nothing differs.
    pub balanced: bool,
    /// What was found and where it is written, in a few lines for the terminal.
    pub summary: String,
}

/// Compares the files and writes what was found into the folder.
///
/// # Errors
/// A file that cannot be read, named with its line and column, or a folder that cannot be written.
/// A bill whose own totals are not those of its rows is told, and never balanced: the rows are
/// compared all the same, so that a person sees what is in it (the daily job refuses such a file).
pub fn reconcile(args: &OfflineArgs) -> Result<Done, OfflineError> {
    let compared = match streams::compare(args)? {
        Some(compared) => compared,
        None => whole(args)?,
    };
    let Compared { result, totals, bill, ledger } = compared;
    if let (None, Some(first), Some(last)) = (args.date, totals.stated_day, totals.last_day) {
        return Err(OfflineError::Days { file: args.bill.clone(), first, last });
    }
    let fund_flow = match args.fund_flow.as_deref() {
        Some(file) => Some(fund_flow(args, file, &totals, &result)?),
        None => None,
    };
    let day = MerchantDay {
        merchant: String::new(),
        bill: Some(bill),
        ledger: Some(ledger),
        result,
        totals,
        fund_flow,
        fund_note: None,
        journal_head: None,
        version: None,
        digest: None,
        papers: None,
    };
    let report = Report { merchants: vec![day], ..Report::default() };
    let files = report::write(&report, &args.out)?;
    Ok(Done { balanced: report.is_balanced(), summary: summary(&report, &files) })
}

/// What two files have in common and what not.
struct Compared {
    result: Reconciliation,
    totals: BillTotals,
    bill: FileStamp,
    ledger: FileStamp,
}

/// Compares the files as a whole, in memory: what is no file of the disk, and what is not one text
/// from end to end.
fn whole(args: &OfflineArgs) -> Result<Compared, OfflineError> {
    let bill_bytes = load(&args.bill)?;
    let ledger_bytes = load(&args.ledger)?;
    let rows = ledger::read(&ledger_bytes).map_err(|fault| bad_ledger(&args.ledger, fault))?;
    let mut matcher = Matcher::new(rules(args), rows);
    let totals = bill::read(&bill_bytes, &mut |row| matcher.bill_row(&row))
        .map_err(|fault| bad_bill(&args.bill, fault))?;
    Ok(Compared {
        result: matcher.finish(totals.stated_day, totals.covers),
        totals,
        bill: FileStamp::of(name(&args.bill), &bill_bytes),
        ledger: FileStamp::of(name(&args.ledger), &ledger_bytes),
    })
}

fn rules(args: &OfflineArgs) -> Rules {
    Rules { day: args.date, fee_rate: args.fee_rate }
}

/// Holds the fund flow bill against the trade bill, row by row. Without the neighbouring days a
/// refund that moved on another one stays a doubt.
fn fund_flow(
    args: &OfflineArgs,
    file: &Path,
    totals: &BillTotals,
    result: &Reconciliation,
) -> Result<FundCheck, OfflineError> {
    let bytes = load(file)?;
    let day = result.day.unwrap_or_default();
    let mut matcher = FundMatcher::new(day);
    let flow = bill::read_fund_rows(&bytes, &mut |row| matcher.fund_row(&row))
        .map_err(|fault| bad_bill(file, fault))?;
    if let Some(fault) = &flow.footer_fault {
        return Err(OfflineError::Footer { file: file.to_owned(), fault: fault.clone() });
    }
    if let (Some((first, last)), Some(day)) = (flow.days, result.day)
        && (first, last) != (day, day)
    {
        return Err(OfflineError::OtherDay { file: file.to_owned(), first, last, day });
    }
    bill::read(&load(&args.bill)?, &mut |row| matcher.trade_row(&row))
        .map_err(|fault| bad_bill(&args.bill, fault))?;
    let found = matcher.finish(&report::account(&flow), &Before::default());
    let stamp = FileStamp::of(name(file), &bytes);
    Ok(FundCheck::new(Some(stamp), flow, totals, found))
}

fn bad_bill(file: &Path, fault: BillError) -> OfflineError {
    OfflineError::Bill { file: file.to_owned(), fault }
}

fn bad_ledger(file: &Path, fault: LedgerError) -> OfflineError {
    OfflineError::Ledger { file: file.to_owned(), fault }
}

fn load(file: &Path) -> Result<Vec<u8>, OfflineError> {
    fs::read(file).map_err(|fault| OfflineError::Read { file: file.to_owned(), fault })
}

fn name(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn summary(report: &Report, files: &report::Files) -> String {
    let mut lines = Vec::new();
    for day in &report.merchants {
        let date = day.result.day.map_or("no day".to_owned(), |day| day.to_string());
        let sums = &day.result.sums;
        lines.push(format!(
            "{} {date}: bill {} payments {}, {} refunds {}",
            day.totals.provider,
            sums.bill.payments.count,
            sums.bill.payments.amount_fen.yuan(),
            sums.bill.refunds.count,
            sums.bill.refunds.amount_fen.yuan(),
        ));
        lines.push(format!(
            "matched {}, doubts {}, differences {}: {}",
            sums.matched.together().count,
            day.result.doubts.len(),
            day.result.differences.len(),
            if day.is_balanced() { "balanced" } else { "NOT balanced" },
        ));
        if let Some(fault) = &day.totals.footer_fault {
            lines.push(format!("the footer contradicts the rows, fetch the bill again: {fault}"));
        }
        for finding in day.result.differences.iter().take(10) {
            lines.push(format!(
                "  {} {} {}{}: {}",
                finding.direction.as_str(),
                finding.kind.as_str(),
                finding.out_trade_no.escape_debug(),
                match finding.out_refund_no.as_str() {
                    "" => String::new(),
                    number => format!(" {}", number.escape_debug()),
                },
                finding.detail,
            ));
        }
        if let Some(more) = day.result.differences.len().checked_sub(10).filter(|more| *more > 0) {
            lines.push(format!("  and {more} more"));
        }
        lines.extend(day.fund_flow.iter().flat_map(fund_lines));
    }
    lines.push(format!("report: {}", files.workbook.display()));
    lines.join("\n")
}

fn fund_lines(check: &FundCheck) -> Vec<String> {
    let (differences, doubts) = (&check.result.differences, &check.result.doubts);
    let head = format!("fund flow: {} differences, {} doubts", differences.len(), doubts.len());
    let fen = |fen: Option<Fen>| fen.map_or("none".to_owned(), Fen::yuan);
    let line = |found: &FundFinding| {
        format!(
            "  {} {} {}: expected {}, moved {}",
            found.kind.as_str(),
            found.cause.as_str(),
            found.out_no.escape_debug(),
            fen(found.expected),
            fen(found.found),
        )
    };
    let more = differences.len().checked_sub(10).filter(|more| *more > 0);
    let more = more.map(|more| format!("  and {more} more"));
    [head].into_iter().chain(differences.iter().take(10).map(line)).chain(more).collect()
}
