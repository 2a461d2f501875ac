//! The month's money between provider and bank: its balance on the first sheet, and the bill days that are
//! underway or arrived otherwise than expected on a sheet of their own (在途资金).

use domain::money::Fen;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::month::Month;
use super::super::month_bank::{self, COLUMNS, LIST, NOTE};
use super::super::month_words;
use super::cover::merged;
use super::pen::{self, Styles};

/// Where the columns of the balance stand on the first sheet.
const PLACES: [(u16, u16); 8] =
    [(0, 1), (2, 4), (5, 6), (7, 8), (9, 9), (10, 10), (11, 11), (12, 13)];
const WIDTHS: [u8; 9] = [6, 24, 12, 12, 14, 12, 14, 13, 36];

/// The balance; the row behind it.
pub(super) fn balance(
    sheet: &mut Worksheet,
    styles: &Styles,
    mut row: u32,
    month: &Month,
) -> Result<u32, XlsxError> {
    let banks = month_bank::banks(month);
    if banks.is_empty() {
        return Ok(row);
    }
    for ((first, last), text) in PLACES.into_iter().zip(COLUMNS) {
        merged(sheet, (row, first, last), text, &styles.head)?;
    }
    sheet.set_row_height(row, 30)?;
    for (name, bank) in &banks {
        row = row.saturating_add(1);
        let is_sum = name == "合计";
        let (text, money, count) = if is_sum {
            (&styles.sum_text, &styles.sum_money, &styles.sum_count)
        } else {
            (&styles.text, &styles.money, &styles.count)
        };
        let [whose, rest @ ..] = PLACES;
        merged(sheet, (row, whose.0, whose.1), name, text)?;
        let amounts = bank.amounts();
        let late = bank.late.amount_fen;
        let cells = amounts.into_iter().map(Some).chain([None, Some(late)]);
        for ((first, last), cell) in rest.into_iter().zip(cells) {
            if first < last {
                sheet.merge_range(row, first, row, last, "", money)?;
            }
            match cell {
                Some(fen) => pen::money(sheet, (row, first), Some(fen), money)?,
                None => pen::count(sheet, (row, first), bank.late.count, count)?,
            }
        }
    }
    row = row.saturating_add(1);
    merged(sheet, (row, 0, 13), NOTE, &styles.line)?;
    Ok(row.saturating_add(1))
}

/// The bill days behind it.
pub(super) fn days(sheet: &mut Worksheet, styles: &Styles, month: &Month) -> Result<(), XlsxError> {
    pen::page(sheet, styles, "在途资金", 1, &WIDTHS)?;
    let head = format!("在途资金与到账差额    {}", month_words::head(month));
    merged(sheet, (0, 0, 8), &head, &styles.line)?;
    pen::texts(sheet, 1, &LIST, &styles.head)?;
    sheet.set_row_height(1, 30)?;
    let listed = month_bank::listed(month);
    let mut row = 2_u32;
    for (number, one) in (1_i64..).zip(&listed) {
        pen::count(sheet, (row, 0), number, &styles.count)?;
        let standing = format!("{}\n{}", one.state, one.cause);
        let said = [
            (1, one.merchant.as_str()),
            (2, &one.bill_date),
            (3, &one.due_on),
            (5, &one.value_date),
            (8, standing.trim()),
        ];
        for (column, text) in said {
            sheet.write_string_with_format(row, column, text, &styles.small)?;
        }
        for (column, fen) in [(4, Some(one.net)), (6, one.arrived), (7, one.apart)] {
            pen::money(sheet, (row, column), fen, &styles.money)?;
        }
        sheet.set_row_height(row, pen::height(&[(&standing, 38), (&one.merchant, 26)]))?;
        row = row.saturating_add(1);
    }
    merged(sheet, (row, 0, 3), &format!("合计 {} 个账单日", listed.len()), &styles.sum_text)?;
    let sum = |of: fn(&super::super::office::Settled) -> Option<Fen>| {
        Fen::sum(listed.iter().filter_map(of)).unwrap_or_default()
    };
    let sums =
        [(4, sum(|one| Some(one.net))), (6, sum(|one| one.arrived)), (7, sum(|one| one.apart))];
    for (column, fen) in sums {
        if listed.is_empty() {
            pen::money(sheet, (row, column), Some(fen), &styles.sum_money)?;
            continue;
        }
        let letter = pen::letter(column);
        let formula = format!("=ROUND(SUM({letter}3:{letter}{row}),2)");
        pen::sum(sheet, (row, column), &formula, fen, &styles.sum_money)?;
    }
    for column in [5, 8] {
        sheet.write_string_with_format(row, column, "", &styles.sum_text)?;
    }
    let last = pen::signs(sheet, styles, (row.saturating_add(1), 8))?;
    sheet.set_print_area(0, 0, last, 8)?;
    Ok(())
}
