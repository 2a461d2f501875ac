//! `report.html`: the page that finance opens at nine. The conclusion stands first, then each
//! difference with its cause and what to do; the sections are those of the workbook. It needs no
//! network, and prints on A4 across.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::bill::Direction;
use domain::money::Fen;
use reconciliation::{Finding, FundFinding, Matched, label};
use sha2::{Digest as _, Sha256};

use super::contents::{self, Entry};
use super::cover::{self, Cell, DIFFERING, DOUBTFUL, Group, Proof, Rung};
use super::foot::Foot;
use super::model::{MerchantDay, Report, signed};
use super::office::{self, Acted, Changed, Settled, SettledSums};
use super::refunds::{self, Shown};
use super::signed;
use super::sums::{self, Chart, SumLine};
use super::tasks::{self, Task};
use super::verdict::{Verdict, conclusion};
use super::words::{self, name, when};
use crate::fiscal::{OwedItem, RemittedItem};

/// How many differences, and how many doubts, the page shows; the workbook has the others.
const MOST_CARDS: usize = 500;
/// How many matched rows the page shows; a browser chokes on a million, the workbook has them all.
const MOST_DETAILS: usize = 3000;

/// The only script of a page: its button prints it.
pub(crate) const PRINT: &str =
    "document.getElementById('print').addEventListener('click',()=>window.print())";

/// The digest by which a page's policy names its script, as base64.
#[must_use]
pub fn print_digest() -> String {
    STANDARD.encode(Sha256::digest(PRINT.as_bytes()))
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    day: String,
    head: String,
    verdict: &'static str,
    class: &'static str,
    conclusion: String,
    headline: String,
    lists: Vec<List>,
    groups: Vec<GroupView>,
    rungs: Vec<RungView>,
    agreed: [String; 2],
    signs: [signed::Line; 4],
    funds: Vec<Fund>,
    funds_left_out: usize,
    proofs: Vec<Proof>,
    remarks: Vec<(String, String)>,
    items: Vec<SumLine>,
    departments: Vec<SumLine>,
    notes: [&'static str; 2],
    refunds: Vec<Shown>,
    has_office: bool,
    settled: Vec<Settled>,
    settled_sums: SettledSums,
    remitted: Vec<&'a RemittedItem>,
    remitted_sum: String,
    owed: Vec<&'a OwedItem>,
    tasks: Vec<Task>,
    contents: Vec<Entry>,
    acts: Vec<Acted>,
    changed: Vec<Changed>,
    charts: Vec<Chart>,
    details: Vec<Detail>,
    details_left_out: usize,
    print: &'static str,
}

/// The differences or the doubts.
struct List {
    id: &'static str,
    name: &'static str,
    class: &'static str,
    say: &'static str,
    count: i64,
    hub: String,
    bill: String,
    apart: String,
    cards: Vec<Card>,
    is_cut: bool,
}

/// One difference or doubt, in words.
struct Card {
    number: usize,
    merchant: String,
    kind: &'static str,
    sort: String,
    out_trade_no: String,
    out_refund_no: String,
    provider_trade_no: String,
    at: String,
    hub: String,
    bill: String,
    apart: String,
    states: String,
    cause: &'static str,
    figures: String,
    answer: &'static str,
    action: &'static str,
    owner: &'static str,
    standing: String,
    line: String,
}

/// A row of the fund flow that the trade bill has not alike, or the other way round.
struct Fund {
    merchant: String,
    word: &'static str,
    sort: &'static str,
    out_no: String,
    provider_no: String,
    at: String,
    expected: String,
    found: String,
    apart: String,
    cause: &'static str,
    action: &'static str,
}

struct GroupView {
    name: String,
    verdict: &'static str,
    class: &'static str,
    lines: Vec<LineView>,
}

struct LineView {
    item: &'static str,
    is_net: bool,
    cells: Vec<CellView>,
}

struct CellView {
    text: String,
    class: &'static str,
}

struct RungView {
    name: String,
    is_sum: bool,
    cells: Vec<String>,
    findings: String,
    note: &'static str,
}

struct Detail {
    merchant: String,
    direction: &'static str,
    at: String,
    out_trade_no: String,
    out_refund_no: String,
    provider_trade_no: String,
    amount: String,
    fee: String,
}

/// The page's text. Every text in it is escaped, whoever wrote it.
///
/// # Errors
/// Never in practice: memory does not refuse to be written to.
pub fn page(report: &Report) -> Result<String, askama::Error> {
    let matched = report.sum(|day| day.result.sums.matched).together().count;
    let verdict = report.verdict();
    let remarks = |day| cover::remarks(day).into_iter().map(move |text| (name(day), text));
    let (settled, remitted) = (office::settled(report), office::remitted(report));
    let page = Page {
        day: report.day().map_or("____-__-__".to_owned(), |day| day.to_string()),
        head: cover::head(report),
        verdict: verdict.label(),
        class: class(verdict),
        conclusion: conclusion(report),
        headline: headline(report),
        lists: lists(report),
        groups: groups(report),
        rungs: cover::rungs(report).iter().map(rung).collect(),
        agreed: cover::agreed(report),
        signs: signed::lines(report),
        funds: report.fund_findings().take(MOST_CARDS).map(fund).collect(),
        funds_left_out: report.fund_findings().count().saturating_sub(MOST_CARDS),
        proofs: report.merchants.iter().flat_map(cover::proofs).collect(),
        remarks: report.merchants.iter().flat_map(remarks).collect(),
        items: sums::items(report),
        departments: sums::departments(report),
        notes: sums::NOTES,
        refunds: refunds::shown(report),
        has_office: office::is_known(report),
        settled_sums: SettledSums::of(&settled),
        settled,
        remitted_sum: Fen::sum(remitted.iter().map(|item| item.amount_fen))
            .unwrap_or_default()
            .yuan(),
        remitted,
        owed: office::owed(report),
        tasks: tasks::tasks(report),
        contents: contents::on_page(report),
        acts: office::acts(report),
        changed: office::changed(report),
        charts: sums::charts(report),
        print: PRINT,
        details: report
            .merchants
            .iter()
            .flat_map(|day| day.result.matched.iter().map(move |row| detail(day, row)))
            .take(MOST_DETAILS)
            .collect(),
        details_left_out: usize::try_from(matched)
            .unwrap_or(usize::MAX)
            .saturating_sub(MOST_DETAILS),
    };
    page.render()
}

fn fund((day, word, found): (&MerchantDay, &'static str, &FundFinding)) -> Fund {
    let (expected, moved, apart) = super::fund::amounts(found);
    let yuan = |amount: Option<Fen>| amount.map_or("无".to_owned(), Fen::yuan);
    Fund {
        merchant: name(day),
        word,
        sort: super::fund::sort(found),
        out_no: found.out_no.clone(),
        provider_no: found.provider_no.clone(),
        at: when(found.occurred_at),
        expected: yuan(expected),
        found: yuan(moved),
        apart: apart.yuan(),
        cause: found.cause.label(),
        action: found.cause.action(),
    }
}

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Balanced => "good",
        Verdict::Undecided => "open",
        Verdict::Unbalanced => "bad",
    }
}

