//! Merchants with the test keys of `fixtures/keys`, and the providers' keys, so that hostile bytes
//! can be signed and reach the code behind the signature.

use std::sync::LazyLock;

use adapters::PaymentProvider;
use adapters::alipay::{Alipay, AlipayConfig, Proof};
use adapters::keys::{SigningKey, VerifyingKey, seal_aes_256_gcm};
use adapters::wechat::{PublicKey, Wechat, WechatConfig};
use adapters::wire::Headers;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::personal::Secret;
use jiff::Timestamp;

const KEY_ID: &str = "PUB_KEY_ID_0114232134912410000000000000";
const V3_KEY: &str = include_str!("../../fixtures/keys/wechat_v3_key.txt");

macro_rules! key {
    ($kind:ident, $file:literal) => {
        $kind::read(include_str!(concat!("../../fixtures/keys/", $file))).expect("a test key")
    };
}

/// The instant of every message: 2018-11-30 09:00 in Beijing.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::constant(1_543_539_600, 0)
}

/// A merchant of WeChat Pay, APIv3, that also has a v2 key.
pub static WECHAT: LazyLock<Wechat> = LazyLock::new(|| {
    Wechat::new(WechatConfig {
        mchid: "1900000001".to_owned(),
        appid: "wx8888888888888888".to_owned(),
        sub_merchant: None,
        merchant_serial_no: "5157F09EFDC096DE15EBE81A47057A7232F1B8E1".to_owned(),
        merchant_private_key: key!(SigningKey, "wechat_merchant.pem"),
        apiv3_key: Secret::new(V3_KEY.trim()),
        api_key: Some(Secret::new("0123456789abcdef0123456789abcdef")),
        public_key: Some(PublicKey {
            id: KEY_ID.to_owned(),
            key: key!(VerifyingKey, "wechatpay_platform_pub.pem"),
        }),
        base_url: "https://api.mch.weixin.qq.com".to_owned(),
        second_base_url: None,
    })
    .expect("the test merchant")
});

/// A merchant of Alipay in key mode.
pub static ALIPAY: LazyLock<Alipay> = LazyLock::new(|| {
    Alipay::new(AlipayConfig {
        app_id: "2021000000000000".to_owned(),
        seller_id: "2088000000000000".to_owned(),
        app_private_key: key!(SigningKey, "alipay_app.pem"),
        proof: Proof::Key(key!(VerifyingKey, "alipay_platform_pub.pem")),
        encrypt_key: None,
        app_auth_token: None,
        gateway_url: "https://openapi.alipay.com/gateway.do".to_owned(),
    })
    .expect("the test merchant")
});

/// What WeChat Pay signs with.
pub static WECHATPAY_KEY: LazyLock<SigningKey> =
    LazyLock::new(|| key!(SigningKey, "wechatpay_platform.pem"));

/// What Alipay signs with.
pub static ALIPAY_KEY: LazyLock<SigningKey> =
    LazyLock::new(|| key!(SigningKey, "alipay_platform.pem"));

/// The headers under which WeChat Pay would send these bytes.
#[must_use]
pub fn wechat_headers(body: &[u8]) -> Headers {
    let mut message = b"1543539600\nnonce\n".to_vec();
    message.extend_from_slice(body);
    message.push(b'\n');
    let signature = WECHATPAY_KEY.sign(&message).unwrap_or_default();
    let pairs = [
        ("Wechatpay-Serial", KEY_ID),
        ("Wechatpay-Timestamp", "1543539600"),
        ("Wechatpay-Nonce", "nonce"),
        ("Wechatpay-Signature", &signature),
    ];
    Headers(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec())
}

/// A notice of WeChat Pay whose resource is these bytes, sealed.
#[must_use]
pub fn wechat_notice(event: &str, resource: &[u8]) -> Vec<u8> {
    let sealed = seal_aes_256_gcm(V3_KEY.trim().as_bytes(), b"uluk4a9R25RW", b"", resource)
        .unwrap_or_default();
    format!(
        r#"{{"id":"EV-1","event_type":"{event}","resource":{{"algorithm":"AEAD_AES_256_GCM","nonce":"uluk4a9R25RW","associated_data":"","ciphertext":"{}"}}}}"#,
        STANDARD.encode(sealed)
    )
    .into_bytes()
}

/// An answer of Alipay whose node is these characters, signed.
#[must_use]
pub fn alipay_answer(name: &str, node: &str) -> Vec<u8> {
    let signature = ALIPAY_KEY.sign(node.as_bytes()).unwrap_or_default();
    format!(r#"{{"{name}":{node},"sign":"{signature}"}}"#).into_bytes()
}

/// Every merchant.
#[must_use]
pub fn merchants() -> [&'static dyn PaymentProvider; 2] {
    [&*WECHAT, &*ALIPAY]
}
