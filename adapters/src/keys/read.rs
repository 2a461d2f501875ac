//! Reads RSA keys from the forms in which providers hand them out: PEM of either kind, or bare
//! base64 (Alipay's tools), with lines of any length.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, DecodeRsaPublicKey as _};
use rsa::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};

use super::rsa_key::KeyError;

/// The smallest modulus that is accepted, in bits; both providers use 2048.
const SMALLEST_BITS: u32 = 2048;

/// Strips the armour and reads the base64 inside: the DER bytes.
fn der(text: &str) -> Result<Vec<u8>, KeyError> {
    let compact: String = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("-----"))
        .flat_map(str::chars)
        .filter(|letter| !letter.is_whitespace())
        .collect();
    if compact.is_empty() {
        return Err(KeyError::Empty);
    }
    STANDARD.decode(compact).map_err(KeyError::Base64)
}

/// A private key from PKCS#8 or PKCS#1, armoured or bare.
pub(super) fn private_key(text: &str) -> Result<rsa::PrivateKey, KeyError> {
    let der = der(text)?;
    let key = rsa::PrivateKey::from_pkcs8_der(&der)
        .or_else(|_not_pkcs8| rsa::PrivateKey::from_pkcs1_der(&der))
        .map_err(|source| KeyError::NotPrivate(source.to_string()))?;
    long_enough(&key)?;
    Ok(key)
}

/// A public key from SPKI or PKCS#1, armoured or bare.
pub(super) fn public_key(text: &str) -> Result<rsa::PublicKey, KeyError> {
    public_key_der(&der(text)?)
}

/// A public key from the bytes of SPKI or PKCS#1.
pub(super) fn public_key_der(der: &[u8]) -> Result<rsa::PublicKey, KeyError> {
    let key = rsa::PublicKey::from_public_key_der(der)
        .or_else(|_not_spki| rsa::PublicKey::from_pkcs1_der(der))
        .map_err(|source| KeyError::NotPublic(source.to_string()))?;
    long_enough(&key)?;
    Ok(key)
}

fn long_enough(key: &impl rsa::traits::PublicKeyParts) -> Result<(), KeyError> {
    let bits = key.n().bit_width_vartime();
    if bits < SMALLEST_BITS { Err(KeyError::TooShort { bits }) } else { Ok(()) }
}
