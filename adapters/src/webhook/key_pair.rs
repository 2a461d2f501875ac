//! The key pair of an application: the hub signs with the private half, and a receiver that holds
//! only the public half can verify but not forge (`v1a`, Ed25519). The private half is never
//! printed; the public half may stand anywhere.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::personal::Secret;
use zeroize::Zeroizing;

use super::secret::signed_bytes;

/// What stands before the base64 of a private key.
const PRIVATE: &str = "whsk_";
/// What stands before the base64 of a public key.
const PUBLIC: &str = "whpk_";
/// The bytes of a seed, and of a public key.
const LENGTH: usize = 32;

/// Why a text is no key of a pair. No variant repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyPairError {
    /// The prefix is missing.
    #[error("the key does not begin with {0}")]
    Prefix(&'static str),
    /// Not base64.
    #[error("behind its prefix the key is not base64")]
    Base64,
    /// Too short or too long.
    #[error("the key has {0} bytes")]
    Length(usize),
    /// The two halves do not belong together.
    #[error("the private key and the public key are no pair")]
    NoPair,
}

/// The private half, with its public half: 32 bytes each, written `whsk_` and base64 of both.
pub struct SigningKey {
    seed: Zeroizing<[u8; LENGTH]>,
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// The pair that grows from 32 random bytes.
    ///
    /// # Errors
    /// When the library refuses them.
    pub fn from_seed(seed: &[u8; LENGTH]) -> Result<Self, KeyPairError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|_rejected_says_no_more| KeyPairError::NoPair)?;
        Ok(Self { seed: Zeroizing::new(*seed), pair })
    }

    /// Both halves as one text, to be sealed.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        let both = Zeroizing::new([&self.seed[..], self.pair.public_key().as_ref()].concat());
        Secret::new(format!("{PRIVATE}{}", STANDARD.encode(&*both)))
    }

    /// The half that receivers hold.
    #[must_use]
    pub fn public(&self) -> VerifyingKey {
        let mut bytes = [0; LENGTH];
        for (to, from) in bytes.iter_mut().zip(self.pair.public_key().as_ref()) {
            *to = *from;
        }
        VerifyingKey(bytes)
    }

    /// One signature, `v1a,` and base64, over `id`, the attempt's time in Unix seconds, and the
    /// body's raw bytes.
    #[must_use]
    pub fn sign(&self, id: &str, unix_timestamp: i64, body: &[u8]) -> String {
        let message = signed_bytes(id, &unix_timestamp.to_string(), body);
        format!("v1a,{}", STANDARD.encode(self.pair.sign(&message)))
    }
}

impl FromStr for SigningKey {
    type Err = KeyPairError;
    fn from_str(text: &str) -> Result<Self, KeyPairError> {
        let bytes = Zeroizing::new(decode(text, PRIVATE)?);
        let Some((seed, public)) = bytes.split_first_chunk::<LENGTH>() else {
            return Err(KeyPairError::Length(bytes.len()));
        };
        if public.len() != LENGTH {
            return Err(KeyPairError::Length(bytes.len()));
        }
        let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public)
            .map_err(|_rejected_says_no_more| KeyPairError::NoPair)?;
        Ok(Self { seed: Zeroizing::new(*seed), pair })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// The public half, written `whpk_` and base64 of its 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey([u8; LENGTH]);

impl VerifyingKey {
    /// Its bytes, to be stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// Whether `given` signs the bytes as they were written.
    pub(super) fn is_signature(&self, signed: &[u8], given: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(signed, given).is_ok()
    }
}

impl From<[u8; LENGTH]> for VerifyingKey {
    fn from(bytes: [u8; LENGTH]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", STANDARD.encode(self.0))
    }
}

impl FromStr for VerifyingKey {
    type Err = KeyPairError;
    fn from_str(text: &str) -> Result<Self, KeyPairError> {
        let bytes = decode(text, PUBLIC)?;
        let length = bytes.len();
        bytes.try_into().map(Self).map_err(|_of_other_length: Vec<u8>| KeyPairError::Length(length))
    }
}

fn decode(text: &str, prefix: &'static str) -> Result<Vec<u8>, KeyPairError> {
    let encoded = text.strip_prefix(prefix).ok_or(KeyPairError::Prefix(prefix))?;
    STANDARD.decode(encoded).map_err(|_may_repeat_a_letter| KeyPairError::Base64)
}
