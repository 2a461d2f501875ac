//! Callbacks: what is opened, what is refused and why, and that a refund never looks like a
//! payment.

use std::collections::BTreeMap;

use domain::fact::{ProviderFact, RefundStanding};
use domain::money::Fen;
use encoding_rs::GB18030;
use proptest::prelude::*;

use super::{form, notice, payment, refunded, with};
use crate::provider::{
    Acknowledgement, Notice, NoticeError, NoticeFault, OpenedNotice, PaymentProvider as _,
};
use crate::testing::{REFUND_NO, alipay, alipay_key, headers, now};

fn open(body: &[u8]) -> Result<OpenedNotice, NoticeError> {
    let none = headers(&[]);
    alipay().open_notice(&Notice { headers: &none, body, received_at: now() })
}

fn facts(parameters: &BTreeMap<String, String>) -> Vec<ProviderFact> {
    open(&notice(parameters)).unwrap().facts
}

#[track_caller]
fn check_refused(body: &[u8], expected: NoticeFault) {
    assert_eq!(open(body).unwrap_err().fault, expected);
}

/// Whatever is in it, it is Alipay's: it is kept whole, and nothing is taken from it.
#[track_caller]
fn check_unreadable(parameters: &BTreeMap<String, String>) {
    let opened = open(&notice(parameters)).unwrap();
    assert!(opened.unreadable.is_some());
    assert_eq!(opened.facts, Vec::new());
    assert!(!opened.plaintext.is_empty());
    assert!(alipay().reread_notice(&opened.plaintext).is_err(), "it says no more the next day");
    check_refused(
        &form(parameters, &[("sign", "AAAA"), ("sign_type", "RSA2")]),
        NoticeFault::BadSignature,
    );
}

#[test]
fn a_payment_notice_is_a_payment_fact() {
    for status in ["TRADE_SUCCESS", "TRADE_FINISHED"] {
        let opened = open(&notice(&with(payment(), &[("trade_status", status)]))).unwrap();
        assert_eq!(opened.notice_id.as_deref(), Some("2018113000222085958050559358070"));
        assert_eq!(opened.kind, status);
        let [ProviderFact::Payment(fact)] = opened.facts.as_slice() else { panic!("no payment") };
        assert_eq!((fact.amount, fact.coupon), (Fen::new(8000), Fen::new(100)));
        assert_eq!(fact.paid_at.to_string(), "2018-11-30T00:59:58Z");
        assert_eq!(alipay().reread_notice(&opened.plaintext).unwrap(), opened, "replayed alike");
    }
}

#[test]
fn a_trade_that_took_no_money_says_nothing() {
    for status in ["WAIT_BUYER_PAY", "TRADE_CLOSED", "A_NEW_STATUS"] {
        let unpaid = with(payment(), &[("trade_status", status), ("gmt_payment", "")]);
        assert_eq!(facts(&unpaid), Vec::new(), "{status}");
    }
    let other = with(payment(), &[("notify_type", "fund_auth_freeze"), ("trade_status", "")]);
    assert_eq!(facts(&other), Vec::new());
}

#[test]
fn t17_a_refund_notice_never_marks_a_payment_again() {
    for status in ["TRADE_SUCCESS", "TRADE_FINISHED", "TRADE_CLOSED"] {
        let facts = facts(&with(refunded(), &[("trade_status", status)]));
        let [ProviderFact::Refund(fact)] = facts.as_slice() else { panic!("no refund") };
        assert_eq!(fact.out_refund_no.as_str(), REFUND_NO);
        assert_eq!(fact.standing, RefundStanding::Succeeded);
        assert_eq!(fact.amount, None, "refund_fee is the sum of all refunds");
        assert_eq!(fact.given_back, Some(Fen::new(3000)));
        assert_eq!(fact.at.unwrap().to_string(), "2018-11-30T01:00:00.123Z");
    }
    // Each mark alone is enough not to be a payment.
    for mark in [
        [("refund_fee", "30.00"), ("out_biz_no", ""), ("gmt_refund", "")],
        [("refund_fee", "nonsense"), ("out_biz_no", ""), ("gmt_refund", "")],
        [("refund_fee", ""), ("out_biz_no", ""), ("gmt_refund", "2018-11-30 09:00:00.123")],
    ] {
        // Nobody's refund: a person must look.
        let opened = open(&notice(&with(refunded(), &mark))).unwrap();
        assert_eq!(opened.facts, Vec::new(), "{mark:?}");
        let why = opened.unreadable.unwrap();
        assert!(why.contains("a refund that names no request number"), "{why}");
    }
    let under_way = facts(&with(refunded(), &[("gmt_refund", ""), ("refund_fee", "")]));
    let [ProviderFact::Refund(fact)] = under_way.as_slice() else { panic!("no refund") };
    assert_eq!(fact.standing, RefundStanding::Processing);
    assert_eq!(fact.given_back, None);
    check_unreadable(&with(refunded(), &[("refund_fee", "nonsense")]));
    let nothing_refunded = facts(&with(payment(), &[("refund_fee", "0.00")]));
    assert!(matches!(nothing_refunded.as_slice(), [ProviderFact::Payment(_)]));
}

