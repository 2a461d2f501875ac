//! The bank's calendar (银行营业日): on which days money of a provider can arrive.
//!
//! It rests on the working days of [`Calendar`](crate::calendar::Calendar), which the same announcement
//! fixes, and differs in two things: a bank may be closed on a working day, as at the end of its year,
//! or open on another. What has arrived is a fact; when money is due is provisional where the
//! calendar is not announced yet, and is set anew when it is.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::calendar::Calendar;

/// On which days a bank settles.
#[derive(Clone, Debug)]
pub struct BankCalendar {
    working: &'static Calendar,
    closed: BTreeSet<Date>,
    open: BTreeSet<Date>,
}

impl BankCalendar {
    /// The working days, less those on which the bank is `closed`, and those on which it is `open`
    /// although the office is not.
    #[must_use]
    pub const fn new(
        working: &'static Calendar,
        closed: BTreeSet<Date>,
        open: BTreeSet<Date>,
    ) -> Self {
        Self { working, closed, open }
    }

    /// Whether money can arrive on `day`.
    #[must_use]
    pub fn is_bank_day(&self, day: Date) -> bool {
        !self.closed.contains(&day)
            && (self.open.contains(&day) || self.working.is_working_day(day))
    }

    /// Whether the day on which a bill's money is due rests on days whose calendar is not announced
    /// yet: it may still move.
    #[must_use]
    pub fn due_is_provisional(&self, bill_day: Date) -> bool {
        let due = self.due_on(bill_day);
        let mut day = bill_day;
        while day < due {
            let Ok(next) = day.tomorrow() else { return true };
            day = next;
            let is_said = self.closed.contains(&day) || self.open.contains(&day);
            if !is_said && self.working.is_provisional(day) {
                return true;
            }
        }
        false
    }

    /// When the money of a bill's day is due (T+1): on the next bank day, so that a weekend and the
    /// Friday before it arrive together.
    #[must_use]
    pub fn due_on(&self, bill_day: Date) -> Date {
        self.after(bill_day, 1)
    }

    /// The `n`th bank day after `day`; the last day of the world's calendar if there is none.
    #[must_use]
    pub fn after(&self, day: Date, n: u32) -> Date {
        self.step(day, n, |day| day.tomorrow().ok())
    }

    /// The `n`th bank day before `day`; the first day of the world's calendar if there is none.
    #[must_use]
    pub fn before(&self, day: Date, n: u32) -> Date {
        self.step(day, n, |day| day.yesterday().ok())
    }

    fn step(&self, from: Date, n: u32, next: impl Fn(Date) -> Option<Date>) -> Date {
        let (mut at, mut left) = (from, n);
        while left > 0 {
            let Some(day) = next(at) else { return at };
            at = day;
            if self.is_bank_day(day) {
                left = left.saturating_sub(1);
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn bank(closed: &[&str], open: &[&str]) -> BankCalendar {
        let days = |texts: &[&str]| texts.iter().map(|text| day(text)).collect();
        BankCalendar::new(Calendar::built_in().unwrap(), days(closed), days(open))
    }

    #[test]
    fn a_bill_is_due_on_the_next_bank_day() {
        let bank = bank(&["2018-12-31"], &["2019-01-05"]);
        for (bill, due) in [
            ("2018-11-29", "2018-11-30"),
            // Friday, Saturday and Sunday arrive together.
            ("2018-11-30", "2018-12-03"),
            ("2018-12-01", "2018-12-03"),
            ("2018-12-02", "2018-12-03"),
            // 29 December 2018 was worked; the bank's year ends on the 31st, and the 1st is a holiday.
            ("2018-12-28", "2018-12-29"),
            ("2018-12-30", "2019-01-02"),
            // A Saturday on which this bank is open.
            ("2019-01-04", "2019-01-05"),
            // National Day: 1 to 7 October.
            ("2018-09-30", "2018-10-08"),
            ("2018-10-07", "2018-10-08"),
        ] {
            assert_eq!(bank.due_on(day(bill)), day(due), "{bill}");
        }
    }

    #[test]
    fn where_no_calendar_is_announced_yet_the_due_day_is_provisional() {
        let usual = bank(&[], &[]);
        assert!(!usual.due_is_provisional(day("2018-09-30")));
        assert!(!usual.due_is_provisional(day("2026-12-24")));
        assert!(usual.due_is_provisional(day("2026-12-25")), "New Year 2027 may take the 28th");
        assert!(usual.due_is_provisional(day("2026-12-31")));
        assert!(usual.due_is_provisional(day("2030-04-30")));
        // What the bank itself has said is known.
        assert!(!bank(&[], &["2030-05-01"]).due_is_provisional(day("2030-04-30")));
        assert!(bank(&[], &[]).due_is_provisional(Date::MAX.yesterday().unwrap()));
    }

    #[test]
    fn days_are_counted_both_ways_and_the_calendar_ends_without_a_panic() {
        let bank = bank(&[], &[]);
        assert_eq!(bank.after(day("2018-11-30"), 2), day("2018-12-04"));
        assert_eq!(bank.before(day("2018-12-04"), 2), day("2018-11-30"));
        assert_eq!(bank.after(day("2018-11-30"), 0), day("2018-11-30"));
        assert_eq!(bank.after(Date::MAX, 3), Date::MAX);
        assert_eq!(bank.before(Date::MIN, 3), Date::MIN);
    }
}
