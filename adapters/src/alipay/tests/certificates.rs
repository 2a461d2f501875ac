//! Certificate mode: numbers, chains, and a certificate that changes while the hub runs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::fact::ProviderFact;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{answer, form, node_name, payment, with};
use crate::alipay::certificate::{Roots, number};
use crate::alipay::order::QUERY;
use crate::alipay::renewal::DOWNLOAD;
use crate::alipay::{Alipay, AlipayConfig, Proof};
use crate::keys::{Link, SigningKey};
use crate::provider::{Learned, Notice, NoticeFault, PaymentProvider as _, RenewedKeys};
use crate::settings::SettingError;
use crate::testing::{
    TRADE_NO, alipay_config, alipay_key, fixture, headers, now, order_key, public_vectors, said,
    signing_key, stamp, standing, trade_no, wechatpay_key, word,
};
use crate::wire::{Answer, Outcome};

const GATEWAY: &str = "https://openapi.alipay.com/gateway.do";
/// As `openssl` and `md5sum` give them.
const ALIPAY: &str = "6d21fb2c4916a68c3cb8ad13d84027a5";
const NEXT: &str = "f1e600081ce4bbde0feec51b0072d7b2";
const APP: &str = "dc40d2f2ba441efdf4e14ccc01ba60cc";
const ROOT: &str = "e5ff132870a6ef9db5dedcb4971357fb";

fn file(name: &str) -> String {
    fixture(&format!("certificates/{name}.crt"))
}

fn config(alipay: String, root: String) -> AlipayConfig {
    let proof = Proof::Certificates { app: file("app"), alipay, root };
    AlipayConfig { proof, ..alipay_config(GATEWAY) }
}

fn hub() -> Alipay {
    Alipay::new(config(file("alipay"), file("alipay_root"))).unwrap()
}

fn fault(alipay: String, root: String) -> SettingError {
    Alipay::new(config(alipay, root)).unwrap_err()
}

fn first(pem: &str) -> Link {
    Link::read_all(pem).remove(0).unwrap()
}

/// An answer to `method`, signed by the key of the certificate that it names.
fn signed_by(key: &SigningKey, named: Option<&str>, method: &str, node: &Value) -> Answer {
    let node = node.to_string();
    let sign = key.sign(node.as_bytes()).unwrap();
    let named = named.map(|sn| format!(",\"alipay_cert_sn\":\"{sn}\"")).unwrap_or_default();
    answer(&format!("{{\"{}\":{node},\"sign\":\"{sign}\"{named}}}", node_name(method)))
}

fn unpaid() -> Value {
    json!({"code": "10000", "out_trade_no": TRADE_NO, "trade_status": "WAIT_BUYER_PAY"})
}

#[track_caller]
fn check_query(hub: &Alipay, key: &SigningKey, named: Option<&str>, expected: &str) {
    let answer = signed_by(key, named, QUERY, &unpaid());
    let outcome = hub.read_order(&order_key(&trade_no()), &answer, now());
    assert_eq!(said(&outcome, standing), expected);
}

/// The answer with the certificates of `file`, signed by `key`.
fn download(name: &str, key: &SigningKey, named: Option<&str>) -> Answer {
    let content = STANDARD.encode(file(name));
    let node = json!({"code": "10000", "msg": "Success", "alipay_cert_content": content});
    signed_by(key, named, DOWNLOAD, &node)
}

/// A hub to which an answer named the first certificate of `name`.
fn missing(name: &str) -> (Alipay, String) {
    let (hub, number) = (hub(), number(&first(&file(name))));
    check_query(&hub, wechatpay_key(), Some(&number), "unknown");
    assert!(hub.is_key_missing());
    (hub, number)
}