#[test]
fn t04_what_must_be_compared_is_told_as_alipay_states_it() {
    let changed = with(
        payment(),
        &[
            ("seller_id", "2088000000000009"),
            ("app_id", "2021000000000009"),
            ("total_amount", "0.01"),
            ("trans_currency", "USD"),
        ],
    );
    let facts = facts(&changed);
    let [ProviderFact::Payment(fact)] = facts.as_slice() else { panic!("no payment") };
    assert_eq!(fact.stated.payee.as_deref(), Some("2088000000000009"));
    assert_eq!(fact.stated.app.as_deref(), Some("2021000000000009"));
    assert_eq!(fact.stated.currency.as_deref(), Some("USD"));
    assert_eq!(fact.amount, Fen::new(1));
    for name in ["seller_id", "app_id", "total_amount", "out_trade_no", "trade_no", "gmt_payment"] {
        check_unreadable(&with(payment(), &[(name, "")]));
    }
    check_unreadable(&with(payment(), &[("total_amount", "1e3")]));
    check_unreadable(&with(payment(), &[("notify_type", "")]));
}

#[test]
fn t05_no_way_around_the_signature() {
    let text: Vec<String> = payment().iter().map(|(k, v)| format!("{k}={v}")).collect();
    let sign = alipay_key().sign(text.join("&").as_bytes()).unwrap();
    let body = |more: &[(&str, &str)]| form(&payment(), more);
    assert!(open(&body(&[("sign", &sign), ("sign_type", "RSA2")])).is_ok());
    check_refused(&body(&[("sign_type", "RSA2")]), NoticeFault::Incomplete);
    check_refused(&body(&[("sign", ""), ("sign_type", "RSA2")]), NoticeFault::Incomplete);
    check_refused(&body(&[("sign", &sign)]), NoticeFault::Incomplete);
    check_refused(&body(&[("sign", &sign), ("sign_type", "")]), NoticeFault::Incomplete);
    for weaker in ["RSA", "MD5", "rsa2", "RSA2 "] {
        let downgraded = body(&[("sign", &sign), ("sign_type", weaker)]);
        check_refused(&downgraded, NoticeFault::WrongAlgorithm);
    }
    let twice = body(&[("sign", &sign), ("sign_type", "RSA2"), ("total_amount", "80.00")]);
    check_refused(&twice, NoticeFault::Incomplete);
    let more = body(&[("sign", &sign), ("sign_type", "RSA2"), ("framework", "added")]);
    check_refused(&more, NoticeFault::BadSignature);
    let short = body(&[("sign", sign.get(4..).unwrap()), ("sign_type", "RSA2")]);
    check_refused(&short, NoticeFault::BadSignature);
    for (name, value) in [("total_amount", "800.00"), ("trade_status", "TRADE_FINISHED")] {
        let forged = with(payment(), &[(name, value)]);
        let forged = form(&forged, &[("sign", &sign), ("sign_type", "RSA2")]);
        check_refused(&forged, NoticeFault::BadSignature);
    }
    check_refused(b"", NoticeFault::Incomplete);
}

#[test]
fn t05_the_sign_type_is_not_part_of_a_notice_s_signature() {
    let with_type = with(payment(), &[("sign_type", "RSA2")]);
    let text: Vec<String> = with_type.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let sign = alipay_key().sign(text.join("&").as_bytes()).unwrap();
    check_refused(&form(&with_type, &[("sign", &sign)]), NoticeFault::BadSignature);
}

#[test]
fn t16_letters_are_decoded_once_and_never_improved() {
    for value in ["a+b", "a b", "a%2Bb", "&quot;x&quot;", " x ", "😀", "c/d=e&f", "\u{feff}x"] {
        let opened = open(&notice(&with(payment(), &[("passback_params", value)]))).unwrap();
        let kept: BTreeMap<String, String> = serde_json::from_slice(&opened.plaintext).unwrap();
        assert_eq!(kept["passback_params"], value);
    }
    // An empty value is not part of the signature.
    let mut body = notice(&payment());
    body.extend_from_slice(b"&body=");
    assert!(open(&body).is_ok());
}

