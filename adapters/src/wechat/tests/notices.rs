//! Callbacks: what is opened, what is refused and why, and that nothing hostile gets further.

use domain::fact::{ProviderFact, RefundStanding};
use domain::money::Fen;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{refund_notice, sealed, signed_at, transaction, with};
use crate::provider::{
    Acknowledgement, Notice, NoticeError, NoticeFault, OpenedNotice, PaymentProvider as _,
};
use crate::testing::{NOW, now, wechat};
use crate::wire::Headers;

fn open(headers: &Headers, body: &[u8]) -> Result<OpenedNotice, NoticeError> {
    wechat().open_notice(&Notice { headers, body, received_at: now() })
}

/// Opens a notice that WeChat signs now.
fn opened(body: &[u8]) -> Result<OpenedNotice, NoticeError> {
    open(&signed_at(NOW, body), body)
}

/// The facts of an authentic notice; `None`: it could not be read.
fn facts(event_type: &str, plaintext: &Value) -> Option<Vec<ProviderFact>> {
    let notice = opened(&sealed(event_type, &plaintext.to_string())).unwrap();
    notice.unreadable.is_none().then_some(notice.facts)
}

/// Whatever is in it, it is WeChat's: it is kept whole, and nothing is taken from it.
#[track_caller]
fn check_unreadable(body: &[u8]) {
    let notice = opened(body).unwrap();
    assert!(notice.unreadable.is_some());
    assert_eq!(notice.facts, Vec::new());
    assert!(wechat().reread_notice(&notice.plaintext).is_err(), "it says no more the next day");
    assert_eq!(open(&Headers(Vec::new()), body).unwrap_err().fault, NoticeFault::Incomplete);
}

#[test]
fn a_payment_notice_is_a_payment_fact() {
    let notice = opened(&sealed("TRANSACTION.SUCCESS", &transaction().to_string())).unwrap();
    assert_eq!(notice.notice_id.as_deref(), Some("EV-1"));
    assert_eq!(notice.kind, "TRANSACTION.SUCCESS");
    let [ProviderFact::Payment(fact)] = notice.facts.as_slice() else { panic!("no payment") };
    assert_eq!((fact.amount, fact.coupon), (Fen::new(8000), Fen::new(100)));
    assert_eq!(wechat().reread_notice(&notice.plaintext).unwrap(), notice, "replayed alike");
}

#[test]
fn a_refund_notice_is_a_refund_fact() {
    for (word, standing) in [
        ("SUCCESS", RefundStanding::Succeeded),
        ("CLOSED", RefundStanding::Failed),
        ("ABNORMAL", RefundStanding::Abnormal),
    ] {
        let plaintext = with(refund_notice(), &json!({"refund_status": word}));
        let facts = facts(&format!("REFUND.{word}"), &plaintext).unwrap();
        let [ProviderFact::Refund(fact)] = facts.as_slice() else { panic!("no refund") };
        assert_eq!((fact.standing, fact.amount), (standing, Some(Fen::new(3000))));
        assert_eq!(fact.stated.payee.as_deref(), Some("1900000001"));
    }
    // An answer's word is not a notice's.
    let answer = with(refund_notice(), &json!({"refund_status": null, "status": "SUCCESS"}));
    assert_eq!(facts("REFUND.SUCCESS", &answer), None);
    let silent = with(refund_notice(), &json!({"amount": null}));
    let facts = facts("REFUND.SUCCESS", &silent).unwrap();
    let [ProviderFact::Refund(fact)] = facts.as_slice() else { panic!("no refund") };
    assert_eq!(fact.amount, None, "never guessed");
}

#[test]
fn an_event_that_the_hub_does_not_know_says_nothing_about_money() {
    for event in ["PAYSCORE.USER_PAID", "COMPLAINT.CREATE", "TRANSACTION.NEW"] {
        assert_eq!(facts(event, &transaction()), Some(Vec::new()));
    }
    let unpaid = with(transaction(), &json!({"trade_state": "NOTPAY"}));
    assert_eq!(facts("TRANSACTION.SUCCESS", &unpaid), Some(Vec::new()));
}