#[test]
fn a_certificate_s_number_is_padded_and_made_from_name_and_serial() {
    assert_eq!(number(&first(&file("alipay"))), ALIPAY);
    assert_eq!(number(&first(&file("alipay_next"))), NEXT);
    assert_eq!(number(&first(&file("app"))), APP);
    // The ECDSA root stands in the bundle and does not count; what is unreadable does neither.
    assert_eq!(Roots::read(&file("alipay_root")).unwrap().number, ROOT);
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let bundle = format!("{broken}{}", file("alipay_root"));
    assert_eq!(Roots::read(&bundle).unwrap().number, ROOT);
    assert!(Roots::read(broken).is_none());
}

#[test]
fn published_certificates_have_their_published_numbers() {
    let Some(folder) = public_vectors() else { return };
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    for (name, expected) in [
        ("alipay_appCertPublicKey_2021001161683774.crt", "866efef280dec9137a87d047ac446315"),
        ("alipay_alipayCertPublicKey_RSA2.crt", "7513daaaa48aa3ba2e4018d84402479c"),
    ] {
        assert_eq!(number(&first(&read(name))), expected);
    }
    assert_eq!(
        Roots::read(&read("alipay_alipayRootCert.crt")).unwrap().number,
        "687b59193f3f462dd5336e5abf83c5d8_02941eef3187dddf3d3b83462e1dfcf6"
    );
}

#[test]
fn a_file_with_long_lines_or_windows_ends_is_the_same_certificate() {
    let pem = file("alipay");
    let block: Vec<&str> = pem.lines().take_while(|line| !line.starts_with("-----END")).collect();
    let base64: String = block.iter().skip(1).copied().collect();
    let long = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----");
    assert_eq!(number(&first(&long)), ALIPAY);
    assert_eq!(number(&first(&pem.replace('\n', "\r\n"))), ALIPAY);
}

#[test]
fn a_wrong_certificate_is_named_by_its_setting() {
    let (alipay, root) = (|| file("alipay"), || file("alipay_root"));
    assert_eq!(fault(String::new(), root()).key, "alipay_cert");
    assert_eq!(fault(alipay(), String::new()).key, "alipay_root_cert");
    assert_eq!(fault(alipay(), "no PEM".to_owned()).key, "alipay_root_cert");
    // Issued under another root, or by somebody who is no authority.
    assert_eq!(fault(file("alipay_foreign"), root()).key, "alipay_cert");
    assert_eq!(fault(alipay(), file("foreign_root")).key, "alipay_cert");
    assert_eq!(fault(file("alipay_forged"), root()).key, "alipay_cert");
    // Its own certificate alone, as Alipay's published file holds it, is its operator's word.
    let leaf = alipay().split_inclusive("-----END CERTIFICATE-----\n").next().unwrap().to_owned();
    let hub = Alipay::new(config(leaf, root())).unwrap();
    check_query(&hub, alipay_key(), Some(ALIPAY), "unpaid");
    check_query(&hub, wechatpay_key(), Some(ALIPAY), "unknown");
    let mut others = config(alipay(), root());
    others.app_private_key = signing_key("wechat_merchant");
    assert_eq!(Alipay::new(others).unwrap_err().key, "app_cert");
    let mut absent = config(alipay(), root());
    absent.proof = Proof::Certificates { app: "?".to_owned(), alipay: alipay(), root: root() };
    assert_eq!(Alipay::new(absent).unwrap_err().key, "app_cert");
}

#[test]
fn every_request_names_its_certificates() {
    let call = hub().query_order(&order_key(&trade_no()));
    let request = hub().sign(&call, &stamp()).unwrap();
    assert!(request.url.contains(&format!("&app_cert_sn={APP}&")), "{}", request.url);
    assert!(request.url.contains(&format!("alipay_root_cert_sn={ROOT}&")), "{}", request.url);
    let key_mode = crate::testing::alipay().sign(&call, &stamp()).unwrap();
    assert!(!key_mode.url.contains("cert_sn"));
}

