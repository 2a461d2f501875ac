//! Refunds: taken, queried, and told by their codes.

use domain::fact::{RefundFact, RefundStanding};
use domain::money::Fen;

use super::{Pairs, answer, done, failed, hub, not_taken, said, service_provider, signed_as};
use super::{with, written};
use crate::provider::{AccountKind, PaymentProvider as _, Redirect};
use crate::testing::{CHANCE, REFUND_NO, TRADE_NO, now, refund_key, refund_no, trade_no};
use crate::wechat_v2::SignType;
use crate::wire::{Answer, Outcome};

fn taken() -> Pairs<'static> {
    with(
        done(),
        &[
            ("out_trade_no", TRADE_NO),
            ("out_refund_no", REFUND_NO),
            ("transaction_id", "4200000001201811300000000001"),
            ("refund_id", "50000408942018"),
            ("refund_fee", "3000"),
            ("total_fee", "8000"),
        ],
    )
}

fn queried() -> Pairs<'static> {
    with(
        done(),
        &[
            ("out_trade_no", TRADE_NO),
            ("transaction_id", "4200000001201811300000000001"),
            ("total_fee", "8000"),
            ("refund_count", "1"),
            ("out_refund_no_0", REFUND_NO),
            ("refund_id_0", "50000408942018"),
            ("refund_fee_0", "3000"),
            ("coupon_refund_fee_0_0", "1"),
            ("refund_status_0", "SUCCESS"),
            ("refund_success_time_0", "2018-11-30 09:00:01"),
        ],
    )
}

fn answered(base: Pairs<'_>, more: &[(&str, &str)]) -> Answer {
    let fields: Vec<(String, String)> =
        base.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let fields: Pairs<'_> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    answer(signed_as(SignType::HmacSha256, &with(fields, more)))
}

#[track_caller]
fn check_taken(answer: &Answer, expected: &str) {
    let (order, refund) = (trade_no(), refund_no());
    let outcome = hub().read_refunded(&refund_key(&order, &refund), answer, now());
    let got = crate::testing::said(&outcome, |fact| format!("{:?}", fact.standing));
    assert_eq!(got, expected);
}

fn query(answer: &Answer) -> Outcome<Option<RefundFact>> {
    let (order, refund) = (trade_no(), refund_no());
    hub().read_refund(&refund_key(&order, &refund), answer, now())
}

#[track_caller]
fn check_queried(answer: &Answer, expected: &str) {
    let got = crate::testing::said(&query(answer), |fact| {
        fact.as_ref().map_or("none".to_owned(), |fact| format!("{:?}", fact.standing))
    });
    assert_eq!(got, expected);
}

#[test]
fn an_accepted_refund_has_not_arrived() {
    check_taken(&answered(taken(), &[]), "Processing");
    check_taken(&answered(taken(), &[("out_refund_no", "R0")]), "unknown");
    check_taken(&answered(taken(), &[("out_trade_no", "P0")]), "unknown");
    check_taken(&answered(taken(), &[("refund_id", "")]), "unknown");
    check_taken(&answered(taken(), &[("refund_fee", "30.00")]), "unknown");
    check_taken(&answer(written(&taken())), "unknown");
}

#[test]
fn t12_a_refund_whose_fate_is_not_proved_is_unknown() {
    for (code, expected) in [
        ("NOTENOUGH", "refused not_enough_funds"),
        ("TRADE_OVERDUE", "refused not_allowed"),
        ("USER_ACCOUNT_ABNORMAL", "refused not_allowed"),
        ("PARAM_ERROR", "refused invalid_request"),
        ("ORDERNOTEXIST", "refused not_found"),
        ("INVALID_TRANSACTIONID", "refused not_found"),
        ("CERT_ERROR", "refused configuration"),
        ("NOAUTH", "refused configuration"),
        ("SYSTEMERROR", "unknown"),
        ("BIZERR_NEED_RETRY", "unknown"),
        ("INVALID_REQ_TOO_MUCH", "unknown"),
        ("FREQUENCY_LIMITED", "unknown"),
        ("ERROR", "unknown"),
        // The number stands for something else: money may have moved under it.
        ("REFUND_FEE_MISMATCH", "unknown"),
        ("OUT_TRADE_NO_USED", "unknown"),
        ("A_NEW_CODE", "unknown"),
    ] {
        check_taken(&failed(code), expected);
    }
    // Nobody signed these: whatever they say, money may have moved.
    for text in ["签名错误", "证书错误", "系统繁忙：证书服务超时，请稍后再试", "mch_id不存在"]
    {
        check_taken(&not_taken(text), "unknown");
    }
    check_queried(&not_taken("签名错误"), "refused configuration");
    check_queried(&not_taken("系统繁忙：证书服务超时，请稍后再试"), "unknown");
    check_taken(&Answer { status: 504, ..answered(taken(), &[]) }, "unknown");
}

