//! Platform certificates of WeChat Pay (平台证书): made over a key of the provider, good for five
//! years. They are signed by themselves; the real ones are signed by Tenpay's root.

use domain::time::beijing;
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DistinguishedName, DnType, SerialNumber, date_time_ymd};

/// How long one is good: five years.
const LIFE_HOURS: i64 = 5 * 365 * 24;

/// A certificate as it is handed out.
#[derive(Clone)]
pub(crate) struct Certificate {
    /// The certificate, armoured.
    pub(crate) pem: String,
    /// From when it is good.
    pub(crate) effective_at: Timestamp,
    /// Until when.
    pub(crate) expires_at: Timestamp,
}

impl Certificate {
    /// A certificate of `serial` (hexadecimal) over the private key `pem`.
    pub(crate) fn over(pem: &str, serial: &str, now: Timestamp) -> Result<Self, String> {
        let key = rcgen::KeyPair::from_pem_and_sign_algo(pem, &rcgen::PKCS_RSA_SHA256)
            .map_err(|source| source.to_string())?;
        let life = SignedDuration::from_hours(LIFE_HOURS);
        let expires_at = now.saturating_add(life).map_err(|source| source.to_string())?;
        let mut params = CertificateParams::default();
        let mut name = DistinguishedName::new();
        name.push(DnType::CountryName, "CN");
        name.push(DnType::OrganizationName, "Tenpay.com");
        name.push(DnType::CommonName, "Tenpay.com sandbox sign");
        params.distinguished_name = name;
        params.serial_number = Some(SerialNumber::from_slice(&bytes(serial)));
        // Whole days, a day wider on either side than what the list says.
        let day = |at: Timestamp, days: i64| {
            let at = at.saturating_add(SignedDuration::from_hours(days.saturating_mul(24)));
            let date = beijing(at.unwrap_or(now)).date();
            let part = |number: i8| u8::try_from(number).unwrap_or(1);
            date_time_ymd(i32::from(date.year()), part(date.month()), part(date.day()))
        };
        params.not_before = day(now, -1);
        params.not_after = day(expires_at, 1);
        let made = params.self_signed(&key).map_err(|source| source.to_string())?;
        Ok(Self { pem: made.pem(), effective_at: now, expires_at })
    }
}

/// The bytes that a hexadecimal text stands for; what is none is left out.
fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte: u8, digit| byte.wrapping_shl(4) | digit))
        .collect()
}
