//! A provider's certificate, as far as it is a key: serial number, validity and RSA key. Whether it
//! is to be believed is decided by whoever brought it, never in here.

use jiff::Timestamp;
use x509_parser::pem::parse_x509_pem;

use super::rsa_key::{KeyError, VerifyingKey};

/// The key of a certificate with what the certificate says about it.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Its serial number, upper-case hexadecimal without leading zero bytes: 40 letters at WeChat
    /// Pay.
    pub serial: String,
    /// The instant from which it is good.
    pub not_before: Timestamp,
    /// The last instant at which it is good.
    pub not_after: Timestamp,
    /// Its RSA key.
    pub key: VerifyingKey,
}

impl Certificate {
    /// Reads a certificate from PEM.
    ///
    /// # Errors
    /// When it is no X.509 certificate with an RSA key of at least 2048 bits.
    pub fn read(pem: &str) -> Result<Self, KeyError> {
        let (_, pem) = parse_x509_pem(pem.as_bytes())
            .map_err(|source| KeyError::NotCertificate(source.to_string()))?;
        let certificate =
            pem.parse_x509().map_err(|source| KeyError::NotCertificate(source.to_string()))?;
        let validity = certificate.validity();
        Ok(Self {
            serial: serial(certificate.raw_serial()),
            not_before: instant(validity.not_before.timestamp())?,
            not_after: instant(validity.not_after.timestamp())?,
            key: VerifyingKey::read_der(certificate.public_key().raw)?,
        })
    }

    /// Whether it is good at an instant.
    #[must_use]
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&at)
    }
}

/// DER puts a zero byte before a number whose first bit is set; names do not have it.
fn serial(raw: &[u8]) -> String {
    let start = raw.iter().position(|byte| *byte != 0).unwrap_or(raw.len());
    raw.iter().skip(start).map(|byte| format!("{byte:02X}")).collect()
}

fn instant(seconds: i64) -> Result<Timestamp, KeyError> {
    Timestamp::from_second(seconds).map_err(|source| KeyError::NotCertificate(source.to_string()))
}
