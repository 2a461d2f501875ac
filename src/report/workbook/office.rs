//! The sheets of what the office knows beside the bill: money at the bank (资金到账), remittances to the
//! treasury (缴库), what people have to look at (待办), who did what (操作日志), and what a new version has otherwise (版本变更).

use domain::money::Fen;
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::super::cover;
use super::super::model::Report;
use super::super::office::{self, Settled, SettledSums};
use super::super::sorted::add;
use super::super::tasks;
use super::cover::merged;
use super::pen::{self, Styles};
use crate::fiscal::OwedItem;

const HEAD_ROW: u32 = 1;
/// A sheet that nobody reads to its end.
const MOST_ROWS: usize = 100_000;

pub(super) fn write(
    book: &mut Workbook,
    styles: &Styles,
    report: &Report,
) -> Result<(), XlsxError> {
    if office::is_known(report) {
        settled(book.add_worksheet(), styles, report)?;
        remitted(book.add_worksheet(), styles, report)?;
        tasks(book.add_worksheet(), styles, report)?;
        acts(book.add_worksheet(), styles, report)?;
    }
    if !office::changed(report).is_empty() {
        changes(book.add_worksheet(), styles, report)?;
    }
    Ok(())
}

/// A sheet's name, its line above, and its head; the first row below it.
fn begin(
    sheet: &mut Worksheet,
    styles: &Styles,
    report: &Report,
    (name, widths, head): (&str, &[u8], &[&str]),
) -> Result<u32, XlsxError> {
    pen::page(sheet, styles, name, HEAD_ROW, widths)?;
    let line = format!("{name}    {}", cover::head(report));
    merged(sheet, (0, 0, last(widths)), &line, &styles.line)?;
    let wide = widths.iter().map(|width| usize::from(*width)).fold(0, usize::saturating_add);
    sheet.set_row_height(0, pen::height(&[(&line, wide)]))?;
    pen::texts(sheet, HEAD_ROW, head, &styles.head)?;
    sheet.set_row_height(HEAD_ROW, 30)?;
    Ok(HEAD_ROW.saturating_add(1))
}

fn last(widths: &[u8]) -> u16 {
    u16::try_from(widths.len()).unwrap_or(1).saturating_sub(1)
}

/// The lines to sign on below the last row.
fn end(sheet: &mut Worksheet, styles: &Styles, row: u32, widths: &[u8]) -> Result<(), XlsxError> {
    let row = pen::signs(sheet, styles, (row, last(widths)))?;
    sheet.set_print_area(0, 0, row, last(widths))?;
    Ok(())
}

/// Texts into a row, high enough to be seen whole: column, text, width.
fn texts(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    (texts, widths): (&[(u16, &str)], &[u8]),
) -> Result<(), XlsxError> {
    let mut heights = Vec::with_capacity(texts.len());
    for (column, text) in texts {
        sheet.write_string_with_format(row, *column, *text, &styles.small)?;
        let width = widths.get(usize::from(*column)).copied().unwrap_or(10);
        heights.push((*text, usize::from(width)));
    }
    sheet.set_row_height(row, pen::height(&heights))?;
    Ok(())
}

const SETTLED: [&str; 14] = [
    "序号",
    "渠道 / 商户",
    "账单日",
    "支付",
    "退款",
    "应到账",
    "手续费\n（另付）",
    "应到日",
    "银行流水号",
    "到账日",
    "实到账",
    "差额\n（实－应）",
    "原因",
    "状态",
];
const SETTLED_WIDTHS: [u8; 14] = [5, 13, 11, 12, 11, 12, 10, 11, 16, 11, 12, 10, 18, 9];