#[test]
fn t04_what_must_be_compared_is_told_as_wechat_states_it() {
    for (change, payee, app, currency, fen) in [
        (json!({"mchid": "1900000009"}), "1900000009", "wx8888888888888888", "CNY", 8000),
        (json!({"appid": "wx9"}), "1900000001", "wx9", "CNY", 8000),
        (
            json!({"amount": {"total": 1, "currency": "USD"}}),
            "1900000001",
            "wx8888888888888888",
            "USD",
            1,
        ),
    ] {
        let facts = facts("TRANSACTION.SUCCESS", &with(transaction(), &change)).unwrap();
        let [ProviderFact::Payment(fact)] = facts.as_slice() else { panic!("no payment") };
        assert_eq!(fact.stated.payee.as_deref(), Some(payee));
        assert_eq!(fact.stated.app.as_deref(), Some(app));
        assert_eq!(fact.stated.currency.as_deref(), Some(currency));
        assert_eq!(fact.amount, Fen::new(fen));
    }
    // What names nobody cannot be compared.
    for field in ["mchid", "appid", "out_trade_no", "transaction_id", "success_time", "amount"] {
        let lacking = with(transaction(), &json!({ field: null }));
        assert_eq!(facts("TRANSACTION.SUCCESS", &lacking), None, "{field}");
    }
    let lacking = with(refund_notice(), &json!({"mchid": null}));
    assert_eq!(facts("REFUND.SUCCESS", &lacking), None);
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut Vec<(String, String)>), expected: NoticeFault) {
    let body = sealed("TRANSACTION.SUCCESS", &transaction().to_string());
    let mut headers = signed_at(NOW, &body);
    change(&mut headers.0);
    assert_eq!(open(&headers, &body).unwrap_err().fault, expected);
}

fn set(headers: &mut [(String, String)], name: &str, value: &str) {
    let header = headers.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)).unwrap();
    header.1 = value.to_owned();
}

#[test]
fn t05_no_way_around_the_signature() {
    let names =
        ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature"];
    for name in names {
        let gone = |headers: &mut Vec<(String, String)>| {
            headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        };
        check_refused(gone, NoticeFault::Incomplete);
        check_refused(|headers| set(headers, name, ""), NoticeFault::Incomplete);
        let twice = |headers: &mut Vec<(String, String)>| {
            headers.push((name.to_lowercase(), "1".to_owned()));
        };
        check_refused(twice, NoticeFault::Incomplete);
    }
    check_refused(Vec::clear, NoticeFault::Incomplete);
    let local = |headers: &mut Vec<(String, String)>| {
        headers.clear();
        headers.push(("Host".to_owned(), "localhost".to_owned()));
    };
    check_refused(local, NoticeFault::Incomplete);
    let serial = "PUB_KEY_ID_0114232134912410000000000001";
    check_refused(|headers| set(headers, "Wechatpay-Serial", serial), NoticeFault::UnknownKey);
    for kind in ["WECHATPAY2-SM2-WITH-SM3", "MD5", ""] {
        let typed = |headers: &mut Vec<(String, String)>| {
            headers.push(("Wechatpay-Signature-Type".to_owned(), kind.to_owned()));
        };
        check_refused(typed, NoticeFault::WrongAlgorithm);
    }
    let right = ("Wechatpay-Signature-Type".to_owned(), "WECHATPAY2-SHA256-RSA2048".to_owned());
    let body = sealed("TRANSACTION.SUCCESS", &transaction().to_string());
    let mut headers = signed_at(NOW, &body);
    headers.0.push(right.clone());
    assert!(open(&headers, &body).is_ok());
    headers.0.push(right);
    assert_eq!(open(&headers, &body).unwrap_err().fault, NoticeFault::WrongAlgorithm);
}

#[test]
fn t05_a_changed_body_nonce_or_time_is_not_wechat_s() {
    let bad = NoticeFault::BadSignature;
    check_refused(|headers| set(headers, "Wechatpay-Nonce", "other"), bad);
    check_refused(|headers| set(headers, "Wechatpay-Timestamp", &(NOW + 1).to_string()), bad);
    let body = sealed("TRANSACTION.SUCCESS", &transaction().to_string());
    let headers = signed_at(NOW, &body);
    for index in [0, body.len() / 2, body.len() - 1] {
        let mut changed = body.clone();
        changed[index] ^= 1;
        assert_eq!(open(&headers, &changed).unwrap_err().fault, bad);
    }
    let mut longer = body.clone();
    longer.push(b'\n');
    assert_eq!(open(&headers, &longer).unwrap_err().fault, bad);
}

