//! Alipay's side as the tests need it: signs answers and notices, with canonical strings of its
//! own.

mod answers;
mod bills;
mod certificates;
mod counter;
mod notices;
mod products;
mod requests;
mod vectors;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::provider::{PaymentProvider as _, Product};
use crate::testing::{REFUND_NO, TRADE_NO, alipay_key, headers};
use crate::testing::{alipay, new_order, trade_no};
use crate::wire::{Answer, Call};

/// The node's name of a gateway method.
fn node_name(method: &str) -> String {
    format!("{}_response", method.replace('.', "_"))
}

fn answer(body: &str) -> Answer {
    Answer { status: 200, headers: headers(&[]), body: body.as_bytes().to_vec() }
}

/// An answer whose node Alipay signs.
fn signed(method: &str, node: &Value) -> Answer {
    let node = node.to_string();
    let sign = alipay_key().sign(node.as_bytes()).unwrap();
    answer(&format!("{{\"{}\":{node},\"sign\":\"{sign}\"}}", node_name(method)))
}

/// The same without a signature.
fn unsigned(method: &str, node: &Value) -> Answer {
    answer(&format!("{{\"{}\":{node}}}", node_name(method)))
}

/// A failure of the business, signed.
fn failure(method: &str, sub_code: &str) -> Answer {
    signed(method, &json!({"code": "40004", "msg": "Business Failed", "sub_code": sub_code}))
}

/// The parameters of a payment notice, without its signature.
fn payment() -> BTreeMap<String, String> {
    [
        ("app_id", "2021000000000000"),
        ("buyer_pay_amount", "79.00"),
        ("charset", "utf-8"),
        ("gmt_payment", "2018-11-30 08:59:58"),
        ("notify_id", "2018113000222085958050559358070"),
        ("notify_type", "trade_status_sync"),
        ("out_trade_no", TRADE_NO),
        ("seller_id", "2088000000000000"),
        ("subject", "不动产登记费"),
        ("total_amount", "80.00"),
        ("trade_no", "2018113022001400000000000001"),
        ("trade_status", "TRADE_SUCCESS"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

/// The same payment after a refund of 30.00.
fn refunded() -> BTreeMap<String, String> {
    with(
        payment(),
        &[
            ("out_biz_no", REFUND_NO),
            ("refund_fee", "30.00"),
            ("gmt_refund", "2018-11-30 09:00:00.123"),
        ],
    )
}

/// `parameters` with `change`; an empty value takes the parameter away.
fn with(
    mut parameters: BTreeMap<String, String>,
    change: &[(&str, &str)],
) -> BTreeMap<String, String> {
    for (name, value) in change {
        if value.is_empty() {
            parameters.remove(*name);
        } else {
            parameters.insert((*name).to_owned(), (*value).to_owned());
        }
    }
    parameters
}

/// The notice's body as Alipay posts it.
fn notice(parameters: &BTreeMap<String, String>) -> Vec<u8> {
    let text: Vec<String> = parameters.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let sign = alipay_key().sign(text.join("&").as_bytes()).unwrap();
    form(parameters, &[("sign_type", "RSA2"), ("sign", &sign)])
}

/// A form body.
fn form(parameters: &BTreeMap<String, String>, more: &[(&str, &str)]) -> Vec<u8> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(parameters).extend_pairs(more);
    form.finish().into_bytes()
}

/// Where the provider calls back in the tests.
const NOTIFY_URL: &str = "https://pay.example.cn/callbacks/registry-alipay";

/// The call that the answers to placing belong to.
fn placing() -> Call {
    alipay().place(&new_order(Product::Precreate, &trade_no(), NOTIFY_URL)).unwrap()
}

/// The call that the answers to closing belong to.
fn closing_call() -> Call {
    alipay().close_order(&trade_no(), Product::Precreate)
}
