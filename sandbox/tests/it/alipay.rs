//! Alipay: each method accepted and refused.

use sandbox::{Action, Fault, Place, PortalRefund};
use serde_json::{Value, json};

use crate::office::{Office, alipay_node, office};

const URL: &str = "http://127.0.0.1:9/callbacks/b";

#[track_caller]
fn refused(node: &Value, sub_code: &str) {
    assert_eq!((&node["code"], &node["sub_code"]), (&json!("40004"), &json!(sub_code)), "{node}");
}

fn query(office: &Office, no: &str) -> Value {
    office.alipay("alipay.trade.query", &json!({"out_trade_no": no}))
}

fn close(office: &Office, no: &str) -> Value {
    office.alipay("alipay.trade.close", &json!({"out_trade_no": no}))
}

fn refund(office: &Office, no: &str, request_no: &str, yuan: &str) -> Value {
    let content = json!({"out_trade_no": no, "out_request_no": request_no, "refund_amount": yuan});
    office.alipay("alipay.trade.refund", &content)
}

fn paid(office: &Office, no: &str, yuan: &str) {
    assert_eq!(office.precreate(no, yuan, URL)["code"], "10000");
    office.engine.pay(no, false).unwrap();
}

#[test]
fn a_code_is_no_trade_until_a_wallet_opens_it() {
    let office = office();
    let placed = office.precreate("A0001", "80.00", URL);
    assert!(placed["qr_code"].as_str().unwrap().starts_with("https://qr.alipay.com/"));
    refused(&query(&office, "A0001"), "ACQ.TRADE_NOT_EXIST");
    refused(&close(&office, "A0001"), "ACQ.TRADE_NOT_EXIST");
    office.engine.scan("A0001", None).unwrap();
    assert_eq!(query(&office, "A0001")["trade_status"], "WAIT_BUYER_PAY");
    office.engine.pay("A0001", false).unwrap();
    let told = query(&office, "A0001");
    assert_eq!(told["trade_status"], "TRADE_SUCCESS");
    assert_eq!(told["total_amount"], "80.00");
    assert_eq!(told["send_pay_date"], "2026-11-20 10:00:00");
}

#[test]
fn a_code_that_could_not_be_closed_stays_payable_until_it_expires() {
    let office = office();
    office.precreate("A0001", "80.00", URL);
    refused(&close(&office, "A0001"), "ACQ.TRADE_NOT_EXIST");
    office.engine.pay("A0001", false).unwrap();
    office.precreate("A0002", "80.00", URL);
    office.pass(90 * 60);
    assert!(office.engine.pay("A0002", false).is_err(), "expired");
}

#[test]
fn a_scanned_trade_is_closed_once_and_then_not_payable() {
    let office = office();
    office.precreate("A0001", "80.00", URL);
    office.engine.scan("A0001", None).unwrap();
    assert_eq!(close(&office, "A0001")["code"], "10000");
    assert_eq!(query(&office, "A0001")["trade_status"], "TRADE_CLOSED");
    refused(&close(&office, "A0001"), "ACQ.REASON_TRADE_STATUS_INVALID");
    assert!(office.engine.pay("A0001", false).is_err());
    refused(&office.precreate("A0001", "80.00", URL), "ACQ.TRADE_HAS_CLOSE");
    paid(&office, "A0002", "1.00");
    refused(&close(&office, "A0002"), "ACQ.REASON_TRADE_STATUS_INVALID");
}

#[test]
fn a_repeat_gives_a_fresh_code_and_another_amount_is_refused() {
    let office = office();
    let first = office.precreate("A0001", "80.00", URL);
    let again = office.precreate("A0001", "80.00", URL);
    assert_ne!(first["qr_code"], again["qr_code"]);
    refused(&office.precreate("A0001", "80.01", URL), "ACQ.CONTEXT_INCONSISTENT");
    office.engine.pay("A0001", false).unwrap();
    refused(&office.precreate("A0001", "80.00", URL), "ACQ.TRADE_HAS_SUCCESS");
}

#[test]
fn limits_are_held() {
    let office = office();
    for (no, yuan) in [("A-1", "1.00"), ("A0001", "1.001"), ("A0001", "0"), ("A0001", "1e2")] {
        assert_eq!(office.precreate(no, yuan, URL)["code"], "40004", "{no} {yuan}");
    }
    let content = json!({"out_trade_no": "A1", "total_amount": "1.00", "subject": "a=b"});
    refused(&office.alipay("alipay.trade.precreate", &content), "ACQ.INVALID_PARAMETER");
}

#[test]
fn fund_change_tells_whether_this_request_moved_money_and_refund_fee_is_cumulative() {
    let office = office();
    paid(&office, "A0001", "80.00");
    let first = refund(&office, "A0001", "R1", "30.00");
    assert_eq!((&first["fund_change"], &first["refund_fee"]), (&json!("Y"), &json!("30.00")));
    let again = refund(&office, "A0001", "R1", "30.00");
    assert_eq!((&again["fund_change"], &again["refund_fee"]), (&json!("N"), &json!("30.00")));
    refused(&refund(&office, "A0001", "R1", "31.00"), "ACQ.DISCORDANT_REPEAT_REQUEST");
    refused(&refund(&office, "A0001", "R2", "50.01"), "ACQ.REASON_TRADE_REFUND_FEE_ERR");
    assert_eq!(query(&office, "A0001")["trade_status"], "TRADE_SUCCESS");
    let rest = refund(&office, "A0001", "R2", "50.00");
    assert_eq!((&rest["fund_change"], &rest["refund_fee"]), (&json!("Y"), &json!("80.00")));
    assert_eq!(query(&office, "A0001")["trade_status"], "TRADE_CLOSED");
    assert_eq!(office.engine.state().moves.len(), 3);
}

