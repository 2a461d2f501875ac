//! Every row of the day (明细), merchant by merchant and direction by direction, with subtotals
//! that are the cover's. Refunds are negative, so that a column can be added up. What one sheet
//! does not hold goes on the next.

use domain::bill::{Direction, Total};
use domain::money::Fen;
use jiff::Timestamp;
use reconciliation::{Finding, Sides, label};
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::super::cover;
use super::super::foot::booked;
use super::super::model::{MerchantDay, Report, signed};
use super::super::words;
use super::pen::{self, Styles};

const HEAD: [&str; 11] = [
    "渠道",
    "商户",
    "方向",
    "发生时间",
    "订单号",
    "退款单号",
    "渠道交易号",
    "系统金额",
    "账单金额",
    "手续费",
    "核对结果",
];
const WIDTHS: [u8; 11] = [8, 15, 9, 16, 25, 24, 22, 11, 11, 8, 12];
const LAST: u16 = 10;
const HEAD_ROW: u32 = 1;
/// How many rows stand on one sheet: beyond that a spreadsheet is slow to open and to print.
pub(super) const ROWS: u32 = 100_000;

/// One row, whether matched or not.
struct Entry<'r> {
    direction: Direction,
    /// When; where many rows are one, how many they are.
    at: Moment,
    numbers: [&'r str; 3],
    hub: Option<Fen>,
    bill: Option<Fen>,
    fee: Option<Fen>,
    result: &'static str,
}

/// When a row happened.
#[derive(Clone, Copy)]
enum Moment {
    At(Timestamp),
    /// So many rows that are only summed.
    Of(u64),
}

/// The sheets as they fill up, and where the rows of the present subtotal are.
struct Sheets<'w> {
    book: &'w mut Workbook,
    styles: &'w Styles,
    head: String,
    /// How many rows a sheet takes.
    most: u32,
    /// The number of the present sheet, from 1; 0 before the first.
    number: u32,
    row: u32,
    /// Of each sheet that has rows of the present subtotal: its name, the first row and the last.
    spans: Vec<(String, u32, u32)>,
}

pub(super) fn write(
    book: &mut Workbook,
    styles: &Styles,
    report: &Report,
    most: u32,
) -> Result<(), XlsxError> {
    let head = cover::head(report);
    let mut sheets = Sheets { book, styles, head, most, number: 0, row: 0, spans: Vec::new() };
    sheets.begin()?;
    for day in &report.merchants {
        for direction in [Direction::Payment, Direction::Refund] {
            for entry in entries(day).filter(|entry| entry.direction == direction) {
                let (styles, row) = (sheets.styles, sheets.place()?);
                line(sheets.sheet()?, styles, row, day, &entry)?;
            }
            subtotal(&mut sheets, day, direction)?;
        }
    }
    sheets.end()
}

impl Sheets<'_> {
    fn name(&self) -> String {
        if self.number > 1 { format!("明细{}", self.number) } else { "明细".to_owned() }
    }

    fn sheet(&mut self) -> Result<&mut Worksheet, XlsxError> {
        let name = self.name();
        self.book.worksheet_from_name(&name)
    }

    /// Begins a sheet with its head.
    fn begin(&mut self) -> Result<(), XlsxError> {
        self.number = self.number.saturating_add(1);
        let (name, styles) = (self.name(), self.styles);
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        pen::page(sheet, &name, HEAD_ROW, &WIDTHS)?;
        let head = format!("{name}    {}", self.head);
        sheet.merge_range(0, 0, 0, LAST, &head, &styles.line)?;
        pen::texts(sheet, HEAD_ROW, &HEAD, &styles.head)?;
        self.row = HEAD_ROW.saturating_add(1);
        Ok(())
    }

    /// The next row for an entry, on a further sheet where this one is full.
    fn place(&mut self) -> Result<u32, XlsxError> {
        self.make_room()?;
        let (row, name) = (self.row, self.name());
        match self.spans.last_mut().filter(|(span, ..)| *span == name) {
            Some((_, _, last)) => *last = row,
            None => self.spans.push((name, row, row)),
        }
        self.row = row.saturating_add(1);
        Ok(row)
    }

    fn make_room(&mut self) -> Result<(), XlsxError> {
        let used = self.row.saturating_sub(HEAD_ROW).saturating_sub(1);
        if used < self.most {
            return Ok(());
        }
        self.end()?;
        self.begin()
    }

    fn end(&mut self) -> Result<(), XlsxError> {
        let last = self.row.saturating_sub(1);
        self.sheet()?.set_print_area(0, 0, last, LAST)?;
        Ok(())
    }

    /// A formula over one column of all rows of the present subtotal, on whatever sheets they are.
    fn sum(&self, column: u16) -> String {
        let letter = pen::letter(column);
        let part = |(name, first, last): &(String, u32, u32)| {
            // Rows count from 1 in a formula.
            let (first, last) = (first.saturating_add(1), last.saturating_add(1));
            format!("SUM('{name}'!{letter}{first}:{letter}{last})")
        };
        let parts: Vec<String> = self.spans.iter().map(part).collect();
        format!("=ROUND({},2)", parts.join("+"))
    }
}

