//! What stands on the lists of differences and doubts: those of the run, and those of other days that
//! are open, each with its level, its state and its age.

use domain::money::Fen;
use reconciliation::{Action, Finding, LedgerState, Owner, label};

use super::super::age;
use super::super::foot::Foot;
use super::super::model::{MerchantDay, Report, signed};
use super::super::office;
use super::super::papers::OpenPaper;
use super::super::sorted::{self, subtract};
use super::super::words;
use super::findings::{List, Row};

/// The level of every finding so far: the ledger against the provider's bill, row by row.
const LEVEL: &str = "渠道账单";

/// The list of differences.
pub(super) fn differences(report: &Report) -> List {
    let findings = report.merchants.iter().flat_map(|day| {
        let doubts = day.result.doubts.len();
        day.result.differences.iter().enumerate().map(move |(place, finding)| {
            let first = age::first_day(day, place);
            let age = first.and_then(|first| age::days(report, first));
            let lines = office::standing(office::begun(day, place));
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let standing = standing(&lines, age);
            row(day, finding, &behind(day, doubts.saturating_add(place)), standing)
        })
    });
    let earlier = report.merchants.iter().flat_map(|day| {
        day.papers.iter().flat_map(|papers| &papers.open).map(move |open| {
            let age = age::days(report, open.first_day);
            let lines = match &open.standing {
                Some(begun) => office::standing(Some(begun)),
                None => vec![status(&open.status).to_owned()],
            };
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            older(day, open, standing(&lines, age))
        })
    });
    List {
        name: "差错清单",
        findings: findings.collect(),
        part: Foot::of_all(report).listed(),
        earlier: earlier.collect(),
        buckets: age::buckets(report, age::differences(report)),
    }
}

/// The list of doubts.
pub(super) fn doubts(report: &Report) -> List {
    let findings = report.merchants.iter().flat_map(|day| {
        day.result.doubts.iter().enumerate().map(move |(place, finding)| {
            let age = day.result.day.and_then(|first| age::days(report, first));
            row(day, finding, &behind(day, place), standing(&["待下一份账单"], age))
        })
    });
    let earlier = report.merchants.iter().flat_map(|day| {
        day.papers.iter().flat_map(|papers| &papers.carried).map(move |doubt| {
            let files = format!("已等 {} 份账单", doubt.files);
            let standing = standing(&[&files], age::days(report, doubt.day));
            row(day, &doubt.finding, "", standing)
        })
    });
    List {
        name: "存疑清单",
        findings: findings.collect(),
        part: Foot::of_all(report).doubtful,
        earlier: earlier.collect(),
        buckets: age::buckets(report, age::doubts(report)),
    }
}

fn row(day: &MerchantDay, finding: &Finding, cases: &str, standing: String) -> Row {
    let (hub, bill, apart) = words::amounts(finding);
    let numbers = numbers([&finding.out_trade_no, &finding.out_refund_no], cases);
    Row {
        merchant: words::name(day).replace(' ', "\n"),
        kind: format!("{}\n{}", label::kind(finding.kind), words::sort(finding)),
        numbers,
        provider_trade_no: finding.provider_trade_no.clone(),
        at: words::when(finding.occurred_at).replace(' ', "\n"),
        hub,
        bill,
        apart,
        why: words::why(finding),
        answer: words::answer(finding),
        action: action(finding.proposed_action, finding.owner),
        standing,
    }
}

/// A difference of another day that is open still.
fn older(day: &MerchantDay, open: &OpenPaper, standing: String) -> Row {
    let (what, owner) = open.cause.remedy();
    let booked = open.hub_amount.filter(|_| open.hub_state.is_some_and(LedgerState::moves_money));
    let way = |amount: Fen| signed(open.direction, amount);
    let (hub, bill) = (booked.map(way), open.bill_amount.map(way));
    Row {
        merchant: words::name(day).replace(' ', "\n"),
        kind: format!("{}\n{}", label::kind(open.kind), label::direction(open.direction)),
        numbers: numbers([&open.out_trade_no, &open.out_refund_no], ""),
        provider_trade_no: open.provider_trade_no.clone(),
        at: open.first_day.to_string(),
        hub,
        bill,
        apart: subtract(bill.unwrap_or_default(), hub.unwrap_or_default()),
        why: label::cause(open.cause).to_owned(),
        answer: "",
        action: action(what, owner),
        standing,
    }
}

fn numbers([order, refund]: [&str; 2], cases: &str) -> String {
    let mut lines = vec![order.to_owned()];
    if !refund.is_empty() {
        lines.push(refund.to_owned());
    }
    if !cases.is_empty() {
        lines.push(format!("受理号 {cases}"));
    }
    lines.join("\n")
}

fn action(action: Action, owner: Owner) -> String {
    format!("{}\n〔{}〕", label::action(action), label::owner(owner))
}

fn standing(words: &[&str], age: Option<i32>) -> String {
    let mut lines = vec![LEVEL.to_owned()];
    lines.extend(words.iter().map(|word| (*word).to_owned()));
    lines.extend(age.map(|days| format!("{days} 天")));
    lines.join("\n")
}

/// The cases behind a finding, by its place among doubts and differences.
fn behind(day: &MerchantDay, place: usize) -> String {
    let Some(papers) = &day.papers else { return String::new() };
    let place = day.result.matched.len().saturating_add(place);
    let row = papers.rows.get(place);
    let cases = row.into_iter().flat_map(|row| sorted::fees(papers, row));
    let cases: Vec<&str> = cases.map(|(fee, _)| fee.case_no.as_str()).collect();
    cases.join("、")
}

/// How far a difference is worked on, on the paper.
pub(in super::super) fn status(word: &str) -> &'static str {
    match word {
        "open" => "待处理",
        "assigned" => "已指派",
        "proposed" => "待审批",
        "approved" => "已审批",
        _ => "处理中",
    }
}