#[test]
fn a_refund_query_is_empty_until_there_is_a_refund() {
    let office = office();
    paid(&office, "A0001", "80.00");
    let ask = || {
        let content = json!({"out_trade_no": "A0001", "out_request_no": "R1"});
        office.alipay("alipay.trade.fastpay.refund.query", &content)
    };
    assert_eq!(ask(), json!({"code": "10000", "msg": "Success"}));
    refund(&office, "A0001", "R1", "30.00");
    assert_eq!(ask()["refund_status"], "REFUND_SUCCESS");
    assert_eq!(ask()["refund_amount"], "30.00");
    let nobody = json!({"out_trade_no": "A0404", "out_request_no": "R1"});
    let told = office.alipay("alipay.trade.fastpay.refund.query", &nobody);
    refused(&told, "ACQ.TRADE_NOT_EXIST");
}

#[test]
fn a_refund_without_balance_moves_nothing() {
    let office = office();
    paid(&office, "A0001", "80.00");
    office.engine.set_fault(Fault::new(Place::Answer, Action::NotEnough).times(1)).unwrap();
    refused(&refund(&office, "A0001", "R1", "80.00"), "ACQ.SELLER_BALANCE_NOT_ENOUGH");
    assert_eq!(office.engine.state().moves.len(), 1);
    assert_eq!(refund(&office, "A0001", "R1", "80.00")["fund_change"], "Y");
}

#[test]
fn a_portal_refund_holds_the_same_rules() {
    let office = office();
    paid(&office, "A0001", "80.00");
    let portal = |fen| {
        office.engine.refund(&PortalRefund {
            out_trade_no: "A0001".to_owned(),
            merchant: None,
            amount_fen: domain::Fen::new(fen),
            out_refund_no: None,
        })
    };
    assert!(portal(8001).is_err());
    assert!(portal(5000).is_ok());
    assert!(portal(5000).is_err());
    assert!(portal(3000).is_ok());
}

#[test]
fn a_request_that_is_not_the_applications_gets_an_error_response() {
    let office = office();
    let content = json!({"out_trade_no": "A0001", "total_amount": "1.00", "subject": "费"});
    let parameters = || office.alipay_parameters("alipay.trade.precreate", &content, None);
    let sub_code = |reply: sandbox::Reply| {
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body.get("sign"), None);
        body["error_response"]["sub_code"].as_str().unwrap_or_default().to_owned()
    };
    let changed = |name: &str, value: &str| {
        let mut parameters = parameters();
        parameters.insert(name.to_owned(), value.to_owned());
        sub_code(office.alipay_reply(parameters))
    };
    assert_eq!(changed("app_id", "2021000000000001"), "isv.invalid-app-id");
    assert_eq!(changed("sign_type", "RSA"), "isv.invalid-signature-type");
    assert_eq!(changed("method", "alipay.trade.unknown"), "isv.invalid-method");
    assert_eq!(changed("timestamp", "2026-11-20 09:49:59"), "isv.invalid-timestamp");
    assert_eq!(changed("timestamp", ""), "isv.missing-timestamp");
    assert_eq!(changed("biz_content", "[]"), "isv.invalid-json");
    let mut spoilt = parameters();
    spoilt.insert("sign".to_owned(), "AAAA".to_owned());
    assert_eq!(sub_code(office.alipay_send(&spoilt)), "isv.invalid-signature");
    spoilt.remove("sign");
    assert_eq!(sub_code(office.alipay_send(&spoilt)), "isv.missing-signature");
    spoilt.insert("app_id".to_owned(), "2021000000000001".to_owned());
    assert_eq!(sub_code(office.alipay_send(&spoilt)), "isv.invalid-app-id", "asked first");
    assert!(office.engine.state().orders.is_empty());
}

#[test]
fn slashes_are_escaped_and_the_signature_covers_the_escaped_text() {
    let office = office();
    let content = json!({"out_trade_no": "A0001", "total_amount": "1.00", "subject": "费"});
    let method = "alipay.trade.precreate";
    let reply = office.alipay_reply(office.alipay_parameters(method, &content, None));
    let text = String::from_utf8(reply.body.clone()).unwrap();
    assert!(text.contains("https:\\/\\/qr.alipay.com\\/"), "{text}");
    assert!(alipay_node(method, &reply).1);
}

#[test]
fn everything_may_also_stand_in_the_query_of_a_get_and_nothing_twice() {
    let office = office();
    let content = json!({"out_trade_no": "A0001", "total_amount": "1.00", "subject": "费"});
    let mut parameters = office.alipay_parameters("alipay.trade.precreate", &content, None);
    let text: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    parameters.insert("sign".to_owned(), office.alipay_sign(&text.join("&")));
    let query =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&parameters).finish();
    let get = |target: String| {
        let reply = office.engine.answer(&sandbox::Received {
            method: "GET".to_owned(),
            target,
            headers: Vec::new(),
            body: Vec::new(),
        });
        String::from_utf8(reply.body).unwrap()
    };
    let twice = get(format!("/gateway.do?{query}&app_id=2021000000000000"));
    assert!(twice.contains("isv.invalid-parameter"), "{twice}");
    let once = get(format!("/gateway.do?{query}"));
    assert!(once.contains("\"code\":\"10000\""), "{once}");
}
