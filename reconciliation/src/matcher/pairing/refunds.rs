//! Several refund rows of one refund number. A provider may ask only that the number be unique
//! within a payment, so rows are of one refund where they share the order's or the payment's number.

use std::collections::HashMap;

use super::{Bill, Hub, Pairing, best, rank};

impl<'a> Pairing<'a> {
    /// Of each refund the rows that agree best are a pair, and what the bill has beyond that is
    /// listed twice. What stands alone on both sides is joined by the refund number, as ever.
    pub(super) fn add_refunds(&mut self, hub: Vec<Hub<'a>>, bill: Vec<Bill<'a>>) {
        let mut refunds = HashMap::<usize, (Vec<Hub<'a>>, Vec<Bill<'a>>)>::new();
        let mut payments = Payments::default();
        for row in &hub {
            payments.join(&row.out_trade_no, &row.provider_trade_no);
        }
        for row in &bill {
            payments.join(row.out_trade_no, row.provider_trade_no);
        }
        for row in hub {
            let payment = payments.of(&row.out_trade_no, &row.provider_trade_no);
            refunds.entry(payment).or_default().0.push(row);
        }
        let mut first: Option<Bill<'a>> = None;
        for row in bill {
            let payment = payments.of(row.out_trade_no, row.provider_trade_no);
            refunds.entry(payment).or_default().1.push(row);
            if payment != UNKNOWN && first.is_none_or(|first| rank(row) < rank(first)) {
                first = Some(row);
            }
        }
        let (mut lone_hub, mut lone_bill) = (Vec::new(), Vec::new());
        for (mut hub, mut bill) in refunds.into_values() {
            best::sort(&mut hub, &mut bill);
            let mut bill = bill.into_iter();
            let stands = bill.next();
            if let Some(stands) = stands {
                self.duplicates.extend(bill.map(|row| (row, stands)));
            }
            let mut hub = hub.into_iter();
            match (hub.next(), stands) {
                (Some(hub), Some(bill)) => self.pairs.push((hub, bill)),
                (Some(hub), None) => lone_hub.push(hub),
                (None, Some(bill)) => lone_bill.push(bill),
                (None, None) => {}
            }
            self.only_hub.extend(hub);
        }
        best::sort(&mut lone_hub, &mut lone_bill);
        self.pair_best(&mut lone_hub, &mut lone_bill);
        self.only_hub.append(&mut lone_hub);
        for row in lone_bill {
            // Whose payment nobody knows repeats the refund that stands there.
            match first.filter(|_| is_unknown(row)) {
                Some(first) => self.duplicates.push((row, first)),
                None => self.only_bill.push(row),
            }
        }
    }
}

/// What stands for the payment of rows that name none.
const UNKNOWN: usize = usize::MAX;

fn is_unknown(row: Bill<'_>) -> bool {
    row.out_trade_no.is_empty() && row.provider_trade_no.is_empty()
}

/// Which numbers are of one payment: those that stand in one row, and what these are joined to.
#[derive(Default)]
struct Payments<'a> {
    of_order: HashMap<&'a str, usize>,
    of_provider: HashMap<&'a str, usize>,
    /// Each one's neighbour on the way to the one that stands for all; that one is its own.
    next: Vec<usize>,
}

impl<'a> Payments<'a> {
    fn join(&mut self, order: &'a str, provider: &'a str) {
        let order = place(&mut self.of_order, order, &mut self.next);
        let provider = place(&mut self.of_provider, provider, &mut self.next);
        if let (Some(one), Some(other)) = (order, provider) {
            let (one, other) = (self.end(one), self.end(other));
            if let Some(next) = self.next.get_mut(one) {
                *next = other;
            }
        }
    }

    /// The payment of a row that was joined.
    fn of(&mut self, order: &str, provider: &str) -> usize {
        let number = self.of_order.get(order).or_else(|| self.of_provider.get(provider));
        number.copied().map_or(UNKNOWN, |number| self.end(number))
    }

    fn end(&mut self, mut at: usize) -> usize {
        loop {
            let next = self.next.get(at).copied().unwrap_or(at);
            if next == at {
                return at;
            }
            // Every second step is made shorter for those who come after.
            let beyond = self.next.get(next).copied().unwrap_or(next);
            if let Some(step) = self.next.get_mut(at) {
                *step = beyond;
            }
            at = beyond;
        }
    }
}

/// A number's place in `next`, made if it is new; nothing stands for no number.
fn place<'a>(
    places: &mut HashMap<&'a str, usize>,
    number: &'a str,
    next: &mut Vec<usize>,
) -> Option<usize> {
    if number.is_empty() {
        return None;
    }
    let place = places.entry(number).or_insert_with(|| {
        next.push(next.len());
        next.len().saturating_sub(1)
    });
    Some(*place)
}
