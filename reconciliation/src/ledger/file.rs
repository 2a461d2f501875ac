//! A ledger as a CSV file (RFC 4180, UTF-8 with or without a byte order mark), columns by name.

use std::io::{self, BufRead as _, BufReader, Chain, Cursor, Read, Seek, SeekFrom};

use csv::{Position, ReaderBuilder, StringRecord};
use domain::bill::{Direction, number_fits};
use domain::money::Fen;
use domain::time::{business_day, check_day, from_beijing};
use jiff::Timestamp;
use jiff::civil::DateTime;

use super::{LedgerLine, LedgerRow, LedgerState, plain};

/// The columns of a ledger file; others are left alone.
pub const COLUMNS: [&str; 7] = [
    "kind",
    "out_trade_no",
    "out_refund_no",
    "provider_trade_no",
    "amount_fen",
    "state",
    "occurred_at",
];

/// Why a ledger file is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {fault}", .column.map(|column| format!(", column {column}")).unwrap_or_default())]
pub struct LedgerError {
    /// The line in the file, from 1.
    pub line: u64,
    /// The column's name, where one is at fault.
    pub column: Option<&'static str>,
    /// What is wrong, and how it is mended.
    pub fault: String,
}

/// Reads a ledger file whole, or says what is wrong with its first bad row.
///
/// # Errors
/// A missing or doubled column, an unknown word, an amount or a time that cannot be read.
pub fn read(bytes: &[u8]) -> Result<Vec<LedgerRow>, LedgerError> {
    let mut rows = Vec::new();
    stream(Cursor::new(bytes), &mut |row, _| rows.push(row.to_row()))?;
    Ok(rows)
}

/// Reads a ledger file of any size, handing each row to `each` with the place where it begins.
///
/// # Errors
/// As [`read`].
pub fn stream(
    mut input: impl Read + Seek,
    each: &mut dyn FnMut(&LedgerLine<'_>, u64),
) -> Result<(), LedgerError> {
    let unread = |fault: io::Error| broken(&fault.into());
    let (reader, columns, mark) = open(&mut input)?;
    let start = mark.saturating_add(reader.position().byte());
    drop(reader);
    input.seek(SeekFrom::Start(start)).map_err(unread)?;
    let mut given = 0_u64;
    let mut count = |row: &LedgerLine<'_>, place| {
        given = given.saturating_add(1);
        each(row, place);
    };
    if plain::rows(&mut input, &columns, start, &mut count).map_err(unread)? {
        return Ok(());
    }
    // What is written otherwise, or is wrong, is for the reader of CSV, from the first row that is.
    input.rewind().map_err(unread)?;
    let mut skipped = 0_u64;
    by_csv(&mut input, &mut |row, place| match skipped < given {
        true => skipped = skipped.saturating_add(1),
        false => each(row, place),
    })
}

/// Reads a file from its beginning, in whatever way it is quoted.
pub(super) fn by_csv(
    mut input: impl Read + Seek,
    each: &mut dyn FnMut(&LedgerLine<'_>, u64),
) -> Result<(), LedgerError> {
    let (mut reader, columns, mark) = open(&mut input)?;
    let mut record = StringRecord::new();
    let bad = loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => match columns.of(&record) {
                Ok(row) => each(&row, place(record.position()).saturating_add(mark)),
                Err(fault) => break (fault, place(record.position())),
            },
            Err(fault) => break (broken(&fault), place(fault.position())),
        }
    };
    drop(reader);
    let (mut fault, place) = bad;
    fault.line = fault.line.saturating_add(ends(&mut input, place.saturating_add(mark)));
    Err(fault)
}

fn place(position: Option<&Position>) -> u64 {
    position.map_or(0, Position::byte)
}

/// How many lines end before the row does begin: the CSV reader counts a row from the end of the
/// one before, with the blank lines between them.
fn ends(input: &mut (impl Read + Seek), place: u64) -> u64 {
    if input.seek(SeekFrom::Start(place)).is_err() {
        return 0;
    }
    let between = BufReader::with_capacity(SMALL, input).bytes().map_while(Result::ok);
    let blank = between.take_while(|byte| matches!(byte, b'\r' | b'\n'));
    blank.fold(0, |ends, byte| if byte == b'\n' { ends.saturating_add(1) } else { ends })
}

