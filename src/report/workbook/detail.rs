//! Every row of the day (明细), merchant by merchant and direction by direction, with subtotals
//! that are the cover's. Refunds are negative, so that a column can be added up.

use std::collections::BTreeMap;

use domain::bill::{Direction, Total};
use domain::money::Fen;
use domain::time::beijing;
use jiff::Timestamp;
use reconciliation::{Finding, LedgerState, Sides, label};
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::model::{MerchantDay, Report, signed};
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
const WIDTHS: [u8; 11] = [10, 14, 6, 19, 28, 28, 32, 13, 13, 11, 18];
const HEAD_ROW: u32 = 1;
/// Beyond this many rows of one merchant and direction, those of one result stand in one line: a
/// sheet has an end, and nobody reads a hundred thousand lines. The differences have their own.
const MOST_ROWS: usize = 100_000;

/// One row, whether matched or not.
struct Entry<'r> {
    direction: Direction,
    at: Timestamp,
    numbers: [&'r str; 3],
    hub: Option<Fen>,
    bill: Option<Fen>,
    fee: Option<Fen>,
    result: &'static str,
}

pub(super) fn write(
    sheet: &mut Worksheet,
    styles: &Styles,
    report: &Report,
) -> Result<(), XlsxError> {
    pen::page(sheet, "明细", HEAD_ROW, &WIDTHS)?;
    let day = report.day().map(|day| day.to_string()).unwrap_or_default();
    sheet.write_string_with_format(0, 0, format!("明细    {day}    单位：元"), &styles.line)?;
    pen::texts(sheet, HEAD_ROW, &HEAD, &styles.head)?;
    let mut row = HEAD_ROW.saturating_add(1);
    for day in &report.merchants {
        for direction in [Direction::Payment, Direction::Refund] {
            let first = row;
            // What is only counted is more than a sheet shows.
            let is_long = day.result.rest.iter().any(|rest| rest.direction == direction)
                || entries(day).filter(|entry| entry.direction == direction).count() > MOST_ROWS;
            let mut folded = BTreeMap::new();
            for entry in entries(day).filter(|entry| entry.direction == direction) {
                if is_long {
                    fold(&mut folded, &entry);
                    continue;
                }
                line(sheet, styles, row, day, &entry)?;
                row = row.saturating_add(1);
            }
            for entry in folded.values() {
                line(sheet, styles, row, day, entry)?;
                row = row.saturating_add(1);
            }
            subtotal(sheet, styles, (first, row), day, direction)?;
            row = row.saturating_add(1);
        }
    }
    Ok(())
}

/// Adds a row to the one line of its result.
fn fold<'r>(lines: &mut BTreeMap<&'static str, Entry<'r>>, entry: &Entry<'r>) {
    let line = lines.entry(entry.result).or_insert(Entry {
        direction: entry.direction,
        at: entry.at,
        numbers: ["（行数过多，合并为一行）", "", ""],
        hub: None,
        bill: None,
        fee: None,
        result: entry.result,
    });
    for (sum, amount) in
        [(&mut line.hub, entry.hub), (&mut line.bill, entry.bill), (&mut line.fee, entry.fee)]
    {
        if let Some(amount) = amount {
            *sum = sum.unwrap_or_default().plus(amount);
        }
    }
}

fn entries(day: &MerchantDay) -> impl Iterator<Item = Entry<'_>> {
    let matched = day.result.matched.iter().map(|row| Entry {
        direction: row.direction,
        at: row.occurred_at,
        numbers: [&row.out_trade_no, &row.out_refund_no, &row.provider_trade_no],
        hub: Some(row.amount),
        bill: Some(row.amount),
        fee: row.fee,
        result: "一致",
    });
    let rest = day.result.rest.iter().map(|rest| Entry {
        direction: rest.direction,
        at: Timestamp::UNIX_EPOCH,
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
    Entry {
        direction: finding.direction,
        at: finding.occurred_at,
        numbers: [&finding.out_trade_no, &finding.out_refund_no, &finding.provider_trade_no],
        hub: finding.hub_amount.filter(|_| finding.hub_state.is_some_and(LedgerState::moves_money)),
        bill: finding.bill_amount,
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
    let at = beijing(entry.at).strftime("%Y-%m-%d %H:%M:%S").to_string();
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
    pen::texts(sheet, row, &texts, &styles.text)?;
    let way = |amount: Fen| signed(entry.direction, amount);
    pen::money(sheet, (row, 7), entry.hub.map(way), &styles.money)?;
    pen::money(sheet, (row, 8), entry.bill.map(way), &styles.money)?;
    pen::money(sheet, (row, 9), entry.fee, &styles.money)?;
    sheet.write_string_with_format(row, 10, entry.result, &styles.text)?;
    Ok(())
}

fn subtotal(
    sheet: &mut Worksheet,
    styles: &Styles,
    (first, row): (u32, u32),
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
    let provider = day.totals.provider.label();
    pen::texts(
        sheet,
        row,
        &[provider, &day.merchant, &name, &counts, "", "", ""],
        &styles.sum_text,
    )?;
    let fees = entries(day).filter(|entry| entry.direction == direction).filter_map(|e| e.fee);
    let fee = Fen::sum(fees).unwrap_or_default();
    let way = |total: Total| signed(direction, total.amount_fen);
    for (column, letter, value) in [(7, 'H', way(hub)), (8, 'I', way(bill)), (9, 'J', fee)] {
        if first == row {
            pen::money(sheet, (row, column), Some(value), &styles.sum_money)?;
            continue;
        }
        // Rows count from 1 in a formula, so the last one's number is this row's own from 0.
        let formula = format!("=SUM({letter}{}:{letter}{row})", first.saturating_add(1));
        pen::sum(sheet, (row, column), &formula, value, &styles.sum_money)?;
    }
    sheet.write_string_with_format(row, 10, "", &styles.sum_text)?;
    Ok(())
}
