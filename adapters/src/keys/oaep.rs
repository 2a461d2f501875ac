//! RSA-OAEP with SHA-1 and MGF1-SHA1, with which WeChat Pay wants single fields sealed. (One page of
//! its documentation speaks of SHA-256; its own kits use SHA-1, and so does this.)

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20::ChaCha20Rng;
use rand_core::SeedableRng as _;
use sha1::Sha1;

use super::read;
use super::rsa_key::{KeyError, VerifyingKey};

/// What the padding takes from the key's length, in bytes.
const PADDING: usize = 42;

/// Why a field cannot be sealed or opened. No variant repeats the field.
#[derive(Debug, thiserror::Error)]
pub enum OaepError {
    /// Longer than the key can seal.
    #[error("at most {most} bytes can be sealed, has {length}")]
    TooLong {
        /// What the key can seal, in bytes.
        most: usize,
        /// What was to be sealed, in bytes.
        length: usize,
    },
    /// The key is not usable.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The primitive refuses.
    #[error("the field does not seal or open under this key")]
    Refused,
}

/// Where sealing draws its chance from: the same 32 bytes give the same sealed fields, so that a
/// call is a function of what it is built from.
pub struct Chance(ChaCha20Rng);

impl Chance {
    /// From 32 random bytes, which must serve one call only.
    #[must_use]
    pub fn new(seed: &[u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(*seed))
    }
}

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chance(…)")
    }
}

impl VerifyingKey {
    /// Seals a field for whoever holds the private key: base64. A 2048-bit key seals 214 bytes.
    ///
    /// # Errors
    /// When the field is too long for the key.
    pub fn seal_oaep_sha1(&self, text: &str, chance: &mut Chance) -> Result<String, OaepError> {
        use rsa::traits::PublicKeyParts as _;
        let key = read::public_key_der(self.der())?;
        let (most, length) = (key.size().saturating_sub(PADDING), text.len());
        if length > most {
            return Err(OaepError::TooLong { most, length });
        }
        key.oaep_encrypt_with_rng::<Sha1, _>(&mut chance.0, text.as_bytes())
            .map(|sealed| STANDARD.encode(sealed))
            .map_err(|_source| OaepError::Refused)
    }
}

/// Opens a sealed field with the private key in `private` (any form that
/// [`SigningKey`](super::SigningKey) reads): the provider's half, for the sandbox and tests.
///
/// # Errors
/// When the key cannot be read, or the field was not sealed for it.
pub fn open_oaep_sha1(private: &str, sealed: &str) -> Result<Vec<u8>, OaepError> {
    let key = read::private_key(private)?;
    let sealed = STANDARD.decode(sealed).map_err(|_source| OaepError::Refused)?;
    key.oaep_decrypt::<Sha1>(&sealed).map_err(|_source| OaepError::Refused)
}
