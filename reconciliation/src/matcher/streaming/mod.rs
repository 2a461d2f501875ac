//! The matcher for files of any size. A row of the bill that alone has its number, and agrees with
//! the one row of the ledger that has it, is only counted; everything else is kept whole and given
//! to the obvious matcher, whose word it is. The result is that of the obvious matcher over all
//! rows, whatever the files are; only the listed matched rows may be fewer ([`crate::Rest`]).
//!
//! In this order: each [`ledger_row`](Streaming::ledger_row), [`bill_begins`](Streaming::bill_begins),
//! each [`bill_row`](Streaming::bill_row), [`bill_ends`](Streaming::bill_ends), the rows of the bill
//! that it asks for again, [`places`](Streaming::places), the rows of the ledger that it asks for
//! again, [`finish`](Streaming::finish).

mod list;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use domain::bill::{BillRow, BillState, Coverage, Direction};
use domain::money::Fen;
use domain::time::{business_day, day_end, day_start};
use jiff::Timestamp;
use jiff::civil::Date;

use super::held::{Held, key};
use super::judge::agree;
use super::{Matcher, most};
use crate::ledger::{LedgerLine, LedgerRow};
use crate::outcome::{Outside, Reconciliation, Sides};
use crate::rules::Rules;
use list::List;
pub use list::{FIRST, LISTED};
use table::{Entry, Key, Status, TOGETHER, Table};

/// Takes the rows of both sides one by one and holds few of them.
pub struct Streaming<S = RandomState> {
    rules: Rules,
    table: Table<S>,
    /// Where ledger rows without a number of the hub's begin.
    bare: Vec<u64>,
    /// Provider numbers of payments that stand somewhere without the order's.
    bare_numbers: HashSet<u32>,
    day_of: DayOf,
    ledger_days: Days,
    bill_days: Days,
    bill_sums: Sides,
    fee: Fen,
    payments: List,
    refunds: List,
    /// Rows of the bill for the obvious matcher.
    bill: Held,
    /// Rows of the ledger for it.
    ledger: Vec<LedgerRow>,
    /// Lines of the bill that were counted too early.
    lines: Vec<u64>,
    lists_anew: bool,
    day: Option<Date>,
    covers: Coverage,
    outside: Outside,
}

/// Rows of the bill that are needed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// Those of these lines, in order; maybe none.
    Lines(Vec<u64>),
    /// All of them.
    All,
}

impl Streaming {
    /// A matcher for one merchant's bill; the ledger is that of [`Matcher::new`].
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self::with(rules, RandomState::new(), (LISTED, FIRST))
    }
}

impl<S: BuildHasher> Streaming<S> {
    fn with(rules: Rules, hasher: S, limits: (usize, usize)) -> Self {
        Self {
            rules,
            table: Table::new(hasher),
            bare: Vec::new(),
            bare_numbers: HashSet::new(),
            day_of: DayOf::default(),
            ledger_days: Days::default(),
            bill_days: Days::default(),
            bill_sums: Sides::default(),
            fee: Fen::ZERO,
            payments: List::new(Direction::Payment, limits),
            refunds: List::new(Direction::Refund, limits),
            bill: Held::default(),
            ledger: Vec::new(),
            lines: Vec::new(),
            lists_anew: false,
            day: None,
            covers: Coverage::BOTH,
            outside: Outside::default(),
        }
    }

    /// Takes a row of the ledger that begins at this place of its file.
    pub fn ledger_row(&mut self, row: &LedgerLine<'_>, place: u64) {
        let day = self.day_of.day(row.occurred_at);
        if row.state.moves_money() {
            self.ledger_days.count(day);
        }
        if row.key().is_empty() {
            self.bare.push(place);
            self.note_bare(row.direction, row.provider_trade_no);
        } else {
            self.table.push(row, place, day);
        }
    }

    fn note_bare(&mut self, direction: Direction, provider_trade_no: &str) {
        let number = self.table.provider(provider_trade_no);
        if direction == Direction::Payment && number != 0 {
            self.bare_numbers.insert(number);
        }
    }

    /// The ledger is whole, the bill begins.
    pub fn bill_begins(&mut self) {
        self.table.index();
    }

