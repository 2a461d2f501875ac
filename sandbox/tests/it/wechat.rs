//! WeChat Pay: each call accepted and refused.

use sandbox::{Action, Fault, Operation, Place};
use serde_json::{Value, json};

use crate::office::{MCHID, Office, Told, native, office, wechat_signed};

const URL: &str = "http://127.0.0.1:9/callbacks/a";

#[track_caller]
fn refused(told: &Told, status: u16, code: &str) {
    assert_eq!((told.status, told.code()), (status, code), "{told:?}");
    assert!(!told.signed, "a refusal carries no signature");
}

#[track_caller]
fn accepted(told: &Told) {
    assert_eq!(told.status, 200, "{told:?}");
    assert!(told.signed, "{told:?}");
}

#[test]
fn an_order_is_placed_paid_and_found_by_both_of_its_numbers() {
    let office = office();
    let placed = office.native("ORDER0001", 8000, URL);
    accepted(&placed);
    assert!(placed.body["code_url"].as_str().unwrap().starts_with("weixin://wxpay/bizpayurl"));
    let unpaid = office.query("ORDER0001");
    accepted(&unpaid);
    assert_eq!(unpaid.body["trade_state"], "NOTPAY");
    assert_eq!(unpaid.body.get("transaction_id"), None);

    let paid = office.engine.pay("ORDER0001", false).unwrap();
    assert_eq!(paid.provider_trade_no.len(), 28);
    let told = office.query("ORDER0001");
    assert_eq!(told.body["trade_state"], "SUCCESS");
    assert_eq!(told.body["amount"]["payer_total"], 8000);
    assert_eq!(told.body["success_time"], "2026-11-20T10:00:00+08:00");
    let target = format!("/v3/pay/transactions/id/{}?mchid={MCHID}", paid.provider_trade_no);
    assert_eq!(office.wechat("GET", &target, "").body, told.body);
}

#[test]
fn a_repeat_with_identical_parameters_gives_a_fresh_code_and_any_other_is_refused() {
    let office = office();
    let first = office.native("ORDER0001", 8000, URL);
    let again = office.native("ORDER0001", 8000, URL);
    accepted(&again);
    assert_ne!(first.body["code_url"], again.body["code_url"]);
    refused(&office.native("ORDER0001", 8001, URL), 403, "OUT_TRADE_NO_USED");
    refused(&office.native("ORDER0001", 8000, &format!("{URL}b")), 403, "OUT_TRADE_NO_USED");
}

#[test]
fn a_paid_order_is_neither_placed_again_nor_closed_and_a_closed_one_not_paid() {
    let office = office();
    office.native("ORDER0001", 8000, URL);
    office.engine.pay("ORDER0001", false).unwrap();
    refused(&office.native("ORDER0001", 8000, URL), 400, "ORDER_PAID");
    refused(&office.close("ORDER0001"), 400, "ORDER_PAID");
    assert!(office.engine.pay("ORDER0001", false).is_err());

    office.native("ORDER0002", 8000, URL);
    let closed = office.close("ORDER0002");
    assert_eq!((closed.status, closed.signed), (204, true));
    assert_eq!(office.close("ORDER0002").status, 204, "closing again is fine");
    assert_eq!(office.query("ORDER0002").body["trade_state"], "CLOSED");
    refused(&office.native("ORDER0002", 8000, URL), 400, "ORDER_CLOSED");
    assert!(office.engine.pay("ORDER0002", false).is_err());
}

#[test]
fn what_does_not_exist_is_not_found() {
    let office = office();
    refused(&office.query("ORDER0404"), 404, "ORDER_NOT_EXIST");
    refused(&office.close("ORDER0404"), 404, "ORDER_NOT_EXIST");
    let told = office.wechat("GET", "/v3/refund/domestic/refunds/R404", "");
    refused(&told, 404, "RESOURCE_NOT_EXISTS");
    refused(&office.wechat_refund("ORDER0404", "R1", 1, 1, ""), 404, "RESOURCE_NOT_EXISTS");
    refused(&office.wechat("GET", "/v3/certificates", ""), 404, "RESOURCE_NOT_EXISTS");
}

#[test]
fn an_expired_order_cannot_be_paid_and_a_code_dies_after_two_hours() {
    let office = office();
    office.native("ORDER0001", 8000, URL);
    office.pass(7200);
    assert!(office.engine.pay("ORDER0001", false).is_err());
    assert_eq!(office.query("ORDER0001").body["trade_state"], "NOTPAY");
}

