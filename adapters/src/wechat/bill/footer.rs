//! The two footer lines of a trade bill: what the file says that its rows add up to. Old files
//! write `45.0` and `0.0`, newer ones `45` and `0.00`; both are decimals.

use domain::bill::{BillTotals, Direction};

use super::row::{Amounts, Columns};
use super::{split, wrong_width};
use crate::bill::BillError;
use crate::bill::decimal::Decimal;

/// What a footer name means: its name in the hub's words, and which sum of the rows it states.
const MEANINGS: [(&str, &str, Meaning); 10] = [
    ("总交易单数", "count", Meaning::Rows),
    ("应结订单总金额", "settlement_total_fen", Meaning::OfPayments(0)),
    ("总交易额", "settlement_total_fen", Meaning::OfPayments(0)),
    ("退款总金额", "refund_total_fen", Meaning::Sum(1)),
    ("总退款金额", "refund_total_fen", Meaning::Sum(1)),
    ("充值券退款总金额", "coupon_refund_total_fen", Meaning::Sum(2)),
    ("总代金券或立减优惠退款金额", "coupon_refund_total_fen", Meaning::Sum(2)),
    ("手续费总金额", "fee_total_fen", Meaning::Sum(3)),
    ("订单总金额", "order_total_fen", Meaning::OfPayments(4)),
    ("申请退款总金额", "requested_refund_total_fen", Meaning::Sum(5)),
];

/// The sums that a footer can state of a file's money columns, in the hub's words.
pub(super) fn sums_of(columns: &Columns) -> impl Iterator<Item = &'static str> {
    columns.money.iter().enumerate().filter(|(_, column)| column.is_some()).filter_map(
        |(wanted, _)| {
            MEANINGS.iter().find_map(|(_, word, meaning)| match meaning {
                Meaning::Sum(index) | Meaning::OfPayments(index) if *index == wanted => Some(*word),
                Meaning::Rows | Meaning::Sum(_) | Meaning::OfPayments(_) => None,
            })
        },
    )
}

#[derive(Clone, Copy)]
enum Meaning {
    Rows,
    Sum(usize),
    OfPayments(usize),
}

/// What the rows add up to, column by column.
#[derive(Default)]
pub(super) struct Sums {
    rows: u64,
    exact: Amounts,
    /// The same with each row rounded to the fen first, as a file may have done with its charges.
    rounded: Amounts,
    /// The same over payments alone: a refund may repeat its order's amounts, which no total counts.
    payments: Amounts,
}

impl Sums {
    pub(super) fn add(&mut self, direction: Direction, amounts: &Amounts) {
        self.rows = self.rows.saturating_add(1);
        if direction == Direction::Payment {
            for (sum, amount) in self.payments.iter_mut().zip(amounts) {
                *sum = sum.plus(*amount);
            }
        }
        for ((exact, rounded), amount) in self.exact.iter_mut().zip(&mut self.rounded).zip(amounts)
        {
            if *amount == Decimal::default() {
                continue;
            }
            *exact = exact.plus(*amount);
            *rounded = rounded.plus(amount.to_fen());
        }
    }

    /// The sums of both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let both = |one: &Amounts, other: &Amounts| {
            let mut sums = *one;
            for (sum, amount) in sums.iter_mut().zip(other) {
                *sum = sum.plus(*amount);
            }
            sums
        };
        Self {
            rows: self.rows.saturating_add(other.rows),
            exact: both(&self.exact, &other.exact),
            rounded: both(&self.rounded, &other.rounded),
            payments: both(&self.payments, &other.payments),
        }
    }

    /// Whether the rows add up to what is stated, and what they add up to.
    fn holds(&self, meaning: Meaning, stated: Decimal) -> (bool, Decimal) {
        match meaning {
            Meaning::Rows => {
                let rows = Decimal::count(self.rows);
                (rows == stated, rows)
            }
            Meaning::Sum(index) => {
                let exact = self.exact.get(index).copied().unwrap_or_default();
                let rounded = self.rounded.get(index).copied().unwrap_or_default();
                let same = [exact, rounded, exact.to_fen()].contains(&stated);
                (same, exact)
            }
            Meaning::OfPayments(index) => {
                let exact = self.exact.get(index).copied().unwrap_or_default();
                let payments = self.payments.get(index).copied().unwrap_or_default();
                ([exact, payments].contains(&stated), exact)
            }
        }
    }
}

/// The footer's line of names.
pub(super) struct Footer {
    names: Vec<String>,
}

impl Footer {
    /// The footer, if this line begins it. A data line begins with a backtick or a time.
    pub(super) fn begins(line: &str) -> Option<Self> {
        let plain = line.trim_start_matches('`');
        plain.starts_with('总').then(|| {
            let mut names = Vec::new();
            split(line, &mut names);
            let plain = |name: &&str| name.trim().trim_start_matches('`').to_owned();
            Self { names: names.iter().map(plain).collect() }
        })
    }

    /// Reads the line of numbers and compares each with the rows.
    pub(super) fn compare(
        &self,
        line: u64,
        text: &str,
        sums: &Sums,
        totals: &mut BillTotals,
    ) -> Result<(), BillError> {
        let mut values = Vec::new();
        split(text, &mut values);
        if values.len() != self.names.len() {
            return Err(wrong_width(line, values.len(), self.names.len(), true));
        }
        if !self.names.iter().any(|name| name == "总交易单数") {
            return Err(BillError::field(line, "总交易单数", "the footer does not state it"));
        }
        totals.footer_ok = true;
        for (name, text) in self.names.iter().zip(&values) {
            one(line, name, text.trim(), sums, totals)?;
        }
        Ok(())
    }
}

/// Compares one number.
fn one(
    line: u64,
    name: &str,
    text: &str,
    sums: &Sums,
    totals: &mut BillTotals,
) -> Result<(), BillError> {
    let stated = Decimal::parse(text).ok_or_else(|| {
        BillError::field(line, name, format!("{text:?} in the footer is not a number"))
    })?;
    let Some((_, word, meaning)) = MEANINGS.iter().find(|(known, ..)| *known == name) else {
        totals.unknown_columns.push(name.to_owned());
        return Ok(());
    };
    let value = match meaning {
        Meaning::Rows => stated.whole(),
        Meaning::Sum(_) | Meaning::OfPayments(_) => stated.fen_half_up().map(domain::Fen::get),
    };
    let value = value.ok_or_else(|| {
        BillError::field(line, name, format!("{text:?} in the footer is out of range"))
    })?;
    totals.footer.push(((*word).to_owned(), value));
    let (holds, found) = sums.holds(*meaning, stated);
    if !holds && totals.footer_fault.is_none() {
        totals.footer_ok = false;
        totals.footer_fault =
            Some(format!("line {line}: {name} says {text}, the rows add up to {found}"));
    }
    Ok(())
}
