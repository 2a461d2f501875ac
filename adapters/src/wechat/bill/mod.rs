//! WeChat Pay's trade bill (交易账单): a backtick before every field, no quoting, two footer lines.
//! One reader for its variants ALL, SUCCESS and REFUND, and for the column names of older files.

mod footer;
pub(crate) mod fund_flow;
mod row;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::bill::{BillRow, BillTotals, Coverage, Direction, Total};
use domain::money::Fen;
use domain::provider::Provider;
use memchr::memchr_iter;

use crate::bill::BillError;
use crate::bill::table::{Fields, Header, Row, lines, whole_lines};
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
    let mut reading = Reading::default();
    for (line, text) in lines(text) {
        reading.line(line, text, each)?;
    }
    reading.finish()
}

/// A bill while it is read, line by line.
#[derive(Default)]
pub(crate) struct Reading {
    table: Option<Table>,
    footer: Option<Footer>,
    /// Whether the footer's line of numbers was read: nothing may follow.
    is_whole: bool,
    /// A line of the wrong width: where another follows, it is broken, else the file is cut.
    short: Option<(u64, usize, usize)>,
    /// Room for one line's fields.
    fields: Fields,
    last: u64,
}

struct Table {
    shape: Arc<Shape>,
    part: Part,
    totals: BillTotals,
}

/// How the rows of a file are written.
pub(crate) struct Shape {
    width: usize,
    columns: Columns,
}

/// What some rows of a file add up to.
#[derive(Default)]
pub(crate) struct Part {
    sums: footer::Sums,
    payments: Total,
    refunds: Total,
    fee: Fen,
}

/// Rows that were read together.
#[derive(Default)]
pub(crate) struct Stretch {
    /// What they add up to.
    pub(crate) part: Part,
    /// How many bytes and lines they are.
    pub(crate) bytes: usize,
    pub(crate) lines: u64,
    /// Where some of the lines begin among the bytes.
    pub(crate) marks: Vec<(u64, usize)>,
}

/// Of so many lines one is marked.
const MARKED: u64 = 32;

impl Table {
    fn read(line: u64, names: &str) -> Result<Self, BillError> {
        let header = Header::read(line, names)?;
        let columns = Columns::find(line, &header)?;
        let totals = BillTotals {
            provider: Provider::Wechat,
            stated_day: None,
            last_day: None,
            covers: columns.covers(),
            footer: Vec::new(),
            footer_ok: false,
            footer_fault: None,
            payments: Total::default(),
            refunds: Total::default(),
            fee: Fen::ZERO,
            unknown_columns: header.unknown(row::KNOWN),
        };
        let shape = Arc::new(Shape { width: header.width(), columns });
        Ok(Self { shape, part: Part::default(), totals })
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
        if text.trim_ascii().is_empty() || text.trim().is_empty() {
            return Ok(());
        }
        if let Some((line, found, wanted)) = self.short {
            return Err(wrong_width(line, found, wanted, false));
        }
        self.last = line;
        let Some(table) = &mut self.table else {
            self.table = Some(Table::read(line, text)?);
            return Ok(());
        };
        if self.is_whole {
            return Err(BillError::field(line, "(all)", "something stands after the footer"));
        }
        if let Some(footer) = &self.footer {
            footer.compare(line, text, &table.part.sums, &mut table.totals)?;
            self.is_whole = true;
            return Ok(());
        }
        if let Some(footer) = Footer::begins(text) {
            self.footer = Some(footer);
            return Ok(());
        }
        let mut fields = self.fields.lend();
        split(text, &mut fields);
        if fields.len() == table.shape.width {
            let row = Row { line, fields: &fields };
            each(table.part.row(&table.shape.columns, &row)?);
        } else {
            self.short = Some((line, fields.len(), table.shape.width));
        }
        self.fields.keep(fields);
        Ok(())
    }

    /// How the rows are written that follow, while nothing but rows came.
    pub(crate) fn shape(&self) -> Option<&Arc<Shape>> {
        let table = self.table.as_ref()?;
        (self.footer.is_none() && self.short.is_none()).then_some(&table.shape)
    }

    /// Takes rows that were read elsewhere, up to this line; `false` where they do not fit.
    pub(crate) fn join(&mut self, part: &Part, last: u64) -> bool {
        let Some(table) = &mut self.table else { return false };
        let Some(both) = table.part.and(part) else { return false };
        table.part = both;
        self.last = self.last.max(last);
        true
    }

    /// Whether the line of names was read.
    pub(crate) const fn has_begun(&self) -> bool {
        self.table.is_some()
    }

