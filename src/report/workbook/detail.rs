//! Every row of the day (明细), merchant by merchant and direction by direction, with subtotals
//! that are the cover's. Refunds are negative, so that a column can be added up. What one sheet
//! does not hold goes on the next.

use domain::bill::Direction;
use domain::money::Fen;
use jiff::Timestamp;
use reconciliation::{Finding, label};
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::super::cover;
use super::super::foot::{Foot, Ways, booked, is_carried};
use super::super::model::{MerchantDay, Report, signed};
use super::super::papers::{Papers, RowPaper};
use super::super::sorted::{self, has_papers};
use super::super::words;
use super::pen::{self, Styles};

const HEAD: [&str; 13] = [
    "渠道 / 商户",
    "方向",
    "发生时间",
    "订单号\n退款单号",
    "渠道交易号",
    "系统金额",
    "账单金额",
    "手续费",
    "核对结果",
    "受理号\n缴款码",
    "缴款人",
    "收费项目",
    "部门",
];
const WIDTHS: [u8; 13] = [12, 6, 10, 17, 15, 11, 11, 8, 9, 14, 8, 16, 10];
/// The column of the ledger's amount; the bill's and the fee stand behind it.
const MONEY: u16 = 5;
/// The column of the result, the last where nothing is known beyond the sums.
const RESULT: u16 = 8;
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
    /// What stands behind it, where that is known.
    behind: Option<Behind>,
}

