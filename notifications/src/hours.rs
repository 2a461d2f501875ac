//! When people may be disturbed. All hours are Beijing's.

use std::fmt;
use std::str::FromStr;

use domain::time::{beijing, from_beijing};
use jiff::Timestamp;
use jiff::civil::{Date, Time};

/// A part of every day, such as `21:00-08:00`; it may run over midnight. Its end is outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: Time,
    until: Time,
}

/// A text that is no part of a day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be two different times of day such as 21:00-08:00")]
pub struct HoursError;

impl Hours {
    /// Quiet hours (免打扰时段) when the configuration says nothing: 21:00 to 08:00.
    pub const QUIET: Self =
        Self { from: Time::constant(21, 0, 0, 0), until: Time::constant(8, 0, 0, 0) };
    /// Office hours when the configuration says nothing: 09:00 to 17:00.
    pub const OFFICE: Self =
        Self { from: Time::constant(9, 0, 0, 0), until: Time::constant(17, 0, 0, 0) };

    /// From one time of day until another; `None` when they are the same.
    #[must_use]
    pub fn new(from: Time, until: Time) -> Option<Self> {
        if from == until { None } else { Some(Self { from, until }) }
    }

    /// Whether a time of day lies inside.
    #[must_use]
    pub fn holds(self, time: Time) -> bool {
        if self.from < self.until {
            self.from <= time && time < self.until
        } else {
            self.from <= time || time < self.until
        }
    }

    /// The first instant from `at` on that lies outside.
    #[must_use]
    pub fn end_after(self, at: Timestamp) -> Timestamp {
        let wall = beijing(at);
        if !self.holds(wall.time()) {
            return at;
        }
        let today = from_beijing(wall.date().to_datetime(self.until));
        if today > at { today } else { next_day(wall.date(), self.until) }
    }

    /// The first instant from `at` on that lies inside, on a day that `is_open`. A year without
    /// such a day gives `at`: better early than never.
    #[must_use]
    pub fn next_open(self, at: Timestamp, is_open: fn(Date) -> bool) -> Timestamp {
        let wall = beijing(at);
        if is_open(wall.date()) && self.holds(wall.time()) {
            return at;
        }
        let starts = wall.date().series(jiff::Span::new().days(1)).take(366);
        starts
            .filter(|day| is_open(*day))
            .map(|day| from_beijing(day.to_datetime(self.from)))
            .find(|start| *start > at)
            .unwrap_or(at)
    }
}

fn next_day(day: Date, time: Time) -> Timestamp {
    day.tomorrow().map_or(Timestamp::MAX, |day| from_beijing(day.to_datetime(time)))
}

impl FromStr for Hours {
    type Err = HoursError;
    fn from_str(text: &str) -> Result<Self, HoursError> {
        let (from, until) = text.split_once('-').ok_or(HoursError)?;
        let time = |text: &str| Time::strptime("%H:%M", text).ok().filter(|_| text.len() == 5);
        let (from, until) = time(from).zip(time(until)).ok_or(HoursError)?;
        Self::new(from, until).ok_or(HoursError)
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.strftime("%H:%M"), self.until.strftime("%H:%M"))
    }
}

#[cfg(test)]
mod tests {
    use domain::time::rfc3339;
    use jiff::civil::Weekday;

    use super::*;

    #[track_caller]
    fn check(hours: &str, at: &str, free: &str) {
        let hours: Hours = hours.parse().unwrap();
        let free_at = hours.end_after(format!("{at}+08:00").parse().unwrap());
        assert_eq!(rfc3339(free_at), format!("{free}+08:00"), "{hours} {at}");
    }

    #[test]
    fn quiet_hours_end_at_eight_the_same_or_the_next_morning() {
        check("21:00-08:00", "2018-11-30T20:59:59", "2018-11-30T20:59:59");
        check("21:00-08:00", "2018-11-30T21:00:00", "2018-12-01T08:00:00");
        check("21:00-08:00", "2018-12-31T23:30:00", "2019-01-01T08:00:00");
        check("21:00-08:00", "2018-12-01T07:59:59", "2018-12-01T08:00:00");
        check("21:00-08:00", "2018-12-01T08:00:00", "2018-12-01T08:00:00");
        check("12:00-13:30", "2018-12-01T12:10:00", "2018-12-01T13:30:00");
        check("12:00-13:30", "2018-12-01T23:10:00", "2018-12-01T23:10:00");
    }

    #[test]
    fn staff_are_told_in_office_hours_of_a_working_day() {
        let is_open = |day: Date| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        for (at, told) in [
            ("2018-11-30T10:00:00", "2018-11-30T10:00:00"),
            ("2018-11-30T07:00:00", "2018-11-30T09:00:00"),
            ("2018-11-30T17:00:00", "2018-12-03T09:00:00"),
            ("2018-12-01T10:00:00", "2018-12-03T09:00:00"),
        ] {
            let told_at = Hours::OFFICE.next_open(format!("{at}+08:00").parse().unwrap(), is_open);
            assert_eq!(rfc3339(told_at), format!("{told}+08:00"), "{at}");
        }
        let at = Timestamp::UNIX_EPOCH;
        assert_eq!(Hours::OFFICE.next_open(at, |_| false), at);
    }

    #[test]
    fn hours_are_written_as_two_times() {
        assert_eq!("21:00-08:00".parse(), Ok(Hours::QUIET));
        assert_eq!(Hours::QUIET.to_string(), "21:00-08:00");
        for wrong in
            ["", "21:00", "21-8", "25:00-08:00", "08:00-08:00", "9:00-10:00", "21:00–08:00"]
        {
            assert_eq!(wrong.parse::<Hours>(), Err(HoursError), "{wrong}");
        }
    }
}
