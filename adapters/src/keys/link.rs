//! An X.509 certificate as a link of a chain: who it is about, who issued it, and whether that
//! issuer's key signed it. Which chain is to be believed is decided by whoever brings the roots.

use std::fmt;

use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaParameters,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use x509_parser::parse_x509_certificate;
use x509_parser::prelude::X509Certificate;

use super::rsa_key::{KeyError, VerifyingKey};

/// One certificate of a file.
pub struct Link {
    /// Its issuer's name, part by part as it stands there: object identifier and text.
    pub issuer: Vec<(String, String)>,
    /// Its serial number in decimal digits.
    pub serial: String,
    /// The object identifier of the algorithm that signed it.
    pub algorithm: String,
    /// The last instant at which it is good.
    pub not_after: Timestamp,
    /// Whether it may issue others.
    pub is_authority: bool,
    subject_der: Vec<u8>,
    issuer_der: Vec<u8>,
    key_der: Vec<u8>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

impl Link {
    /// Every certificate of a PEM text in order, readable or not; base64 lines may have any length.
    #[must_use]
    pub fn read_all(pem: &str) -> Vec<Result<Self, KeyError>> {
        blocks(pem).iter().map(|block| Self::read(block)).collect()
    }

    fn read(base64: &str) -> Result<Self, KeyError> {
        let broken = |why: String| KeyError::NotCertificate(why);
        let der = STANDARD.decode(base64).map_err(KeyError::Base64)?;
        let (rest, read) =
            parse_x509_certificate(&der).map_err(|source| broken(source.to_string()))?;
        if !rest.is_empty() || read.signature_algorithm != read.tbs_certificate.signature {
            return Err(broken("it does not agree with itself".to_owned()));
        }
        Ok(Self {
            issuer: issuer(&read)?,
            serial: read.serial.to_string(),
            algorithm: read.signature_algorithm.algorithm.to_id_string(),
            not_after: Timestamp::from_second(read.validity().not_after.timestamp())
                .map_err(|source| broken(source.to_string()))?,
            is_authority: read.is_ca(),
            subject_der: read.subject().as_raw().to_vec(),
            issuer_der: read.issuer().as_raw().to_vec(),
            key_der: read.public_key().raw.to_vec(),
            signed: read.tbs_certificate.as_ref().to_vec(),
            signature: read.signature_value.data.to_vec(),
        })
    }

    /// Its key.
    ///
    /// # Errors
    /// When it is no RSA key of at least 2048 bits.
    pub fn key(&self) -> Result<VerifyingKey, KeyError> {
        VerifyingKey::read_der(&self.key_der)
    }

    /// Whether both are about the same holder, name for name.
    #[must_use]
    pub fn is_about_the_same_as(&self, other: &Self) -> bool {
        self.subject_der == other.subject_der
    }

    /// Whether `authority` is named as the issuer, whoever signed.
    #[must_use]
    pub fn names_as_issuer(&self, authority: &Self) -> bool {
        self.issuer_der == authority.subject_der
    }

    /// Whether `authority` is named as the issuer and signed this, with RSA and SHA-2. Other
    /// signatures prove nothing here.
    #[must_use]
    pub fn is_issued_by(&self, authority: &Self) -> bool {
        if !self.names_as_issuer(authority) {
            return false;
        }
        let Some(algorithm) = rsa_sha2(&self.algorithm) else { return false };
        ParsedPublicKey::new(algorithm, &authority.key_der)
            .is_ok_and(|key| key.verify_sig(&self.signed, &self.signature).is_ok())
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", self.serial)
    }
}

fn rsa_sha2(oid: &str) -> Option<&'static RsaParameters> {
    match oid {
        "1.2.840.113549.1.1.11" => Some(&RSA_PKCS1_2048_8192_SHA256),
        "1.2.840.113549.1.1.12" => Some(&RSA_PKCS1_2048_8192_SHA384),
        "1.2.840.113549.1.1.13" => Some(&RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    }
}

fn issuer(read: &X509Certificate<'_>) -> Result<Vec<(String, String)>, KeyError> {
    read.issuer()
        .iter_attributes()
        .map(|part| {
            let text =
                part.as_str().map_err(|source| KeyError::NotCertificate(source.to_string()))?;
            Ok((part.attr_type().to_id_string(), text.to_owned()))
        })
        .collect()
}

/// The base64 inside each armour, without line ends.
fn blocks(pem: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in pem.lines().map(str::trim) {
        if line == "-----BEGIN CERTIFICATE-----" {
            open = Some(String::new());
        } else if line == "-----END CERTIFICATE-----" {
            blocks.extend(open.take());
        } else if let Some(block) = &mut open {
            block.extend(line.chars().filter(|letter| !letter.is_whitespace()));
        }
    }
    blocks
}
