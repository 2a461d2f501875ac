//! RSA keys that are read once and used often (SHA-256, PKCS#1 v1.5: `RSA2`,
//! `WECHATPAY2-SHA256-RSA2048`).

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _};

use super::read;

/// Why a text is not a usable RSA key. No variant repeats the key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No base64 at all.
    #[error("the key is empty")]
    Empty,
    /// Not base64.
    #[error("the key is not base64: {0}")]
    Base64(base64::DecodeError),
    /// Neither PKCS#8 nor PKCS#1.
    #[error("not an RSA private key (PKCS#8 or PKCS#1): {0}")]
    NotPrivate(String),
    /// Neither SPKI nor PKCS#1.
    #[error("not an RSA public key (SPKI or PKCS#1): {0}")]
    NotPublic(String),
    /// No certificate with an RSA key.
    #[error("not an X.509 certificate: {0}")]
    NotCertificate(String),
    /// Too weak.
    #[error("the RSA key has {bits} bits, at least 2048 are needed")]
    TooShort {
        /// Its length.
        bits: u32,
    },
    /// The signing library does not take it.
    #[error("the key is not accepted: {0}")]
    Rejected(String),
}

/// A private key, ready to sign.
pub struct SigningKey {
    pair: RsaKeyPair,
}

impl SigningKey {
    /// Reads a private key: PEM or bare base64, PKCS#8 or PKCS#1.
    ///
    /// # Errors
    /// When it is no RSA private key of at least 2048 bits.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        let key = read::private_key(text)?;
        let der = key.to_pkcs8_der().map_err(|source| KeyError::Rejected(source.to_string()))?;
        let pair = RsaKeyPair::from_pkcs8(der.as_bytes())
            .map_err(|source| KeyError::Rejected(source.to_string()))?;
        Ok(Self { pair })
    }

    /// The signature over `message`, in base64 without line breaks.
    ///
    /// # Errors
    /// When the library fails, which it does only without memory.
    pub fn sign(&self, message: &[u8]) -> Result<String, KeyError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|source| KeyError::Rejected(source.to_string()))?;
        Ok(STANDARD.encode(signature))
    }

    /// The public half, for whoever must verify.
    ///
    /// # Errors
    /// When the library does not take its own key back.
    pub fn verifying_key(&self) -> Result<VerifyingKey, KeyError> {
        VerifyingKey::from_der(self.pair.public_key().as_ref())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// A public key, parsed once, ready to verify.
#[derive(Clone)]
pub struct VerifyingKey {
    key: ParsedPublicKey,
}

impl VerifyingKey {
    /// Reads a public key: PEM or bare base64, SPKI or PKCS#1.
    ///
    /// # Errors
    /// When it is no RSA public key of at least 2048 bits.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        Self::from_key(&read::public_key(text)?)
    }

    /// Takes the bytes of SPKI or PKCS#1.
    pub(super) fn read_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::from_key(&read::public_key_der(der)?)
    }

    /// The bytes of SPKI or PKCS#1.
    pub(super) fn der(&self) -> &[u8] {
        self.key.as_ref()
    }

    fn from_key(key: &rsa::PublicKey) -> Result<Self, KeyError> {
        let der =
            key.to_public_key_der().map_err(|source| KeyError::Rejected(source.to_string()))?;
        Self::from_der(der.as_bytes())
    }

    fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der)
            .map(|key| Self { key })
            .map_err(|source| KeyError::Rejected(source.to_string()))
    }

    /// Whether `signature` (base64) is this key's over `message`. A signature that is no base64 is
    /// a wrong one.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        STANDARD
            .decode(signature)
            .is_ok_and(|signature| self.key.verify_sig(message, &signature).is_ok())
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey(…)")
    }
}
