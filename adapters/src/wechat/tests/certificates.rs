//! The ring of keys: fetched, proved, mixed with the public key, and kept over failures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{error, sealed, signed_by, transaction, unsigned};
use crate::keys::{Certificate, SigningKey, seal_aes_256_gcm};
use crate::provider::{Document, RenewedKeys as _};
use crate::provider::{Identity, Learned, Notice, NoticeFault, PaymentProvider as _, Product};
use crate::testing::{KEY_ID, NOW, fixture, new_order, now, signing_key, stamp, trade_no};
use crate::testing::{wechat_config, wechatpay_key, word};
use crate::wechat::Wechat;
use crate::wire::{Answer, Headers, Outcome};

const OLD: &str = "2F1A6E0C9B7D4538A1C2E3F405162738495A6B7C";
const NEW: &str = "6B2D7F1E0A9C4B53D6E7F8091A2B3C4D5E6F7081";

fn new_key() -> SigningKey {
    signing_key("wechatpay_platform_next")
}

/// A merchant that has no public key.
fn without_public_key() -> Wechat {
    let mut config = wechat_config("https://api.mch.weixin.qq.com");
    config.public_key = None;
    Wechat::new(config).unwrap()
}

/// A merchant on its way from certificates to the public key.
fn with_public_key() -> Wechat {
    Wechat::new(wechat_config("https://api.mch.weixin.qq.com")).unwrap()
}

fn listed(serial: &str, file: &str, apiv3_key: &str) -> Value {
    let (nonce, pem) = ("61f9c719728a", fixture(&format!("keys/{file}.pem")));
    let sealed =
        seal_aes_256_gcm(apiv3_key.as_bytes(), nonce.as_bytes(), b"certificate", pem.as_bytes());
    json!({
        "serial_no": serial, "effective_time": "2018-01-01T08:00:00+08:00",
        "expire_time": "2023-01-01T08:00:00+08:00",
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": "certificate",
            "ciphertext": STANDARD.encode(sealed.unwrap()),
        },
    })
}

fn old() -> Value {
    listed(OLD, "wechatpay_certificate", &fixture("keys/wechat_v3_key.txt"))
}

fn new() -> Value {
    listed(NEW, "wechatpay_certificate_next", &fixture("keys/wechat_v3_key.txt"))
}

/// The answer with these certificates, signed by one of WeChat's keys.
fn list(certificates: &[Value], key: &SigningKey, serial: &str) -> Answer {
    let body = json!({ "data": certificates }).to_string().into_bytes();
    Answer { status: 200, headers: signed_by(key, serial, NOW, &body), body }
}

/// The fault with which a notice is refused that `key` signs as `serial`.
fn notice(hub: &Wechat, key: &SigningKey, serial: &str) -> Option<NoticeFault> {
    let body = sealed("TRANSACTION.SUCCESS", &transaction().to_string());
    let headers = signed_by(key, serial, NOW, &body);
    let notice = Notice { headers: &headers, body: &body, received_at: now() };
    hub.open_notice(&notice).err().map(|error| error.fault)
}

fn serial_sent(hub: &Wechat) -> Option<String> {
    let call = hub.query_order(&crate::testing::order_key(&trade_no()));
    let headers = Headers(hub.sign(&call, &stamp()).unwrap().headers);
    headers.only("Wechatpay-Serial").map(str::to_owned)
}

#[test]
fn the_first_certificates_prove_themselves() {
    let hub = without_public_key();
    let call = hub.ask_keys().unwrap();
    assert_eq!(call.target, "/v3/certificates");
    assert_eq!((serial_sent(&hub), hub.keys_expire_at()), (None, None));
    assert_eq!(notice(&hub, wechatpay_key(), OLD), Some(NoticeFault::UnknownKey));
    assert!(hub.is_key_missing());
    let answer = list(&[old(), new()], wechatpay_key(), OLD);
    assert_eq!(hub.learn_keys(&answer, now()), Outcome::Accepted(Learned::New(2)));
    assert!(!hub.is_key_missing());
    assert_eq!(notice(&hub, wechatpay_key(), OLD), None);
    assert_eq!(notice(&hub, &new_key(), NEW), None, "either signs while they overlap");
    assert_eq!(notice(&hub, &new_key(), OLD), Some(NoticeFault::BadSignature));
    assert_eq!(serial_sent(&hub).as_deref(), Some(NEW), "good for longest");
    assert_eq!(hub.keys_expire_at(), Some("2023-11-01T00:00:00Z".parse().unwrap()));
    assert_eq!(hub.learn_keys(&answer, now()), Outcome::Accepted(Learned::New(0)));
    assert!(hub.ask_keys().is_some(), "they change");
}

