//! Who belongs to whom. Each row of either side is used once. Where rows repeat a number, the one
//! that agrees best is taken, never the one that came first, so that order decides nothing.

mod bare;
mod best;
mod crossed;
mod payments;
mod refunds;

use std::collections::{HashMap, HashSet};

use domain::bill::{BillRow, Direction};
use jiff::civil::Date;

use super::held::key;
use crate::ledger::LedgerRow;
use crossed::Crossed;

/// A bill row.
type Bill<'a> = &'a BillRow<'a>;
/// A ledger row.
type Hub<'a> = &'a LedgerRow;

/// Every row of both sides, in exactly one place.
#[derive(Default)]
pub(super) struct Pairing<'a> {
    /// In both.
    pub(super) pairs: Vec<(Hub<'a>, Bill<'a>)>,
    /// A bill row, and the row of the same number that stands for both.
    pub(super) duplicates: Vec<(Bill<'a>, Bill<'a>)>,
    /// In the ledger alone.
    pub(super) only_hub: Vec<Hub<'a>>,
    /// In the bill alone.
    pub(super) only_bill: Vec<Bill<'a>>,
    /// Orders of which the ledger has another payment than one that stands in the bill alone.
    pub(super) paid_again: HashSet<&'a str>,
}

/// The rows of one number. Nearly always there is one of each, which needs no allocation.
#[derive(Default)]
struct Group<'a> {
    hub: Few<Hub<'a>>,
    bill: Few<Bill<'a>>,
}

/// None, one, or more.
struct Few<T> {
    first: Option<T>,
    more: Vec<T>,
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self { first: None, more: Vec::new() }
    }
}

impl<T> Few<T> {
    fn push(&mut self, item: T) {
        match self.first {
            None => self.first = Some(item),
            Some(_) => self.more.push(item),
        }
    }

    fn into_vec(self) -> Vec<T> {
        let mut all = self.more;
        all.extend(self.first);
        all
    }
}

/// Pairs the rows of both sides.
pub(super) fn pair<'a>(
    ledger: &'a [LedgerRow],
    bill: &'a [BillRow<'a>],
    day: Option<Date>,
) -> Pairing<'a> {
    let mut pairing = Pairing::default();
    let mut groups: HashMap<(Direction, &str), Group<'a>> = HashMap::with_capacity(ledger.len());
    for row in ledger {
        match row.key() {
            "" => pairing.only_hub.push(row),
            number => groups.entry((row.direction, number)).or_default().hub.push(row),
        }
    }
    for row in bill {
        match key(row) {
            "" => pairing.only_bill.push(row),
            number => groups.entry((row.direction, number)).or_default().bill.push(row),
        }
    }
    let crossed = Crossed::of(ledger, bill);
    for ((direction, _), group) in groups {
        pairing.add_group(direction, group, day, &crossed);
    }
    pairing.by_provider_number();
    pairing
}

impl<'a> Pairing<'a> {
    fn add_group(
        &mut self,
        direction: Direction,
        group: Group<'a>,
        day: Option<Date>,
        crossed: &Crossed<'a>,
    ) {
        if group.hub.more.is_empty() && group.bill.more.is_empty() {
            match (group.hub.first, group.bill.first) {
                (Some(hub), Some(bill)) if is_another_payment(hub, bill, day) => {
                    self.paid_again.insert(key(bill));
                    self.only_hub.push(hub);
                    self.only_bill.push(bill);
                }
                (Some(hub), Some(bill)) if crossed.has_hub(hub) && crossed.has_bill(bill) => {
                    self.only_hub.push(hub);
                    self.only_bill.push(bill);
                }
                (Some(hub), Some(bill)) => self.pairs.push((hub, bill)),
                (Some(hub), None) => self.only_hub.push(hub),
                (None, Some(bill)) => self.only_bill.push(bill),
                (None, None) => {}
            }
            return;
        }
        let (hub, bill) = (group.hub.into_vec(), group.bill.into_vec());
        match direction {
            Direction::Payment => self.add_payments(hub, bill, day, crossed),
            Direction::Refund => self.add_refunds(hub, bill),
        }
    }
}

/// Whether a bill row of this day is a payment of its own beside the one that the ledger booked on
/// another day: both sides have the provider's number of it and the numbers differ.
pub(super) fn is_another_payment(hub: &LedgerRow, bill: &BillRow<'_>, day: Option<Date>) -> bool {
    is_booked_elsewhere(hub, day)
        && !bill.provider_trade_no.is_empty()
        && hub.provider_trade_no != bill.provider_trade_no
}

/// Whether a ledger row is a payment of another day, known by the provider's number.
fn is_booked_elsewhere(hub: &LedgerRow, day: Option<Date>) -> bool {
    hub.direction == Direction::Payment
        && hub.state.moves_money()
        && !hub.provider_trade_no.is_empty()
        && day.is_some_and(|day| day != hub.day())
}

/// An order over bill rows that looks at everything in them, the line last.
fn rank<'a>(row: Bill<'a>) -> impl Ord + use<'a> {
    let state = row.state.word(row.direction);
    let charge = (row.fee, row.rate.map(|rate| rate.0), row.settled);
    (row.occurred_at, row.amount, state, row.out_trade_no, row.provider_trade_no, charge, row.line)
}
