//! The steps from the ledger's sum to the bill's (差额调节表) on the cover, as formulas that
//! recalculate: whoever changes a number sees what is left.

use domain::money::Fen;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::cover::{self, Rung};
use super::super::foot::Amount;
use super::super::model::Report;
use super::contents;
use super::cover::{LAST, merged};
use super::pen::{self, Styles};

/// The columns of counts and of amounts, payments, refunds, then the net.
const COUNTS: [u16; 2] = [4, 6];
const AMOUNTS: [u16; 3] = [5, 7, 9];
const FINDINGS: u16 = 8;

pub(super) fn write(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    report: &Report,
) -> Result<u32, XlsxError> {
    merged(sheet, (row, 0, 3), "差额调节表（系统 → 账单）", &styles.head)?;
    let names = ["支付\n笔数", "支付金额", "退款\n笔数", "退款金额", "涉及\n笔数", "净额"];
    for (column, text) in (4_u16..).zip(names) {
        sheet.write_string_with_format(row, column, text, &styles.head)?;
    }
    merged(sheet, (row, 10, LAST), "说明", &styles.head)?;
    sheet.set_row_height(row, 27)?;
    let rungs = cover::rungs(report);
    let first = row.saturating_add(1);
    // Behind the steps stand their sum, the bill's own sum, and what is left.
    let steps = rungs.len().saturating_sub(3);
    for ((index, rung), row) in rungs.iter().enumerate().zip(first..) {
        let formula = |letter: &str| match index.checked_sub(steps) {
            // A row's number in a formula is one more than here.
            Some(0) => {
                Some(format!("=ROUND(SUM({letter}{}:{letter}{row}),2)", first.saturating_add(1)))
            }
            Some(2) => {
                let (sum, bill) = (row.saturating_sub(1), row);
                Some(format!("=ROUND({letter}{bill}-{letter}{sum},2)"))
            }
            Some(_) | None => None,
        };
        line(sheet, styles, row, rung, formula)?;
    }
    Ok(first.saturating_add(u32::try_from(rungs.len()).unwrap_or_default()))
}

fn line(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    rung: &Rung,
    formula: impl Fn(&str) -> Option<String>,
) -> Result<(), XlsxError> {
    let is_sum = rung.findings.is_none();
    let (text, count, money) = if is_sum {
        (&styles.sum_text, &styles.sum_count, &styles.sum_money)
    } else {
        (&styles.text, &styles.count, &styles.money)
    };
    match rung.findings {
        Some(findings) if findings > 0 => {
            let to = if rung.name.starts_with("存疑") { "存疑清单" } else { "差错清单" };
            contents::link(sheet, (row, 0, 3), (to, &rung.name), text)?;
        }
        Some(_) | None => merged(sheet, (row, 0, 3), &rung.name, text)?,
    }
    let ways = [rung.payments, rung.refunds];
    for (column, Amount { count: number, .. }) in COUNTS.into_iter().zip(ways) {
        match formula(&pen::letter(column)) {
            Some(formula) => {
                pen::formula(sheet, (row, column), &formula, &number.to_string(), count)?;
            }
            None => pen::count(sheet, (row, column), number, count)?,
        }
    }
    let amounts: [Fen; 3] = [rung.payments.fen, rung.refunds.fen, rung.net];
    for (column, fen) in AMOUNTS.into_iter().zip(amounts) {
        match formula(&pen::letter(column)) {
            Some(formula) => pen::sum(sheet, (row, column), &formula, fen, money)?,
            None => pen::money(sheet, (row, column), Some(fen), money)?,
        }
    }
    match rung.findings {
        Some(findings) if findings > 0 => {
            pen::count(sheet, (row, FINDINGS), findings, &styles.alarm_count)?;
        }
        Some(findings) => pen::count(sheet, (row, FINDINGS), findings, count)?,
        None => pen::money(sheet, (row, FINDINGS), None, count)?,
    }
    merged(sheet, (row, 10, LAST), rung.note, text)
}
