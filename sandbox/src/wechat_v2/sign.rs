//! The signatures of the old interface, and the sealing of its refund notices. Written from the
//! provider's documents, not from the hub's adapter.

use aws_lc_rs::cipher::{AES_256, PaddedBlockEncryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::xml::Fields;

/// How a document is signed (签名类型).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignType {
    /// `MD5`, where nothing is said.
    Md5,
    /// `HMAC-SHA256`.
    HmacSha256,
}

impl SignType {
    /// The algorithm of that name; absent or empty: MD5.
    pub(super) fn of(word: Option<&str>) -> Option<Self> {
        match word {
            None | Some("" | "MD5") => Some(Self::Md5),
            Some("HMAC-SHA256") => Some(Self::HmacSha256),
            Some(_) => None,
        }
    }
}

/// The signature over all fields that have a value, `sign` itself aside.
pub(super) fn signature(fields: &Fields, api_key: &str, kind: SignType) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if name != "sign" && !value.is_empty() {
            text.push_str(&format!("{name}={value}&"));
        }
    }
    text.push_str(&format!("key={api_key}"));
    match kind {
        SignType::Md5 => hexadecimal(&Md5::digest(text)).to_uppercase(),
        SignType::HmacSha256 => match Hmac::<Sha256>::new_from_slice(api_key.as_bytes()) {
            Ok(mut mac) => {
                mac.update(text.as_bytes());
                hexadecimal(&mac.finalize().into_bytes()).to_uppercase()
            }
            Err(_any_length_will_do) => String::new(),
        },
    }
}

/// Whether `sign` is the signature of the other fields.
pub(super) fn verifies(fields: &Fields, api_key: &str, kind: SignType) -> bool {
    let right = signature(fields, api_key, kind);
    let said = fields.get("sign").map(String::as_str).unwrap_or_default();
    !right.is_empty() && bool::from(right.as_bytes().ct_eq(said.as_bytes()))
}

/// Seals a text as `req_info`: AES-256-ECB under the lower-case MD5 of the merchant's key.
pub(super) fn seal(plain: &str, api_key: &str) -> Option<String> {
    let key = hexadecimal(&Md5::digest(api_key));
    let key = UnboundCipherKey::new(&AES_256, key.as_bytes()).ok()?;
    let cipher = PaddedBlockEncryptingKey::ecb_pkcs7(key).ok()?;
    let mut text = plain.as_bytes().to_vec();
    cipher.encrypt(&mut text).ok()?;
    Some(STANDARD.encode(text))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the provider's own page on signatures (接口规则, 签名算法).
    const KEY: &str = "192006250b4c09247ec02edce69f6a2d";

    #[test]
    fn the_providers_own_example_comes_out_under_both_algorithms() {
        let mut fields: Fields = [
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "10000100"),
            ("device_info", "1000"),
            ("body", "test"),
            ("nonce_str", "ibuaiVcKdpRxkhJA"),
            ("attach", ""),
            ("sign", "whatever"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let md5 = "9A0A8659F005D6984697E2CA0A9CF3B7";
        assert_eq!(signature(&fields, KEY, SignType::Md5), md5);
        assert_eq!(
            signature(&fields, KEY, SignType::HmacSha256),
            "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6"
        );
        assert!(!verifies(&fields, KEY, SignType::Md5));
        fields.insert("sign".to_owned(), md5.to_owned());
        assert!(verifies(&fields, KEY, SignType::Md5));
        assert!(!verifies(&fields, KEY, SignType::HmacSha256));
    }
}
