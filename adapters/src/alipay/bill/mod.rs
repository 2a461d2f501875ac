//! Alipay's trade bill (业务明细): comment lines begin with `#`, ids end in a tab, and two of the
//! comments at the end (交易合计, 退款合计) are its control totals.

mod footer;
pub(crate) mod fund_flow;
mod row;

use domain::bill::{BillRow, BillTotals, Coverage, Direction, Total};
use domain::money::Fen;
use domain::provider::Provider;
use domain::time::check_day;
use jiff::civil::{Date, DateTime, Time};

use crate::bill::BillError;
use crate::bill::table::{Fields, Header, Row, lines};
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
    let mut reading = Reading::default();
    for (line, text) in lines(text) {
        reading.line(line, text, each)?;
    }
    reading.finish()
}

/// A bill while it is read, line by line.
pub(crate) struct Reading {
    totals: BillTotals,
    footer: Footer,
    table: Option<(Header, Columns)>,
    /// Room for one line's fields.
    fields: Fields,
    last: u64,
}

impl Default for Reading {
    fn default() -> Self {
        let totals = BillTotals {
            provider: Provider::Alipay,
            stated_day: None,
            last_day: None,
            covers: Coverage::BOTH,
            footer: Vec::new(),
            footer_ok: false,
            footer_fault: None,
            payments: Total::default(),
            refunds: Total::default(),
            fee: Fen::ZERO,
            unknown_columns: Vec::new(),
        };
        Self { totals, footer: Footer::default(), table: None, fields: Fields::default(), last: 1 }
    }
}

impl Reading {
    /// Takes the next line of the file.
    pub(crate) fn line(
        &mut self,
        line: u64,
        text: &str,
        each: &mut dyn FnMut(BillRow<'_>),
    ) -> Result<(), BillError> {
        let text = text.trim_matches([' ', '\r', '\u{feff}']);
        if text.trim().is_empty() {
            return Ok(());
        }
        self.last = line;
        if let Some(comment) = text.strip_prefix('#') {
            self.days(line, comment)?;
            return self.footer.read(line, comment);
        }
        if self.footer.has_begun() {
            return Err(BillError::field(line, "(all)", "a row stands after the footer"));
        }
        let Some((header, columns)) = &self.table else {
            let header = Header::read(line, text)?;
            let columns = Columns::find(line, &header)?;
            self.totals.unknown_columns = header.unknown(row::KNOWN);
            self.table = Some((header, columns));
            return Ok(());
        };
        let mut fields = self.fields.lend();
        split(text, header.width(), &mut fields);
        if fields.len() != header.width() {
            return Err(wrong_width(line, fields.len(), header.width()));
        }
        let row = Row { line, fields: &fields };
        let read = columns.read(&row)?;
        self.footer.add(read.direction, columns.received(&row)?, columns.discount(&row)?);
        count(&mut self.totals, &read).ok_or_else(|| {
            BillError::field(line, "订单金额", "the sum of the file does not fit")
        })?;
        each(read);
        self.fields.keep(fields);
        Ok(())
    }

    /// Takes the days that the head states.
    fn days(&mut self, line: u64, comment: &str) -> Result<(), BillError> {
        let Some(Span { first, last }) = Span::read(comment) else { return Ok(()) };
        if self.totals.stated_day.is_none() {
            check_day(first).map_err(|fault| BillError::field(line, "起始日期", fault))?;
            self.totals.stated_day = Some(first);
            self.totals.last_day = Some(last).filter(|last| *last != first);
        }
        Ok(())
    }

    /// Whether the line of names was read.
    pub(crate) const fn has_begun(&self) -> bool {
        self.table.is_some()
    }

    /// Ends the file: what it says of itself, if it is whole.
    pub(crate) fn finish(self) -> Result<BillTotals, BillError> {
        let Self { mut totals, footer, last, .. } = self;
        footer.finish(last, &mut totals)?;
        Ok(totals)
    }
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

/// The days of `起始日期：[2019年09月16日 00:00:00]   终止日期：[2019年09月17日 00:00:00]`.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    first: Date,
    last: Date,
}

impl Span {
    /// An end that cannot be read says nothing.
    fn read(comment: &str) -> Option<Self> {
        let first = wall(comment.split_once("起始日期")?.1)?.date();
        let end = comment.split_once("终止日期").and_then(|(_, rest)| wall(rest));
        let last = end.map_or(first, |end| match end.time() {
            // The midnight at which the last day ends.
            time if time == Time::midnight() => end.date().yesterday().unwrap_or(first),
            _ => end.date(),
        });
        Some(Self { first, last: last.max(first) })
    }
}

/// The first time in brackets.
fn wall(text: &str) -> Option<DateTime> {
    let (_, rest) = text.split_once('[')?;
    let (text, _) = rest.split_once(']')?;
    let (year, rest) = text.split_once('年')?;
    let (month, rest) = rest.split_once('月')?;
    let (day, time) = rest.split_once('日')?;
    let date = Date::new(number(year)?, number(month)?, number(day)?).ok()?;
    let mut time = time.trim().splitn(3, ':');
    let mut part = || match time.next() {
        None | Some("") => Some(0),
        Some(part) => number(part),
    };
    date.at(0, 0, 0, 0).with().hour(part()?).minute(part()?).second(part()?).build().ok()
}

fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_stands_in_the_head() {
        let span = |first: &str, last: &str| {
            Some(Span { first: first.parse().unwrap(), last: last.parse().unwrap() })
        };
        for (end, last) in [
            ("2019年09月17日 00:00:00", "2019-09-16"),
            ("2019年09月16日 23:59:59", "2019-09-16"),
            ("2019年09月17日 00:00:01", "2019-09-17"),
            ("2019年09月18日 00:00:00", "2019-09-17"),
            ("2019年09月18日", "2019-09-17"),
            ("2019年09月01日 00:00:00", "2019-09-16"),
            ("", "2019-09-16"),
        ] {
            let head = format!("起始日期：[2019年09月16日 00:00:00]   终止日期：[{end}]");
            assert_eq!(Span::read(&head), span("2019-09-16", last), "{end}");
        }
        assert_eq!(
            Span::read("起始日期：[2019年09月16日 00:00:00]"),
            span("2019-09-16", "2019-09-16")
        );
        assert_eq!(Span::read("起始日期：[]"), None);
        assert_eq!(Span::read("导出时间：[2019年09月17日 05:46:49]"), None);
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
