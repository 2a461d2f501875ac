//! Seals what must not be read from the database, and proves what must not be changed there.
//!
//! Every purpose has its own key, derived from the master key by HKDF-SHA256, so that what was
//! sealed for one never opens for another. A sealed value carries a version, its key's id and its
//! nonce. Nothing here keeps or shows the master key.

use std::fmt;

use adapters::keys::{AeadError, open_aes_256_gcm, seal_aes_256_gcm};
use aws_lc_rs::{hmac, rand};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// The form of a sealed value: version, key id, nonce, text with its tag behind.
const VERSION: u8 = 1;
/// Keeps these keys apart from any other use of the same master key; never changed.
const SALT: &[u8] = b"payhub master key";
const KEY_ID_LENGTH: usize = 4;
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;

/// What a key is for. A key of one purpose is useless for every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Names, phones, openids and what a message tells a person.
    PersonalData,
    /// Callbacks as they came in, and their opened text.
    Callback,
    /// Calls to providers and their answers, byte for byte.
    Call,
    /// The secrets that sign webhooks.
    WebhookSecret,
    /// The chain of journal entries (日记账).
    Journal,
    /// Finding a sealed text again without opening it.
    BlindIndex,
    /// The hashes of API keys.
    ApiKey,
    /// Bills as fetched: they name payers.
    Bill,
}

impl Purpose {
    const ALL: [Self; 8] = [
        Self::PersonalData,
        Self::Callback,
        Self::Call,
        Self::WebhookSecret,
        Self::Journal,
        Self::BlindIndex,
        Self::ApiKey,
        Self::Bill,
    ];

    /// The label under which its key is derived: never change one, what it sealed would be lost.
    const fn label(self) -> &'static str {
        match self {
            Self::PersonalData => "payhub personal data v1",
            Self::Callback => "payhub callback v1",
            Self::Call => "payhub call v1",
            Self::WebhookSecret => "payhub webhook secret v1",
            Self::Journal => "payhub journal v1",
            Self::BlindIndex => "payhub blind index v1",
            Self::ApiKey => "payhub api key v1",
            Self::Bill => "payhub bill v1",
        }
    }
}

/// Why a value cannot be sealed or opened. No variant repeats a value or a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was sealed under another master key.
    #[error(
        "sealed under key {sealed_under}, but the key for {purpose:?} of this master key is \
         {present}; start the hub with the master key that sealed it"
    )]
    OtherKey {
        /// What it should have been sealed for.
        purpose: Purpose,
        /// The id in the value, hexadecimal.
        sealed_under: String,
        /// The id of the present key, hexadecimal.
        present: String,
    },
    /// It is too short, or of a version that this hub does not know.
    #[error("not a sealed value of this hub")]
    NotSealed,
    /// It was changed, or belongs to another row.
    #[error("the sealed value was changed, or stands in another place than it was sealed for")]
    Tampered,
    /// The machine gave no random bytes.
    #[error("the machine gives no random bytes")]
    NoRandomness,
}

struct DerivedKey {
    key: Zeroizing<[u8; 32]>,
    id: [u8; KEY_ID_LENGTH],
}

/// The keys of the hub, one for each [`Purpose`].
pub struct Sealer {
    keys: [DerivedKey; Purpose::ALL.len()],
}

impl Sealer {
    /// Derives every key from the master key, which is not kept.
    #[must_use]
    pub fn new(master: &[u8; 32]) -> Self {
        Self { keys: Purpose::ALL.map(|purpose| derive(master, purpose)) }
    }

    /// Seals `text` so that it opens only for the same purpose and the same `context`: the place
    /// where it will stand, such as table, column and row id.
    ///
    /// # Errors
    /// When the machine has no random bytes.
    pub fn seal(
        &self,
        purpose: Purpose,
        text: &[u8],
        context: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let key = self.key(purpose);
        let mut nonce = [0; NONCE_LENGTH];
        rand::fill(&mut nonce).map_err(|_unspecified| SealError::NoRandomness)?;
        let sealed = seal_aes_256_gcm(key.key.as_slice(), &nonce, context, text)
            .map_err(|fault| told(&fault))?;
        let mut value = vec![VERSION];
        value.extend_from_slice(&key.id);
        value.extend_from_slice(&nonce);
        value.extend_from_slice(&sealed);
        Ok(value)
    }

