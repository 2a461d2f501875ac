//! Signs calls as v2 asks, and holds what comes back against the same: fields that are not empty,
//! in the order of their names, then the key. The algorithm is the merchant's own setting; no
//! sender chooses it.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hmac;
use domain::personal::Secret;
use domain::provider::UnknownWord;
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use super::xml::{self, Fields};
use super::{WechatV2, download};
use crate::provider::SignError;
use crate::wire::{Call, Method, Request, Stamp, USER_AGENT};

/// How a merchant's v2 messages are signed (签名类型).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignType {
    /// MD5 over text and key.
    Md5,
    /// HMAC-SHA256 under the key.
    HmacSha256,
}

impl SignType {
    /// Its word on the wire and in `payhub.toml`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }

    /// How many letters such a signature has.
    const fn letters(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::HmacSha256 => 64,
        }
    }
}

impl FromStr for SignType {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        [Self::Md5, Self::HmacSha256]
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or_else(|| UnknownWord { what: "sign_type", word: text.chars().take(64).collect() })
    }
}

/// The merchant's v2 key (APIv2 密钥) with the algorithm that it is used with.
pub(super) struct Seal {
    pub(super) key: Secret,
    pub(super) sign_type: SignType,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({})", self.sign_type.as_str())
    }
}

/// Why a signature does not prove its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unproved {
    /// There is none.
    Missing,
    /// It is, or calls itself, of another algorithm than the merchant's.
    OtherAlgorithm,
    /// It is wrong.
    Wrong,
}

impl fmt::Display for Unproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "it has no sign",
            Self::OtherAlgorithm => "it is signed with another algorithm than the merchant's",
            Self::Wrong => "its sign does not verify",
        })
    }
}

/// The text over which a signature stands, without the key.
pub(super) fn message(fields: &Fields) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .filter(|(name, value)| *name != "sign" && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

impl Seal {
    /// The signature of fields, upper-case hexadecimal.
    pub(super) fn sign(&self, fields: &Fields) -> String {
        self.sign_as(self.sign_type, fields)
    }

    fn sign_as(&self, sign_type: SignType, fields: &Fields) -> String {
        let text = format!("{}&key={}", message(fields), self.key.expose());
        match sign_type {
            SignType::Md5 => hexadecimal(Md5::digest(text.as_bytes()).as_slice()),
            SignType::HmacSha256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.expose().as_bytes());
                hexadecimal(hmac::sign(&key, text.as_bytes()).as_ref())
            }
        }
    }

    /// Holds fields against the signature that they carry, in constant time.
    pub(super) fn verify(&self, fields: &Fields) -> Result<(), Unproved> {
        let Some(stated) = fields.get("sign") else { return Err(Unproved::Missing) };
        let other = |word: &str| word != self.sign_type.as_str();
        if fields.get("sign_type").is_some_and(other) || is_other_length(self.sign_type, stated) {
            return Err(Unproved::OtherAlgorithm);
        }
        let expected = self.sign(fields);
        if bool::from(expected.as_bytes().ct_eq(stated.as_bytes())) {
            return Ok(());
        }
        Err(Unproved::Wrong)
    }
}

/// Whether a signature has the length of the other algorithm's.
fn is_other_length(own: SignType, stated: &str) -> bool {
    let known = [SignType::Md5, SignType::HmacSha256];
    known.into_iter().any(|other| other != own && stated.len() == other.letters())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Whether WeChat Pay serves a call only to who shows the merchant's certificate.
fn is_mutual(target: &str) -> bool {
    target.starts_with("/secapi/") || target == download::FUND_FLOW
}

impl WechatV2 {
    /// The stored fields with nonce, algorithm and signature, as they go out.
    pub(super) fn sign_call(&self, call: &Call, stamp: &Stamp) -> Result<Request, SignError> {
        if call.method != Method::Post || !super::TARGETS.contains(&call.target.as_str()) {
            return Err(SignError("it is none of WeChat Pay's v2 calls".to_owned()));
        }
        let mutual_tls = is_mutual(&call.target);
        if mutual_tls && !self.has_client_identity {
            return Err(SignError("it needs client_identity, which is not configured".to_owned()));
        }
        let mut fields = xml::read("xml", call.body.as_bytes())
            .map_err(|source| SignError(source.to_string()))?;
        if ["nonce_str", "sign_type", "sign"].iter().any(|name| fields.has(name)) {
            return Err(SignError("a stored call is not signed yet".to_owned()));
        }
        let nonce = &stamp.nonce;
        let good = |b: u8| b.is_ascii_alphanumeric();
        if nonce.is_empty() || nonce.len() > 32 || !nonce.bytes().all(good) {
            return Err(SignError("the nonce must be 1 to 32 of 0-9 A-Z a-z".to_owned()));
        }
        // Fund flow bills are given to HMAC-SHA256 alone, whatever else the merchant uses.
        let sign_type = match call.target.as_str() {
            download::FUND_FLOW => SignType::HmacSha256,
            _ => self.seal.sign_type,
        };
        fields.set("nonce_str", nonce);
        fields.set("sign_type", sign_type.as_str());
        let signature = self.seal.sign_as(sign_type, &fields);
        fields.set("sign", signature);
        let at = |base: &String| format!("{base}{}", call.target);
        Ok(Request {
            method: Method::Post,
            url: at(&self.base),
            second_url: self.second_base.as_ref().map(at),
            mutual_tls,
            headers: vec![
                ("Accept".to_owned(), "*/*".to_owned()),
                ("User-Agent".to_owned(), USER_AGENT.to_owned()),
                ("Content-Type".to_owned(), "text/xml; charset=utf-8".to_owned()),
            ],
            body: xml::write(&fields).into_bytes(),
        })
    }
}
