//! A day's trade bill against the changes of the merchant's account (资金账单), row by row (L2). Each
//! row of either side is consumed once. A refund stands in the trade bill on the day of its
//! acceptance and moves money on another: it waits as a doubt, and is never set off in a sum.

mod cause;
mod matching;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use domain::bill::{BillRow, BillState, Direction, Total};
use domain::fund::{FundKind, FundRow};
use domain::money::Fen;
use domain::time::day_start;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::outcome::Sides;
pub use cause::FundCause;
use matching::{Moved, Traded};

/// A row of either side that has no partner, or one that disagrees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundFinding {
    /// What lies behind it.
    pub cause: FundCause,
    /// What moved, or should have.
    pub kind: FundKind,
    /// The number of the order or refund; empty where neither bill has it.
    pub out_no: String,
    /// The provider's number of the payment or refund.
    pub provider_no: String,
    /// What the trade bill lets expect; positive comes in. Of a balance: what it should be.
    pub expected: Option<Fen>,
    /// What is charged for it by the trade bill, positive; zero where nothing or unknown.
    pub charge: Fen,
    /// What the account shows. Of a balance: what it is.
    pub found: Option<Fen>,
    /// When it happened, by the bill that has it.
    pub occurred_at: Timestamp,
    /// Its line in the trade bill.
    pub trade_line: Option<u64>,
    /// Its line in the fund flow bill.
    pub flow_line: Option<u64>,
    /// The day whose bills had it first.
    pub day: Date,
    /// How many fund flow bills of later days have come and did not clear it.
    pub files: u32,
}

/// All changes of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// How many.
    pub count: u64,
    /// What they changed the balance by.
    pub amount_fen: Fen,
}

/// What became of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundResult {
    /// The balance before the first change; `None` where no bill states one.
    pub opening_fen: Option<Fen>,
    /// The balance after the last change.
    pub closing_fen: Option<Fen>,
    /// The changes by kind; a kind that did not occur is not listed.
    pub changes: BTreeMap<FundKind, Changes>,
    /// Payments and refunds whose money moved as the trade bill has them.
    pub matched: Sides,
    /// What a later bill may clear, those of earlier days first.
    pub doubts: Vec<FundFinding>,
    /// What somebody must look into.
    pub differences: Vec<FundFinding>,
}

impl FundResult {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.differences.is_empty()
    }
}

/// A place where the running balance does not go on, as the reader found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceGap {
    /// The row's line.
    pub line: u64,
    /// What its balance should be.
    pub expected: Fen,
    /// What it says.
    pub stated: Fen,
}

/// What the account had, as the reader found it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Before the first change and after the last; `None` where the bill states no balance.
    pub ends: Option<(Fen, Fen)>,
    /// Where the balances do not follow from each other.
    pub gaps: Vec<BalanceGap>,
}

/// What the days before leave to a day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// The closing balance of the day before; `None` where nobody knows it.
    pub closing: Option<Fen>,
    /// The doubts that are still open.
    pub doubts: Vec<FundFinding>,
    /// Whether a day between has not been looked at: its bill could have cleared them, so that they
    /// are no older by this one.
    pub steps_over: bool,
}

/// Takes the rows of both bills of a day.
pub struct FundMatcher {
    day: Date,
    traded: Vec<Traded>,
    moved: Vec<Moved>,
    changes: BTreeMap<FundKind, Changes>,
}

impl FundMatcher {
    /// A matcher for the bills of this day.
    #[must_use]
    pub const fn new(day: Date) -> Self {
        Self { day, traded: Vec::new(), moved: Vec::new(), changes: BTreeMap::new() }
    }

    /// Takes a row of the trade bill.
    pub fn trade_row(&mut self, row: &BillRow<'_>) {
        self.traded.extend(Traded::of(row, self.day));
        // A payment that was taken back at the counter goes out as it came in.
        if row.direction == Direction::Payment && row.state == BillState::Failed {
            let back = BillRow { direction: Direction::Refund, ..row.clone() };
            self.traded.extend(Traded::of(&back, self.day));
        }
    }

    /// Takes a row of the fund flow bill.
    pub fn fund_row(&mut self, row: &FundRow<'_>) {
        let changes = self.changes.entry(row.kind).or_default();
        changes.count = changes.count.saturating_add(1);
        let sum = changes.amount_fen.get().saturating_add(row.amount.get());
        changes.amount_fen = Fen::new(sum);
        self.moved.extend(Moved::of(row, self.day));
    }

    /// Pairs the rows, with what the days before left.
    #[must_use]
    pub fn finish(self, account: &Account, before: &Before) -> FundResult {
        let mut result = FundResult {
            opening_fen: account.ends.map(|(opening, _)| opening).or(before.closing),
            closing_fen: account.ends.map(|(_, closing)| closing).or(before.closing),
            changes: self.changes,
            matched: Sides::default(),
            doubts: Vec::new(),
            differences: Vec::new(),
        };
        let (mut traded, mut moved) = (self.traded, self.moved);
        for doubt in &before.doubts {
            match doubt.found {
                None => traded.push(Traded::carried(doubt)),
                Some(_) => moved.push(Moved::carried(doubt)),
            }
        }
        matching::pair(&mut traded, &mut moved, &mut result);
        matching::leftovers(self.day, before.steps_over, (traded, moved), &mut result);
        balances(self.day, account, before, &mut result);
        result.differences.sort_by(|a, b| order(a).cmp(&order(b)));
        result.doubts.sort_by(|a, b| order(a).cmp(&order(b)));
        result
    }
}

/// An order over findings that does not depend on that of the rows.
fn order(found: &FundFinding) -> impl Ord + use<'_> {
    (
        found.day,
        found.occurred_at,
        (&found.out_no, &found.provider_no),
        found.cause,
        (found.expected, found.found),
        (found.trade_line, found.flow_line),
    )
}

fn balances(day: Date, account: &Account, before: &Before, result: &mut FundResult) {
    let start = day_start(day);
    let gap = |cause, expected, found, line| FundFinding {
        cause,
        kind: FundKind::Other,
        out_no: String::new(),
        provider_no: String::new(),
        expected: Some(expected),
        charge: Fen::ZERO,
        found: Some(found),
        occurred_at: start,
        trade_line: None,
        flow_line: line,
        day,
        files: 0,
    };
    if let (Some(expected), Some((opening, _))) = (before.closing, account.ends)
        && expected != opening
    {
        result.differences.push(gap(FundCause::OpeningGap, expected, opening, None));
    }
    let gaps = account.gaps.iter();
    result
        .differences
        .extend(gaps.map(|it| gap(FundCause::BalanceGap, it.expected, it.stated, Some(it.line))));
}

fn count(sides: &mut Sides, direction: Direction, amount: Fen) {
    let total: &mut Total = match direction {
        Direction::Payment => &mut sides.payments,
        Direction::Refund => &mut sides.refunds,
    };
    total.count = total.count.saturating_add(1);
    let sum = total.amount_fen.get().saturating_add(amount.get().saturating_abs());
    total.amount_fen = Fen::new(sum);
}
