//! WeChat Pay v2 from the provider's side: signs fields, seals a refund's notice, and writes XML.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use adapters::wechat_v2::{SignType, WechatV2, WechatV2Config};
use aws_lc_rs::cipher::{AES_256, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::personal::Secret;
use md5::{Digest as _, Md5};

/// The key that merchant and provider share.
pub const KEY: &str = "0123456789abcdef0123456789abcdef";

fn merchant(sign_type: SignType) -> WechatV2 {
    WechatV2::new(WechatV2Config {
        mchid: "1900000001".to_owned(),
        appid: "wx8888888888888888".to_owned(),
        sub_merchant: None,
        api_key: Secret::new(KEY),
        sign_type,
        has_client_identity: true,
        base_url: "https://api.mch.weixin.qq.com".to_owned(),
        second_base_url: None,
    })
    .expect("the test merchant")
}

static MD5: LazyLock<WechatV2> = LazyLock::new(|| merchant(SignType::Md5));
static HMAC: LazyLock<WechatV2> = LazyLock::new(|| merchant(SignType::HmacSha256));

/// The merchant that signs so.
#[must_use]
pub fn merchant_of(sign_type: SignType) -> &'static WechatV2 {
    match sign_type {
        SignType::Md5 => &MD5,
        SignType::HmacSha256 => &HMAC,
    }
}

/// Whether these fields come through XML as they are: plain names, and values that XML does not
/// change on their way.
#[must_use]
pub fn is_plain(fields: &BTreeMap<Vec<u8>, Vec<u8>>) -> bool {
    let name = |name: &[u8]| {
        name.len() <= 64 && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
    };
    let letter =
        |c: char| c >= ' ' && !matches!(c, '\u{FFFE}' | '\u{FFFF}' | '\u{85}' | '\u{2028}');
    let value = |value: &[u8]| std::str::from_utf8(value).is_ok_and(|t| t.chars().all(letter));
    let length: usize = fields.iter().map(|(n, v)| 2 * n.len() + 4 * v.len() + 32).sum();
    length < 60_000 && fields.iter().all(|(n, v)| name(n) && value(v))
}

/// The fields signed so, in XML.
#[must_use]
pub fn signed(mut fields: BTreeMap<Vec<u8>, Vec<u8>>, sign_type: SignType) -> Vec<u8> {
    fields.retain(|name, _| name != b"sign" && name != b"sign_type");
    let mut message = Vec::new();
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        message.extend_from_slice(&[name, &b"="[..], value, b"&"].concat());
    }
    message.extend_from_slice(format!("key={KEY}").as_bytes());
    let upper = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let sign = match sign_type {
        SignType::Md5 => upper(&Md5::digest(&message)),
        SignType::HmacSha256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
            upper(hmac::sign(&key, &message).as_ref())
        }
    };
    fields.insert(b"sign".to_vec(), sign.into_bytes());
    let mut text = b"<xml>".to_vec();
    for (name, value) in &fields {
        let value = String::from_utf8_lossy(value).replace("]]>", "]]]]><![CDATA[>");
        text.extend_from_slice(&[&b"<"[..], name, b"><![CDATA["].concat());
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(&[&b"]]></"[..], name, b">\n"].concat());
    }
    text.extend_from_slice(b"</xml>");
    text
}

/// A refund's notice sealed around these bytes.
#[must_use]
pub fn refund_notice(plaintext: &[u8]) -> Vec<u8> {
    let digest = Md5::digest(KEY.as_bytes());
    let key: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = UnboundCipherKey::new(&AES_256, key.as_bytes())
        .and_then(PaddedBlockEncryptingKey::ecb_pkcs7)
        .expect("a test key");
    let mut sealed = plaintext.to_vec();
    key.encrypt(&mut sealed).expect("any text seals");
    format!(
        "<xml><return_code>SUCCESS</return_code><req_info>{}</req_info></xml>",
        STANDARD.encode(sealed)
    )
    .into_bytes()
}
