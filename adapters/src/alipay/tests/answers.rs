//! Every answer is exactly one of accepted, refused, unknown.

use domain::fact::{OrderStanding, RefundFact};
use domain::money::Fen;
use serde_json::{Value, json};

use super::{answer, failure, node_name, signed, unsigned};
use super::{closing_call, placing};
use crate::alipay::download::BILL_URL;
use crate::alipay::order::{CANCEL, CLOSE, PRECREATE, QUERY};
use crate::alipay::refund::{REFUND, REFUND_QUERY};
use crate::provider::{Pay, PaymentProvider as _, Placed, Product};
use crate::testing::order_key;
use crate::testing::{
    REFUND_NO, TRADE_NO, alipay, alipay_key, closing, now, refund_key, refund_no, said, stamp,
    standing, trade_no, word,
};
use crate::wire::{Answer, Outcome};

/// A successful node with these members.
fn done(members: Value) -> Value {
    let mut node = json!({"code": "10000", "msg": "Success"});
    for (name, value) in members.as_object().unwrap() {
        node[name] = value.clone();
    }
    node
}

fn code() -> Value {
    done(json!({"out_trade_no": TRADE_NO, "qr_code": "https://qr.alipay.com/bax1"}))
}

#[track_caller]
fn check_placed(answer: &Answer, expected: &str) {
    assert_eq!(word(&alipay().read_placed(&placing(), answer, &stamp())), expected);
}

#[track_caller]
fn check_order(answer: &Answer, expected: &str) {
    let outcome = alipay().read_order(&order_key(&trade_no()), answer, now());
    assert_eq!(said(&outcome, standing), expected);
}

#[track_caller]
fn check_closed(answer: &Answer, expected: &str) {
    let outcome = alipay().read_closed(&closing_call(), answer, now());
    assert_eq!(said(&outcome, closing), expected);
}

fn refunded(answer: &Answer) -> Outcome<RefundFact> {
    let (order, refund) = (trade_no(), refund_no());
    alipay().read_refunded(&refund_key(&order, &refund), answer, now())
}

fn refund(answer: &Answer) -> Outcome<Option<RefundFact>> {
    let (order, refund) = (trade_no(), refund_no());
    alipay().read_refund(&refund_key(&order, &refund), answer, now())
}

#[track_caller]
fn check_refunded(members: Value, expected: &str, amount: Option<i64>) {
    let Outcome::Accepted(fact) = refunded(&signed(REFUND, &done(members))) else {
        panic!("not accepted")
    };
    assert_eq!(format!("{:?}", fact.standing), expected);
    assert_eq!(fact.amount, amount.map(Fen::new));
}

#[test]
fn an_order_is_placed_when_alipay_proves_that_it_gave_a_code() {
    let outcome = alipay().read_placed(&placing(), &signed(PRECREATE, &code()), &stamp());
    let code_url = "https://qr.alipay.com/bax1".to_owned();
    assert_eq!(outcome, Outcome::Accepted(Placed::Offered(Pay::QrCode { code_url })));
    check_placed(&signed(PRECREATE, &done(json!({"qr_code": ""}))), "unknown");
    check_placed(&signed(PRECREATE, &done(json!({}))), "unknown");
}

#[test]
fn t11_a_good_answer_that_does_not_verify_is_unknown() {
    check_placed(&unsigned(PRECREATE, &code()), "unknown");
    let good = signed(PRECREATE, &code());
    let text = String::from_utf8(good.body.clone()).unwrap();
    check_placed(&answer(&text.replace("bax1", "bax2")), "unknown");
    check_placed(&answer(&text.replace("\"sign\":\"", "\"sign\":\"A")), "unknown");
    check_placed(&answer(&text.replace("\"sign\":\"", "\"sign\":1,\"x\":\"")), "unknown");
    check_placed(&answer(text.strip_suffix('}').unwrap()), "unknown");
    check_placed(&answer(&format!("{text}{text}")), "unknown");
    check_placed(&Answer { status: 500, ..good.clone() }, "unknown");
    check_placed(&Answer { status: 403, ..good }, "unknown");
    // Proved, but the answer to something else.
    check_placed(&signed(QUERY, &code()), "unknown");
    for body in ["", "null", "[]", "{}", "<html></html>", &"[".repeat(100_000)] {
        check_placed(&answer(body), "unknown");
    }
}

