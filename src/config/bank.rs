//! `[bank]`: on which days the office's bank settles otherwise than on working days.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::error::ConfigError;
use super::section::Section;

/// The bank's own days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BankDays {
    /// Working days on which it is closed.
    pub closed: BTreeSet<Date>,
    /// Days off on which it is open.
    pub open: BTreeSet<Date>,
}

pub(super) fn read(section: &Section<'_>) -> Result<BankDays, ConfigError> {
    section.only(&["closed", "open"])?;
    let days = BankDays { closed: days(section, "closed")?, open: days(section, "open")? };
    match days.closed.intersection(&days.open).next() {
        Some(both) => {
            let what = format!("`{both}` stands under closed too");
            Err(section.fault("open", what, "keep one of the two"))
        }
        None => Ok(days),
    }
}

fn days(section: &Section<'_>, key: &str) -> Result<BTreeSet<Date>, ConfigError> {
    let read = |text: String| {
        text.parse::<Date>().map_err(|_parse| {
            section.fault(key, format!("`{text}` is no day"), "give days as in 2026-12-31")
        })
    };
    section.texts(key)?.into_iter().map(read).collect()
}
