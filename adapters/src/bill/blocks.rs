//! A file in blocks of whole lines, unpacked and with its encoding: what [`super::stream`] reads.

use std::borrow::Cow;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use encoding_rs::GB18030;
use flate2::read::MultiGzDecoder;
use memchr::memrchr;
use zip::ZipArchive;

use super::stream::StreamError;
use super::table::whole_lines;
use super::unpack::MOST_ENTRIES;
use super::{BillError, is_trade_bill};

/// The longest text of a file: 16 GiB, some forty million rows.
pub const LONGEST_TEXT: u64 = 1 << 34;

/// How many times its own size a packed file may unpack to, beyond [`ALWAYS`]: real bills stay
/// under thirty, bombs are near a thousand.
const MOST_RATIO: u64 = 100;

/// What any file may unpack to.
const ALWAYS: u64 = 64 << 20;

/// How much is read at a time.
const BLOCK: usize = 256 << 10;

/// How a text is encoded.
#[derive(Clone, Copy)]
pub(super) enum Encoding {
    Utf8,
    Gb18030,
}

/// Takes a text's beginning, the whole of it, and how it is encoded.
pub(super) type Take<'t> = dyn FnMut(&str, &mut dyn Read, Encoding) -> Result<(), StreamError> + 't;

/// Opens a file by its content: plain, gzip, or the one entry of a zip that is a bill (else the first
/// with any text, which says what it is).
pub(super) fn open(file: &mut (impl Read + Seek), take: &mut Take<'_>) -> Result<(), StreamError> {
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
pub(super) fn lines(
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
pub(super) fn blocks(
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
