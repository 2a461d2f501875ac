//! The ledger as the streaming matcher holds it: one small entry a row, found by its number. The
//! numbers themselves are compared, never their hashes alone: a collision pairs nothing.
//!
//! What costs here is waiting for memory. So an entry has its number in it and fills one line of
//! the cache, and where many entries are wanted they are all touched first: the memory answers many
//! such looks at once.

use std::hash::BuildHasher;
use std::hint::black_box;

use domain::bill::Direction;
use domain::money::Fen;
use jiff::civil::Date;

use crate::ledger::{LedgerLine, LedgerState};

/// How an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// No row of the bill has its number yet.
    Alone,
    /// The one row of the bill that has its number agrees with it.
    Cleared,
    /// The obvious matcher must see it.
    Whole,
}

/// A row of the ledger: 64 bytes, so that one look at the memory brings all of it.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Entry {
    /// The number, or where it is among the long ones.
    number: [u8; SHORT],
    pub(super) amount: Fen,
    /// Where the row begins in the file.
    pub(super) place: u64,
    /// Of the provider's number; 0 where it has none. Equal numbers have equal ones.
    pub(super) provider: u32,
    /// The line of the bill that cleared it.
    pub(super) line: u32,
    pub(super) day: Date,
    /// How long the number is; [`LONG`] where it is elsewhere.
    length: u8,
    pub(super) direction: Direction,
    pub(super) state: LedgerState,
    pub(super) status: Status,
}

/// A number of so many bytes stands in its entry: the providers' own orders end there.
const SHORT: usize = 32;
const LONG: u8 = u8::MAX;

impl Entry {
    /// Whether it may be the payment that has this number, as far as both sides say.
    pub(super) const fn may_be(&self, provider: u32) -> bool {
        self.provider == 0 || provider == 0 || self.provider == provider
    }
}

/// What a number is found by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key<'n> {
    direction: Direction,
    number: &'n str,
    hash: u64,
}

/// Every numbered row of the ledger.
pub(super) struct Table<S> {
    /// In blocks, which stay where they are while more come.
    blocks: Vec<Vec<Entry>>,
    /// The hashes of their numbers, until they can be found by them.
    hashes: Vec<Vec<u64>>,
    /// Numbers that are too long for an entry.
    long: Vec<String>,
    /// A power of two of them: the upper 24 bits of a hash over the position of an entry.
    slots: Vec<u64>,
    hasher: S,
}

const POSITION: u64 = (1 << 40) - 1;

/// A slot that no entry has. It is not zero: zeros the system hands out as pages that it must
/// change for others on the first write.
const FREE: u64 = u64::MAX;

/// How many entries a block has, a power of two.
const BLOCK: usize = 1 << 13;

/// How many entries are looked at together: of each a page or two, and the processor knows the
/// places of some two thousand.
pub(super) const TOGETHER: usize = 512;

impl<S: BuildHasher> Table<S> {
    pub(super) fn new(hasher: S) -> Self {
        Self { blocks: Vec::new(), hashes: Vec::new(), long: Vec::new(), slots: Vec::new(), hasher }
    }

