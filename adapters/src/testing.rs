//! What the tests of this crate share: the test keys, one order, and where the vectors are.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use domain::fact::OrderStanding;
use domain::ids::{OutRefundNo, OutTradeNo, ProviderTradeNo};
use domain::money::Fen;
use domain::personal::Secret;
use jiff::Timestamp;
use serde_json::Value;

use crate::alipay::{Alipay, AlipayConfig, Proof};
use crate::keys::{SigningKey, VerifyingKey};
use crate::provider::{Closing, NewOrder, NewRefund, OrderKey, Product, RefundKey};
use crate::wechat::{PublicKey, Wechat, WechatConfig};
use crate::wire::{Headers, Outcome, Stamp};

/// 2018-11-30 09:00:00 in Beijing, the time of every vector.
pub(crate) const NOW: i64 = 1_543_539_600;
pub(crate) const KEY_ID: &str = "PUB_KEY_ID_0114232134912410000000000000";
/// What encryption draws from in the tests.
pub(crate) const CHANCE: [u8; 32] = [7; 32];
pub(crate) const TRADE_NO: &str = "P0187A5C3E4D7F3A9B2C1D0E4F5A6B7C";
pub(crate) const REFUND_NO: &str = "R0187A5C3E4D7F3A9B2C1D0E4F5A6B7C";

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

pub(crate) fn stamp() -> Stamp {
    Stamp { now: now(), nonce: "593BEC0C930BF1AFEB40B4A08C8FB242".to_owned() }
}

/// The text of a file below `fixtures/`.
pub(crate) fn fixture(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    fs::read_to_string(folder.join(path)).unwrap()
}

pub(crate) fn vectors(file: &str) -> Value {
    serde_json::from_str(&fixture(&format!("vectors/{file}"))).unwrap()
}

/// The folder of the providers' own published vectors, when the run has them.
#[allow(clippy::disallowed_methods, reason = "the vectors lie outside the tree; CI names them")]
pub(crate) fn public_vectors() -> Option<PathBuf> {
    let folder = std::env::var_os("PAYHUB_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("PAYHUB_VECTORS is not set: only the project's own vectors were checked");
    }
    folder
}

/// One of the providers' published vectors.
pub(crate) fn public_vector(folder: &Path, name: &str) -> Value {
    let text = fs::read_to_string(folder.join("vectors.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let vectors = all["vectors"].as_array().unwrap().clone();
    vectors.into_iter().find(|vector| vector["name"] == name).unwrap()
}

pub(crate) fn signing_key(name: &str) -> SigningKey {
    SigningKey::read(&fixture(&format!("keys/{name}.pem"))).unwrap()
}

/// What WeChat Pay signs with.
pub(crate) fn wechatpay_key() -> &'static SigningKey {
    static KEY: LazyLock<SigningKey> = LazyLock::new(|| signing_key("wechatpay_platform"));
    &KEY
}

/// What Alipay signs with.
pub(crate) fn alipay_key() -> &'static SigningKey {
    static KEY: LazyLock<SigningKey> = LazyLock::new(|| signing_key("alipay_platform"));
    &KEY
}

pub(crate) fn verifying_key(name: &str) -> VerifyingKey {
    VerifyingKey::read(&fixture(&format!("keys/{name}_pub.pem"))).unwrap()
}

pub(crate) fn wechat() -> &'static Wechat {
    static WECHAT: LazyLock<Wechat> = LazyLock::new(|| wechat_at("https://api.mch.weixin.qq.com"));
    &WECHAT
}

pub(crate) fn wechat_at(base_url: &str) -> Wechat {
    Wechat::new(wechat_config(base_url)).unwrap()
}

pub(crate) fn wechat_config(base_url: &str) -> WechatConfig {
    WechatConfig {
        mchid: "1900000001".to_owned(),
        appid: "wx8888888888888888".to_owned(),
        merchant_serial_no: "5157F09EFDC096DE15EBE81A47057A7232F1B8E1".to_owned(),
        merchant_private_key: signing_key("wechat_merchant"),
        apiv3_key: Secret::new(fixture("keys/wechat_v3_key.txt")),
        sub_merchant: None,
        api_key: None,
        public_key: Some(PublicKey {
            id: KEY_ID.to_owned(),
            key: verifying_key("wechatpay_platform"),
        }),
        base_url: base_url.to_owned(),
        second_base_url: None,
    }
}

pub(crate) fn alipay() -> &'static Alipay {
    static ALIPAY: LazyLock<Alipay> =
        LazyLock::new(|| alipay_at("https://openapi.alipay.com/gateway.do"));
    &ALIPAY
}

