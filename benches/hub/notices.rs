//! Payments' notices as the providers send them, sealed and signed beforehand by the test keys of
//! `fixtures/keys` and ready to go out.

use std::collections::BTreeMap;
use std::rc::Rc;

use adapters::keys::{SigningKey, seal_aes_256_gcm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Clock as _;
use jiff::tz::{TimeZone, offset};
use jiff::{Timestamp, Zoned};
use payhub::clock::SystemClock;
use serde_json::json;

use crate::given::Outcome;
use crate::load::request;
use crate::office::{ALIPAY, APIV3_KEY, APPID, PUBLIC_KEY_ID, Provider, SELLER_ID, WECHATPAY};

/// An order that waits for its payment.
#[derive(Clone)]
pub struct Payable {
    /// At which provider.
    pub provider: Provider,
    /// Its merchant's number.
    pub merchant: usize,
    /// Its number.
    pub out_trade_no: String,
    /// What is paid.
    pub amount_fen: i64,
}

/// The notices of payments for all of `orders`, signed now, as requests. `run` tells the payments of
/// one run from those of another.
pub fn signed(orders: &[Payable], run: usize) -> Outcome<Rc<Vec<Vec<u8>>>> {
    let threads = std::thread::available_parallelism()?.get();
    let share = orders.len().div_ceil(threads).max(1);
    let parts: Vec<Outcome<Vec<Vec<u8>>>> = std::thread::scope(|scope| {
        let workers: Vec<_> = orders
            .chunks(share)
            .enumerate()
            .map(|(part, orders)| scope.spawn(move || some(orders, run, part * share)))
            .collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.map(|part| part.unwrap_or_else(|_panic| Err("a signer died".into()))).collect()
    });
    let mut all = Vec::with_capacity(orders.len());
    for part in parts {
        all.extend(part?);
    }
    Ok(Rc::new(all))
}

fn some(orders: &[Payable], run: usize, from: usize) -> Outcome<Vec<Vec<u8>>> {
    let (wechatpay, alipay) = (SigningKey::read(WECHATPAY)?, SigningKey::read(ALIPAY)?);
    let now = SystemClock.now();
    let notices = orders.iter().enumerate().map(|(index, order)| {
        let number = run * 10_000_000 + from + index;
        match order.provider {
            Provider::Wechat => wechat(&wechatpay, order, number, now),
            Provider::Alipay => of_alipay(&alipay, order, number, now),
        }
    });
    notices.collect()
}

fn beijing(now: Timestamp) -> Zoned {
    now.to_zoned(TimeZone::fixed(offset(8)))
}

fn wechat(key: &SigningKey, order: &Payable, number: usize, now: Timestamp) -> Outcome<Vec<u8>> {
    let time = beijing(now).strftime("%Y-%m-%dT%H:%M:%S+08:00").to_string();
    let plain = json!({
        "mchid": order.provider.account(order.merchant), "appid": APPID,
        "out_trade_no": order.out_trade_no, "transaction_id": format!("42000000{number:020}"),
        "trade_type": "NATIVE", "trade_state": "SUCCESS", "trade_state_desc": "支付成功",
        "bank_type": "OTHERS", "attach": "", "success_time": time,
        "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
        "amount": {"total": order.amount_fen, "payer_total": order.amount_fen, "currency": "CNY",
                   "payer_currency": "CNY"},
    });
    let nonce = format!("{number:012}");
    let sealed = seal_aes_256_gcm(
        APIV3_KEY.trim().as_bytes(),
        nonce.as_bytes(),
        b"transaction",
        plain.to_string().as_bytes(),
    )?;
    let body = json!({
        "id": format!("EV-{number:020}"), "create_time": time, "resource_type": "encrypt-resource",
        "event_type": "TRANSACTION.SUCCESS", "summary": "支付成功",
        "resource": {
            "original_type": "transaction", "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": STANDARD.encode(sealed), "associated_data": "transaction", "nonce": nonce,
        },
    })
    .to_string();
    let (second, once) = (now.as_second().to_string(), format!("{number:032x}"));
    let signature = key.sign(format!("{second}\n{once}\n{body}\n").as_bytes())?;
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", "Mozilla/4.0"),
        ("Wechatpay-Timestamp", second.as_str()),
        ("Wechatpay-Nonce", once.as_str()),
        ("Wechatpay-Serial", PUBLIC_KEY_ID),
        ("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048"),
        ("Wechatpay-Signature", signature.as_str()),
    ];
    let path = format!("/callbacks/{}", order.provider.merchant(order.merchant));
    Ok(request("POST", &path, &headers, body.as_bytes()))
}

fn of_alipay(key: &SigningKey, order: &Payable, number: usize, now: Timestamp) -> Outcome<Vec<u8>> {
    let time = beijing(now).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let yuan = format!("{}.{:02}", order.amount_fen / 100, order.amount_fen % 100);
    let app_id = order.provider.account(order.merchant);
    let (trade_no, notify_id) =
        (format!("20181130{number:020}"), format!("2018113000222{number:022}"));
    let fields = BTreeMap::from([
        ("gmt_create", time.as_str()),
        ("charset", "utf-8"),
        ("subject", "不动产登记费"),
        ("buyer_id", "2088102534368455"),
        ("invoice_amount", &yuan),
        ("notify_id", &notify_id),
        ("notify_type", "trade_status_sync"),
        ("trade_status", "TRADE_SUCCESS"),
        ("receipt_amount", &yuan),
        ("buyer_pay_amount", &yuan),
        ("app_id", &app_id),
        ("seller_id", SELLER_ID),
        ("gmt_payment", &time),
        ("notify_time", &time),
        ("version", "1.0"),
        ("out_trade_no", &order.out_trade_no),
        ("total_amount", &yuan),
        ("trade_no", &trade_no),
        ("auth_app_id", &app_id),
        ("buyer_logon_id", "138****1234"),
        ("point_amount", "0.00"),
    ]);
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sign = key.sign(pairs.join("&").as_bytes())?;
    let all = fields.into_iter().chain([("sign_type", "RSA2"), ("sign", sign.as_str())]);
    let body: Vec<String> = all.map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let path = format!("/callbacks/{}", order.provider.merchant(order.merchant));
    Ok(request("POST", &path, &headers, body.join("&").as_bytes()))
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len() * 2);
    for byte in value.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'-' | b'_' | b'*' => {
                text.push(char::from(byte));
            }
            b' ' => text.push('+'),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}