    /// Takes some rows of the bill, which is cheaper than one by one.
    pub fn bill_rows(&mut self, rows: &Held) {
        let mut some: Vec<BillRow<'_>> = Vec::with_capacity(TOGETHER);
        let mut keys: Vec<Key<'_>> = Vec::with_capacity(TOGETHER);
        let mut rows = rows.rows();
        loop {
            some.clear();
            keys.clear();
            some.extend(rows.by_ref().take(TOGETHER));
            keys.extend(some.iter().map(|row| self.table.key(row.direction, key(row))));
            self.table.look_ahead(&keys);
            for (row, key) in some.iter().zip(&keys) {
                self.keyed_row(row, *key);
            }
            if some.len() < TOGETHER {
                return;
            }
        }
    }

    /// Takes a row of the bill.
    pub fn bill_row(&mut self, row: &BillRow<'_>) {
        self.keyed_row(row, self.table.key(row.direction, key(row)));
    }

    fn keyed_row(&mut self, row: &BillRow<'_>, by: Key<'_>) {
        self.bill_sums.add(row.direction, row.amount);
        self.fee = Fen::new(self.fee.get().saturating_add(row.fee.unwrap_or_default().get()));
        self.bill_days.count(self.day_of.day(row.occurred_at));
        let number = key(row);
        if number.is_empty() {
            self.note_bare(row.direction, row.provider_trade_no);
        }
        let is_whole =
            number.is_empty() || row.out_trade_no.is_empty() || row.provider_trade_no.is_empty();
        let rate = self.rules.fee_rate;
        let provider = match row.direction {
            Direction::Payment => self.table.provider(row.provider_trade_no),
            // The payment's number, by which no refund is told from another.
            Direction::Refund => 0,
        };
        let entry = if number.is_empty() { None } else { self.table.find(by) };
        let Some(entry) = entry else { return self.bill.push(row) };
        match (entry.status, u32::try_from(row.line)) {
            (Status::Alone, Ok(line))
                if !is_whole
                    // Rows of which no money moved are few, and are listed as such.
                    && row.state != BillState::Failed
                    && entry.may_be(provider)
                    && agree((entry.amount, entry.state), row, rate) =>
            {
                entry.status = Status::Cleared;
                entry.line = line;
                entry.provider = entry.provider.max(provider);
                match row.direction {
                    Direction::Payment => self.payments.add(row),
                    Direction::Refund => self.refunds.add(row),
                }
                return;
            }
            // The row that cleared it was not alone.
            (Status::Cleared, _) => self.lines.push(u64::from(entry.line)),
            (Status::Alone | Status::Whole, _) => {}
        }
        entry.status = Status::Whole;
        self.bill.push(row);
    }

    /// The bill is whole; what it says of itself. Which of its rows are needed again.
    pub fn bill_ends(&mut self, stated_day: Option<Date>, covers: Coverage) -> Again {
        let of_bill = || self.bill_days.most();
        let day = self.rules.day.or(stated_day).or_else(of_bill);
        (self.day, self.covers) = (day.or_else(|| self.ledger_days.most()), covers);
        let day = self.day;
        for entry in self.table.entries() {
            // A payment that was booked on another day may be another payment than the bill's, and
            // one that stands somewhere without its order may be repeated there.
            let is_doubtful = entry.direction == Direction::Payment
                && (day != Some(entry.day) || self.bare_numbers.contains(&entry.provider));
            if entry.status == Status::Cleared && is_doubtful {
                entry.status = Status::Whole;
                self.lines.push(u64::from(entry.line));
            }
        }
        self.lines.sort_unstable();
        self.lists_anew = self.payments.forget(&self.lines) | self.refunds.forget(&self.lines);
        if self.lists_anew { Again::All } else { Again::Lines(self.lines.clone()) }
    }

    /// Takes a row of the bill again.
    pub fn bill_row_again(&mut self, row: &BillRow<'_>) {
        let list = match row.direction {
            Direction::Payment => &mut self.payments,
            Direction::Refund => &mut self.refunds,
        };
        if self.lines.binary_search(&row.line).is_ok() {
            list.take_back(row);
            self.bill.push(row);
        } else if self.lists_anew {
            let entry = self.table.find(self.table.key(row.direction, key(row)));
            if entry.is_some_and(|entry| entry.status == Status::Cleared) && list.is_short() {
                list.show(row);
            }
        }
    }

