//! `report.html`: the page that finance opens at nine. The conclusion stands first, then each
//! difference with its cause and what to do; everything else is below. It needs no network.

use askama::Template;
use domain::bill::{Direction, Total};
use domain::money::Fen;
use domain::time::beijing;
use reconciliation::{Finding, Kind, Matched, Sides, label};

use super::in_words::in_words;
use super::model::{MerchantDay, Report, signed};
use super::workbook::{conclusion, states};

/// How many differences, and how many doubts, the page shows; the workbook has the others.
const MOST_CARDS: usize = 500;
/// How many matched rows the page shows; a browser chokes on a million, the workbook has them all.
const MOST_DETAILS: usize = 3000;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    day: String,
    office: String,
    version: String,
    made_at: String,
    balanced: bool,
    conclusion: String,
    headline: String,
    differences: Vec<Card>,
    differences_count: usize,
    doubts: Vec<Card>,
    doubts_count: usize,
    merchants: Vec<MerchantView>,
    net_in_words: String,
    net: String,
    details: Vec<Detail>,
    details_left_out: usize,
}

/// One difference or doubt, in words.
struct Card {
    number: usize,
    merchant: String,
    kind: &'static str,
    direction: &'static str,
    out_trade_no: String,
    out_refund_no: String,
    provider_trade_no: String,
    at: String,
    hub: String,
    bill: String,
    apart: String,
    states: String,
    cause: &'static str,
    note: String,
    action: &'static str,
    owner: &'static str,
    line: String,
}

struct MerchantView {
    name: String,
    balanced: bool,
    lines: Vec<Line>,
    fee: String,
    matched: u64,
    matched_yuan: String,
    outside: String,
    files: Vec<String>,
    warnings: Vec<String>,
}