#[test]
fn t06_a_notice_is_fresh_for_three_hundred_seconds_from_its_receipt() {
    let body = sealed("TRANSACTION.SUCCESS", &transaction().to_string());
    let headers = signed_at(NOW, &body);
    for (after, fresh) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
        let received_at = Timestamp::from_second(NOW + after).unwrap();
        let notice = Notice { headers: &headers, body: &body, received_at };
        let fault = wechat().open_notice(&notice).err().map(|error| error.fault);
        assert_eq!(fault, (!fresh).then_some(NoticeFault::Stale), "{after}");
    }
    for time in ["", "now", "-1543539600", "+1543539600", "1543539600.0", " 1543539600"] {
        check_refused(|headers| set(headers, "Wechatpay-Timestamp", time), NoticeFault::Incomplete);
    }
    let far = "9".repeat(40);
    check_refused(|headers| set(headers, "Wechatpay-Timestamp", &far), NoticeFault::Incomplete);
}

#[test]
fn t06_a_kept_notice_is_read_again_at_any_later_time() {
    let notice = opened(&sealed("REFUND.SUCCESS", &refund_notice().to_string())).unwrap();
    assert_eq!(wechat().reread_notice(&notice.plaintext).unwrap().facts, notice.facts);
    for foreign in [&b""[..], b"{}", b"[]", b"success"] {
        assert_eq!(wechat().reread_notice(foreign).unwrap_err().fault, NoticeFault::Unreadable);
    }
}

#[test]
fn t08_a_probe_fails_like_any_wrong_signature() {
    let probe = "WECHATPAY/SIGNTEST/dGhpcyBpcyBhIHByb2Jl";
    check_refused(|headers| set(headers, "Wechatpay-Signature", probe), NoticeFault::BadSignature);
}

/// A resource around which the envelope is good.
fn resource(change: &Value) -> Vec<u8> {
    let body = sealed("TRANSACTION.SUCCESS", &transaction().to_string());
    let mut envelope: Value = serde_json::from_slice(&body).unwrap();
    envelope["resource"] = with(envelope["resource"].clone(), change);
    envelope.to_string().into_bytes()
}

#[test]
fn t19_a_hostile_body_says_nothing_even_when_it_is_signed() {
    for length in (0..32).filter(|length| *length != 12) {
        check_unreadable(&resource(&json!({"nonce": "n".repeat(length)})));
    }
    for change in [
        json!({"algorithm": "AEAD_SM4_GCM"}),
        json!({"ciphertext": "not base64"}),
        json!({"ciphertext": ""}),
        json!({"ciphertext": "AAAA"}),
        json!({"ciphertext": 1}),
        json!({"associated_data": "other"}),
        json!({"associated_data": null}),
        json!({"nonce": null}),
    ] {
        check_unreadable(&resource(&change));
    }
    let whole = sealed("TRANSACTION.SUCCESS", &transaction().to_string());
    for end in [0, 1, 10, whole.len() / 2, whole.len() - 1] {
        check_unreadable(&whole[..end]);
    }
    for plaintext in ["", "null", "[]", "not json", "{\"mchid\":1}", &"[".repeat(100_000)] {
        check_unreadable(&sealed("TRANSACTION.SUCCESS", plaintext));
    }
    check_unreadable(&"[".repeat(1_000_000).into_bytes());
    check_unreadable(&vec![b'{'; 5 * 1024 * 1024]);
    let huge = with(transaction(), &json!({"amount": {"total": 1e30, "currency": "CNY"}}));
    assert_eq!(facts("TRANSACTION.SUCCESS", &huge), None);
}

#[test]
fn a_notice_under_another_apiv3_key_is_read_again_once_the_key_is_right() {
    let text = transaction().to_string();
    let other = crate::keys::seal_aes_256_gcm(
        &[b'k'; 32],
        b"uluk4a9R25RW",
        b"transaction",
        text.as_bytes(),
    );
    let ciphertext =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, other.unwrap());
    let body = resource(&json!({"ciphertext": ciphertext}));
    let notice = opened(&body).unwrap();
    assert_eq!(
        (notice.notice_id.as_deref(), notice.kind.as_str()),
        (Some("EV-1"), "TRANSACTION.SUCCESS")
    );
    assert_eq!(notice.plaintext, body);
    check_unreadable(&body);
    // What a body under the right key is kept as, had the key been wrong when it came.
    let right = sealed("TRANSACTION.SUCCESS", &text);
    assert_eq!(wechat().reread_notice(&right).unwrap(), opened(&right).unwrap());
}

