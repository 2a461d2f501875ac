//! The public vectors, where the run has them, and the project's own.

use std::fs;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ids::ProviderTradeNo;
use jiff::civil::date;

use super::{NOTIFY_URL, closing_call, placing};
use crate::keys::{Certificate, VerifyingKey, open_aes_256_gcm};
use crate::provider::BillKind;
use crate::provider::{BillTicket, Notice, PaymentProvider as _, Product};
use crate::testing::order_key;
use crate::testing::{
    new_order, new_refund, now, public_vector, public_vectors, refund_key, refund_no, stamp,
    trade_no, vectors, wechat, word,
};
use crate::wechat::pay::{app_message, jsapi_message};
use crate::wechat::sign::message;
use crate::wire::{Answer, Call, Headers, Method};

/// The calls of the own vectors, by their names.
fn call(name: &str) -> Call {
    let (hub, order, refund) = (wechat(), trade_no(), refund_no());
    let payment: ProviderTradeNo = "4200000001201811300000000001".parse().unwrap();
    let file = "/v3/billdownload/file?token=\
                6XIv5TUPto7pByrTQKhd6kwvyKLG2uY2wMMR8cNXqaA_Cv_isgaUtBzp4QtiozLO%2B";
    match name {
        "place" => hub.place(&new_order(Product::Native, &order, NOTIFY_URL)).unwrap(),
        "query" => hub.query_order(&order_key(&order)),
        "close" => hub.close_order(&order, Product::Native),
        "refund" => hub.refund(&new_refund(&order, &payment, &refund, NOTIFY_URL)).unwrap(),
        "refund_query" => hub.query_refund(&refund_key(&order, &refund)),
        "bill" => hub.ask_bill(BillKind::Trade, date(2018, 11, 29)).unwrap(),
        "bill_file" => hub.fetch_bill(&BillTicket {
            url: format!("https://api.mch.weixin.qq.com{file}"),
            sha1: None,
        }),
        other => panic!("no call for the vector {other}"),
    }
}

#[test]
fn every_request_is_the_one_that_the_python_package_signs_byte_for_byte() {
    for vector in vectors("wechat.json")["requests"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let request = wechat().sign(&call(name), &stamp()).unwrap();
        let header = |name: &str| Headers(request.headers.clone()).only(name).map(str::to_owned);
        let url = format!("https://api.mch.weixin.qq.com{}", vector["path"].as_str().unwrap());
        assert_eq!(request.url, url, "{name}");
        assert_eq!(request.method.as_str(), vector["method"], "{name}");
        assert_eq!(request.body, vector["body"].as_str().unwrap().as_bytes(), "{name}");
        assert_eq!(header("Authorization").unwrap(), vector["authorization"], "{name}");
    }
}

fn headers_of(vector: &serde_json::Value) -> Headers {
    let pairs = vector["headers"].as_object().unwrap();
    Headers(pairs.iter().map(|(k, v)| (k.clone(), v.as_str().unwrap().to_owned())).collect())
}

#[test]
fn answers_that_the_python_package_takes_are_taken() {
    let hub = wechat();
    for vector in vectors("wechat.json")["answers"].as_array().unwrap() {
        let body = vector["body"].as_str().unwrap().as_bytes().to_vec();
        let status = if body.is_empty() { 204 } else { 200 };
        let answer = Answer { status, headers: headers_of(vector), body };
        let outcome = match vector["name"].as_str().unwrap() {
            "placed" => word(&hub.read_placed(&placing(), &answer, &stamp())),
            "closed" => word(&hub.read_closed(&closing_call(), &answer, now())),
            "paid" => word(&hub.read_order(&order_key(&trade_no()), &answer, now())),
            other => panic!("no reading for the vector {other}"),
        };
        assert_eq!(outcome, "accepted", "{}", vector["name"]);
    }
}

#[test]
fn notices_that_the_python_package_opens_are_opened() {
    for vector in vectors("wechat.json")["notices"].as_array().unwrap() {
        let (headers, body) = (headers_of(vector), vector["body"].as_str().unwrap());
        let notice = Notice { headers: &headers, body: body.as_bytes(), received_at: now() };
        let opened = wechat().open_notice(&notice).unwrap();
        assert_eq!(opened.facts.len(), 1);
        let kept = String::from_utf8(opened.plaintext).unwrap();
        assert!(kept.contains(vector["plaintext"].as_str().unwrap()), "kept as it was");
    }
}

#[test]
fn public_request_signatures_prove_the_message() {
    let Some(folder) = public_vectors() else { return };
    let body = public_vector(&folder, "wx-v3-sign-body");
    let path = "/v3/refund/domestic/refunds/123123123123";
    let nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
    let body_text = body["body"].as_str().unwrap();
    for (name, method, path, text) in [
        ("wx-v3-sign-path", Method::Get, path, ""),
        ("wx-v3-sign-body", Method::Post, "/v3/pay/transactions/jsapi", body_text),
        (
            "wx-v3-sign-multipart-meta",
            Method::Post,
            "/v3/marketing/favor/media/image-upload",
            "{ \"filename\": \"wechatpay_logo.png\", \"sha256\": \
             \"d2973a45b1d528c21ebb77792ef3fcea40fa9a4e04a17e35369102ba9c84c8b1\"}",
        ),
    ] {
        let vector = public_vector(&folder, name);
        let file = folder.join(vector["public_key_file"].as_str().unwrap());
        let key = VerifyingKey::read(&fs::read_to_string(file).unwrap()).unwrap();
        let message = message(method, path, 1_554_208_460, nonce, text);
        assert_eq!(message, vector["message"], "{name}");
        assert!(key.verifies(message.as_bytes(), vector["signature"].as_str().unwrap()), "{name}");
    }
}

