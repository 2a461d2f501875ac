//! `GET /v3/certificates`: platform certificates, sealed under the merchant's own key.

use adapters::keys::seal_aes_256_gcm;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::time::rfc3339;
use serde_json::{Value, json};

use super::Asked;
use super::refusal::Refusal;
use crate::engine::World;
use crate::text::query_value;

/// What certificates are sealed with beside the key.
const ASSOCIATED: &str = "certificate";

/// The list, newest first; a merchant in public-key mode has none.
pub(super) fn list(world: &mut World, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let merchant = world
        .keys
        .wechat
        .iter_mut()
        .find(|merchant| merchant.config.mchid == asked.mchid)
        .ok_or_else(Refusal::no_merchant)?;
    merchant.certificate_requests = merchant.certificate_requests.saturating_add(1);
    let kind = query_value(asked.request.query(), "algorithm_type");
    if let Some(kind) = kind.filter(|kind| !matches!(kind.as_str(), "RSA" | "ALL")) {
        return Err(Refusal::parameter("/algorithm_type", &kind, "沙箱只有RSA证书"));
    }
    let mut data = Vec::new();
    for (serial, certificate) in merchant.certificates() {
        if certificate.expires_at <= asked.now {
            continue;
        }
        let nonce = world.chance.nonce(12);
        let sealed = seal_aes_256_gcm(
            merchant.config.apiv3_key.as_bytes(),
            nonce.as_bytes(),
            ASSOCIATED.as_bytes(),
            certificate.pem.as_bytes(),
        )
        .map_err(|source| Refusal::new(500, "SYSTEM_ERROR", source.to_string()))?;
        data.push(json!({
            "serial_no": serial,
            "effective_time": rfc3339(certificate.effective_at),
            "expire_time": rfc3339(certificate.expires_at),
            "encrypt_certificate": {
                "algorithm": "AEAD_AES_256_GCM",
                "nonce": nonce,
                "associated_data": ASSOCIATED,
                "ciphertext": STANDARD.encode(sealed),
            },
        }));
    }
    if data.is_empty() {
        let text = "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥";
        return Err(Refusal::new(404, "RESOURCE_NOT_EXISTS", text));
    }
    Ok(json!({"data": data}))
}
