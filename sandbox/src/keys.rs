//! The keys of the merchants that the sandbox knows, read once, and new ones when they rotate.

use std::sync::Arc;

use adapters::keys::{SigningKey, VerifyingKey};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::alipay::certificates::Certificates;
use crate::alipay::content;
use crate::certificate::Certificate;
use crate::config::{AlipayApp, SandboxConfig, SmsAccount, Verification, WechatMerchant};
use crate::error::{ControlError, SandboxError};
use crate::random::Random;

/// A private key of a provider, under the name that it is known by.
#[derive(Clone)]
pub(crate) struct PlatformKey {
    /// `PUB_KEY_ID_…` or a certificate's serial; empty for Alipay, which does not name its key.
    pub(crate) id: String,
    /// Signs.
    pub(crate) signing: Arc<SigningKey>,
    /// Opens what the merchant encrypted for the provider.
    decrypting: Arc<OaepPrivateDecryptingKey>,
    /// What the merchant verifies with: PEM.
    pub(crate) public_pem: String,
    /// The certificate over it; `None`: a bare public key.
    pub(crate) certificate: Option<Certificate>,
}

/// A merchant of WeChat Pay with its keys.
pub(crate) struct Wechat {
    pub(crate) config: WechatMerchant,
    pub(crate) requests: VerifyingKey,
    /// Certificates before public keys, oldest first; the last one signs, another one when the
    /// request asks for it.
    pub(crate) platform: Vec<PlatformKey>,
    /// While old and new key are both in use, callbacks come under either.
    pub(crate) overlap: bool,
    /// How often its certificates were asked for.
    pub(crate) certificate_requests: u64,
}

/// An application of Alipay with its keys.
pub(crate) struct Alipay {
    pub(crate) config: AlipayApp,
    pub(crate) requests: VerifyingKey,
    pub(crate) platform: PlatformKey,
    /// In certificate mode.
    pub(crate) certificates: Option<Certificates>,
}

impl Alipay {
    /// Takes a new key of Alipay's into use, in certificate mode under a new certificate.
    pub(crate) fn rotate_to(&mut self, key: PlatformKey) -> Result<(), ControlError> {
        if let Some(certificates) = &mut self.certificates {
            certificates.renew(&key.public_pem).map_err(ControlError::NoKey)?;
        }
        self.platform = key;
        Ok(())
    }
}

/// Everybody whom the sandbox knows.
pub(crate) struct Keys {
    pub(crate) wechat: Vec<Wechat>,
    pub(crate) alipay: Vec<Alipay>,
    pub(crate) sms: Vec<SmsAccount>,
}

