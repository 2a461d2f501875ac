//! The keys with which WeChat Pay may sign, by their names: its public key and platform
//! certificates, which sign side by side for days while a merchant moves from one to the other.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;

use super::PublicKey;
use crate::keys::{Certificate, VerifyingKey};

/// The ring: what is configured never changes, what is fetched does.
pub(super) struct Ring {
    public: Option<PublicKey>,
    fetched: RwLock<Fetched>,
}

#[derive(Default)]
struct Fetched {
    /// By serial, upper-case.
    certificates: BTreeMap<String, Certificate>,
    /// A statement named a certificate that is not here.
    is_one_missing: bool,
}

impl Ring {
    pub(super) fn new(public: Option<PublicKey>) -> Self {
        Self { public, fetched: RwLock::default() }
    }

    /// Whether the public key or a good certificate of that name signed `message`; `None` when
    /// there is none of that name, which is remembered where one could be fetched.
    pub(super) fn verifies(
        &self,
        serial: &str,
        now: Timestamp,
        message: &[u8],
        signature: &str,
    ) -> Option<bool> {
        if let Some(public) = self.public.as_ref().filter(|public| public.id == serial) {
            return Some(public.key.verifies(message, signature));
        }
        if !is_certificate(serial) {
            return None;
        }
        let verified = self
            .read()
            .certificates
            .get(&serial.to_ascii_uppercase())
            .filter(|certificate| certificate.is_valid_at(now))
            .map(|certificate| certificate.key.verifies(message, signature));
        if verified.is_none() {
            self.write().is_one_missing = true;
        }
        verified
    }

    /// The key to seal with: the public key, else of the certificates that are good at `now` the one
    /// that is good for longest.
    pub(super) fn newest(&self, now: Timestamp) -> Option<(String, VerifyingKey)> {
        if let Some(public) = &self.public {
            return Some((public.id.clone(), public.key.clone()));
        }
        let fetched = self.read();
        let good = fetched.certificates.values().filter(|there| there.is_valid_at(now));
        let newest = good.max_by_key(|there| there.not_after)?;
        Some((newest.serial.clone(), newest.key.clone()))
    }

    /// The name of the key to be answered with: the public key, else the certificate that is good for
    /// longest.
    pub(super) fn newest_name(&self) -> Option<String> {
        if let Some(public) = &self.public {
            return Some(public.id.clone());
        }
        let fetched = self.read();
        let newest = fetched.certificates.values().max_by_key(|there| there.not_after)?;
        Some(newest.serial.clone())
    }

    /// Whether certificates are to be fetched: there is no public key, or one was missing.
    pub(super) fn wants_certificates(&self) -> bool {
        self.public.is_none() || self.is_one_missing()
    }

    pub(super) fn is_one_missing(&self) -> bool {
        self.read().is_one_missing
    }

    /// The latest end of a certificate, where there is no public key that has none.
    pub(super) fn ends_at(&self) -> Option<Timestamp> {
        if self.public.is_some() {
            return None;
        }
        self.read().certificates.values().map(|certificate| certificate.not_after).max()
    }

    /// Takes proved certificates in, lets go of those that are over, and says how many are new.
    pub(super) fn take(&self, proved: Vec<Certificate>, now: Timestamp) -> usize {
        let mut fetched = self.write();
        fetched.is_one_missing = false;
        let mut new: usize = 0;
        for certificate in proved {
            let before = fetched.certificates.insert(certificate.serial.clone(), certificate);
            new = new.saturating_add(usize::from(before.is_none()));
        }
        fetched.certificates.retain(|_, certificate| certificate.not_after >= now);
        new
    }

    /// WeChat has no certificates for this merchant: none can be missing.
    pub(super) fn none_there(&self) {
        self.write().is_one_missing = false;
    }

    fn read(&self) -> RwLockReadGuard<'_, Fetched> {
        self.fetched.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Fetched> {
        self.fetched.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a name is that of a certificate: 40 hexadecimal letters, fewer where a number happens
/// to begin with zeros.
fn is_certificate(serial: &str) -> bool {
    (8..=40).contains(&serial.len()) && serial.bytes().all(|byte| byte.is_ascii_hexdigit())
}
