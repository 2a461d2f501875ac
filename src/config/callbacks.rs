//! `[callbacks]`: how many callbacks are taken at once.

use super::error::ConfigError;
use super::section::Section;
use crate::intake::Limits;

/// The most callbacks in one transaction: its rows lie in memory twice.
const MOST_PER_COMMIT: usize = 1024;
/// The least room that holds one whole body with what is kept of it.
const LEAST_BYTES: usize = 4 * 1024 * 1024;

pub(super) fn read(section: &Section<'_>) -> Result<Limits, ConfigError> {
    section.only(&["per_commit", "most_waiting", "most_bytes"])?;
    let usual = Limits::default();
    let most = usize::MAX;
    Ok(Limits {
        per_commit: number(section, "per_commit", 1, MOST_PER_COMMIT)?.unwrap_or(usual.per_commit),
        most_waiting: number(section, "most_waiting", 1, 65_536)?.unwrap_or(usual.most_waiting),
        most_bytes: number(section, "most_bytes", LEAST_BYTES, most)?.unwrap_or(usual.most_bytes),
    })
}

fn number(
    section: &Section<'_>,
    key: &str,
    least: usize,
    most: usize,
) -> Result<Option<usize>, ConfigError> {
    let Some(text) = section.text_or_number(key)? else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.map(Some).ok_or_else(|| {
        let upto = if most == usize::MAX { " or more".to_owned() } else { format!(" to {most}") };
        section.fault(key, format!("`{text}` does not do here"), format!("give {least}{upto}"))
    })
}