    /// Opens what [`seal`](Self::seal) made for the same purpose and context.
    ///
    /// # Errors
    /// When it was sealed under another master key, was changed, or is no sealed value.
    pub fn open(
        &self,
        purpose: Purpose,
        value: &[u8],
        context: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let key = self.key(purpose);
        let rest = value.strip_prefix(&[VERSION]).ok_or(SealError::NotSealed)?;
        let (id, rest) = rest.split_first_chunk::<KEY_ID_LENGTH>().ok_or(SealError::NotSealed)?;
        let (nonce, sealed) =
            rest.split_first_chunk::<NONCE_LENGTH>().ok_or(SealError::NotSealed)?;
        if sealed.len() < TAG_LENGTH {
            return Err(SealError::NotSealed);
        }
        if *id != key.id {
            return Err(SealError::OtherKey {
                purpose,
                sealed_under: hexadecimal(id),
                present: hexadecimal(&key.id),
            });
        }
        open_aes_256_gcm(key.key.as_slice(), nonce, context, sealed).map_err(|fault| told(&fault))
    }

    /// A number under which a sealed text is found again; the same text has the same number, and
    /// nobody without the master key can try texts against it. `what` keeps the columns apart,
    /// so that equal texts in two columns do not show.
    #[must_use]
    pub fn blind_index(&self, what: Purpose, text: &str) -> [u8; 32] {
        self.authenticate(Purpose::BlindIndex, &[what.label().as_bytes(), &[0], text.as_bytes()])
    }

    /// The HMAC-SHA256 of `message` under the key of `purpose`.
    #[must_use]
    pub fn mac(&self, purpose: Purpose, message: &[u8]) -> [u8; 32] {
        self.authenticate(purpose, &[message])
    }

    /// What the database keeps of an API key: found by equality, useless to a thief.
    #[must_use]
    pub fn api_key_hash(&self, api_key: &str) -> [u8; 32] {
        self.authenticate(Purpose::ApiKey, &[api_key.as_bytes()])
    }

    /// The id of the key for `purpose`, in hexadecimal; it tells nothing about the key.
    #[must_use]
    pub fn key_id(&self, purpose: Purpose) -> String {
        hexadecimal(&self.key(purpose).id)
    }

    fn authenticate(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        hmac_sha256(self.key(purpose).key.as_slice(), parts)
    }

    fn key(&self, purpose: Purpose) -> &DerivedKey {
        let [personal, callback, call, webhook, journal, index, api_key, bill] = &self.keys;
        match purpose {
            Purpose::PersonalData => personal,
            Purpose::Callback => callback,
            Purpose::Call => call,
            Purpose::WebhookSecret => webhook,
            Purpose::Journal => journal,
            Purpose::BlindIndex => index,
            Purpose::ApiKey => api_key,
            Purpose::Bill => bill,
        }
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

/// HKDF-SHA256 (RFC 5869) for an output of one block, which cannot fail: extract, then expand.
fn derive(master: &[u8; 32], purpose: Purpose) -> DerivedKey {
    let extracted = Zeroizing::new(hmac_sha256(SALT, &[master]));
    let key =
        Zeroizing::new(hmac_sha256(extracted.as_slice(), &[purpose.label().as_bytes(), &[1]]));
    let mut hash = Sha256::new();
    hash.update(b"payhub key id");
    hash.update(key.as_slice());
    let [first, second, third, fourth, ..] = <[u8; 32]>::from(hash.finalize());
    DerivedKey { key, id: [first, second, third, fourth] }
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    let mut tag = [0; 32];
    for (to, from) in tag.iter_mut().zip(context.sign().as_ref()) {
        *to = *from;
    }
    tag
}

/// Lengths are right by construction; what is left is a text that does not open.
const fn told(fault: &AeadError) -> SealError {
    match fault {
        AeadError::Tampered => SealError::Tampered,
        AeadError::KeyLength | AeadError::NonceLength => SealError::NotSealed,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
