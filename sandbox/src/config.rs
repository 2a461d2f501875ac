//! Whom the sandbox knows and how it behaves. Every private key in here is a test key: a real one
//! has no business in a sandbox.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::SandboxError;

/// The configuration of a sandbox; from TOML or made in Rust.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxConfig {
    /// Where it listens: loopback only; port 0 takes any free one.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// What all chance is drawn from.
    #[serde(default)]
    pub seed: u64,
    /// The gaps between repeats of a callback are divided by this; 0 counts as 1.
    #[serde(default = "one")]
    pub callback_compression: u32,
    /// Whether due callbacks leave by themselves. Off: only when asked (`deliver_due`, `/sandbox/tick`).
    #[serde(default = "yes")]
    pub auto_tick: bool,
    /// Start on a clock that stands still at this instant and is moved by `/sandbox/clock`,
    /// instead of the clock that the caller gives.
    #[serde(default)]
    pub manual_clock_from: Option<Timestamp>,
    /// The merchants of WeChat Pay.
    #[serde(default)]
    pub wechat: Vec<WechatMerchant>,
    /// The applications of Alipay.
    #[serde(default)]
    pub alipay: Vec<AlipayApp>,
    /// The accounts of the SMS vendor.
    #[serde(default)]
    pub sms: Vec<SmsAccount>,
}

/// A merchant of WeChat Pay.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WechatMerchant {
    /// Merchant number (商户号).
    pub mchid: String,
    /// The application bound to it.
    pub appid: String,
    /// Serial of the merchant's API certificate, as it stands in `Authorization`.
    pub merchant_serial_no: String,
    /// The merchant's public key: verifies requests. PEM or a path.
    pub merchant_public_key: String,
    /// The key of 32 bytes that seals callbacks.
    pub apiv3_key: String,
    /// The key of 32 bytes of the old interface (APIv2 密钥): signs its XML, and seals the notices of
    /// refunds that are made in the portal. Absent: the old interface is not there.
    #[serde(default)]
    pub api_key: Option<String>,
    /// How the provider's signatures are proved to this merchant.
    #[serde(default)]
    pub verification: Verification,
    /// For whom it acts as a service provider (服务商).
    #[serde(default)]
    pub sub_merchants: Vec<SubMerchant>,
    /// Whether two refunds of one order must be a minute apart, as the provider wants them.
    #[serde(default)]
    pub strict_intervals: bool,
    /// `PUB_KEY_ID_…`, sent as `Wechatpay-Serial`.
    pub platform_public_key_id: String,
    /// The provider's private key: signs answers and callbacks. PEM or a path.
    pub platform_private_key: String,
    /// What WeChat Pay takes of a payment, in millionths (0.60 % = 6000).
    #[serde(default = "default_rate")]
    pub fee_rate_ppm: i64,
    /// Seconds from the acceptance of a refund to its arrival.
    #[serde(default = "default_refund_delay")]
    pub refund_delay_s: u32,
    /// The merchant's private key, shown to whoever connects; only for keys that are public anyway.
    #[serde(default)]
    pub published_private_key: Option<String>,
}

/// How a merchant of WeChat Pay proves what the provider signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// By the provider's public key (微信支付公钥); there are no certificates.
    #[default]
    PublicKey,
    /// By platform certificates (平台证书), which are fetched and rotate.
    Certificates,
    /// On the way from certificates to the public key: callbacks come under either.
    Both,
}

/// A merchant for whom a service provider acts (特约商户).
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubMerchant {
    /// Its number.
    pub mchid: String,
    /// Its own application, where it has one.
    #[serde(default)]
    pub appid: Option<String>,
}

/// An application of Alipay, RSA2.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlipayApp {
    /// Application number.
    pub app_id: String,
    /// Who receives the money (pid).
    pub seller_id: String,
    /// The application's public key: verifies requests. PEM or a path.
    pub app_public_key: String,
    /// Alipay's private key: signs answers and notices. PEM or a path.
    pub alipay_private_key: String,
    /// Whether it is in certificate mode (公钥证书): the sandbox issues certificates over both keys,
    /// and requests must name them.
    #[serde(default)]
    pub certificates: bool,
    /// The key under which contents are sealed (接口内容加密, AES), base64 of 16 bytes; absent: a
    /// sealed content is refused.
    #[serde(default)]
    pub encrypt_key: Option<String>,
    /// For whom it acts as a third party (第三方应用): the sellers' numbers by `app_auth_token`.
    #[serde(default)]
    pub auth_tokens: BTreeMap<String, String>,
    /// Whether two refunds of one trade must be three seconds apart, as the provider wants them.
    #[serde(default)]
    pub strict_intervals: bool,
    /// Whether an answer's signature stands before its node, as the gateway's does at times.
    #[serde(default)]
    pub sign_first: bool,
    /// What Alipay takes of a payment, in millionths (0.60 % = 6000).
    #[serde(default = "default_rate")]
    pub fee_rate_ppm: i64,
    /// The application's private key, shown to whoever connects; only for keys that are public anyway.
    #[serde(default)]
    pub published_private_key: Option<String>,
}

/// An account of the SMS vendor (Aliyun's interface).
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsAccount {
    /// Names the account in `Authorization`.
    pub access_key_id: String,
    /// Signs requests.
    pub access_key_secret: String,
    /// Where receipts are pushed; absent: nowhere, or where `/sandbox/sms/receipts` says.
    #[serde(default)]
    pub receipt_url: Option<String>,
    /// Whether the secret is shown to whoever connects; only for secrets that are public anyway.
    #[serde(default)]
    pub publish_secret: bool,
    /// Seconds from acceptance to the receipt.
    #[serde(default = "default_receipt_delay")]
    pub receipt_delay_s: u32,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 9010))
}
const fn one() -> u32 {
    1
}
const fn yes() -> bool {
    true
}
const fn default_rate() -> i64 {
    6000
}
const fn default_refund_delay() -> u32 {
    60
}
const fn default_receipt_delay() -> u32 {
    5
}