#[test]
fn a_second_node_is_refused_wherever_the_signature_fits() {
    let node = code().to_string();
    let sign = alipay_key().sign(node.as_bytes()).unwrap();
    let name = node_name(PRECREATE);
    let forged = done(json!({"qr_code": "https://evil.example/"})).to_string();
    for body in [
        format!("{{\"{name}\":{node},\"{name}\":{forged},\"sign\":\"{sign}\"}}"),
        format!("{{\"{name}\":{forged},\"{name}\":{node},\"sign\":\"{sign}\"}}"),
        format!("{{\"{name}\":{node},\"error_response\":{forged},\"sign\":\"{sign}\"}}"),
        format!("{{\"{name}\":{node},\"sign\":\"{sign}\",\"sign\":\"{sign}\"}}"),
        format!("{{\"{name}\":{forged},\"x\":{{\"{name}\":{node}}},\"sign\":\"{sign}\"}}"),
    ] {
        check_placed(&answer(&body), "unknown");
    }
    check_placed(&answer(&format!("{{\"sign\":\"{sign}\", \"{name}\" : {node} }}")), "accepted");
}

#[test]
fn the_signature_is_over_the_node_s_own_characters() {
    let node = r#"{"qr_code":"https:\/\/qr.alipay.com\/}\"{","code":"10000",  "msg":"\u767b"}"#;
    let sign = alipay_key().sign(node.as_bytes()).unwrap();
    let body = format!("{{\"{}\":{node},\"sign\":\"{sign}\"}}", node_name(PRECREATE));
    let Outcome::Accepted(Placed::Offered(Pay::QrCode { code_url })) =
        alipay().read_placed(&placing(), &answer(&body), &stamp())
    else {
        panic!("not accepted")
    };
    assert_eq!(code_url, "https://qr.alipay.com/}\"{");
}

#[test]
fn the_gateway_s_refusals_are_refusals_and_its_faults_are_unknown() {
    for (code, sub_code, expected) in [
        ("40002", "isv.invalid-signature", "refused configuration"),
        ("40002", "isv.invalid-app-id", "refused configuration"),
        ("40002", "isv.decryption-error-unknown", "refused configuration"),
        ("40002", "isv.decryption-error-not-valid-encryptkey", "refused configuration"),
        ("40002", "isv.app-cert-not-exist", "refused configuration"),
        ("40001", "isv.missing-app-cert-sn", "refused configuration"),
        ("40002", "isv.invalid-parameter", "refused invalid_request"),
        ("40001", "isv.missing-method", "refused invalid_request"),
        ("40001", "isv.missing-signature", "refused configuration"),
        ("40006", "isv.insufficient-isv-permissions", "refused configuration"),
        ("20001", "aop.invalid-auth-token", "refused configuration"),
        ("20000", "isp.unknow-error", "unknown"),
        ("40005", "isv.app-call-limited", "unknown"),
        ("99999", "a.new-word", "unknown"),
    ] {
        let node = json!({"code": code, "msg": "说明", "sub_code": sub_code, "sub_msg": "说明"});
        check_placed(&answer(&json!({"error_response": node}).to_string()), expected);
        check_placed(&signed(PRECREATE, &node), expected);
        // Nobody's word in the method's own node decides what may have moved money.
        check_placed(&unsigned(PRECREATE, &node), "unknown");
        check_closed(&unsigned(CLOSE, &node), "unknown");
        assert_eq!(word(&refunded(&unsigned(REFUND, &node))), "unknown");
        // Where nothing can have moved, it may still say that the hub itself is refused.
        let reading = if expected == "refused configuration" { expected } else { "unknown" };
        check_order(&unsigned(QUERY, &node), reading);
        assert_eq!(word(&refund(&unsigned(REFUND_QUERY, &node))), reading);
        let bill = alipay().read_bill_ticket(&unsigned(BILL_URL, &node), now());
        assert_eq!(word(&bill), reading);
    }
    // A refusal with a signature that does not verify is nobody's.
    let node = json!({"code": "40002", "sub_code": "isv.invalid-signature"});
    let forged = json!({"error_response": node, "sign": "AAAA"}).to_string();
    check_placed(&answer(&forged), "unknown");
}

#[test]
fn a_failure_of_the_business_decides_only_by_a_word_that_we_know() {
    for (sub_code, expected) in [
        ("ACQ.INVALID_PARAMETER", "refused invalid_request"),
        ("ACQ.ACCESS_FORBIDDEN", "refused configuration"),
        ("ACQ.TRADE_HAS_CLOSE", "refused already_closed"),
        ("ACQ.TRADE_HAS_SUCCESS", "unknown"),
        ("ACQ.CONTEXT_INCONSISTENT", "unknown"),
        ("ACQ.SYSTEM_ERROR", "unknown"),
        ("ACQ.A_NEW_WORD", "unknown"),
        ("", "unknown"),
    ] {
        check_placed(&failure(PRECREATE, sub_code), expected);
    }
    let node = json!({"code": "40004", "sub_code": "ACQ.INVALID_PARAMETER"});
    check_placed(&unsigned(PRECREATE, &node), "unknown");
    check_placed(&signed(PRECREATE, &json!({"code": "10003"})), "unknown");
}