#[test]
fn t16_lists_in_json_coupons_and_what_nobody_knows_yet_are_signed_and_kept() {
    let lists = [
        ("fund_bill_list", r#"[{"amount":"79.00","fundChannel":"ALIPAYACCOUNT"}]"#),
        ("voucher_detail_list", r#"[{"name":"红包 5元","amount":"1.00","id":"a+b/c="}]"#),
        ("passback_params", "merchantBizType%3d3C%26merchantBizNo%3d2016010101111"),
        ("buyer_logon_id", "159****5620"),
        ("receipt_amount", "80.00"),
        ("a_new_field", "不动产 😀 +%2B&=\"'"),
    ];
    let opened = open(&notice(&with(payment(), &lists))).unwrap();
    let kept: BTreeMap<String, String> = serde_json::from_slice(&opened.plaintext).unwrap();
    for (name, value) in lists {
        assert_eq!(kept[name], value);
    }
    let [ProviderFact::Payment(fact)] = opened.facts.as_slice() else { panic!("no payment") };
    assert_eq!((fact.amount, fact.coupon), (Fen::new(8000), Fen::new(100)), "T24");
    // Taking a field away, or giving one a more readable form, spoils the signature.
    let whole = String::from_utf8(notice(&with(payment(), &lists))).unwrap();
    for (there, instead) in [
        ("&buyer_logon_id=159****5620", ""),
        ("%22", "%26quot%3B"),
        ("merchantBizType%253d3C", "merchantBizType%3d3C"),
    ] {
        assert!(whole.contains(there), "{there} in {whole}");
        check_refused(whole.replace(there, instead).as_bytes(), NoticeFault::BadSignature);
    }
}

#[test]
fn a_seller_s_notice_names_the_application_that_acts_for_it() {
    let acted =
        with(payment(), &[("auth_app_id", "2021000000000077"), ("seller_id", "2088000000000077")]);
    let facts = facts(&acted);
    let [ProviderFact::Payment(fact)] = facts.as_slice() else { panic!("no payment") };
    assert_eq!(fact.stated.app.as_deref(), Some("2021000000000000"));
    assert_eq!(fact.stated.payee.as_deref(), Some("2088000000000077"));
}

#[test]
fn t16_a_notice_in_gbk_verifies_over_its_bytes() {
    let parameters = with(payment(), &[("charset", "GBK")]);
    let gbk = |text: &str| GB18030.encode(text).0.into_owned();
    let pairs: Vec<Vec<u8>> =
        parameters.iter().map(|(k, v)| [gbk(k), b"=".to_vec(), gbk(v)].concat()).collect();
    let sign = alipay_key().sign(&pairs.join(&b'&')).unwrap();
    let escaped = |bytes: &[u8]| url::form_urlencoded::byte_serialize(bytes).collect::<String>();
    let mut body: Vec<String> = parameters
        .iter()
        .map(|(k, v)| format!("{}={}", escaped(&gbk(k)), escaped(&gbk(v))))
        .collect();
    body.push(format!("sign={}&sign_type=RSA2", escaped(sign.as_bytes())));
    let opened = open(body.join("&").as_bytes()).unwrap();
    let kept: BTreeMap<String, String> = serde_json::from_slice(&opened.plaintext).unwrap();
    assert_eq!(kept["subject"], "不动产登记费");
    assert_eq!(opened.facts.len(), 1);
    for charset in ["latin1", "utf-16", ""] {
        check_unreadable(&with(payment(), &[("charset", charset)]));
    }
}

#[test]
fn t06_an_old_notice_is_taken_because_alipay_states_no_time_of_sending() {
    let none = headers(&[]);
    let body = notice(&payment());
    let late = "2019-11-30T00:00:00Z".parse().unwrap();
    assert!(
        alipay().open_notice(&Notice { headers: &none, body: &body, received_at: late }).is_ok()
    );
}

#[test]
fn t19_a_hostile_body_is_an_error() {
    let whole = notice(&payment());
    for end in [1, 10, whole.len() / 2, whole.len() - 1] {
        assert!(open(&whole[..end]).is_err());
    }
    for body in [&b"%"[..], b"a=%zz", b"sign=%ff&sign_type=RSA2", b"=&=&=", &[0xff; 100]] {
        assert!(open(body).is_err());
    }
    assert!(open(&vec![b'&'; 5 * 1024 * 1024]).is_err());
    assert!(open(&"a=1&".repeat(1_250_000).into_bytes()).is_err());
    let mut tail = whole.clone();
    tail.extend(vec![b'x'; 5 * 1024 * 1024]);
    assert!(open(&tail).is_err());
    for foreign in [&b""[..], b"[]", b"{\"a\":1}", b"null", b"{}"] {
        assert_eq!(alipay().reread_notice(foreign).unwrap_err().fault, NoticeFault::Unreadable);
    }
}

#[test]
fn t03_the_acknowledgement_is_alipay_s_own_to_the_byte() {
    let reply = |word| {
        let reply = alipay().acknowledge(b"", word);
        (reply.status, reply.body)
    };
    assert_eq!(reply(Acknowledgement::Taken), (200, &b"success"[..]));
    assert_eq!(reply(Acknowledgement::Refused), (401, &b"failure"[..]));
    assert_eq!(reply(Acknowledgement::TryAgain), (503, &b"failure"[..]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn t19_random_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(open(&body).is_err());
        prop_assert!(alipay().reread_notice(&body).is_err());
    }

    #[test]
    fn t16_any_text_survives_form_and_signature(value in "\\PC{1,40}") {
        let opened = open(&notice(&with(payment(), &[("passback_params", &value)]))).unwrap();
        let kept: BTreeMap<String, String> = serde_json::from_slice(&opened.plaintext).unwrap();
        prop_assert_eq!(&kept["passback_params"], &value);
    }
}
