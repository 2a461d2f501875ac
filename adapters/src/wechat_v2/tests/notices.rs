//! Notices: proved or refused, facts or hints, and how they are answered.

use std::time::Instant;

use domain::fact::ProviderFact;
use domain::money::Fen;
use domain::personal::Secret;
use proptest::prelude::*;

use super::{API_KEY, BOTH, Pairs, done, hub, hub_of, hub_with, paid, refund_notice};
use super::{refunded_root, sealed, service_provider, signed_as, with, written};
use crate::provider::{Acknowledgement, Notice, NoticeError, OpenedNotice, PaymentProvider as _};
use crate::testing::{REFUND_NO, TRADE_NO, headers, now};
use crate::wechat_v2::{SignType, WechatV2, acknowledge, notice, reread_refund_notice};

fn open_at(hub: &WechatV2, body: &[u8]) -> Result<OpenedNotice, NoticeError> {
    let headers = headers(&[]);
    hub.open_notice(&Notice { headers: &headers, body, received_at: now() })
}

fn open(body: impl AsRef<[u8]>) -> Result<OpenedNotice, NoticeError> {
    open_at(hub(), body.as_ref())
}

#[track_caller]
fn check_refused(body: impl AsRef<[u8]>, fault: &str) {
    assert_eq!(open(body).map_err(|error| error.fault.as_str()).err(), Some(fault));
}

const HMAC: SignType = SignType::HmacSha256;

#[test]
fn a_payment_s_notice_states_a_fact() {
    let opened = open(signed_as(HMAC, &with(paid(), &[("trade_state", "")]))).unwrap();
    let [ProviderFact::Payment(fact)] = opened.facts.as_slice() else { panic!("{opened:?}") };
    assert_eq!(fact.out_trade_no.as_str(), TRADE_NO);
    assert_eq!(fact.provider_trade_no.as_str(), "4200000001201811300000000001");
    assert_eq!((fact.amount, fact.coupon), (Fen::new(8000), Fen::new(100)));
    assert_eq!(fact.paid_at.to_string(), "2018-11-30T00:59:58Z");
    assert_eq!(fact.stated.payee.as_deref(), Some("1900000001"));
    assert_eq!(fact.stated.app.as_deref(), Some("wx8888888888888888"));
    assert_eq!((opened.kind.as_str(), opened.hints.len()), ("pay SUCCESS", 0));
}

#[test]
fn a_signed_answer_about_an_order_that_nobody_paid_is_no_notice_of_a_payment() {
    for state in ["REVOKED", "CLOSED", "PAYERROR", "NOTPAY", "REFUND", "A_NEW_STATE"] {
        let opened = open(signed_as(HMAC, &with(paid(), &[("trade_state", state)]))).unwrap();
        assert!(opened.facts.is_empty() && opened.unreadable.is_some(), "{state}: {opened:?}");
    }
    let mut fields = paid();
    fields.insert("trade_state", "");
    assert!(open(signed_as(HMAC, &fields)).unwrap().facts.is_empty());
    assert_eq!(open(signed_as(HMAC, &paid())).unwrap().facts.len(), 1);
}

#[test]
fn a_merchant_for_itself_is_not_paid_by_what_names_a_merchant_below_it() {
    let payee = |more: &[(&str, &str)]| {
        let opened = open(signed_as(HMAC, &with(paid(), more))).unwrap();
        let [ProviderFact::Payment(fact)] = opened.facts.as_slice() else { panic!("{opened:?}") };
        fact.stated.payee.clone()
    };
    assert_eq!(payee(&[("sub_mch_id", "1900000777")]).as_deref(), Some("1900000777"));
    assert_eq!(payee(&[]).as_deref(), Some("1900000001"));
}

#[test]
fn a_notice_states_whose_it_is_whoever_s_it_is() {
    for (name, value) in [("mch_id", "1900000002"), ("appid", "wx1"), ("fee_type", "USD")] {
        let opened = open(signed_as(HMAC, &with(paid(), &[(name, value)]))).unwrap();
        let [ProviderFact::Payment(fact)] = opened.facts.as_slice() else { panic!("{opened:?}") };
        let stated = format!("{:?}", fact.stated);
        assert!(stated.contains(value), "{stated}");
    }
    let ours = with(paid(), &[("sub_mch_id", "1900000109"), ("sub_appid", "wx1")]);
    let hub = service_provider(Some("wx1"));
    let opened = open_at(&hub, signed_as(HMAC, &ours).as_bytes()).unwrap();
    let [ProviderFact::Payment(fact)] = opened.facts.as_slice() else { panic!("{opened:?}") };
    assert_eq!(fact.stated.payee.as_deref(), Some(hub.account().payee.as_str()));
    assert_eq!(fact.stated.app.as_deref(), Some(hub.account().app.as_str()));
}

