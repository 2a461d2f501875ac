//! Contents sealed on their way (接口内容加密, AES): AES-128-CBC with an IV of sixteen zeros and the
//! padding of PKCS#5, in base64. One text always seals to the same letters, so a repeat is the same
//! byte for byte. What is sealed is signed afterwards; what came is opened only once it is proved.

use std::fmt;

use aws_lc_rs::cipher::{
    AES_128, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const IV: [u8; 16] = [0; 16];

/// The key that the merchant and Alipay share.
pub(super) struct ContentKey(Zeroizing<Vec<u8>>);

/// A text that does not seal or open under the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the content does not open under encrypt_key")]
pub(super) struct NotSealed;

impl ContentKey {
    /// Reads a key of 16 bytes in base64.
    pub(super) fn read(text: &str) -> Option<Self> {
        let key = Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
        (key.len() == 16).then_some(Self(key))
    }

    /// Seals a text: base64.
    pub(super) fn seal(&self, text: &str) -> Result<String, NotSealed> {
        let key = self.key().and_then(|key| {
            PaddedBlockEncryptingKey::cbc_pkcs7(key).map_err(|_unspecified| NotSealed)
        })?;
        let mut bytes = text.as_bytes().to_vec();
        key.less_safe_encrypt(&mut bytes, EncryptionContext::Iv128(IV.into()))
            .map_err(|_unspecified| NotSealed)?;
        Ok(STANDARD.encode(bytes))
    }

    /// Opens a sealed text.
    pub(super) fn open(&self, sealed: &str) -> Result<String, NotSealed> {
        let key = self.key().and_then(|key| {
            PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(|_unspecified| NotSealed)
        })?;
        let mut bytes = STANDARD.decode(sealed).map_err(|_source| NotSealed)?;
        if bytes.is_empty() || bytes.len() % 16 != 0 {
            return Err(NotSealed);
        }
        let text = key
            .decrypt(&mut bytes, DecryptionContext::Iv128(IV.into()))
            .map_err(|_unspecified| NotSealed)?;
        String::from_utf8(text.to_vec()).map_err(|_source| NotSealed)
    }

    fn key(&self) -> Result<UnboundCipherKey, NotSealed> {
        UnboundCipherKey::new(&AES_128, &self.0).map_err(|_unspecified| NotSealed)
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "aa4BtZ4tspm2wnXLb1ThQA==";

    #[test]
    fn a_published_text_seals_and_opens_as_published() {
        let key = ContentKey::read(KEY).unwrap();
        assert_eq!(key.seal("test1234567").unwrap(), "ILpoMowjIQjfYMR847rnFQ==");
        assert_eq!(key.open("ILpoMowjIQjfYMR847rnFQ==").unwrap(), "test1234567");
        assert!(!format!("{key:?}").contains("aa4"));
    }

    #[test]
    fn t19_what_is_not_sealed_under_this_key_is_an_error() {
        let key = ContentKey::read(KEY).unwrap();
        let other = ContentKey::read("AAAAAAAAAAAAAAAAAAAAAA==").unwrap();
        let sealed = key.seal("{\"code\":\"10000\"}").unwrap();
        for text in ["", "{}", "AAAA", "ILpoMowjIQjfYMR847rnFA==", sealed.get(..20).unwrap()] {
            assert_eq!(key.open(text), Err(NotSealed), "{text}");
        }
        assert_eq!(other.open(&sealed), Err(NotSealed));
    }

    #[test]
    fn a_key_has_sixteen_bytes() {
        for (text, good) in [
            (KEY, true),
            (" aa4BtZ4tspm2wnXLb1ThQA==\n", true),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false),
            ("c2hvcnQ=", false),
            ("?", false),
            ("", false),
        ] {
            assert_eq!(ContentKey::read(text).is_some(), good, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives_the_seal(text in "\\PC{0,80}") {
            let key = ContentKey::read(KEY).unwrap();
            let sealed = key.seal(&text).unwrap();
            proptest::prop_assert_eq!(key.open(&sealed).unwrap(), text);
        }
    }
}
