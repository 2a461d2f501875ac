//! Reads the calendar's file: `date,kind,holiday` with kind `off` or `work`, only days that differ
//! from the rule of the week. A year is announced when the file has a day of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use thiserror::Error;

use super::{Calendar, Special, is_weekend};

const HEADER: &str = "date,kind,holiday";

/// Why a calendar's file cannot be used. Lines count from 1.
#[derive(Debug, Error)]
pub enum CalendarError {
    /// The first line is not the header.
    #[error("the calendar does not begin with the line {HEADER:?}")]
    Header,
    /// A line has no date of the form `2026-02-14`.
    #[error("line {line} of the calendar has no date")]
    Date {
        /// Which line.
        line: usize,
        /// What is wrong with the date.
        source: jiff::Error,
    },
    /// A line says neither `off` nor `work`.
    #[error("line {line} of the calendar says neither off nor work")]
    Kind {
        /// Which line.
        line: usize,
    },
    /// A weekday worked or a weekend day off: the rule of the week says so already.
    #[error("line {line} of the calendar repeats the rule of the week for {date}")]
    NotSpecial {
        /// Which line.
        line: usize,
        /// The day.
        date: Date,
    },
    /// A day stands twice.
    #[error("line {line} of the calendar repeats {date}")]
    Twice {
        /// Which line.
        line: usize,
        /// The day.
        date: Date,
    },
}

impl Calendar {
    /// Reads a calendar from its file's text.
    ///
    /// # Errors
    /// The first line that does not read, repeats a day or tells nothing new.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let mut lines = text.lines().zip(1..);
        if lines.next().map(|(first, _)| first.trim_end()) != Some(HEADER) {
            return Err(CalendarError::Header);
        }
        let mut special = BTreeMap::new();
        for (text, line) in lines.filter(|(text, _)| !text.trim().is_empty()) {
            let (date, kind) = read_line(text, line)?;
            if (kind == Special::Work) != is_weekend(date) {
                return Err(CalendarError::NotSpecial { line, date });
            }
            if special.insert(date, kind).is_some() {
                return Err(CalendarError::Twice { line, date });
            }
        }
        let years: BTreeSet<i16> = special.keys().map(|day: &Date| day.year()).collect();
        Ok(Self { special, years })
    }
}

fn read_line(text: &str, line: usize) -> Result<(Date, Special), CalendarError> {
    let mut columns = text.split(',').map(str::trim);
    let date = columns.next().unwrap_or_default().parse();
    let date = date.map_err(|source| CalendarError::Date { line, source })?;
    match columns.next() {
        Some("off") => Ok((date, Special::Off)),
        Some("work") => Ok((date, Special::Work)),
        Some(_) | None => Err(CalendarError::Kind { line }),
    }
}
