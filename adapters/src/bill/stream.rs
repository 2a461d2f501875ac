//! A trade bill of any size, read as it comes: unpacked, decoded and cut into lines block by block,
//! so that a day of ten million rows needs no more memory than a small one. Line for line it says
//! what [`super::read`] says; a file whose encoding changes on the way is left to that one.

use std::borrow::Cow;
use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};

use domain::bill::{BillRow, BillTotals};
use encoding_rs::GB18030;
use flate2::read::MultiGzDecoder;
use memchr::memrchr;
use zip::ZipArchive;

use super::crew::{Crew, Shared};
use super::table::whole_lines;
use super::unpack::MOST_ENTRIES;
use super::{BillError, is_trade_bill, unrecognised};
use crate::{alipay, wechat};

/// The longest text of a file: 16 GiB, some forty million rows.
pub const LONGEST_TEXT: u64 = 1 << 34;

/// How many times its own size a packed file may unpack to, beyond [`ALWAYS`]: real bills stay
/// under thirty, bombs are near a thousand.
const MOST_RATIO: u64 = 100;

/// What any file may unpack to.
const ALWAYS: u64 = 64 << 20;

/// How much is read at a time, and for one line.
const BLOCK: usize = 256 << 10;
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

/// How a text is encoded.
#[derive(Clone, Copy)]
pub(super) enum Encoding {
    Utf8,
    Gb18030,
}

/// Takes a text's beginning, the whole of it, and how it is encoded.
type Take<'t> = dyn FnMut(&str, &mut dyn Read, Encoding) -> Result<(), StreamError> + 't;

/// Opens a file by its content: plain, gzip, or the one entry of a zip that is a bill (else the first
/// with any text, which says what it is).
fn open(file: &mut (impl Read + Seek), take: &mut Take<'_>) -> Result<(), StreamError> {
    let packed = file.seek(SeekFrom::End(0)).map_err(StreamError::Read)?;
    file.rewind().map_err(StreamError::Read)?;
    let most = ALWAYS.saturating_add(packed.saturating_mul(MOST_RATIO)).min(LONGEST_TEXT);
    let mut magic = Vec::new();
    file.by_ref().take(2).read_to_end(&mut magic).map_err(StreamError::Read)?;
    file.rewind().map_err(StreamError::Read)?;
    match magic.as_slice() {
        [0x1f, 0x8b] => {
            let packed = BufReader::with_capacity(BLOCK, file);
            start(&mut Capped { input: MultiGzDecoder::new(packed), left: most, most })?.take(take)
        }
        b"PK" => entry(file, most, take),
        _ => start(&mut Capped { input: file, left: LONGEST_TEXT, most: LONGEST_TEXT })?.take(take),
    }
}

fn entry(file: &mut (impl Read + Seek), most: u64, take: &mut Take<'_>) -> Result<(), StreamError> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(BillError::packing)?;
    if archive.len() > MOST_ENTRIES {
        let fault = format!("the zip holds {} files, more than {MOST_ENTRIES}", archive.len());
        return Err(BillError::packing(fault).into());
    }
    let (mut wanted, mut other) = (None, None);
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(BillError::packing)?;
        if !entry.is_file() {
            continue;
        }
        let mut input = Capped { input: entry, left: most, most };
        // What is no text cannot be the bill.
        let Ok(started) = start(&mut input) else { continue };
        if is_trade_bill(&started.head) {
            if wanted.replace(index).is_some() {
                return Err(BillError::Several.into());
            }
            continue;
        }
        if other.is_none() && !started.head.trim().is_empty() {
            other = Some(index);
        }
    }
    let index = wanted.or(other).ok_or_else(|| BillError::packing("the zip holds no text"))?;
    let entry = archive.by_index(index).map_err(BillError::packing)?;
    start(&mut Capped { input: entry, left: most, most })?.take(take)
}

/// A text whose first block was read.
struct Started<'i> {
    block: Vec<u8>,
    head: String,
    encoding: Encoding,
    input: &'i mut dyn Read,
}

impl Started<'_> {
    fn take(self, take: &mut Take<'_>) -> Result<(), StreamError> {
        let mut whole = io::Cursor::new(self.block).chain(self.input);
        take(&self.head, &mut whole, self.encoding)
    }
}

/// Reads the first block. How a file is encoded shows in its first line, which has Chinese names.
fn start(input: &mut dyn Read) -> Result<Started<'_>, StreamError> {
    let mut block = Vec::new();
    let size = u64::try_from(BLOCK).unwrap_or(u64::MAX);
    input.take(size).read_to_end(&mut block).map_err(broken)?;
    if block.starts_with(b"\xEF\xBB\xBF") {
        block.drain(..3);
    }
    let whole_lines = match block.iter().rposition(|byte| *byte == b'\n') {
        Some(end) => block.get(..=end),
        None => Some(block.as_slice()),
    };
    let lines = whole_lines.unwrap_or_default();
    let (head, encoding) = match std::str::from_utf8(lines) {
        Ok(text) => (text.to_owned(), Encoding::Utf8),
        Err(fault) => match GB18030.decode_without_bom_handling_and_without_replacement(lines) {
            Some(text) if fault.error_len().is_some() => (text.into_owned(), Encoding::Gb18030),
            _ => return Err(StreamError::NotOneText),
        },
    };
    Ok(Started { block, head, encoding, input })
}

