//! `month.xlsx` (月结单): the month's sums with what was carried over it, each day, each day by item,
//! what is open and what ended.

use domain::money::Fen;
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::super::foot::Ways;
use super::super::in_words::in_words;
use super::super::model::Report;
use super::super::month::{Carry, Month, MonthDay, Pile, Whole};
use super::super::month_words::{self, COLUMNS, Listed};
use super::super::signed;
use super::super::sorted::For;
use super::WorkbookError;
use super::cover::merged;
use super::month_bank;
use super::pen::{self, Styles};

const DAY_WIDTHS: [u8; 14] = [22, 11, 8, 8, 7, 12, 7, 11, 12, 12, 10, 10, 10, 9];
const LAST: u16 = 13;
/// How many items stand beside each other.
const ITEMS: usize = 8;

/// The statement's bytes. The same month gives the same bytes.
///
/// # Errors
/// No room for the library's temporary files.
pub fn month_workbook(month: &Month) -> Result<Vec<u8>, WorkbookError> {
    let mut book = Workbook::new();
    book.set_properties(&super::properties_of(month.made_at, month_words::title(month))?);
    let header = format!(
        "&L{}&C{}  &A&R{} 至 {}",
        pen::office(&month.office),
        month_words::title(month),
        month.first,
        month.last
    );
    let styles =
        Styles::between(header, "&R第 &P 页 共 &N 页".to_owned(), signed::line(&Report::default()));
    whole(book.add_worksheet(), &styles, month)?;
    items(book.add_worksheet(), &styles, month)?;
    if month.accounts.iter().any(|account| !account.bank.is_empty()) {
        month_bank::days(book.add_worksheet(), &styles, month)?;
    }
    for (name, listed) in [
        ("未了结", month_words::listed(month, true)),
        ("已了结", month_words::listed(month, false)),
    ] {
        list(book.add_worksheet(), &styles, month, (name, &listed))?;
    }
    Ok(book.save_to_buffer()?)
}

fn whole(sheet: &mut Worksheet, styles: &Styles, month: &Month) -> Result<(), XlsxError> {
    pen::page(sheet, styles, "月结单", 2, &DAY_WIDTHS)?;
    merged(sheet, (0, 0, LAST), &month_words::title(month), &styles.title)?;
    sheet.set_row_height(0, 28)?;
    merged(sheet, (1, 0, LAST), &month_words::head(month), &styles.line)?;
    pen::texts(sheet, 2, &COLUMNS, &styles.head)?;
    sheet.set_row_height(2, 30)?;
    let mut row = 3;
    let mut sums = Vec::new();
    for account in &month.accounts {
        let first = row;
        for day in &account.days {
            day_line(sheet, styles, row, &account.name(), day)?;
            row = row.saturating_add(1);
        }
        let label = format!("{} 小计", account.name());
        sum_line(sheet, styles, row, (&label, &account.whole()), &[(first, row)])?;
        sums.push((row, row.saturating_add(1)));
        row = row.saturating_add(1);
    }
    if month.accounts.len() > 1 {
        sum_line(sheet, styles, row, ("合计", &month.whole()), &sums)?;
        row = row.saturating_add(1);
    }
    row = carries(sheet, styles, row.saturating_add(1), month)?;
    row = month_bank::balance(sheet, styles, row, month)?;
    let net = month.whole().hub.net();
    let words = format!("本月系统净额：人民币{}    ¥{}", in_words(net), net.yuan());
    merged(sheet, (row, 0, LAST), &words, &styles.sum_text)?;
    for remark in month_words::remarks(month) {
        row = row.saturating_add(1);
        merged(sheet, (row, 0, LAST), &remark, &styles.line)?;
    }
    let last = pen::signs(sheet, styles, (row.saturating_add(1), LAST))?;
    sheet.set_print_area(0, 0, last, LAST)?;
    Ok(())
}

fn day_line(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    name: &str,
    day: &MonthDay,
) -> Result<(), XlsxError> {
    let [verdict, version, signed] = month_words::standing(day);
    let date = day.day.to_string();
    pen::texts(sheet, row, &[name, &date, &verdict, &version], &styles.small)?;
    let one = Whole::of(std::iter::once(day));
    let is_there = day.found.is_some();
    numbers(sheet, styles, row, &one, |_| None, (is_there, false))?;
    let style = if is_there { &styles.small } else { &styles.whose_bad };
    sheet.write_string_with_format(row, LAST, signed, style)?;
    Ok(())
}

/// A sum over spans of rows, each from its first to the row before its end.
fn sum_line(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    (label, whole): (&str, &Whole),
    spans: &[(u32, u32)],
) -> Result<(), XlsxError> {
    merged(sheet, (row, 0, 3), label, &styles.sum_text)?;
    let formula = |letter: &str| {
        // Rows count from 1 in a formula.
        let part = |(first, end): &(u32, u32)| {
            format!("SUM({letter}{}:{letter}{end})", first.saturating_add(1))
        };
        let parts: Vec<String> = spans.iter().map(part).collect();
        Some(format!("=ROUND({},2)", parts.join("+")))
    };
    numbers(sheet, styles, row, whole, formula, (true, true))?;
    sheet.write_string_with_format(row, LAST, "", &styles.sum_text)?;
    Ok(())
}