pub(crate) fn alipay_at(gateway_url: &str) -> Alipay {
    Alipay::new(alipay_config(gateway_url)).unwrap()
}

pub(crate) fn alipay_config(gateway_url: &str) -> AlipayConfig {
    AlipayConfig {
        app_id: "2021000000000000".to_owned(),
        seller_id: "2088000000000000".to_owned(),
        app_private_key: signing_key("alipay_app"),
        proof: Proof::Key(verifying_key("alipay_platform")),
        encrypt_key: None,
        app_auth_token: None,
        gateway_url: gateway_url.to_owned(),
    }
}

pub(crate) fn trade_no() -> OutTradeNo {
    TRADE_NO.parse().unwrap()
}

pub(crate) fn refund_no() -> OutRefundNo {
    REFUND_NO.parse().unwrap()
}

/// The vectors' order, 80.00 yuan, open for two hours.
pub(crate) fn new_order<'a>(
    product: Product,
    out_trade_no: &'a OutTradeNo,
    notify_url: &'a str,
) -> NewOrder<'a> {
    NewOrder {
        product,
        out_trade_no,
        amount: Fen::new(8000),
        subject: "不动产登记费 受理号20181130-001",
        expires_at: Timestamp::from_second(NOW + 7200).unwrap(),
        notify_url,
        return_url: None,
        payer: None,
        identity: None,
        auth_code: None,
        client_ip: None,
        now: now(),
        chance: &CHANCE,
    }
}

/// The vectors' refund, 30.00 of 80.00 yuan.
pub(crate) fn new_refund<'a>(
    out_trade_no: &'a OutTradeNo,
    provider_trade_no: &'a ProviderTradeNo,
    out_refund_no: &'a OutRefundNo,
    notify_url: &'a str,
) -> NewRefund<'a> {
    NewRefund {
        out_trade_no,
        provider_trade_no,
        out_refund_no,
        amount: Fen::new(3000),
        total: Fen::new(8000),
        reason: "重复缴费",
        notify_url,
        paid_at: now(),
        now: now(),
        earlier: 0,
    }
}

/// How an order is named in the tests.
pub(crate) fn order_key(out_trade_no: &OutTradeNo) -> OrderKey<'_> {
    OrderKey { out_trade_no, provider_trade_no: None }
}

pub(crate) fn refund_key<'a>(
    out_trade_no: &'a OutTradeNo,
    out_refund_no: &'a OutRefundNo,
) -> RefundKey<'a> {
    RefundKey { out_trade_no, out_refund_no, amount: Fen::new(3000) }
}

pub(crate) fn headers(pairs: &[(&str, &str)]) -> Headers {
    Headers(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

/// An outcome in one word: `accepted`, `refused not_found`, `unknown`.
pub(crate) fn word<T>(outcome: &Outcome<T>) -> String {
    match outcome {
        Outcome::Accepted(_) => "accepted".to_owned(),
        Outcome::Refused(refusal) => format!("refused {}", refusal.reason.as_str()),
        Outcome::Unknown(_) => "unknown".to_owned(),
    }
}

/// The same, but what was accepted in the caller's words.
pub(crate) fn said<T>(outcome: &Outcome<T>, accepted: impl Fn(&T) -> String) -> String {
    match outcome {
        Outcome::Accepted(statement) => accepted(statement),
        Outcome::Refused(_) | Outcome::Unknown(_) => word(outcome),
    }
}

/// Where an order stands, in one word.
pub(crate) fn standing(standing: &OrderStanding) -> String {
    match standing {
        OrderStanding::Paid(_) => "paid",
        OrderStanding::GivenBack(_) => "given back",
        OrderStanding::Unpaid => "unpaid",
        OrderStanding::Closed => "closed",
        OrderStanding::Absent => "absent",
    }
    .to_owned()
}

/// How a close ended, in words.
pub(crate) fn closing(closing: &Closing) -> String {
    match closing {
        Closing::Closed => "closed",
        Closing::Paid => "paid",
        Closing::NotThere => "not there",
    }
    .to_owned()
}

/// Runs `test` (its full name) of this binary again in another time zone of the host, and gives
/// what it printed: nothing that leaves the hub may depend on the zone.
pub(crate) fn printed_in_zone(test: &str, zone: &str) -> String {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--include-ignored"])
        .env("TZ", zone)
        .output()
        .unwrap();
    assert!(output.status.success(), "{test} in {zone}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| line.starts_with("bytes: ")).collect()
}
