//! Who alone may pay (`ext_user_info`): Alipay refuses every payer whose real name and document
//! differ from what is asked for.
//!
//! What the hub sends itself carries name and document in the clear, which lets Alipay compare the
//! kind of document too. What the payer's own browser or app carries has them as a digest
//! (`identity_hash`, which Alipay compares with its own): whoever opens the link may be somebody
//! else, and must not read them.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::order::{APP, PAGE, WAP};
use crate::limits::{self, Length, broken};
use crate::provider::{Document, Identity, LimitError};

/// The member of an order placed by `method` that asks for a person.
pub(super) fn asked(method: &str, identity: &Identity) -> Result<Value, LimitError> {
    let (name, id_no) = (identity.name.clear(), identity.id_no.clear());
    limits::text("payer.identity.name", name, Length::Characters(16))?;
    let is_number = (1..=64).contains(&id_no.len())
        && id_no
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'('..=b')'));
    if !is_number {
        return Err(broken("payer.identity.id_no", "1 to 64 letters and digits"));
    }
    let cert_type = cert_type(identity.document)?;
    // The check letter of an identity card is written in upper case on the card.
    let id_no = match identity.document {
        Document::IdentityCard => id_no.to_ascii_uppercase(),
        Document::HongKongMacaoPermit
        | Document::HongKongMacaoResidence
        | Document::TaiwanResidence
        | Document::ForeignResidence
        | Document::Passport => id_no.to_owned(),
    };
    if [PAGE, WAP, APP].contains(&method) {
        let digest = Sha256::digest(format!("{name}{id_no}"));
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        return Ok(json!({ "identity_hash": digest, "need_check_info": "T" }));
    }
    Ok(json!({
        "name": name, "cert_type": cert_type, "cert_no": id_no, "need_check_info": "T",
    }))
}

/// Alipay's word for a document, of those that it compares.
fn cert_type(document: Document) -> Result<&'static str, LimitError> {
    match document {
        Document::IdentityCard => Ok("IDENTITY_CARD"),
        Document::Passport => Ok("PASSPORT"),
        Document::HongKongMacaoPermit
        | Document::HongKongMacaoResidence
        | Document::TaiwanResidence
        | Document::ForeignResidence => Err(broken(
            "payer.identity.document",
            "Alipay compares identity_card and passport only",
        )),
    }
}
