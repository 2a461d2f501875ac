//! A trade bill that several read at once: its blocks are handed to a crew and come back read, in
//! the file's order. Only ordinary rows are read there; every other line, and with it every
//! judgement on the file, is left to the one reader that takes them together.

use std::io;
use std::sync::Arc;

use domain::bill::BillRow;
use memchr::memchr_iter;

use super::blocks::{Block, Encoding, decoded};
use super::stream::{Reading, StreamError};
use crate::wechat::bill::{Shape, Stretch};

/// Who reads blocks. What that is done with is the caller's affair: nothing here starts a thread.
pub trait Crew {
    /// Some rows, kept.
    type Rows;

    /// How many blocks may be out at once, at least one.
    fn most(&self) -> usize;

    /// Hands over a block, to be read by [`Piece::read`].
    fn give(&mut self, piece: Piece);

    /// Waits for the block that was handed over first; `None` where it will never come.
    fn take(&mut self) -> Option<Done<Self::Rows>>;

    /// Room for rows.
    fn room(&self) -> Self::Rows;

    /// Keeps a row.
    fn keep(rows: &mut Self::Rows, row: &BillRow<'_>);
}

/// A block and what is needed to read it.
pub struct Piece {
    shape: Arc<Shape>,
    block: Block,
    /// The number of its first line.
    line: u64,
}

/// A block that was read as far as its rows are ordinary.
pub struct Done<R> {
    block: Block,
    line: u64,
    rows: R,
    done: Stretch,
}

impl Piece {
    /// Reads the rows.
    pub fn read<C: Crew>(self, mut rows: C::Rows) -> Done<C::Rows> {
        let Self { shape, block, line } = self;
        let mut keep = |row: BillRow<'_>| C::keep(&mut rows, &row);
        let text = std::str::from_utf8(block.text()).ok();
        let done = text.map(|text| shape.rows(text, line, &mut keep)).unwrap_or_default();
        Done { block, line, rows, done }
    }
}

/// A bill while a crew reads it.
pub(super) struct Shared<'c, C: Crew> {
    pub(super) all: Reading,
    encoding: Encoding,
    /// How many lines there were.
    line: u64,
    crew: &'c mut C,
    each: &'c mut dyn FnMut(C::Rows),
    /// How many blocks are out.
    out: usize,
    /// Where some lines begin.
    pub(super) marks: Vec<(u64, u64)>,
}

impl<'c, C: Crew> Shared<'c, C> {
    pub(super) fn new(
        (all, encoding): (Reading, Encoding),
        crew: &'c mut C,
        each: &'c mut dyn FnMut(C::Rows),
    ) -> Self {
        Self { all, encoding, line: 0, crew, each, out: 0, marks: Vec::new() }
    }

    /// Takes the next block of the file, and gives one back whose room is free.
    pub(super) fn block(&mut self, block: Block) -> Result<Option<Block>, StreamError> {
        let shape = match (self.encoding, &self.all) {
            (Encoding::Utf8, Reading::Wechat(all)) => all.shape().cloned(),
            (Encoding::Utf8, Reading::Alipay(_)) | (Encoding::Gb18030, _) => None,
        };
        let Some(shape) = shape else {
            self.join_all()?;
            self.marks.push((self.line.saturating_add(1), block.place));
            self.by_line(block.text(), block.is_last)?;
            return Ok(Some(block));
        };
        let line = self.line.saturating_add(1);
        self.line = self.line.saturating_add(lines_of(block.text()));
        self.crew.give(Piece { shape, block, line });
        self.out = self.out.saturating_add(1);
        if self.out < self.crew.most() {
            return Ok(Some(Block::empty()));
        }
        self.join()
    }

    /// Waits for every block that is out.
    pub(super) fn join_all(&mut self) -> Result<(), StreamError> {
        while self.out > 0 {
            self.join()?;
        }
        Ok(())
    }

    /// Waits for the first block that is out and takes what was read of it.
    fn join(&mut self) -> Result<Option<Block>, StreamError> {
        let gone = || StreamError::Read(io::Error::other("a thread that read it ended early"));
        let Done { block, line, rows, done } = self.crew.take().ok_or_else(gone)?;
        let (mut bytes, mut lines) = (done.bytes, done.lines);
        self.out = self.out.saturating_sub(1);
        let place = |at: usize| block.place.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
        self.marks.push((line, block.place));
        self.marks.extend(done.marks.iter().skip(1).map(|(line, at)| (*line, place(*at))));
        let last = line.saturating_add(lines).saturating_sub(1);
        let is_taken = match &mut self.all {
            Reading::Wechat(all) => {
                lines > 0 && all.shape().is_some() && all.join(&done.part, last)
            }
            Reading::Alipay(_) => false,
        };
        if is_taken {
            (self.each)(rows);
        } else {
            (bytes, lines) = (0, 0);
        }
        let rest = block.text().get(bytes..).unwrap_or_default();
        if !rest.is_empty() {
            // The lines of later blocks are counted already.
            let counted = self.line;
            self.line = line.saturating_add(lines).saturating_sub(1);
            self.by_line(rest, block.is_last)?;
            self.line = counted;
        }
        Ok(Some(block))
    }

    fn by_line(&mut self, text: &[u8], is_last: bool) -> Result<(), StreamError> {
        let Self { all, encoding, line, crew, each, .. } = self;
        let mut rows = crew.room();
        let mut keep = |row: BillRow<'_>| C::keep(&mut rows, &row);
        decoded(text, *encoding, is_last, line, &mut |line, text| {
            all.line(line, text, &mut keep).map(|()| true)
        })?;
        each(rows);
        Ok(())
    }
}

fn lines_of(text: &[u8]) -> u64 {
    let ends = memchr_iter(b'\n', text).count();
    let ends =
        if text.last().is_none_or(|last| *last == b'\n') { ends } else { ends.saturating_add(1) };
    u64::try_from(ends).unwrap_or(u64::MAX)
}
