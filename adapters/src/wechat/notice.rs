//! Opens notices whose signature is already proved: decrypts them, reads what they say about
//! money, and answers them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::fact::{OrderStanding, ProviderFact};
use domain::personal::Secret;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::statement::{Refund, Transaction};
use crate::json;
use crate::keys::open_aes_256_gcm;
use crate::provider::{Acknowledgement, NoticeError, NoticeFault, OpenedNotice, Reply, own_word};

#[derive(Deserialize)]
struct Envelope {
    id: String,
    event_type: String,
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    algorithm: String,
    ciphertext: String,
    /// May be empty or absent (wire.md f).
    #[serde(default)]
    associated_data: String,
    nonce: String,
}

/// What is kept for replay: the envelope's words and the decrypted resource as it was.
#[derive(Serialize, Deserialize)]
struct Plain<'a> {
    id: String,
    event_type: String,
    #[serde(borrow)]
    resource: &'a RawValue,
}

/// Opens a proved notice's body: whatever cannot be read of it, it stays WeChat's.
pub(super) fn open(apiv3_key: &Secret, body: &[u8]) -> OpenedNotice {
    let envelope = match serde_json::from_slice::<Envelope>(body) {
        Ok(envelope) => envelope,
        Err(source) => {
            let why = unreadable("the notice", &json::fault(&source));
            return OpenedNotice::unreadable(body, &why);
        }
    };
    let (notice_id, kind) = (own_word(&envelope.id), own_word(&envelope.event_type));
    let read = plain(apiv3_key, envelope);
    read.unwrap_or_else(|why| OpenedNotice {
        notice_id: Some(notice_id),
        kind,
        ..OpenedNotice::unreadable(body, &why)
    })
}

/// Reads a kept plaintext again; a body that did not decrypt when it came was kept as it was.
pub(super) fn reread(apiv3_key: &Secret, plaintext: &[u8]) -> Result<OpenedNotice, NoticeError> {
    if let Ok(envelope) = serde_json::from_slice::<Envelope>(plaintext) {
        return plain(apiv3_key, envelope)?.readable();
    }
    let plain: Plain<'_> = serde_json::from_slice(plaintext)
        .map_err(|source| unreadable("the kept plaintext", &json::fault(&source)))?;
    opened(&plain)?.readable()
}

fn plain(apiv3_key: &Secret, envelope: Envelope) -> Result<OpenedNotice, NoticeError> {
    let text = decrypt(apiv3_key, &envelope.resource)?;
    let resource = serde_json::from_slice::<&RawValue>(&text)
        .map_err(|source| unreadable("the resource", &json::fault(&source)))?;
    opened(&Plain { id: envelope.id, event_type: envelope.event_type, resource })
}

fn opened(plain: &Plain<'_>) -> Result<OpenedNotice, NoticeError> {
    let (facts, unreadable_for) = match facts(&plain.event_type, plain.resource.get().as_bytes()) {
        Ok(facts) => (facts, None),
        Err(why) => (Vec::new(), Some(why.detail)),
    };
    Ok(OpenedNotice {
        notice_id: Some(own_word(&plain.id)),
        kind: own_word(&plain.event_type),
        facts,
        hints: Vec::new(),
        plaintext: serde_json::to_vec(plain)
            .map_err(|source| unreadable("the plaintext", &source))?,
        unreadable: unreadable_for,
    })
}

/// What the resource says about money. An event that the hub does not know says nothing.
fn facts(event_type: &str, resource: &[u8]) -> Result<Vec<ProviderFact>, NoticeError> {
    let what = "the resource";
    match event_type {
        "TRANSACTION.SUCCESS" => {
            let standing = Transaction::read(resource)
                .and_then(|transaction| transaction.standing())
                .map_err(|source| unreadable(what, &source))?;
            Ok(match standing {
                OrderStanding::Paid(payment) => vec![ProviderFact::Payment(payment)],
                OrderStanding::Unpaid | OrderStanding::Closed | OrderStanding::Absent => Vec::new(),
            })
        }
        "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => {
            let refund = Refund::read(resource)
                .and_then(|refund| refund.notified())
                .map_err(|source| unreadable(what, &source))?;
            Ok(vec![ProviderFact::Refund(refund)])
        }
        _ => Ok(Vec::new()),
    }
}

fn decrypt(apiv3_key: &Secret, resource: &Resource) -> Result<Vec<u8>, NoticeError> {
    if resource.algorithm != "AEAD_AES_256_GCM" {
        return Err(NoticeError::new(
            NoticeFault::WrongAlgorithm,
            "the resource is not sealed with AEAD_AES_256_GCM",
        ));
    }
    let sealed = STANDARD
        .decode(&resource.ciphertext)
        .map_err(|source| unreadable("the ciphertext", &source))?;
    open_aes_256_gcm(
        apiv3_key.expose().as_bytes(),
        resource.nonce.as_bytes(),
        resource.associated_data.as_bytes(),
        &sealed,
    )
    .map_err(|source| unreadable("the resource", &source))
}

fn unreadable(what: &str, source: &dyn std::fmt::Display) -> NoticeError {
    NoticeError::new(NoticeFault::Unreadable, format!("{what}: {source}"))
}

/// The answers of APIv3: 200 without a body, or an error with code and message.
pub(super) fn acknowledge(acknowledgement: Acknowledgement) -> Reply {
    let failure = |status, body| Reply { status, content_type: Some("application/json"), body };
    match acknowledgement {
        Acknowledgement::Taken => Reply { status: 200, content_type: None, body: b"" },
        Acknowledgement::Refused => {
            failure(401, br#"{"code":"FAIL","message":"the notice did not verify"}"#)
        }
        Acknowledgement::TryAgain => {
            failure(503, br#"{"code":"FAIL","message":"the notice was not stored, come again"}"#)
        }
    }
}