fn settled(sheet: &mut Worksheet, styles: &Styles, report: &Report) -> Result<(), XlsxError> {
    let of: (&str, &[u8], &[&str]) = ("资金到账", &SETTLED_WIDTHS, &SETTLED);
    let first = begin(sheet, styles, report, of)?;
    let mut row = first;
    let all = office::settled(report);
    for (number, one) in (1_i64..).zip(&all) {
        settlement(sheet, styles, (row, number), one)?;
        row = row.saturating_add(1);
    }
    if all.is_empty() {
        merged(sheet, (row, 0, 13), "无", &styles.text)?;
        row = row.saturating_add(1);
    }
    let sums = SettledSums::of(&all);
    merged(sheet, (row, 0, 2), &format!("合计 {} 个账单日", all.len()), &styles.sum_text)?;
    for (column, fen) in [
        (3, sums.payments),
        (4, sums.refunds),
        (5, sums.net),
        (6, sums.fee),
        (10, sums.arrived),
        (11, sums.apart),
    ] {
        total(sheet, styles, (first, row, column), (all.is_empty(), fen))?;
    }
    for (from, to) in [(7, 9), (12, 13)] {
        merged(sheet, (row, from, to), "", &styles.sum_text)?;
    }
    row = row.saturating_add(1);
    merged(sheet, (row, 0, 13), &sums.note(), &styles.line)?;
    end(sheet, styles, row.saturating_add(1), &SETTLED_WIDTHS)
}

fn settlement(
    sheet: &mut Worksheet,
    styles: &Styles,
    (row, number): (u32, i64),
    one: &Settled,
) -> Result<(), XlsxError> {
    pen::count(sheet, (row, 0), number, &styles.count)?;
    let name = one.merchant.replace(' ', "\n");
    let said: [(u16, &str); 7] = [
        (1, &name),
        (2, &one.bill_date),
        (7, &one.due_on),
        (8, &one.serial),
        (9, &one.value_date),
        (12, &one.cause),
        (13, one.state),
    ];
    texts(sheet, styles, row, (&said, &SETTLED_WIDTHS))?;
    for (column, fen) in [
        (3, Some(one.payments)),
        (4, Some(one.refunds)),
        (5, Some(one.net)),
        (6, Some(one.fee)),
        (10, one.arrived),
        (11, one.apart),
    ] {
        pen::money(sheet, (row, column), fen, &styles.money)?;
    }
    Ok(())
}

/// The sum of a column from `first` to above `row`.
fn total(
    sheet: &mut Worksheet,
    styles: &Styles,
    (first, row, column): (u32, u32, u16),
    (is_empty, fen): (bool, Fen),
) -> Result<(), XlsxError> {
    if is_empty {
        return pen::money(sheet, (row, column), Some(fen), &styles.sum_money);
    }
    let letter = pen::letter(column);
    // A row's number in a formula is one more than here.
    let formula = format!("=ROUND(SUM({letter}{}:{letter}{row}),2)", first.saturating_add(1));
    pen::sum(sheet, (row, column), &formula, fen, &styles.sum_money)
}

const REMITTED: [&str; 8] = [
    "序号",
    "缴库日期",
    "缴库凭证号",
    "收入项目编码",
    "收入项目",
    "缴款笔数",
    "金额",
    "银行流水号",
];
const REMITTED_WIDTHS: [u8; 8] = [6, 13, 24, 18, 34, 10, 17, 24];

