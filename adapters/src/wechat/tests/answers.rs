//! Every answer is exactly one of accepted, refused, unknown.

use domain::fact::{OrderStanding, RefundFact, RefundStanding};
use domain::money::Fen;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{closing_call, placing};
use super::{error, signed, signed_at, transaction, unsigned, with};
use crate::provider::Placed;
use crate::provider::{Pay, PaymentProvider as _};
use crate::testing::order_key;
use crate::testing::{NOW, REFUND_NO, TRADE_NO, headers, now, refund_key, refund_no, stamp};
use crate::testing::{closing, said, standing, trade_no, wechat, word};
use crate::wire::{Answer, Headers, Outcome};

#[track_caller]
fn check_placed(answer: &Answer, expected: &str) {
    assert_eq!(word(&wechat().read_placed(&placing(), answer, &stamp())), expected);
}

#[track_caller]
fn check_order(answer: &Answer, expected: &str) {
    let outcome = wechat().read_order(&order_key(&trade_no()), answer, now());
    assert_eq!(said(&outcome, standing), expected);
}

#[track_caller]
fn check_closed(answer: &Answer, expected: &str) {
    let outcome = wechat().read_closed(&closing_call(), answer, now());
    assert_eq!(said(&outcome, closing), expected);
}

#[track_caller]
fn check_refunded(answer: &Answer, expected: &str) {
    let (order, refund) = (trade_no(), refund_no());
    let key = refund_key(&order, &refund);
    let outcome = wechat().read_refunded(&key, answer, now());
    assert_eq!(said(&outcome, |fact| format!("{:?}", fact.standing)), expected);
}

#[track_caller]
fn check_refund_query(answer: &Answer, expected: &str) {
    let (order, refund) = (trade_no(), refund_no());
    let key = refund_key(&order, &refund);
    let outcome = wechat().read_refund(&key, answer, now());
    let word = |fact: &Option<RefundFact>| {
        fact.as_ref().map_or("none".to_owned(), |fact| format!("{:?}", fact.standing))
    };
    assert_eq!(said(&outcome, word), expected);
}

fn code() -> Value {
    json!({"code_url": "weixin://wxpay/bizpayurl?pr=JyC91EIz1"})
}

fn refund(status: &str) -> Value {
    json!({
        "refund_id": "503000", "out_refund_no": REFUND_NO, "out_trade_no": TRADE_NO,
        "transaction_id": "42000", "status": status, "create_time": "2018-11-30T09:00:00+08:00",
        "success_time": "2018-11-30T09:00:01+08:00",
        "amount": {"total": 8000, "refund": 3000, "currency": "CNY"},
    })
}

#[test]
fn an_order_is_placed_when_wechat_proves_that_it_gave_a_code() {
    let outcome = wechat().read_placed(&placing(), &signed(200, &code()), &stamp());
    let code_url = "weixin://wxpay/bizpayurl?pr=JyC91EIz1".to_owned();
    assert_eq!(outcome, Outcome::Accepted(Placed::Offered(Pay::QrCode { code_url })));
    check_placed(&signed(200, &json!({"code_url": ""})), "unknown");
    check_placed(&signed(200, &json!({"prepay_id": "wx1"})), "unknown");
    check_placed(&signed(200, &json!([])), "unknown");
}

#[test]
fn t11_a_good_answer_that_does_not_verify_is_unknown() {
    let good = signed(200, &code());
    let body = good.body.clone();
    let strip = |name: &str| {
        let kept = good.headers.0.iter().filter(|(key, _)| !key.eq_ignore_ascii_case(name));
        Answer { headers: Headers(kept.cloned().collect()), ..good.clone() }
    };
    for name in
        ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature"]
    {
        check_placed(&strip(name), "unknown");
    }
    let mut tampered = good.clone();
    tampered.body[20] ^= 1;
    check_placed(&tampered, "unknown");
    for seconds in [NOW - 301, NOW + 301] {
        let stale = Answer { headers: signed_at(seconds, &body), ..good.clone() };
        check_placed(&stale, "unknown");
    }
    for seconds in [NOW - 300, NOW + 300] {
        let fresh = Answer { headers: signed_at(seconds, &body), ..good.clone() };
        check_placed(&fresh, "accepted");
    }
    let mut typed = good.clone();
    typed
        .headers
        .0
        .push(("Wechatpay-Signature-Type".to_owned(), "WECHATPAY2-SM2-WITH-SM3".to_owned()));
    check_placed(&typed, "unknown");
    check_refunded(&Answer { headers: headers(&[]), ..signed(200, &refund("SUCCESS")) }, "unknown");
    check_closed(&Answer { headers: headers(&[]), ..signed(204, &Value::Null) }, "unknown");
}

