//! Alipay in certificate mode, with sealed contents, for another seller.

use std::collections::BTreeMap;

use aws_lc_rs::cipher::{
    AES_128, DecryptingKey, DecryptionContext, EncryptionContext, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::signature::Verifier as _;
use serde_json::{Value, json};
use sha2::Sha256;
use x509_parser::pem::Pem;

use crate::alipay_office::{URL, beside, body, node_text, office_of, order};
use crate::office::{APP_ID, Office, alipay_node, alipay_verifies, hex, office};

const QUERY: &str = "alipay.trade.query";
const PRECREATE: &str = "alipay.trade.precreate";

fn certificates(text: &str) -> Vec<Vec<u8>> {
    Pem::iter_from_buffer(text.as_bytes()).map(|block| block.unwrap().contents).collect()
}

/// As the manual has it: MD5 over the issuer, written from the last part, and the serial's digits.
fn sn(der: &[u8]) -> String {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).unwrap();
    let issuer = certificate.issuer().to_string();
    let parts: Vec<&str> = issuer.split(", ").collect();
    let turned: Vec<&str> = parts.into_iter().rev().collect();
    hex(&Md5::digest(format!("{}{}", turned.join(","), certificate.serial)))
}

fn proves(certificate: &[u8], message: &str, signature: &str) -> bool {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).unwrap();
    let bare = &certificate.public_key().subject_public_key.data;
    let key = VerifyingKey::<Sha256>::new(rsa::PublicKey::from_pkcs1_der(bare).unwrap());
    let signature = Signature::try_from(STANDARD.decode(signature).unwrap().as_slice()).unwrap();
    key.verify(message.as_bytes(), &signature).is_ok()
}

struct Certified {
    office: Office,
    app_sn: String,
    root_sn: String,
}

impl Certified {
    fn new() -> Self {
        let office = office_of(|app| app.certificates = true);
        let told = connection(&office);
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        let roots = certificates(&text("alipay_root_cert"));
        let counted: Vec<String> = roots
            .iter()
            .filter(|der| {
                let (_, root) = x509_parser::parse_x509_certificate(der).unwrap();
                root.signature_algorithm.algorithm.to_id_string().starts_with("1.2.840.113549.1.1")
            })
            .map(|der| sn(der))
            .collect();
        assert!(counted.len() < roots.len(), "one root does not count");
        let app_sn = sn(&certificates(&text("app_cert"))[0]);
        Self { office, app_sn, root_sn: counted.join("_") }
    }

    fn parameters(&self, method: &str, content: &Value) -> BTreeMap<String, String> {
        let mut parameters = self.office.alipay_parameters(method, content, None);
        parameters.insert("app_cert_sn".to_owned(), self.app_sn.clone());
        parameters.insert("alipay_root_cert_sn".to_owned(), self.root_sn.clone());
        parameters
    }

    /// The answer's text, its node's, and the number of the certificate that signed.
    fn ask(&self, method: &str, content: &Value) -> (String, String, String) {
        let text = body(&self.office.alipay_reply(self.parameters(method, content)));
        let node = node_text(&text, &format!("{}_response", method.replace('.', "_")));
        let certificate = beside(&text, "alipay_cert_sn").unwrap();
        (text, node, certificate)
    }
}

fn connection(office: &Office) -> Value {
    let reply = office.engine.answer(&sandbox::Received {
        method: "GET".to_owned(),
        target: "/sandbox/connection".to_owned(),
        headers: vec![("Host".to_owned(), "127.0.0.1:9010".to_owned())],
        body: Vec::new(),
    });
    let whole: Value = serde_json::from_slice(&reply.body).unwrap();
    whole["alipay"][0].clone()
}

#[test]
fn an_answer_names_the_certificate_that_proves_it() {
    let certified = Certified::new();
    let content = order("A0001", "FACE_TO_FACE_PAYMENT");
    let (text, node, named) = certified.ask(PRECREATE, &content);
    let chain = certificates(connection(&certified.office)["alipay_cert"].as_str().unwrap());
    assert_eq!(sn(&chain[0]), named);
    assert!(proves(&chain[0], &node, &beside(&text, "sign").unwrap()));
}

