//! AES-256-GCM as WeChat Pay uses it: a 12-byte nonce, the tag behind the text.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Why a sealed text cannot be opened, or a text not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AeadError {
    /// The key is not 32 bytes.
    #[error("the key must have 32 bytes")]
    KeyLength,
    /// The nonce is not 12 bytes.
    #[error("the nonce must have 12 bytes")]
    NonceLength,
    /// The tag does not verify: another key, or tampered with.
    #[error("the sealed text does not open under this key")]
    Tampered,
}

/// Opens `sealed` (text and 16-byte tag).
///
/// # Errors
/// Lengths are checked before the primitive sees them; a wrong tag gives [`AeadError::Tampered`].
pub fn open_aes_256_gcm(
    key: &[u8],
    nonce: &[u8],
    associated: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, AeadError> {
    let (key, nonce) = prepare(key, nonce)?;
    let mut buffer = sealed.to_vec();
    let text = key
        .open_in_place(nonce, Aad::from(associated), &mut buffer)
        .map_err(|_unspecified| AeadError::Tampered)?;
    Ok(text.to_vec())
}

/// Seals `text`: the sealed text with its 16-byte tag behind.
///
/// # Errors
/// When key or nonce have the wrong length.
pub fn seal_aes_256_gcm(
    key: &[u8],
    nonce: &[u8],
    associated: &[u8],
    text: &[u8],
) -> Result<Vec<u8>, AeadError> {
    let (key, nonce) = prepare(key, nonce)?;
    let mut buffer = text.to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(associated), &mut buffer)
        .map_err(|_unspecified| AeadError::Tampered)?;
    Ok(buffer)
}

fn prepare(key: &[u8], nonce: &[u8]) -> Result<(LessSafeKey, Nonce), AeadError> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_unspecified| AeadError::KeyLength)?;
    let nonce =
        Nonce::try_assume_unique_for_key(nonce).map_err(|_unspecified| AeadError::NonceLength)?;
    Ok((LessSafeKey::new(key), nonce))
}