fn numbers(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    whole: &Whole,
    formula: impl Fn(&str) -> Option<String>,
    (is_there, is_sum): (bool, bool),
) -> Result<(), XlsxError> {
    let (count, money): (&Format, &Format) = if is_sum {
        (&styles.sum_count, &styles.sum_money)
    } else {
        (&styles.count, &styles.money)
    };
    let (hub, bill) = (whole.hub, whole.bill);
    for (column, number) in [(4, hub.payments.count), (6, hub.refunds.count)] {
        match formula(&pen::letter(column)).filter(|_| is_there) {
            Some(formula) => {
                pen::formula(sheet, (row, column), &formula, &number.to_string(), count)?;
            }
            None if is_there => pen::count(sheet, (row, column), number, count)?,
            None => pen::money(sheet, (row, column), None, count)?,
        }
    }
    let amounts = [
        (5, hub.payments.fen),
        (7, hub.refunds.fen),
        (8, hub.net()),
        (9, bill.net()),
        (10, whole.differing),
        (11, whole.doubtful),
        (12, whole.fee),
    ];
    for (column, fen) in amounts {
        match formula(&pen::letter(column)) {
            Some(formula) => pen::sum(sheet, (row, column), &formula, fen, money)?,
            None => pen::money(sheet, (row, column), Some(fen).filter(|_| is_there), money)?,
        }
    }
    Ok(())
}

/// What was open, came, ended and is open, of each account and of all.
fn carries(
    sheet: &mut Worksheet,
    styles: &Styles,
    mut row: u32,
    month: &Month,
) -> Result<u32, XlsxError> {
    merged(sheet, (row, 0, 1), "存疑与差错的结转", &styles.head)?;
    for (first, last, text) in
        [(2, 5, "月初"), (6, 7, "本月新增"), (8, 9, "本月了结"), (10, 12, "月末")]
    {
        merged(sheet, (row, first, last), text, &styles.head)?;
    }
    let mut all = [Carry::default(); 2];
    let mut lines = Vec::new();
    for account in &month.accounts {
        let carries = month.carries(account);
        for ((sum, carry), what) in all.iter_mut().zip(carries).zip(["存疑", "差错"]) {
            *sum = sum.plus(carry);
            lines.push((account.name(), what, carry));
        }
    }
    if month.accounts.len() > 1 {
        let both = all.into_iter().zip(["存疑", "差错"]);
        lines.extend(both.map(|(carry, what)| ("合计".to_owned(), what, carry)));
    }
    for (name, what, carry) in lines {
        row = row.saturating_add(1);
        let style = if name == "合计" { &styles.sum_text } else { &styles.text };
        pen::texts(sheet, row, &[&name, what], style)?;
        for ((first, last), pile) in [(2, 5), (6, 7), (8, 9), (10, 12)].into_iter().zip([
            carry.opening,
            carry.opened,
            carry.ended,
            carry.closing,
        ]) {
            pile_cells(sheet, styles, row, (first, last), pile)?;
        }
    }
    row = row.saturating_add(1);
    let note = "月初 ＋ 本月新增 － 本月了结 ＝ 月末；金额为涉及金额（两边较大者），不作抵销。";
    merged(sheet, (row, 0, LAST), note, &styles.line)?;
    Ok(row.saturating_add(1))
}

/// A count and an amount over some columns; the amount takes all but the first or first two.
fn pile_cells(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    (first, last): (u16, u16),
    pile: Pile,
) -> Result<(), XlsxError> {
    pen::count(sheet, (row, first), pile.count, &styles.count)?;
    let from = first.saturating_add(1);
    if from < last {
        sheet.merge_range(row, from, row, last, "", &styles.money)?;
    }
    pen::money(sheet, (row, from), Some(pile.amount_fen), &styles.money)
}

/// Each day's net by item, as many items beside each other as a page takes.
fn items(sheet: &mut Worksheet, styles: &Styles, month: &Month) -> Result<(), XlsxError> {
    let widths = [22, 11, 13, 11, 11, 11, 11, 11, 11, 11, 11];
    pen::page(sheet, styles, "每日按收费项目", 0, &widths)?;
    merged(sheet, (0, 0, 10), &month_words::head(month), &styles.line)?;
    let all = month.items();
    let blocks: Vec<&[For]> = if all.is_empty() { vec![&[]] } else { all.chunks(ITEMS).collect() };
    let mut row = 1;
    for block in blocks {
        row = item_block(sheet, styles, row, month, block)?.saturating_add(1);
    }
    let last = pen::signs(sheet, styles, (row, 10))?;
    sheet.set_print_area(0, 0, last, 10)?;
    Ok(())
}

