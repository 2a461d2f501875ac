//! What the targets share: merchants with the test keys of `fixtures/keys`, and the providers' keys,
//! so that hostile bytes can be signed and reach the code behind the signature. Canonical strings
//! are written here once more, apart from the adapters, so that one error cannot hide another.

pub mod claims;
pub mod v2;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use adapters::alipay::{Alipay, AlipayConfig, Proof};
use adapters::keys::{SigningKey, VerifyingKey, seal_aes_256_gcm};
use adapters::wechat::{PublicKey, Wechat, WechatConfig};
use adapters::wire::Headers;
use aws_lc_rs::cipher::{AES_128, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::personal::Secret;
use jiff::Timestamp;

const KEY_ID: &str = "PUB_KEY_ID_0114232134912410000000000000";
const CONTENT_KEY: &str = "aa4BtZ4tspm2wnXLb1ThQA==";
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

fn alipay(proof: Proof, encrypt_key: Option<&str>) -> Alipay {
    Alipay::new(AlipayConfig {
        app_id: "2021000000000000".to_owned(),
        seller_id: "2088000000000000".to_owned(),
        app_private_key: key!(SigningKey, "alipay_app.pem"),
        proof,
        encrypt_key: encrypt_key.map(Secret::new),
        app_auth_token: None,
        gateway_url: "https://openapi.alipay.com/gateway.do".to_owned(),
    })
    .expect("the test merchant")
}

fn alipay_proof() -> Proof {
    Proof::Key(key!(VerifyingKey, "alipay_platform_pub.pem"))
}

/// A merchant of Alipay in key mode.
pub static ALIPAY: LazyLock<Alipay> = LazyLock::new(|| alipay(alipay_proof(), None));

/// The same with sealed contents.
pub static ALIPAY_SEALED: LazyLock<Alipay> =
    LazyLock::new(|| alipay(alipay_proof(), Some(CONTENT_KEY)));

/// The same in certificate mode.
pub static ALIPAY_CERTIFIED: LazyLock<Alipay> = LazyLock::new(|| {
    let file = |text: &str| text.to_owned();
    let proof = Proof::Certificates {
        app: file(include_str!("../../fixtures/certificates/app.crt")),
        alipay: file(include_str!("../../fixtures/certificates/alipay.crt")),
        root: file(include_str!("../../fixtures/certificates/alipay_root.crt")),
    };
    alipay(proof, None)
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

/// A node as it stands where contents are sealed: the quoted base64 of its AES-128-CBC.
#[must_use]
pub fn alipay_sealed(node: &str) -> String {
    let key = STANDARD.decode(CONTENT_KEY).expect("a test key");
    let key = UnboundCipherKey::new(&AES_128, &key)
        .and_then(PaddedBlockEncryptingKey::cbc_pkcs7)
        .expect("a test key");
    let mut bytes = node.as_bytes().to_vec();
    key.less_safe_encrypt(&mut bytes, EncryptionContext::Iv128([0; 16].into()))
        .expect("any text seals");
    format!("\"{}\"", STANDARD.encode(bytes))
}

/// Lines of `name=value`, each name once and the last one counting.
#[must_use]
pub fn pairs(lines: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    lines
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let at = line.iter().position(|byte| *byte == b'=')?;
            let (name, value) = line.split_at(at);
            Some((name.to_vec(), value.get(1..)?.to_vec()))
        })
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

/// A notice of Alipay with these parameters, signed and encoded as a form.
#[must_use]
pub fn alipay_notice(mut parameters: BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    parameters.retain(|name, _| name != b"sign" && name != b"sign_type");
    let mut message = Vec::new();
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        if !message.is_empty() {
            message.push(b'&');
        }
        message.extend_from_slice(name);
        message.push(b'=');
        message.extend_from_slice(value);
    }
    let sign = ALIPAY_KEY.sign(&message).expect("the test key signs");
    parameters.insert(b"sign".to_vec(), sign.into_bytes());
    parameters.insert(b"sign_type".to_vec(), b"RSA2".to_vec());
    let form: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    form.join("&").into_bytes()
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}
