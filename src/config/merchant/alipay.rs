//! A merchant of Alipay, in key mode or in certificate mode.

use adapters::alipay::{AlipayConfig, Proof};
use adapters::keys::SigningKey;
use domain::ids::MerchantId;
use domain::personal::Secret;

use super::keys::{own_certificate, private_key, public_key, their_certificate};
use super::{Dated, Merchant, provider_url, refused};
use crate::config::error::ConfigError;
use crate::config::section::Section;

const ALIPAY_URL: &str = "https://openapi.alipay.com/gateway.do";
const CERTIFICATES: [&str; 3] = ["app_cert", "alipay_cert", "alipay_root_cert"];

pub(super) fn read(section: &Section<'_>, id: MerchantId) -> Result<Merchant, ConfigError> {
    section.only(&[
        "id",
        "provider",
        "app_id",
        "seller_id",
        "app_private_key",
        "alipay_public_key",
        "app_cert",
        "alipay_cert",
        "alipay_root_cert",
        "encrypt_key",
        "app_auth_token",
        "gateway_url",
        "queries_per_second",
        "fund_flow",
    ])?;
    let private_key = private_key(section, "app_private_key", "the application's private key")?;
    let (proof, certificates) = proof(section, &private_key)?;
    let encrypt_key = match section.has("encrypt_key") {
        true => Some(Secret::new(section.secret_text(
            "encrypt_key",
            "the AES key of the application (接口内容加密方式), base64",
            is_aes_key,
        )?)),
        false => None,
    };
    let config = AlipayConfig {
        app_id: section.needed("app_id", "give the application's id")?,
        seller_id: section.needed("seller_id", "give the seller's id (PID), 2088…")?,
        app_private_key: private_key,
        proof,
        encrypt_key,
        app_auth_token: section.text("app_auth_token")?.map(Secret::new),
        gateway_url: provider_url(section, "gateway_url", ALIPAY_URL)?,
    };
    let mut merchant = Merchant::alipay(id, config).map_err(|fault| refused(section, fault))?;
    merchant.certificates = certificates;
    Ok(merchant)
}

/// How Alipay's signatures are proved: one key, or three certificates, never both.
fn proof(
    section: &Section<'_>,
    private_key: &SigningKey,
) -> Result<(Proof, Vec<Dated>), ConfigError> {
    let Some(first) = CERTIFICATES.into_iter().find(|key| section.has(key)) else {
        let what = "Alipay's public key (支付宝公钥)";
        return Ok((
            Proof::Key(public_key(section, "alipay_public_key", what, private_key)?),
            Vec::new(),
        ));
    };
    if section.has("alipay_public_key") {
        return Err(section.fault(
            first,
            "stands beside alipay_public_key",
            "in certificate mode (公钥证书) take alipay_public_key out, in key mode the certificates",
        ));
    }
    let (app, of_app) = own_certificate(
        section,
        "app_cert",
        "the application's certificate (appCertPublicKey_….crt)",
        private_key,
    )?;
    let (alipay, of_alipay) = their_certificate(
        section,
        "alipay_cert",
        "Alipay's certificate (alipayCertPublicKey_RSA2.crt)",
        private_key,
    )?;
    let mend = "give Alipay's root certificates (alipayRootCert.crt), PEM text or a path";
    let root = section.key_text("alipay_root_cert", mend)?;
    Ok((Proof::Certificates { app, alipay, root }, vec![of_app, of_alipay]))
}

/// 16, 24 or 32 bytes in base64; Alipay gives 16.
fn is_aes_key(text: &str) -> bool {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD
        .decode(text.trim())
        .is_ok_and(|key| matches!(key.len(), 16 | 24 | 32))
}
