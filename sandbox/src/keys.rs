//! The keys of the merchants that the sandbox knows, read once, and new ones when they rotate.

use std::sync::Arc;

use adapters::keys::{SigningKey, VerifyingKey};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::{AlipayApp, SandboxConfig, SmsAccount, WechatMerchant};
use crate::error::{ControlError, SandboxError};

/// A private key of a provider, under the name that it is known by.
#[derive(Clone)]
pub(crate) struct PlatformKey {
    /// `PUB_KEY_ID_…`; empty for Alipay, which does not name its key.
    pub(crate) id: String,
    /// Signs.
    pub(crate) signing: Arc<SigningKey>,
    /// What the merchant verifies with: PEM.
    pub(crate) public_pem: String,
}

/// A merchant of WeChat Pay with its keys.
pub(crate) struct Wechat {
    pub(crate) config: WechatMerchant,
    pub(crate) requests: VerifyingKey,
    /// Oldest first; the last one signs, an older one when the request asks for it.
    pub(crate) platform: Vec<PlatformKey>,
    /// While old and new key are both in use, callbacks come under either.
    pub(crate) overlap: bool,
}

/// An application of Alipay with its keys.
pub(crate) struct Alipay {
    pub(crate) config: AlipayApp,
    pub(crate) requests: VerifyingKey,
    pub(crate) platform: PlatformKey,
}

/// Everybody whom the sandbox knows.
pub(crate) struct Keys {
    pub(crate) wechat: Vec<Wechat>,
    pub(crate) alipay: Vec<Alipay>,
    pub(crate) sms: Vec<SmsAccount>,
}

impl Keys {
    pub(crate) fn read(config: &SandboxConfig) -> Result<Self, SandboxError> {
        Ok(Self {
            wechat: config.wechat.iter().map(wechat).collect::<Result<_, _>>()?,
            alipay: config.alipay.iter().map(alipay).collect::<Result<_, _>>()?,
            sms: config.sms.clone(),
        })
    }

    pub(crate) fn wechat(&self, mchid: &str) -> Option<&Wechat> {
        self.wechat.iter().find(|merchant| merchant.config.mchid == mchid)
    }

    pub(crate) fn alipay(&self, app_id: &str) -> Option<&Alipay> {
        self.alipay.iter().find(|app| app.config.app_id == app_id)
    }
}

impl Wechat {
    /// The key that signs: the newest, unless the asker names another that is still known.
    pub(crate) fn signer(&self, asked: Option<&str>) -> Option<&PlatformKey> {
        self.platform
            .iter()
            .find(|key| Some(key.id.as_str()) == asked)
            .or_else(|| self.platform.last())
    }
}

fn wechat(config: &WechatMerchant) -> Result<Wechat, SandboxError> {
    let owner = || config.mchid.clone();
    if config.apiv3_key.len() != 32 {
        let rule = "it must have exactly 32 bytes";
        return Err(SandboxError::Value { owner: owner(), field: "apiv3_key", rule });
    }
    let requests = VerifyingKey::read(&config.merchant_public_key).map_err(|source| {
        SandboxError::Key { owner: owner(), field: "merchant_public_key", source }
    })?;
    let key = platform(
        &config.mchid,
        "platform_private_key",
        &config.platform_public_key_id,
        &config.platform_private_key,
    )?;
    Ok(Wechat { config: config.clone(), requests, platform: vec![key], overlap: false })
}

fn alipay(config: &AlipayApp) -> Result<Alipay, SandboxError> {
    let requests = VerifyingKey::read(&config.app_public_key).map_err(|source| {
        SandboxError::Key { owner: config.app_id.clone(), field: "app_public_key", source }
    })?;
    let platform = platform(&config.app_id, "alipay_private_key", "", &config.alipay_private_key)?;
    Ok(Alipay { config: config.clone(), requests, platform })
}

fn platform(
    owner: &str,
    field: &'static str,
    id: &str,
    text: &str,
) -> Result<PlatformKey, SandboxError> {
    let signing = SigningKey::read(text).map_err(|source| SandboxError::Key {
        owner: owner.to_owned(),
        field,
        source,
    })?;
    let public_pem = public_half(text).unwrap_or_default();
    Ok(PlatformKey { id: id.to_owned(), signing: Arc::new(signing), public_pem })
}

/// The public half of a private key's text, as PEM, for whoever connects.
fn public_half(text: &str) -> Option<String> {
    let bare: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(str::chars)
        .filter(|letter| !letter.is_whitespace())
        .collect();
    let der = STANDARD.decode(bare).ok()?;
    let pair = KeyPair::from_pkcs8(&der).or_else(|_not_pkcs8| KeyPair::from_der(&der)).ok()?;
    public_pem(&pair)
}

fn public_pem(pair: &KeyPair) -> Option<String> {
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
    Some(armour("PUBLIC KEY", der.as_ref()))
}

fn armour(kind: &str, der: &[u8]) -> String {
    let mut pem = format!("-----BEGIN {kind}-----\n");
    for (place, letter) in STANDARD.encode(der).chars().enumerate() {
        if place > 0 && place.checked_rem(64) == Some(0) {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str(&format!("\n-----END {kind}-----\n"));
    pem
}

/// Makes a new key of 2048 bits under `id`. It is of real chance, not of the seed: a key that can be
/// recomputed is none.
pub(crate) fn generate(id: String) -> Result<PlatformKey, ControlError> {
    let fault = |reason: String| ControlError::NoKey(reason);
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|source| fault(source.to_string()))?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|source| fault(source.to_string()))?;
    let signing = SigningKey::read(&armour("PRIVATE KEY", der.as_ref()))
        .map_err(|source| fault(source.to_string()))?;
    let public_pem = public_pem(&pair).ok_or_else(|| fault("no public half".to_owned()))?;
    Ok(PlatformKey { id, signing: Arc::new(signing), public_pem })
}