fn trade(status: &str, more: Value) -> Answer {
    let mut node = done(json!({
        "out_trade_no": TRADE_NO, "trade_no": "2018113022001400000000000001",
        "trade_status": status, "total_amount": "80.00", "buyer_pay_amount": "0.00",
        "receipt_amount": "0.00",
    }));
    for (name, value) in more.as_object().unwrap() {
        node[name] = value.clone();
    }
    signed(QUERY, &node)
}

#[test]
fn a_query_tells_paid_unpaid_closed_and_absent() {
    let paid = json!({"send_pay_date": "2018-11-30 08:59:58", "buyer_pay_amount": "79.00"});
    check_order(&trade("WAIT_BUYER_PAY", json!({})), "unpaid");
    check_order(&trade("TRADE_SUCCESS", paid.clone()), "paid");
    check_order(&trade("TRADE_FINISHED", paid.clone()), "paid");
    // Closed because all of it was given back: it was paid, and is not kept.
    check_order(&trade("TRADE_CLOSED", paid), "given back");
    check_order(&trade("TRADE_CLOSED", json!({})), "closed");
    check_order(&trade("TRADE_CLOSED", json!({"send_pay_date": ""})), "closed");
    // Money without a time is no fact, and no "closed unpaid" either.
    check_order(&trade("TRADE_CLOSED", json!({"receipt_amount": "80.00"})), "unknown");
    check_order(&trade("TRADE_SUCCESS", json!({})), "unknown");
    check_order(&trade("A_NEW_STATUS", json!({})), "unknown");
    check_order(&trade("WAIT_BUYER_PAY", json!({"out_trade_no": "P0"})), "unknown");
    check_order(&failure(QUERY, "ACQ.TRADE_NOT_EXIST"), "absent");
    check_order(&failure(QUERY, "ACQ.SYSTEM_ERROR"), "unknown");
    check_order(&failure(QUERY, "ACQ.INVALID_PARAMETER"), "refused invalid_request");
    let node = json!({"code": "40004", "sub_code": "ACQ.TRADE_NOT_EXIST"});
    check_order(&unsigned(QUERY, &node), "unknown");
}

#[test]
fn t24_a_coupon_is_part_of_the_order_s_amount() {
    let paid = json!({"send_pay_date": "2018-11-30 08:59:58", "buyer_pay_amount": "79.00"});
    let Outcome::Accepted(OrderStanding::Paid(fact)) =
        alipay().read_order(&order_key(&trade_no()), &trade("TRADE_SUCCESS", paid), now())
    else {
        panic!("not paid")
    };
    assert_eq!((fact.amount, fact.coupon), (Fen::new(8000), Fen::new(100)));
    assert_eq!(fact.paid_at.to_string(), "2018-11-30T00:59:58Z");
    assert_eq!(fact.stated.payee, None, "a query names nobody");
}

#[test]
fn closing_an_order_tells_what_it_found() {
    check_closed(&signed(CLOSE, &done(json!({"out_trade_no": TRADE_NO}))), "closed");
    check_closed(&failure(CLOSE, "ACQ.TRADE_NOT_EXIST"), "not there");
    check_closed(&failure(CLOSE, "ACQ.REASON_TRADE_STATUS_INVALID"), "paid");
    check_closed(&failure(CLOSE, "ACQ.TRADE_HAS_SUCCESS"), "paid");
    check_closed(&failure(CLOSE, "ACQ.TRADE_HAS_CLOSE"), "closed");
    check_closed(&failure(CLOSE, "ACQ.SYSTEM_ERROR"), "unknown");
    check_closed(&failure(CLOSE, "ACQ.INVALID_PARAMETER"), "refused invalid_request");
    check_closed(&unsigned(CLOSE, &done(json!({}))), "unknown");
}