#[test]
fn t11_an_answer_is_proved_by_the_certificate_that_it_names() {
    let hub = hub();
    check_query(&hub, alipay_key(), Some(ALIPAY), "unpaid");
    check_query(&hub, alipay_key(), None, "unpaid");
    check_query(&hub, wechatpay_key(), Some(ALIPAY), "unknown");
    check_query(&hub, wechatpay_key(), None, "unknown");
    assert!(!hub.is_key_missing(), "a wrong signature is no missing key");
    check_query(&hub, alipay_key(), Some("no number"), "unknown");
    assert!(!hub.is_key_missing() && hub.ask_keys().is_none());
}

#[test]
fn a_certificate_that_alipay_begins_to_sign_with_is_fetched_once_and_both_verify() {
    let (hub, number) = missing("alipay_next");
    assert_eq!(number, NEXT);
    let call = hub.ask_keys().unwrap();
    assert_eq!(call.target, DOWNLOAD);
    assert_eq!(call.body, format!("{{\"alipay_cert_sn\":\"{NEXT}\"}}"));
    // Alipay signs this answer with the new one already.
    let learned = hub.learn_keys(&download("alipay_next", wechatpay_key(), Some(NEXT)), now());
    assert_eq!(learned, Outcome::Accepted(Learned::New(1)));
    assert!(!hub.is_key_missing() && hub.ask_keys().is_none());
    check_query(&hub, wechatpay_key(), Some(NEXT), "unpaid");
    check_query(&hub, alipay_key(), Some(ALIPAY), "unpaid");
    check_query(&hub, wechatpay_key(), Some(ALIPAY), "unknown");
    check_query(&hub, wechatpay_key(), None, "unknown");
}

#[test]
fn a_download_that_the_old_certificate_signs_is_taken_too() {
    for named in [Some(ALIPAY), None] {
        let (hub, _) = missing("alipay_next");
        let learned = hub.learn_keys(&download("alipay_next", alipay_key(), named), now());
        assert_eq!(learned, Outcome::Accepted(Learned::New(1)));
    }
}

#[test]
fn t05_a_certificate_that_is_not_proved_is_never_taken() {
    for name in ["alipay_foreign", "alipay_forged", "developer"] {
        let (hub, number) = missing(name);
        let key = if name == "developer" {
            signing_key("wechat_merchant")
        } else {
            signing_key("wechatpay_platform")
        };
        for named in [Some(number.as_str()), Some(ALIPAY), None] {
            let signer = if named == Some(number.as_str()) { &key } else { alipay_key() };
            let learned = hub.learn_keys(&download(name, signer, named), now());
            assert_eq!(word(&learned), "unknown", "{name} {named:?}");
        }
        check_query(&hub, &key, Some(&number), "unknown");
        assert!(hub.is_key_missing(), "{name}");
    }
}

#[test]
fn t05_an_unsigned_or_wrong_download_leaves_the_ring_as_it_was() {
    let (hub, _) = missing("alipay_next");
    let node =
        json!({"code": "10000", "alipay_cert_content": STANDARD.encode(file("alipay_next"))});
    let unsigned = answer(&format!("{{\"{}\":{node}}}", node_name(DOWNLOAD)));
    let not_asked = download("alipay_short", alipay_key(), Some(ALIPAY));
    let nonsense = json!({"code": "10000", "alipay_cert_content": "???"});
    let nonsense = signed_by(alipay_key(), Some(ALIPAY), DOWNLOAD, &nonsense);
    let wrong_key = download("alipay_next", alipay_key(), Some(NEXT));
    for answer in [unsigned, not_asked, nonsense, wrong_key, answer("<html>")] {
        assert_eq!(word(&hub.learn_keys(&answer, now())), "unknown");
        assert!(hub.is_key_missing());
    }
    check_query(&hub, wechatpay_key(), Some(NEXT), "unknown");
    check_query(&hub, alipay_key(), Some(ALIPAY), "unpaid");
}