/// Reads the rows again that begin at these places, which [`stream`] told; best in order.
///
/// # Errors
/// As [`read`].
pub fn again(
    mut input: impl Read + Seek,
    places: &[u64],
    each: &mut dyn FnMut(&LedgerLine<'_>),
) -> Result<(), LedgerError> {
    let unread = |fault: io::Error| broken(&fault.into());
    input.rewind().map_err(unread)?;
    let (_, columns, _) = open(&mut input)?;
    let mut input = BufReader::with_capacity(NEAR, input);
    input.rewind().map_err(unread)?;
    let mut at = 0_u64;
    let mut record = StringRecord::new();
    let mut line = plain::Line::default();
    for place in places {
        // Near ones are in the buffer already.
        let step = i64::try_from(*place).unwrap_or(i64::MAX);
        let step = step.saturating_sub(i64::try_from(at).unwrap_or(i64::MAX));
        input.seek_relative(step).map_err(unread)?;
        at = *place;
        if let Some(row) = plain::first(input.fill_buf().map_err(unread)?, &columns, &mut line) {
            each(&row);
            continue;
        }
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .buffer_capacity(SMALL)
            .from_reader(Counted { input: &mut input, read: 0 });
        reader.read_record(&mut record).map_err(|fault| broken(&fault))?;
        at = place.saturating_add(reader.get_ref().read);
        each(&columns.of(&record)?);
    }
    Ok(())
}

/// How much is read at a time: of a file, of the rows around one, and for one row.
const BLOCK: usize = 256 << 10;
const NEAR: usize = 8 << 10;
const SMALL: usize = 1 << 10;

/// Counts what was read.
struct Counted<R> {
    input: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(room)?;
        self.read = self.read.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// A reader that stands behind the first line, the columns, and how long the byte order mark is.
type Opened<R> = (csv::Reader<Chain<Cursor<Vec<u8>>, R>>, Columns, u64);

fn open<R: Read>(mut input: R) -> Result<Opened<R>, LedgerError> {
    let mut head = Vec::new();
    input.by_ref().take(3).read_to_end(&mut head).map_err(|fault| broken(&fault.into()))?;
    let has_mark = head == b"\xEF\xBB\xBF";
    if has_mark {
        head.clear();
    }
    let input = Cursor::new(head).chain(input);
    let mut reader = ReaderBuilder::new().buffer_capacity(BLOCK).from_reader(input);
    let columns = Columns::find(reader.headers().map_err(|fault| broken(&fault))?)?;
    Ok((reader, columns, if has_mark { 3 } else { 0 }))
}

/// Where each of [`COLUMNS`] is, and how many columns there are.
pub(super) struct Columns([usize; 7], pub(super) usize);

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, LedgerError> {
        let mut found = [0; 7];
        for (slot, name) in found.iter_mut().zip(COLUMNS) {
            let mut there = header.iter().enumerate().filter(|(_, column)| column.trim() == name);
            let told = |fault: String| LedgerError { line: 1, column: Some(name), fault };
            let Some((index, _)) = there.next() else {
                let wanted = COLUMNS.join(",");
                return Err(told(format!("this column is missing; the first line names {wanted}")));
            };
            if there.next().is_some() {
                return Err(told("this column stands there twice; remove one".to_owned()));
            }
            *slot = index;
        }
        Ok(Self(found, header.len()))
    }

    fn of<'a>(&self, record: &'a StringRecord) -> Result<LedgerLine<'a>, LedgerError> {
        self.row(record.position().map_or(0, Position::line), |index| record.get(index))
    }

    /// The row of these fields.
    pub(super) fn row<'a>(
        &self,
        line: u64,
        field: impl Fn(usize) -> Option<&'a str>,
    ) -> Result<LedgerLine<'a>, LedgerError> {
        let field =
            |at: usize| trimmed(self.0.get(at).and_then(|index| field(*index)).unwrap_or_default());
        let bad = |at: usize, fault: String| LedgerError {
            line,
            column: COLUMNS.get(at).copied(),
            fault,
        };
        let direction = match field(0) {
            "payment" => Direction::Payment,
            "refund" => Direction::Refund,
            other => return Err(bad(0, format!("{other:?} is neither payment nor refund"))),
        };
        let state = LedgerState::of(direction, field(5)).ok_or_else(|| {
            let words = match direction {
                Direction::Payment => "pending, closed or paid",
                Direction::Refund => "processing, succeeded or failed",
            };
            bad(5, format!("{:?} is no state of a {}; write {words}", field(5), field(0)))
        })?;
        for at in [1, 2, 3] {
            number_fits(field(at)).map_err(|fault| bad(at, fault))?;
        }
        let row = LedgerLine {
            direction,
            out_trade_no: field(1),
            out_refund_no: match direction {
                Direction::Payment => "",
                Direction::Refund => field(2),
            },
            provider_trade_no: field(3),
            amount: amount(field(4)).map_err(|fault| bad(4, fault))?,
            state,
            occurred_at: time(field(6)).and_then(in_business).map_err(|fault| bad(6, fault))?,
        };
        if row.key().is_empty() && row.provider_trade_no.is_empty() {
            let at = if direction == Direction::Payment { 1 } else { 2 };
            return Err(bad(at, "the row has no number to be matched by; fill it in".to_owned()));
        }
        Ok(row)
    }
}

