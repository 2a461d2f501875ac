//! Proves that a request is the account's: ACS3-HMAC-SHA256 over the sender's own list of headers,
//! which must hold `host` and every `x-acs-*`. Written from the vendor's documents.

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::Refusal;
use crate::keys::Keys;
use crate::message::Received;
use crate::text::percent_encoded;

const SCHEME: &str = "ACS3-HMAC-SHA256";
/// `x-acs-date` may be so far away.
const TOLERANCE_S: u64 = 900;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mismatch(text: impl Into<String>) -> Refusal {
    Refusal::new(400, "SignatureDoesNotMatch", text)
}

/// The account that sent the request.
pub(super) fn verify(
    keys: &Keys,
    nonces: &mut BTreeSet<String>,
    now: Timestamp,
    request: &Received,
) -> Result<String, Refusal> {
    let header = request
        .header("authorization")
        .ok_or_else(|| Refusal::new(400, "MissingAuthorization", "Authorization is mandatory."))?;
    let (credential, signed, signature) = parse(header).ok_or_else(|| {
        Refusal::new(400, "IncompleteSignature", "Authorization is not ACS3-HMAC-SHA256.")
    })?;
    let account =
        keys.sms.iter().find(|account| account.access_key_id == credential).ok_or_else(|| {
            let text = "Specified access key is not found.";
            Refusal::new(404, "InvalidAccessKeyId.NotFound", text)
        })?;
    let content = hex(&Sha256::digest(&request.body));
    if request.header("x-acs-content-sha256") != Some(content.as_str()) {
        return Err(mismatch("x-acs-content-sha256 is not the hash of the body."));
    }
    let covered: BTreeSet<&str> = signed.split(';').collect();
    let forgotten =
        request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).find(|name| {
            (name == "host" || name.starts_with("x-acs-")) && !covered.contains(name.as_str())
        });
    if let Some(name) = forgotten {
        return Err(mismatch(format!("{name} must be signed.")));
    }
    let text = string_to_sign(request, signed, &content)?;
    let secret = account.access_key_secret.as_bytes();
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret).map_err(|source| mismatch(source.to_string()))?;
    mac.update(text.as_bytes());
    let expected = hex(&mac.finalize().into_bytes());
    if !bool::from(expected.as_bytes().ct_eq(signature.as_bytes())) {
        let text = format!(
            "Specified signature is not matched with our calculation. server string to sign is:{text}"
        );
        return Err(mismatch(text));
    }
    fresh(nonces, now, request)?;
    Ok(account.access_key_id.clone())
}

fn parse(header: &str) -> Option<(&str, &str, &str)> {
    let rest = header.strip_prefix(SCHEME)?.trim_start();
    let mut parts = rest.split(',').map(str::trim);
    let credential = parts.next()?.strip_prefix("Credential=")?;
    let signed = parts.next()?.strip_prefix("SignedHeaders=")?;
    let signature = parts.next()?.strip_prefix("Signature=")?;
    parts.next().is_none().then_some((credential, signed, signature))
}

fn string_to_sign(request: &Received, signed: &str, content: &str) -> Result<String, Refusal> {
    let mut query: Vec<(String, String)> = url::form_urlencoded::parse(request.query().as_bytes())
        .map(|(name, value)| (percent_encoded(&name), percent_encoded(&value)))
        .collect();
    query.sort();
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut headers = String::new();
    for name in signed.split(';') {
        let value =
            request.header(name).ok_or_else(|| mismatch(format!("{name} is not there.")))?;
        headers.push_str(&format!("{name}:{value}\n"));
    }
    let canonical =
        [request.method.as_str(), request.path(), &query.join("&"), &headers, signed, content]
            .join("\n");
    Ok(format!("{SCHEME}\n{}", hex(&Sha256::digest(canonical.as_bytes()))))
}

/// The time is near and the nonce new.
fn fresh(nonces: &mut BTreeSet<String>, now: Timestamp, request: &Received) -> Result<(), Refusal> {
    let expired = |text: String| Refusal::new(400, "InvalidTimeStamp.Expired", text);
    let date = request.header("x-acs-date").unwrap_or_default();
    let at: Timestamp = date.parse().map_err(|source: jiff::Error| expired(source.to_string()))?;
    if at.as_second().abs_diff(now.as_second()) > TOLERANCE_S {
        return Err(expired(format!("Specified time stamp or date value is expired: {date}")));
    }
    let nonce =
        request.header("x-acs-signature-nonce").filter(|nonce| !nonce.is_empty()).ok_or_else(
            || Refusal::new(400, "MissingSignatureNonce", "SignatureNonce is mandatory."),
        )?;
    if nonces.insert(nonce.to_owned()) {
        Ok(())
    } else {
        let text = "Specified signature nonce was used already.";
        Err(Refusal::new(400, "SignatureNonceUsed", text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that the vendor publishes (2593177).
    #[test]
    fn the_published_vector_is_reproduced() {
        let content = hex(&Sha256::digest(b""));
        let headers = [
            ("host", "ecs.cn-shanghai.aliyuncs.com"),
            ("x-acs-action", "RunInstances"),
            ("x-acs-content-sha256", &content),
            ("x-acs-date", "2023-10-26T10:22:32Z"),
            ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d"),
            ("x-acs-version", "2014-05-26"),
        ];
        let request = Received {
            method: "POST".to_owned(),
            target:
                "/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai"
                    .to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            body: Vec::new(),
        };
        let signed = headers.map(|(name, _)| name).join(";");
        let text = string_to_sign(&request, &signed, &content).map_err(|r| r.message).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(b"YourAccessKeySecret").unwrap();
        mac.update(text.as_bytes());
        assert_eq!(
            hex(&mac.finalize().into_bytes()),
            "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
        );
    }
}