/// What the reader must know before anything else.
fn headline(report: &Report) -> String {
    if let Some(fault) = report.merchants.iter().find_map(words::footer_fault) {
        return format!("{fault}。请重新下载账单");
    }
    let matched = report.sum(|day| day.result.sums.matched).together().count;
    match (report.differences().count(), report.doubts().count()) {
        (0, 0) => format!("系统与渠道账单逐笔核对，{matched} 笔全部一致。"),
        (0, doubts) => {
            format!("{matched} 笔核对一致，另有 {doubts} 笔存疑，待下一份账单或渠道答复确定。")
        }
        (count, _) => {
            format!("有 {count} 笔需要处理，原因与建议见下；另有 {matched} 笔核对一致。")
        }
    }
}

fn lists(report: &Report) -> Vec<List> {
    let foot = Foot::of_all(report);
    let sorts = [
        (
            "differences",
            "差错清单",
            "bad",
            "需要处理",
            foot.listed(),
            cards(report.differences(), true),
        ),
        ("doubts", "存疑清单", "open", "暂不处理", foot.doubtful, cards(report.doubts(), false)),
    ];
    let list = |(id, name, class, say, part, cards): (_, _, _, _, super::foot::Part, Vec<Card>)| {
        let (hub, bill) = (part.both.hub.net(), part.both.bill.net());
        let apart = Fen::new(bill.get().saturating_sub(hub.get())).yuan();
        let count = part.count();
        let is_cut = i64::try_from(cards.len()).is_ok_and(|shown| shown < count);
        let (hub, bill) = (hub.yuan(), bill.yuan());
        List { id, name, class, say, count, hub, bill, apart, cards, is_cut }
    };
    sorts.into_iter().map(list).filter(|list| list.count > 0).collect()
}

