//! Platform certificates: listed, sealed, asked for by name, rotated with overlap, mixed with the
//! public key.

use std::collections::BTreeMap;
use std::sync::Arc;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ManualClock;
use rsa::pkcs8::EncodePublicKey as _;
use sandbox::{Engine, Reply, Sandbox, Verification};
use serde_json::{Value, json};

use crate::office::{APIV3_KEY, MCHID, Office, PLATFORM_ID, config, morning, verifies};
use crate::receiver::Receiver;

const LIST: &str = "/v3/certificates";

fn office(verification: Verification) -> Office {
    let mut config = config();
    config.wechat[0].verification = verification;
    let clock = ManualClock::at(morning());
    let engine = Arc::new(Engine::new(&config, Arc::new(clock.clone())).unwrap());
    Office { engine, clock }
}

fn list(office: &Office, named: Option<&str>) -> Reply {
    let mut request = office.wechat_request("GET", LIST, "");
    if let Some(named) = named {
        request.headers.push(("Wechatpay-Serial".to_owned(), named.to_owned()));
    }
    office.engine.answer(&request)
}

/// Serial to public key (PEM), opened by libraries of their own.
fn certificates(reply: &Reply) -> BTreeMap<String, String> {
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let cipher = aes_gcm::Aes256Gcm::new_from_slice(APIV3_KEY.as_bytes()).unwrap();
    let data = body["data"].as_array().unwrap();
    data.iter()
        .map(|one| {
            let sealed = &one["encrypt_certificate"];
            let text = |name: &str| sealed[name].as_str().unwrap();
            assert_eq!(text("associated_data"), "certificate");
            let bytes = STANDARD.decode(text("ciphertext")).unwrap();
            let nonce = aes_gcm::Nonce::try_from(text("nonce").as_bytes()).unwrap();
            let payload = Payload { msg: &bytes, aad: b"certificate" };
            let pem = cipher.decrypt(&nonce, payload).unwrap();
            let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).unwrap();
            let certificate = pem.parse_x509().unwrap();
            let serial = one["serial_no"].as_str().unwrap().to_owned();
            let own: String =
                certificate.raw_serial().iter().map(|byte| format!("{byte:02X}")).collect();
            assert_eq!((own.as_str(), serial.len()), (serial.as_str(), 40));
            use rsa::pkcs8::DecodePublicKey as _;
            let key = rsa::PublicKey::from_public_key_der(certificate.public_key().raw).unwrap();
            (serial, key.to_public_key_pem(Default::default()).unwrap())
        })
        .collect()
}

#[track_caller]
fn signed_by(reply: &Reply, keys: &BTreeMap<String, String>) -> String {
    let header = |name: &str| reply.header(name).unwrap().to_owned();
    let mut message =
        format!("{}\n{}\n", header("Wechatpay-Timestamp"), header("Wechatpay-Nonce")).into_bytes();
    message.extend_from_slice(&reply.body);
    message.push(b'\n');
    let serial = header("Wechatpay-Serial");
    assert!(verifies(&keys[&serial], &message, &header("Wechatpay-Signature")));
    serial
}

#[test]
fn a_list_opens_under_the_merchants_key_and_proves_itself() {
    let office = office(Verification::Certificates);
    let reply = list(&office, None);
    let keys = certificates(&reply);
    assert_eq!(keys.len(), 1);
    signed_by(&reply, &keys);
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(body["data"][0]["effective_time"], "2026-11-20T10:00:00+08:00");
    assert!(body["data"][0]["expire_time"].as_str().unwrap().starts_with("2031-11-19"));
}

#[test]
fn a_merchant_in_public_key_mode_has_no_certificates_and_every_asking_is_counted() {
    for (verification, status) in [
        (Verification::PublicKey, 404),
        (Verification::Certificates, 200),
        (Verification::Both, 200),
    ] {
        let office = office(verification);
        for _ in 0..3 {
            assert_eq!(list(&office, None).status, status, "{verification:?}");
        }
        assert_eq!(office.engine.state().certificate_requests[MCHID], 3);
        let mut forged = office.wechat_request("GET", LIST, "");
        forged.target.push_str("?a=b");
        assert_eq!(office.engine.answer(&forged).status, 401);
        assert_eq!(office.engine.state().certificate_requests[MCHID], 3, "not a stranger's");
    }
}

