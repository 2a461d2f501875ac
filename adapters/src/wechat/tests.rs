//! WeChat's side as the tests need it: signs and seals, with canonical strings of its own.

mod answers;
mod bills;
mod canonical;
mod certificates;
mod combined;
mod legacy;
mod notices;
mod package;
mod partner;
mod products;
mod refunds;
mod requests;
mod vectors;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::keys::{SigningKey, seal_aes_256_gcm};
use crate::provider::{PaymentProvider as _, Product};
use crate::testing::{KEY_ID, NOW, REFUND_NO, TRADE_NO, fixture, headers, wechatpay_key};
use crate::testing::{new_order, trade_no, wechat, wechat_config};
use crate::wechat::{SubMerchant, Wechat};
use crate::wire::{Answer, Call, Headers};

/// The headers over `body` at `seconds`.
fn signed_at(seconds: i64, body: &[u8]) -> Headers {
    signed_by(wechatpay_key(), KEY_ID, seconds, body)
}

/// The headers over `body` that the holder of `key` makes, under the name `serial`.
fn signed_by(key: &SigningKey, serial: &str, seconds: i64, body: &[u8]) -> Headers {
    let nonce = "d824f2e086d3c1df967785d13fcd22ef";
    let mut message = format!("{seconds}\n{nonce}\n").into_bytes();
    message.extend_from_slice(body);
    message.push(b'\n');
    let signature = key.sign(&message).unwrap();
    headers(&[
        ("wechatpay-timestamp", &seconds.to_string()),
        ("Wechatpay-Nonce", nonce),
        ("Wechatpay-Serial", serial),
        ("Wechatpay-Signature", &signature),
    ])
}

/// An answer that WeChat signs.
fn signed(status: u16, body: &Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    Answer { status, headers: signed_at(NOW, body.as_bytes()), body: body.into_bytes() }
}

/// An answer without any header of WeChat's.
fn unsigned(status: u16, body: &str) -> Answer {
    Answer { status, headers: headers(&[]), body: body.as_bytes().to_vec() }
}

/// An error as WeChat gives it.
fn error(status: u16, code: &str) -> Answer {
    unsigned(status, &json!({"code": code, "message": "说明"}).to_string())
}

/// A notice's body around a sealed resource.
fn sealed(event_type: &str, plaintext: &str) -> Vec<u8> {
    let key = fixture("keys/wechat_v3_key.txt");
    let nonce = "uluk4a9R25RW";
    let sealed =
        seal_aes_256_gcm(key.as_bytes(), nonce.as_bytes(), b"transaction", plaintext.as_bytes());
    json!({
        "id": "EV-1", "event_type": event_type, "resource_type": "encrypt-resource",
        "resource": {
            "algorithm": "AEAD_AES_256_GCM", "original_type": "transaction",
            "ciphertext": STANDARD.encode(sealed.unwrap()), "associated_data": "transaction",
            "nonce": nonce,
        },
    })
    .to_string()
    .into_bytes()
}

/// A paid transaction.
fn transaction() -> Value {
    json!({
        "mchid": "1900000001", "appid": "wx8888888888888888", "out_trade_no": TRADE_NO,
        "transaction_id": "4200000001201811300000000001", "trade_type": "NATIVE",
        "trade_state": "SUCCESS", "success_time": "2018-11-30T08:59:58+08:00",
        "amount": {"total": 8000, "payer_total": 7900, "currency": "CNY"},
    })
}

/// A refund as a notice tells it.
fn refund_notice() -> Value {
    json!({
        "mchid": "1900000001", "out_trade_no": TRADE_NO, "out_refund_no": REFUND_NO,
        "transaction_id": "4200000001201811300000000001", "refund_id": "503000",
        "refund_status": "SUCCESS", "success_time": "2018-11-30T09:00:00+08:00",
        "amount": {"total": 8000, "refund": 3000, "payer_total": 8000, "payer_refund": 3000},
    })
}

/// `value` with `change` merged into its top level; a null takes the member away.
fn with(mut value: Value, change: &Value) -> Value {
    for (name, new) in change.as_object().unwrap() {
        if new.is_null() {
            value.as_object_mut().unwrap().remove(name);
        } else {
            value[name] = new.clone();
        }
    }
    value
}

/// Where the provider calls back in the tests.
const NOTIFY_URL: &str = "https://pay.example.cn/callbacks/registry-wechat";

/// The call that the answers to placing belong to.
fn placing() -> Call {
    wechat().place(&new_order(Product::Native, &trade_no(), NOTIFY_URL)).unwrap()
}

/// The call that the answers to closing belong to.
fn closing_call() -> Call {
    wechat().close_order(&trade_no(), Product::Native)
}

/// A service provider that acts for a merchant, which may have an application of its own.
fn partner(sub_appid: Option<&str>) -> Wechat {
    let mut config = wechat_config("https://api.mch.weixin.qq.com");
    config.sub_merchant =
        Some(SubMerchant { mchid: "1900000109".to_owned(), appid: sub_appid.map(str::to_owned) });
    Wechat::new(config).unwrap()
}