#[test]
fn limits_are_held_field_by_field() {
    let office = office();
    let place = |change: &dyn Fn(&mut Value)| {
        let mut body: Value = serde_json::from_str(&native("ORDER0001", 8000, URL)).unwrap();
        change(&mut body);
        office.wechat("POST", "/v3/pay/transactions/native", &body.to_string())
    };
    type Change<'a> = (&'a str, &'a dyn Fn(&mut Value));
    let cases: [Change<'_>; 12] = [
        ("unknown field", &|body| body["colour"] = json!("red")),
        ("null", &|body| body["attach"] = Value::Null),
        ("empty attach", &|body| body["attach"] = json!("")),
        ("short number", &|body| body["out_trade_no"] = json!("A1234")),
        ("long number", &|body| body["out_trade_no"] = json!("A".repeat(33))),
        ("odd number", &|body| body["out_trade_no"] = json!("ORDER 001")),
        ("long description", &|body| body["description"] = json!("费".repeat(128))),
        ("zero", &|body| body["amount"]["total"] = json!(0)),
        ("fraction", &|body| body["amount"]["total"] = json!(80.5)),
        ("currency", &|body| body["amount"]["currency"] = json!("USD")),
        ("query in address", &|body| body["notify_url"] = json!("https://a.example/x?y=1")),
        ("expires too soon", &|body| body["time_expire"] = json!("2026-11-20T10:00:59+08:00")),
    ];
    for (what, change) in cases {
        let told = place(change);
        assert_eq!((told.status, told.code()), (400, "PARAM_ERROR"), "{what}: {told:?}");
        assert!(told.body["detail"]["issue"].is_string(), "{what}");
    }
    refused(&place(&|body| body["appid"] = json!("wx0")), 400, "APPID_MCHID_NOT_MATCH");
    accepted(&place(&|_| ()));
}

#[test]
fn a_request_that_is_not_the_merchants_is_refused() {
    let office = office();
    let body = native("ORDER0001", 8000, URL);
    let request = || office.wechat_request("POST", "/v3/pay/transactions/native", &body);
    let ask = |request| office.told(&office.engine.answer(&request));
    let replaced = |from: &str, to: &str| {
        let mut request = request();
        for (_, value) in &mut request.headers {
            *value = value.replace(from, to);
        }
        request
    };
    let without = |name: &str| {
        let mut request = request();
        request.headers.retain(|(key, _)| key != name);
        request
    };
    refused(&ask(without("Accept")), 400, "INVALID_REQUEST");
    refused(&ask(without("User-Agent")), 400, "INVALID_REQUEST");
    refused(&ask(without("Authorization")), 401, "SIGN_ERROR");
    refused(&ask(replaced("RSA2048", "RSA1024")), 401, "SIGN_ERROR");
    refused(&ask(replaced(MCHID, "1900000002")), 401, "SIGN_ERROR");
    refused(&ask(replaced("5157F0", "6157F0")), 401, "SIGN_ERROR");
    refused(&ask(replaced("593BEC", "693BEC")), 401, "SIGN_ERROR");
    let mut other_body = request();
    other_body.body.push(b' ');
    refused(&ask(other_body), 401, "SIGN_ERROR");
    let mut other_path = request();
    other_path.target.push_str("?a=b");
    refused(&ask(other_path), 401, "SIGN_ERROR");
    let early = request();
    office.pass(301);
    refused(&ask(early), 401, "SIGN_ERROR");
    assert!(office.engine.state().orders.is_empty(), "nothing was done");
}

#[test]
fn the_path_is_verified_as_it_was_sent() {
    let office = office();
    office.native("ORDER|0001", 8000, URL);
    assert_eq!(office.query("ORDER|0001").status, 200);
    assert_eq!(office.query("ORDER%7C0001").status, 200, "signed as encoded, found as decoded");
    let mut request = office.wechat_request(
        "GET",
        &format!("/v3/pay/transactions/out-trade-no/ORDER|0001?mchid={MCHID}"),
        "",
    );
    request.target = request.target.replace('|', "%7C");
    refused(&office.told(&office.engine.answer(&request)), 401, "SIGN_ERROR");
}

fn paid(office: &Office, out_trade_no: &str, fen: i64) {
    office.native(out_trade_no, fen, URL);
    office.engine.pay(out_trade_no, false).unwrap();
}

#[test]
fn a_refund_is_accepted_first_and_arrives_later() {
    let office = office();
    paid(&office, "ORDER0001", 8000);
    let told = office.wechat_refund("ORDER0001", "R1", 3000, 8000, "");
    accepted(&told);
    assert_eq!(told.body["status"], "PROCESSING");
    assert_eq!(told.body.get("success_time"), None);
    assert!(office.engine.state().moves.len() == 1, "no money has moved back yet");
    office.pass(60);
    let told = office.wechat("GET", "/v3/refund/domestic/refunds/R1", "");
    assert_eq!(told.body["status"], "SUCCESS");
    assert_eq!(told.body["success_time"], "2026-11-20T10:01:00+08:00");
    assert_eq!(told.body["amount"]["refund"], 3000);
    assert_eq!(office.query("ORDER0001").body["trade_state"], "REFUND");
    assert_eq!(office.engine.state().moves.len(), 2);
}

