//! Aliyun's request signature, ACS3-HMAC-SHA256 (V3). All parameters stand in the query and the
//! body is empty, as the vendor's own SDKs send this API.

use aws_lc_rs::{digest, hmac};
use domain::personal::Secret;
use jiff::Timestamp;

/// The algorithm's name, as it is signed and sent.
const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// What one request says, before it is signed.
pub(super) struct Unsigned<'a> {
    /// The host as the HTTP client sends it, with a port that is not the scheme's own.
    pub(super) host: &'a str,
    /// The action's name.
    pub(super) action: &'a str,
    /// The API's version.
    pub(super) version: &'a str,
    /// Parameters in any order.
    pub(super) parameters: &'a [(String, String)],
    /// When it is signed.
    pub(super) now: Timestamp,
    /// Chance, never used twice.
    pub(super) nonce: &'a str,
}

/// A signed request's parts.
pub(super) struct Signed {
    /// The query, sorted and encoded: it is sent as it is signed.
    pub(super) query: String,
    /// Headers in order, `host` left out: the HTTP client derives it from the URL.
    pub(super) headers: Vec<(String, String)>,
}

/// Signs a POST of `unsigned` with an empty body.
pub(super) fn sign(unsigned: &Unsigned<'_>, access_key_id: &str, secret: &Secret) -> Signed {
    let query = canonical_query(unsigned.parameters);
    let body_hash = hex(digest::digest(&digest::SHA256, b"").as_ref());
    let date = unsigned.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    // In the order of their names, as they are signed.
    let signed = [
        ("host", unsigned.host),
        ("x-acs-action", unsigned.action),
        ("x-acs-content-sha256", &body_hash),
        ("x-acs-date", &date),
        ("x-acs-signature-nonce", unsigned.nonce),
        ("x-acs-version", unsigned.version),
    ];
    let lines: String = signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let names = signed.map(|(name, _)| name).join(";");
    let canonical = format!("POST\n/\n{query}\n{lines}\n{names}\n{body_hash}");
    let hashed = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    let signature = hex(hmac::sign(&key, format!("{ALGORITHM}\n{hashed}").as_bytes()).as_ref());
    let authorization = format!(
        "{ALGORITHM} Credential={access_key_id},SignedHeaders={names},Signature={signature}"
    );
    let headers = std::iter::once(("authorization", authorization.as_str()))
        .chain(signed.into_iter().filter(|(name, _)| *name != "host"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Signed { query, headers }
}

/// Parameters sorted by name, percent-encoded by RFC 3986 and joined.
fn canonical_query(parameters: &[(String, String)]) -> String {
    let mut encoded: Vec<(String, String)> =
        parameters.iter().map(|(name, value)| (encode(name), encode(value))).collect();
    encoded.sort();
    let pairs: Vec<String> =
        encoded.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// Percent-encodes all but the unreserved letters of RFC 3986.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn the_published_vector_is_reproduced() {
        let parameters = [
            pair("RegionId", "cn-shanghai"),
            pair("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
        ];
        let unsigned = Unsigned {
            host: "ecs.cn-shanghai.aliyuncs.com",
            action: "RunInstances",
            version: "2014-05-26",
            parameters: &parameters,
            now: "2023-10-26T10:22:32Z".parse().unwrap(),
            nonce: "3156853299f313e23d1673dc12e1703d",
        };
        let signed = sign(&unsigned, "YourAccessKeyId", &Secret::new("YourAccessKeySecret"));
        assert_eq!(
            signed.headers[0].1,
            "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;\
             x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=\
             06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }

    #[test]
    fn what_is_not_unreserved_is_encoded_byte_by_byte() {
        assert_eq!(encode("aZ09-_.~"), "aZ09-_.~");
        assert_eq!(encode("张 +*/{\"}"), "%E5%BC%A0%20%2B%2A%2F%7B%22%7D");
        let sorted = canonical_query(&[pair("b", "2"), pair("a", "&="), pair("A", "1")]);
        assert_eq!(sorted, "A=1&a=%26%3D&b=2");
    }
}