    /// Takes a row that has a number of the hub's.
    pub(super) fn push(&mut self, row: &LedgerLine<'_>, place: u64, day: Date) {
        let key = self.key(row.direction, row.key());
        let (number, length) = self.keep(key.number);
        let entry = Entry {
            number,
            amount: row.amount,
            place,
            provider: self.provider(row.provider_trade_no),
            line: 0,
            day,
            length,
            direction: row.direction,
            state: row.state,
            status: Status::Alone,
        };
        if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK));
            self.hashes.push(Vec::with_capacity(BLOCK));
        }
        if let (Some(block), Some(hashes)) = (self.blocks.last_mut(), self.hashes.last_mut()) {
            block.push(entry);
            hashes.push(key.hash);
        }
    }

    fn keep(&mut self, text: &str) -> ([u8; SHORT], u8) {
        let mut number = [0; SHORT];
        if let Some(room) = number.get_mut(..text.len()) {
            room.copy_from_slice(text.as_bytes());
            return (number, u8::try_from(text.len()).unwrap_or(LONG));
        }
        for (byte, place) in number.iter_mut().zip(wide(self.long.len()).to_le_bytes()) {
            *byte = place;
        }
        self.long.push(text.to_owned());
        (number, LONG)
    }

    /// What stands for a provider's number in [`Entry::provider`].
    pub(super) fn provider(&self, number: &str) -> u32 {
        if number.is_empty() {
            return 0;
        }
        let [a, b, c, d, ..] = self.hasher.hash_one(number).to_le_bytes();
        u32::from_le_bytes([a, b, c, d]).max(1)
    }

    /// Makes the entries findable. Rows that share a number are for the obvious matcher.
    pub(super) fn index(&mut self) {
        let rows = self.blocks.iter().map(Vec::len).fold(0, usize::saturating_add);
        let room = rows.saturating_mul(3).div_euclid(2).max(2).next_power_of_two();
        self.slots = vec![FREE; room];
        let mut at = 0_usize;
        for hashes in std::mem::take(&mut self.hashes) {
            for some in hashes.chunks(TOGETHER) {
                black_box(some.iter().fold(0, |all, hash| all ^ self.slot(narrow(*hash))));
                for hash in some {
                    self.insert(at, *hash);
                    at = at.saturating_add(1);
                }
            }
        }
    }

    fn insert(&mut self, at: usize, hash: u64) {
        let last = self.slots.len().saturating_sub(1);
        let mut slot = narrow(hash) & last;
        let mut mine = None;
        loop {
            let held = self.slot(slot);
            if held == FREE {
                if let Some(free) = self.slots.get_mut(slot) {
                    *free = (hash & !POSITION) | wide(at);
                }
                return;
            }
            let other = narrow(held & POSITION);
            if held & !POSITION == hash & !POSITION {
                let mine = *mine.get_or_insert_with(|| self.entry(at).copied());
                let first = self.entry(other).copied();
                if let (Some(mine), Some(first)) = (mine, first)
                    && mine.direction == first.direction
                    && self.number(&mine) == self.number(&first)
                {
                    for both in [other, at] {
                        if let Some(entry) = self.entry_mut(both) {
                            entry.status = Status::Whole;
                        }
                    }
                    return;
                }
            }
            slot = slot.wrapping_add(1) & last;
        }
    }

    /// What a number is found by.
    pub(super) fn key<'n>(&self, direction: Direction, number: &'n str) -> Key<'n> {
        let hash = self.hasher.hash_one(number);
        let hash = match direction {
            Direction::Payment => hash,
            Direction::Refund => !hash,
        };
        Key { direction, number, hash }
    }

    /// Looks at where these numbers are, one kind of place after the other, and at nothing else:
    /// the memory answers many such looks at once, where [`find`](Self::find) waits for each.
    pub(super) fn look_ahead(&self, keys: &[Key<'_>]) {
        let mut slots = [0_u64; TOGETHER];
        for (slot, key) in slots.iter_mut().zip(keys) {
            *slot = self.slot(narrow(key.hash));
        }
        let line = |slot: &u64| self.entry(narrow(slot & POSITION)).map_or(0, |entry| entry.line);
        black_box(slots.iter().take(keys.len()).fold(0, |all, slot| all ^ line(slot)));
    }

    /// The entry of a number.
    pub(super) fn find(&mut self, key: Key<'_>) -> Option<&mut Entry> {
        let last = self.slots.len().saturating_sub(1);
        let mut slot = narrow(key.hash) & last;
        loop {
            let held = self.slot(slot);
            if held == FREE {
                return None;
            }
            let at = narrow(held & POSITION);
            if held & !POSITION == key.hash & !POSITION
                && let Some(entry) = self.entry(at)
                && self.number(entry) == key.number.as_bytes()
                && entry.direction == key.direction
            {
                return self.entry_mut(at);
            }
            slot = slot.wrapping_add(1) & last;
        }
    }

    /// Every entry.
    pub(super) fn entries(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.blocks.iter_mut().flatten()
    }

    /// What a slot holds; positions beyond the last begin anew.
    fn slot(&self, slot: usize) -> u64 {
        let last = self.slots.len().saturating_sub(1);
        self.slots.get(slot & last).copied().unwrap_or(FREE)
    }

    fn entry(&self, at: usize) -> Option<&Entry> {
        self.blocks.get(at.div_euclid(BLOCK))?.get(at.rem_euclid(BLOCK))
    }

    fn entry_mut(&mut self, at: usize) -> Option<&mut Entry> {
        self.blocks.get_mut(at.div_euclid(BLOCK))?.get_mut(at.rem_euclid(BLOCK))
    }

    fn number<'e>(&'e self, entry: &'e Entry) -> &'e [u8] {
        if entry.length != LONG {
            return entry.number.get(..usize::from(entry.length)).unwrap_or_default();
        }
        let [a, b, c, d, e, f, g, h, ..] = entry.number;
        let place = narrow(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
        self.long.get(place).map_or(&[], |number| number.as_bytes())
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn narrow(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
