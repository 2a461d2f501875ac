//! Certificate mode (公钥证书): the sandbox is its own certification authority and issues the
//! application's certificate and Alipay's own over the configured keys. Serial numbers are computed
//! here from the provider's documents, never by the hub's adapter.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, SerialNumber,
    SignatureAlgorithm,
};
use sha2::Sha256;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

/// Signature algorithms of RSA begin with this; only such roots count in `alipay_root_cert_sn`.
const RSA_SIGNATURES: &str = "1.2.840.113549.1.1.";

/// A certificate and the number by which requests and answers name it.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) sn: String,
    /// PEM; Alipay's own with the intermediate behind it.
    pub(crate) pem: String,
}

/// The certificates of one application.
pub(crate) struct Certificates {
    /// The application's (应用公钥证书).
    pub(crate) app: Issued,
    /// The bundle of roots (支付宝根证书) and the numbers of those that count.
    pub(crate) root: Issued,
    /// Alipay's own (支付宝公钥证书): the one that signs now.
    current: Issued,
    /// Those that signed before, oldest first.
    earlier: Vec<Issued>,
    intermediate: Issuer<'static, KeyPair>,
    intermediate_pem: String,
    seller_id: String,
}

/// What a certificate could not be made of.
type Fault = String;

impl Certificates {
    /// Makes roots, an intermediate and the two certificates.
    pub(crate) fn make(
        app_id: &str,
        seller_id: &str,
        app_public_key: &str,
        alipay_public_key: &str,
    ) -> Result<Self, Fault> {
        let (root_params, root_key) = authority("Certification Authority R1", true)?;
        let root = root_params.self_signed(&root_key).map_err(said)?;
        let root = (root, Issuer::new(root_params, root_key));
        // Alipay's bundle holds a root of another kind too, which does not count in the number.
        let (other_params, other_key) = authority("Certification Authority E1", false)?;
        let other = other_params.self_signed(&other_key).map_err(said)?;
        let (params, key) = authority("Certification Authority Class 2 R1", true)?;
        let intermediate = params.signed_by(&key, &root.1).map_err(said)?;
        let intermediate_pem = intermediate.pem();
        let intermediate = Issuer::new(params, key);
        let app = leaf(&format!("{seller_id}-{app_id}"), app_public_key, &intermediate)?;
        // With an empty line between them, as in Alipay's own file: readers split there.
        let roots = format!("{}\n{}", other.pem(), root.0.pem());
        let mut made = Self {
            app: Issued { sn: serial_of(app.der())?, pem: app.pem() },
            root: Issued { sn: root_serials(&roots), pem: roots },
            current: Issued { sn: String::new(), pem: String::new() },
            earlier: Vec::new(),
            intermediate,
            intermediate_pem,
            seller_id: seller_id.to_owned(),
        };
        made.current = made.issue(alipay_public_key)?;
        Ok(made)
    }

    /// Alipay's certificate that signs now.
    pub(crate) const fn current(&self) -> &Issued {
        &self.current
    }

    /// Alipay's certificate of that number, the present one or one that signed before.
    pub(crate) fn of_alipay(&self, sn: &str) -> Option<&Issued> {
        self.earlier.iter().chain([&self.current]).find(|known| known.sn == sn)
    }

    /// Issues a certificate of Alipay's over a new key: from now on it is the one that signs.
    pub(crate) fn renew(&mut self, alipay_public_key: &str) -> Result<(), Fault> {
        let issued = self.issue(alipay_public_key)?;
        self.earlier.push(std::mem::replace(&mut self.current, issued));
        Ok(())
    }

    fn issue(&self, public_key: &str) -> Result<Issued, Fault> {
        let name = format!("Payhub Sandbox-{}", self.seller_id);
        let leaf = leaf(&name, public_key, &self.intermediate)?;
        let pem = format!("{}{}", leaf.pem(), self.intermediate_pem);
        Ok(Issued { sn: serial_of(leaf.der())?, pem })
    }
}

fn said(source: impl std::fmt::Display) -> Fault {
    source.to_string()
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    let names = &mut params.distinguished_name;
    names.remove(DnType::CommonName);
    names.push(DnType::CountryName, "CN");
    names.push(DnType::OrganizationName, "Payhub Sandbox");
    names.push(DnType::OrganizationalUnitName, "Certification Authority");
    names.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2050, 1, 1);
    params
}

