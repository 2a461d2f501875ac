//! Rows of which one side lacks the hub's number: by the provider's payment number.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use domain::bill::{BillState, Direction};
use domain::money::Fen;

use super::{Bill, Hub, Pairing, rank};
use crate::matcher::held::key;

impl<'a> Pairing<'a> {
    /// Pairs what is left, where one side lacks the hub's number.
    pub(super) fn by_provider_number(&mut self) {
        let mut pools = HashMap::new();
        for row in self.only_hub.iter().filter(|row| row.key().is_empty()) {
            let number = row.provider_trade_no.as_str();
            pools.entry((row.direction, number)).or_insert_with(Pool::default);
        }
        for row in self.only_bill.iter().filter(|row| key(row).is_empty()) {
            pools.entry((row.direction, row.provider_trade_no)).or_insert_with(Pool::default);
        }
        pools.retain(|(_, number), _| !number.is_empty());
        if pools.is_empty() {
            return;
        }
        for (_, row) in &self.pairs {
            if row.direction == Direction::Payment
                && let Some(pool) = pools.get_mut(&(row.direction, row.provider_trade_no))
            {
                pool.known(row);
            }
        }
        self.only_hub.retain(|row| {
            match pools.get_mut(&(row.direction, row.provider_trade_no.as_str())) {
                Some(pool) => pool.hub.push(*row),
                None => return true,
            }
            false
        });
        self.only_bill.retain(|row| {
            match pools.get_mut(&(row.direction, row.provider_trade_no)) {
                Some(pool) => pool.bill.push(*row),
                None => return true,
            }
            false
        });
        for pool in pools.into_values() {
            pool.pair(self);
        }
    }
}

/// Unpaired rows of one provider number.
#[derive(Default)]
struct Pool<'a> {
    hub: Vec<Hub<'a>>,
    bill: Vec<Bill<'a>>,
    /// The payment of this number that the order's number has paired already.
    paired: Option<Bill<'a>>,
}

impl<'a> Pool<'a> {
    fn known(&mut self, row: Bill<'a>) {
        if self.paired.is_none_or(|paired| rank(row) < rank(paired)) {
            self.paired = Some(row);
        }
    }

    fn pair(mut self, pairing: &mut Pairing<'a>) {
        self.hub.sort_by_key(|row| (Reverse(row.state.moves_money()), *row));
        self.bill.sort_by_key(|row| rank(row));
        self.without_repeats(pairing);
        // A payment that has its order's number stands for one that has not.
        let numbered = self.bill.iter().copied().find(|row| !key(row).is_empty());
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
        pairing.pairs.append(&mut taken);
        pairing.only_hub.append(&mut self.hub);
        for row in self.bill {
            let is_bare_payment = row.direction == Direction::Payment && key(row).is_empty();
            match numbered.filter(|_| is_bare_payment) {
                Some(numbered) => pairing.duplicates.push((row, numbered)),
                None => pairing.only_bill.push(row),
            }
        }
    }

    /// Takes out bill rows without the hub's number that repeat another, before any of them can
    /// take a ledger row that is not theirs. A payment is repeated by its number; two refunds of
    /// one payment share it, so a refund is repeated only by what has its amount and moment.
    fn without_repeats(&mut self, pairing: &mut Pairing<'a>) {
        let wanted: HashSet<Fen> = self.hub.iter().map(|row| row.amount).collect();
        let (mut bare, numbered): (Vec<_>, Vec<_>) =
            self.bill.drain(..).partition(|row| key(row).is_empty());
        self.bill = numbered;
        bare.sort_by_key(|row| {
            let is_done = row.state == BillState::Succeeded;
            (Reverse(wanted.contains(&row.amount)), Reverse(is_done), rank(row))
        });
        let mut stands = HashMap::new();
        for row in bare {
            let same = match row.direction {
                Direction::Payment => None,
                Direction::Refund => Some((row.amount, row.occurred_at)),
            };
            match self.paired.or_else(|| stands.get(&same).copied()) {
                Some(first) => pairing.duplicates.push((row, first)),
                None => {
                    stands.insert(same, row);
                    self.bill.push(row);
                }
            }
        }
        self.bill.sort_by_key(|row| rank(row));
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
