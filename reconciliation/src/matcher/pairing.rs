//! Who belongs to whom. Each row of either side is used once. Where rows repeat a number, the one
//! that agrees best is taken, never the one that came first, so that order decides nothing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use domain::bill::{BillRow, BillState, Direction};
use domain::money::Fen;
use jiff::civil::Date;

use super::held::key;
use crate::ledger::LedgerRow;

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
    for group in groups.into_values() {
        pairing.add_group(group, day);
    }
    by_provider_number(&mut pairing);
    pairing
}

impl<'a> Pairing<'a> {
    fn add_group(&mut self, group: Group<'a>, day: Option<Date>) {
        if group.hub.more.is_empty() && group.bill.more.is_empty() {
            match (group.hub.first, group.bill.first) {
                (Some(hub), Some(bill)) if is_another_payment(hub, bill, day) => {
                    self.paid_again.insert(key(bill));
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
        self.add_crowd(group.hub.into_vec(), group.bill.into_vec());
    }

    /// Several rows of one number. One order can be paid twice, so payments that both sides know by
    /// the provider's own number belong together; what is left is paired as it agrees best. A bill
    /// row that repeats another is listed twice; what either side has beyond that stands alone.
    fn add_crowd(&mut self, mut hub: Vec<Hub<'a>>, mut bill: Vec<Bill<'a>>) {
        let amounts: HashSet<Fen> = bill.iter().map(|row| row.amount).collect();
        hub.sort_by_key(|row| {
            (Reverse(row.state.moves_money()), Reverse(amounts.contains(&row.amount)), *row)
        });
        let wanted = hub.first().map(|row| row.amount);
        bill.sort_by_key(|row| {
            (
                Reverse(Some(row.amount) == wanted),
                Reverse(row.state == BillState::Succeeded),
                rank(row),
            )
        });
        let knows = !hub.is_empty();
        let mut stands = self.same_payments(&mut hub, &mut bill);
        let mut first = stands.values().min_by_key(|row| rank(row)).copied();
        let mut hub = hub.into_iter();
        for row in bill {
            let again = match payment_number(row) {
                "" => first,
                number => stands.get(number).or_else(|| stands.get("")).copied(),
            };
            if let Some(again) = again {
                self.duplicates.push((row, again));
                continue;
            }
            match hub.next() {
                Some(mine) => self.pairs.push((mine, row)),
                None => {
                    // The ledger's rows of this order all belong to other payments.
                    if knows {
                        self.paid_again.insert(key(row));
                    }
                    self.only_bill.push(row);
                }
            }
            stands.insert(payment_number(row), row);
            first.get_or_insert(row);
        }
        self.only_hub.extend(hub);
    }

    /// Pairs the payments of a crowd that both sides know by the provider's number and takes them
    /// out; the bill rows that stand for a payment, by that number.
    fn same_payments(
        &mut self,
        hub: &mut Vec<Hub<'a>>,
        bill: &mut Vec<Bill<'a>>,
    ) -> HashMap<&'a str, Bill<'a>> {
        let mut known: HashMap<&str, Vec<Bill<'a>>> = HashMap::new();
        for row in bill.iter().filter(|row| !payment_number(row).is_empty()) {
            known.entry(payment_number(row)).or_default().push(row);
        }
        let mut stands = HashMap::new();
        hub.retain(|mine| {
            let number = mine.provider_trade_no.as_str();
            if !mine.state.moves_money() || stands.contains_key(number) {
                return true;
            }
            let rows = known.get(number).map(Vec::as_slice).unwrap_or_default();
            let same = rows.iter().find(|row| row.amount == mine.amount).or_else(|| rows.first());
            let Some(row) = same.copied() else { return true };
            stands.insert(payment_number(row), row);
            self.pairs.push((mine, row));
            false
        });
        bill.retain(|row| {
            stands.get(payment_number(row)).is_none_or(|taken| !std::ptr::eq(*taken, *row))
        });
        stands
    }
}

/// The provider's number of a payment: what tells two payments of one order apart. The refunds of a
/// payment all bear its number, so it tells none of them apart.
fn payment_number<'a>(row: Bill<'a>) -> &'a str {
    match row.direction {
        Direction::Payment => row.provider_trade_no,
        Direction::Refund => "",
    }
}

/// Whether a bill row of this day is a payment of its own beside the one that the ledger booked on
/// another day: both sides have the provider's number of it and the numbers differ.
pub(super) fn is_another_payment(hub: &LedgerRow, bill: &BillRow<'_>, day: Option<Date>) -> bool {
    hub.direction == Direction::Payment
        && hub.state.moves_money()
        && !hub.provider_trade_no.is_empty()
        && !bill.provider_trade_no.is_empty()
        && hub.provider_trade_no != bill.provider_trade_no
        && day.is_some_and(|day| day != hub.day())
}

/// An order over bill rows that looks at everything in them, the line last.
fn rank<'a>(row: Bill<'a>) -> impl Ord + use<'a> {
    let state = row.state.word(row.direction);
    let charge = (row.fee, row.rate.map(|rate| rate.0), row.settled);
    (row.occurred_at, row.amount, state, row.out_trade_no, row.provider_trade_no, charge, row.line)
}