#[test]
fn t09_public_key_and_certificates_verify_side_by_side() {
    let hub = with_public_key();
    assert_eq!(hub.ask_keys(), None, "there is nothing to fetch");
    assert_eq!(notice(&hub, wechatpay_key(), KEY_ID), None);
    assert_eq!(notice(&hub, wechatpay_key(), OLD), Some(NoticeFault::UnknownKey));
    assert!(hub.is_key_missing() && hub.ask_keys().is_some(), "one that was named and unknown");
    let answer = list(&[old()], wechatpay_key(), OLD);
    assert_eq!(hub.learn_keys(&answer, now()), Outcome::Accepted(Learned::New(1)));
    for serial in [OLD, KEY_ID, &OLD.to_ascii_lowercase(), KEY_ID, OLD] {
        assert_eq!(notice(&hub, wechatpay_key(), serial), None, "{serial}");
    }
    assert_eq!(serial_sent(&hub).as_deref(), Some(KEY_ID));
    assert_eq!((hub.ask_keys(), hub.keys_expire_at()), (None, None));
}

#[test]
fn t09_what_is_no_certificate_s_name_is_never_fetched_for() {
    let hub = with_public_key();
    for serial in ["PUB_KEY_ID_0114232134912410000000000001", "zz", "1234567", &"A".repeat(41)] {
        assert_eq!(notice(&hub, wechatpay_key(), serial), Some(NoticeFault::UnknownKey));
        assert!(!hub.is_key_missing(), "{serial}");
    }
}

#[test]
fn t10_a_name_that_nobody_has_asks_once() {
    let hub = with_public_key();
    let unknown = "F".repeat(40);
    for _ in 0..3 {
        assert_eq!(notice(&hub, wechatpay_key(), &unknown), Some(NoticeFault::UnknownKey));
    }
    let none = hub.learn_keys(&error(404, "RESOURCE_NOT_EXISTS"), now());
    assert_eq!(none, Outcome::Accepted(Learned::NoneThere), "public-key mode, no outage");
    assert!(!hub.is_key_missing());
    assert_eq!(hub.ask_keys(), None);
}

#[test]
fn t10_a_failed_renewal_keeps_the_ring() {
    let hub = without_public_key();
    assert_eq!(word(&hub.learn_keys(&list(&[old()], wechatpay_key(), OLD), now())), "accepted");
    let other_key = listed(NEW, "wechatpay_certificate_next", &"k".repeat(32));
    let misnamed = listed(OLD, "wechatpay_certificate_next", &fixture("keys/wechat_v3_key.txt"));
    let mut sm2 = new();
    sm2["encrypt_certificate"]["algorithm"] = json!("AEAD_SM4_GCM");
    let mut stale = list(&[new()], &new_key(), NEW);
    stale.headers = signed_by(&new_key(), NEW, NOW - 301, &stale.body);
    let mut bare = list(&[new()], &new_key(), NEW);
    bare.headers = Headers(Vec::new());
    for (answer, expected) in [
        (list(&[new()], wechatpay_key(), NEW), "unknown"),
        (list(&[new(), other_key], &new_key(), NEW), "unknown"),
        (list(&[misnamed], wechatpay_key(), OLD), "unknown"),
        (list(&[sm2], wechatpay_key(), OLD), "unknown"),
        (list(&[], wechatpay_key(), OLD), "unknown"),
        (stale, "unknown"),
        (bare, "unknown"),
        (unsigned(200, "not json"), "unknown"),
        (unsigned(204, ""), "unknown"),
        (unsigned(404, ""), "unknown"),
        (error(500, "SYSTEM_ERROR"), "unknown"),
        (error(429, "FREQUENCY_LIMITED"), "unknown"),
        (error(401, "SIGN_ERROR"), "refused configuration"),
    ] {
        assert_eq!(word(&hub.learn_keys(&answer, now())), expected);
        assert_eq!(notice(&hub, wechatpay_key(), OLD), None);
        assert_eq!(notice(&hub, &new_key(), NEW), Some(NoticeFault::UnknownKey));
    }
    // The next answer may be signed by what is already known, and may leave it out.
    let next = list(&[new()], wechatpay_key(), OLD);
    assert_eq!(hub.learn_keys(&next, now()), Outcome::Accepted(Learned::New(1)));
    assert_eq!(notice(&hub, wechatpay_key(), OLD), None, "kept until it is over");
}

