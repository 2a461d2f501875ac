//! Reads a schedule's file and refuses one that contradicts itself, so that pricing never meets a
//! gap, an overlap or a price that changes inside a version.

use jiff::civil::Date;
use serde::Deserialize;
use thiserror::Error;

use super::item::{Item, ItemKind};
use super::rule::Rule;
use super::{Schedule, Version};
use crate::money::{Fen, LARGEST_AMOUNT};

/// Why a schedule's file cannot be used.
#[derive(Debug, Error)]
pub enum ScheduleError {
    /// It is not TOML of the expected shape.
    #[error("the fee schedule does not read")]
    Malformed(#[from] toml::de::Error),
    /// It reads, but contradicts itself.
    #[error("the fee schedule contradicts itself: {0}")]
    Inconsistent(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schedule: Head,
    version: Vec<Version>,
    item: Vec<Item>,
    #[serde(default)]
    rule: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    name: String,
    currency: String,
    tz: String,
    certificate: String,
}

impl Schedule {
    /// Reads a schedule from its file's text.
    ///
    /// # Errors
    /// When the text is not such a file, or contradicts itself: gaps between versions, two prices
    /// for a day, a price or rule that begins or ends inside a version, two rows of one priority,
    /// a rule without condition or for an item that does not exist.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let File { schedule: head, version, item, mut rule } = toml::from_str(text)?;
        rule.sort_by_key(|rule| rule.priority);
        expect(head.currency == "CNY", || format!("currency {:?} is not CNY", head.currency))?;
        expect(head.tz == "Asia/Shanghai", || format!("tz {:?} is not Asia/Shanghai", head.tz))?;
        versions_adjoin(&version)?;
        items_agree(&version, &item)?;
        certificate_is_priced(&version, &item, &head.certificate)?;
        rules_agree(&version, &item, &rule)?;
        Ok(Self {
            id: head.id,
            name: head.name,
            certificate: head.certificate,
            versions: version,
            items: item,
            rules: rule,
        })
    }
}

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), ScheduleError> {
    if holds { Ok(()) } else { Err(ScheduleError::Inconsistent(otherwise())) }
}

/// Oldest first, each beginning the day after the one before it ends, the last open or not.
fn versions_adjoin(versions: &[Version]) -> Result<(), ScheduleError> {
    expect(!versions.is_empty(), || "no version".to_owned())?;
    for version in versions {
        span_is_forward(&format!("version {}", version.id), version.from, version.to)?;
    }
    for (earlier, later) in versions.iter().zip(versions.iter().skip(1)) {
        let next = earlier.to.and_then(|to| to.tomorrow().ok());
        expect(next == Some(later.from), || {
            format!("version {} does not begin the day after {} ends", later.id, earlier.id)
        })?;
        expect(earlier.id != later.id, || format!("two versions {}", later.id))?;
    }
    Ok(())
}

fn items_agree(versions: &[Version], items: &[Item]) -> Result<(), ScheduleError> {
    for (index, item) in items.iter().enumerate() {
        let what = format!("item {}", item.code);
        keeps_to_versions(&what, versions, item.from, item.to)?;
        expect(item.amount_fen >= Fen::ZERO && item.amount_fen <= LARGEST_AMOUNT, || {
            format!("{what} has the price {}", item.amount_fen.get())
        })?;
        let twice = items.iter().skip(index.saturating_add(1)).any(|other| {
            other.code == item.code && overlap(item.from, item.to, other.from, other.to)
        });
        expect(!twice, || format!("{what} has two prices on one day"))?;
    }
    Ok(())
}

fn certificate_is_priced(
    versions: &[Version],
    items: &[Item],
    certificate: &str,
) -> Result<(), ScheduleError> {
    for version in versions {
        let priced = items.iter().any(|item| {
            item.code == certificate
                && item.kind == ItemKind::Certificate
                && super::in_force(item.from, item.to, version.from)
        });
        expect(priced, || format!("no certificate {certificate:?} in version {}", version.id))?;
    }
    Ok(())
}

fn rules_agree(versions: &[Version], items: &[Item], rules: &[Rule]) -> Result<(), ScheduleError> {
    for rule in rules {
        let what = format!("rule {} (priority {})", rule.id, rule.priority);
        keeps_to_versions(&what, versions, rule.from, rule.to)?;
        expect(!rule.when.is_empty(), || format!("{what} has no condition"))?;
        for code in rule.when.items() {
            let known = items.iter().any(|item| item.code == code);
            expect(known, || format!("{what} is for the unknown item {code:?}"))?;
        }
    }
    for (index, rule) in rules.iter().enumerate() {
        let tie = rules.iter().skip(index.saturating_add(1)).any(|other| {
            other.priority == rule.priority && overlap(rule.from, rule.to, other.from, other.to)
        });
        expect(!tie, || format!("two rules of priority {} on one day", rule.priority))?;
    }
    Ok(())
}

/// A span may begin and end only where a version does: inside one, no price changes.
fn keeps_to_versions(
    what: &str,
    versions: &[Version],
    from: Date,
    to: Option<Date>,
) -> Result<(), ScheduleError> {
    span_is_forward(what, from, to)?;
    expect(versions.iter().any(|version| version.from == from), || {
        format!("{what} begins on {from}, where no version begins")
    })?;
    let Some(to) = to else { return Ok(()) };
    expect(versions.iter().any(|version| version.to == Some(to)), || {
        format!("{what} ends on {to}, where no version ends")
    })
}

fn span_is_forward(what: &str, from: Date, to: Option<Date>) -> Result<(), ScheduleError> {
    expect(to.is_none_or(|to| from <= to), || format!("{what} ends before it begins"))
}

fn overlap(from: Date, to: Option<Date>, other_from: Date, other_to: Option<Date>) -> bool {
    to.is_none_or(|to| other_from <= to) && other_to.is_none_or(|to| from <= to)
}
