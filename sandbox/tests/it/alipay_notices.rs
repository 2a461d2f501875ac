//! What Alipay says of a trade by itself: payments with coupons, refunds, every odd letter.

use domain::Fen;
use sandbox::Pay;
use serde_json::{Value, json};

use crate::alipay_office::{URL, office_of, order};
use crate::office::{Office, office};

const PRECREATE: &str = "alipay.trade.precreate";

fn paid_with_coupon(office: &Office, no: &str) {
    office.alipay_notified(PRECREATE, &order(no, "FACE_TO_FACE_PAYMENT"), Some(URL));
    let pay =
        Pay { out_trade_no: no.to_owned(), coupon_fen: Some(Fen::new(1000)), ..Pay::default() };
    office.engine.pay_as(&pay).unwrap();
}

fn refund(office: &Office, no: &str, request_no: &str, yuan: &str) -> Value {
    let content = json!({"out_trade_no": no, "out_request_no": request_no, "refund_amount": yuan});
    office.alipay("alipay.trade.refund", &content)
}

#[test]
fn t24_a_coupon_leaves_the_total_and_lowers_what_is_paid_and_received() {
    let office = office();
    paid_with_coupon(&office, "A0001");
    let notice = office.alipay_notice("A0001");
    assert_eq!(notice["total_amount"], "80.00");
    for name in ["receipt_amount", "buyer_pay_amount", "invoice_amount"] {
        assert_eq!(notice[name], "70.00", "{name}");
    }
    let list = |name: &str| serde_json::from_str::<Value>(&notice[name]).unwrap();
    assert_eq!(
        list("fund_bill_list")[0],
        json!({"amount": "70.00", "fundChannel": "ALIPAYACCOUNT"})
    );
    assert_eq!(list("fund_bill_list")[1], json!({"amount": "10.00", "fundChannel": "MDISCOUNT"}));
    assert_eq!(list("voucher_detail_list")[0]["merchantContribute"], "10.00");
    let query = |options: Value| {
        let content = json!({"out_trade_no": "A0001", "query_options": options});
        office.alipay("alipay.trade.query", &content)
    };
    let told = query(json!(["voucher_detail_list"]));
    assert_eq!(
        (&told["total_amount"], &told["receipt_amount"]),
        (&json!("80.00"), &json!("70.00"))
    );
    assert_eq!(told["voucher_detail_list"][0]["amount"], "10.00");
    assert_eq!(query(json!([])).get("voucher_detail_list"), None, "not asked for");
}

#[test]
fn t16_every_letter_of_a_notice_comes_through_one_decoding() {
    let office = office();
    let mut content = order("A0001", "FACE_TO_FACE_PAYMENT");
    content["subject"] = json!("登记费 +%\"<🏠>");
    content["body"] = json!("a=1&b=2 +/ &quot;");
    content["passback_params"] = json!("case%3D7%26x%3D%2B");
    office.alipay_notified(PRECREATE, &content, Some(URL));
    office.engine.pay("A0001", true).unwrap();
    let notice = office.alipay_notice("A0001");
    assert_eq!(notice["subject"], "登记费 +%\"<🏠>");
    assert_eq!(notice["body"], "a=1&b=2 +/ &quot;");
    assert_eq!(notice["passback_params"], "case%3D7%26x%3D%2B");
}

#[test]
fn t17_a_refunds_notice_is_told_from_a_payments_by_its_refund_fields() {
    let office = office();
    office.alipay_notified(PRECREATE, &order("A0001", "FACE_TO_FACE_PAYMENT"), Some(URL));
    office.engine.pay("A0001", true).unwrap();
    let payment = office.alipay_notice("A0001");
    assert_eq!((payment.get("refund_fee"), payment.get("out_biz_no")), (None, None));
    refund(&office, "A0001", "R1", "30.00");
    let part = office.alipay_notice("A0001");
    assert_eq!(part["trade_status"], "TRADE_SUCCESS", "in part: still the word of a payment");
    assert_eq!((part["out_biz_no"].as_str(), part["refund_fee"].as_str()), ("R1", "30.00"));
    assert_eq!(
        (part.get("gmt_close"), part["gmt_refund"].as_str()),
        (None, "2026-11-20 10:00:00.000")
    );
    refund(&office, "A0001", "R2", "50.00");
    let whole = office.alipay_notice("A0001");
    assert_eq!(whole["trade_status"], "TRADE_CLOSED");
    assert_eq!((whole["refund_fee"].as_str(), whole["send_back_fee"].as_str()), ("80.00", "50.00"));
    assert_eq!(whole["gmt_payment"], payment["gmt_payment"], "closed, but it was paid");
}

#[test]
fn refunds_of_a_payment_with_a_coupon_give_the_coupon_back_pro_rata_to_the_last_fen() {
    let office = office();
    paid_with_coupon(&office, "A0001");
    refund(&office, "A0001", "R1", "0.33");
    refund(&office, "A0001", "R2", "30.00");
    refund(&office, "A0001", "R3", "49.67");
    let coupons: Vec<i64> =
        office.engine.state().moves.iter().map(|moved| moved.coupon_fen.get()).collect();
    assert_eq!(coupons, [1000, 4, 375, 621]);
}

#[test]
fn refunds_three_seconds_apart_are_wanted_and_with_strict_intervals_required() {
    for strict in [false, true] {
        let office = office_of(|app| app.strict_intervals = strict);
        office.precreate("A0001", "80.00", URL);
        office.engine.pay("A0001", false).unwrap();
        refund(&office, "A0001", "R1", "1.00");
        office.pass(2);
        let code = if strict { "40004" } else { "10000" };
        assert_eq!(refund(&office, "A0001", "R2", "1.00")["code"], code);
        let deviations = office.engine.state().requests.last().unwrap().deviations.clone();
        assert_eq!(deviations, ["refund: less than 3 s after the one before"]);
        office.pass(3);
        assert_eq!(refund(&office, "A0001", "R3", "1.00")["code"], "10000");
        assert!(office.engine.state().requests.last().unwrap().deviations.is_empty());
    }
}

#[test]
fn the_time_of_a_refund_is_told_only_to_whoever_asks_for_it() {
    let office = office();
    office.precreate("A0001", "80.00", URL);
    office.engine.pay("A0001", false).unwrap();
    refund(&office, "A0001", "R1", "80.00");
    let ask = |options: Value| {
        let content =
            json!({"out_trade_no": "A0001", "out_request_no": "R1", "query_options": options});
        office.alipay("alipay.trade.fastpay.refund.query", &content)
    };
    assert_eq!(ask(json!([])).get("gmt_refund_pay"), None);
    assert_eq!(ask(json!(["gmt_refund_pay"]))["gmt_refund_pay"], "2026-11-20 10:00:00");
}
