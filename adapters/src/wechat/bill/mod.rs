//! WeChat Pay's trade bill (交易账单): a backtick before every field, no quoting, two footer lines.
//! One reader for its variants ALL, SUCCESS and REFUND, and for the column names of older files.

mod footer;
pub(crate) mod fund_flow;
mod row;
#[cfg(test)]
mod tests;

use domain::bill::{BillRow, BillTotals, Coverage, Direction, Total};
use domain::money::Fen;
use domain::provider::Provider;

use crate::bill::BillError;
use crate::bill::table::{Header, Row, lines};
use footer::Footer;
use row::Columns;

/// Whether a text begins like this bill.
pub(crate) fn recognises(text: &str) -> bool {
    text.lines()
        .find(|line| !line.trim().is_empty())
        .is_some_and(|line| Header::names_all(line, &["微信订单号", "商户订单号", "交易状态"]))
}

/// Reads the rows and holds them against the footer.
pub(crate) fn read(text: &str, each: &mut dyn FnMut(BillRow<'_>)) -> Result<BillTotals, BillError> {
    let mut lines = lines(text).filter(|(_, line)| !line.trim().is_empty());
    let Some((header_line, names)) = lines.next() else {
        return Err(BillError::cut(1, "it has no line at all"));
    };
    let header = Header::read(header_line, names)?;
    let columns = Columns::find(header_line, &header)?;
    let mut totals = BillTotals {
        provider: Provider::Wechat,
        stated_day: None,
        covers: columns.covers(),
        footer: Vec::new(),
        footer_ok: false,
        footer_fault: None,
        payments: Total::default(),
        refunds: Total::default(),
        fee: Fen::ZERO,
        unknown_columns: header.unknown(row::KNOWN),
    };
    let mut sums = footer::Sums::default();
    let mut fields: Vec<&str> = Vec::with_capacity(header.width());
    let mut last = header_line;
    while let Some((line, text)) = lines.next() {
        last = line;
        if let Some(footer) = Footer::begins(text) {
            footer.finish(line, &mut lines, &sums, &mut totals)?;
            return Ok(totals);
        }
        split(text, &mut fields);
        if fields.len() != header.width() {
            return Err(wrong_width(line, fields.len(), header.width(), lines.next().is_none()));
        }
        let row = Row { line, fields: &fields };
        let read = columns.read(&row)?;
        sums.add(read.direction, &columns.amounts(&row)?);
        count(&mut totals, &read).map_err(|fault| BillError::field(line, "订单金额", fault))?;
        each(read);
    }
    Err(BillError::cut(last, "its footer (总交易单数 …) is missing"))
}

/// Reads a bill that nothing proves but its footer: one that is silent about a money column of the
/// file proves nothing.
pub(crate) fn read_proved_by_footer(text: &str) -> Result<BillTotals, BillError> {
    let mut totals = read(text, &mut |_row| {})?;
    let header = lines(text).find(|(_, line)| !line.trim().is_empty());
    let Some((line, names)) = header else { return Ok(totals) };
    let columns = Columns::find(line, &Header::read(line, names)?)?;
    let silent = footer::sums_of(&columns)
        .find(|word| !totals.footer.iter().any(|(stated, _)| stated == word));
    if let Some(word) = silent.filter(|_| totals.footer_ok) {
        totals.footer_ok = false;
        totals.footer_fault = Some(format!("the footer does not state {word}"));
    }
    Ok(totals)
}

/// Splits `` `a,`b `` at `` ,` ``; a line whose backticks an editor has removed, at commas.
pub(super) fn split<'a>(line: &'a str, fields: &mut Vec<&'a str>) {
    fields.clear();
    match line.strip_prefix('`') {
        Some(rest) => fields.extend(rest.split(",`").map(str::trim)),
        None => fields.extend(line.split(',').map(str::trim)),
    }
}

pub(super) fn wrong_width(line: u64, found: usize, wanted: usize, is_last: bool) -> BillError {
    let fault = format!("it has {found} columns where the header has {wanted}");
    if is_last { BillError::cut(line, fault) } else { BillError::field(line, "(all)", fault) }
}

fn count(totals: &mut BillTotals, row: &BillRow<'_>) -> Result<(), &'static str> {
    const TOO_MUCH: &str = "the sum of the file does not fit";
    let total = match row.direction {
        Direction::Payment => &mut totals.payments,
        Direction::Refund => &mut totals.refunds,
    };
    total.count = total.count.saturating_add(1);
    total.amount_fen = total.amount_fen.plus(row.amount).ok_or(TOO_MUCH)?;
    totals.fee = totals.fee.plus(row.fee.unwrap_or_default()).ok_or(TOO_MUCH)?;
    Ok(())
}

impl Columns {
    /// What the variant lists: SUCCESS has no column for refunds, REFUND alone says when a refund
    /// was asked for.
    fn covers(&self) -> Coverage {
        if self.asked_at.is_some() {
            Coverage { payments: false, refunds: true }
        } else {
            Coverage { payments: true, refunds: self.out_refund_no.is_some() }
        }
    }
}
