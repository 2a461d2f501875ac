//! Fetches the certificate that Alipay begins to sign with. Its answer is proved by a certificate
//! of the ring or, when that is the new one already, by the new one after the roots proved it.
//! Whatever goes wrong leaves the ring as it was.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::Alipay;
use super::certificate::number;
use super::gateway::{Envelope, Standing, done, sorted};
use super::order::call;
use super::ring::{By, Proved, Ring};
use crate::json;
use crate::keys::{Link, VerifyingKey};
use crate::provider::{Learned, RenewedKeys};
use crate::wire::{Answer, Call, Outcome, Reason};

pub(super) const DOWNLOAD: &str = "alipay.open.app.alipaycert.download";

#[derive(Deserialize)]
struct Download {
    alipay_cert_content: String,
}

/// A fetched certificate that the roots prove.
struct New {
    link: Link,
    key: VerifyingKey,
}

impl RenewedKeys for Alipay {
    /// `alipay.open.app.alipaycert.download`, for a number that an answer or a notice named.
    fn ask_keys(&self) -> Option<Call> {
        let number = self.trust.ring()?.wanted()?;
        Some(call(DOWNLOAD, &json!({ "alipay_cert_sn": number })))
    }

    fn learn_keys(&self, answer: &Answer, now: Timestamp) -> Outcome<Learned> {
        let Some(ring) = self.trust.ring() else {
            return Outcome::Accepted(Learned::NoneThere);
        };
        let envelope = match Envelope::read(DOWNLOAD, answer) {
            Ok(envelope) => envelope,
            Err(why) => return Outcome::Unknown(why),
        };
        let new = fetched(ring, &envelope, now);
        let proved = self.is_proved(&envelope, new.as_ref().ok(), now);
        let standing = Standing::of(DOWNLOAD, &envelope, proved);
        match (done(sorted(envelope.node.get().into(), standing), not_there), new) {
            (Ok(_node), Ok(New { link, key })) => {
                Outcome::Accepted(Learned::New(ring.take(&link, key, now)))
            }
            (Ok(_node), Err(why)) => Outcome::Unknown(format!("the certificate: {why}")),
            (Err(other), _) => {
                if matches!(other, Outcome::Refused(_)) {
                    ring.not_there();
                }
                other
            }
        }
    }

    fn is_key_missing(&self) -> bool {
        self.trust.ring().is_some_and(|ring| ring.wanted().is_some())
    }

    fn keys_expire_at(&self) -> Option<Timestamp> {
        self.trust.ring().and_then(Ring::ends_at)
    }
}

impl Alipay {
    /// Whether the answer is signed by a certificate of the ring, or by the new one in it.
    fn is_proved(&self, envelope: &Envelope<'_>, new: Option<&New>, now: Timestamp) -> bool {
        let Some(sign) = &envelope.sign else { return false };
        let node = envelope.node.get().as_bytes();
        match (new, envelope.certificate.as_deref()) {
            (Some(new), Some(named)) if named == number(&new.link) => new.key.verifies(node, sign),
            (_, named) => self.trust.proves(By::Answer, named, now, node, sign) == Proved::Yes,
        }
    }
}

/// The certificate in the answer, if the roots prove it and it was asked for.
fn fetched(ring: &Ring, envelope: &Envelope<'_>, now: Timestamp) -> Result<New, String> {
    let download: Download =
        serde_json::from_str(envelope.node.get()).map_err(|source| json::fault(&source))?;
    let pem = STANDARD
        .decode(download.alipay_cert_content.trim())
        .map_err(|source| format!("its content is not base64: {source}"))?;
    let pem = String::from_utf8(pem).map_err(|source| source.utf8_error().to_string())?;
    let link = ring.prove(&pem, now)?;
    let key = link.key().map_err(|source| source.to_string())?;
    Ok(New { link, key })
}

/// No failure of the business is known to say that there is no such certificate: each of them that
/// is proved ends this asking, and the next statement that names it begins another.
fn not_there(_sub_code: &str) -> Option<Reason> {
    Some(Reason::NotFound)
}
