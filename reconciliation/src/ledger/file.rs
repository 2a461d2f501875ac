//! A ledger as a CSV file (RFC 4180, UTF-8 with or without a byte order mark), columns by name.

use csv::{ReaderBuilder, StringRecord, Trim};
use domain::bill::Direction;
use domain::money::Fen;
use jiff::Timestamp;

use super::{LedgerRow, LedgerState};

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
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
    let columns = Columns::find(reader.headers().map_err(|fault| broken(&fault))?)?;
    let mut rows = Vec::new();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|fault| broken(&fault))? {
        rows.push(columns.row(&record)?);
    }
    Ok(rows)
}

/// Where each of [`COLUMNS`] is.
struct Columns([usize; 7]);

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, LedgerError> {
        let mut found = [0; 7];
        for (slot, name) in found.iter_mut().zip(COLUMNS) {
            let mut there = header.iter().enumerate().filter(|(_, column)| *column == name);
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
        Ok(Self(found))
    }

    fn row(&self, record: &StringRecord) -> Result<LedgerRow, LedgerError> {
        let field = |at: usize| {
            self.0.get(at).and_then(|index| record.get(*index)).unwrap_or_default().trim()
        };
        let line = record.position().map_or(0, csv::Position::line);
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
        let row = LedgerRow {
            direction,
            out_trade_no: field(1).to_owned(),
            out_refund_no: match direction {
                Direction::Payment => String::new(),
                Direction::Refund => field(2).to_owned(),
            },
            provider_trade_no: field(3).to_owned(),
            amount: amount(field(4)).map_err(|fault| bad(4, fault))?,
            state,
            occurred_at: time(field(6)).map_err(|fault| bad(6, fault))?,
        };
        if row.key().is_empty() && row.provider_trade_no.is_empty() {
            let at = if direction == Direction::Payment { 1 } else { 2 };
            return Err(bad(at, "the row has no number to be matched by; fill it in".to_owned()));
        }
        Ok(row)
    }
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

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|fault: jiff::Error| {
        format!("{text:?} is not a time with offset like 2018-11-30T09:00:00+08:00 ({fault})")
    })
}

/// A fault that the CSV reader found itself: the number of fields, or text that is not UTF-8.
fn broken(fault: &csv::Error) -> LedgerError {
    let line = fault.position().map_or(1, csv::Position::line);
    let fault = if let csv::ErrorKind::UnequalLengths { expected_len, len, .. } = fault.kind() {
        format!("the row has {len} columns where the first line has {expected_len}")
    } else if let csv::ErrorKind::Utf8 { .. } = fault.kind() {
        "the text is not UTF-8; save the file as UTF-8".to_owned()
    } else {
        fault.to_string()
    };
    LedgerError { line, column: None, fault }
}
