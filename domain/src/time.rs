//! Beijing time. China has one zone and no daylight saving, so a fixed offset is exact and needs
//! no time-zone data.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer};

/// UTC+8, the offset of Asia/Shanghai.
pub const BEIJING: Offset = Offset::constant(8);

/// The wall clock in Beijing at an instant.
#[must_use]
pub fn beijing(at: Timestamp) -> DateTime {
    BEIJING.to_datetime(at)
}

/// The business day (Asia/Shanghai) on which an instant falls.
#[must_use]
pub fn business_day(at: Timestamp) -> Date {
    beijing(at).date()
}

/// Whether a day can be one of a bill or a ledger: neither provider is older than the year 2000, and
/// no sheet of a workbook has every older day.
///
/// # Errors
/// In words, for whoever gave the day.
pub fn check_day(day: Date) -> Result<(), String> {
    if day.year() >= 2000 { Ok(()) } else { Err(format!("{day} is before the year 2000")) }
}

/// A day as it is written everywhere: `YYYY-MM-DD`, and no other form of ISO 8601. A day with a time
/// of day behind it may be meant in another zone, so nothing is cut off.
///
/// # Errors
/// In words, for whoever wrote it.
pub fn parse_day(text: &str) -> Result<Date, String> {
    let is_written = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !is_written {
        return Err("must be a day as YYYY-MM-DD".to_owned());
    }
    text.parse().map_err(|fault: jiff::Error| fault.to_string())
}

/// Reads a day as [`parse_day`] does, for `serde(deserialize_with)`.
///
/// # Errors
/// In words, of the member.
pub fn read_day<'de, D: Deserializer<'de>>(from: D) -> Result<Date, D::Error> {
    parse_day(&Cow::<str>::deserialize(from)?).map_err(D::Error::custom)
}

/// Reads a day that may be absent or null; beside `serde(default)`.
///
/// # Errors
/// As [`read_day`].
pub fn read_day_if_any<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
    let text = Option::<Cow<'_, str>>::deserialize(from)?;
    text.map(|text| parse_day(&text)).transpose().map_err(D::Error::custom)
}

/// The instant of a wall-clock time in Beijing; clamped at the ends of time.
#[must_use]
pub fn from_beijing(wall: DateTime) -> Timestamp {
    BEIJING.to_timestamp(wall).unwrap_or(Timestamp::MAX)
}

/// Midnight in Beijing at which `day` begins.
#[must_use]
pub fn day_start(day: Date) -> Timestamp {
    from_beijing(day.at(0, 0, 0, 0))
}

/// Midnight in Beijing at which `day` ends and the next begins.
#[must_use]
pub fn day_end(day: Date) -> Timestamp {
    day.tomorrow().map_or(Timestamp::MAX, day_start)
}

/// How far an instant is from the nearest midnight in Beijing, the cut (日切) of every bill.
#[must_use]
pub fn distance_to_cut(at: Timestamp) -> SignedDuration {
    let day = business_day(at);
    let since = at.duration_since(day_start(day));
    let until = day_end(day).duration_since(at);
    since.min(until)
}

/// RFC 3339 with Beijing's offset, to the second: `2018-11-30T09:00:00+08:00`. The same bytes
/// whatever zone the host is in.
#[must_use]
pub fn rfc3339(at: Timestamp) -> String {
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    whole.display_with_offset(BEIJING).to_string()
}

/// Beijing's zone, for printing.
#[must_use]
pub fn zone() -> TimeZone {
    TimeZone::fixed(BEIJING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_business_day_begins_at_midnight_in_beijing() {
        assert_eq!(business_day(at("2018-11-29T15:59:59Z")).to_string(), "2018-11-29");
        assert_eq!(business_day(at("2018-11-29T16:00:00Z")).to_string(), "2018-11-30");
    }

    #[test]
    fn rfc3339_has_beijings_offset_and_no_fraction() {
        assert_eq!(rfc3339(at("2018-11-29T16:00:00.123Z")), "2018-11-30T00:00:00+08:00");
    }

    #[test]
    fn a_day_is_written_in_one_way() {
        assert_eq!(parse_day("2018-11-30").map(|day| day.to_string()), Ok("2018-11-30".to_owned()));
        for other in
            ["20181130", "2018-11-30T23:30:00", "+002018-11-30", "2018-02-30", "2018/11/30", ""]
        {
            assert!(parse_day(other).is_err(), "{other}");
        }
    }

    #[test]
    fn the_cut_is_near_from_both_sides() {
        assert_eq!(distance_to_cut(at("2018-11-29T15:59:00Z")), SignedDuration::from_secs(60));
        assert_eq!(distance_to_cut(at("2018-11-29T16:02:00Z")), SignedDuration::from_secs(120));
    }
}