    /// Where the rows of the ledger begin that are needed again, in order.
    pub fn places(&mut self) -> Vec<u64> {
        let mut numbers = HashSet::new();
        for row in self.bill.rows() {
            numbers.insert(self.table.provider(row.provider_trade_no));
        }
        numbers.remove(&0);
        let mut places = std::mem::take(&mut self.bare);
        let (day, covers, outside) = (self.day, self.covers, &mut self.outside);
        for entry in self.table.entries() {
            match entry.status {
                Status::Cleared => continue,
                Status::Whole => places.push(entry.place),
                // A lone row of the bill may have the number that its provider gave it.
                Status::Alone if numbers.contains(&entry.provider) => places.push(entry.place),
                Status::Alone => match left_alone(entry, day, covers, outside) {
                    Some(count) => *count = count.saturating_add(1),
                    None => places.push(entry.place),
                },
            }
        }
        places.sort_unstable();
        places
    }

    /// Takes a row of the ledger again.
    pub fn ledger_row_again(&mut self, row: &LedgerLine<'_>) {
        self.ledger.push(row.to_row());
    }

    /// The result.
    #[must_use]
    pub fn finish(self) -> Reconciliation {
        let rules = Rules { day: self.day, ..self.rules };
        let mut matcher = Matcher::new(rules, self.ledger);
        matcher.bill = self.bill;
        let mut done = matcher.finish(None, self.covers);
        done.sums.bill = self.bill_sums;
        done.sums.fee = self.fee;
        for list in [self.payments, self.refunds] {
            let total = list.total();
            done.sums.matched.join(list.direction(), total);
            done.sums.hub.join(list.direction(), total);
            let (rows, rest) = list.close();
            done.matched.extend(rows);
            done.rest.extend(rest);
        }
        done.matched.sort_unstable();
        let outside = &mut done.outside;
        outside.unpaid = outside.unpaid.saturating_add(self.outside.unpaid);
        outside.other_day = outside.other_day.saturating_add(self.outside.other_day);
        outside.not_listed = outside.not_listed.saturating_add(self.outside.not_listed);
        done
    }
}

/// Where a row that the bill lacks is counted, if it is no matter of the day.
fn left_alone<'o>(
    entry: &Entry,
    day: Option<Date>,
    covers: Coverage,
    outside: &'o mut Outside,
) -> Option<&'o mut u64> {
    if !entry.state.moves_money() {
        Some(&mut outside.unpaid)
    } else if !covers.lists(entry.direction) {
        Some(&mut outside.not_listed)
    } else if day.is_some_and(|day| day != entry.day) {
        Some(&mut outside.other_day)
    } else {
        None
    }
}

/// The day of a moment; the one before was nearly always of the same.
#[derive(Default)]
struct DayOf(Option<(Timestamp, Timestamp, Date)>);

impl DayOf {
    fn day(&mut self, at: Timestamp) -> Date {
        if let Some((start, end, day)) = self.0
            && start <= at
            && at < end
        {
            return day;
        }
        let day = business_day(at);
        self.0 = Some((day_start(day), day_end(day), day));
        day
    }
}

/// How many rows each day has.
#[derive(Default)]
struct Days {
    days: BTreeMap<Date, u64>,
    /// The day of the newest rows, and how many of them are not in `days` yet.
    newest: Option<(Date, u64)>,
}

impl Days {
    fn count(&mut self, day: Date) {
        match &mut self.newest {
            Some((newest, rows)) if *newest == day => *rows = rows.saturating_add(1),
            other => {
                if let Some((newest, rows)) = other.replace((day, 1)) {
                    let all = self.days.entry(newest).or_default();
                    *all = all.saturating_add(rows);
                }
            }
        }
    }

    fn most(&self) -> Option<Date> {
        let mut days = self.days.clone();
        if let Some((newest, rows)) = self.newest {
            let all = days.entry(newest).or_default();
            *all = all.saturating_add(rows);
        }
        most(&days)
    }
}