#[test]
fn a_refund_s_state_is_what_wechat_states() {
    for (word, expected) in [
        ("SUCCESS", "Succeeded"),
        ("PROCESSING", "Processing"),
        ("REFUNDCLOSE", "Failed"),
        ("CHANGE", "Abnormal"),
        ("A_NEW_STATE", "unknown"),
        ("", "unknown"),
    ] {
        check_queried(&answered(queried(), &[("refund_status_0", word)]), expected);
    }
    let Outcome::Accepted(Some(fact)) = query(&answered(queried(), &[])) else { panic!() };
    assert_eq!(fact.standing, RefundStanding::Succeeded);
    assert_eq!(fact.amount, Some(Fen::new(3000)));
    assert_eq!(fact.provider_refund_no.unwrap().as_str(), "50000408942018");
    assert_eq!(fact.at, Some("2018-11-30T01:00:01Z".parse().unwrap()));
    assert_eq!(fact.stated.payee.as_deref(), Some("1900000001"));
}

#[test]
fn a_refund_is_found_among_those_of_its_payment() {
    let many = [
        ("out_refund_no_0", "R0"),
        ("refund_status_0", "REFUNDCLOSE"),
        ("out_refund_no_1", "R1"),
        ("refund_status_1", "CHANGE"),
        ("out_refund_no_21", REFUND_NO),
        ("refund_id_21", "503"),
        ("refund_fee_21", "1"),
        ("refund_status_21", "PROCESSING"),
    ];
    check_queried(&answered(queried(), &many), "Processing");
    check_queried(&answered(queried(), &[("out_refund_no_0", "R0")]), "unknown");
    check_queried(&answered(queried(), &[("out_refund_no_0", "")]), "unknown");
    check_queried(&answered(queried(), &[("out_trade_no", "P0")]), "unknown");
    check_queried(&answered(queried(), &[("refund_fee_0", "")]), "unknown");
    check_queried(&answered(queried(), &[("refund_success_time_0", "soon")]), "unknown");
    check_queried(&answered(queried(), &[("refund_success_time_0", "")]), "Succeeded");
}

#[test]
fn a_refund_that_wechat_does_not_have_may_be_sent_again() {
    check_queried(&failed("REFUNDNOTEXIST"), "none");
    let unproved =
        written(&with(done(), &[("result_code", "FAIL"), ("err_code", "REFUNDNOTEXIST")]));
    check_queried(&answer(unproved), "unknown");
    check_queried(&failed("ORDERNOTEXIST"), "refused not_found");
    check_queried(&failed("SYSTEMERROR"), "unknown");
}

#[test]
fn a_statement_names_the_merchant_that_is_paid() {
    let hub = service_provider(None);
    let (order, refund) = (trade_no(), refund_no());
    let payee = |more: &[(&str, &str)]| {
        let outcome =
            hub.read_refunded(&refund_key(&order, &refund), &answered(taken(), more), now());
        match outcome {
            Outcome::Accepted(fact) => fact.stated.payee,
            Outcome::Refused(_) | Outcome::Unknown(_) => None,
        }
    };
    assert_eq!(payee(&[("sub_mch_id", "1900000109")]).as_deref(), Some("1900000109"));
    assert_eq!(payee(&[("sub_mch_id", "1900000110")]).as_deref(), Some("1900000110"));
    assert_eq!(payee(&[]), None);
    // Another service provider's: not ours, whomever it acts for.
    let other = [("mch_id", "1900000002"), ("sub_mch_id", "1900000109")];
    assert_eq!(payee(&other).as_deref(), Some("1900000002"));
    let ours = said(&Vec::from_iter(taken()));
    assert!(matches!(super::hub().read_refunded(&refund_key(&order, &refund), &ours, now()),
        Outcome::Accepted(fact) if fact.stated.payee.as_deref() == Some("1900000001")));
}

#[test]
fn an_abnormal_refund_is_sent_elsewhere_by_hand() {
    let (number, own) = (refund_no(), "503".parse().unwrap());
    let redirect = Redirect {
        provider_refund_no: &own,
        out_refund_no: &number,
        to: AccountKind::MerchantAccount,
        bank: None,
        card: None,
        holder: None,
        now: now(),
        chance: &CHANCE,
    };
    assert_eq!(hub().redirect_refund(&redirect).unwrap_err().field, "refund");
}
