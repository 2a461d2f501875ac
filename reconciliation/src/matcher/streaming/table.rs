//! The ledger as the streaming matcher holds it: one small entry a row, found by its number. The
//! numbers themselves are compared, never their hashes alone: a collision pairs nothing.

use std::hash::BuildHasher;
use std::hint::black_box;

use domain::bill::Direction;
use domain::money::Fen;
use jiff::civil::Date;

use crate::ledger::{LedgerLine, LedgerState};
use domain::time::business_day;

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

/// A row of the ledger without its texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) amount: Fen,
    /// Where the row begins in the file.
    pub(super) place: u64,
    /// Where its number ends among the texts; it begins where the one before ends.
    end: u64,
    pub(super) day: Date,
    /// Of the provider's number; 0 where it has none. Equal numbers have equal ones.
    pub(super) provider: u32,
    /// The line of the bill that cleared it.
    pub(super) line: u32,
    pub(super) direction: Direction,
    pub(super) state: LedgerState,
    pub(super) status: Status,
}

impl Entry {
    /// Whether it may be the payment that has this number, as far as both sides say.
    pub(super) const fn may_be(&self, provider: u32) -> bool {
        self.provider == 0 || provider == 0 || self.provider == provider
    }
}

/// Every numbered row of the ledger.
pub(super) struct Table<S> {
    entries: Vec<Entry>,
    texts: String,
    /// A power of two of them: the upper 24 bits of a hash over the position of an entry plus one;
    /// 0 is free.
    slots: Vec<u64>,
    hasher: S,
}

const POSITION: u64 = (1 << 40) - 1;

/// How many entries are looked at together.
const TOGETHER: usize = 1024;

impl<S: BuildHasher> Table<S> {
    pub(super) fn new(hasher: S) -> Self {
        Self { entries: Vec::new(), texts: String::new(), slots: Vec::new(), hasher }
    }

    /// Takes a row that has a number of the hub's.
    pub(super) fn push(&mut self, row: &LedgerLine<'_>, place: u64) {
        self.texts.push_str(row.key());
        self.entries.push(Entry {
            amount: row.amount,
            place,
            end: wide(self.texts.len()),
            day: business_day(row.occurred_at),
            provider: self.provider(row.provider_trade_no),
            line: 0,
            direction: row.direction,
            state: row.state,
            status: Status::Alone,
        });
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
        let room = self.entries.len().saturating_mul(3).div_euclid(2).max(2).next_power_of_two();
        self.slots = vec![0; room];
        let mut hashes = Vec::with_capacity(TOGETHER);
        let mut next = 0_usize;
        while next < self.entries.len() {
            let end = next.saturating_add(TOGETHER).min(self.entries.len());
            hashes.clear();
            hashes.extend((next..end).map(|at| self.hash(self.direction(at), self.number(at))));
            black_box(hashes.iter().fold(0, |all, hash| all ^ self.slot(narrow(*hash))));
            for (at, hash) in (next..end).zip(&hashes) {
                self.insert(at, *hash);
            }
            next = end;
        }
    }

    fn insert(&mut self, at: usize, hash: u64) {
        let (slot, found) = self.seek(hash, self.direction(at), self.number(at));
        if let Some(first) = found {
            for both in [first, at] {
                if let Some(entry) = self.entries.get_mut(both) {
                    entry.status = Status::Whole;
                }
            }
        } else if let Some(free) = self.slots.get_mut(slot) {
            *free = (hash & !POSITION) | wide(at).saturating_add(1);
        }
    }

    /// Looks at where these numbers are, one kind of place after the other, and at nothing else:
    /// the memory answers many such looks at once, where [`find`](Self::find) waits for each.
    pub(super) fn look_ahead<'n>(&self, numbers: impl Iterator<Item = (Direction, &'n str)>) {
        let hashes: Vec<u64> = numbers.map(|(way, number)| self.hash(way, number)).collect();
        let slots: Vec<u64> = hashes.iter().map(|hash| self.slot(narrow(*hash))).collect();
        let entry = |slot: &u64| self.entries.get(narrow(slot & POSITION).saturating_sub(1));
        let ends: Vec<u64> = slots.iter().map(|slot| entry(slot).map_or(0, |e| e.end)).collect();
        let text = |end: &u64| self.texts.as_bytes().get(narrow(*end).saturating_sub(1));
        black_box(ends.iter().fold(0, |all, end| all ^ text(end).copied().unwrap_or_default()));
    }

    /// The entry of a number.
    pub(super) fn find(&mut self, direction: Direction, number: &str) -> Option<&mut Entry> {
        let (_, found) = self.seek(self.hash(direction, number), direction, number);
        self.entries.get_mut(found?)
    }

    /// Every entry.
    pub(super) fn entries(&mut self) -> &mut [Entry] {
        &mut self.entries
    }

    /// The slot of a number, taken by its entry or free.
    fn seek(&self, hash: u64, direction: Direction, number: &str) -> (usize, Option<usize>) {
        let last = self.slots.len().saturating_sub(1);
        let mut slot = narrow(hash) & last;
        loop {
            let held = self.slot(slot);
            let Some(at) = (held & POSITION).checked_sub(1).map(narrow) else {
                return (slot, None);
            };
            if held & !POSITION == hash & !POSITION
                && self.number(at) == number
                && self.direction(at) == direction
            {
                return (slot, Some(at));
            }
            slot = slot.wrapping_add(1) & last;
        }
    }

    /// What a slot holds; positions beyond the last begin anew.
    fn slot(&self, slot: usize) -> u64 {
        let last = self.slots.len().saturating_sub(1);
        self.slots.get(slot & last).copied().unwrap_or_default()
    }

    fn direction(&self, at: usize) -> Direction {
        self.entries.get(at).map_or(Direction::Payment, |entry| entry.direction)
    }

    fn hash(&self, direction: Direction, number: &str) -> u64 {
        let hash = self.hasher.hash_one(number);
        match direction {
            Direction::Payment => hash,
            Direction::Refund => !hash,
        }
    }

    fn number(&self, at: usize) -> &str {
        let end = |at: usize| self.entries.get(at).map_or(0, |entry| narrow(entry.end));
        let start = at.checked_sub(1).map_or(0, end);
        self.texts.get(start..end(at)).unwrap_or_default()
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn narrow(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
