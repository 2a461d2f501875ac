//! Alipay's barcode at the counter: what its last four digits do, and the cancel.

use sandbox::{Action, Fault, Operation, Pay, Place, PortalRefund};
use serde_json::{Value, json};

use crate::alipay_office::{URL, order};
use crate::office::{Office, office};

fn charge(office: &Office, no: &str, code: &str) -> Value {
    let mut content = order(no, "FACE_TO_FACE_PAYMENT");
    content["scene"] = json!("bar_code");
    content["auth_code"] = json!(code);
    content["timeout_express"] = json!("5m");
    office.alipay_notified("alipay.trade.pay", &content, Some(URL))
}

fn standing(office: &Office, no: &str) -> Value {
    let told = office.alipay("alipay.trade.query", &json!({"out_trade_no": no}));
    told.get("trade_status").or_else(|| told.get("sub_code")).unwrap().clone()
}

fn cancel(office: &Office, no: &str) -> Value {
    office.alipay("alipay.trade.cancel", &json!({"out_trade_no": no}))
}

#[track_caller]
fn check(code: &str, answer: &str, status: &str) {
    let office = office();
    let told = charge(&office, "A0001", code);
    let word = told.get("sub_code").unwrap_or(&told["code"]);
    assert_eq!((word, &standing(&office, "A0001")), (&json!(answer), &json!(status)), "{told}");
}

#[test]
fn the_last_four_digits_of_a_barcode_say_what_happens() {
    check("281234567890123456", "10000", "TRADE_SUCCESS");
    check("281234567890129900", "10003", "WAIT_BUYER_PAY");
    check("281234567890129901", "ACQ.SYSTEM_ERROR", "TRADE_SUCCESS");
    check("281234567890129902", "ACQ.PAYMENT_AUTH_CODE_INVALID", "ACQ.TRADE_NOT_EXIST");
    check("281234567890129903", "ACQ.BUYER_BALANCE_NOT_ENOUGH", "ACQ.TRADE_NOT_EXIST");
}

#[test]
fn a_text_that_is_no_barcode_is_refused() {
    for code in ["2812345678901", "181234567890123456", "28123456789012345X", "311234567890123456"]
    {
        check(code, "ACQ.PAYMENT_AUTH_CODE_INVALID", "ACQ.TRADE_NOT_EXIST");
    }
}

#[test]
fn a_barcode_is_good_for_one_order_and_its_repeat() {
    let office = office();
    assert_eq!(charge(&office, "A0001", "281234567890129900")["code"], "10003");
    assert_eq!(charge(&office, "A0001", "281234567890129900")["code"], "10003");
    let other = charge(&office, "A0002", "281234567890129900");
    assert_eq!(other["sub_code"], "ACQ.PAYMENT_AUTH_CODE_INVALID");
    let other = charge(&office, "A0001", "281234567890123456");
    assert_eq!(other["sub_code"], "ACQ.CONTEXT_INCONSISTENT");
}

#[test]
fn what_is_paid_at_once_says_all_of_its_money() {
    let office = office();
    let told = charge(&office, "A0001", "281234567890123456");
    assert_eq!(told["gmt_payment"], "2026-11-20 10:00:00");
    for name in ["total_amount", "receipt_amount", "buyer_pay_amount", "invoice_amount"] {
        assert_eq!(told[name], "80.00", "{name}");
    }
    assert_eq!(told["trade_no"].as_str().unwrap().len(), 28);
    assert_eq!(office.alipay_notice("A0001")["trade_status"], "TRADE_SUCCESS");
    let again = charge(&office, "A0001", "281234567890123456");
    assert_eq!(again["sub_code"], "ACQ.TRADE_HAS_SUCCESS");
}

#[test]
fn a_waiting_payer_confirms_or_the_order_expires() {
    let office = office();
    charge(&office, "A0001", "281234567890129900");
    office.engine.pay("A0001", true).unwrap();
    assert_eq!(standing(&office, "A0001"), "TRADE_SUCCESS");
    charge(&office, "A0002", "281234567890139900");
    office.pass(300);
    assert!(office.engine.pay("A0002", true).is_err());
    assert_eq!(standing(&office, "A0002"), "TRADE_CLOSED");
}

#[test]
fn a_cancel_closes_what_waits_and_gives_back_what_is_paid() {
    let office = office();
    charge(&office, "A0001", "281234567890129900");
    let told = cancel(&office, "A0001");
    assert_eq!((&told["action"], &told["retry_flag"]), (&json!("close"), &json!("N")));
    assert!(office.engine.pay("A0001", false).is_err());
    assert_eq!(cancel(&office, "A0001")["action"], "close", "again");

    charge(&office, "A0002", "281234567890123456");
    let told = cancel(&office, "A0002");
    assert_eq!((&told["action"], &told["retry_flag"]), (&json!("refund"), &json!("N")));
    assert_eq!(cancel(&office, "A0002")["action"], "refund", "again");
    let moves: Vec<i64> =
        office.engine.state().moves.iter().map(|moved| moved.amount_fen.get()).collect();
    assert_eq!(moves, [8000, 8000], "in once, back once");
    assert_eq!(standing(&office, "A0002"), "TRADE_CLOSED");
}

#[test]
fn cancelling_what_is_not_there_is_success_without_an_action() {
    let told = cancel(&office(), "A0001");
    assert_eq!((&told["code"], told.get("action")), (&json!("10000"), None));
}

#[test]
fn a_cancel_that_fails_asks_to_be_repeated_and_a_late_one_is_refused() {
    let office = office();
    charge(&office, "A0001", "281234567890123456");
    let fault = Fault::new(Place::Answer, Action::Abnormal).during(Operation::Close).times(1);
    office.engine.set_fault(fault).unwrap();
    let told = cancel(&office, "A0001");
    assert_eq!((&told["sub_code"], &told["retry_flag"]), (&json!("ACQ.SYSTEM_ERROR"), &json!("Y")));
    assert_eq!(office.engine.state().moves.len(), 1);
    office.pass(24 * 3600 + 1);
    assert_eq!(cancel(&office, "A0001")["sub_code"], "ACQ.TRADE_CANCEL_TIME_OUT");
}

#[test]
fn what_was_given_back_in_part_is_not_cancelled() {
    let office = office();
    charge(&office, "A0001", "281234567890123456");
    let refund = PortalRefund {
        out_trade_no: "A0001".to_owned(),
        merchant: None,
        amount_fen: domain::Fen::new(100),
        out_refund_no: None,
    };
    office.engine.refund(&refund).unwrap();
    assert_eq!(cancel(&office, "A0001")["sub_code"], "ACQ.CANCEL_NOT_ALLOWED");
}

#[test]
fn two_payments_by_force_are_two_trades() {
    let office = office();
    charge(&office, "A0001", "281234567890123456");
    let pay = Pay { out_trade_no: "A0001".to_owned(), force: true, ..Pay::default() };
    let second = office.engine.pay_as(&pay).unwrap();
    let by_trade = |no: &str| office.alipay("alipay.trade.query", &json!({"trade_no": no}));
    assert_eq!(by_trade(&second.provider_trade_no)["trade_no"], second.provider_trade_no);
    assert_eq!(by_trade("2026112022001000000")["sub_code"], "ACQ.TRADE_NOT_EXIST");
}