#[test]
fn a_rotation_with_overlap_lists_both_and_the_asker_chooses() {
    let office = office(Verification::Certificates);
    let old = certificates(&list(&office, None)).into_keys().next().unwrap();
    let (new, public) = office.engine.rotate_key(MCHID, true).unwrap();
    let reply = list(&office, None);
    let keys = certificates(&reply);
    assert_eq!(keys.len(), 2, "both are good");
    assert_eq!(keys[&new].trim(), public.trim());
    assert_eq!(signed_by(&reply, &keys), new);
    assert_eq!(signed_by(&list(&office, Some(&old)), &keys), old);

    office.engine.rotate_key(MCHID, false).unwrap();
    let keys = certificates(&list(&office, None));
    assert_eq!(keys.len(), 1, "the newest alone");
    assert!(!keys.contains_key(&new));
}

#[test]
fn with_both_the_public_key_answers_unless_a_certificate_is_named() {
    let office = office(Verification::Both);
    let reply = list(&office, None);
    let certificates = certificates(&reply);
    let mut keys = certificates.clone();
    let public = include_str!("../../../fixtures/keys/wechatpay_platform_pub.pem");
    keys.insert(PLATFORM_ID.to_owned(), public.to_owned());
    assert_eq!(signed_by(&reply, &keys), PLATFORM_ID);
    let (serial, pem) = certificates.first_key_value().unwrap();
    assert_ne!(pem.trim(), public.trim(), "another key stands in the certificate");
    assert_eq!(&signed_by(&list(&office, Some(serial)), &keys), serial);
}

#[actix_web::test]
async fn t09_callbacks_of_one_minute_come_under_the_public_key_and_a_certificate() {
    let mut config = config();
    config.wechat[0].verification = Verification::Both;
    let clock = ManualClock::at(morning());
    let running = Sandbox::start(&config, Arc::new(clock.clone())).unwrap();
    let office = Office { engine: running.engine().clone(), clock };
    let hub = Receiver::start();
    for count in 0..4 {
        let no = format!("ORDER{count:04}");
        office.native(&no, 8000, &hub.url);
        office.engine.pay(&no, true).unwrap();
    }
    running.deliver_due().await;
    let mut keys = certificates(&list(&office, None));
    let public = include_str!("../../../fixtures/keys/wechatpay_platform_pub.pem");
    keys.insert(PLATFORM_ID.to_owned(), public.to_owned());
    let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for taken in hub.taken() {
        let header = |name: &str| taken.headers[name].clone();
        let start = format!("{}\n{}\n", header("wechatpay-timestamp"), header("wechatpay-nonce"));
        let mut message = start.into_bytes();
        message.extend_from_slice(&taken.body);
        message.push(b'\n');
        let serial = header("wechatpay-serial");
        assert!(verifies(&keys[&serial], &message, &header("wechatpay-signature")));
        by_key.entry(serial).or_default().push(header("wechatpay-nonce"));
    }
    assert_eq!(by_key.values().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    running.stop().await;
}

#[test]
fn a_program_is_told_with_what_it_connects_in_each_mode() {
    for (verification, public, count) in [
        (Verification::PublicKey, json!(PLATFORM_ID), 0),
        (Verification::Certificates, Value::Null, 1),
        (Verification::Both, json!(PLATFORM_ID), 1),
    ] {
        let office = office(verification);
        let reply = office.engine.answer(&sandbox::Received {
            method: "GET".to_owned(),
            target: "/sandbox/connection".to_owned(),
            headers: vec![("Host".to_owned(), "127.0.0.1:9010".to_owned())],
            body: Vec::new(),
        });
        let told: Value = serde_json::from_slice(&reply.body).unwrap();
        let merchant = &told["wechat"][0];
        assert_eq!(merchant["wechatpay_public_key_id"], public);
        assert_eq!(merchant["platform_certificates"].as_array().unwrap().len(), count);
        assert_eq!(merchant["sub_merchants"][0]["mchid"], "1900000301");
        assert_eq!(told["wechat"][1]["mchid"], "1900000109");
    }
}