fn remitted(sheet: &mut Worksheet, styles: &Styles, report: &Report) -> Result<(), XlsxError> {
    let of: (&str, &[u8], &[&str]) = ("缴库", &REMITTED_WIDTHS, &REMITTED);
    let first = begin(sheet, styles, report, of)?;
    let mut row = first;
    let all = office::remitted(report);
    for (number, item) in (1_i64..).zip(&all) {
        pen::count(sheet, (row, 0), number, &styles.count)?;
        let day = item.remitted_on.to_string();
        let said: [(u16, &str); 5] = [
            (1, &day),
            (2, &item.reference),
            (3, item.fiscal_item.as_deref().unwrap_or_default()),
            (4, &item.fiscal_name),
            (7, item.bank_serial.as_deref().unwrap_or("未见银行流水")),
        ];
        texts(sheet, styles, row, (&said, &REMITTED_WIDTHS))?;
        let fees = i64::try_from(item.fees).unwrap_or(i64::MAX);
        pen::count(sheet, (row, 5), fees, &styles.count)?;
        pen::money(sheet, (row, 6), Some(item.amount_fen), &styles.money)?;
        row = row.saturating_add(1);
    }
    if all.is_empty() {
        merged(sheet, (row, 0, 7), "无", &styles.text)?;
        row = row.saturating_add(1);
    }
    merged(sheet, (row, 0, 5), &format!("合计 {} 行", all.len()), &styles.sum_text)?;
    let sum = Fen::sum(all.iter().map(|item| item.amount_fen)).unwrap_or_default();
    total(sheet, styles, (first, row, 6), (all.is_empty(), sum))?;
    merged(sheet, (row, 7, 7), "", &styles.sum_text)?;
    row = row.saturating_add(1);
    merged(sheet, (row, 0, 7), REMITTED_NOTE, &styles.line)?;
    row = owed(sheet, styles, row.saturating_add(2), report)?;
    end(sheet, styles, row, &REMITTED_WIDTHS)
}

const OWED: [&str; 8] = [
    "序号",
    "最早收款日",
    "其中以前日期收款",
    "收入项目编码",
    "收入项目",
    "缴款笔数",
    "已收未缴金额",
    "其中本日收款",
];

/// What was collected and is not remitted.
fn owed(
    sheet: &mut Worksheet,
    styles: &Styles,
    mut row: u32,
    report: &Report,
) -> Result<u32, XlsxError> {
    merged(sheet, (row, 0, 7), OWED_NOTE, &styles.whose)?;
    row = row.saturating_add(1);
    pen::texts(sheet, row, &OWED, &styles.head)?;
    row = row.saturating_add(1);
    let first = row;
    let all = office::owed(report);
    for (number, item) in (1_i64..).zip(&all) {
        pen::count(sheet, (row, 0), number, &styles.count)?;
        let day = item.first_day.to_string();
        let code = item.fiscal_item.as_deref().unwrap_or_default();
        let said: [(u16, &str); 3] = [(1, &day), (3, code), (4, &item.fiscal_name)];
        texts(sheet, styles, row, (&said, &REMITTED_WIDTHS))?;
        let fees = i64::try_from(item.fees).unwrap_or(i64::MAX);
        pen::count(sheet, (row, 5), fees, &styles.count)?;
        let whole = add(item.of_day_fen, item.earlier_fen);
        for (column, fen) in [(2, item.earlier_fen), (6, whole), (7, item.of_day_fen)] {
            pen::money(sheet, (row, column), Some(fen), &styles.money)?;
        }
        row = row.saturating_add(1);
    }
    if all.is_empty() {
        merged(sheet, (row, 0, 7), "无", &styles.text)?;
        row = row.saturating_add(1);
    }
    merged(sheet, (row, 0, 1), &format!("合计 {} 项", all.len()), &styles.sum_text)?;
    merged(sheet, (row, 3, 5), "", &styles.sum_text)?;
    let sum = |of: fn(&OwedItem) -> Fen| all.iter().fold(Fen::ZERO, |sum, item| add(sum, of(item)));
    let (earlier, of_day) = (sum(|item| item.earlier_fen), sum(|item| item.of_day_fen));
    for (column, fen) in [(2, earlier), (6, add(earlier, of_day)), (7, of_day)] {
        total(sheet, styles, (first, row, column), (all.is_empty(), fen))?;
    }
    Ok(row.saturating_add(1))
}

/// What the list of what is owed is of.
const OWED_NOTE: &str =
    "已收未缴（全单位，截至制表时；按本系统登记的缴库扣减，从未登记缴库的不列）";

const TASKS: [&str; 6] = ["序号", "发生时间", "渠道 / 商户", "事项", "订单号 / 退款单号", "处理"];
const TASKS_WIDTHS: [u8; 6] = [6, 20, 26, 24, 36, 40];

