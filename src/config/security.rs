//! `[security]`: the master key, from which every other key of the hub is derived.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::ConfigError;
use super::section::{Section, in_words, read_small_file};
use crate::seal::Sealer;

const MEND: &str = "make one with `openssl rand -base64 32`";

/// The 32 bytes that seal secrets and personal data at rest. Lost, nothing sealed opens again.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

impl MasterKey {
    /// A key made by hand.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The keys that are derived from it, one for each purpose.
    #[must_use]
    pub fn sealer(&self) -> Sealer {
        Sealer::new(&self.0)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

pub(super) fn read(section: &Section<'_>) -> Result<MasterKey, ConfigError> {
    section.only(&["master_key", "master_key_file"])?;
    let (key, text) = match (section.text("master_key")?, section.text("master_key_file")?) {
        (Some(_), Some(_)) => {
            return Err(section.fault(
                "master_key",
                "stands beside master_key_file",
                "keep one of the two",
            ));
        }
        (Some(text), None) => ("master_key", text),
        (None, Some(file)) => {
            let text = read_small_file(&section.origin.path(&file)).map_err(|fault| {
                let mend = format!("give a path relative to {}; {MEND}", section.origin.file);
                let what = format!("cannot read {file}: {}", in_words(&fault));
                section.fault("master_key_file", what, mend)
            })?;
            ("master_key_file", text)
        }
        (None, None) => return Err(section.fault("master_key", "missing", MEND)),
    };
    let bytes = STANDARD
        .decode(text.trim())
        .map(Zeroizing::new)
        .map_err(|_fault| section.fault(key, "is not base64", MEND))?;
    <[u8; 32]>::try_from(bytes.as_slice()).map(MasterKey::new).map_err(|_fault| {
        section.fault(key, format!("has {} bytes, 32 are needed", bytes.len()), MEND)
    })
}
