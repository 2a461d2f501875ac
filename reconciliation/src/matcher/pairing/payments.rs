//! Several payment rows of one order: one order can be paid twice.

use std::collections::HashMap;

use jiff::civil::Date;

use super::crossed::Crossed;
use super::{Bill, Hub, Pairing, best, is_booked_elsewhere, rank};
use crate::matcher::held::key;

impl<'a> Pairing<'a> {
    /// Payments that both sides know by the provider's own number belong together; what is left is
    /// paired as it agrees best. A bill row that repeats another is listed twice; what either side
    /// has beyond that stands alone.
    pub(super) fn add_payments(
        &mut self,
        mut hub: Vec<Hub<'a>>,
        mut bill: Vec<Bill<'a>>,
        day: Option<Date>,
        crossed: &Crossed<'a>,
    ) {
        best::sort(&mut hub, &mut bill);
        let knows = !hub.is_empty();
        let stands = self.same_payments(&mut hub, &mut bill);
        let bill = self.without_repeats(bill, stands);
        // Whose own payment stands elsewhere under the provider's number alone comes last, and two
        // such rows are not each other.
        let (mut lone_hub, hub): (Vec<_>, _) = hub.into_iter().partition(|r| crossed.has_hub(r));
        let (mut lone_bill, mut bill) = bill.into_iter().partition(|row| crossed.has_bill(row));
        let (mut elsewhere, mut hub): (Vec<_>, _) =
            hub.into_iter().partition(|row| is_booked_elsewhere(row, day));
        let is_free = |row: &Hub<'a>| !is_booked_elsewhere(row, day);
        let (mut free, bound): (Vec<_>, Vec<_>) = lone_hub.drain(..).partition(is_free);
        self.pair_best(&mut hub, &mut bill);
        self.pair_best(&mut hub, &mut lone_bill);
        self.pair_best(&mut free, &mut bill);
        // What was booked on another day under another number is another payment.
        let (mut unnumbered, mut bill): (Vec<_>, Vec<_>) =
            bill.into_iter().partition(|row| row.provider_trade_no.is_empty());
        self.pair_best(&mut elsewhere, &mut unnumbered);
        bill.append(&mut unnumbered);
        for row in bill.into_iter().chain(lone_bill) {
            // The ledger's rows of this order all belong to other payments.
            if knows {
                self.paid_again.insert(key(row));
            }
            self.only_bill.push(row);
        }
        self.only_hub.extend(hub.into_iter().chain(free).chain(bound).chain(elsewhere));
    }

    /// Pairs the payments that both sides know by the provider's number and takes them out; the
    /// bill rows that stand for a payment, by that number.
    fn same_payments(
        &mut self,
        hub: &mut Vec<Hub<'a>>,
        bill: &mut Vec<Bill<'a>>,
    ) -> HashMap<&'a str, Bill<'a>> {
        let mut known: HashMap<&str, Vec<Bill<'a>>> = HashMap::new();
        for row in bill.iter().filter(|row| !row.provider_trade_no.is_empty()) {
            known.entry(row.provider_trade_no).or_default().push(row);
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
            stands.insert(row.provider_trade_no, row);
            self.pairs.push((mine, row));
            false
        });
        bill.retain(|row| {
            stands.get(row.provider_trade_no).is_none_or(|taken| !std::ptr::eq(*taken, *row))
        });
        stands
    }

    /// Takes out what repeats a payment: its number again, or no number at all where the order has
    /// a payment already.
    fn without_repeats(
        &mut self,
        bill: Vec<Bill<'a>>,
        mut stands: HashMap<&'a str, Bill<'a>>,
    ) -> Vec<Bill<'a>> {
        let mut first = stands.values().min_by_key(|row| rank(row)).copied();
        let mut kept = Vec::with_capacity(bill.len());
        for row in bill {
            let again = match row.provider_trade_no {
                "" => first,
                number => stands.get(number).or_else(|| stands.get("")).copied(),
            };
            if let Some(again) = again {
                self.duplicates.push((row, again));
                continue;
            }
            stands.insert(row.provider_trade_no, row);
            first.get_or_insert(row);
            kept.push(row);
        }
        kept
    }
}
