//! Keys of a provider that change while the hub runs: platform certificates. The adapter holds the
//! ring and says what to ask for; the hub asks, once for everybody, and never too often.

use jiff::Timestamp;

use crate::wire::{Answer, Call, Outcome};

/// A ring of verification keys that is renewed from the provider. What it holds stays in use when
/// a renewal fails.
pub trait RenewedKeys: Send + Sync {
    /// The call that fetches keys; `None`: there is nothing to fetch now.
    fn ask_keys(&self) -> Option<Call>;
    /// Reads the answer, proves the keys in it and takes them into the ring.
    fn learn_keys(&self, answer: &Answer, now: Timestamp) -> Outcome<Learned>;
    /// Whether a notice or an answer named a key that is not in the ring.
    fn is_key_missing(&self) -> bool;
    /// The latest instant at which a key of the ring is still good; `None`: without end, or the
    /// ring is empty.
    fn keys_expire_at(&self) -> Option<Timestamp>;
}

/// What a renewal brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// So many keys that were not known before.
    New(usize),
    /// The provider has no such keys for this merchant: it verifies by a public key alone.
    NoneThere,
}
