//! Rows of one number, one by one: those of equal amounts first, the others in their order.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet, VecDeque};

use domain::bill::BillState;
use domain::money::Fen;

use super::{Bill, Hub, Pairing, rank};

/// The rows that agree best come first on either side.
pub(super) fn sort<'a>(hub: &mut [Hub<'a>], bill: &mut [Bill<'a>]) {
    let amounts: HashSet<Fen> = bill.iter().map(|row| row.amount).collect();
    hub.sort_by_key(|row| {
        (Reverse(row.state.moves_money()), Reverse(amounts.contains(&row.amount)), *row)
    });
    let amounts: HashSet<Fen> = hub.iter().map(|row| row.amount).collect();
    let wanted = hub.first().map(|row| row.amount);
    bill.sort_by_key(|row| {
        (
            Reverse(Some(row.amount) == wanted),
            Reverse(amounts.contains(&row.amount)),
            Reverse(row.state == BillState::Succeeded),
            rank(row),
        )
    });
}

impl<'a> Pairing<'a> {
    /// Pairs sorted rows; what either side has beyond the other stays where it is.
    pub(super) fn pair_best(&mut self, hub: &mut Vec<Hub<'a>>, bill: &mut Vec<Bill<'a>>) {
        if hub.is_empty() || bill.is_empty() {
            return;
        }
        let mut equal: HashMap<Fen, VecDeque<Bill<'a>>> = HashMap::new();
        for row in bill.iter() {
            equal.entry(row.amount).or_default().push_back(row);
        }
        let mut taken = HashSet::new();
        hub.retain(|mine| {
            let Some(row) = equal.get_mut(&mine.amount).and_then(VecDeque::pop_front) else {
                return true;
            };
            taken.insert(std::ptr::from_ref(row));
            self.pairs.push((mine, row));
            false
        });
        bill.retain(|row| !taken.contains(&std::ptr::from_ref(*row)));
        let both = hub.len().min(bill.len());
        self.pairs.extend(hub.drain(..both).zip(bill.drain(..both)));
    }
}