    /// Ends the file: what it says of itself, if it is whole.
    pub(crate) fn finish(self) -> Result<BillTotals, BillError> {
        let Some(table) = self.table else {
            return Err(BillError::cut(1, "it has no line at all"));
        };
        if let Some((line, found, wanted)) = self.short {
            return Err(wrong_width(line, found, wanted, true));
        }
        match (self.footer, self.is_whole) {
            (Some(_), true) => {
                let Part { payments, refunds, fee, .. } = table.part;
                Ok(BillTotals { payments, refunds, fee, ..table.totals })
            }
            (Some(_), false) => {
                Err(BillError::cut(self.last, "the footer's line of numbers is missing"))
            }
            (None, _) => Err(BillError::cut(self.last, "its footer (总交易单数 …) is missing")),
        }
    }
}

impl Shape {
    /// Reads rows of whole lines until one that is no ordinary row, which only [`Reading::line`] can
    /// judge.
    pub(crate) fn rows(
        &self,
        text: &str,
        first: u64,
        each: &mut dyn FnMut(BillRow<'_>),
    ) -> Stretch {
        let (mut done, mut fields) = (Stretch::default(), Vec::new());
        for (text, end) in whole_lines(text) {
            let is_ordinary = match text.as_bytes() {
                [b'`', digit, ..] | [digit, ..] => digit.is_ascii_digit(),
                [] => false,
            };
            if !is_ordinary {
                break;
            }
            split(text, &mut fields);
            if fields.len() != self.width {
                break;
            }
            let line = first.saturating_add(done.lines);
            let row = Row { line, fields: &fields };
            let Ok(read) = done.part.row(&self.columns, &row) else { break };
            each(read);
            if done.lines.checked_rem(MARKED) == Some(0) {
                done.marks.push((line, done.bytes));
            }
            (done.bytes, done.lines) = (end, done.lines.saturating_add(1));
        }
        done
    }
}

impl Part {
    /// Reads a row and counts it.
    fn row<'a>(&mut self, columns: &Columns, row: &Row<'_, 'a>) -> Result<BillRow<'a>, BillError> {
        const TOO_MUCH: &str = "the sum of the file does not fit";
        let read = columns.read(row)?;
        let amounts = columns.amounts(row)?;
        self.count(&read).ok_or_else(|| BillError::field(row.line, "订单金额", TOO_MUCH))?;
        self.sums.add(read.direction, &amounts);
        Ok(read)
    }

    fn count(&mut self, row: &BillRow<'_>) -> Option<()> {
        let total = match row.direction {
            Direction::Payment => &mut self.payments,
            Direction::Refund => &mut self.refunds,
        };
        let amount_fen = total.amount_fen.plus(row.amount)?;
        self.fee = self.fee.plus(row.fee.unwrap_or_default())?;
        *total = Total { count: total.count.saturating_add(1), amount_fen };
        Some(())
    }

    /// Both together, if that fits.
    fn and(&self, other: &Self) -> Option<Self> {
        let both = |one: Total, other: Total| {
            let amount_fen = one.amount_fen.plus(other.amount_fen)?;
            Some(Total { count: one.count.saturating_add(other.count), amount_fen })
        };
        Some(Self {
            sums: self.sums.and(&other.sums),
            payments: both(self.payments, other.payments)?,
            refunds: both(self.refunds, other.refunds)?,
            fee: self.fee.plus(other.fee)?,
        })
    }
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

/// Splits `` `a,`b `` at `` ,` ``; a line whose backticks an editor has removed, at commas. What
/// stands around a field is trimmed where it is looked at.
pub(super) fn split<'a>(line: &'a str, fields: &mut Vec<&'a str>) {
    fields.clear();
    let Some(rest) = line.strip_prefix('`') else {
        fields.extend(line.split(','));
        return;
    };
    let mut start = 0_usize;
    let mut push = |start: usize, end: usize| fields.push(rest.get(start..end).unwrap_or_default());
    for at in memchr_iter(b',', rest.as_bytes()) {
        let after = at.saturating_add(1);
        if rest.as_bytes().get(after) == Some(&b'`') {
            push(start, at);
            start = after.saturating_add(1);
        }
    }
    push(start, rest.len());
}

pub(super) fn wrong_width(line: u64, found: usize, wanted: usize, is_last: bool) -> BillError {
    let fault = format!("it has {found} columns where the header has {wanted}");
    if is_last { BillError::cut(line, fault) } else { BillError::field(line, "(all)", fault) }
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