#[test]
fn a_request_must_name_the_applications_certificate_and_the_roots() {
    let certified = Certified::new();
    let content = order("A0001", "FACE_TO_FACE_PAYMENT");
    for (name, value, sub_code) in [
        ("app_cert_sn", "", "isv.missing-app-cert-sn"),
        ("alipay_root_cert_sn", "", "isv.missing-alipay-root-cert-sn"),
        ("app_cert_sn", "0123456789abcdef0123456789abcdef", "isv.app-cert-not-exist"),
        ("alipay_root_cert_sn", "0123_4567", "isv.invalid-alipay-root-cert-sn"),
    ] {
        let mut parameters = certified.parameters(PRECREATE, &content);
        parameters.remove(name);
        if !value.is_empty() {
            parameters.insert(name.to_owned(), value.to_owned());
        }
        let text = body(&certified.office.alipay_reply(parameters));
        assert!(text.contains(&format!("\"sub_code\":\"{sub_code}\"")), "{text}");
    }
    assert!(certified.office.engine.state().orders.is_empty());
}

#[test]
fn after_a_rotation_the_new_certificate_signs_and_can_be_fetched_and_chained_to_the_root() {
    let certified = Certified::new();
    let content = order("A0001", "FACE_TO_FACE_PAYMENT");
    let (_, _, before) = certified.ask(PRECREATE, &content);
    let told = connection(&certified.office);
    certified.office.engine.rotate_key(APP_ID, false).unwrap();
    let (text, node, now) = certified.ask(PRECREATE, &content);
    assert_ne!(now, before);
    let method = "alipay.open.app.alipaycert.download";
    let fetch = |sn: &str| {
        let (_, node, _) = certified.ask(method, &json!({"alipay_cert_sn": sn}));
        serde_json::from_str::<Value>(&node).unwrap()
    };
    let fetched = fetch(&now);
    let content = STANDARD.decode(fetched["alipay_cert_content"].as_str().unwrap()).unwrap();
    let chain = certificates(&String::from_utf8(content).unwrap());
    assert_eq!(sn(&chain[0]), now);
    assert!(proves(&chain[0], &node, &beside(&text, "sign").unwrap()));
    let roots = certificates(told["alipay_root_cert"].as_str().unwrap());
    let read =
        |der: &[u8]| x509_parser::parse_x509_certificate(der).unwrap().1.issuer().to_string();
    assert_eq!(read(&chain[1]), read(&roots[1]), "the intermediate is the root's");
    assert!(fetch(&before)["alipay_cert_content"].is_string(), "the old one stays");
    assert_eq!(fetch("00")["sub_code"], "isv.alipay-cert-not-exist");
}

#[test]
fn notices_come_under_the_key_of_the_certificate() {
    let certified = Certified::new();
    let mut parameters = certified.parameters(PRECREATE, &order("A0001", "FACE_TO_FACE_PAYMENT"));
    parameters.insert("notify_url".to_owned(), URL.to_owned());
    certified.office.alipay_reply(parameters);
    certified.office.engine.pay("A0001", true).unwrap();
    assert_eq!(certified.office.alipay_notice("A0001")["trade_status"], "TRADE_SUCCESS");
}

const KEY: &str = "cGF5aHViIHRlc3QgYWVzIQ==";

fn cipher() -> UnboundCipherKey {
    UnboundCipherKey::new(&AES_128, &STANDARD.decode(KEY).unwrap()).unwrap()
}

fn sealed(plain: &str) -> String {
    let mut bytes = plain.as_bytes().to_vec();
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(cipher()).unwrap();
    key.less_safe_encrypt(&mut bytes, EncryptionContext::Iv128([0; 16].into())).unwrap();
    STANDARD.encode(bytes)
}

fn opened(sealed: &str) -> Value {
    let mut bytes = STANDARD.decode(sealed).unwrap();
    let key = DecryptingKey::cbc(cipher()).unwrap();
    let plain = key.decrypt(&mut bytes, DecryptionContext::Iv128([0; 16].into())).unwrap();
    let padding = usize::from(*plain.last().unwrap());
    let end = plain.len().checked_sub(padding).unwrap();
    serde_json::from_slice(&plain[..end]).unwrap()
}

