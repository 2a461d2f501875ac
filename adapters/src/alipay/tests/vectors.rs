//! The public vector, where the run has it, and the project's own.

use std::collections::BTreeMap;

use domain::fact::{ProviderFact, RefundStanding};
use domain::ids::ProviderTradeNo;
use domain::money::Fen;
use domain::personal::{Personal, Secret};
use jiff::civil::date;
use serde_json::Value;

use super::products::carried;
use super::{NOTIFY_URL, form, placing, with};
use crate::alipay::Proof;
use crate::alipay::{Alipay, AlipayConfig};
use crate::keys::VerifyingKey;
use crate::provider::{BillKind, FundAccount};
use crate::provider::{Notice, NoticeFault, OpenedNotice, PaymentProvider, Product};
use crate::testing::order_key;
use crate::testing::{
    alipay, alipay_config, fixture, headers, new_order, new_refund, now, public_vector,
    public_vectors, refund_key, refund_no, signing_key, stamp, trade_no, vectors, word,
};
use crate::wire::{Answer, Call, Request};

/// A hub with the settings under which a vector was made.
fn hub(mode: Option<&str>) -> Alipay {
    let mut config = alipay_config("https://openapi.alipay.com/gateway.do");
    match mode {
        None => {}
        Some("certificates") => {
            let file = |name: &str| fixture(&format!("certificates/{name}.crt"));
            let (app, alipay, root) = (file("app"), file("alipay"), file("alipay_root"));
            config.proof = Proof::Certificates { app, alipay, root };
        }
        Some("sealed") => config.encrypt_key = Some(Secret::new("aa4BtZ4tspm2wnXLb1ThQA==")),
        Some("isv") => config.app_auth_token = Some(Secret::new("201510BB19X62")),
        Some(other) => panic!("no settings for {other}"),
    }
    Alipay::new(config).unwrap()
}

/// The call of a product's order.
fn place(hub: &Alipay, product: Product) -> Call {
    let (number, buyer, code) =
        (trade_no(), Personal::new("2088102534368455"), Personal::new("281234567890123456"));
    let mut order = new_order(product, &number, NOTIFY_URL);
    (order.payer, order.auth_code) = (Some(&buyer), Some(&code));
    order.return_url = Some("https://pay.example.cn/pay?a=b c&d=+%2B");
    hub.place(&order).unwrap()
}

/// The calls of the own vectors, by their names.
fn call(hub: &Alipay, name: &str) -> Call {
    let (order, refund) = (trade_no(), refund_no());
    let payment: ProviderTradeNo = "2018113022001400000000000001".parse().unwrap();
    let day = date(2018, 11, 29);
    match name {
        "place" => place(hub, Product::Precreate),
        "page" => place(hub, Product::Page),
        "wap" => place(hub, Product::Wap),
        "app" => place(hub, Product::App),
        "create" => place(hub, Product::Create),
        "pay" => place(hub, Product::Pay),
        "cancel" => hub.close_order(&order, Product::Pay),
        "fund_flow" => hub.ask_bill(BillKind::FundFlow(FundAccount::Basic), day).unwrap(),
        "query" => hub.query_order(&order_key(&order)),
        "close" => hub.close_order(&order, Product::Precreate),
        "refund" => hub.refund(&new_refund(&order, &payment, &refund, NOTIFY_URL)).unwrap(),
        "refund_query" => hub.query_refund(&refund_key(&order, &refund)),
        "bill" => hub.ask_bill(BillKind::Trade, day).unwrap(),
        other => panic!("no call for the vector {other}"),
    }
}

/// Every parameter of a request, query and form together, decoded once.
fn sent(request: &Request) -> BTreeMap<String, String> {
    let (_, query) = request.url.split_once('?').unwrap();
    let decoded = |text: &[u8]| url::form_urlencoded::parse(text).into_owned().collect::<Vec<_>>();
    decoded(query.as_bytes()).into_iter().chain(decoded(&request.body)).collect()
}

