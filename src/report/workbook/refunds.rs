//! The refunds of the day (退款清单): who asked, who approved, which way the money goes and how far it
//! is. Those that are in the ledger's sum of the day come to the cover's refunds; the others are
//! listed and not counted.

use domain::money::Fen;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::cover;
use super::super::foot::Foot;
use super::super::model::Report;
use super::super::refunds::{self, Shown};
use super::cover::merged;
use super::pen::{self, Styles};

const NAME: &str = "退款清单";
const HEAD: [&str; 12] = [
    "序号",
    "渠道 / 商户",
    "退款单号\n原订单号",
    "受理号",
    "退款金额",
    "其中\n计入本日",
    "申请人",
    "审批人",
    "途径",
    "状态",
    "申请时间\n受理时间",
    "到账时间\n冲红票号",
];
const WIDTHS: [u8; 12] = [5, 12, 18, 15, 11, 11, 11, 11, 9, 10, 11, 11];
const LAST: u16 = 11;
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
    sheet.set_row_height(HEAD_ROW, 30)?;
    let first = HEAD_ROW.saturating_add(1);
    let mut row = first;
    let all = refunds::shown(report);
    for (number, shown) in (1_i64..).zip(&all) {
        line(sheet, styles, (row, number), shown)?;
        row = row.saturating_add(1);
    }
    if all.is_empty() {
        merged(sheet, (row, 0, LAST), "无", &styles.text)?;
        row = row.saturating_add(1);
    }
    merged(sheet, (row, 0, 3), &format!("合计 {} 笔", all.len()), &styles.sum_text)?;
    let whole = Fen::sum(all.iter().map(|shown| shown.amount)).unwrap_or_default();
    let counted = Foot::of_all(report).whole.hub.refunds.fen;
    for (column, fen) in [(4, whole), (5, counted)] {
        if all.is_empty() {
            pen::money(sheet, (row, column), Some(fen), &styles.sum_money)?;
            continue;
        }
        let letter = pen::letter(column);
        let formula = format!("=ROUND(SUM({letter}{}:{letter}{row}),2)", first.saturating_add(1));
        pen::sum(sheet, (row, column), &formula, fen, &styles.sum_money)?;
    }
    let note = "“其中计入本日”合计即汇总表的系统退款";
    merged(sheet, (row, 6, LAST), note, &styles.sum_text)?;
    let last = pen::signs(sheet, styles, (row.saturating_add(1), LAST))?;
    sheet.set_print_area(0, 0, last, LAST)?;
    Ok(())
}

fn line(
    sheet: &mut Worksheet,
    styles: &Styles,
    (row, number): (u32, i64),
    shown: &Shown,
) -> Result<(), XlsxError> {
    pen::count(sheet, (row, 0), number, &styles.count)?;
    let name = shown.merchant.replace(' ', "\n");
    let numbers = format!("{}\n{}", shown.out_refund_no, shown.out_trade_no);
    let cases = shown.case_nos.join("\n");
    let begun = format!("{}\n{}", shown.created_at, shown.accepted_at);
    let ended = format!("{}\n{}", shown.succeeded_at, shown.red_flush);
    let texts = [
        (1, name.as_str(), 12),
        (2, &numbers, 18),
        (3, &cases, 15),
        (6, &shown.requested_by, 11),
        (7, &shown.decided_by, 11),
        (8, shown.route, 9),
        (9, shown.state, 10),
        (10, begun.trim(), 11),
        (11, ended.trim(), 11),
    ];
    for (column, text, _) in texts {
        sheet.write_string_with_format(row, column, text, &styles.small)?;
    }
    pen::money(sheet, (row, 4), Some(shown.amount), &styles.money)?;
    pen::money(sheet, (row, 5), shown.counted, &styles.money)?;
    let heights: Vec<(&str, usize)> = texts.iter().map(|(_, text, wide)| (*text, *wide)).collect();
    sheet.set_row_height(row, pen::height(&heights))?;
    Ok(())
}
