//! Alipay's trade bill (业务明细): comment lines begin with `#`, ids end in a tab, and two of the
//! comments at the end (交易合计, 退款合计) are its control totals.

mod footer;
pub(crate) mod fund_flow;
mod row;

use domain::bill::{BillRow, BillTotals, Coverage, Direction, Total};
use domain::money::Fen;
use domain::provider::Provider;
use jiff::civil::Date;

use crate::bill::BillError;
use crate::bill::table::{Header, Row, lines};
use footer::Footer;
use row::Columns;

/// Whether a text begins like this bill.
pub(crate) fn recognises(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .is_some_and(|line| Header::names_all(line, &["支付宝交易号", "商户订单号", "业务类型"]))
}

/// Reads the rows and holds them against the footer.
pub(crate) fn read(text: &str, each: &mut dyn FnMut(BillRow<'_>)) -> Result<BillTotals, BillError> {
    let mut totals = BillTotals {
        provider: Provider::Alipay,
        stated_day: None,
        covers: Coverage::BOTH,
        footer: Vec::new(),
        footer_ok: false,
        footer_fault: None,
        payments: Total::default(),
        refunds: Total::default(),
        fee: Fen::ZERO,
        unknown_columns: Vec::new(),
    };
    let mut footer = Footer::default();
    let mut table: Option<(Header, Columns)> = None;
    let mut fields: Vec<&str> = Vec::new();
    let mut last = 1;
    for (line, text) in lines(text) {
        let text = text.trim_matches([' ', '\r', '\u{feff}']);
        if text.trim().is_empty() {
            continue;
        }
        last = line;
        if let Some(comment) = text.strip_prefix('#') {
            totals.stated_day = totals.stated_day.or_else(|| stated_day(comment));
            footer.read(line, comment)?;
            continue;
        }
        if footer.has_begun() {
            return Err(BillError::field(line, "(all)", "a row stands after the footer"));
        }
        let Some((header, columns)) = &table else {
            let header = Header::read(line, text)?;
            let columns = Columns::find(line, &header)?;
            totals.unknown_columns = header.unknown(row::KNOWN);
            table = Some((header, columns));
            continue;
        };
        split(text, header.width(), &mut fields);
        if fields.len() != header.width() {
            return Err(wrong_width(line, fields.len(), header.width()));
        }
        let row = Row { line, fields: &fields };
        let read = columns.read(&row)?;
        footer.add(read.direction, columns.received(&row)?, columns.discount(&row)?);
        count(&mut totals, &read).ok_or_else(|| {
            BillError::field(line, "订单金额", "the sum of the file does not fit")
        })?;
        each(read);
    }
    footer.finish(last, &mut totals)?;
    Ok(totals)
}

/// Splits at commas. Whether Alipay quotes a comma inside a field is documented nowhere; where the
/// plain way gives the wrong number of fields and there are quotes, they are taken for quotes.
fn split<'a>(line: &'a str, width: usize, fields: &mut Vec<&'a str>) {
    fields.clear();
    fields.extend(line.split(',').map(trim));
    if fields.len() == width || !line.contains('"') {
        return;
    }
    fields.clear();
    let mut rest = line;
    loop {
        let quoted = rest.strip_prefix('"').and_then(|inner| inner.split_once('"'));
        let (field, after) = match quoted {
            Some((field, after)) => (field, after.trim_start_matches(['\t', ' '])),
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        fields.push(trim(field));
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return,
        }
    }
}

fn wrong_width(line: u64, has: usize, width: usize) -> BillError {
    let fault = format!("it has {has} columns where the header has {width}");
    BillError::field(line, "(all)", fault)
}

fn trim(field: &str) -> &str {
    field.trim_matches(|c: char| c.is_whitespace())
}

fn count(totals: &mut BillTotals, row: &BillRow<'_>) -> Option<()> {
    let total = match row.direction {
        Direction::Payment => &mut totals.payments,
        Direction::Refund => &mut totals.refunds,
    };
    total.count = total.count.saturating_add(1);
    total.amount_fen = total.amount_fen.plus(row.amount)?;
    totals.fee = totals.fee.plus(row.fee.unwrap_or_default())?;
    Some(())
}

/// The day of `起始日期：[2019年09月16日 00:00:00]   终止日期：[…]`.
fn stated_day(comment: &str) -> Option<Date> {
    let (_, rest) = comment.split_once("起始日期")?;
    let (_, rest) = rest.split_once('[')?;
    let (year, rest) = rest.split_once('年')?;
    let (month, rest) = rest.split_once('月')?;
    let (day, _) = rest.split_once('日')?;
    Date::new(year.trim().parse().ok()?, month.trim().parse().ok()?, day.trim().parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_stands_in_the_head() {
        let head = "起始日期：[2019年09月16日 00:00:00]   终止日期：[2019年09月17日 00:00:00]";
        assert_eq!(stated_day(head), Some(jiff::civil::date(2019, 9, 16)));
        assert_eq!(stated_day("起始日期：[]"), None);
        assert_eq!(stated_day("导出时间：[2019年09月17日 05:46:49]"), None);
    }

    #[test]
    fn a_quoted_comma_does_not_make_a_column() {
        let mut fields = Vec::new();
        split("1\t,\"a,b\",c", 3, &mut fields);
        assert_eq!(fields, ["1", "a,b", "c"]);
        split("1\t,\"a\",c", 3, &mut fields);
        assert_eq!(fields, ["1", "\"a\"", "c"]);
        split("1,2", 3, &mut fields);
        assert_eq!(fields, ["1", "2"]);
    }
}