/// A text without the white space around it; nearly always there is none.
fn trimmed(text: &str) -> &str {
    let is_plain = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if is_plain(bytes.first()) && is_plain(bytes.last()) { text } else { text.trim() }
}

fn amount(text: &str) -> Result<Fen, String> {
    let fen = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok().map(Fen::new)
    } else {
        None
    };
    fen.filter(|fen| fen.is_payable()).ok_or_else(|| {
        format!("{text:?} is not a whole number of fen from 1 to 10000000000; 80.00 yuan is 8000")
    })
}

fn in_business(time: Timestamp) -> Result<Timestamp, String> {
    check_day(business_day(time)).map(|()| time)
}

fn time(text: &str) -> Result<Timestamp, String> {
    if let Some(time) = beijing_time(text) {
        return Ok(time);
    }
    text.parse().map_err(|fault: jiff::Error| {
        format!("{text:?} is not a time with offset like 2018-11-30T09:00:00+08:00 ({fault})")
    })
}

/// The usual form, `2018-11-30T09:00:00+08:00`, without asking for every other.
fn beijing_time(text: &str) -> Option<Timestamp> {
    let wall = text.strip_suffix("+08:00")?.as_bytes();
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if wall.len() != 19 || marks.iter().any(|(at, mark)| wall.get(*at) != Some(mark)) {
        return None;
    }
    let number = |at: std::ops::Range<usize>| {
        wall.get(at)?.iter().try_fold(0_i16, |number, digit| {
            let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
            number.checked_mul(10)?.checked_add(i16::from(digit))
        })
    };
    let part = |at| number(at).and_then(|part| i8::try_from(part).ok());
    let wall = DateTime::new(
        number(0..4)?,
        part(5..7)?,
        part(8..10)?,
        part(11..13)?,
        part(14..16)?,
        part(17..19)?,
        0,
    );
    Some(from_beijing(wall.ok()?))
}

/// A fault that the CSV reader found itself: the number of fields, or text that is not UTF-8.
fn broken(fault: &csv::Error) -> LedgerError {
    let line = fault.position().map_or(1, Position::line);
    let fault = if let csv::ErrorKind::UnequalLengths { expected_len, len, .. } = fault.kind() {
        format!("the row has {len} columns where the first line has {expected_len}")
    } else if let csv::ErrorKind::Utf8 { .. } = fault.kind() {
        "the text is not UTF-8; save the file as UTF-8".to_owned()
    } else {
        fault.to_string()
    };
    LedgerError { line, column: None, fault }
}
