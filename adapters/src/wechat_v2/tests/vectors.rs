//! What other people's packages sign, seal and write, and the providers' published samples.

use std::fs;

use domain::personal::Secret;
use jiff::civil::date;
use serde_json::Value;

use super::{
    API_KEY, BOTH, NOTIFY_URL, answer, done, hub_of, placing, refund_notice, signed_as, with,
};
use crate::provider::{BillKind, Notice, Pay, PaymentProvider as _, Placed, Product};
use crate::testing::{
    headers, new_refund, now, order_key, public_vector, public_vectors, refund_key, refund_no,
    stamp, trade_no, vectors,
};
use crate::wechat_v2::sign::{Seal, SignType, message};
use crate::wechat_v2::{WechatV2, notice, xml};
use crate::wire::{Call, Outcome};

fn call(hub: &WechatV2, name: &str) -> Call {
    let (order, refund) = (trade_no(), refund_no());
    let payment = "4200000001201811300000000001".parse().unwrap();
    match name {
        "native" => placing(hub, Product::Native),
        "jsapi" => placing(hub, Product::Jsapi),
        "app" => placing(hub, Product::App),
        "h5" => placing(hub, Product::H5),
        "codepay" => placing(hub, Product::Codepay),
        "query" => hub.query_order(&order_key(&order)),
        "close" => hub.close_order(&order, Product::Native),
        "reverse" => hub.close_order(&order, Product::Codepay),
        "refund" => hub.refund(&new_refund(&order, &payment, &refund, NOTIFY_URL)).unwrap(),
        "refund_query" => hub.query_refund(&refund_key(&order, &refund)),
        "bill" => hub.ask_bill(BillKind::Trade, date(2018, 11, 29)).unwrap(),
        other => panic!("no call for the vector {other}"),
    }
}

fn own() -> Value {
    let vectors = vectors("wechat_v2.json");
    assert_eq!(vectors["api_key"], API_KEY);
    vectors
}

fn sign_type(vector: &Value) -> SignType {
    vector["sign_type"].as_str().unwrap().parse().unwrap()
}

#[test]
fn every_request_has_the_fields_and_the_sign_of_the_npm_package() {
    let vectors = own();
    let requests = vectors["requests"].as_array().unwrap();
    assert_eq!(requests.len(), 22);
    for vector in requests {
        let (name, hub) = (vector["name"].as_str().unwrap(), hub_of(sign_type(vector)));
        let request = hub.sign(&call(&hub, name), &stamp()).unwrap();
        let sent = xml::read("xml", &request.body).unwrap();
        let sent: serde_json::Map<String, Value> =
            sent.iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        assert_eq!(Value::Object(sent), vector["fields"], "{name}");
    }
}

#[test]
fn a_script_and_an_app_are_given_what_the_npm_package_gives_them() {
    for vector in own()["given"].as_array().unwrap() {
        let (product, sign_type) = match vector["name"].as_str().unwrap() {
            "jsapi" => (Product::Jsapi, sign_type(vector)),
            _ => (Product::App, sign_type(vector)),
        };
        let hub = hub_of(sign_type);
        let fields = with(done(), &[("prepay_id", "wx201411101639507cbf6ffd8b0779950874")]);
        let answer = answer(signed_as(sign_type, &fields));
        let placed = hub.read_placed(&placing(&hub, product), &answer, &stamp());
        let Outcome::Accepted(Placed::Offered(Pay::Jsapi { params } | Pay::App { params })) =
            placed
        else {
            panic!("{placed:?}")
        };
        assert_eq!(params, vector["params"]);
    }
}

#[test]
fn the_notices_of_the_npm_package_are_opened() {
    for vector in own()["notices"].as_array().unwrap() {
        let body = vector["body"].as_str().unwrap().as_bytes();
        let hub = vector.get("sign_type").map_or(hub_of(BOTH[0]), |_| hub_of(sign_type(vector)));
        let headers = headers(&[]);
        let opened =
            hub.open_notice(&Notice { headers: &headers, body, received_at: now() }).unwrap();
        let (facts, hints) = (opened.facts.len(), opened.hints.len());
        let expected = if vector["name"] == "refund" { (0, 1) } else { (1, 0) };
        assert_eq!((facts, hints), expected);
    }
}

#[test]
fn the_published_signatures_are_ours() {
    let Some(folder) = public_vectors() else { return };
    let vector = public_vector(&folder, "wx-v2-sign");
    let text = vector["string_to_sign"].as_str().unwrap();
    let (pairs, key) = text.split_once("&key=").unwrap();
    let fields: xml::Fields = pairs.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
    assert_eq!(message(&fields), pairs);
    for (sign_type, name) in [(SignType::Md5, "md5"), (SignType::HmacSha256, "hmac_sha256")] {
        let seal = Seal { key: Secret::new(key), sign_type };
        assert_eq!(seal.sign(&fields), vector[name].as_str().unwrap());
    }
}

#[test]
fn the_published_refund_notice_is_opened() {
    let Some(folder) = public_vectors() else { return };
    let vector = public_vector(&folder, "wx-v2-refund-req-info");
    let text = |name: &str| vector[name].as_str().unwrap();
    let key = Secret::new(text("apiv2_key"));
    let body = refund_notice(text("req_info"));
    let opened = notice::refund_notice(&key, &body).unwrap();
    let plaintext = fs::read(folder.join(text("plaintext_file"))).unwrap();
    assert_eq!(opened.plaintext.trim_ascii(), plaintext.trim_ascii());
    assert_eq!(opened.hints[0].out_refund_no.as_str(), "131811191610442717309");
    assert_eq!(opened.hints[0].amount.get(), 3960);
    assert_eq!(opened.kind, "refund SUCCESS");
}

#[test]
fn the_published_samples_are_read_or_refused() {
    let Some(folder) = public_vectors() else { return };
    let read = |file: &str| {
        let bytes = fs::read(folder.join(format!("wxphp_{file}.sample.xml"))).unwrap();
        xml::read("xml", bytes.trim_ascii()).map_err(|why| why.to_string())
    };
    let notice = read("paysuccess.notification").unwrap();
    assert_eq!(notice.get("attach"), Some("支付测试"));
    assert_eq!(notice.get("coupon_fee"), Some("10"));
    let order = read("unifiedorder").unwrap();
    assert!(order.get("detail").unwrap().contains("\"wxpay_goods_id\":\"1001\""));
    for (file, why) in [
        ("invalid.xxe_injection", "document type"),
        ("invalid.bad_entity", "not one root"),
        ("fragment_injection", "not one root"),
    ] {
        assert!(read(file).unwrap_err().contains(why), "{file}");
    }
}
