//! The account's changes beside the trade bill (资金账单): balances and changes by kind of each
//! merchant, then every row that the two bills do not have alike.

use domain::money::Fen;
use reconciliation::FundFinding;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::cover;
use super::super::fund::{FundCheck, amounts, kind, sort};
use super::super::model::{MerchantDay, Report};
use super::super::words;
use super::pen::{self, Styles};

const HEAD: [&str; 11] = [
    "序号",
    "渠道 / 商户",
    "结果",
    "类型",
    "订单号 / 退款单号",
    "渠道单号",
    "发生时间",
    "应变动金额\n（交易账单）",
    "实变动金额\n（资金账单）",
    "差额\n（实－应）",
    "原因 / 建议处理",
];
const WIDTHS: [u8; 11] = [5, 12, 7, 9, 20, 20, 11, 12, 12, 11, 34];
const LAST: u16 = 10;
const HEAD_ROW: u32 = 1;
/// A list that nobody reads to its end; summary.json has them all.
const MOST_ROWS: usize = 100_000;

pub(super) fn write(
    sheet: &mut Worksheet,
    styles: &Styles,
    report: &Report,
) -> Result<(), XlsxError> {
    pen::page(sheet, "资金账单", HEAD_ROW, &WIDTHS)?;
    let head = format!("资金账单    {}", cover::head(report));
    sheet.merge_range(0, 0, 0, LAST, &head, &styles.line)?;
    sheet.set_row_height(0, 22)?;
    pen::texts(sheet, HEAD_ROW, &HEAD, &styles.head)?;
    sheet.set_row_height(HEAD_ROW, 30)?;
    let mut row = HEAD_ROW.saturating_add(1);
    for day in &report.merchants {
        match &day.fund_flow {
            Some(check) => row = account(sheet, styles, row, (day, check))?,
            None => {
                let note = day.fund_note.as_deref().unwrap_or("未核对");
                let text = format!("{}    {note}", words::name(day));
                sheet.merge_range(row, 0, row, LAST, &text, &styles.text)?;
                row = row.saturating_add(1);
            }
        }
    }
    let found: Vec<_> = report.fund_findings().collect();
    for (number, (day, word, it)) in (1_i64..).zip(found.iter().take(MOST_ROWS)) {
        line(sheet, styles, (row, number), (day, word, it))?;
        row = row.saturating_add(1);
    }
    if found.len() > MOST_ROWS {
        sheet.merge_range(row, 0, row, LAST, "其余见 summary.json", &styles.text)?;
        row = row.saturating_add(1);
    }
    let last = pen::signs(sheet, styles, (row, LAST))?;
    sheet.set_print_area(0, 0, last, LAST)?;
    Ok(())
}

/// A merchant's balances and changes: opening, each kind, and the closing that they must lead to.
fn account(
    sheet: &mut Worksheet,
    styles: &Styles,
    first: u32,
    (day, check): (&MerchantDay, &FundCheck),
) -> Result<u32, XlsxError> {
    let result = &check.result;
    let changes = result.changes.iter();
    let changes = changes.map(|(of, it)| (kind(*of), it.count.to_string(), Some(it.amount_fen)));
    let opening = ("期初余额", String::new(), result.opening_fen);
    let lines: Vec<_> = [opening].into_iter().chain(changes).collect();
    let mut row = first;
    for (what, count, amount) in &lines {
        let count = if count.is_empty() { String::new() } else { format!("{count} 笔") };
        pen::texts(
            sheet,
            row,
            &["", &words::name(day), "", what, &count, "", "", ""],
            &styles.text,
        )?;
        pen::money(sheet, (row, 8), *amount, &styles.money)?;
        pen::texts_from(sheet, (row, 9), &["", ""], &styles.text)?;
        row = row.saturating_add(1);
    }
    pen::texts(
        sheet,
        row,
        &["", &words::name(day), "", "期末余额", "", "", "", ""],
        &styles.sum_text,
    )?;
    let sum = Fen::sum(lines.iter().filter_map(|(.., amount)| *amount)).unwrap_or_default();
    let formula = format!("=ROUND(SUM(I{}:I{row}),2)", first.saturating_add(1));
    pen::sum(sheet, (row, 8), &formula, sum, &styles.sum_money)?;
    let stated = match result.closing_fen {
        Some(closing) if closing == sum => "与资金账单期末余额一致".to_owned(),
        Some(closing) => format!("资金账单期末余额为 {} 元", closing.yuan()),
        None => "资金账单未列示余额".to_owned(),
    };
    pen::texts_from(sheet, (row, 9), &["", &stated], &styles.sum_text)?;
    Ok(row.saturating_add(1))
}

fn line(
    sheet: &mut Worksheet,
    styles: &Styles,
    (row, number): (u32, i64),
    (day, word, found): (&MerchantDay, &str, &FundFinding),
) -> Result<(), XlsxError> {
    let at = words::when(found.occurred_at).replace(' ', "\n");
    let name = words::name(day).replace(' ', "\n");
    let (expected, moved, apart) = amounts(found);
    let why = format!("{}\n〔{}〕", found.cause.label(), found.cause.action());
    pen::count(sheet, (row, 0), number, &styles.count)?;
    let texts = [name.as_str(), word, sort(found), &found.out_no, &found.provider_no, &at];
    for (column, text) in (1_u16..).zip(texts) {
        sheet.write_string_with_format(row, column, text, &styles.small)?;
    }
    for (column, amount) in [(7, expected), (8, moved), (9, Some(apart))] {
        pen::money(sheet, (row, column), amount, &styles.money)?;
    }
    sheet.write_string_with_format(row, LAST, &why, &styles.small)?;
    let widths = [(name.as_str(), 12), (&found.out_no, 20), (&found.provider_no, 20), (&why, 34)];
    sheet.set_row_height(row, pen::height(&widths))?;
    Ok(())
}
