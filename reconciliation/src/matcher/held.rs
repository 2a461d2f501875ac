//! The bill's rows, kept until all have come: their texts stand one after the other in a single
//! string, so that a million rows are not millions of allocations.

use std::ops::Range;

use domain::bill::{BillRow, BillState, Direction, RatePpm};
use domain::money::Fen;
use jiff::Timestamp;

/// A row of the bill without its texts.
struct HeldRow {
    line: u64,
    direction: Direction,
    out_trade_no: Range<usize>,
    out_refund_no: Range<usize>,
    provider_trade_no: Range<usize>,
    amount: Fen,
    settled: Option<Fen>,
    state: BillState,
    occurred_at: Timestamp,
    fee: Option<Fen>,
    rate: Option<RatePpm>,
}

/// Rows of a bill, kept.
#[derive(Default)]
pub struct Held {
    texts: String,
    rows: Vec<HeldRow>,
}

impl Held {
    /// Room for so many rows.
    #[must_use]
    pub fn with_room_for(rows: usize) -> Self {
        // Three numbers of some thirty letters at most, of which a payment has two.
        let texts = String::with_capacity(rows.saturating_mul(64));
        Self { texts, rows: Vec::with_capacity(rows) }
    }

    /// Forgets the rows and keeps their room.
    pub fn clear(&mut self) {
        self.texts.clear();
        self.rows.clear();
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Keeps a row.
    pub fn push(&mut self, row: &BillRow<'_>) {
        let out_trade_no = self.keep(row.out_trade_no);
        let out_refund_no = self.keep(row.out_refund_no);
        let provider_trade_no = self.keep(row.provider_trade_no);
        self.rows.push(HeldRow {
            line: row.line,
            direction: row.direction,
            out_trade_no,
            out_refund_no,
            provider_trade_no,
            amount: row.amount,
            settled: row.settled,
            state: row.state,
            occurred_at: row.occurred_at,
            fee: row.fee,
            rate: row.rate,
        });
    }

    fn keep(&mut self, text: &str) -> Range<usize> {
        let start = self.texts.len();
        self.texts.push_str(text);
        start..self.texts.len()
    }

    /// The rows, as they were pushed.
    pub fn rows(&self) -> impl Iterator<Item = BillRow<'_>> {
        let text = |range: &Range<usize>| self.texts.get(range.clone()).unwrap_or_default();
        self.rows.iter().map(move |row| BillRow {
            line: row.line,
            direction: row.direction,
            out_trade_no: text(&row.out_trade_no),
            out_refund_no: text(&row.out_refund_no),
            provider_trade_no: text(&row.provider_trade_no),
            // No ledger has it: rows are not matched by it.
            provider_refund_no: "",
            amount: row.amount,
            settled: row.settled,
            state: row.state,
            occurred_at: row.occurred_at,
            fee: row.fee,
            rate: row.rate,
        })
    }
}

/// The number by which a bill row is matched: the order's, or the refund's.
pub(super) fn key<'a>(row: &BillRow<'a>) -> &'a str {
    match row.direction {
        Direction::Payment => row.out_trade_no,
        Direction::Refund => row.out_refund_no,
    }
}
