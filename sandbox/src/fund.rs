//! What a merchant's account has from day to day, and what of it goes on to the bank (自动提现): on each
//! day on which the bank is open everything that was there when the day began, as one row. Holidays
//! are not known here, weekends are.

use std::collections::BTreeMap;

use domain::Fen;
use domain::time::day_start;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::bank::BankDays;

/// When it goes.
const GOES_AT: SignedDuration = SignedDuration::from_hours(2);

/// What went on to the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Withdrawal {
    /// When.
    pub(crate) at: Timestamp,
    /// How much, positive.
    pub(crate) amount: Fen,
}

/// What an account has when its first day begins, and what goes on to the bank until its last: by what
/// moved on each day, in fen.
pub(crate) fn withdrawals(
    moved: &BTreeMap<Date, i64>,
    (first, last): (Date, Date),
) -> (Fen, Vec<Withdrawal>) {
    let bank = BankDays::default();
    let (mut opening, mut gone) = (0_i64, Vec::new());
    let mut balance = 0_i64;
    let mut day = moved.keys().next().map_or(first, |known| (*known).min(first));
    while day <= last {
        if day == first {
            opening = balance;
        }
        if balance > 0 && bank.is_open(day) {
            if day >= first {
                let at = day_start(day).saturating_add(GOES_AT).unwrap_or(Timestamp::MAX);
                gone.push(Withdrawal { at, amount: Fen::new(balance) });
            }
            balance = 0;
        }
        balance = balance.saturating_add(moved.get(&day).copied().unwrap_or_default());
        match day.tomorrow() {
            Ok(next) => day = next,
            Err(_) => break,
        }
    }
    (Fen::new(opening), gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weekend_goes_on_to_the_bank_at_once_and_what_is_owed_is_kept_back() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let moved = [("2018-11-30", 8000), ("2018-12-01", 500), ("2018-12-03", -700)];
        let moved = moved.into_iter().map(|(of, fen)| (day(of), fen)).collect();
        let of = |first, last| {
            let (opening, gone) = withdrawals(&moved, (day(first), day(last)));
            (opening.get(), gone.iter().map(|it| it.amount.get()).collect::<Vec<_>>())
        };
        assert_eq!(of("2018-11-30", "2018-11-30"), (0, vec![]));
        assert_eq!(of("2018-12-02", "2018-12-02"), (8500, vec![]), "closed on Sunday");
        assert_eq!(of("2018-12-03", "2018-12-03"), (8500, vec![8500]));
        assert_eq!(of("2018-12-04", "2018-12-31"), (-700, vec![]), "less than nothing stays");
        assert_eq!(of("2018-11-01", "2018-12-31"), (0, vec![8500]));
    }
}
