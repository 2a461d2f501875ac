//! The matched rows that a report can show: all of them, or where there are too many the first few
//! in order, with the count and the sums of the others.

use domain::bill::{BillRow, Direction, Total};
use domain::money::Fen;

use crate::outcome::{Matched, Rest};

/// So many matched rows of one direction are all listed.
pub const LISTED: usize = 20_000;
/// Where there are more, so many of them are, in the order of [`Matched`].
pub const FIRST: usize = 3000;

/// How many times as many are kept: some may be taken back once the bill is whole.
const SPARE: usize = 2;

/// The matched rows of one direction.
pub(super) struct List {
    direction: Direction,
    limits: (usize, usize),
    rows: Vec<(Matched, u64)>,
    /// Whether some are only counted, and the last of those that are listed at least.
    last: Option<Matched>,
    /// Whether it was emptied, to be made anew.
    anew: bool,
    count: u64,
    amount: i64,
    fees: u64,
    fee: i64,
}

impl List {
    pub(super) fn new(direction: Direction, (all, first): (usize, usize)) -> Self {
        let limits = (all.max(first), first);
        Self {
            direction,
            limits,
            rows: Vec::new(),
            last: None,
            anew: false,
            count: 0,
            amount: 0,
            fees: 0,
            fee: 0,
        }
    }

    /// Counts a row that agrees with the ledger, and lists it if it is among the first.
    pub(super) fn add(&mut self, row: &BillRow<'_>) {
        self.count = self.count.saturating_add(1);
        self.amount = self.amount.saturating_add(row.amount.get());
        if let Some(fee) = row.fee {
            self.fees = self.fees.saturating_add(1);
            self.fee = self.fee.saturating_add(fee.get());
        }
        self.show(row);
    }

    /// Takes back a row that was added: it is for the obvious matcher after all.
    pub(super) fn take_back(&mut self, row: &BillRow<'_>) {
        self.count = self.count.saturating_sub(1);
        self.amount = self.amount.saturating_sub(row.amount.get());
        if let Some(fee) = row.fee {
            self.fees = self.fees.saturating_sub(1);
            self.fee = self.fee.saturating_sub(fee.get());
        }
    }

    /// Forgets the rows of these lines, which are in order; whether the list lacks rows for that
    /// and must be made anew. It has every row up to the last that it kept, so that some can go.
    pub(super) fn forget(&mut self, lines: &[u64]) -> bool {
        self.rows.retain(|(_, line)| lines.binary_search(line).is_err());
        let (all, first) = self.limits;
        let few = self.count.saturating_sub(wide(lines.len())) <= wide(all);
        let lacks = self.last.is_some() && (self.rows.len() < first || few);
        if lacks {
            self.anew = true;
            self.rows.clear();
            self.last = None;
        }
        lacks
    }

    /// Lists a row if it is among the first.
    pub(super) fn show(&mut self, row: &BillRow<'_>) {
        if self.last.as_ref().is_some_and(|last| row.occurred_at > last.occurred_at) {
            return;
        }
        let matched = Matched {
            direction: row.direction,
            occurred_at: row.occurred_at,
            out_trade_no: row.out_trade_no.to_owned(),
            out_refund_no: row.out_refund_no.to_owned(),
            provider_trade_no: row.provider_trade_no.to_owned(),
            amount: row.amount,
            fee: row.fee,
            is_void: false,
        };
        self.rows.push((matched, row.line));
        let (all, first) = self.limits;
        let is_full = match self.last {
            None => self.rows.len() > all,
            Some(_) => self.rows.len() >= first.saturating_mul(SPARE.saturating_mul(2)),
        };
        if is_full {
            self.rows.sort_unstable();
            self.rows.truncate(first.saturating_mul(SPARE).max(1));
            // What was listed whole gives its room back.
            self.rows.shrink_to(first.saturating_mul(SPARE.saturating_mul(2)));
            self.last = self.rows.last().map(|(row, _)| row.clone());
        }
    }

    /// How many rows were added and what they add up to.
    pub(super) const fn total(&self) -> Total {
        Total { count: self.count, amount_fen: Fen::new(self.amount) }
    }

    /// Of which direction they are.
    pub(super) const fn direction(&self) -> Direction {
        self.direction
    }

    /// Whether it is being made anew.
    pub(super) const fn is_short(&self) -> bool {
        self.anew
    }

    /// The listed rows, and the others together.
    pub(super) fn close(mut self) -> (Vec<Matched>, Option<Rest>) {
        if self.last.is_some() {
            self.rows.sort_unstable();
            self.rows.truncate(self.limits.1);
        }
        let rows: Vec<Matched> = self.rows.into_iter().map(|(row, _)| row).collect();
        let mut rest = Rest {
            direction: self.direction,
            count: self.count.saturating_sub(wide(rows.len())),
            amount: Fen::new(self.amount),
            fee: None,
        };
        let (mut fees, mut fee) = (self.fees, self.fee);
        for row in &rows {
            rest.amount = Fen::new(rest.amount.get().saturating_sub(row.amount.get()));
            if let Some(listed) = row.fee {
                fees = fees.saturating_sub(1);
                fee = fee.saturating_sub(listed.get());
            }
        }
        rest.fee = (fees > 0).then(|| Fen::new(fee));
        let has_rest = rest.count > 0;
        (rows, has_rest.then_some(rest))
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