fn item_block(
    sheet: &mut Worksheet,
    styles: &Styles,
    mut row: u32,
    month: &Month,
    block: &[For],
) -> Result<u32, XlsxError> {
    pen::texts(sheet, row, &["渠道 / 商户", "日期", "系统净额"], &styles.head)?;
    let names: Vec<String> = block
        .iter()
        .map(|what| format!("{}\n{}", what.code(), what.name()).trim().to_owned())
        .collect();
    for (column, name) in (3_u16..).zip(&names) {
        sheet.write_string_with_format(row, column, name, &styles.head)?;
    }
    let tall: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 11)).collect();
    sheet.set_row_height(row, pen::height(&tall).max(30))?;
    row = row.saturating_add(1);
    let mut sums = Vec::new();
    for account in &month.accounts {
        let first = row;
        for day in account.days.iter().filter(|day| day.found.is_some()) {
            let texts = [account.name(), day.day.to_string()];
            pen::texts(sheet, row, &[&texts[0], &texts[1]], &styles.small)?;
            let whole = Whole::of(std::iter::once(day));
            item_cells(sheet, &styles.money, row, (block, &whole), None)?;
            row = row.saturating_add(1);
        }
        let label = format!("{} 小计", account.name());
        merged(sheet, (row, 0, 1), &label, &styles.sum_text)?;
        let span = [(first, row)];
        let spans = (row > first).then_some(span.as_slice());
        item_cells(sheet, &styles.sum_money, row, (block, &account.whole()), spans)?;
        sums.push((row, row.saturating_add(1)));
        row = row.saturating_add(1);
    }
    if month.accounts.len() > 1 {
        merged(sheet, (row, 0, 1), "合计", &styles.sum_text)?;
        item_cells(sheet, &styles.sum_money, row, (block, &month.whole()), Some(&sums))?;
        row = row.saturating_add(1);
    }
    Ok(row)
}

fn item_cells(
    sheet: &mut Worksheet,
    style: &Format,
    row: u32,
    (block, whole): (&[For], &Whole),
    spans: Option<&[(u32, u32)]>,
) -> Result<(), XlsxError> {
    let of = |what: &For| whole.items.get(what).copied().unwrap_or_default();
    let items = block.iter().map(|what| Ways::net(of(what)));
    let amounts = std::iter::once(whole.hub.net()).chain(items);
    for (column, fen) in (2_u16..).zip(amounts) {
        let letter = pen::letter(column);
        match spans {
            Some(spans) => {
                let part = |(first, end): &(u32, u32)| {
                    format!("SUM({letter}{}:{letter}{end})", first.saturating_add(1))
                };
                let parts: Vec<String> = spans.iter().map(part).collect();
                let formula = format!("=ROUND({},2)", parts.join("+"));
                pen::sum(sheet, (row, column), &formula, fen, style)?;
            }
            None => pen::money(sheet, (row, column), Some(fen), style)?,
        }
    }
    Ok(())
}

/// What is open at the end of the month, or what ended in it.
fn list(
    sheet: &mut Worksheet,
    styles: &Styles,
    month: &Month,
    (name, listed): (&str, &[Listed]),
) -> Result<(), XlsxError> {
    let widths = [5, 22, 8, 16, 26, 12, 11, 11, 11, 14];
    pen::page(sheet, styles, name, 1, &widths)?;
    merged(sheet, (0, 0, 9), &format!("{name}    {}", month_words::head(month)), &styles.line)?;
    pen::texts(sheet, 1, &month_words::LIST, &styles.head)?;
    let mut row = 2_u32;
    for (number, one) in (1_i64..).zip(listed) {
        pen::count(sheet, (row, 0), number, &styles.count)?;
        let texts = [(1, &one.account), (3, &one.kind), (4, &one.numbers)];
        for (column, text) in texts {
            sheet.write_string_with_format(row, column, text, &styles.small)?;
        }
        sheet.write_string_with_format(row, 2, one.what, &styles.small)?;
        pen::money(sheet, (row, 5), Some(one.amount), &styles.money)?;
        for (column, text) in
            [(6, &one.first_day), (7, &one.opened_on), (8, &one.ended_on), (9, &one.standing)]
        {
            sheet.write_string_with_format(row, column, text, &styles.small)?;
        }
        sheet.set_row_height(row, pen::height(&[(&one.numbers, 28), (&one.kind, 16)]))?;
        row = row.saturating_add(1);
    }
    merged(sheet, (row, 0, 4), &format!("合计 {} 笔", listed.len()), &styles.sum_text)?;
    let sum = Fen::sum(listed.iter().map(|one| one.amount)).unwrap_or_default();
    if listed.is_empty() {
        pen::money(sheet, (row, 5), Some(sum), &styles.sum_money)?;
    } else {
        pen::sum(sheet, (row, 5), &format!("=ROUND(SUM(F3:F{row}),2)"), sum, &styles.sum_money)?;
    }
    merged(sheet, (row, 6, 9), "", &styles.sum_text)?;
    let last = pen::signs(sheet, styles, (row.saturating_add(1), 9))?;
    sheet.set_print_area(0, 0, last, 9)?;
    Ok(())
}
