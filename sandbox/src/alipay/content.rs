//! Content encryption (接口内容加密): AES-128-CBC with an IV of sixteen zeros and the padding of
//! PKCS#5, in base64. What is sealed is signed afterwards, what is signed is opened afterwards.

use aws_lc_rs::cipher::{
    AES_128, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const IV: [u8; 16] = [0; 16];

fn bare(key: &str) -> Option<UnboundCipherKey> {
    UnboundCipherKey::new(&AES_128, &STANDARD.decode(key.trim()).ok()?).ok()
}

/// Whether a text is such a key: base64 of 16 bytes.
pub(crate) fn is_key(key: &str) -> bool {
    bare(key).is_some()
}

/// Opens a sealed text; `None` when it is no base64, not of this key, or no UTF-8.
pub(super) fn open(key: &str, sealed: &str) -> Option<String> {
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(bare(key)?).ok()?;
    let mut bytes = STANDARD.decode(sealed).ok()?;
    if bytes.is_empty() {
        return None;
    }
    let plain = key.decrypt(&mut bytes, DecryptionContext::Iv128(IV.into())).ok()?;
    String::from_utf8(plain.to_vec()).ok()
}

/// Seals a text.
pub(super) fn seal(key: &str, plain: &str) -> Option<String> {
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(bare(key)?).ok()?;
    let mut bytes = plain.as_bytes().to_vec();
    key.less_safe_encrypt(&mut bytes, EncryptionContext::Iv128(IV.into())).ok()?;
    Some(STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "aa4BtZ4tspm2wnXLb1ThQA==";

    #[test]
    fn a_published_text_comes_out_as_published() {
        assert_eq!(seal(KEY, "test1234567").as_deref(), Some("ILpoMowjIQjfYMR847rnFQ=="));
        assert_eq!(open(KEY, "ILpoMowjIQjfYMR847rnFQ==").as_deref(), Some("test1234567"));
    }

    #[test]
    fn what_is_not_sealed_under_this_key_does_not_open() {
        for text in ["", "{}", "AAAA", "ILpoMowjIQjfYMR847rnFA=="] {
            assert_eq!(open(KEY, text), None, "{text}");
        }
        assert!(is_key(KEY) && !is_key("c2hvcnQ=") && !is_key("?"));
    }
}