#[test]
fn one_refund_number_is_one_refund() {
    let office = office();
    paid(&office, "ORDER0001", 8000);
    let first = office.wechat_refund("ORDER0001", "R1", 3000, 8000, "");
    assert_eq!(office.wechat_refund("ORDER0001", "R1", 3000, 8000, "").body, first.body);
    refused(&office.wechat_refund("ORDER0001", "R1", 3001, 8000, ""), 400, "INVALID_REQUEST");
    assert_eq!(office.engine.state().refunds.len(), 1);
}

#[test]
fn refunds_never_exceed_the_payment_nor_fifty() {
    let office = office();
    paid(&office, "ORDER0001", 100);
    refused(&office.wechat_refund("ORDER0001", "R0", 101, 100, ""), 400, "INVALID_REQUEST");
    refused(&office.wechat_refund("ORDER0001", "R0", 10, 99, ""), 400, "INVALID_REQUEST");
    for count in 1..=50 {
        accepted(&office.wechat_refund("ORDER0001", &format!("R{count}"), 1, 100, ""));
    }
    refused(&office.wechat_refund("ORDER0001", "R51", 1, 100, ""), 403, "RULE_LIMIT");

    paid(&office, "ORDER0002", 100);
    accepted(&office.wechat_refund("ORDER0002", "S1", 60, 100, ""));
    refused(&office.wechat_refund("ORDER0002", "S2", 41, 100, ""), 400, "INVALID_REQUEST");
    accepted(&office.wechat_refund("ORDER0002", "S3", 40, 100, ""));
    office.native("ORDER0003", 100, URL);
    refused(&office.wechat_refund("ORDER0003", "T1", 1, 100, ""), 400, "INVALID_REQUEST");
}

#[test]
fn many_refunds_at_once_never_exceed_the_payment() {
    let office = office();
    paid(&office, "ORDER0001", 100);
    let accepted: usize = std::thread::scope(|scope| {
        let hands: Vec<_> = (0..20)
            .map(|count| {
                let office = &office;
                scope.spawn(move || {
                    office.wechat_refund("ORDER0001", &format!("R{count}"), 10, 100, "").status
                })
            })
            .collect();
        hands.into_iter().map(|hand| hand.join().unwrap()).filter(|s| *s == 200).count()
    });
    assert_eq!(accepted, 10);
    assert_eq!(office.engine.state().orders[0].refunded_fen, domain::Fen::new(100));
}

#[test]
fn a_refund_without_balance_moves_nothing_and_succeeds_later_under_the_same_number() {
    let office = office();
    paid(&office, "ORDER0001", 8000);
    let fault = Fault::new(Place::Answer, Action::NotEnough).during(Operation::Refund).times(1);
    office.engine.set_fault(fault).unwrap();
    refused(&office.wechat_refund("ORDER0001", "R1", 8000, 8000, ""), 403, "NOT_ENOUGH");
    assert!(office.engine.state().refunds.is_empty());
    accepted(&office.wechat_refund("ORDER0001", "R1", 8000, 8000, ""));
}

#[test]
fn an_abnormal_refund_never_counts_as_moved() {
    let office = office();
    paid(&office, "ORDER0001", 8000);
    office.engine.set_fault(Fault::new(Place::Answer, Action::Abnormal).times(1)).unwrap();
    accepted(&office.wechat_refund("ORDER0001", "R1", 8000, 8000, ""));
    office.pass(3600);
    let told = office.wechat("GET", "/v3/refund/domestic/refunds/R1", "");
    assert_eq!(told.body["status"], "ABNORMAL");
    assert_eq!(office.engine.state().moves.len(), 1);
}

#[test]
fn after_a_rotation_the_asker_may_still_name_the_old_key() {
    let office = office();
    let (id, public_key) = office.engine.rotate_key(MCHID, false).unwrap();
    assert!(public_key.starts_with("-----BEGIN PUBLIC KEY-----"));
    let plain = office.wechat_request(
        "GET",
        "/v3/pay/transactions/out-trade-no/ORDER0001?mchid=1900000001",
        "",
    );
    office.native("ORDER0001", 8000, URL);
    let reply = office.engine.answer(&plain);
    assert_eq!(reply.header("Wechatpay-Serial"), Some(id.as_str()));
    let mut asking = plain;
    let old = crate::office::PLATFORM_ID.to_owned();
    asking.headers.push(("Wechatpay-Serial".to_owned(), old));
    assert!(wechat_signed(&office.engine.answer(&asking)));
}
