//! Reads a bank statement (银行流水): every row or none. All that is wrong is told at once, each with
//! its row and column; a cell that names a person or an account is never repeated.

use std::collections::BTreeMap;

use csv::{ByteRecord, ReaderBuilder};
use domain::Fen;
use domain::personal::Personal;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The columns, in whatever order the header has them; others are not read.
pub const COLUMNS: [&str; 7] = [
    "bank_serial",
    "value_date",
    "direction",
    "amount_fen",
    "reference",
    "counter_name",
    "counter_account",
];
/// The most rows of one statement.
pub const MOST_ROWS: usize = 10_000;
/// The most faults that are told of one statement.
pub const MOST_FAULTS: usize = 200;
/// The day before which no value date is: an older one is a slip of the pen.
const EARLIEST: Date = Date::constant(2010, 1, 1);
/// The largest amount of a row: 10^12 fen.
const LARGEST: i64 = 1_000_000_000_000;
/// The longest serial, and the longest of any other text, in characters.
const LONGEST: (usize, usize) = (64, 200);
/// What some programs write before the first byte of UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Which way the money of a row went (收付方向).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Into the office's account (收).
    In,
    /// Out of it (付).
    Out,
}

impl Way {
    /// Its word in the file and the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// A row of a bank statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankRow {
    /// The line of the file on which it begins; the header is line 1.
    pub row: u64,
    /// The bank's own number of it, unique for ever.
    pub bank_serial: String,
    /// On which day the money counts.
    pub value_date: Date,
    /// Which way it went.
    pub way: Way,
    /// How much.
    pub amount: Fen,
    /// What the bank says of it.
    pub reference: String,
    /// Who stands on the other side.
    pub counter_name: Personal,
    /// His account.
    pub counter_account: Personal,
}

impl BankRow {
    /// All that it says, each part with its length, so that no two rows read the same.
    #[must_use]
    pub fn content(&self) -> Vec<u8> {
        let (date, amount) = (self.value_date.to_string(), self.amount.get().to_string());
        let parts = [
            self.bank_serial.as_str(),
            &date,
            self.way.as_str(),
            &amount,
            &self.reference,
            self.counter_name.clear(),
            self.counter_account.clear(),
        ];
        let mut content = Vec::new();
        for part in parts {
            content.extend_from_slice(format!("{}:", part.len()).as_bytes());
            content.extend_from_slice(part.as_bytes());
        }
        content
    }
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowFault {
    /// The line of the file on which the row begins.
    pub row: u64,
    /// In which column.
    pub column: &'static str,
    /// What, and what is asked for.
    pub detail: String,
}

impl RowFault {
    /// A fault at a cell.
    #[must_use]
    pub fn new(row: u64, column: &'static str, detail: impl Into<String>) -> Self {
        Self { row, column, detail: detail.into() }
    }
}

/// A statement without a fault.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// Its rows, each serial once.
    pub rows: Vec<BankRow>,
}

/// Reads a statement of which no row may be of a day after `latest`.
///
/// # Errors
/// Everything that is wrong, in the order of the rows, up to [`MOST_FAULTS`].
pub fn read(file: &[u8], latest: Date) -> Result<Statement, Vec<RowFault>> {
    let text = file.strip_prefix(BOM).unwrap_or(file);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut record = ByteRecord::new();
    let mut columns: Option<[usize; COLUMNS.len()]> = None;
    let mut found =
        Reading { latest, width: 0, statement: Statement::default(), faults: Vec::new() };
    let (mut seen, mut lines, mut rows) = (BTreeMap::new(), Lines::of(text), 0_usize);
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            // Bytes in memory do not fail, and rows of any width are taken.
            Err(error) => return Err(vec![RowFault::new(1, "bank_serial", error.to_string())]),
        }
        let row = lines.at(record.position().map_or(0, csv::Position::byte));
        let Some(places) = columns else {
            columns = Some(header(&record)?);
            found.width = record.len();
            continue;
        };
        if found.faults.len() >= MOST_FAULTS {
            let detail = format!("and more: only the first {MOST_FAULTS} faults are told");
            found.faults.push(RowFault::new(row, "bank_serial", detail));
            break;
        }
        rows = rows.saturating_add(1);
        if rows > MOST_ROWS {
            let detail = format!("a statement has at most {MOST_ROWS} rows; hand it in in parts");
            found.faults.push(RowFault::new(row, "bank_serial", detail));
            break;
        }
        if let Some(read) = found.row(row, &record, &places) {
            found.keep(read, &mut seen);
        }
    }
    if columns.is_none() {
        return Err(vec![RowFault::new(
            1,
            "bank_serial",
            "the file is empty: a header is asked for",
        )]);
    }
    if found.faults.is_empty() && lines.ends_in_a_quote() {
        let detail = "the file ends inside a quoted cell: a quote is not closed";
        found.faults.push(RowFault::new(lines.line, "bank_serial", detail));
    }
    if found.faults.is_empty() { Ok(found.statement) } else { Err(found.faults) }
}

