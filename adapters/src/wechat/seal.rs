//! Fields that only WeChat Pay may read: sealed with the key that it verifies by, whose name every
//! repeat of the call must carry.

use domain::personal::Personal;
use jiff::Timestamp;

use super::ring::Ring;
use crate::keys::{Chance, VerifyingKey};
use crate::limits::broken;
use crate::provider::LimitError;

/// The header that names the key with which fields are sealed, and the parameter that keeps it.
pub(super) const SERIAL: &str = "Wechatpay-Serial";

/// The sealing of one call's fields, all with one key.
pub(super) struct Sealing {
    serial: String,
    key: VerifyingKey,
    chance: Chance,
}

impl Sealing {
    /// Takes the key of the hour.
    ///
    /// # Errors
    /// When there is none that is good at `now`: the certificates were not fetched, or are over.
    pub(super) fn begin(
        ring: &Ring,
        now: Timestamp,
        chance: &[u8; 32],
        field: &'static str,
    ) -> Result<Self, LimitError> {
        let Some((serial, key)) = ring.newest(now) else {
            return Err(broken(field, "cannot be sealed: no good key of WeChat Pay is known"));
        };
        Ok(Self { serial, key, chance: Chance::new(chance) })
    }

    /// Seals one field.
    pub(super) fn field(
        &mut self,
        name: &'static str,
        text: &Personal,
    ) -> Result<String, LimitError> {
        if text.clear().is_empty() {
            return Err(broken(name, "must not be empty"));
        }
        self.key
            .seal_oaep_sha1(text.clear(), &mut self.chance)
            .map_err(|source| broken(name, source.to_string()))
    }

    /// What is kept beside the call.
    pub(super) fn parameter(self) -> (String, String) {
        (SERIAL.to_owned(), self.serial)
    }
}