#[test]
fn t07_an_error_without_a_signature_is_read_by_its_code() {
    for (status, code, expected) in [
        (400, "PARAM_ERROR", "refused invalid_request"),
        // Also said to a number that was used with other parameters.
        (400, "INVALID_REQUEST", "unknown"),
        (400, "APPID_MCHID_NOT_MATCH", "refused configuration"),
        (401, "SIGN_ERROR", "refused configuration"),
        (403, "NO_AUTH", "refused configuration"),
        (403, "RULE_LIMIT", "refused not_allowed"),
        (400, "ORDER_CLOSED", "refused already_closed"),
        // A query must say what stands under the number.
        (403, "OUT_TRADE_NO_USED", "unknown"),
        (400, "ORDER_PAID", "unknown"),
        (400, "A_NEW_CODE", "unknown"),
        (429, "FREQUENCY_LIMITED", "unknown"),
        (429, "PARAM_ERROR", "unknown"),
        (500, "SYSTEM_ERROR", "unknown"),
        (500, "PARAM_ERROR", "unknown"),
        (202, "ACCEPTED", "unknown"),
        (302, "PARAM_ERROR", "unknown"),
        (400, "SYSTEM_ERROR", "unknown"),
    ] {
        check_placed(&error(status, code), expected);
    }
    check_placed(&unsigned(400, ""), "unknown");
    check_placed(&unsigned(502, "<html>Bad Gateway</html>"), "unknown");
    check_placed(&unsigned(404, "{\"code\":1}"), "unknown");
}

#[test]
fn a_query_tells_paid_unpaid_closed_and_absent() {
    let state = |word: &str| signed(200, &with(transaction(), &json!({"trade_state": word})));
    check_order(&state("SUCCESS"), "paid");
    check_order(&state("REFUND"), "paid");
    check_order(&state("NOTPAY"), "unpaid");
    check_order(&state("CLOSED"), "closed");
    check_order(&state("USERPAYING"), "unpaid");
    check_order(&state("PAYERROR"), "unpaid");
    check_order(&state("REVOKED"), "closed");
    check_order(&state("ACCEPT"), "unknown");
    check_order(&state("A_NEW_STATE"), "unknown");
    let unpaid = json!({
        "mchid": "1900000001", "appid": "wx8888888888888888", "out_trade_no": TRADE_NO,
        "trade_state": "NOTPAY", "amount": {"total": 8000, "currency": "CNY"},
    });
    check_order(&signed(200, &unpaid), "unpaid");
    check_order(&error(404, "ORDER_NOT_EXIST"), "absent");
    check_order(&error(404, "RESOURCE_NOT_EXISTS"), "absent");
    check_order(&error(400, "ORDER_NOT_EXIST"), "refused not_found");
    check_order(&error(404, "MCH_NOT_EXISTS"), "refused configuration");
    check_order(&error(401, "SIGN_ERROR"), "refused configuration");
    check_order(&unsigned(404, ""), "unknown");
    check_order(&error(503, "SERVICE_UNAVAILABLE"), "unknown");
}

#[test]
fn a_proved_answer_about_another_order_is_no_answer() {
    let other = with(transaction(), &json!({"out_trade_no": "P0000000"}));
    check_order(&signed(200, &other), "unknown");
    for field in ["transaction_id", "success_time", "amount", "mchid", "appid"] {
        let lacking = with(transaction(), &json!({ field: null }));
        check_order(&signed(200, &lacking), "unknown");
    }
}

