//! WeChat's side of v2 as the tests need it: signs, seals and writes, with strings of its own.

mod answers;
mod bills;
mod notices;
mod refunds;
mod requests;
mod vectors;
mod xml;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_lc_rs::cipher::{AES_256, PaddedBlockEncryptingKey, UnboundCipherKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::personal::{Personal, Secret};
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::{SignType, WechatV2, WechatV2Config};
use crate::provider::{NewOrder, PaymentProvider as _, Product};
use crate::testing::{REFUND_NO, TRADE_NO, headers, new_order, trade_no};
use crate::wechat::SubMerchant;
use crate::wire::{Answer, Call};

const API_KEY: &str = "v2keyv2keyv2keyv2keyv2keyv2key32";
const NOTIFY_URL: &str = "https://pay.example.cn/callbacks/legacy-wechat";
const BOTH: [SignType; 2] = [SignType::Md5, SignType::HmacSha256];

fn config() -> WechatV2Config {
    WechatV2Config {
        mchid: "1900000001".to_owned(),
        appid: "wx8888888888888888".to_owned(),
        sub_merchant: None,
        api_key: Secret::new(API_KEY),
        sign_type: SignType::HmacSha256,
        has_client_identity: true,
        base_url: "https://api.mch.weixin.qq.com".to_owned(),
        second_base_url: None,
    }
}

fn hub() -> &'static WechatV2 {
    static HUB: LazyLock<WechatV2> = LazyLock::new(|| WechatV2::new(config()).unwrap());
    &HUB
}

/// A hub whose configuration differs.
fn hub_with(change: impl FnOnce(&mut WechatV2Config)) -> WechatV2 {
    let mut config = config();
    change(&mut config);
    WechatV2::new(config).unwrap()
}

fn hub_of(sign_type: SignType) -> WechatV2 {
    hub_with(|config| config.sign_type = sign_type)
}

/// A service provider's hub.
fn service_provider(sub_appid: Option<&str>) -> WechatV2 {
    hub_with(|config| {
        config.sub_merchant = Some(SubMerchant {
            mchid: "1900000109".to_owned(),
            appid: sub_appid.map(str::to_owned),
        });
    })
}

type Pairs<'a> = BTreeMap<&'a str, &'a str>;

/// WeChat's signature over fields.
fn signature(sign_type: SignType, fields: &Pairs<'_>) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !value.is_empty() && *name != "sign" {
            text += &format!("{name}={value}&");
        }
    }
    text += &format!("key={API_KEY}");
    let bytes = match sign_type {
        SignType::Md5 => Md5::digest(&text).to_vec(),
        SignType::HmacSha256 => {
            let mut mac = Hmac::<Sha256>::new_from_slice(API_KEY.as_bytes()).unwrap();
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
    };
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Fields as WeChat writes them.
fn written(fields: &Pairs<'_>) -> String {
    let mut text = "<xml>\n".to_owned();
    for (name, value) in fields {
        text += &format!("  <{name}><![CDATA[{value}]]></{name}>\n");
    }
    text + "</xml>"
}

/// Fields with WeChat's signature.
fn signed_as(sign_type: SignType, fields: &Pairs<'_>) -> String {
    let signature = signature(sign_type, fields);
    let mut fields = fields.clone();
    fields.insert("sign", &signature);
    written(&fields)
}

fn answer(body: impl Into<Vec<u8>>) -> Answer {
    Answer { status: 200, headers: headers(&[]), body: body.into() }
}

/// What every understood answer holds, with `more` on top; an empty value takes a field away.
fn with<'a>(base: Pairs<'a>, more: &[(&'a str, &'a str)]) -> Pairs<'a> {
    let mut fields = base;
    for (name, value) in more {
        if value.is_empty() {
            fields.remove(name);
        } else {
            fields.insert(name, value);
        }
    }
    fields
}

fn done() -> Pairs<'static> {
    Pairs::from([
        ("return_code", "SUCCESS"),
        ("return_msg", "OK"),
        ("result_code", "SUCCESS"),
        ("mch_id", "1900000001"),
        ("appid", "wx8888888888888888"),
        ("nonce_str", "5d2b6c2a8db53831f7eda20af46e531c"),
    ])
}

/// An answer that WeChat did it.
fn said(more: &[(&str, &str)]) -> Answer {
    answer(signed_as(SignType::HmacSha256, &with(done(), more)))
}

/// An answer that WeChat did not, with its code.
fn failed(code: &str) -> Answer {
    said(&[("result_code", "FAIL"), ("err_code", code), ("err_code_des", "说明")])
}

/// An answer that WeChat did not even read it: never signed.
fn not_taken(text: &str) -> Answer {
    answer(written(&Pairs::from([("return_code", "FAIL"), ("return_msg", text)])))
}

/// What a paid order's answer and notice state.
fn paid() -> Pairs<'static> {
    with(
        done(),
        &[
            ("out_trade_no", TRADE_NO),
            ("transaction_id", "4200000001201811300000000001"),
            ("trade_type", "NATIVE"),
            ("trade_state", "SUCCESS"),
            ("total_fee", "8000"),
            ("cash_fee", "7900"),
            ("coupon_fee", "100"),
            ("coupon_count", "1"),
            ("coupon_fee_0", "100"),
            ("coupon_id_0", "10000"),
            ("settlement_total_fee", "7900"),
            ("time_end", "20181130085958"),
        ],
    )
}

/// The plaintext of a refund's notice.
fn refunded_root() -> String {
    format!(
        "<root>\n<out_refund_no><![CDATA[{REFUND_NO}]]></out_refund_no>\n\
         <out_trade_no><![CDATA[{TRADE_NO}]]></out_trade_no>\n\
         <refund_fee><![CDATA[3000]]></refund_fee>\n\
         <refund_id><![CDATA[50000408942018]]></refund_id>\n\
         <refund_status><![CDATA[SUCCESS]]></refund_status>\n\
         <success_time><![CDATA[2018-11-30 09:00:00]]></success_time>\n\
         <total_fee><![CDATA[8000]]></total_fee>\n</root>"
    )
}

/// A text sealed as WeChat seals a refund's notice.
fn sealed(text: &str, api_key: &str) -> String {
    let digest = Md5::digest(api_key.as_bytes());
    let key: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = UnboundCipherKey::new(&AES_256, key.as_bytes()).unwrap();
    let mut buffer = text.as_bytes().to_vec();
    PaddedBlockEncryptingKey::ecb_pkcs7(key).unwrap().encrypt(&mut buffer).unwrap();
    STANDARD.encode(buffer)
}

/// A refund's notice around a sealed text.
fn refund_notice(req_info: &str) -> Vec<u8> {
    let fields = Pairs::from([
        ("return_code", "SUCCESS"),
        ("appid", "wx8888888888888888"),
        ("mch_id", "1900000001"),
        ("nonce_str", "n"),
        ("req_info", req_info),
    ]);
    written(&fields).into_bytes()
}

/// The call for an order of that kind, with what such a kind needs.
fn placing(hub: &WechatV2, product: Product) -> Call {
    let number = trade_no();
    let openid = Personal::new("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o");
    let code = Personal::new("134567890123456789");
    let order = NewOrder {
        payer: Some(&openid).filter(|_| product == Product::Jsapi),
        auth_code: Some(&code).filter(|_| product == Product::Codepay),
        client_ip: Some("14.23.150.211").filter(|_| product == Product::H5),
        return_url: Some("https://pay.example.cn/paid?a=1").filter(|_| product == Product::H5),
        ..new_order(product, &number, NOTIFY_URL)
    };
    hub.place(&order).unwrap()
}