/// The lines of a file, counted forwards.
struct Lines<'f> {
    text: &'f [u8],
    at: usize,
    line: u64,
}

impl<'f> Lines<'f> {
    const fn of(text: &'f [u8]) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line on which the record begins that is read from a byte on: behind the end of the line
    /// before it, and behind empty lines.
    fn at(&mut self, byte: u64) -> u64 {
        let mut to = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        while matches!(self.text.get(to), Some(b'\r' | b'\n')) {
            to = to.saturating_add(1);
        }
        let passed = self.text.get(self.at..to).unwrap_or_default();
        let ends = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u64::try_from(ends).unwrap_or(u64::MAX));
        self.at = to.max(self.at);
        self.line
    }

    /// Whether the last record begins a quoted cell that nothing closes.
    fn ends_in_a_quote(&self) -> bool {
        let (mut is_begin, mut is_quoted, mut is_over) = (true, false, false);
        for byte in self.text.get(self.at..).unwrap_or_default() {
            match byte {
                b'"' if is_begin => (is_begin, is_quoted, is_over) = (false, true, false),
                // Inside a quoted cell a quote that stands twice is one, and one alone ends it.
                b'"' if is_quoted => is_over = !is_over,
                b',' | b'\n' if !is_quoted || is_over => {
                    (is_begin, is_quoted, is_over) = (true, false, false);
                }
                _ => is_begin = false,
            }
        }
        is_quoted && !is_over
    }
}

/// Where each column stands.
fn header(record: &ByteRecord) -> Result<[usize; COLUMNS.len()], Vec<RowFault>> {
    let mut places = [0; COLUMNS.len()];
    let mut faults = Vec::new();
    for (column, place) in COLUMNS.into_iter().zip(&mut places) {
        let mut named =
            record.iter().enumerate().filter(|(_, cell)| cell.trim_ascii() == column.as_bytes());
        match (named.next(), named.next()) {
            (Some((at, _)), None) => *place = at,
            (Some(_), Some(_)) => {
                faults.push(RowFault::new(1, column, "stands twice in the header"));
            }
            (None, _) => faults.push(RowFault::new(1, column, "is missing in the header")),
        }
    }
    if faults.is_empty() { Ok(places) } else { Err(faults) }
}

struct Reading {
    latest: Date,
    /// How many cells the header has.
    width: usize,
    statement: Statement,
    faults: Vec<RowFault>,
}

impl Reading {
    fn fault<T>(&mut self, row: u64, column: &'static str, detail: impl Into<String>) -> Option<T> {
        self.faults.push(RowFault::new(row, column, detail));
        None
    }