fn authority(name: &str, rsa: bool) -> Result<(CertificateParams, KeyPair), Fault> {
    let algorithm = if rsa { &PKCS_RSA_SHA256 } else { &PKCS_ECDSA_P256_SHA256 };
    let key = KeyPair::generate_for(algorithm).map_err(said)?;
    let mut params = named(&format!("Payhub Sandbox {name}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(serial(key.der_bytes()));
    Ok((params, key))
}

fn leaf(name: &str, public_key: &str, issuer: &Issuer<'_, KeyPair>) -> Result<Certificate, Fault> {
    let public = Public(bare_key(public_key)?);
    let mut params = named(name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.serial_number = Some(serial(&public.0));
    params.signed_by(&public, issuer).map_err(said)
}

/// A serial that follows from the key, as long as real ones and always positive.
fn serial(key: &[u8]) -> SerialNumber {
    let digest = Sha256::digest(key);
    let tail = digest.iter().take(12).copied();
    SerialNumber::from([0x20, 0x26, 0x11, 0x20].into_iter().chain(tail).collect::<Vec<u8>>())
}

/// An RSA public key over which a certificate is made: the bare key's DER (PKCS#1).
struct Public(Vec<u8>);

impl PublicKeyData for Public {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

/// The bare key inside a public key's text, whether that is SPKI or the bare key itself.
fn bare_key(text: &str) -> Result<Vec<u8>, Fault> {
    let compact: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(str::chars)
        .filter(|letter| !letter.is_whitespace())
        .collect();
    let der = STANDARD.decode(compact).map_err(said)?;
    let inner =
        SubjectPublicKeyInfo::from_der(&der).map(|(_, info)| info.subject_public_key.data.to_vec());
    Ok(inner.unwrap_or(der))
}

/// The number of a certificate: MD5 over the issuer's name, last part first, and the serial in
/// decimal digits.
fn serial_of(der: &[u8]) -> Result<String, Fault> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(said)?;
    let text = format!("{}{}", backwards(certificate.issuer()), certificate.serial);
    let mut hex = String::with_capacity(32);
    for byte in Md5::digest(text) {
        let _infallible = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}

/// `CN=…,OU=…,O=…,C=…`: the parts of a name from the last to the first, without blanks.
fn backwards(name: &X509Name<'_>) -> String {
    let registry = x509_parser::objects::oid_registry();
    let mut parts = Vec::new();
    for part in name.iter_attributes() {
        let short = x509_parser::objects::oid2abbrev(part.attr_type(), registry);
        let value = part.as_str().unwrap_or_default();
        parts.push(format!("{}={value}", short.unwrap_or_default()));
    }
    parts.reverse();
    parts.join(",")
}

/// The numbers of those roots of a bundle that sign with RSA, joined by `_`.
fn root_serials(bundle: &str) -> String {
    let mut numbers = Vec::new();
    for block in Pem::iter_from_buffer(bundle.as_bytes()).flatten() {
        let Ok(certificate) = block.parse_x509() else { continue };
        let algorithm = certificate.signature_algorithm.algorithm.to_id_string();
        if algorithm.starts_with(RSA_SIGNATURES)
            && let Ok(number) = serial_of(&block.contents)
        {
            numbers.push(number);
        }
    }
    numbers.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: &str = include_str!("../../../fixtures/keys/alipay_app_pub.pem");
    const ALIPAY: &str = include_str!("../../../fixtures/keys/alipay_platform_pub.pem");

    fn made() -> Certificates {
        Certificates::make("2021000000000000", "2088000000000000", APP, ALIPAY).unwrap()
    }

    /// Alipay's published certificates and their known numbers, where the folder is at hand.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "the vectors lie outside the tree; CI names them")]
    fn numbers_of_published_certificates_come_out_as_published() {
        let Some(folder) = std::env::var_os("PAYHUB_VECTORS") else { return };
        let folder = std::path::PathBuf::from(folder);
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        for (name, sn) in [
            ("alipay_appCertPublicKey_2021001161683774.crt", "866efef280dec9137a87d047ac446315"),
            ("alipay_alipayCertPublicKey_RSA2.crt", "7513daaaa48aa3ba2e4018d84402479c"),
        ] {
            let text = read(name);
            let block = Pem::iter_from_buffer(text.as_bytes()).next().unwrap().unwrap();
            assert_eq!(serial_of(&block.contents).unwrap(), sn);
        }
        assert_eq!(
            root_serials(&read("alipay_alipayRootCert.crt")),
            "687b59193f3f462dd5336e5abf83c5d8_02941eef3187dddf3d3b83462e1dfcf6"
        );
    }

    #[test]
    fn the_chain_runs_from_alipays_certificate_to_a_root_of_the_bundle() {
        let made = made();
        let blocks = |text: &str| -> Vec<Pem> {
            Pem::iter_from_buffer(text.as_bytes()).map(Result::unwrap).collect()
        };
        let (roots, chain, app) =
            (blocks(&made.root.pem), blocks(&made.current().pem), blocks(&made.app.pem));
        let (leaf, middle) = (chain[0].parse_x509().unwrap(), chain[1].parse_x509().unwrap());
        assert_eq!((roots.len(), chain.len(), app.len()), (2, 2, 1));
        assert_eq!(leaf.issuer(), middle.subject());
        assert_eq!(app[0].parse_x509().unwrap().issuer(), middle.subject());
        assert_eq!(middle.issuer(), roots[1].parse_x509().unwrap().subject());
        assert_eq!(bare_key(ALIPAY).unwrap(), leaf.public_key().subject_public_key.data.to_vec());
    }

    #[test]
    fn only_the_root_that_signs_with_rsa_counts() {
        let made = made();
        assert_eq!(made.root.sn.len(), 32);
        assert_ne!(made.root.sn, made.app.sn);
        assert_eq!(made.app.sn.len(), 32);
    }

    #[test]
    fn a_new_certificate_signs_and_the_old_one_stays_to_be_had() {
        let mut made = made();
        let old = made.current().sn.clone();
        made.renew(APP).unwrap();
        assert_ne!(made.current().sn, old);
        assert!(made.of_alipay(&old).is_some() && made.of_alipay("00").is_none());
    }
}
