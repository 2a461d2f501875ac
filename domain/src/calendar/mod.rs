//! The working-day calendar (工作日历): weekends, holidays (放假) and make-up days (调休) as data.
//!
//! The State Council announces each year's days in the November before. Days that nobody has
//! announced yet are computed from weekends and the holidays of fixed date, and every deadline
//! that rests on one says that it is provisional. No date makes it panic.

mod file;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

pub use file::CalendarError;

static BUILT_IN: LazyLock<Result<Calendar, CalendarError>> =
    LazyLock::new(|| Calendar::parse(include_str!("../../data/calendar/cn-holidays.csv")));

/// Holidays of fixed date by the regulation in force since 2024-11-10, as (month, day). Those of
/// the lunar year and Qingming are known only from the announcement.
const FIXED_HOLIDAYS: [(i8, i8); 6] = [(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)];

/// What an announcement makes of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Special {
    /// A weekday off.
    Off,
    /// A weekend day worked to make up for it.
    Work,
}

/// The last day of a time limit (到期日).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// The last day in time.
    pub date: Date,
    /// Whether it rests on days that are not announced yet, so that it may still move.
    pub provisional: bool,
}

/// Which days are worked. Immutable once read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Days that differ from the rule of the week.
    special: BTreeMap<Date, Special>,
    /// Years whose announcement is in.
    years: BTreeSet<i16>,
}

impl Calendar {
    /// The calendar that the hub ships, read once.
    ///
    /// # Errors
    /// When the file compiled in is broken, which a test rules out.
    pub fn built_in() -> Result<&'static Self, &'static CalendarError> {
        BUILT_IN.as_ref()
    }

    /// Whether the office works on `day`. Outside announced years: Monday to Friday but for the
    /// holidays of fixed date.
    #[must_use]
    pub fn is_working_day(&self, day: Date) -> bool {
        match self.special.get(&day) {
            Some(Special::Work) => true,
            Some(Special::Off) => false,
            None => !is_weekend(day) && (self.is_known_year(day.year()) || !is_fixed_holiday(day)),
        }
    }

    /// Whether the announcement of `year` is in.
    #[must_use]
    pub fn is_known_year(&self, year: i16) -> bool {
        self.years.contains(&year)
    }

    /// Whether `day` may still change: its year is not announced, or it is one of the last days of
    /// the last announced year, over which the next year's announcement disposes too (29 December
    /// 2018 was worked for New Year 2019).
    #[must_use]
    pub fn is_provisional(&self, day: Date) -> bool {
        let in_years_tail = day.month() == 12 && day.day() > 25;
        !self.is_known_year(day.year())
            || (in_years_tail && !self.is_known_year(day.year().saturating_add(1)))
    }

    /// The `n`th working day after `from`; the day of acceptance is not counted, and 0 is `from`
    /// itself. Where the calendar of the world ends it stops at the last day.
    #[must_use]
    pub fn add_working_days(&self, from: Date, n: u32) -> Deadline {
        self.add_days_that_count(from, n, |_| true)
    }

    /// As [`Self::add_working_days`], of working days that `counts` too.
    pub(crate) fn add_days_that_count(
        &self,
        from: Date,
        n: u32,
        counts: impl Fn(Date) -> bool,
    ) -> Deadline {
        let mut deadline = Deadline { date: from, provisional: false };
        let mut left = n;
        while left > 0 {
            let Ok(day) = deadline.date.tomorrow() else {
                return Deadline { provisional: true, ..deadline };
            };
            let provisional = deadline.provisional || self.is_provisional(day);
            deadline = Deadline { date: day, provisional };
            if self.is_working_day(day) && counts(day) {
                left = left.saturating_sub(1);
            }
        }
        deadline
    }

    /// How many working days lie after `from`, up to and with `to`; 0 when `to` is not later.
    #[must_use]
    pub fn working_days_between(&self, from: Date, to: Date) -> u32 {
        let days = from.series(jiff::Span::new().days(1)).skip(1).take_while(|day| *day <= to);
        let count = days.filter(|day| self.is_working_day(*day)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The last working day before `day`; the first day of the world's calendar if there is none.
    #[must_use]
    pub fn previous_working_day(&self, day: Date) -> Date {
        let mut earlier = day;
        while let Ok(yesterday) = earlier.yesterday() {
            earlier = yesterday;
            if self.is_working_day(earlier) {
                break;
            }
        }
        earlier
    }

    /// The first working day after `day`; the last day of the world's calendar if there is none.
    #[must_use]
    pub fn next_working_day(&self, day: Date) -> Date {
        self.add_working_days(day, 1).date
    }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn is_fixed_holiday(day: Date) -> bool {
    FIXED_HOLIDAYS.contains(&(day.month(), day.day()))
}