/// What is left, where one side lacks the hub's number: by the provider's payment number.
fn by_provider_number(pairing: &mut Pairing<'_>) {
    let mut pools = HashMap::new();
    for row in pairing.only_hub.iter().filter(|row| row.key().is_empty()) {
        pools.entry((row.direction, row.provider_trade_no.as_str())).or_insert_with(Pool::default);
    }
    for row in pairing.only_bill.iter().filter(|row| key(row).is_empty()) {
        pools.entry((row.direction, row.provider_trade_no)).or_insert_with(Pool::default);
    }
    pools.retain(|(_, number), _| !number.is_empty());
    if pools.is_empty() {
        return;
    }
    pairing.only_hub.retain(|row| {
        match pools.get_mut(&(row.direction, row.provider_trade_no.as_str())) {
            Some(pool) => pool.hub.push(*row),
            None => return true,
        }
        false
    });
    pairing.only_bill.retain(|row| {
        match pools.get_mut(&(row.direction, row.provider_trade_no)) {
            Some(pool) => pool.bill.push(*row),
            None => return true,
        }
        false
    });
    for pool in pools.into_values() {
        pool.pair(pairing);
    }
}

/// Unpaired rows of one provider number.
#[derive(Default)]
struct Pool<'a> {
    hub: Vec<Hub<'a>>,
    bill: Vec<Bill<'a>>,
}

impl<'a> Pool<'a> {
    fn pair(mut self, pairing: &mut Pairing<'a>) {
        self.hub.sort_by_key(|row| (Reverse(row.state.moves_money()), *row));
        self.bill.sort_by_key(|row| rank(row));
        let mut taken = Vec::new();
        for by_amount in [true, false] {
            let mut slots: BTreeMap<Fen, Slot<'a>> = BTreeMap::new();
            let at = |amount: Fen| if by_amount { amount } else { Fen::ZERO };
            for row in self.hub.drain(..) {
                slots.entry(at(row.amount)).or_default().hub(row);
            }
            for row in self.bill.drain(..) {
                slots.entry(at(row.amount)).or_default().bill(row);
            }
            for slot in slots.into_values() {
                slot.pair(&mut taken, &mut self);
            }
        }
        let bare: Vec<Bill<'a>> =
            taken.iter().map(|(_, bill)| *bill).filter(|bill| key(bill).is_empty()).collect();
        pairing.pairs.append(&mut taken);
        pairing.only_hub.append(&mut self.hub);
        self.settle_bill(bare, pairing);
    }

    /// Bill rows that nobody claims: one that repeats another is a duplicate of it. Two refunds of
    /// one payment share its number, so a refund repeats only what has its amount and moment.
    fn settle_bill(self, mut seen: Vec<Bill<'a>>, pairing: &mut Pairing<'a>) {
        for row in self.bill {
            let again = seen.iter().find(|first| {
                let same = first.amount == row.amount && first.occurred_at == row.occurred_at;
                row.direction == Direction::Payment || same
            });
            match again {
                Some(first) if key(row).is_empty() => pairing.duplicates.push((row, first)),
                _ => {
                    pairing.only_bill.push(row);
                    if key(row).is_empty() {
                        seen.push(row);
                    }
                }
            }
        }
    }
}

/// Rows that may be paired with each other: not two that both have a number, for those differ.
#[derive(Default)]
struct Slot<'a> {
    hub_numbered: Vec<Hub<'a>>,
    hub_bare: Vec<Hub<'a>>,
    bill_numbered: Vec<Bill<'a>>,
    bill_bare: Vec<Bill<'a>>,
}

impl<'a> Slot<'a> {
    fn hub(&mut self, row: Hub<'a>) {
        let list = if row.key().is_empty() { &mut self.hub_bare } else { &mut self.hub_numbered };
        list.push(row);
    }

    fn bill(&mut self, row: Bill<'a>) {
        let list = if key(row).is_empty() { &mut self.bill_bare } else { &mut self.bill_numbered };
        list.push(row);
    }

    fn pair(self, taken: &mut Vec<(Hub<'a>, Bill<'a>)>, rest: &mut Pool<'a>) {
        let mut bill_bare = self.bill_bare.into_iter();
        let mut hub_bare = self.hub_bare.into_iter();
        for hub in self.hub_numbered {
            match bill_bare.next() {
                Some(bill) => taken.push((hub, bill)),
                None => rest.hub.push(hub),
            }
        }
        for bill in self.bill_numbered {
            match hub_bare.next() {
                Some(hub) => taken.push((hub, bill)),
                None => rest.bill.push(bill),
            }
        }
        loop {
            match (hub_bare.next(), bill_bare.next()) {
                (Some(hub), Some(bill)) => taken.push((hub, bill)),
                (Some(hub), None) => rest.hub.push(hub),
                (None, Some(bill)) => rest.bill.push(bill),
                (None, None) => return,
            }
        }
    }
}