#[test]
fn public_answers_and_callbacks_verify() {
    let Some(folder) = public_vectors() else { return };
    let answer = public_vector(&folder, "wx-v3-response");
    let file = folder.join(answer["public_key_file"].as_str().unwrap());
    let key = VerifyingKey::read(&fs::read_to_string(file).unwrap()).unwrap();
    let text = |name: &str| answer[name].as_str().unwrap();
    let message =
        crate::wechat::verify::message(text("timestamp"), text("nonce"), text("body").as_bytes());
    assert!(key.verifies(&message, text("signature")));

    let callback = public_vector(&folder, "wx-v3-callback-complete");
    let pem = fs::read_to_string(folder.join(callback["cert_file"].as_str().unwrap())).unwrap();
    let body = fs::read(folder.join(callback["body_file"].as_str().unwrap())).unwrap();
    let header = |name: &str| callback["headers"][name].as_str().unwrap();
    let message = crate::wechat::verify::message(
        header("Wechatpay-Timestamp"),
        header("Wechatpay-Nonce"),
        &body,
    );
    let certificate = Certificate::read(&pem).unwrap();
    assert_eq!(certificate.serial, header("Wechatpay-Serial"));
    assert!(certificate.key.verifies(&message, header("Wechatpay-Signature")));
    // Its key is half as long as any real one, so the primitive itself opens it.
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let resource = |name: &str| body["resource"][name].as_str().unwrap();
    let key = callback["aead_key"].as_str().unwrap().as_bytes();
    let sealed = STANDARD.decode(resource("ciphertext")).unwrap();
    let payload = Payload { msg: &sealed, aad: resource("associated_data").as_bytes() };
    let nonce = aes_gcm::Nonce::try_from(resource("nonce").as_bytes()).unwrap();
    let opened = aes_gcm::Aes128Gcm::new_from_slice(key).unwrap().decrypt(&nonce, payload);
    assert_eq!(opened.unwrap(), callback["plaintext"].as_str().unwrap().as_bytes());
}

#[test]
fn the_public_sealed_text_opens() {
    let Some(folder) = public_vectors() else { return };
    let vector = public_vector(&folder, "wx-aead");
    let text = |name: &str| vector[name].as_str().unwrap().as_bytes();
    let sealed = STANDARD.decode(text("ciphertext_b64")).unwrap();
    let opened = open_aes_256_gcm(text("key"), text("nonce"), text("associated_data"), &sealed);
    assert_eq!(opened.unwrap(), text("plaintext"));
}

#[test]
fn the_public_client_side_signatures_prove_their_messages() {
    let Some(folder) = public_vectors() else { return };
    let (app, id) = ("wx2421b1c4370ec43b", "wx201410272009395522657a690389285100");
    let nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
    for (name, message) in [
        ("wx-jsapi-paysign", jsapi_message(app, 1_554_208_460, nonce, id)),
        ("wx-app-paysign", app_message(app, 1_554_208_460, nonce, id)),
    ] {
        let vector = public_vector(&folder, name);
        let file = folder.join(vector["public_key_file"].as_str().unwrap());
        let key = VerifyingKey::read(&fs::read_to_string(file).unwrap()).unwrap();
        assert_eq!(message, vector["message"], "{name}");
        assert!(key.verifies(message.as_bytes(), vector["signature"].as_str().unwrap()), "{name}");
    }
}

#[test]
fn the_public_certificate_opens_and_is_read() {
    let Some(folder) = public_vectors() else { return };
    let vector = public_vector(&folder, "wx-v3-certificates");
    let text = |name: &str| vector[name].as_str().unwrap();
    let sealed = STANDARD.decode(text("ciphertext_b64")).unwrap();
    let (key, nonce) = (text("apiv3_key").as_bytes(), text("nonce").as_bytes());
    let pem = open_aes_256_gcm(key, nonce, text("associated_data").as_bytes(), &sealed).unwrap();
    let certificate = Certificate::read(&String::from_utf8(pem).unwrap()).unwrap();
    assert_eq!(certificate.serial, text("serial_no"));
    assert_eq!(certificate.not_after, text("not_after").parse().unwrap());
}

#[test]
fn the_public_message_verifies_under_its_certificate() {
    let Some(folder) = public_vectors() else { return };
    let vector = public_vector(&folder, "wx-rsa-message");
    let text = |name: &str| vector[name].as_str().unwrap();
    let pem = fs::read_to_string(folder.join(text("cert_file"))).unwrap();
    let certificate = Certificate::read(&pem).unwrap();
    assert_eq!(certificate.serial, text("serial_no"));
    assert!(certificate.key.verifies(text("message").as_bytes(), text("signature")));
}