#[test]
fn a_kept_notice_that_never_decrypted_is_not_read_as_a_decrypted_one() {
    let resource = json!({"algorithm": "AEAD_AES_256_GCM", "ciphertext": "AAAA"});
    let body = json!({"id": "EV-1", "event_type": "SOMETHING.NEW", "resource": resource});
    check_unreadable(body.to_string().as_bytes());
}

#[test]
fn a_sealed_resource_inside_a_sealed_one_says_nothing_now_or_when_it_is_read_again() {
    let whole: Value =
        serde_json::from_slice(&sealed("TRANSACTION.SUCCESS", &transaction().to_string())).unwrap();
    for within in [json!({"ciphertext": "AAAA"}), whole["resource"].clone()] {
        for kind in ["TRANSACTION.SUCCESS", "REFUND.SUCCESS", "SOMETHING.NEW"] {
            check_unreadable(&sealed(kind, &within.to_string()));
        }
    }
}

#[test]
fn a_payment_is_read_whatever_words_are_added_to_it() {
    let more =
        json!({"ciphertext": "AAAA", "algorithm": "AEAD_AES_256_GCM", "nonce": "uluk4a9R25RW"});
    let body = sealed("TRANSACTION.SUCCESS", &with(transaction(), &more).to_string());
    let notice = opened(&body).unwrap();
    assert!(matches!(notice.facts.as_slice(), [ProviderFact::Payment(_)]));
    assert_eq!(wechat().reread_notice(&notice.plaintext).unwrap().facts, notice.facts);
}

#[test]
fn what_cannot_be_read_is_told_without_what_was_sealed() {
    let plaintext = with(transaction(), &json!({"out_trade_no": 13_812_341_234_u64}));
    let notice = opened(&sealed("TRANSACTION.SUCCESS", &plaintext.to_string())).unwrap();
    let why = notice.unreadable.clone().unwrap();
    assert!(!why.contains("13812341234"), "{why}");
    assert!(!format!("{notice:?}").contains("13812341234"));
}

#[test]
fn t34_a_log_shows_nothing_of_the_payer() {
    let plaintext = with(transaction(), &json!({"payer": {"openid": "oUpF8uMuAJO"}}));
    let body = sealed("TRANSACTION.SUCCESS", &plaintext.to_string());
    let opened = opened(&body).unwrap();
    assert!(String::from_utf8_lossy(&opened.plaintext).contains("oUpF8uMuAJO"), "kept");
    let bytes = format!("{:?}", b"oUpF8uMuAJO");
    let shown = format!("{opened:?}");
    assert!(!shown.contains("oUpF8uMuAJO") && !shown.contains(bytes.trim_matches(['[', ']'])));
    assert!(!format!("{:?}", wechat()).contains("payhubtestsonly"));
}

#[test]
fn an_empty_associated_data_opens_when_it_was_sealed_so() {
    let key = crate::testing::fixture("keys/wechat_v3_key.txt");
    let text = transaction().to_string();
    let sealed =
        crate::keys::seal_aes_256_gcm(key.as_bytes(), b"uluk4a9R25RW", b"", text.as_bytes());
    let ciphertext =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, sealed.unwrap());
    let absent = resource(&json!({"ciphertext": ciphertext, "associated_data": null}));
    assert_eq!(opened(&absent).unwrap().facts.len(), 1);
}

#[test]
fn t03_the_acknowledgement_is_wechat_s_own() {
    let taken = wechat().acknowledge(b"", Acknowledgement::Taken);
    assert_eq!((taken.status, taken.body), (200, &b""[..]));
    for (word, status) in [(Acknowledgement::Refused, 401), (Acknowledgement::TryAgain, 503)] {
        let reply = wechat().acknowledge(b"", word);
        assert_eq!((reply.status, reply.content_type), (status, Some("application/json")));
        let body: Value = serde_json::from_slice(reply.body).unwrap();
        assert_eq!(body["code"], "FAIL");
        assert!(body["message"].is_string());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn t19_random_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..600)) {
        // What begins like XML is the old interface's, and has its own tests.
        prop_assume!(!super::super::notice::is_v2(&body));
        prop_assert!(opened(&body).unwrap().unreadable.is_some());
        prop_assert!(wechat().reread_notice(&body).is_err());
        let plaintext = String::from_utf8_lossy(&body).into_owned();
        let notice = opened(&sealed("TRANSACTION.SUCCESS", &plaintext)).unwrap();
        prop_assert!(notice.unreadable.is_some());
    }
}
