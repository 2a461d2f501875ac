//! The matcher: first by the hub's own number, then, for rows that lack it, by the provider's.

mod held;
mod judge;
mod pairing;
#[cfg(test)]
mod properties;
pub mod streaming;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::BTreeMap;

use domain::bill::{BillRow, Coverage, RatePpm};
use domain::money::Fen;
use domain::time::business_day;
use jiff::civil::Date;

use crate::finding::Finding;
use crate::ledger::LedgerRow;
use crate::outcome::{Reconciliation, Sides};
use crate::rules::Rules;
pub use held::Held;
use verdict::Books;

/// Takes the rows of a bill one by one and, at the end, holds them against the ledger.
pub struct Matcher {
    rules: Rules,
    ledger: Vec<LedgerRow>,
    bill: Held,
    bill_sums: Sides,
    fee: Fen,
    days: BTreeMap<Date, u64>,
}

impl Matcher {
    /// A matcher for one merchant's bill. The ledger should reach a day into both neighbours and
    /// hold unpaid orders: what does not belong to the day is left alone, not reported.
    #[must_use]
    pub fn new(rules: Rules, ledger: Vec<LedgerRow>) -> Self {
        Self {
            rules,
            ledger,
            bill: Held::default(),
            bill_sums: Sides::default(),
            fee: Fen::ZERO,
            days: BTreeMap::new(),
        }
    }

    /// Takes a row of the bill.
    pub fn bill_row(&mut self, row: &BillRow<'_>) {
        self.bill_sums.add(row.direction, row.amount);
        self.fee = Fen::new(self.fee.get().saturating_add(row.fee.unwrap_or_default().get()));
        let rows = self.days.entry(business_day(row.occurred_at)).or_default();
        *rows = rows.saturating_add(1);
        self.bill.push(row);
    }

    /// Compares. `stated_day` is what the bill says of itself; `covers` is what it lists at all.
    #[must_use]
    pub fn finish(self, stated_day: Option<Date>, covers: Coverage) -> Reconciliation {
        let day = self.day(stated_day);
        let bill: Vec<BillRow<'_>> = self.bill.rows().collect();
        let pairing = pairing::pair(&self.ledger, &bill, day);
        let rate: Option<RatePpm> = self.rules.fee_rate;
        let mut books = Books::new(day, covers, rate);
        for (hub, bill) in pairing.pairs {
            books.both(hub, bill);
        }
        for (again, first) in pairing.duplicates {
            books.again(again, first);
        }
        let twins = verdict::Twins::of(&pairing.only_hub, &pairing.only_bill, pairing.paid_again);
        for hub in pairing.only_hub {
            books.only_hub(hub, &twins);
        }
        for bill in pairing.only_bill {
            books.only_bill(bill, &twins);
        }
        let mut done = books.close();
        done.sums.bill = self.bill_sums;
        done.sums.fee = self.fee;
        done.matched.sort_unstable();
        done.differences.sort_by(in_order);
        done.doubts.sort_by(in_order);
        done
    }

    /// The day of the run: named, else stated, else of most rows (the earlier on a tie).
    fn day(&self, stated: Option<Date>) -> Option<Date> {
        let of_ledger = || {
            let mut days = BTreeMap::<Date, u64>::new();
            for row in self.ledger.iter().filter(|row| row.state.moves_money()) {
                let rows = days.entry(row.day()).or_default();
                *rows = rows.saturating_add(1);
            }
            most(&days)
        };
        self.rules.day.or(stated).or_else(|| most(&self.days)).or_else(of_ledger)
    }
}

fn most(days: &BTreeMap<Date, u64>) -> Option<Date> {
    days.iter().rev().max_by_key(|(_, rows)| **rows).map(|(day, _)| *day)
}

fn in_order(one: &Finding, other: &Finding) -> std::cmp::Ordering {
    let key = |finding: &Finding| {
        (finding.kind, finding.direction, finding.hub_amount, finding.bill_amount)
    };
    let numbers = |a: &Finding, b: &Finding| {
        a.out_trade_no
            .cmp(&b.out_trade_no)
            .then_with(|| a.out_refund_no.cmp(&b.out_refund_no))
            .then_with(|| a.provider_trade_no.cmp(&b.provider_trade_no))
    };
    one.kind
        .cmp(&other.kind)
        .then(one.direction.cmp(&other.direction))
        .then_with(|| numbers(one, other))
        .then_with(|| key(one).cmp(&key(other)))
        .then_with(|| one.occurred_at.cmp(&other.occurred_at))
        .then_with(|| one.bill_line.cmp(&other.bill_line))
}
