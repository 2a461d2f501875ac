//! Lines and columns of a bill: columns are found by name, since providers add some and move
//! others, and a field that cannot be read is told with its line and column.

use domain::bill::number_fits;
use domain::time::{check_day, from_beijing};
use jiff::Timestamp;
use jiff::civil::DateTime;
use memchr::memchr;

use super::BillError;
use super::decimal::Decimal;
use domain::money::Fen;

/// A text's lines with their numbers from 1, without line ends.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1_u64..).zip(text.lines())
}

/// The lines of [`str::lines`], each with the place where it ends.
pub(crate) fn whole_lines(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut at = 0_usize;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let end = memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |end| end.saturating_add(1));
        let line = rest.get(..end).unwrap_or(rest);
        at = at.saturating_add(end);
        let bare = line.strip_suffix('\n').map(|bare| bare.strip_suffix('\r').unwrap_or(bare));
        Some((bare.unwrap_or(line), at))
    })
}

/// The columns of a file, in its order.
pub(crate) struct Header {
    names: Vec<String>,
}

/// A column that a reader found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    index: usize,
    /// Its name in the file, for whoever must be told.
    pub(crate) name: &'static str,
}

impl Header {
    /// Reads the line of names. The same name twice is refused: either could be meant.
    pub(crate) fn read(line: u64, text: &str) -> Result<Self, BillError> {
        let names: Vec<String> = text.split(',').map(plain).collect();
        for (index, name) in names.iter().enumerate() {
            if names.iter().skip(index.saturating_add(1)).any(|later| later == name) {
                return Err(BillError::field(line, name, "this column stands there twice"));
            }
        }
        Ok(Self { names })
    }

    /// How many columns there are.
    pub(crate) fn width(&self) -> usize {
        self.names.len()
    }

    /// The column of this name.
    pub(crate) fn find(&self, name: &'static str) -> Option<Column> {
        let wanted = plain(name);
        let index = self.names.iter().position(|there| *there == wanted)?;
        Some(Column { index, name })
    }

    /// The column of this name, without which the file is no bill.
    pub(crate) fn need(&self, line: u64, name: &'static str) -> Result<Column, BillError> {
        self.find(name).ok_or_else(|| BillError::field(line, name, "this column is missing"))
    }

    /// The names that a reader has never heard of.
    pub(crate) fn unknown(&self, known: &[&str]) -> Vec<String> {
        let known: Vec<String> = known.iter().map(|name| plain(name)).collect();
        self.names.iter().filter(|name| !known.contains(name)).cloned().collect()
    }

    /// Whether a text's first line of names has all of these.
    pub(crate) fn names_all(text: &str, wanted: &[&str]) -> bool {
        let names: Vec<String> = text.split(',').map(plain).collect();
        wanted.iter().all(|name| names.contains(&plain(name)))
    }
}

/// A name without what varies between files: blanks, tabs, backticks, full-width brackets.
pub(crate) fn plain(name: &str) -> String {
    name.trim_matches(|c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\u{feff}'))
        .replace('（', "(")
        .replace('）', ")")
}

/// A text without the white space around it; nearly always there is none.
fn trimmed(text: &str) -> &str {
    let is_plain = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if is_plain(bytes.first()) && is_plain(bytes.last()) { text } else { text.trim() }
}

/// Room for the fields of one line, kept from line to line.
#[derive(Default)]
pub(crate) struct Fields(Vec<&'static str>);

impl Fields {
    /// The room, empty.
    pub(crate) fn lend<'a>(&mut self) -> Vec<&'a str> {
        std::mem::take(&mut self.0)
    }

    /// Takes the room back.
    pub(crate) fn keep(&mut self, mut fields: Vec<&str>) {
        fields.clear();
        // Nothing is in it; what collects it takes over its room.
        self.0 = fields.into_iter().map(|_| "").collect();
    }
}

/// One line's fields.
pub(crate) struct Row<'r, 'a> {
    /// Its number in the file.
    pub(crate) line: u64,
    /// Its fields.
    pub(crate) fields: &'r [&'a str],
}

impl<'a> Row<'_, 'a> {
    /// The field as text, trimmed; empty when the file has no such column.
    pub(crate) fn text(&self, column: Option<Column>) -> &'a str {
        let field = column.and_then(|column| self.fields.get(column.index));
        field.map(|field| trimmed(field)).unwrap_or_default()
    }

    /// The field as the number of an order, a refund or a payment.
    pub(crate) fn id(&self, column: Option<Column>) -> Result<&'a str, BillError> {
        let text = self.text(column);
        let name = column.map_or("", |column| column.name);
        number_fits(text).map_err(|fault| BillError::field(self.line, name, fault))?;
        Ok(text)
    }

    /// Whether the row is in yuan, as far as the file says: a bill of yuan may lack the column.
    pub(crate) fn in_yuan(&self, column: Option<Column>) -> Result<(), BillError> {
        let (Some(column), text) = (column, self.text(column)) else { return Ok(()) };
        if matches!(text, "" | "CNY" | "人民币") {
            return Ok(());
        }
        let fault = format!("{text:?} is not CNY; only yuan are held against the ledger");
        Err(BillError::field(self.line, column.name, fault))
    }

    /// The field as a number; zero when the file has no such column or the field is empty.
    pub(crate) fn number(&self, column: Option<Column>) -> Result<Decimal, BillError> {
        let Some(named) = column else { return Ok(Decimal::default()) };
        let text = self.text(column);
        if matches!(text.as_bytes(), [] | [b'0', b'.', b'0', b'0']) {
            return Ok(Decimal::default());
        }
        Decimal::parse(text).ok_or_else(|| {
            BillError::field(self.line, named.name, format!("{text:?} is not a number of yuan"))
        })
    }

    /// The field as whole fen; empty is refused.
    pub(crate) fn fen(&self, column: Column) -> Result<Fen, BillError> {
        let text = self.text(Some(column));
        Decimal::parse(text).and_then(Decimal::fen).ok_or_else(|| {
            BillError::field(
                self.line,
                column.name,
                format!("{text:?} is not an amount in yuan with two decimals"),
            )
        })
    }

    /// The field as a time, `yyyy-MM-dd HH:mm:ss` in Beijing.
    pub(crate) fn time(&self, column: Column) -> Result<Timestamp, BillError> {
        let text = self.text(Some(column));
        let bad = |fault| BillError::field(self.line, column.name, fault);
        let wall = wall(text)
            .ok_or_else(|| bad(format!("{text:?} is not a time like 2018-11-30 09:00:00")))?;
        check_day(wall.date()).map_err(bad)?;
        Ok(from_beijing(wall))
    }
}

fn wall(text: &str) -> Option<DateTime> {
    let bytes = text.as_bytes();
    let marks = [(4, b'-'), (7, b'-'), (10, b' '), (13, b':'), (16, b':')];
    if bytes.len() != 19 || marks.iter().any(|(at, mark)| bytes.get(*at) != Some(mark)) {
        return None;
    }
    let part = |at| number(bytes, at).and_then(|part| i8::try_from(part).ok());
    DateTime::new(
        number(bytes, 0..4)?,
        part(5..7)?,
        part(8..10)?,
        part(11..13)?,
        part(14..16)?,
        part(17..19)?,
        0,
    )
    .ok()
}

/// These digits as a number.
fn number(bytes: &[u8], at: std::ops::Range<usize>) -> Option<i16> {
    bytes.get(at)?.iter().try_fold(0_i16, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(i16::from(digit))
    })
}
