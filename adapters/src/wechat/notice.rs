//! Opens notices whose signature is already proved: decrypts them, reads what they say about
//! money, and answers them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::fact::{OrderStanding, PaymentFact, ProviderFact};
use domain::personal::Secret;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::combined;
use super::parties::Parties;
use super::statement::{Refund, StatementError, Transaction};
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

/// A resource that never decrypted, because its envelope misses something, or in which there is
/// another sealed one: kept, the two look the same. One that says nothing else says nothing.
#[derive(Deserialize)]
struct Sealed {
    #[serde(rename = "ciphertext")]
    _ciphertext: IgnoredAny,
}

/// Whether a body is v2's XML: APIv3 sends JSON.
pub(super) fn is_v2(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// Opens a proved notice's body: whatever cannot be read of it, it stays WeChat's.
pub(super) fn open(parties: &Parties, apiv3_key: &Secret, body: &[u8]) -> OpenedNotice {
    let envelope = match serde_json::from_slice::<Envelope>(body) {
        Ok(envelope) => envelope,
        Err(source) => {
            let why = unreadable("the notice", &json::fault(&source));
            return OpenedNotice::unreadable(body, &why);
        }
    };
    let (notice_id, kind) = (own_word(&envelope.id), own_word(&envelope.event_type));
    let read = plain(parties, apiv3_key, envelope);
    read.unwrap_or_else(|why| OpenedNotice {
        notice_id: Some(notice_id),
        kind,
        ..OpenedNotice::unreadable(body, &why)
    })
}

/// Reads a kept plaintext again; a body that did not decrypt when it came was kept as it was.
pub(super) fn reread(
    parties: &Parties,
    apiv3_key: &Secret,
    plaintext: &[u8],
) -> Result<OpenedNotice, NoticeError> {
    let kept: Plain<'_> = serde_json::from_slice(plaintext)
        .map_err(|source| unreadable("the kept plaintext", &json::fault(&source)))?;
    let read = opened(parties, &kept).and_then(OpenedNotice::readable);
    read.or_else(|why| match serde_json::from_slice::<Envelope>(plaintext) {
        Ok(envelope) => plain(parties, apiv3_key, envelope)?.readable(),
        Err(_not_sealed) => Err(why),
    })
}

fn plain(
    parties: &Parties,
    apiv3_key: &Secret,
    envelope: Envelope,
) -> Result<OpenedNotice, NoticeError> {
    let text = decrypt(apiv3_key, &envelope.resource)?;
    let resource = serde_json::from_slice::<&RawValue>(&text)
        .map_err(|source| unreadable("the resource", &json::fault(&source)))?;
    let plain = Plain { id: envelope.id, event_type: envelope.event_type, resource };
    opened(parties, &plain)
}

fn opened(parties: &Parties, plain: &Plain<'_>) -> Result<OpenedNotice, NoticeError> {
    let resource = plain.resource.get().as_bytes();
    let (facts, unreadable_for) = match facts(parties, &plain.event_type, resource) {
        Ok(facts) => (facts, None),
        Err(why) => (Vec::new(), Some(why.detail)),
    };
    if facts.is_empty() && serde_json::from_slice::<Sealed>(resource).is_ok() {
        return Err(unreadable("the resource", &"it is still sealed"));
    }
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
fn facts(
    parties: &Parties,
    event_type: &str,
    resource: &[u8],
) -> Result<Vec<ProviderFact>, NoticeError> {
    let what = "the resource";
    match event_type {
        "TRANSACTION.SUCCESS" => {
            let payments = payments(parties, resource).map_err(|why| unreadable(what, &why))?;
            Ok(payments.into_iter().map(ProviderFact::Payment).collect())
        }
        "REFUND.SUCCESS" | "REFUND.ABNORMAL" | "REFUND.CLOSED" => {
            let refund = Refund::read(resource)
                .and_then(|refund| refund.notified(parties))
                .map_err(|source| unreadable(what, &source))?;
            Ok(vec![ProviderFact::Refund(refund)])
        }
        _ => Ok(Vec::new()),
    }
}

/// The payments of an order, or of each paid part of a combined one, which goes by other names.
fn payments(parties: &Parties, resource: &[u8]) -> Result<Vec<PaymentFact>, StatementError> {
    let standings = match Transaction::read(resource) {
        Ok(transaction) => vec![transaction.standing(parties)?],
        Err(why) => match combined::Statement::read(resource) {
            Ok(combined) => {
                let parts = combined.parts(parties)?;
                parts.into_iter().map(|part| part.standing).collect()
            }
            Err(_neither) => return Err(why),
        },
    };
    let paid = |standing| match standing {
        OrderStanding::Paid(payment) | OrderStanding::GivenBack(payment) => Some(payment),
        OrderStanding::Unpaid | OrderStanding::Closed | OrderStanding::Absent => None,
    };
    Ok(standings.into_iter().filter_map(paid).collect())
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