fn cards<'r>(
    findings: impl Iterator<Item = (&'r MerchantDay, &'r Finding)>,
    are_differences: bool,
) -> Vec<Card> {
    let standing = |day: &MerchantDay, found: &Finding| {
        let place = day.result.differences.iter().position(|it| std::ptr::eq(it, found));
        let begun = place.filter(|_| are_differences).and_then(|place| office::begun(day, place));
        begun.map(|begun| office::standing(Some(begun)).join("，")).unwrap_or_default()
    };
    let card = |(number, (day, finding)): (usize, (&MerchantDay, &Finding))| {
        let (hub, bill, apart) = words::amounts(finding);
        Card {
            number,
            merchant: name(day),
            kind: label::kind(finding.kind),
            sort: words::sort(finding),
            out_trade_no: finding.out_trade_no.clone(),
            out_refund_no: finding.out_refund_no.clone(),
            provider_trade_no: finding.provider_trade_no.clone(),
            at: when(finding.occurred_at),
            hub: hub.map_or("无".to_owned(), Fen::yuan),
            bill: bill.map_or("无".to_owned(), Fen::yuan),
            apart: apart.yuan(),
            states: words::states(finding),
            cause: label::cause(finding.cause),
            figures: words::figures(finding),
            answer: words::answer(finding),
            action: label::action(finding.proposed_action),
            owner: label::owner(finding.owner),
            standing: standing(day, finding),
            line: finding.bill_line.map(|line| format!("账单第 {line} 行")).unwrap_or_default(),
        }
    };
    (1..).zip(findings.take(MOST_CARDS)).map(card).collect()
}

fn groups(report: &Report) -> Vec<GroupView> {
    let mut groups = cover::groups(report);
    if groups.len() > 1 {
        groups.push(cover::together(report));
    }
    groups.iter().map(group).collect()
}

fn group(group: &Group) -> GroupView {
    let cell = |(index, cell): (usize, &Cell)| match *cell {
        Cell::Blank => CellView { text: String::new(), class: "" },
        Cell::Money(fen) => {
            CellView { text: fen.yuan(), class: if fen < Fen::ZERO { "less" } else { "" } }
        }
        Cell::Count(count) => {
            let class = match index {
                DIFFERING if count > 0 => "bad",
                DOUBTFUL if count > 0 => "open",
                _ => "",
            };
            CellView { text: count.to_string(), class }
        }
    };
    let line = |line: &cover::Line| LineView {
        item: line.item,
        is_net: line.is_net,
        cells: line.cells.iter().enumerate().map(cell).collect(),
    };
    GroupView {
        name: group.name.clone(),
        verdict: group.verdict.label(),
        class: class(group.verdict),
        lines: group.lines.iter().map(line).collect(),
    }
}

fn rung(rung: &Rung) -> RungView {
    RungView {
        name: rung.name.clone(),
        is_sum: rung.findings.is_none(),
        cells: vec![
            rung.payments.count.to_string(),
            rung.payments.fen.yuan(),
            rung.refunds.count.to_string(),
            rung.refunds.fen.yuan(),
            rung.net.yuan(),
        ],
        findings: rung.findings.map(|count| count.to_string()).unwrap_or_default(),
        note: rung.note,
    }
}

fn detail(day: &MerchantDay, row: &Matched) -> Detail {
    Detail {
        merchant: name(day),
        direction: label::direction(row.direction),
        at: when(row.occurred_at),
        out_trade_no: row.out_trade_no.clone(),
        out_refund_no: match row.direction {
            Direction::Payment => String::new(),
            Direction::Refund => row.out_refund_no.clone(),
        },
        provider_trade_no: row.provider_trade_no.clone(),
        amount: match row.is_void {
            true => "未动款".to_owned(),
            false => signed(row.direction, row.amount).yuan(),
        },
        fee: row.fee.map(Fen::yuan).unwrap_or_default(),
    }
}