#[test]
fn t05_a_notice_without_the_merchant_s_own_signature_is_refused() {
    check_refused(written(&paid()), "incomplete");
    check_refused(written(&with(done(), &[("result_code", "")])), "incomplete");
    let mut empty = paid();
    empty.insert("sign", "");
    check_refused(written(&empty), "incomplete");
    check_refused(signed_as(SignType::Md5, &paid()), "wrong_algorithm");
    let calls_itself = with(paid(), &[("sign_type", "MD5")]);
    check_refused(signed_as(HMAC, &calls_itself), "wrong_algorithm");
    check_refused(signed_as(SignType::Md5, &calls_itself), "wrong_algorithm");
    check_refused(signed_as(HMAC, &with(paid(), &[("sign_type", "NONE")])), "wrong_algorithm");
    assert!(open(signed_as(HMAC, &with(paid(), &[("sign_type", "HMAC-SHA256")]))).is_ok());
    for sign in ["0", "x", &"0".repeat(64), &"a".repeat(63)] {
        check_refused(written(&with(paid(), &[("sign", sign)])), "bad_signature");
    }
    let good = signed_as(HMAC, &paid());
    check_refused(good.replace("<![CDATA[8000]]>", "<![CDATA[1]]>"), "bad_signature");
    check_refused(good.replace("</xml>", "<attach>a</attach></xml>"), "bad_signature");
    // A field that is empty is not signed; it changes nothing.
    assert_eq!(open(good.replace("</xml>", "<attach/></xml>")).unwrap().facts.len(), 1);
    let md5 = hub_of(SignType::Md5);
    assert!(open_at(&md5, signed_as(SignType::Md5, &paid()).as_bytes()).is_ok());
    assert!(open_at(&md5, good.as_bytes()).is_err(), "nor up");
    let other_key = hub_with(|config| config.api_key = Secret::new("1".repeat(32)));
    assert!(open_at(&other_key, good.as_bytes()).is_err());
}

#[test]
fn a_proved_notice_that_cannot_be_read_is_kept_for_a_person() {
    for name in ["out_trade_no", "transaction_id", "total_fee", "time_end", "mch_id"] {
        let body = signed_as(HMAC, &with(paid(), &[(name, "")]));
        let opened = open(&body).unwrap();
        assert!(opened.facts.is_empty() && opened.unreadable.is_some(), "{name}");
        assert_eq!(opened.plaintext, body.as_bytes());
        assert!(hub().reread_notice(&opened.plaintext).is_err());
    }
    let strange = open(signed_as(HMAC, &with(paid(), &[("result_code", "X")]))).unwrap();
    assert!(strange.facts.is_empty() && strange.unreadable.is_some());
    let failed = open(signed_as(HMAC, &with(paid(), &[("result_code", "FAIL")]))).unwrap();
    assert!(failed.facts.is_empty() && failed.unreadable.is_none());
}

#[test]
fn t17_a_refund_s_notice_is_a_hint_and_never_a_payment() {
    let body = refund_notice(&sealed(&refunded_root(), API_KEY));
    let opened = open(&body).unwrap();
    assert!(opened.facts.is_empty());
    let [hint] = opened.hints.as_slice() else { panic!("{opened:?}") };
    assert_eq!((hint.out_trade_no.as_str(), hint.out_refund_no.as_str()), (TRADE_NO, REFUND_NO));
    assert_eq!(hint.amount, Fen::new(3000));
    assert_eq!(opened.kind, "refund SUCCESS");
    // Even where somebody adds what a payment's notice has, signed or not.
    let text = String::from_utf8(body).unwrap();
    let both = text
        .replace("</xml>", "<result_code>SUCCESS</result_code><total_fee>8000</total_fee></xml>");
    assert!(open(both).unwrap().facts.is_empty());
    let mut with_info = paid();
    let info = sealed(&refunded_root(), API_KEY);
    with_info.insert("req_info", &info);
    let opened = open(signed_as(HMAC, &with_info)).unwrap();
    assert_eq!((opened.facts.len(), opened.hints.len()), (0, 1));
}

#[test]
fn a_refund_s_notice_is_the_same_under_either_algorithm_and_on_an_apiv3_merchant_s_address() {
    let body = refund_notice(&sealed(&refunded_root(), API_KEY));
    let opened = notice::refund_notice(&Secret::new(API_KEY), &body).unwrap();
    for sign_type in BOTH {
        assert_eq!(open_at(&hub_of(sign_type), &body).unwrap(), opened);
    }
    assert_eq!(reread_refund_notice(&opened.plaintext).unwrap(), opened);
    let payment = signed_as(HMAC, &paid());
    let refused = notice::refund_notice(&Secret::new(API_KEY), payment.as_bytes()).unwrap_err();
    assert_eq!(refused.fault.as_str(), "incomplete");
}

