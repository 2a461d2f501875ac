//! A trade bill of any size, read as it comes: unpacked, decoded and cut into lines block by block,
//! so that a day of ten million rows needs no more memory than a small one. Line for line it says
//! what [`super::read`] says; a file whose encoding changes on the way is left to that one.

use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};

use domain::bill::{BillRow, BillTotals};

pub use super::blocks::LONGEST_TEXT;
use super::blocks::{Encoding, blocks, decoded, lines, open};
use super::crew::{Crew, Shared};
use super::{BillError, unrecognised};
use crate::{alipay, wechat};

/// How much is read at a time for one line.
const SMALL: usize = 16 << 10;

/// Why a file was not read to its end.
#[derive(Debug)]
pub enum StreamError {
    /// It is refused.
    Bill(BillError),
    /// It is not one text from end to end, block by block; only the whole of it can say what it is.
    NotOneText,
    /// The system could not read it.
    Read(io::Error),
}

impl From<BillError> for StreamError {
    fn from(fault: BillError) -> Self {
        Self::Bill(fault)
    }
}

/// Reads a trade bill, handing each row to `each`.
///
/// # Errors
/// As [`super::read`]; what `each` was given until then is to be thrown away.
pub fn read(
    file: &mut (impl Read + Seek),
    each: &mut dyn FnMut(BillRow<'_>),
) -> Result<BillTotals, StreamError> {
    let mut reading = None;
    open(file, &mut |head, input, encoding| {
        let mut all = Reading::of(head)?;
        lines(input, encoding, &mut |line, text| all.line(line, text, each).map(|()| true))?;
        reading = Some(all);
        Ok(())
    })?;
    finish(reading)
}

/// Reads a trade bill with a crew, whose rows come to `each` some together, in the file's order.
/// Where the file is not packed, it is also told where lines begin, for [`again_at`].
///
/// # Errors
/// As [`read`].
pub fn read_by<C: Crew>(
    file: &mut (impl Read + Seek),
    crew: &mut C,
    each: &mut dyn FnMut(C::Rows),
) -> Result<(BillTotals, Option<Marks>), StreamError> {
    let (mut reading, mut marks) = (None, None);
    open(file, &mut |head, input, encoding| {
        let mut all = Shared::new((Reading::of(head)?, encoding), crew, each);
        blocks(input, &mut |block| all.block(block))?;
        all.join_all()?;
        (reading, marks) = (Some(all.all), Some((all.marks, encoding)));
        Ok(())
    })?;
    let start = text_start(file)?;
    let marks =
        marks.zip(start).map(|((places, encoding), start)| Marks { places, start, encoding });
    Ok((finish(reading)?, marks))
}

/// Where the text of a file begins, behind its mark; `None` where it is packed.
fn text_start(file: &mut (impl Read + Seek)) -> Result<Option<u64>, StreamError> {
    let mut head = Vec::new();
    file.rewind().map_err(StreamError::Read)?;
    file.by_ref().take(3).read_to_end(&mut head).map_err(StreamError::Read)?;
    Ok(match head.as_slice() {
        [0x1f, 0x8b, ..] | [b'P', b'K', ..] => None,
        [0xEF, 0xBB, 0xBF] => Some(3),
        _ => Some(0),
    })
}

fn finish(reading: Option<Reading>) -> Result<BillTotals, StreamError> {
    match reading {
        Some(Reading::Wechat(all)) => Ok(all.finish()?),
        Some(Reading::Alipay(all)) => Ok(all.finish()?),
        None => Err(BillError::packing("the zip holds no text").into()),
    }
}

/// Reads the rows of these lines again, in the file's order; `wanted` is sorted.
///
/// # Errors
/// As [`read`].
pub fn again(
    file: &mut (impl Read + Seek),
    wanted: &[u64],
    each: &mut dyn FnMut(BillRow<'_>),
) -> Result<(), StreamError> {
    let mut wanted = wanted.iter().copied().peekable();
    open(file, &mut |head, input, encoding| {
        let mut all = Reading::of(head)?;
        lines(input, encoding, &mut |line, text| {
            if !all.has_begun() || wanted.next_if_eq(&line).is_some() {
                all.line(line, text, each)?;
            }
            Ok(wanted.peek().is_some())
        })
    })
}

/// Where some lines of a file begin.
pub struct Marks {
    /// A line from 1 and its place in the text, in order.
    places: Vec<(u64, u64)>,
    /// Where the text begins in the file.
    start: u64,
    encoding: Encoding,
}

impl Marks {
    /// The last known line up to this one, and its place in the file.
    fn before(&self, line: u64) -> (u64, u64) {
        let index = self.places.partition_point(|(known, _)| *known <= line).checked_sub(1);
        let (line, place) =
            index.and_then(|index| self.places.get(index)).copied().unwrap_or((1, 0));
        (line, self.start.saturating_add(place))
    }
}

/// As [`again`], reading little more of a large file than those lines.
///
/// # Errors
/// As [`read`].
pub fn again_at(
    file: &mut (impl Read + Seek),
    marks: &Marks,
    wanted: &[u64],
    each: &mut dyn FnMut(BillRow<'_>),
) -> Result<(), StreamError> {
    let mut reading = None;
    open(file, &mut |head, input, encoding| {
        let mut all = Reading::of(head)?;
        lines(input, encoding, &mut |line, text| {
            let is_before = !all.has_begun();
            if is_before {
                all.line(line, text, each)?;
            }
            Ok(is_before)
        })?;
        reading = Some(all);
        Ok(())
    })?;
    let Some(mut all) = reading else { return Ok(()) };
    let mut input = BufReader::with_capacity(SMALL, file);
    let (mut next, mut text) = (u64::MAX, Vec::new());
    for wanted in wanted {
        let (line, place) = marks.before(*wanted);
        if next > *wanted || next < line {
            input.seek(SeekFrom::Start(place)).map_err(StreamError::Read)?;
            next = line;
        }
        while next <= *wanted {
            text.clear();
            input.read_until(b'\n', &mut text).map_err(StreamError::Read)?;
            next = next.saturating_add(1);
        }
        let mut before = wanted.saturating_sub(1);
        decoded(&text, marks.encoding, true, &mut before, &mut |line, text| {
            all.line(line, text, each).map(|()| true)
        })?;
    }
    Ok(())
}

/// Either provider's reader.
pub(super) enum Reading {
    Wechat(Box<wechat::bill::Reading>),
    Alipay(Box<alipay::bill::Reading>),
}

impl Reading {
    fn of(head: &str) -> Result<Self, BillError> {
        if wechat::bill::recognises(head) {
            Ok(Self::Wechat(Box::default()))
        } else if alipay::bill::recognises(head) {
            Ok(Self::Alipay(Box::default()))
        } else {
            Err(BillError::NotABill { found: unrecognised(head) })
        }
    }

    pub(super) fn line(
        &mut self,
        line: u64,
        text: &str,
        each: &mut dyn FnMut(BillRow<'_>),
    ) -> Result<(), BillError> {
        match self {
            Self::Wechat(all) => all.line(line, text, each),
            Self::Alipay(all) => all.line(line, text, each),
        }
    }

    fn has_begun(&self) -> bool {
        match self {
            Self::Wechat(all) => all.has_begun(),
            Self::Alipay(all) => all.has_begun(),
        }
    }
}
