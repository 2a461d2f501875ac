//! A month's money between provider and bank (在途资金): what was underway at its beginning, what the month's
//! bills let expect, what arrived, and what is underway at its end. Each by bill days, to the fen.

use domain::money::Fen;
use serde::Serialize;
use serde_json::{Value, json};

use super::month::{AccountMonth, Month, Pile};
use super::office::{self, Settled};
use super::sorted::{add, subtract};
use crate::settlement::SettlementDay;

/// What was underway, became due, arrived and is underway. Opening and due less what arrived, without what
/// came more or less, is closing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Bank {
    #[serde(rename = "opening_fen")]
    pub(super) opening: Fen,
    /// What the month's bill days let expect.
    #[serde(rename = "due_fen")]
    pub(super) due: Fen,
    #[serde(rename = "arrived_fen")]
    pub(super) arrived: Fen,
    /// What arrived more than was expected; less, where it is negative.
    #[serde(rename = "apart_fen")]
    pub(super) apart: Fen,
    #[serde(rename = "closing_fen")]
    pub(super) closing: Fen,
    /// What of the closing is late.
    pub(super) late: Pile,
}

/// The columns of the balance.
pub(super) const COLUMNS: [&str; 8] = [
    "渠道 / 商户",
    "月初在途",
    "本月应到账",
    "本月实到账",
    "到账差额\n（实－应）",
    "月末在途",
    "其中逾期\n笔数",
    "其中逾期\n金额",
];

/// The columns of the bill days that are underway or arrived otherwise than expected.
pub(super) const LIST: [&str; 9] = [
    "序号",
    "渠道 / 商户",
    "账单日",
    "应到日",
    "应到账",
    "到账日",
    "实到账",
    "差额\n（实－应）",
    "状态 / 原因",
];

/// How the balance comes to itself.
pub(super) const NOTE: &str = "月初在途 ＋ 本月应到账 － （本月实到账 － 到账差额） ＝ 月末在途；应到账为账单日支付减退款，手续费另付。";

impl Bank {
    fn of(month: &Month, account: &AccountMonth) -> Self {
        let mut bank = Self::default();
        for day in account.bank.iter().filter(|day| day.bill_date <= month.last) {
            if day.bill_date >= month.first {
                bank.due = add(bank.due, day.net_fen);
            }
            let arrived_on = day.arrival.as_ref().map(|arrival| arrival.value_date);
            if day.bill_date < month.first && arrived_on.is_none_or(|on| on >= month.first) {
                bank.opening = add(bank.opening, day.net_fen);
            }
            if arrived_on.is_some_and(|on| month.first <= on && on <= month.last) {
                let apart = office::apart(day).unwrap_or_default();
                bank.apart = add(bank.apart, apart);
                bank.arrived = add(bank.arrived, add(day.net_fen, apart));
            }
            if is_underway(month, day) {
                bank.closing = add(bank.closing, day.net_fen);
                if day.is_late {
                    bank.late.count = bank.late.count.saturating_add(1);
                    bank.late.amount_fen = add(bank.late.amount_fen, day.net_fen);
                }
            }
        }
        bank
    }

    fn plus(self, other: Self) -> Self {
        Self {
            opening: add(self.opening, other.opening),
            due: add(self.due, other.due),
            arrived: add(self.arrived, other.arrived),
            apart: add(self.apart, other.apart),
            closing: add(self.closing, other.closing),
            late: self.late.plus(other.late),
        }
    }

    /// Whether opening and what became due less what arrived is closing. Money that came on a day before
    /// the bill's own would break it.
    pub(super) fn holds(&self) -> bool {
        let settled = subtract(self.arrived, self.apart);
        subtract(add(self.opening, self.due), settled) == self.closing
    }

    /// Its amounts in the order of [`COLUMNS`], without what is late.
    pub(super) const fn amounts(&self) -> [Fen; 5] {
        [self.opening, self.due, self.arrived, self.apart, self.closing]
    }
}

/// Whether nothing had come of a bill day at the end of the month.
fn is_underway(month: &Month, day: &SettlementDay) -> bool {
    let arrived_on = day.arrival.as_ref().map(|arrival| arrival.value_date);
    day.net_fen != Fen::ZERO && arrived_on.is_none_or(|on| on > month.last)
}

/// The balance of each account and, of several, of all; nothing where no bill day lets expect anything.
pub(super) fn banks(month: &Month) -> Vec<(String, Bank)> {
    let known = month.accounts.iter().filter(|account| !account.bank.is_empty());
    let mut banks: Vec<(String, Bank)> =
        known.map(|account| (account.name(), Bank::of(month, account))).collect();
    if banks.len() > 1 {
        banks.push(("合计".to_owned(), whole(month)));
    }
    banks
}

/// The balance of all accounts together.
pub(super) fn whole(month: &Month) -> Bank {
    month.accounts.iter().fold(Bank::default(), |sum, account| sum.plus(Bank::of(month, account)))
}

/// The bill days that are underway at the end of the month, and those that arrived in it otherwise than
/// expected.
pub(super) fn listed(month: &Month) -> Vec<Settled> {
    let each = month.accounts.iter().flat_map(|account| {
        let wanted = account.bank.iter().filter(|day| is_listed(month, day));
        wanted.map(move |day| office::shown(account.name(), &as_of(month, day)))
    });
    each.collect()
}

fn is_listed(month: &Month, day: &SettlementDay) -> bool {
    let in_month = |on| month.first <= on && on <= month.last;
    let is_apart = office::apart(day).unwrap_or_default() != Fen::ZERO
        && day.arrival.as_ref().is_some_and(|arrival| in_month(arrival.value_date));
    day.bill_date <= month.last && (is_apart || is_underway(month, day))
}

/// A bill day as it stood at the end of the month: what came later had not come.
fn as_of(month: &Month, day: &SettlementDay) -> SettlementDay {
    let mut day = day.clone();
    day.arrival = day.arrival.filter(|arrival| arrival.value_date <= month.last);
    day
}

/// An account's balance with the bill days behind it, for machines.
pub(super) fn bank_json(month: &Month, account: &AccountMonth) -> Value {
    let mut value = json!(Bank::of(month, account));
    let days: Vec<SettlementDay> = account
        .bank
        .iter()
        .filter(|day| is_listed(month, day))
        .map(|day| as_of(month, day))
        .collect();
    if let Value::Object(row) = &mut value {
        row.insert("days".to_owned(), json!(days));
    }
    value
}