#[test]
fn a_kept_plaintext_is_read_again_without_its_signature() {
    let later = hub_with(|config| config.api_key = Secret::new("2".repeat(32)));
    for body in
        [signed_as(HMAC, &paid()).into_bytes(), refund_notice(&sealed(&refunded_root(), API_KEY))]
    {
        let opened = open(&body).unwrap();
        assert_eq!(later.reread_notice(&opened.plaintext).unwrap(), opened);
    }
    for plaintext in ["", "{}", "<xml>", "<xml></xml>", "<root></root>"] {
        assert!(hub().reread_notice(plaintext.as_bytes()).is_err(), "{plaintext}");
    }
}

#[test]
fn t19_a_sealed_text_of_any_length_is_opened_or_refused() {
    let whole = sealed(&refunded_root(), API_KEY);
    for end in 0..whole.len() {
        check_refused(
            refund_notice(whole.get(..end).unwrap()),
            if end == 0 { "incomplete" } else { "bad_signature" },
        );
    }
    for req_info in ["=", "****", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA==", &"A".repeat(64)] {
        check_refused(refund_notice(req_info), "bad_signature");
    }
    check_refused(refund_notice(&sealed(&refunded_root(), &"9".repeat(32))), "bad_signature");
    for text in ["", "<root>", "<xml><a>1</a></xml>", "<!DOCTYPE root><root/>"] {
        check_refused(refund_notice(&sealed(text, API_KEY)), "bad_signature");
    }
    // Opened, and yet it says nothing: a person must look.
    let opened = open(refund_notice(&sealed("<root><a>1</a></root>", API_KEY))).unwrap();
    assert!(opened.hints.is_empty() && opened.unreadable.is_some());
    let failed = String::from_utf8(refund_notice(&whole)).unwrap();
    check_refused(failed.replace("SUCCESS", "FAIL"), "incomplete");
}

#[test]
fn t19_a_hostile_body_is_refused_at_once() {
    let begun = Instant::now();
    for body in [
        Vec::new(),
        b"{}".to_vec(),
        b"<xml>".to_vec(),
        vec![b'<'; 5 * 1024 * 1024],
        vec![0xff; 5 * 1024 * 1024],
        refund_notice(&"A".repeat(5 * 1024 * 1024)),
        format!("<xml>{}</xml>", "<a>".repeat(2_000_000)).into_bytes(),
    ] {
        check_refused(body, "unreadable");
    }
    assert!(begun.elapsed().as_secs() < 2);
}

#[test]
fn t18_the_probe_with_an_external_entity_is_refused() {
    for body in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE foo [<!ENTITY xxe SYSTEM \"http://tst.qq.com/x\">]>\n<foo><value>&xxe;</value></foo>",
        "<!DOCTYPE xml [<!ENTITY x \"y\">]><xml><return_code>SUCCESS</return_code></xml>",
    ] {
        check_refused(body, "unreadable");
    }
    let bomb =
        "<!DOCTYPE root [<!ENTITY a \"aaaa\">]><root><out_trade_no>&a;</out_trade_no></root>";
    check_refused(refund_notice(&sealed(bomb, API_KEY)), "bad_signature");
}

#[test]
fn v2_is_answered_in_its_own_words() {
    let taken = hub().acknowledge(b"", Acknowledgement::Taken);
    assert_eq!(taken, acknowledge(Acknowledgement::Taken));
    assert_eq!((taken.status, taken.content_type), (200, Some("text/xml")));
    let exact = "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";
    assert_eq!(taken.body, exact.as_bytes());
    for (how, status) in [(Acknowledgement::Refused, 401), (Acknowledgement::TryAgain, 503)] {
        let reply = acknowledge(how);
        assert_eq!((reply.status, reply.content_type), (status, Some("text/xml")));
        let body = crate::wechat_v2::xml::read("xml", reply.body).unwrap();
        assert_eq!(body.get("return_code"), Some("FAIL"));
    }
}

proptest! {
    #[test]
    fn t19_no_body_makes_the_adapter_fail(
        info in "[A-Za-z0-9+/=]{0,80}",
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        prop_assert!(open(&bytes).is_err());
        prop_assert!(open(refund_notice(&info)).is_err());
        let _reread = hub().reread_notice(&bytes);
    }

    #[test]
    fn no_field_of_a_signed_notice_can_be_changed(which in 0_usize..14, value in "[0-9a-z]{1,9}") {
        let mut fields: Pairs<'_> = with(paid(), &[("trade_state", "")]);
        let signature = super::signature(HMAC, &fields);
        fields.insert("sign", &signature);
        let name = *fields.keys().nth(which).unwrap();
        prop_assume!(name != "sign" && fields[name] != value);
        fields.insert(name, &value);
        prop_assert!(open(written(&fields)).is_err(), "{}", name);
    }
}