struct Line {
    item: &'static str,
    is_sum: bool,
    hub_count: u64,
    hub: String,
    bill_count: u64,
    bill: String,
    apart: String,
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
    let bill = report.sum(|day| day.result.sums.bill);
    let matched = report.sum(|day| day.result.sums.matched).together().count;
    let page = Page {
        day: report.day().map_or("____-__-__".to_owned(), |day| day.to_string()),
        office: report.office.clone().unwrap_or_else(|| "____________".to_owned()),
        version: report.version.map(|version| format!("第 {version} 版")).unwrap_or_default(),
        made_at: report.made_at.map(when).unwrap_or_default(),
        balanced: report.is_balanced(),
        conclusion: conclusion(report),
        headline: headline(report),
        differences: cards(report.differences().take(MOST_CARDS)),
        differences_count: report.differences().count(),
        doubts: cards(report.doubts().take(MOST_CARDS)),
        doubts_count: report.doubts().count(),
        merchants: report.merchants.iter().map(merchant).collect(),
        net_in_words: in_words(bill.net()),
        net: bill.net().yuan(),
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

/// What the reader must know before anything else.
fn headline(report: &Report) -> String {
    let broken = report.merchants.iter().find_map(|day| day.totals.footer_fault.as_ref());
    if let Some(fault) = broken {
        return format!("账单文件自报合计与明细不一致，请重新下载账单（{fault}）");
    }
    let matched = report.sum(|day| day.result.sums.matched).together().count;
    match (report.differences().count(), report.doubts().count()) {
        (0, 0) => format!("系统与渠道账单逐笔核对，{matched} 笔全部一致。"),
        (0, doubts) => format!("{matched} 笔核对一致，另有 {doubts} 笔存疑，待下一份账单核对。"),
        (count, _) => {
            format!("有 {count} 笔需要处理，原因与建议见下；另有 {matched} 笔核对一致。")
        }
    }
}

fn cards<'r>(findings: impl Iterator<Item = (&'r MerchantDay, &'r Finding)>) -> Vec<Card> {
    let card = |(number, (day, finding)): (usize, (&MerchantDay, &Finding))| Card {
        number,
        merchant: name(day),
        kind: label::kind(finding.kind),
        direction: label::direction(finding.direction),
        out_trade_no: finding.out_trade_no.clone(),
        out_refund_no: finding.out_refund_no.clone(),
        provider_trade_no: finding.provider_trade_no.clone(),
        at: when(finding.occurred_at),
        hub: finding.hub_amount.map_or("无".to_owned(), Fen::yuan),
        bill: finding.bill_amount.map_or("无".to_owned(), Fen::yuan),
        apart: apart(finding),
        states: states(finding),
        cause: label::cause(finding.cause),
        note: if finding.kind == Kind::FeeDiffers { finding.detail.clone() } else { String::new() },
        action: label::action(finding.proposed_action),
        owner: label::owner(finding.owner),
        line: finding.bill_line.map(|line| format!("账单第 {line} 行")).unwrap_or_default(),
    };
    (1..).zip(findings).map(card).collect()
}

/// Ledger less bill, where both have an amount and they differ.
fn apart(finding: &Finding) -> String {
    match (finding.hub_amount, finding.bill_amount) {
        (Some(hub), Some(bill)) if hub != bill => {
            hub.minus(bill).map(Fen::yuan).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn merchant(day: &MerchantDay) -> MerchantView {
    let sums = &day.result.sums;
    let outside = &day.result.outside;
    MerchantView {
        name: name(day),
        balanced: day.is_balanced(),
        lines: lines(sums.hub, sums.bill),
        fee: sums.fee.yuan(),
        matched: sums.matched.together().count,
        matched_yuan: sums.matched.net().yuan(),
        outside: format!(
            "另有未支付且账单也没有的 {} 笔、其他日期的 {} 笔，不计入本日。",
            outside.unpaid, outside.other_day
        ),
        files: files(day),
        warnings: warnings(day),
    }
}

fn lines(hub: Sides, bill: Sides) -> Vec<Line> {
    let net = |sides: Sides| Total { count: sides.together().count, amount_fen: sides.net() };
    [
        ("支付", false, hub.payments, bill.payments),
        ("退款", false, hub.refunds, bill.refunds),
        ("净额", true, net(hub), net(bill)),
    ]
    .map(|(item, is_sum, hub, bill)| Line {
        item,
        is_sum,
        hub_count: hub.count,
        hub: hub.amount_fen.yuan(),
        bill_count: bill.count,
        bill: bill.amount_fen.yuan(),
        apart: hub.amount_fen.minus(bill.amount_fen).unwrap_or_default().yuan(),
    })
    .into()
}

fn files(day: &MerchantDay) -> Vec<String> {
    let mut files = Vec::new();
    match &day.bill {
        Some(file) => files.push(format!("账单文件 {}，SHA-256 {}", file.name, file.sha256)),
        None => files.push("渠道答复当日无账单（无交易）".to_owned()),
    }
    if let Some(file) = &day.ledger {
        files.push(format!("系统账文件 {}，SHA-256 {}", file.name, file.sha256));
    }
    if let Some(head) = &day.journal_head {
        files.push(format!("账簿链头 {head}"));
    }
    files
}

fn warnings(day: &MerchantDay) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(fault) = &day.totals.footer_fault {
        warnings.push(format!("账单自报合计与明细不一致：{fault}"));
    }
    if !day.totals.unknown_columns.is_empty() {
        let names = day.totals.unknown_columns.join("、");
        warnings.push(format!("账单有本系统不认识的列（已忽略）：{names}"));
    }
    if let Some(check) = day.fund_flow.as_ref().filter(|check| !check.agrees()) {
        warnings.push(format!(
            "资金账单中交易引起的余额变动为 {} 元，按交易账单应为 {} 元：请先核对相邻日",
            check.flow.from_trade.yuan(),
            check.expected.yuan()
        ));
    }
    warnings
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
        amount: signed(row.direction, row.amount).yuan(),
        fee: row.fee.map(Fen::yuan).unwrap_or_default(),
    }
}

fn name(day: &MerchantDay) -> String {
    let provider = day.totals.provider.label();
    if day.merchant.is_empty() {
        provider.to_owned()
    } else {
        format!("{provider} {}", day.merchant)
    }
}

fn when(at: jiff::Timestamp) -> String {
    beijing(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
