//! The fee schedule (收费标准) as data, and pricing by it with a trace.
//!
//! Amounts, dates and legal bases live in `domain/data/fee-schedule/`, compiled in; the code knows
//! only how a decision table is read. The day of acceptance picks the version, and a version that
//! fees were computed with never changes, so that a fee can be computed again years later.

mod file;
mod item;
mod price;
#[cfg(test)]
mod properties;
mod quote;
mod rule;
mod supervision;
mod words;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use jiff::civil::Date;
use serde::Deserialize;

pub use file::ScheduleError;
pub use item::{Item, ItemKind, QuoteItem};
pub use price::{LARGEST_QUANTITY, MOST_ITEMS, PriceError};
pub use quote::{Quote, QuoteLine};
pub use rule::{Condition, Effect, Rule};
pub use supervision::{ChargeFault, ChargeFinding};
pub use words::{ApplicantClass, Reason, RegistrationType};

static BUILT_IN: LazyLock<Result<Schedule, ScheduleError>> =
    LazyLock::new(|| Schedule::parse(include_str!("../../data/fee-schedule/cn-2016.toml")));

/// A span of acceptance days on which every price and rule stands still.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// What lines and fees record.
    pub id: String,
    /// Its first day of acceptance.
    pub from: Date,
    /// Its last day of acceptance; absent while in force.
    pub to: Option<Date>,
    /// The circulars that it rests on.
    pub basis: String,
}

/// A fee schedule: its versions, items and rules. Immutable once read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    id: String,
    name: String,
    certificate: String,
    versions: Vec<Version>,
    items: Vec<Item>,
    rules: Vec<Rule>,
}

impl Schedule {
    /// The schedule that the hub ships, read once.
    ///
    /// # Errors
    /// When the file compiled in is broken, which a test rules out.
    pub fn built_in() -> Result<&'static Self, &'static ScheduleError> {
        BUILT_IN.as_ref()
    }

    /// Its id, e.g. `CN-RE-REG`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its name in Chinese.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its versions, oldest first.
    #[must_use]
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The version that prices a case accepted on `day`.
    #[must_use]
    pub fn version_on(&self, day: Date) -> Option<&Version> {
        self.versions.iter().find(|version| in_force(version.from, version.to, day))
    }

    /// The items that can be charged for a case accepted on `day`: the list that an office must
    /// publish (收费公示).
    pub fn items_on(&self, day: Date) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| in_force(item.from, item.to, day))
    }

    /// The rules for a case accepted on `day`, first to try first.
    pub fn rules_on(&self, day: Date) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| in_force(rule.from, rule.to, day))
    }

    /// Item codes and rule ids in force on `day` that nobody compared with the circulars' own text:
    /// priced as written, marked on their lines, and warned of by `doctor`.
    #[must_use]
    pub fn unverified_on(&self, day: Date) -> Vec<&str> {
        let items = self.items_on(day).filter(|item| !item.verified).map(|item| &*item.code);
        let rules = self.rules_on(day).filter(|rule| !rule.verified).map(|rule| &*rule.id);
        let mut names: Vec<&str> = items.chain(rules).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Whether `day` lies within a span that ends, if it ends, with the day `to`.
fn in_force(from: Date, to: Option<Date>, day: Date) -> bool {
    from <= day && to.is_none_or(|to| day <= to)
}