#[test]
fn a_certificate_verifies_for_as_long_as_it_is_good() {
    let hub = without_public_key();
    assert_eq!(word(&hub.learn_keys(&list(&[old()], wechatpay_key(), OLD), now())), "accepted");
    let at = |text: &str| {
        let received_at: Timestamp = text.parse().unwrap();
        let body = sealed("TRANSACTION.SUCCESS", &transaction().to_string());
        let headers = signed_by(wechatpay_key(), OLD, received_at.as_second(), &body);
        let notice = Notice { headers: &headers, body: &body, received_at };
        hub.open_notice(&notice).err().map(|error| error.fault)
    };
    assert_eq!(at("2018-01-01T00:00:00Z"), None);
    assert_eq!(at("2023-01-01T00:00:00Z"), None);
    assert_eq!(at("2017-12-31T23:59:59Z"), Some(NoticeFault::UnknownKey));
    assert_eq!(at("2023-01-01T00:00:01Z"), Some(NoticeFault::UnknownKey));
    let later: Timestamp = "2023-06-01T00:00:00Z".parse().unwrap();
    let body = json!({ "data": [old(), new()] }).to_string().into_bytes();
    let headers = signed_by(&new_key(), NEW, later.as_second(), &body);
    let renewed = hub.learn_keys(&Answer { status: 200, headers, body }, later);
    assert_eq!(renewed, Outcome::Accepted(Learned::New(1)), "what is over is let go of");
}

#[test]
fn a_repeat_names_the_key_that_sealed_it() {
    let hub = without_public_key();
    let identity = Identity {
        name: domain::personal::Personal::new("张三"),
        id_no: domain::personal::Personal::new("11010119900307001X"),
        document: Document::IdentityCard,
    };
    let number = trade_no();
    let mut order = new_order(Product::Native, &number, super::NOTIFY_URL);
    order.identity = Some(&identity);
    assert_eq!(hub.place(&order).unwrap_err().field, "payer.identity", "no key yet");
    assert_eq!(word(&hub.learn_keys(&list(&[old()], wechatpay_key(), OLD), now())), "accepted");
    let call = hub.place(&order).unwrap();
    assert_eq!(word(&hub.learn_keys(&list(&[new()], &new_key(), NEW), now())), "accepted");
    let headers = Headers(hub.sign(&call, &stamp()).unwrap().headers);
    assert_eq!(headers.only("Wechatpay-Serial"), Some(OLD));
    assert_eq!(serial_sent(&hub).as_deref(), Some(NEW));
}

#[test]
fn nothing_is_sealed_with_a_certificate_that_is_over() {
    let hub = without_public_key();
    assert_eq!(word(&hub.learn_keys(&list(&[old()], wechatpay_key(), OLD), now())), "accepted");
    let identity = Identity {
        name: domain::personal::Personal::new("张三"),
        id_no: domain::personal::Personal::new("11010119900307001X"),
        document: Document::IdentityCard,
    };
    let number = trade_no();
    let at = |time: &str| {
        let mut order = new_order(Product::Native, &number, super::NOTIFY_URL);
        order.identity = Some(&identity);
        order.now = time.parse().unwrap();
        order.expires_at = "2030-01-01T00:00:00Z".parse().unwrap();
        hub.place(&order).map_err(|error| error.field)
    };
    assert!(at("2022-12-31T23:59:59Z").is_ok());
    for outside in ["2017-12-31T23:59:59Z", "2023-01-01T00:00:01Z"] {
        assert_eq!(at(outside).err(), Some("payer.identity"), "{outside}");
    }
}

#[test]
fn a_certificate_is_read_as_far_as_it_is_a_key() {
    let read = Certificate::read(&fixture("keys/wechatpay_certificate.pem")).unwrap();
    assert_eq!(read.serial, OLD);
    assert_eq!(read.not_before, "2018-01-01T00:00:00Z".parse().unwrap());
    assert!(read.key.verifies(b"message", &wechatpay_key().sign(b"message").unwrap()));
    for text in ["", "no certificate", &fixture("keys/wechatpay_platform_pub.pem")] {
        assert!(Certificate::read(text).is_err());
    }
}
