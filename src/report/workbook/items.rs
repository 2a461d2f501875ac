//! By item (按收费项目): what was paid and given back for each item of the schedule, merchant by
//! merchant. Each merchant's lines come to the ledger's sum on the cover, and two more lead to the
//! bill's.

use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::cover;
use super::super::foot::{Foot, Ways};
use super::super::model::Report;
use super::super::sorted::{self, For, Sums};
use super::super::sums;
use super::super::words;
use super::cover::merged;
use super::pen::{self, Styles};

const NAME: &str = "按收费项目";
const HEAD: [&str; 8] =
    ["渠道 / 商户", "项目编码", "收费项目", "支付笔数", "支付金额", "退款笔数", "退款金额", "净额"];
const WIDTHS: [u8; 8] = [26, 16, 28, 9, 13, 9, 13, 13];
const LAST: u16 = 7;
const HEAD_ROW: u32 = 1;

pub(super) fn write(
    sheet: &mut Worksheet,
    styles: &Styles,
    report: &Report,
) -> Result<(), XlsxError> {
    pen::page(sheet, styles, NAME, HEAD_ROW, &WIDTHS)?;
    let head = format!("{NAME}    {}", cover::head(report));
    merged(sheet, (0, 0, LAST), &head, &styles.line)?;
    sheet.set_row_height(0, pen::height(&[(&head, 128)]))?;
    pen::texts(sheet, HEAD_ROW, &HEAD, &styles.head)?;
    let mut row = HEAD_ROW.saturating_add(1);
    let mut all = Sums::new();
    for day in &report.merchants {
        let sums = sorted::by_item(day);
        row = table(sheet, styles, row, (&words::name(day), &sums, &Foot::of(day)))?;
        for (what, ways) in sums {
            let sum = all.entry(what).or_default();
            *sum = sum.plus(ways);
        }
    }
    if report.merchants.len() > 1 {
        row = table(sheet, styles, row, ("合计", &all, &Foot::of_all(report)))?;
    }
    for note in sums::NOTES {
        merged(sheet, (row, 0, LAST), note, &styles.line)?;
        row = row.saturating_add(1);
    }
    let last = pen::signs(sheet, styles, (row, LAST))?;
    sheet.set_print_area(0, 0, last, LAST)?;
    Ok(())
}

/// One merchant's lines with their sum, and from there to the bill's sum.
fn table(
    sheet: &mut Worksheet,
    styles: &Styles,
    first: u32,
    (name, sums, foot): (&str, &Sums, &Foot),
) -> Result<u32, XlsxError> {
    let mut row = first;
    for (what, ways) in sums {
        line(sheet, styles, row, (name, what), *ways)?;
        row = row.saturating_add(1);
    }
    let sum = row;
    for (at, (label, ways)) in sorted::closing(foot).into_iter().enumerate() {
        let is_sum = matches!(at, 0 | 3);
        let text = if is_sum { &styles.sum_text } else { &styles.text };
        sheet.write_string_with_format(row, 0, name, text)?;
        merged(sheet, (row, 1, 2), label, text)?;
        let formula = |letter: &str| match at {
            // A row's number in a formula is one more than here.
            0 if sum > first => {
                Some(format!("=ROUND(SUM({letter}{}:{letter}{sum}),2)", first.saturating_add(1)))
            }
            3 => Some(format!("=ROUND(SUM({letter}{}:{letter}{row}),2)", sum.saturating_add(1))),
            _ => None,
        };
        numbers(sheet, styles, row, (ways, is_sum), formula)?;
        row = row.saturating_add(1);
    }
    Ok(row)
}

fn line(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    (name, what): (&str, &For),
    ways: Ways,
) -> Result<(), XlsxError> {
    pen::texts(sheet, row, &[name, what.code(), what.name()], &styles.text)?;
    sheet.set_row_height(row, pen::height(&[(name, 26), (what.code(), 16), (what.name(), 28)]))?;
    numbers(sheet, styles, row, (ways, false), |_| None)
}

/// Counts and amounts of a line; the amounts of a sum recalculate.
fn numbers(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    (ways, is_sum): (Ways, bool),
    formula: impl Fn(&str) -> Option<String>,
) -> Result<(), XlsxError> {
    let (count, money) = if is_sum {
        (&styles.sum_count, &styles.sum_money)
    } else {
        (&styles.count, &styles.money)
    };
    pen::count(sheet, (row, 3), ways.payments.count, count)?;
    pen::count(sheet, (row, 5), ways.refunds.count, count)?;
    for (column, fen) in [(4, ways.payments.fen), (6, ways.refunds.fen), (7, ways.net())] {
        match formula(&pen::letter(column)) {
            Some(formula) => pen::sum(sheet, (row, column), &formula, fen, money)?,
            None => pen::money(sheet, (row, column), Some(fen), money)?,
        }
    }
    Ok(())
}