#[test]
fn what_is_closed_or_taken_back_is_the_order_that_was_asked_about() {
    for (product, method) in [(Product::Precreate, CLOSE), (Product::Pay, CANCEL)] {
        let call = alipay().close_order(&trade_no(), product);
        let read = |members: Value| {
            let mut node = json!({"retry_flag": "N", "action": "refund"});
            for (name, value) in members.as_object().unwrap() {
                node[name] = value.clone();
            }
            said(&alipay().read_closed(&call, &signed(method, &done(node)), now()), closing)
        };
        assert_eq!(read(json!({"out_trade_no": TRADE_NO})), "closed", "{method}");
        assert_eq!(read(json!({"out_trade_no": "P0ANOTHER"})), "unknown", "{method}");
        assert_eq!(read(json!({"out_trade_no": ""})), "unknown", "{method}");
        assert_eq!(read(json!({})), "unknown", "{method}");
    }
    // Where nothing was done nothing need be named, but another order must not be.
    let call = alipay().close_order(&trade_no(), Product::Pay);
    let nothing = |node: Value| {
        said(&alipay().read_closed(&call, &signed(CANCEL, &done(node)), now()), closing)
    };
    assert_eq!(nothing(json!({"retry_flag": "N"})), "not there");
    assert_eq!(nothing(json!({"retry_flag": "N", "out_trade_no": "P0ANOTHER"})), "unknown");
}

#[test]
fn a_refund_moved_money_only_when_fund_change_says_so() {
    let node = |fund_change: &str, refund_fee: &str| json!({"out_trade_no": TRADE_NO, "fund_change": fund_change, "refund_fee": refund_fee});
    // The figure is all refunds together: it proves this one only when it is exactly this one.
    check_refunded(node("Y", "30.00"), "Succeeded", Some(3000));
    check_refunded(node("Y", "50.00"), "Succeeded", None);
    check_refunded(node("Y", "10.00"), "Processing", None);
    check_refunded(node("N", "30.00"), "Processing", None);
    check_refunded(json!({"out_trade_no": TRADE_NO}), "Processing", None);
    let other = done(json!({"out_trade_no": "P0", "fund_change": "Y"}));
    assert_eq!(word(&refunded(&signed(REFUND, &other))), "unknown");
}

#[test]
fn t12_a_refund_whose_fate_is_not_proved_is_unknown() {
    for (sub_code, expected) in [
        ("ACQ.SYSTEM_ERROR", "unknown"),
        ("ACQ.DISCORDANT_REPEAT_REQUEST", "unknown"),
        ("ACQ.A_NEW_WORD", "unknown"),
        ("ACQ.SELLER_BALANCE_NOT_ENOUGH", "refused not_enough_funds"),
        ("ACQ.TRADE_HAS_FINISHED", "refused not_allowed"),
        ("ACQ.REASON_TRADE_REFUND_FEE_ERR", "refused not_allowed"),
        ("ACQ.TRADE_NOT_EXIST", "refused not_found"),
    ] {
        assert_eq!(word(&refunded(&failure(REFUND, sub_code))), expected, "{sub_code}");
    }
    let node = done(json!({"out_trade_no": TRADE_NO, "fund_change": "Y"}));
    assert_eq!(word(&refunded(&unsigned(REFUND, &node))), "unknown");
    let node = json!({"code": "20000", "sub_code": "aop.unknow-error"});
    assert_eq!(word(&refunded(&signed(REFUND, &node))), "unknown");
}

#[test]
fn a_refund_query_tells_done_under_way_or_none() {
    let answered = |members: Value| refund(&signed(REFUND_QUERY, &done(members)));
    let full = json!({
        "out_trade_no": TRADE_NO, "out_request_no": REFUND_NO, "refund_amount": "30.00",
        "refund_status": "REFUND_SUCCESS", "gmt_refund_pay": "2018-11-30 09:00:01",
    });
    let Outcome::Accepted(Some(fact)) = answered(full.clone()) else { panic!("no refund") };
    assert_eq!(fact.amount, Some(Fen::new(3000)));
    assert_eq!(fact.at.unwrap().to_string(), "2018-11-30T01:00:01Z");
    assert_eq!(fact.accepted_at, fact.at, "Alipay pays a refund when it takes it on");
    assert_eq!(answered(json!({})), Outcome::Accepted(None));
    let known = json!({"out_trade_no": TRADE_NO, "out_request_no": REFUND_NO});
    assert_eq!(answered(known), Outcome::Accepted(None));
    for (name, value) in
        [("out_request_no", "R0"), ("out_trade_no", "P0"), ("refund_status", "A_NEW_WORD")]
    {
        let mut other = full.clone();
        other[name] = json!(value);
        assert_eq!(word(&answered(other)), "unknown", "{name}");
    }
    let mut nameless = full;
    nameless.as_object_mut().unwrap().remove("out_request_no");
    assert_eq!(word(&answered(nameless)), "unknown");
    assert_eq!(refund(&failure(REFUND_QUERY, "ACQ.TRADE_NOT_EXIST")), Outcome::Accepted(None));
    assert_eq!(word(&refund(&failure(REFUND_QUERY, "ACQ.SYSTEM_ERROR"))), "unknown");
    assert_eq!(word(&refund(&unsigned(REFUND_QUERY, &done(json!({}))))), "unknown");
}
