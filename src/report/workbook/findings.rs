//! The lists of differences (差错清单) and doubts (存疑清单): what, why, what the provider answered,
//! and what to do about it by whom. Their totals are those of the cover.

use domain::money::Fen;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::age::Bucket;
use super::super::cover;
use super::super::foot::Part;
use super::super::model::Report;
use super::super::words;
use super::cover::merged;
use super::pen::{self, Styles};

const HEAD: [&str; 13] = [
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
    "级别\n状态 / 账龄",
];
const WIDTHS: [u8; 13] = [5, 11, 11, 17, 15, 10, 10, 10, 10, 19, 9, 17, 9];
const LAST: u16 = 12;
const HEAD_ROW: u32 = 1;
/// A list that nobody reads to its end; the CSV file has them all.
const MOST_ROWS: usize = 100_000;

/// One list: its name, its findings and what they come to, then what is open of other days and in no
/// sum of this one, and all of it by age.
pub(super) struct List {
    pub(super) name: &'static str,
    pub(super) findings: Vec<Row>,
    pub(super) part: Part,
    pub(super) earlier: Vec<Row>,
    pub(super) buckets: Vec<Bucket>,
}

/// A finding in the words of the paper.
pub(super) struct Row {
    pub(super) merchant: String,
    pub(super) kind: String,
    pub(super) numbers: String,
    pub(super) provider_trade_no: String,
    pub(super) at: String,
    pub(super) hub: Option<Fen>,
    pub(super) bill: Option<Fen>,
    pub(super) apart: Fen,
    pub(super) why: String,
    pub(super) answer: &'static str,
    pub(super) action: String,
    /// Level, state and age.
    pub(super) standing: String,
}

pub(super) fn write(
    sheet: &mut Worksheet,
    styles: &Styles,
    report: &Report,
    list: &List,
) -> Result<(), XlsxError> {
    pen::page(sheet, styles, list.name, HEAD_ROW, &WIDTHS)?;
    let head = format!("{}    {}", list.name, cover::head(report));
    sheet.merge_range(0, 0, 0, LAST, &head, &styles.line)?;
    sheet.set_row_height(0, pen::height(&[(&head, 140)]))?;
    pen::texts(sheet, HEAD_ROW, &HEAD, &styles.head)?;
    sheet.set_row_height(HEAD_ROW, 30)?;
    let first = HEAD_ROW.saturating_add(1);
    let mut row = first;
    for (number, found) in (1_i64..).zip(list.findings.iter().take(MOST_ROWS)) {
        pen::count(sheet, (row, 0), number, &styles.count)?;
        line(sheet, styles, row, found)?;
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
    row = earlier(sheet, styles, row.saturating_add(1), list)?;
    row = ages(sheet, styles, row, list)?;
    let last = pen::signs(sheet, styles, (row, LAST))?;
    sheet.set_print_area(0, 0, last, LAST)?;
    Ok(())
}

/// What is open of other days: listed, in no sum of this day.
fn earlier(
    sheet: &mut Worksheet,
    styles: &Styles,
    mut row: u32,
    list: &List,
) -> Result<u32, XlsxError> {
    if list.earlier.is_empty() {
        return Ok(row);
    }
    let head = format!("以前日期未了结的 {} 笔，不计入本日合计", list.earlier.len());
    sheet.merge_range(row, 0, row, LAST, &head, &styles.whose_open)?;
    row = row.saturating_add(1);
    for (number, found) in (1_u32..).zip(list.earlier.iter().take(MOST_ROWS)) {
        sheet.write_string_with_format(row, 0, format!("前{number}"), &styles.small)?;
        line(sheet, styles, row, found)?;
        row = row.saturating_add(1);
    }
    Ok(row)
}

/// All that is open, by age.
fn ages(
    sheet: &mut Worksheet,
    styles: &Styles,
    mut row: u32,
    list: &List,
) -> Result<u32, XlsxError> {
    if list.buckets.is_empty() {
        return Ok(row);
    }
    for (first, last, text) in [(0, 2, "账龄（含以前日期）"), (3, 3, "笔数"), (4, 5, "涉及金额")]
    {
        merged(sheet, (row, first, last), text, &styles.head)?;
    }
    let first = row.saturating_add(2);
    for bucket in &list.buckets {
        row = row.saturating_add(1);
        merged(sheet, (row, 0, 2), bucket.name, &styles.text)?;
        pen::count(sheet, (row, 3), bucket.count, &styles.count)?;
        sheet.merge_range(row, 4, row, 5, "", &styles.money)?;
        pen::money(sheet, (row, 4), Some(bucket.at_stake), &styles.money)?;
    }
    let last = row.saturating_add(1);
    row = last;
    merged(sheet, (row, 0, 2), "合计", &styles.sum_text)?;
    let count = list.buckets.iter().map(|bucket| bucket.count).fold(0, i64::saturating_add);
    let formula = format!("=SUM(D{first}:D{last})");
    pen::formula(sheet, (row, 3), &formula, &count.to_string(), &styles.sum_count)?;
    let fen = Fen::sum(list.buckets.iter().map(|bucket| bucket.at_stake)).unwrap_or_default();
    sheet.merge_range(row, 4, row, 5, "", &styles.sum_money)?;
    let formula = format!("=ROUND(SUM(E{first}:E{last}),2)");
    pen::sum(sheet, (row, 4), &formula, fen, &styles.sum_money)?;
    Ok(row.saturating_add(1))
}

fn line(sheet: &mut Worksheet, styles: &Styles, row: u32, found: &Row) -> Result<(), XlsxError> {
    let texts = [&found.merchant, &found.kind, &found.numbers, &found.provider_trade_no, &found.at];
    for (column, text) in (1_u16..).zip(texts) {
        sheet.write_string_with_format(row, column, text, &styles.small)?;
    }
    for (column, amount) in [(6, found.hub), (7, found.bill), (8, Some(found.apart))] {
        pen::money(sheet, (row, column), amount, &styles.money)?;
    }
    let ends = [found.why.as_str(), found.answer, &found.action, &found.standing];
    for (column, text) in (9_u16..).zip(ends) {
        sheet.write_string_with_format(row, column, text, &styles.small)?;
    }
    let widths = [11, 11, 17, 15, 10].into_iter().zip(texts.map(String::as_str));
    let widths = widths.chain([19, 9, 17, 9].into_iter().zip(ends));
    let widths: Vec<(&str, usize)> = widths.map(|(width, text)| (text, width)).collect();
    sheet.set_row_height(row, pen::height(&widths))?;
    Ok(())
}

/// The sums of the list, which are those of the cover's net.
fn total(
    sheet: &mut Worksheet,
    styles: &Styles,
    (first, row): (u32, u32),
    list: &List,
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
    sheet.merge_range(row, 9, row, LAST, words::LONG_AND_SHORT, &styles.sum_text)?;
    sheet.set_row_height(row, pen::height(&[(words::LONG_AND_SHORT, 54)]))?;
    Ok(())
}