#[test]
fn a_certificate_that_alipay_does_not_have_is_not_asked_for_again() {
    let (hub, _) = missing("alipay_next");
    let none = json!({"code": "40004", "sub_code": "CERT_NOT_EXIST"});
    let none = signed_by(alipay_key(), Some(ALIPAY), DOWNLOAD, &none);
    assert_eq!(word(&hub.learn_keys(&none, now())), "refused not_found");
    assert!(!hub.is_key_missing() && hub.ask_keys().is_none());
}

#[test]
fn a_certificate_whose_time_is_over_proves_nothing() {
    let over: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let hub = Alipay::new(config(file("alipay_short"), file("alipay_root"))).unwrap();
    let short = number(&first(&file("alipay_short")));
    assert!(hub.keys_expire_at().unwrap() < over);
    let answer = signed_by(wechatpay_key(), Some(&short), QUERY, &unpaid());
    let read = |at| word(&hub.read_order(&order_key(&trade_no()), &answer, at));
    assert_eq!((read(now()), read(over)), ("accepted".to_owned(), "unknown".to_owned()));
    let (next, _) = missing("alipay_short");
    let late = next.learn_keys(&download("alipay_short", alipay_key(), Some(ALIPAY)), over);
    assert_eq!(word(&late), "unknown");
}

fn noticed(key: &SigningKey, named: &str) -> Vec<u8> {
    let parameters = with(payment(), &[("alipay_cert_sn", named)]);
    let text: Vec<String> = parameters.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let sign = key.sign(text.join("&").as_bytes()).unwrap();
    form(&parameters, &[("sign_type", "RSA2"), ("sign", &sign)])
}

#[test]
fn a_notice_is_proved_by_the_certificate_that_it_names_or_by_any_of_the_ring() {
    let none = headers(&[]);
    let open = |hub: &Alipay, key: &SigningKey, named: &str| {
        let body = noticed(key, named);
        hub.open_notice(&Notice { headers: &none, body: &body, received_at: now() })
            .map(|opened| matches!(opened.facts.as_slice(), [ProviderFact::Payment(_)]))
            .map_err(|refused| refused.fault)
    };
    let hub = hub();
    assert_eq!(open(&hub, alipay_key(), ""), Ok(true));
    assert_eq!(open(&hub, alipay_key(), ALIPAY), Ok(true));
    assert_eq!(open(&hub, wechatpay_key(), ""), Err(NoticeFault::BadSignature));
    assert_eq!(open(&hub, wechatpay_key(), ALIPAY), Err(NoticeFault::BadSignature));
    assert!(!hub.is_key_missing());
    assert_eq!(open(&hub, wechatpay_key(), NEXT), Err(NoticeFault::UnknownKey));
    assert!(hub.is_key_missing());
    let learned = hub.learn_keys(&download("alipay_next", wechatpay_key(), Some(NEXT)), now());
    assert_eq!(word(&learned), "accepted");
    assert_eq!(open(&hub, wechatpay_key(), NEXT), Ok(true));
    assert_eq!(open(&hub, wechatpay_key(), ""), Ok(true));
}

#[test]
fn a_forged_notice_does_not_take_the_place_of_what_an_answer_named() {
    let (hub, _) = missing("alipay_next");
    let (none, body) = (headers(&[]), noticed(wechatpay_key(), &"0".repeat(32)));
    let notice = Notice { headers: &none, body: &body, received_at: now() };
    assert_eq!(hub.open_notice(&notice).unwrap_err().fault, NoticeFault::UnknownKey);
    assert!(hub.ask_keys().unwrap().body.contains(NEXT));
}

#[test]
fn in_key_mode_nothing_is_renewed() {
    let hub = crate::testing::alipay();
    assert!(hub.renewed_keys().is_none());
    assert!(self::hub().renewed_keys().is_some());
    assert!(hub.ask_keys().is_none() && hub.keys_expire_at().is_none());
}