/// The fees of a row in words.
struct Behind {
    cases: String,
    payers: String,
    items: String,
    departments: String,
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
    /// The last column.
    last: u16,
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
    let last = if has_papers(report) { RESULT.saturating_add(4) } else { RESULT };
    let mut sheets =
        Sheets { book, styles, head, last, most, number: 0, row: 0, spans: Vec::new() };
    sheets.begin()?;
    for day in &report.merchants {
        for direction in [Direction::Payment, Direction::Refund] {
            for entry in entries(day).filter(|entry| entry.direction == direction) {
                let (styles, row) = (sheets.styles, sheets.place()?);
                let last = sheets.last;
                line(sheets.sheet()?, styles, (row, last), day, &entry)?;
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
        let (name, styles, last) = (self.name(), self.styles, self.last);
        let columns = usize::from(last).saturating_add(1);
        let (widths, names) = (WIDTHS.get(..columns), HEAD.get(..columns));
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        pen::page(sheet, styles, &name, HEAD_ROW, widths.unwrap_or(&WIDTHS))?;
        let head = format!("{name}    {}", self.head);
        sheet.set_row_height(0, pen::height(&[(&head, 100)]))?;
        sheet.merge_range(0, 0, 0, last, &head, &styles.line)?;
        sheet.set_row_height(HEAD_ROW, 30)?;
        pen::texts(sheet, HEAD_ROW, names.unwrap_or(&HEAD), &styles.head)?;
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
        let (row, last) = (self.row.saturating_sub(1), self.last);
        self.sheet()?.set_print_area(0, 0, row, last)?;
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

/// The rows of a merchant. A difference of an earlier day is in that day's detail.
fn entries(day: &MerchantDay) -> impl Iterator<Item = Entry<'_>> {
    let matched = day.result.matched.iter().map(|row| {
        Some(Entry {
            direction: row.direction,
            at: Moment::At(row.occurred_at),
            numbers: [&row.out_trade_no, &row.out_refund_no, &row.provider_trade_no],
            hub: Some(row.amount).filter(|_| !row.is_void),
            bill: Some(row.amount).filter(|_| !row.is_void),
            fee: row.fee,
            result: if row.is_void { "一致\n（未动款）" } else { "一致" },
            behind: None,
        })
    });
    let doubts = day.result.doubts.iter().map(|finding| Some(entry(finding, "存疑")));
    let differences = day.result.differences.iter().map(|finding| {
        let word = label::kind(finding.kind);
        (!is_carried(finding)).then(|| entry(finding, word))
    });
    // What is only counted is a row to nobody, and has nothing behind it.
    let rest = day.result.rest.iter().map(|rest| {
        Some(Entry {
            direction: rest.direction,
            at: Moment::Of(rest.count),
            numbers: [""; 3],
            hub: Some(rest.amount),
            bill: Some(rest.amount),
            fee: rest.fee,
            result: "一致",
            behind: None,
        })
    });
    matched.chain(doubts).chain(differences).chain(rest).enumerate().filter_map(|(place, entry)| {
        let papers = day.papers.as_ref();
        let row = papers.and_then(|papers| Some((papers, papers.rows.get(place)?)));
        Some(Entry { behind: row.map(|(papers, row)| behind(papers, row)), ..entry? })
    })
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
        behind: None,
    }
}

fn behind(papers: &Papers, row: &RowPaper) -> Behind {
    let once = |texts: &mut Vec<String>, text: &str| {
        if !text.is_empty() && !texts.iter().any(|known| known == text) {
            texts.push(text.to_owned());
        }
    };
    let [mut cases, mut payers, mut items, mut departments] = [const { Vec::new() }; 4];
    for (fee, _) in sorted::fees(papers, row) {
        once(&mut cases, &fee.case_no);
        once(&mut cases, fee.notice_no.as_deref().unwrap_or_default());
        once(&mut payers, &fee.payer);
        once(&mut departments, fee.department.as_deref().unwrap_or_default());
        for item in &fee.items {
            once(&mut items, &item.name);
        }
    }
    if row.surplus > Fen::ZERO {
        items.push(format!("多收 {}", row.surplus.yuan()));
    }
    let [cases, payers, items, departments] =
        [cases, payers, items, departments].map(|texts| texts.join("\n"));
    Behind { cases, payers, items, departments }
}

fn line(
    sheet: &mut Worksheet,
    styles: &Styles,
    (row, last): (u32, u16),
    day: &MerchantDay,
    entry: &Entry<'_>,
) -> Result<(), XlsxError> {
    let at = match entry.at {
        Moment::At(at) => words::when(at).replace(' ', "\n"),
        Moment::Of(count) => format!("其余 {count} 笔合并"),
    };
    let name = words::name(day).replace(' ', "\n");
    let numbers = numbers(entry);
    let [_, _, provider_trade_no] = entry.numbers;
    let direction = label::direction(entry.direction);
    let texts = [name.as_str(), direction, &at, &numbers, provider_trade_no];
    let way = |amount: Fen| signed(entry.direction, amount);
    let none = Behind::none();
    let behind = entry.behind.as_ref().unwrap_or(&none);
    let ends = [&behind.cases, &behind.payers, &behind.items, &behind.departments];
    let tall = [(name.as_str(), 15), (&numbers, 18), (provider_trade_no, 17), (&at, 10)];
    let tall = tall
        .into_iter()
        .chain(ends.iter().zip([20, 10, 20, 12]).map(|(text, wide)| (text.as_str(), wide)));
    // A sheet of constant memory wants a row's height before the next row.
    sheet.set_row_height(row, pen::height(&tall.collect::<Vec<_>>()))?;
    pen::texts(sheet, row, &texts, &styles.small)?;
    for (column, amount) in (MONEY..).zip([entry.hub.map(way), entry.bill.map(way), entry.fee]) {
        pen::money(sheet, (row, column), amount, &styles.money)?;
    }
    sheet.write_string_with_format(row, RESULT, entry.result, &styles.small)?;
    for (column, text) in (RESULT.saturating_add(1)..=last).zip(ends) {
        sheet.write_string_with_format(row, column, text, &styles.small)?;
    }
    Ok(())
}

/// The order's number, on refunds with the refund's below.
fn numbers(entry: &Entry<'_>) -> String {
    let [out_trade_no, out_refund_no, _] = entry.numbers;
    match out_refund_no {
        "" => out_trade_no.to_owned(),
        refund => format!("{out_trade_no}\n{refund}"),
    }
}

impl Behind {
    const fn none() -> Self {
        Self {
            cases: String::new(),
            payers: String::new(),
            items: String::new(),
            departments: String::new(),
        }
    }
}

fn subtotal(
    sheets: &mut Sheets<'_>,
    day: &MerchantDay,
    direction: Direction,
) -> Result<(), XlsxError> {
    let foot = Foot::of(day);
    let of = |ways: Ways| match direction {
        Direction::Payment => ways.payments,
        Direction::Refund => ways.refunds,
    };
    let (hub, bill) = (of(foot.whole.hub), of(foot.whole.bill));
    let name = format!("{}小计", label::direction(direction));
    let counts = format!("系统 {} 笔\n账单 {} 笔", hub.count, bill.count);
    let fees = entries(day).filter(|entry| entry.direction == direction).filter_map(|e| e.fee);
    let fee = Fen::sum(fees).unwrap_or_default();
    let sums = [hub.fen, bill.fen, fee].into_iter().zip(MONEY..);
    let formulas: Vec<_> =
        sums.map(|(value, column)| (column, value, sheets.sum(column))).collect();
    let (row, styles, has_rows) = (sheets.row, sheets.styles, !sheets.spans.is_empty());
    let last = sheets.last;
    let sheet = sheets.sheet()?;
    let whose = words::name(day).replace(' ', "\n");
    sheet.set_row_height(row, pen::height(&[(&whose, 12), (&counts, 17)]))?;
    pen::texts(sheet, row, &[&whose, &name, "", &counts, ""], &styles.sum_text)?;
    for (column, value, formula) in formulas {
        if has_rows {
            pen::sum(sheet, (row, column), &formula, value, &styles.sum_money)?;
        } else {
            pen::money(sheet, (row, column), Some(value), &styles.sum_money)?;
        }
    }
    for column in RESULT..=last {
        sheet.write_string_with_format(row, column, "", &styles.sum_text)?;
    }
    sheets.row = row.saturating_add(1);
    sheets.spans.clear();
    Ok(())
}