#[test]
fn every_request_is_the_one_that_the_node_package_signs_byte_for_byte() {
    for vector in vectors("alipay.json")["requests"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let hub = hub(vector["mode"].as_str());
        let call = call(&hub, name);
        let expected: BTreeMap<String, String> =
            serde_json::from_value(vector["parameters"].clone()).unwrap();
        if hub.offer(&call, &stamp()).unwrap().is_some() {
            assert_eq!(carried(&hub, &call), expected, "{name} {}", vector["mode"]);
            continue;
        }
        let request = hub.sign(&call, &stamp()).unwrap();
        assert_eq!(sent(&request), expected, "{name} {}", vector["mode"]);
        assert!(request.url.starts_with("https://openapi.alipay.com/gateway.do?"));
    }
}

#[test]
fn answers_that_the_node_package_takes_are_taken() {
    let hub = alipay();
    let (order, refund) = (trade_no(), refund_no());
    for vector in vectors("alipay.json")["answers"].as_array().unwrap() {
        let body = vector["body"].as_str().unwrap().as_bytes().to_vec();
        let answer = Answer { status: 200, headers: headers(&[]), body };
        let outcome = match vector["name"].as_str().unwrap() {
            "placed" => word(&hub.read_placed(&placing(), &answer, &stamp())),
            "paid" | "absent" => word(&hub.read_order(&order_key(&order), &answer, now())),
            "refunded" => word(&hub.read_refunded(&refund_key(&order, &refund), &answer, now())),
            other => panic!("no reading for the vector {other}"),
        };
        assert_eq!(outcome, "accepted", "{}", vector["name"]);
    }
}

#[test]
fn t16_notices_that_the_node_package_takes_are_opened() {
    let (none, hub) = (headers(&[]), alipay());
    let opened = |vector: &Value| {
        let body = vector["body"].as_str().unwrap().as_bytes();
        hub.open_notice(&Notice { headers: &none, body, received_at: now() }).unwrap()
    };
    for vector in vectors("alipay.json")["notices"].as_array().unwrap() {
        let notice: OpenedNotice = opened(vector);
        let is_payment = matches!(notice.facts.as_slice(), [ProviderFact::Payment(_)]);
        let succeeded = matches!(
            notice.facts.as_slice(),
            [ProviderFact::Refund(fact)] if fact.standing == RefundStanding::Succeeded
        );
        match vector["name"].as_str().unwrap() {
            "payment" | "odd letters" => assert!(is_payment),
            "partial refund" | "full refund" | "finished after a refund" => assert!(succeeded),
            other => panic!("no reading for the vector {other}"),
        }
    }
}

/// An adapter that believes another Alipay key.
fn hub_of(alipay_public_key: &str) -> Alipay {
    Alipay::new(AlipayConfig {
        app_id: "2019073166072302".to_owned(),
        seller_id: "2088531891668739".to_owned(),
        app_private_key: signing_key("alipay_app"),
        proof: Proof::Key(VerifyingKey::read(alipay_public_key).unwrap()),
        encrypt_key: None,
        app_auth_token: None,
        gateway_url: "https://openapi.alipay.com/gateway.do".to_owned(),
    })
    .unwrap()
}

#[test]
fn a_real_notice_of_production_is_opened() {
    let Some(folder) = public_vectors() else { return };
    let vector = public_vector(&folder, "alipay-notify-production-2019");
    let hub = hub_of(vector["alipay_public_key_b64"].as_str().unwrap());
    let parameters: BTreeMap<String, String> =
        serde_json::from_value(vector["params"].clone()).unwrap();
    let none = headers(&[]);
    let open = |parameters: &BTreeMap<String, String>| {
        let body = form(parameters, &[]);
        hub.open_notice(&Notice { headers: &none, body: &body, received_at: now() })
    };
    let notice = open(&parameters).unwrap();
    let [ProviderFact::Payment(fact)] = notice.facts.as_slice() else { panic!("no payment") };
    assert_eq!(fact.amount, Fen::new(10));
    assert_eq!(fact.stated.payee.as_deref(), Some("2088531891668739"));
    let forged = with(parameters, &[("total_amount", "0.01")]);
    assert_eq!(open(&forged).unwrap_err().fault, NoticeFault::BadSignature);
}
