//! Opens v2 notices and answers them. A payment's notice is signed and states a fact. A refund's
//! is sealed with AES-256-ECB and not signed, so it only hints at what a query must confirm.

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::fact::ProviderFact;
use domain::personal::Secret;
use md5::{Digest as _, Md5};

use super::Parties;
use super::sign::{Seal, Unproved};
use super::statement;
use super::xml::{self, Fields};
use crate::provider::{Acknowledgement, NoticeError, NoticeFault, OpenedNotice, Reply, own_word};

/// The block of AES, in bytes: a sealed text is whole blocks, or it is none.
const BLOCK: usize = 16;

/// Opens a v2 notice's body.
pub(super) fn open(
    parties: &Parties,
    seal: &Seal,
    body: &[u8],
) -> Result<OpenedNotice, NoticeError> {
    let fields = envelope(body)?;
    if fields.has("req_info") {
        return open_refund(&seal.key, &fields);
    }
    seal.verify(&fields).map_err(|why| {
        let fault = match why {
            Unproved::Missing => NoticeFault::Incomplete,
            Unproved::OtherAlgorithm => NoticeFault::WrongAlgorithm,
            Unproved::Wrong => NoticeFault::BadSignature,
        };
        NoticeError::new(fault, why.to_string())
    })?;
    Ok(payment(parties, &fields, body))
}

/// Reads a kept plaintext again. It was proved when it came; the key may have changed since.
pub(super) fn reread(parties: &Parties, plaintext: &[u8]) -> Result<OpenedNotice, NoticeError> {
    match xml::read("xml", plaintext) {
        Ok(fields) if !fields.has("req_info") => payment(parties, &fields, plaintext).readable(),
        Ok(_) | Err(_) => reread_refund_notice(plaintext),
    }
}

/// What a proved payment notice says.
fn payment(parties: &Parties, fields: &Fields, body: &[u8]) -> OpenedNotice {
    let word = fields.get("result_code").unwrap_or_default();
    let kind = own_word(&format!("pay {word}"));
    let facts = match (fields.get("return_code"), word) {
        // An answer to a query is signed alike, and may tell of an order that nobody paid.
        (Some("SUCCESS"), "SUCCESS")
            if fields.has("trade_state") && fields.get("trade_state") != Some("SUCCESS") =>
        {
            Err(unreadable(&"its trade_state is not SUCCESS"))
        }
        (Some("SUCCESS"), "SUCCESS") => statement::payment(parties, fields)
            .map(|fact| vec![ProviderFact::Payment(fact)])
            .map_err(|why| unreadable(&why)),
        // A payment that failed moved nothing.
        (Some("SUCCESS"), "FAIL") => Ok(Vec::new()),
        _ => Err(unreadable(&"neither SUCCESS nor FAIL")),
    };
    match facts {
        Ok(facts) => OpenedNotice {
            notice_id: None,
            kind,
            facts,
            plaintext: body.to_vec(),
            hints: Vec::new(),
            unreadable: None,
        },
        Err(why) => OpenedNotice { kind, ..OpenedNotice::unreadable(body, &why) },
    }
}

/// Opens a refund notice in v2, on whichever merchant's address it comes: an APIv3 merchant gets
/// such ones too, for refunds that were made in the merchant platform.
///
/// # Errors
/// When it is none, or does not open under the key. Which step failed is not told, so that nobody
/// can use the hub to find out about padding.
pub(crate) fn refund_notice(api_key: &Secret, body: &[u8]) -> Result<OpenedNotice, NoticeError> {
    open_refund(api_key, &envelope(body)?)
}

/// Reads a kept refund notice's plaintext again.
///
/// # Errors
/// When it is none.
pub(crate) fn reread_refund_notice(plaintext: &[u8]) -> Result<OpenedNotice, NoticeError> {
    let fields = xml::read("root", plaintext).map_err(|why| unreadable(&why))?;
    refund(&fields, plaintext).readable()
}

fn open_refund(api_key: &Secret, envelope: &Fields) -> Result<OpenedNotice, NoticeError> {
    let incomplete = |what| NoticeError::new(NoticeFault::Incomplete, what);
    let sealed = envelope.get("req_info").ok_or(incomplete("req_info is missing"))?;
    if envelope.get("return_code") != Some("SUCCESS") {
        return Err(incomplete("return_code is not SUCCESS"));
    }
    let opened = unseal(api_key, sealed)
        .and_then(|plaintext| Some((xml::read("root", &plaintext).ok()?, plaintext)));
    match opened {
        Some((fields, plaintext)) => Ok(refund(&fields, &plaintext)),
        None => Err(NoticeError::new(
            NoticeFault::BadSignature,
            "req_info does not open under the merchant's api_key",
        )),
    }
}

/// What an opened refund notice says: a hint, never a fact.
fn refund(fields: &Fields, plaintext: &[u8]) -> OpenedNotice {
    match statement::hint(fields) {
        Ok((hint, word)) => OpenedNotice {
            notice_id: None,
            kind: own_word(&format!("refund {word}")),
            facts: Vec::new(),
            plaintext: plaintext.to_vec(),
            hints: vec![hint],
            unreadable: None,
        },
        Err(why) => OpenedNotice {
            kind: "refund".to_owned(),
            ..OpenedNotice::unreadable(plaintext, &unreadable(&why))
        },
    }
}

/// AES-256-ECB with PKCS#7 padding, under the lower-case hexadecimal MD5 of the merchant's key.
fn unseal(api_key: &Secret, sealed: &str) -> Option<Vec<u8>> {
    let mut buffer = STANDARD.decode(sealed.trim()).ok()?;
    if buffer.is_empty() || !buffer.len().is_multiple_of(BLOCK) {
        return None;
    }
    let digest = Md5::digest(api_key.expose().as_bytes());
    let key: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = UnboundCipherKey::new(&AES_256, key.as_bytes()).ok()?;
    let key = PaddedBlockDecryptingKey::ecb_pkcs7(key).ok()?;
    key.decrypt(&mut buffer, DecryptionContext::None).ok().map(|text| text.to_vec())
}

fn envelope(body: &[u8]) -> Result<Fields, NoticeError> {
    xml::read("xml", body).map_err(|why| unreadable(&why))
}

fn unreadable(why: &dyn std::fmt::Display) -> NoticeError {
    NoticeError::new(NoticeFault::Unreadable, format!("the notice: {why}"))
}

/// The answers of v2, to payment and refund notices alike.
pub(crate) fn acknowledge(acknowledgement: Acknowledgement) -> Reply {
    let (status, body): (u16, &'static str) = match acknowledgement {
        Acknowledgement::Taken => (
            200,
            "<xml><return_code><![CDATA[SUCCESS]]></return_code>\
             <return_msg><![CDATA[OK]]></return_msg></xml>",
        ),
        Acknowledgement::Refused => (
            401,
            "<xml><return_code><![CDATA[FAIL]]></return_code>\
             <return_msg><![CDATA[the notice did not verify]]></return_msg></xml>",
        ),
        Acknowledgement::TryAgain => (
            503,
            "<xml><return_code><![CDATA[FAIL]]></return_code>\
             <return_msg><![CDATA[the notice was not stored, come again]]></return_msg></xml>",
        ),
    };
    Reply { status, content_type: Some("text/xml"), body: body.as_bytes() }
}