const MERCHANT_PUBLIC: &str = include_str!("../../fixtures/keys/wechat_merchant_pub.pem");
const MERCHANT_PRIVATE: &str = include_str!("../../fixtures/keys/wechat_merchant.pem");
const WECHATPAY_PRIVATE: &str = include_str!("../../fixtures/keys/wechatpay_platform.pem");
const APIV3_KEY: &str = include_str!("../../fixtures/keys/wechat_v3_key.txt");
const API_KEY: &str = "payhubtestsonlyapiv2key012345678";
const CONTENT_KEY: &str = "cGF5aHViIHRlc3QgYWVzIQ==";
const APP_PUBLIC: &str = include_str!("../../fixtures/keys/alipay_app_pub.pem");
const APP_PRIVATE: &str = include_str!("../../fixtures/keys/alipay_app.pem");
const ALIPAY_PRIVATE: &str = include_str!("../../fixtures/keys/alipay_platform.pem");

/// The registration fee's merchant; it acts for one other too.
fn registry() -> WechatMerchant {
    WechatMerchant {
        mchid: "1900000001".to_owned(),
        appid: "wx8888888888888888".to_owned(),
        merchant_serial_no: "5157F09EFDC096DE15EBE81A47057A7232F1B8E1".to_owned(),
        merchant_public_key: MERCHANT_PUBLIC.to_owned(),
        apiv3_key: APIV3_KEY.trim().to_owned(),
        api_key: None,
        verification: Verification::PublicKey,
        sub_merchants: vec![SubMerchant { mchid: "1900000301".to_owned(), appid: None }],
        strict_intervals: false,
        platform_public_key_id: "PUB_KEY_ID_0114232134912410000000000000".to_owned(),
        platform_private_key: WECHATPAY_PRIVATE.to_owned(),
        fee_rate_ppm: default_rate(),
        refund_delay_s: default_refund_delay(),
        published_private_key: Some(MERCHANT_PRIVATE.to_owned()),
    }
}

/// The tax's merchant, for combined orders; it speaks the old interface too.
fn tax() -> WechatMerchant {
    WechatMerchant {
        mchid: "1900000109".to_owned(),
        api_key: Some(API_KEY.to_owned()),
        sub_merchants: Vec::new(),
        ..registry()
    }
}

impl SandboxConfig {
    /// A sandbox that anybody can use at once: two merchants of WeChat Pay, an application of Alipay
    /// and one SMS account, with the test keys of this repository (`fixtures/keys`), which are
    /// compiled in.
    #[must_use]
    pub fn development() -> Self {
        Self {
            listen: default_listen(),
            seed: 1,
            callback_compression: 1,
            auto_tick: true,
            manual_clock_from: None,
            wechat: vec![registry(), tax()],
            alipay: vec![AlipayApp {
                app_id: "2021000000000000".to_owned(),
                seller_id: "2088000000000000".to_owned(),
                app_public_key: APP_PUBLIC.to_owned(),
                alipay_private_key: ALIPAY_PRIVATE.to_owned(),
                certificates: false,
                encrypt_key: Some(CONTENT_KEY.to_owned()),
                auth_tokens: BTreeMap::from([(
                    "sandboxAppAuthToken".to_owned(),
                    "2088000000000301".to_owned(),
                )]),
                strict_intervals: false,
                sign_first: false,
                fee_rate_ppm: default_rate(),
                published_private_key: Some(APP_PRIVATE.to_owned()),
            }],
            sms: vec![SmsAccount {
                access_key_id: "sandboxAccessKeyId".to_owned(),
                access_key_secret: "sandboxAccessKeySecret".to_owned(),
                receipt_url: None,
                publish_secret: true,
                receipt_delay_s: default_receipt_delay(),
            }],
        }
    }

    /// Reads the key values that are paths (relative to `base`) into the texts of their files.
    ///
    /// # Errors
    /// When a file cannot be read; the error names whose key and which field.
    pub fn with_keys_read(mut self, base: &Path) -> Result<Self, SandboxError> {
        for merchant in &mut self.wechat {
            let owner = merchant.mchid.clone();
            read(base, &owner, "merchant_public_key", &mut merchant.merchant_public_key)?;
            read(base, &owner, "platform_private_key", &mut merchant.platform_private_key)?;
            if let Some(published) = &mut merchant.published_private_key {
                read(base, &owner, "published_private_key", published)?;
            }
        }
        for app in &mut self.alipay {
            let owner = app.app_id.clone();
            read(base, &owner, "app_public_key", &mut app.app_public_key)?;
            read(base, &owner, "alipay_private_key", &mut app.alipay_private_key)?;
            if let Some(published) = &mut app.published_private_key {
                read(base, &owner, "published_private_key", published)?;
            }
        }
        Ok(self)
    }
}

/// Bare base64 of a key is longer than any sensible path; shorter values without armour are paths.
const SHORTEST_BARE_KEY: usize = 300;

fn read(
    base: &Path,
    owner: &str,
    field: &'static str,
    value: &mut String,
) -> Result<(), SandboxError> {
    if value.contains("-----BEGIN") || value.len() >= SHORTEST_BARE_KEY {
        return Ok(());
    }
    let path = base.join(&value);
    *value = std::fs::read_to_string(&path).map_err(|source| SandboxError::KeyFile {
        owner: owner.to_owned(),
        field,
        path: path.display().to_string(),
        source,
    })?;
    Ok(())
}