#[test]
fn a_sealed_content_is_answered_sealed_and_signed_with_its_quotes() {
    let office = office();
    let ask = |biz_content: &str| {
        let mut parameters = office.alipay_parameters(PRECREATE, &json!({}), None);
        parameters.insert("encrypt_type".to_owned(), "AES".to_owned());
        parameters.insert("biz_content".to_owned(), biz_content.to_owned());
        body(&office.alipay_reply(parameters))
    };
    let content = order("A0001", "FACE_TO_FACE_PAYMENT").to_string();
    let text = ask(&sealed(&content));
    let node = node_text(&text, "alipay_trade_precreate_response");
    assert!(node.starts_with('"') && node.ends_with('"'), "{node}");
    assert!(alipay_verifies(node.as_bytes(), &beside(&text, "sign").unwrap()));
    let plain = opened(node.trim_matches('"'));
    assert!(plain["qr_code"].as_str().unwrap().starts_with("https://qr.alipay.com/"));
    assert!(ask(&content).contains("isv.decryption-error-unknown"), "not sealed");
}

#[test]
fn without_a_key_a_sealed_content_is_refused_and_a_clear_one_is_answered_clear() {
    let office = office_of(|app| app.encrypt_key = None);
    let mut parameters = office.alipay_parameters(PRECREATE, &json!({}), None);
    parameters.insert("encrypt_type".to_owned(), "AES".to_owned());
    parameters.insert("biz_content".to_owned(), sealed("{}"));
    let text = body(&office.alipay_reply(parameters));
    assert!(text.contains("isv.decryption-error-not-valid-encrypt-key"), "{text}");
    assert_eq!(office.precreate("A0001", "1.00", URL)["code"], "10000");
}

fn acting(office: &Office, method: &str, content: &Value, token: &str) -> Value {
    let mut parameters = office.alipay_parameters(method, content, Some(URL));
    parameters.insert("app_auth_token".to_owned(), token.to_owned());
    let (node, signed) = alipay_node(method, &office.alipay_reply(parameters));
    assert!(signed, "{node}");
    node
}

#[test]
fn a_token_acts_for_its_seller_and_notices_name_both_applications() {
    let office = office_of(|app| {
        app.auth_tokens.insert("tokenA".to_owned(), "2088000000000001".to_owned());
        app.auth_tokens.insert("tokenB".to_owned(), "2088000000000002".to_owned());
    });
    let content = order("A0001", "FACE_TO_FACE_PAYMENT");
    assert_eq!(acting(&office, PRECREATE, &content, "tokenA")["code"], "10000");
    office.engine.pay("A0001", true).unwrap();
    let notice = office.alipay_notice("A0001");
    assert_eq!(notice["app_id"], APP_ID);
    assert_eq!(notice["auth_app_id"], "2021000000000001");
    assert_eq!(notice["seller_id"], "2088000000000001");
    let ask = json!({"out_trade_no": "A0001"});
    assert_eq!(acting(&office, QUERY, &ask, "tokenA")["trade_status"], "TRADE_SUCCESS");
    assert_eq!(acting(&office, QUERY, &ask, "tokenB")["sub_code"], "ACQ.TRADE_NOT_EXIST");
    assert_eq!(office.alipay(QUERY, &ask)["sub_code"], "ACQ.TRADE_NOT_EXIST", "its own");
}

#[test]
fn a_token_that_no_seller_gave_is_refused_under_a_signature() {
    let office = office();
    let content = order("A0001", "FACE_TO_FACE_PAYMENT");
    let told = acting(&office, PRECREATE, &content, "stranger");
    assert_eq!(
        (&told["code"], &told["sub_code"]),
        (&json!("20001"), &json!("aop.invalid-app-auth-token"))
    );
    let mut wrong = order("A0001", "FACE_TO_FACE_PAYMENT");
    wrong["seller_id"] = json!("2088000000000000");
    let told = acting(&office, PRECREATE, &wrong, "sandboxAppAuthToken");
    assert_eq!(told["sub_code"], "ACQ.INVALID_PARAMETER", "the token's seller is another");
}

#[test]
fn the_signature_may_stand_before_the_node() {
    let office = office_of(|app| app.sign_first = true);
    let parameters =
        office.alipay_parameters(PRECREATE, &order("A0001", "FACE_TO_FACE_PAYMENT"), None);
    let text = body(&office.alipay_reply(parameters));
    assert!(text.starts_with("{\"sign\":\""), "{text}");
    let node = node_text(&text, "alipay_trade_precreate_response");
    assert!(alipay_verifies(node.as_bytes(), &beside(&text, "sign").unwrap()));
}
