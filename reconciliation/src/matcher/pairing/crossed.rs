//! Payments that both sides know by the provider's number, while one of them has the order's number
//! and the other has not. Such a number is looked at where the order's number alone would join two
//! different payments and leave two halves over.

use std::collections::{HashMap, HashSet};

use domain::bill::Direction;

use super::{Bill, Hub};
use crate::ledger::LedgerRow;
use crate::matcher::held::key;
use domain::bill::BillRow;

/// What stands on both sides of each such number.
pub(super) struct Crossed<'a> {
    numbers: HashMap<&'a str, Seen<'a>>,
}

/// The rows of one provider number.
#[derive(Default)]
struct Seen<'a> {
    hub: Side<'a>,
    bill: Side<'a>,
}

/// Those of one side.
#[derive(Default)]
struct Side<'a> {
    rows: u64,
    /// How many have no order number.
    bare: u64,
    /// The order of the others.
    order: &'a str,
    /// Whether there are several of them.
    orders: bool,
}

impl<'a> Side<'a> {
    fn add(&mut self, order: &'a str) {
        self.rows = self.rows.saturating_add(1);
        if order.is_empty() {
            self.bare = self.bare.saturating_add(1);
        } else {
            self.orders |= !self.order.is_empty() && self.order != order;
            self.order = order;
        }
    }

    /// Whether every row lacks the order's number.
    const fn is_bare(&self) -> bool {
        self.rows > 0 && self.rows == self.bare
    }

    /// Whether every row has the same.
    const fn is_one_order(&self) -> bool {
        self.rows > 0 && self.bare == 0 && !self.orders
    }
}

impl<'a> Crossed<'a> {
    pub(super) fn of(ledger: &'a [LedgerRow], bill: &'a [BillRow<'a>]) -> Self {
        let hub = || ledger.iter().filter(|row| may_cross(row));
        let bill = || bill.iter().filter(|row| row.direction == Direction::Payment);
        let of_hub = hub().filter(|row| row.out_trade_no.is_empty());
        let of_bill = bill().filter(|row| row.out_trade_no.is_empty());
        let bare: HashSet<&str> = of_hub
            .map(|row| row.provider_trade_no.as_str())
            .chain(of_bill.map(|row| row.provider_trade_no))
            .filter(|number| !number.is_empty())
            .collect();
        let mut numbers: HashMap<&str, Seen<'a>> = HashMap::new();
        if bare.is_empty() {
            return Self { numbers };
        }
        for row in hub().filter(|row| bare.contains(row.provider_trade_no.as_str())) {
            numbers.entry(&row.provider_trade_no).or_default().hub.add(&row.out_trade_no);
        }
        for row in bill().filter(|row| bare.contains(row.provider_trade_no)) {
            numbers.entry(row.provider_trade_no).or_default().bill.add(row.out_trade_no);
        }
        Self { numbers }
    }

    /// Whether the payment of this ledger row stands in the bill without an order number, and
    /// belongs to nobody else.
    pub(super) fn has_hub(&self, row: Hub<'a>) -> bool {
        may_cross(row)
            && self.numbers.get(row.provider_trade_no.as_str()).is_some_and(|seen| {
                seen.hub.rows == 1 && seen.hub.is_one_order() && seen.bill.is_bare()
            })
    }

    /// The same of a bill row and the ledger.
    pub(super) fn has_bill(&self, row: Bill<'a>) -> bool {
        row.direction == Direction::Payment
            && !key(row).is_empty()
            && self.numbers.get(row.provider_trade_no).is_some_and(|seen| {
                seen.bill.is_one_order() && seen.hub.rows == 1 && seen.hub.is_bare()
            })
    }
}

fn may_cross(row: &LedgerRow) -> bool {
    row.direction == Direction::Payment && row.state.moves_money()
}