#[test]
fn t24_a_coupon_is_part_of_the_order_s_amount() {
    let answer = signed(200, &transaction());
    let Outcome::Accepted(OrderStanding::Paid(fact)) =
        wechat().read_order(&order_key(&trade_no()), &answer, now())
    else {
        panic!("not paid")
    };
    assert_eq!((fact.amount, fact.coupon), (Fen::new(8000), Fen::new(100)));
    assert_eq!(fact.paid_at, "2018-11-30T00:59:58Z".parse::<Timestamp>().unwrap());
    assert_eq!(fact.stated.payee.as_deref(), Some("1900000001"));
    assert_eq!(fact.stated.app.as_deref(), Some("wx8888888888888888"));
    assert_eq!(fact.stated.currency.as_deref(), Some("CNY"));
}

#[test]
fn closing_an_order_tells_what_it_found() {
    check_closed(&signed(204, &Value::Null), "closed");
    check_closed(&error(400, "ORDER_PAID"), "paid");
    check_closed(&error(404, "ORDER_NOT_EXIST"), "not there");
    check_closed(&error(400, "ORDER_CLOSED"), "refused already_closed");
    check_closed(&error(500, "SYSTEM_ERROR"), "unknown");
}

#[test]
fn an_accepted_refund_has_not_arrived() {
    check_refunded(&signed(200, &refund("PROCESSING")), "Processing");
    check_refunded(&signed(200, &refund("SUCCESS")), "Succeeded");
    check_refunded(&signed(200, &refund("CLOSED")), "Failed");
    check_refunded(&signed(200, &refund("ABNORMAL")), "Abnormal");
    check_refunded(&signed(200, &refund("A_NEW_STATUS")), "unknown");
    check_refunded(&error(403, "NOT_ENOUGH"), "refused not_enough_funds");
    check_refunded(&error(404, "RESOURCE_NOT_EXISTS"), "refused not_found");
}

#[test]
fn t12_a_refund_whose_fate_is_not_proved_is_unknown() {
    check_refunded(&unsigned(504, ""), "unknown");
    check_refunded(&error(500, "SYSTEM_ERROR"), "unknown");
    check_refunded(&error(429, "FREQUENCY_LIMITED"), "unknown");
    check_refunded(&error(202, "ACCEPTED"), "unknown");
    check_refunded(&error(403, "A_NEW_CODE"), "unknown");
    check_refunded(&unsigned(200, &refund("CLOSED").to_string()), "unknown");
    let other = with(refund("CLOSED"), &json!({"out_refund_no": "R0"}));
    check_refunded(&signed(200, &other), "unknown");
    let other = with(refund("CLOSED"), &json!({"out_trade_no": "P0"}));
    check_refunded(&signed(200, &other), "unknown");
}

#[test]
fn a_refund_that_wechat_does_not_have_may_be_sent_again() {
    check_refund_query(&error(404, "RESOURCE_NOT_EXISTS"), "none");
    check_refund_query(&error(400, "RESOURCE_NOT_EXISTS"), "refused not_found");
    check_refund_query(&error(404, "A_NEW_CODE"), "unknown");
    check_refund_query(&unsigned(404, ""), "unknown");
    check_refund_query(&signed(200, &refund("SUCCESS")), "Succeeded");
    check_refund_query(&error(500, "SYSTEM_ERROR"), "unknown");
}

#[test]
fn a_refund_s_fact_is_what_wechat_states() {
    let (order, number) = (trade_no(), refund_no());
    let answer = signed(200, &refund("SUCCESS"));
    let Outcome::Accepted(fact) =
        wechat().read_refunded(&refund_key(&order, &number), &answer, now())
    else {
        panic!("not accepted")
    };
    assert_eq!(fact.standing, RefundStanding::Succeeded);
    assert_eq!(fact.amount, Some(Fen::new(3000)));
    assert_eq!(fact.provider_refund_no.unwrap().as_str(), "503000");
    assert_eq!(fact.at, Some("2018-11-30T01:00:01Z".parse().unwrap()));
    assert_eq!(fact.accepted_at, Some("2018-11-30T01:00:00Z".parse().unwrap()));
}
