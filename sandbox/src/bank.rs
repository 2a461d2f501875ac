//! The office's bank: what the providers' money does once it leaves them. Each account's day is paid
//! out gross on the next day on which the bank is open, and what falls on one day comes as one credit.
//! It counts days by lists of its own, so that a mistake of the hub's calendar shows.

use std::collections::BTreeMap;

use domain::Fen;
use domain::provider::Provider;
use domain::time::business_day;
use jiff::civil::{Date, Weekday};

use crate::engine::{Engine, World};
use crate::state::Ending;

/// The first line of a bank statement.
pub const BANK_HEADER: &str =
    "bank_serial,value_date,direction,amount_fen,reference,counter_name,counter_account";

/// On which days a bank is closed though it is a weekday, and open though it is a weekend.
#[derive(Clone, Debug, Default)]
pub struct BankDays {
    /// Weekdays off.
    pub closed: Vec<Date>,
    /// Weekend days on which it works.
    pub open: Vec<Date>,
}

impl BankDays {
    /// Whether money moves on that day.
    #[must_use]
    pub fn is_open(&self, day: Date) -> bool {
        match day.weekday() {
            Weekday::Saturday | Weekday::Sunday => self.open.contains(&day),
            Weekday::Monday
            | Weekday::Tuesday
            | Weekday::Wednesday
            | Weekday::Thursday
            | Weekday::Friday => !self.closed.contains(&day),
        }
    }

    /// When the money of a day arrives.
    #[must_use]
    pub fn arrival(&self, of: Date) -> Date {
        let mut day = of;
        while let Ok(next) = day.tomorrow() {
            day = next;
            if self.is_open(day) {
                break;
            }
        }
        day
    }
}

/// A credit that the bank tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankCredit {
    /// The bank's number of it.
    pub serial: String,
    /// When it counts.
    pub value_date: Date,
    /// How much.
    pub amount: Fen,
    /// mchid or `app_id` whose money it is.
    pub merchant: String,
    /// What the bank says of it.
    pub reference: String,
    /// Whose account it came from, and its number.
    pub counter: (&'static str, &'static str),
}

impl BankCredit {
    /// It as a row of a statement.
    #[must_use]
    pub fn row(&self) -> String {
        let Self { serial, value_date, amount, reference, counter: (name, account), .. } = self;
        format!("{serial},{value_date},in,{},{reference},{name},{account}", amount.get())
    }
}

/// Credits as a statement.
#[must_use]
pub fn bank_statement(credits: &[BankCredit]) -> String {
    let rows: String = credits.iter().map(|credit| format!("{}\n", credit.row())).collect();
    format!("{BANK_HEADER}\n{rows}")
}

impl Engine {
    /// What arrives at the bank up to a day, of all that the providers have moved. Where more was
    /// given back than taken, that is kept back of the next credit.
    #[must_use]
    pub fn bank_credits(&self, bank: &BankDays, until: Date) -> Vec<BankCredit> {
        let mut credits = Vec::new();
        for ((provider, merchant), days) in moved(&self.world()) {
            let mut due = BTreeMap::<Date, i64>::new();
            for (day, fen) in days {
                let sum = due.entry(bank.arrival(day)).or_default();
                *sum = sum.saturating_add(fen);
            }
            let mut kept_back: i64 = 0;
            for (value_date, fen) in due.into_iter().filter(|(day, _)| *day <= until) {
                let amount = fen.saturating_add(kept_back);
                kept_back = amount.min(0);
                if amount > 0 {
                    credits.push(credit(provider, &merchant, value_date, Fen::new(amount)));
                }
            }
        }
        credits.sort_by(|a, b| (a.value_date, &a.serial).cmp(&(b.value_date, &b.serial)));
        credits
    }
}

/// What moved for each account on each day: payments without coupons, less refunds that went through.
fn moved(world: &World) -> BTreeMap<(Provider, String), BTreeMap<Date, i64>> {
    let mut accounts = BTreeMap::<(Provider, String), BTreeMap<Date, i64>>::new();
    let mut add = |provider, merchant: &str, day, fen: i64| {
        let days = accounts.entry((provider, merchant.to_owned())).or_default();
        let sum = days.entry(day).or_default();
        *sum = sum.saturating_add(fen);
    };
    for order in world.book.orders.values() {
        for payment in &order.payments {
            let fen = payment.amount.get().saturating_sub(payment.coupon.get());
            add(order.provider, &order.merchant, business_day(payment.paid_at), fen);
        }
    }
    for refund in world.book.refunds.values().filter(|it| it.ending == Ending::Success) {
        let fen = refund.coupon.get().saturating_sub(refund.amount.get());
        add(refund.provider, &refund.merchant, business_day(refund.accepted_at), fen);
    }
    accounts
}

fn credit(provider: Provider, merchant: &str, value_date: Date, amount: Fen) -> BankCredit {
    let (letter, name, account) = match provider {
        Provider::Wechat => ('W', "财付通支付科技有限公司", "4000020219200123456"),
        Provider::Alipay => ('A', "支付宝（中国）网络技术有限公司", "216200100100123456"),
    };
    let day: String = value_date.to_string().chars().filter(char::is_ascii_digit).collect();
    BankCredit {
        serial: format!("{day}{letter}{merchant}"),
        value_date,
        amount,
        merchant: merchant.to_owned(),
        reference: format!("商户结算款 {merchant}"),
        counter: (name, account),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_arrives_on_the_next_day_on_which_the_bank_is_open() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let bank = BankDays { closed: vec![day("2018-12-03")], open: vec![day("2018-12-08")] };
        for (of, arrives) in [
            ("2018-11-29", "2018-11-30"),
            ("2018-11-30", "2018-12-04"),
            ("2018-12-07", "2018-12-08"),
            ("2018-12-08", "2018-12-10"),
        ] {
            assert_eq!(bank.arrival(day(of)), day(arrives), "{of}");
        }
    }
}