fn tasks(sheet: &mut Worksheet, styles: &Styles, report: &Report) -> Result<(), XlsxError> {
    let of: (&str, &[u8], &[&str]) = ("待办", &TASKS_WIDTHS, &TASKS);
    let mut row = begin(sheet, styles, report, of)?;
    let all = tasks::tasks(report);
    for (number, task) in (1_i64..).zip(all.iter().take(MOST_ROWS)) {
        pen::count(sheet, (row, 0), number, &styles.count)?;
        let said: [(u16, &str); 5] = [
            (1, &task.at),
            (2, &task.merchant),
            (3, task.what),
            (4, &task.number),
            (5, task.action),
        ];
        texts(sheet, styles, row, (&said, &TASKS_WIDTHS))?;
        row = row.saturating_add(1);
    }
    if all.is_empty() {
        merged(sheet, (row, 0, 5), "无", &styles.text)?;
        row = row.saturating_add(1);
    }
    merged(sheet, (row, 0, 5), &format!("合计 {} 项", all.len()), &styles.sum_text)?;
    end(sheet, styles, row.saturating_add(1), &TASKS_WIDTHS)
}

/// What the list of remittances is of.
const REMITTED_NOTE: &str = "本单位当日全部缴库，不分渠道商户";

const ACTS: [&str; 5] = ["序号", "时间", "操作人", "操作", "对象"];
const ACTS_WIDTHS: [u8; 5] = [6, 24, 28, 30, 56];

fn acts(sheet: &mut Worksheet, styles: &Styles, report: &Report) -> Result<(), XlsxError> {
    let of: (&str, &[u8], &[&str]) = ("操作日志", &ACTS_WIDTHS, &ACTS);
    let mut row = begin(sheet, styles, report, of)?;
    let all = office::acts(report);
    for (number, act) in (1_i64..).zip(all.iter().take(MOST_ROWS)) {
        pen::count(sheet, (row, 0), number, &styles.count)?;
        let said: [(u16, &str); 4] = [(1, &act.at), (2, &act.by), (3, &act.what), (4, &act.about)];
        texts(sheet, styles, row, (&said, &ACTS_WIDTHS))?;
        row = row.saturating_add(1);
    }
    if all.is_empty() {
        merged(sheet, (row, 0, 4), "无", &styles.text)?;
        row = row.saturating_add(1);
    }
    merged(sheet, (row, 0, 4), &format!("合计 {} 条", all.len()), &styles.sum_text)?;
    end(sheet, styles, row.saturating_add(1), &ACTS_WIDTHS)
}

const CHANGES: [&str; 4] = ["项目", "订单号 / 退款单号", "前一版", "本版"];
const CHANGES_WIDTHS: [u8; 4] = [16, 38, 44, 44];

fn changes(sheet: &mut Worksheet, styles: &Styles, report: &Report) -> Result<(), XlsxError> {
    let of: (&str, &[u8], &[&str]) = ("版本变更", &CHANGES_WIDTHS, &CHANGES);
    let mut row = begin(sheet, styles, report, of)?;
    for version in office::changed(report) {
        merged(sheet, (row, 0, 3), &version.head, &styles.whose_open)?;
        row = row.saturating_add(1);
        for [name, before, after] in &version.sums {
            let said: [(u16, &str); 4] = [(0, name), (1, ""), (2, before), (3, after)];
            texts(sheet, styles, row, (&said, &CHANGES_WIDTHS))?;
            row = row.saturating_add(1);
        }
        for [what, numbers, before, after] in version.rows.iter().take(MOST_ROWS) {
            let said: [(u16, &str); 4] = [(0, what), (1, numbers), (2, before), (3, after)];
            texts(sheet, styles, row, (&said, &CHANGES_WIDTHS))?;
            row = row.saturating_add(1);
        }
    }
    end(sheet, styles, row, &CHANGES_WIDTHS)
}