impl Keys {
    pub(crate) fn read(config: &SandboxConfig, now: Timestamp) -> Result<Self, SandboxError> {
        let wechat = |merchant| wechat(merchant, config.seed, now);
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

    /// The key with exactly that name.
    pub(crate) fn named(&self, id: &str) -> Option<&PlatformKey> {
        self.platform.iter().find(|key| key.id == id)
    }

    /// The key under which a callback leaves; `turn` counts callbacks and tries. While a merchant
    /// changes from certificates to the public key they alternate, and while a key is rotated with
    /// overlap chance decides between the old and the new one.
    pub(crate) fn caller(&self, turn: usize, chance: &mut Random) -> Option<&PlatformKey> {
        let both = self.config.verification == Verification::Both;
        let certified =
            if both && turn.checked_rem(2) == Some(0) { Some(false) } else { both.then_some(true) };
        let mut newest_first = self
            .platform
            .iter()
            .rev()
            .filter(|key| certified.is_none_or(|wanted| wanted == key.certificate.is_some()));
        let newest = newest_first.next();
        let older = newest_first.next().filter(|_| self.overlap && chance.happens(500));
        older.or(newest)
    }

    /// The certificates that are handed out: the newest, and with overlap the one before.
    pub(crate) fn certificates(&self) -> impl Iterator<Item = (&str, &Certificate)> {
        let count = if self.overlap { 2 } else { 1 };
        self.platform
            .iter()
            .rev()
            .filter_map(|key| Some((key.id.as_str(), key.certificate.as_ref()?)))
            .take(count)
    }

    /// Takes a new key into use.
    pub(crate) fn rotate_to(&mut self, key: PlatformKey, overlap: bool) {
        let bare = self.platform.iter().position(|known| known.certificate.is_none());
        match bare.filter(|_| key.certificate.is_some()) {
            Some(place) => self.platform.insert(place, key),
            None => self.platform.push(key),
        }
        self.overlap = overlap;
    }
}

impl PlatformKey {
    /// Opens a field that the merchant encrypted (RSA-OAEP, SHA-1, base64); `None`: it was not
    /// encrypted for this key, or is no text.
    pub(crate) fn opened(&self, sealed: &str) -> Option<String> {
        let sealed = STANDARD.decode(sealed).ok()?;
        let mut plain = vec![0; self.decrypting.min_output_size()];
        let plain = self.decrypting.decrypt(&OAEP_SHA1_MGF1SHA1, &sealed, &mut plain, None).ok()?;
        String::from_utf8(plain.to_vec()).ok()
    }
}

fn wechat(config: &WechatMerchant, seed: u64, now: Timestamp) -> Result<Wechat, SandboxError> {
    let owner = || config.mchid.clone();
    if config.apiv3_key.len() != 32 {
        let rule = "it must have exactly 32 bytes";
        return Err(SandboxError::Value { owner: owner(), field: "apiv3_key", rule });
    }
    let requests = VerifyingKey::read(&config.merchant_public_key).map_err(|source| {
        SandboxError::Key { owner: owner(), field: "merchant_public_key", source }
    })?;
    if config.api_key.as_ref().is_some_and(|key| key.len() != 32) {
        let rule = "it must have exactly 32 bytes";
        return Err(SandboxError::Value { owner: owner(), field: "api_key", rule });
    }
    let own = |id: &str, serial| {
        let text = &config.platform_private_key;
        platform(&config.mchid, "platform_private_key", id, text, serial)
    };
    let serial = certificate_serial(seed, &config.mchid, 0);
    let bare = &config.platform_public_key_id;
    let made = |source: ControlError| SandboxError::Certificate {
        owner: config.mchid.clone(),
        reason: source.to_string(),
    };
    let platform = match config.verification {
        Verification::PublicKey => vec![own(bare, None)?],
        Verification::Certificates => vec![own(&serial, Some(now))?],
        Verification::Both => {
            vec![generate(serial.clone(), Some(now)).map_err(made)?, own(bare, None)?]
        }
    };
    Ok(Wechat {
        config: config.clone(),
        requests,
        platform,
        overlap: false,
        certificate_requests: 0,
    })
}

/// A certificate's serial: 40 upper-case hexadecimal digits, always the same for the same count.
pub(crate) fn certificate_serial(seed: u64, mchid: &str, count: usize) -> String {
    let mut chance = Random::of(seed, &["certificate", mchid, &count.to_string()]);
    format!("5{}", chance.hex(39).to_ascii_uppercase())
}

fn alipay(config: &AlipayApp) -> Result<Alipay, SandboxError> {
    let requests = VerifyingKey::read(&config.app_public_key).map_err(|source| {
        SandboxError::Key { owner: config.app_id.clone(), field: "app_public_key", source }
    })?;
    let platform =
        platform(&config.app_id, "alipay_private_key", "", &config.alipay_private_key, None)?;
    let owner = || config.app_id.clone();
    if config.encrypt_key.as_ref().is_some_and(|key| !content::is_key(key)) {
        let rule = "it must be base64 of exactly 16 bytes";
        return Err(SandboxError::Value { owner: owner(), field: "encrypt_key", rule });
    }
    let certificates = config.certificates.then(|| {
        let (app, alipay) = (&config.app_public_key, &platform.public_pem);
        Certificates::make(&config.app_id, &config.seller_id, app, alipay)
    });
    let certificates = certificates
        .transpose()
        .map_err(|reason| SandboxError::Certificate { owner: owner(), reason })?;
    Ok(Alipay { config: config.clone(), requests, platform, certificates })
}

/// Reads a private key of the provider; with `certified`, under a certificate that is good from
/// that instant.
fn platform(
    owner: &str,
    field: &'static str,
    id: &str,
    text: &str,
    certified: Option<Timestamp>,
) -> Result<PlatformKey, SandboxError> {
    // The signing key is read first, because it says what is wrong with a text.
    SigningKey::read(text).map_err(|source| SandboxError::Key {
        owner: owner.to_owned(),
        field,
        source,
    })?;
    let unusable = |reason: String| SandboxError::Certificate { owner: owner.to_owned(), reason };
    let pair = pair(text).ok_or_else(|| unusable(format!("{field} is not taken")))?;
    key_of(id.to_owned(), &pair, certified).map_err(unusable)
}

fn key_of(id: String, pair: &KeyPair, certified: Option<Timestamp>) -> Result<PlatformKey, String> {
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|source| source.to_string())?;
    let pem = armour("PRIVATE KEY", der.as_ref());
    let signing = SigningKey::read(&pem).map_err(|source| source.to_string())?;
    let decrypting = PrivateDecryptingKey::from_pkcs8(der.as_ref())
        .map_err(|source| source.to_string())
        .and_then(|key| OaepPrivateDecryptingKey::new(key).map_err(|source| source.to_string()))?;
    let certificate = certified.map(|now| Certificate::over(&pem, &id, now)).transpose()?;
    Ok(PlatformKey {
        id,
        signing: Arc::new(signing),
        decrypting: Arc::new(decrypting),
        public_pem: public_pem(pair).ok_or_else(|| "no public half".to_owned())?,
        certificate,
    })
}

/// The pair of a private key's text.
fn pair(text: &str) -> Option<KeyPair> {
    let bare: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(str::chars)
        .filter(|letter| !letter.is_whitespace())
        .collect();
    let der = STANDARD.decode(bare).ok()?;
    KeyPair::from_pkcs8(&der).or_else(|_not_pkcs8| KeyPair::from_der(&der)).ok()
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

/// Makes a new key of 2048 bits under `id`, with `certified` under a certificate of that serial. It
/// is of real chance, not of the seed: a key that can be recomputed is none.
pub(crate) fn generate(
    id: String,
    certified: Option<Timestamp>,
) -> Result<PlatformKey, ControlError> {
    let pair = KeyPair::generate(KeySize::Rsa2048)
        .map_err(|source| ControlError::NoKey(source.to_string()))?;
    key_of(id, &pair, certified).map_err(ControlError::NoKey)
}

/// A new pair: the private key (PKCS#8) and its public half, each in PEM.
pub(crate) fn pair_in_pem(owner: &str) -> Result<(String, String), SandboxError> {
    let unusable = |reason: String| SandboxError::Certificate { owner: owner.to_owned(), reason };
    let pair =
        KeyPair::generate(KeySize::Rsa2048).map_err(|source| unusable(source.to_string()))?;
    let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|source| unusable(source.to_string()))?;
    let public = public_pem(&pair).ok_or_else(|| unusable("no public half".to_owned()))?;
    Ok((armour("PRIVATE KEY", der.as_ref()), public))
}
