//! The lists of differences (差错清单) and doubts (存疑清单): what, why, what the provider answered,
//! and what to do about it by whom. Their totals are those of the cover.

use domain::money::Fen;
use reconciliation::{Finding, label};
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::cover;
use super::super::foot::Part;
use super::super::model::{MerchantDay, Report};
use super::super::words;
use super::pen::{self, Styles};

const HEAD: [&str; 12] = [
    "序号",
    "渠道 / 商户",
    "类型",
    "订单号\n退款单号",
    "渠道交易号",
    "发生时间",
    "系统金额",
    "账单金额",
    "差额\n（账单－系统）",
    "原因",
    "查询结果",
    "处理 / 责任方",
];
const WIDTHS: [u8; 12] = [5, 10, 11, 17, 16, 10, 11, 11, 11, 24, 9, 22];
const LAST: u16 = 11;
const HEAD_ROW: u32 = 1;
/// A list that nobody reads to its end; the CSV file has them all.
const MOST_ROWS: usize = 100_000;

/// One list: its name, its findings and what they come to.
pub(super) struct List<'r> {
    pub(super) name: &'static str,
    pub(super) findings: Vec<(&'r MerchantDay, &'r Finding)>,
    pub(super) part: Part,
}

pub(super) fn write(
    sheet: &mut Worksheet,
    styles: &Styles,
    report: &Report,
    list: &List<'_>,
) -> Result<(), XlsxError> {
    pen::page(sheet, list.name, HEAD_ROW, &WIDTHS)?;
    let head = format!("{}    {}", list.name, cover::head(report));
    sheet.merge_range(0, 0, 0, LAST, &head, &styles.line)?;
    sheet.set_row_height(0, 22)?;
    pen::texts(sheet, HEAD_ROW, &HEAD, &styles.head)?;
    sheet.set_row_height(HEAD_ROW, 30)?;
    let first = HEAD_ROW.saturating_add(1);
    let mut row = first;
    for (number, (day, finding)) in (1_i64..).zip(list.findings.iter().take(MOST_ROWS)) {
        line(sheet, styles, (row, number), day, finding)?;
        row = row.saturating_add(1);
    }
    if list.findings.len() > MOST_ROWS {
        let rest = "其余见 differences.csv 与 doubts.csv，合计含其余各笔";
        sheet.merge_range(row, 0, row, LAST, rest, &styles.text)?;
        row = row.saturating_add(1);
    } else if list.findings.is_empty() {
        sheet.merge_range(row, 0, row, LAST, "无", &styles.text)?;
        row = row.saturating_add(1);
    }
    total(sheet, styles, (first, row), list)?;
    let last = pen::signs(sheet, styles, (row.saturating_add(1), LAST))?;
    sheet.set_print_area(0, 0, last, LAST)?;
    Ok(())
}

fn line(
    sheet: &mut Worksheet,
    styles: &Styles,
    (row, number): (u32, i64),
    day: &MerchantDay,
    finding: &Finding,
) -> Result<(), XlsxError> {
    let at = words::when(finding.occurred_at).replace(' ', "\n");
    let name = words::name(day).replace(' ', "\n");
    let kind = format!("{}\n{}", label::kind(finding.kind), words::sort(finding));
    let numbers = match finding.out_refund_no.as_str() {
        "" => finding.out_trade_no.clone(),
        refund => format!("{}\n{refund}", finding.out_trade_no),
    };
    let why = words::why(finding);
    let action =
        format!("{}\n〔{}〕", label::action(finding.proposed_action), label::owner(finding.owner));
    let (hub, bill, apart) = words::amounts(finding);
    pen::count(sheet, (row, 0), number, &styles.count)?;
    let texts = [name.as_str(), &kind, &numbers, &finding.provider_trade_no, &at];
    for (column, text) in (1_u16..).zip(texts) {
        sheet.write_string_with_format(row, column, text, &styles.small)?;
    }
    for (column, amount) in [(6, hub), (7, bill), (8, Some(apart))] {
        pen::money(sheet, (row, column), amount, &styles.money)?;
    }
    let ends = [why.as_str(), words::answer(finding), &action];
    for (column, text) in (9_u16..).zip(ends) {
        sheet.write_string_with_format(row, column, text, &styles.small)?;
    }
    let widths = [10, 11, 17, 16, 10].into_iter().zip(texts).map(|(width, text)| (text, width));
    let widths = widths.chain([24, 9, 22].into_iter().zip(ends).map(|(width, text)| (text, width)));
    let widths: Vec<(&str, usize)> = widths.collect();
    sheet.set_row_height(row, pen::height(&widths))?;
    Ok(())
}

/// The sums of the list, which are those of the cover's net.
fn total(
    sheet: &mut Worksheet,
    styles: &Styles,
    (first, row): (u32, u32),
    list: &List<'_>,
) -> Result<(), XlsxError> {
    let count = format!("合计 {} 笔", list.part.count());
    sheet.merge_range(row, 0, row, 5, &count, &styles.sum_text)?;
    let both = list.part.both;
    let (hub, bill) = (both.hub.net(), both.bill.net());
    let apart = Fen::new(bill.get().saturating_sub(hub.get()));
    for (column, value) in [(6, hub), (7, bill), (8, apart)] {
        if list.findings.len() > MOST_ROWS {
            pen::money(sheet, (row, column), Some(value), &styles.sum_money)?;
            continue;
        }
        let letter = pen::letter(column);
        // Rows count from 1 in a formula, so the last one's number is this row's own from 0.
        let formula = format!("=ROUND(SUM({letter}{}:{letter}{row}),2)", first.saturating_add(1));
        pen::sum(sheet, (row, column), &formula, value, &styles.sum_money)?;
    }
    sheet.merge_range(row, 9, row, LAST, "", &styles.sum_text)?;
    Ok(())
}
