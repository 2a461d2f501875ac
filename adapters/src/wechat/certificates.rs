//! Platform certificates (平台证书): fetched, opened with the APIv3 key, proved by the answer's own
//! signature, and taken into the ring. Whatever goes wrong leaves the ring as it was.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;

use super::Wechat;
use super::answer::{Said, proved};
use super::order::get;
use super::verify::{Signed, bad_signature};
use crate::json;
use crate::keys::{Certificate, open_aes_256_gcm};
use crate::provider::{Learned, RenewedKeys};
use crate::wire::{Answer, Call, Outcome};

#[derive(Deserialize)]
struct List {
    data: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    serial_no: String,
    encrypt_certificate: Sealed,
}

#[derive(Deserialize)]
struct Sealed {
    algorithm: String,
    nonce: String,
    #[serde(default)]
    associated_data: String,
    ciphertext: String,
}

impl RenewedKeys for Wechat {
    /// `GET /v3/certificates`.
    fn ask_keys(&self) -> Option<Call> {
        self.ring.wants_certificates().then(|| get("/v3/certificates".to_owned()))
    }

    fn learn_keys(&self, answer: &Answer, now: Timestamp) -> Outcome<Learned> {
        if answer.status == 200 {
            return match self.read_certificates(answer, now) {
                Ok(certificates) => {
                    Outcome::Accepted(Learned::New(self.ring.take(certificates, now)))
                }
                Err(why) => Outcome::Unknown(format!("the certificates: {why}")),
            };
        }
        let said = self.said(answer, now);
        // A merchant that only ever had the public key has none.
        if let Said::Declined { status: 404, refusal } = &said
            && refusal.code == "RESOURCE_NOT_EXISTS"
        {
            self.ring.none_there();
            return Outcome::Accepted(Learned::NoneThere);
        }
        match proved(said) {
            Ok(_empty) => Outcome::Unknown("an answer without certificates".to_owned()),
            Err(other) => other,
        }
    }

    fn is_key_missing(&self) -> bool {
        self.ring.is_one_missing()
    }

    fn keys_expire_at(&self) -> Option<Timestamp> {
        self.ring.ends_at()
    }
}

impl Wechat {
    /// Every certificate of the answer that is not over. The first answer can be proved only by
    /// its own certificates: who made them knows the APIv3 key.
    fn read_certificates(
        &self,
        answer: &Answer,
        now: Timestamp,
    ) -> Result<Vec<Certificate>, String> {
        let signed = Signed::read(&answer.headers, now).map_err(|why| why.to_string())?;
        let list: List =
            serde_json::from_slice(&answer.body).map_err(|source| json::fault(&source))?;
        let mut certificates = Vec::new();
        for listed in &list.data {
            certificates.extend(self.open_certificate(listed)?);
        }
        let message = signed.message(&answer.body);
        let own =
            certificates.iter().find(|there| there.serial.eq_ignore_ascii_case(signed.serial));
        let verified = match own {
            Some(own) => own.is_valid_at(now) && own.key.verifies(&message, signed.signature),
            None => self
                .ring
                .verifies(signed.serial, now, &message, signed.signature)
                .unwrap_or_default(),
        };
        if !verified {
            return Err(bad_signature().to_string());
        }
        certificates.retain(|certificate| certificate.not_after >= now);
        if certificates.is_empty() {
            return Err("none is usable".to_owned());
        }
        Ok(certificates)
    }

    /// Opens one; `None` when it is of a kind that the hub does not verify by (SM2).
    fn open_certificate(&self, listed: &Listed) -> Result<Option<Certificate>, String> {
        let sealed = &listed.encrypt_certificate;
        if sealed.algorithm != "AEAD_AES_256_GCM" {
            return Ok(None);
        }
        let ciphertext =
            STANDARD.decode(&sealed.ciphertext).map_err(|source| source.to_string())?;
        let pem = open_aes_256_gcm(
            self.apiv3_key.expose().as_bytes(),
            sealed.nonce.as_bytes(),
            sealed.associated_data.as_bytes(),
            &ciphertext,
        )
        .map_err(|source| source.to_string())?;
        let certificate = String::from_utf8(pem).ok().and_then(|pem| Certificate::read(&pem).ok());
        let is_named = |there: &Certificate| there.serial.eq_ignore_ascii_case(&listed.serial_no);
        Ok(certificate.filter(is_named))
    }
}