fn entries(day: &MerchantDay) -> impl Iterator<Item = Entry<'_>> {
    let matched = day.result.matched.iter().map(|row| Entry {
        direction: row.direction,
        at: Moment::At(row.occurred_at),
        numbers: [&row.out_trade_no, &row.out_refund_no, &row.provider_trade_no],
        hub: Some(row.amount),
        bill: Some(row.amount),
        fee: row.fee,
        result: "一致",
    });
    let rest = day.result.rest.iter().map(|rest| Entry {
        direction: rest.direction,
        at: Moment::Of(rest.count),
        numbers: [""; 3],
        hub: Some(rest.amount),
        bill: Some(rest.amount),
        fee: rest.fee,
        result: "一致",
    });
    let doubts = day.result.doubts.iter().map(|finding| entry(finding, "存疑"));
    let differences =
        day.result.differences.iter().map(|finding| entry(finding, label::kind(finding.kind)));
    matched.chain(rest).chain(doubts).chain(differences)
}

/// A finding as a row. What the ledger does not take for money has no amount here: it is in no sum.
fn entry<'r>(finding: &'r Finding, result: &'static str) -> Entry<'r> {
    let (hub, bill) = booked(finding);
    Entry {
        direction: finding.direction,
        at: Moment::At(finding.occurred_at),
        numbers: [&finding.out_trade_no, &finding.out_refund_no, &finding.provider_trade_no],
        hub,
        bill,
        fee: finding.fee,
        result,
    }
}

fn line(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    day: &MerchantDay,
    entry: &Entry<'_>,
) -> Result<(), XlsxError> {
    let at = match entry.at {
        Moment::At(at) => words::when(at),
        Moment::Of(count) => format!("其余 {count} 笔合并"),
    };
    let [out_trade_no, out_refund_no, provider_trade_no] = entry.numbers;
    let texts = [
        day.totals.provider.label(),
        &day.merchant,
        label::direction(entry.direction),
        &at,
        out_trade_no,
        out_refund_no,
        provider_trade_no,
    ];
    pen::texts(sheet, row, &texts, &styles.id)?;
    let way = |amount: Fen| signed(entry.direction, amount);
    pen::money(sheet, (row, 7), entry.hub.map(way), &styles.money)?;
    pen::money(sheet, (row, 8), entry.bill.map(way), &styles.money)?;
    pen::money(sheet, (row, 9), entry.fee, &styles.money)?;
    sheet.write_string_with_format(row, LAST, entry.result, &styles.id)?;
    Ok(())
}

fn subtotal(
    sheets: &mut Sheets<'_>,
    day: &MerchantDay,
    direction: Direction,
) -> Result<(), XlsxError> {
    let total = |sides: Sides| -> Total {
        match direction {
            Direction::Payment => sides.payments,
            Direction::Refund => sides.refunds,
        }
    };
    let (hub, bill) = (total(day.result.sums.hub), total(day.result.sums.bill));
    let name = format!("{}小计", label::direction(direction));
    let counts = format!("系统 {} 笔，账单 {} 笔", hub.count, bill.count);
    let fees = entries(day).filter(|entry| entry.direction == direction).filter_map(|e| e.fee);
    let fee = Fen::sum(fees).unwrap_or_default();
    let way = |total: Total| signed(direction, total.amount_fen);
    let sums = [(7, way(hub)), (8, way(bill)), (9, fee)];
    let formulas = sums.map(|(column, value)| (column, value, sheets.sum(column)));
    let (row, styles, has_rows) = (sheets.row, sheets.styles, !sheets.spans.is_empty());
    let sheet = sheets.sheet()?;
    let provider = day.totals.provider.label();
    let texts = [provider, &day.merchant, &name, "", &counts, "", ""];
    pen::texts(sheet, row, &texts, &styles.sum_text)?;
    for (column, value, formula) in formulas {
        if has_rows {
            pen::sum(sheet, (row, column), &formula, value, &styles.sum_money)?;
        } else {
            pen::money(sheet, (row, column), Some(value), &styles.sum_money)?;
        }
    }
    sheet.write_string_with_format(row, LAST, "", &styles.sum_text)?;
    sheets.row = row.saturating_add(1);
    sheets.spans.clear();
    Ok(())
}
