//! A ledger file in its usual form, line by line: UTF-8, nothing quoted, as many fields in each line
//! as the first has. What is written otherwise, or is wrong, is left to the reader of CSV.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memchr2, memrchr};

use super::LedgerLine;
use super::file::Columns;

/// How much is read at a time.
const BLOCK: usize = 256 << 10;

/// Where the fields of one line end.
#[derive(Default)]
pub(super) struct Line(Vec<usize>);

impl Line {
    /// The row of a line without its end, if it is in the usual form.
    fn row<'a>(&mut self, text: &'a str, columns: &Columns) -> Option<LedgerLine<'a>> {
        self.0.clear();
        self.0.extend(memchr_iter(b',', text.as_bytes()));
        self.0.push(text.len());
        if self.0.len() != columns.1 {
            return None;
        }
        let field = |index: usize| {
            let end = *self.0.get(index)?;
            let start = match index.checked_sub(1) {
                Some(before) => self.0.get(before)?.saturating_add(1),
                None => 0,
            };
            text.get(start..end)
        };
        columns.row(0, field).ok()
    }
}

/// Hands each row with the place where it begins to `each`, from `place` on, where `input` stands.
/// Whether that was all: it ends before the first line that is not in the usual form.
pub(super) fn rows(
    input: &mut impl Read,
    columns: &Columns,
    mut place: u64,
    each: &mut dyn FnMut(&LedgerLine<'_>, u64),
) -> io::Result<bool> {
    let mut buffer = vec![0; BLOCK];
    let (mut filled, mut line) = (0_usize, Line::default());
    loop {
        let room = buffer.get_mut(filled..).unwrap_or_default();
        let read = match input.read(room) {
            Ok(read) => read,
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => continue,
            Err(fault) => return Err(fault),
        };
        filled = filled.saturating_add(read);
        let have = buffer.get(..filled).unwrap_or_default();
        let whole = if read == 0 { filled } else { memrchr(b'\n', have).map_or(0, next) };
        if whole == 0 && read != 0 {
            if filled == buffer.len() {
                return Ok(false);
            }
            continue;
        }
        if !block(have.get(..whole).unwrap_or_default(), columns, &mut line, place, each) {
            return Ok(false);
        }
        if read == 0 {
            return Ok(true);
        }
        place = place.saturating_add(u64::try_from(whole).unwrap_or(u64::MAX));
        buffer.copy_within(whole..filled, 0);
        filled = filled.saturating_sub(whole);
    }
}

/// Hands on the rows of whole lines; whether they all were in the usual form.
fn block(
    bytes: &[u8],
    columns: &Columns,
    line: &mut Line,
    mut place: u64,
    each: &mut dyn FnMut(&LedgerLine<'_>, u64),
) -> bool {
    let Ok(mut rest) = std::str::from_utf8(bytes) else { return false };
    let is_quoted = memchr(b'"', bytes).is_some();
    while !rest.is_empty() {
        let end = memchr(b'\n', rest.as_bytes()).map_or(rest.len(), next);
        let Some((text, after)) = rest.split_at_checked(end) else { return false };
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if !text.is_empty() {
            if memchr(b'\r', text.as_bytes()).is_some() || is_quoted && text.contains('"') {
                return false;
            }
            let Some(row) = line.row(text, columns) else { return false };
            each(&row, place);
        }
        place = place.saturating_add(u64::try_from(end).unwrap_or(u64::MAX));
        rest = after;
    }
    true
}

/// The row that begins here, if its line is whole and in the usual form.
pub(super) fn first<'a>(
    bytes: &'a [u8],
    columns: &Columns,
    line: &mut Line,
) -> Option<LedgerLine<'a>> {
    let text = bytes.get(..memchr(b'\n', bytes)?)?;
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if memchr2(b'"', b'\r', text).is_some() {
        return None;
    }
    line.row(std::str::from_utf8(text).ok()?, columns)
}

/// The place behind this one.
fn next(place: usize) -> usize {
    place.saturating_add(1)
}