/// A reader that refuses to give more than it may.
struct Capped<R> {
    input: R,
    left: u64,
    most: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(room)?;
        match self.left.checked_sub(u64::try_from(read).unwrap_or(u64::MAX)) {
            Some(left) => self.left = left,
            None => {
                let fault = format!("it unpacks to more than {} bytes", self.most);
                return Err(io::Error::new(io::ErrorKind::InvalidData, fault));
            }
        }
        Ok(read)
    }
}

fn broken(fault: io::Error) -> StreamError {
    // The system's own faults have a number; the others are those of the packing.
    match fault.raw_os_error() {
        Some(_) => StreamError::Read(fault),
        None => BillError::packing(fault).into(),
    }
}

/// Hands each line with its number from 1 to `each`, until it says that it has seen enough. The
/// lines are those of [`str::lines`].
fn lines(
    input: &mut dyn Read,
    encoding: Encoding,
    each: &mut dyn FnMut(u64, &str) -> Result<bool, BillError>,
) -> Result<(), StreamError> {
    let mut line = 0_u64;
    blocks(input, &mut |block| {
        let goes_on = decoded(block.text(), encoding, block.is_last, &mut line, each)?;
        Ok(goes_on.then_some(block))
    })
}

/// Whole lines of a file, as they stand in it.
pub(super) struct Block {
    buffer: Vec<u8>,
    whole: usize,
    /// Where it begins in the text.
    pub(super) place: u64,
    /// Whether the file ends here.
    pub(super) is_last: bool,
}

impl Block {
    pub(super) fn text(&self) -> &[u8] {
        self.buffer.get(..self.whole).unwrap_or_default()
    }

    /// One whose room can be used.
    pub(super) fn empty() -> Self {
        Self { buffer: vec![0; BLOCK], whole: 0, place: 0, is_last: false }
    }
}

/// Hands the file to `each` in blocks, which gives back that or another one to be filled again, or
/// none where it has seen enough.
fn blocks(
    input: &mut dyn Read,
    each: &mut dyn FnMut(Block) -> Result<Option<Block>, StreamError>,
) -> Result<(), StreamError> {
    let (mut block, mut filled) = (Block::empty(), 0_usize);
    loop {
        if filled == block.buffer.len() {
            block.buffer.resize(filled.saturating_mul(2), 0);
        }
        let room = block.buffer.get_mut(filled..).unwrap_or_default();
        let read = match input.read(room) {
            Ok(read) => read,
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => continue,
            Err(fault) => return Err(broken(fault)),
        };
        let fresh = filled;
        filled = filled.saturating_add(read);
        block.is_last = read == 0;
        block.whole = if read == 0 {
            filled
        } else {
            match memrchr(b'\n', block.buffer.get(fresh..filled).unwrap_or_default()) {
                Some(end) => fresh.saturating_add(end).saturating_add(1),
                None => continue,
            }
        };
        let rest = block.buffer.get(block.whole..filled).unwrap_or_default().to_vec();
        let end = u64::try_from(block.whole).unwrap_or(u64::MAX);
        let place = block.place.saturating_add(end);
        let Some(mut next) = each(block)?.filter(|_| read != 0) else { return Ok(()) };
        next.place = place;
        filled = rest.len();
        if next.buffer.len() < filled {
            next.buffer.resize(filled, 0);
        }
        if let Some(room) = next.buffer.get_mut(..filled) {
            room.copy_from_slice(&rest);
        }
        block = next;
    }
}

/// Decodes whole lines and hands them on; whether more are wanted.
pub(super) fn decoded(
    block: &[u8],
    encoding: Encoding,
    is_last: bool,
    line: &mut u64,
    each: &mut dyn FnMut(u64, &str) -> Result<bool, BillError>,
) -> Result<bool, StreamError> {
    let text = match encoding {
        Encoding::Utf8 => match std::str::from_utf8(block) {
            Ok(text) => Cow::Borrowed(text),
            // Cut inside its last letter, it is UTF-8 still; the reader tells what is missing.
            Err(fault) if is_last && fault.error_len().is_none() => {
                let whole = block.get(..fault.valid_up_to()).unwrap_or_default();
                std::str::from_utf8(whole).map_err(BillError::packing)?.into()
            }
            Err(_) => return Err(StreamError::NotOneText),
        },
        Encoding::Gb18030 => GB18030
            .decode_without_bom_handling_and_without_replacement(block)
            .ok_or(StreamError::NotOneText)?,
    };
    for (text, _) in whole_lines(&text) {
        *line = line.saturating_add(1);
        if !each(*line, text)? {
            return Ok(false);
        }
    }
    Ok(true)
}