    /// A row, if all of it is right; every cell is looked at.
    fn row(
        &mut self,
        row: u64,
        record: &ByteRecord,
        places: &[usize; COLUMNS.len()],
    ) -> Option<BankRow> {
        if record.len() > self.width {
            let detail = format!(
                "the row has {} cells and the header {}: put a cell with a comma into quotes",
                record.len(),
                self.width
            );
            return self.fault(row, "bank_serial", detail);
        }
        // What is not read may still hide rows behind a quote that is not closed.
        let holds_a_line = |cell: &[u8]| cell.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
        let others = record.iter().enumerate().filter(|(at, _)| !places.contains(at));
        if others.into_iter().any(|(_, cell)| holds_a_line(cell)) {
            let detail =
                "a cell beside those that are read holds the end of a line: is a quote not closed?";
            return self.fault(row, "bank_serial", detail);
        }
        let [serial, date, way, amount, reference, name, account] = places;
        let (serial_most, text_most) = LONGEST;
        let serial = self.text(row, "bank_serial", record.get(*serial), serial_most);
        let serial = serial.and_then(|serial| {
            if serial.is_empty() || serial.contains(char::is_whitespace) {
                let detail = format!("must have 1 to {serial_most} characters and no blanks");
                return self.fault(row, "bank_serial", detail);
            }
            Some(serial)
        });
        let date = self.text(row, "value_date", record.get(*date), text_most);
        let date = date.and_then(|text| self.date(row, &text));
        let way = self.text(row, "direction", record.get(*way), text_most);
        let way = way.and_then(|text| match text.as_str() {
            "in" => Some(Way::In),
            "out" => Some(Way::Out),
            _ => self.fault(row, "direction", "must be in or out"),
        });
        let amount = self.text(row, "amount_fen", record.get(*amount), text_most);
        let amount = amount.and_then(|text| self.amount(row, &text));
        let reference = self.text(row, "reference", record.get(*reference), text_most);
        let name = self.text(row, "counter_name", record.get(*name), text_most);
        let account = self.text(row, "counter_account", record.get(*account), serial_most);
        Some(BankRow {
            row,
            bank_serial: serial?,
            value_date: date?,
            way: way?,
            amount: amount?,
            reference: reference?,
            counter_name: Personal::new(name?),
            counter_account: Personal::new(account?),
        })
    }

    /// A cell without the blanks around it.
    fn text(
        &mut self,
        row: u64,
        column: &'static str,
        cell: Option<&[u8]>,
        most: usize,
    ) -> Option<String> {
        let Some(cell) = cell else {
            return self.fault(row, column, "is missing: the row has fewer cells than the header");
        };
        let Ok(text) = std::str::from_utf8(cell) else {
            return self.fault(row, column, "is not UTF-8");
        };
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return self.fault(row, column, "holds a control character");
        }
        if text.chars().count() > most {
            return self.fault(row, column, format!("has more than {most} characters"));
        }
        Some(text.to_owned())
    }

    fn date(&mut self, row: u64, text: &str) -> Option<Date> {
        let date = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten();
        match date {
            None => self.fault(row, "value_date", "must be a day as YYYY-MM-DD"),
            Some(date) if date > self.latest => {
                self.fault(row, "value_date", format!("is after today, {}", self.latest))
            }
            Some(date) if date < EARLIEST => {
                self.fault(row, "value_date", format!("is before {EARLIEST}"))
            }
            Some(date) => Some(date),
        }
    }

    fn amount(&mut self, row: u64, text: &str) -> Option<Fen> {
        let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let amount = is_digits.then(|| text.parse::<i64>().ok()).flatten();
        match amount.filter(|fen| (1..=LARGEST).contains(fen)) {
            Some(fen) => Some(Fen::new(fen)),
            None => {
                let detail = format!("must be whole fen, 1 to {LARGEST}, without sign or point");
                self.fault(row, "amount_fen", detail)
            }
        }
    }

    /// Keeps a row, once a serial.
    fn keep(&mut self, read: BankRow, seen: &mut BTreeMap<String, u64>) {
        match seen.get(&read.bank_serial) {
            None => {
                seen.insert(read.bank_serial.clone(), read.row);
                self.statement.rows.push(read);
            }
            Some(first) => {
                let detail = format!("stands in row {first} already");
                self.faults.push(RowFault::new(read.row, "bank_serial", detail));
            }
        }
    }
}

#[cfg(test)]
mod tests;
