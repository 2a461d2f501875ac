//! The counter and the mini program: what their answers say, how an order is taken back, and that
//! sealed answers are opened only once they are proved.

use domain::money::Fen;
use domain::personal::{Personal, Secret};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{NOTIFY_URL, answer, failure, node_name, signed, unsigned};
use crate::alipay::Alipay;
use crate::alipay::content::ContentKey;
use crate::alipay::order::{CANCEL, CREATE, PAY, QUERY};
use crate::provider::{Closing, OrderKey, Pay, PaymentProvider as _, Placed, Product};
use crate::testing::{
    TRADE_NO, alipay, alipay_config, alipay_key, closing, new_order, now, order_key, said, stamp,
    standing, trade_no, word,
};
use crate::wire::{Answer, Call, Outcome};

const KEY: &str = "aa4BtZ4tspm2wnXLb1ThQA==";
const PAYMENT: &str = "2018113022001400000000000001";

fn call(product: Product) -> Call {
    let number = trade_no();
    let (buyer, code) = (Personal::new("2088102534368455"), Personal::new("281234567890123456"));
    let mut order = new_order(product, &number, NOTIFY_URL);
    (order.payer, order.auth_code) = (Some(&buyer), Some(&code));
    alipay().place(&order).unwrap()
}

fn placed(product: Product, answer: &Answer) -> Outcome<Placed> {
    alipay().read_placed(&call(product), answer, &stamp())
}

fn scanned() -> Value {
    json!({
        "code": "10000", "msg": "Success", "out_trade_no": TRADE_NO, "trade_no": PAYMENT,
        "total_amount": "80.00", "buyer_pay_amount": "79.00", "receipt_amount": "80.00",
        "gmt_payment": "2018-11-30 08:59:58", "buyer_user_id": "2088102534368455",
    })
}

fn changed(mut node: Value, name: &str, value: Value) -> Value {
    node[name] = value;
    node
}

#[test]
fn a_mini_program_gets_the_trade_s_number() {
    let node = json!({"code": "10000", "out_trade_no": TRADE_NO, "trade_no": PAYMENT});
    let params = json!({"tradeNO": PAYMENT});
    let offered = Outcome::Accepted(Placed::Offered(Pay::Jsapi { params }));
    assert_eq!(placed(Product::Create, &signed(CREATE, &node)), offered);
    for (answer, expected) in [
        (unsigned(CREATE, &node), "unknown"),
        (signed(CREATE, &changed(node.clone(), "trade_no", json!(""))), "unknown"),
        (signed(CREATE, &changed(node, "out_trade_no", json!("P0"))), "unknown"),
        (failure(CREATE, "ACQ.BUYER_SELLER_EQUAL"), "refused not_allowed"),
        (failure(CREATE, "ACQ.TRADE_BUYER_NOT_MATCH"), "refused not_allowed"),
        (failure(CREATE, "ACQ.SYSTEM_ERROR"), "unknown"),
        (failure(CREATE, "ACQ.CONTEXT_INCONSISTENT"), "unknown"),
    ] {
        assert_eq!(word(&placed(Product::Create, &answer)), expected);
    }
}

#[test]
fn t24_a_payer_who_was_scanned_has_paid_the_order_s_amount() {
    let outcome = placed(Product::Pay, &signed(PAY, &scanned()));
    let Outcome::Accepted(Placed::Paid(fact)) = outcome else { panic!("not paid") };
    assert_eq!((fact.amount, fact.coupon), (Fen::new(8000), Fen::new(100)));
    assert_eq!(fact.provider_trade_no.as_str(), PAYMENT);
    assert_eq!(fact.paid_at.to_string(), "2018-11-30T00:59:58Z");
    for (name, value) in
        [("out_trade_no", "P0"), ("trade_no", ""), ("total_amount", "x"), ("gmt_payment", "")]
    {
        let answer = signed(PAY, &changed(scanned(), name, json!(value)));
        assert_eq!(word(&placed(Product::Pay, &answer)), "unknown", "{name}");
    }
    assert_eq!(word(&placed(Product::Pay, &unsigned(PAY, &scanned()))), "unknown");
}

#[test]
fn a_payer_who_must_confirm_is_waited_for() {
    let node = json!({"code": "10003", "msg": "order success pay inprocess",
        "out_trade_no": TRADE_NO, "trade_no": PAYMENT});
    let waits = Outcome::Accepted(Placed::Offered(Pay::None));
    assert_eq!(placed(Product::Pay, &signed(PAY, &node)), waits);
    assert_eq!(word(&placed(Product::Pay, &unsigned(PAY, &node))), "unknown");
    let other = changed(node.clone(), "out_trade_no", json!("P0"));
    assert_eq!(word(&placed(Product::Pay, &signed(PAY, &other))), "unknown");
    // Elsewhere nobody waits at a counter.
    assert_eq!(word(&placed(Product::Create, &signed(CREATE, &node))), "unknown");
}

#[test]
fn t11_only_what_decides_refuses_a_payer_at_the_counter() {
    for (sub_code, expected) in [
        ("ACQ.PAYMENT_AUTH_CODE_INVALID", "refused invalid_request"),
        ("ACQ.BUYER_BALANCE_NOT_ENOUGH", "refused not_allowed"),
        ("ACQ.TRADE_HAS_SUCCESS", "unknown"),
        ("ACQ.SYSTEM_ERROR", "unknown"),
        ("aop.ACQ.SYSTEM_ERROR", "unknown"),
        ("ACQ.A_NEW_WORD", "unknown"),
    ] {
        assert_eq!(word(&placed(Product::Pay, &failure(PAY, sub_code))), expected, "{sub_code}");
    }
    let gone = json!({"code": "20000", "sub_code": "isp.unknow-error"});
    assert_eq!(word(&placed(Product::Pay, &signed(PAY, &gone))), "unknown");
    let mut forged = signed(PAY, &scanned());
    let text = String::from_utf8(forged.body).unwrap().replace("80.00", "08.00");
    forged.body = text.into_bytes();
    assert_eq!(word(&placed(Product::Pay, &forged)), "unknown", "money may have moved");
}

fn taken_back(answer: &Answer) -> Outcome<Closing> {
    let call = alipay().close_order(&trade_no(), Product::Pay);
    assert_eq!(call.target, CANCEL);
    alipay().read_closed(&call, answer, now())
}

#[track_caller]
fn check_cancelled(retry: &str, action: &str, expected: &str) {
    let mut node = json!({"code": "10000", "out_trade_no": TRADE_NO, "retry_flag": retry});
    if !action.is_empty() {
        node["action"] = json!(action);
    }
    assert_eq!(said(&taken_back(&signed(CANCEL, &node)), closing), expected, "{retry} {action}");
    assert_eq!(word(&taken_back(&unsigned(CANCEL, &node))), "unknown");
}

#[test]
fn an_order_at_the_counter_is_taken_back_until_alipay_says_that_it_is() {
    check_cancelled("N", "close", "closed");
    check_cancelled("N", "refund", "closed");
    check_cancelled("N", "", "not there");
    check_cancelled("Y", "close", "unknown");
    check_cancelled("Y", "", "unknown");
    check_cancelled("N", "a_new_word", "unknown");
    check_cancelled("", "close", "unknown");
    let failed = |sub_code: &str| said(&taken_back(&failure(CANCEL, sub_code)), closing);
    assert_eq!(failed("ACQ.TRADE_NOT_EXIST"), "not there");
    assert_eq!(failed("ACQ.SELLER_BALANCE_NOT_ENOUGH"), "paid");
    assert_eq!(failed("ACQ.TRADE_HAS_FINISHED"), "paid");
    assert_eq!(failed("ACQ.TRADE_HAS_CLOSE"), "closed");
    assert_eq!(failed("ACQ.SYSTEM_ERROR"), "unknown");
    assert_eq!(failed("ACQ.INVALID_PARAMETER"), "refused invalid_request");
    for product in [Product::Precreate, Product::Page, Product::Wap, Product::App, Product::Create]
    {
        let call = alipay().close_order(&trade_no(), product);
        assert_eq!(call.target, "alipay.trade.close");
        // An answer of another method is none.
        let node = json!({"code": "10000", "retry_flag": "N", "action": "close"});
        let outcome = alipay().read_closed(&call, &signed(CANCEL, &node), now());
        assert_eq!(word(&outcome), "unknown");
    }
}

#[test]
fn an_order_is_asked_for_by_either_number_and_must_have_both() {
    let (order, payment) = (trade_no(), PAYMENT.parse().unwrap());
    let by_theirs = OrderKey { out_trade_no: &order, provider_trade_no: Some(&payment) };
    let body = |key: &OrderKey<'_>| alipay().query_order(key).body;
    assert_eq!(body(&by_theirs), format!("{{\"trade_no\":\"{PAYMENT}\"}}"));
    assert_eq!(body(&order_key(&order)), format!("{{\"out_trade_no\":\"{TRADE_NO}\"}}"));
    let read = |key: &OrderKey<'_>, out_trade_no: &str, trade_no: &str| {
        let node = json!({"code": "10000", "out_trade_no": out_trade_no, "trade_no": trade_no,
            "trade_status": "WAIT_BUYER_PAY", "total_amount": "80.00"});
        said(&alipay().read_order(key, &signed(QUERY, &node), now()), standing)
    };
    assert_eq!(read(&by_theirs, TRADE_NO, PAYMENT), "unpaid");
    assert_eq!(read(&by_theirs, "P0", PAYMENT), "unknown");
    assert_eq!(read(&by_theirs, TRADE_NO, "1"), "unknown");
    assert_eq!(read(&order_key(&order), TRADE_NO, "1"), "unpaid");
}

fn sealing() -> Alipay {
    let mut config = alipay_config("https://openapi.alipay.com/gateway.do");
    config.encrypt_key = Some(Secret::new(KEY));
    Alipay::new(config).unwrap()
}

/// A sealed answer; the signature is over `over`, where that is not the node with its quotes.
fn sealed(method: &str, node: &Value, over: Option<&str>) -> Answer {
    let sealed = ContentKey::read(KEY).unwrap().seal(&node.to_string()).unwrap();
    // The gateway writes a slash with a backslash before it.
    let raw = format!("\"{}\"", sealed.replace('/', "\\/"));
    let sign = alipay_key().sign(over.unwrap_or(&raw).as_bytes()).unwrap();
    answer(&format!("{{\"sign\":\"{sign}\",\"{}\":{raw}}}", node_name(method)))
}

#[test]
fn a_sealed_answer_is_proved_with_its_quotes_and_then_opened() {
    let node = json!({"code": "10000", "out_trade_no": TRADE_NO, "trade_status": "WAIT_BUYER_PAY"});
    let key = trade_no();
    let read = |hub: &Alipay, answer: &Answer| {
        said(&hub.read_order(&order_key(&key), answer, now()), standing)
    };
    assert_eq!(read(&sealing(), &sealed(QUERY, &node, None)), "unpaid");
    let bare = ContentKey::read(KEY).unwrap().seal(&node.to_string()).unwrap();
    assert_eq!(read(&sealing(), &sealed(QUERY, &node, Some(&bare))), "unknown", "without quotes");
    assert_eq!(read(&sealing(), &sealed(QUERY, &node, Some(&node.to_string()))), "unknown");
    let raw = format!("{{\"{}\":\"{bare}\"}}", node_name(QUERY));
    assert_eq!(read(&sealing(), &answer(&raw)), "unknown", "unsigned");
    assert_eq!(read(alipay(), &sealed(QUERY, &node, None)), "unknown", "no key");
    assert_eq!(read(&sealing(), &signed(QUERY, &json!("AAAA"))), "unknown");
    // Failures come in the clear, signed or not.
    assert_eq!(read(&sealing(), &failure(QUERY, "ACQ.TRADE_NOT_EXIST")), "absent");
    assert_eq!(
        read(
            &sealing(),
            &sealed(
                QUERY,
                &json!({"code": "40004",
        "sub_code": "ACQ.TRADE_NOT_EXIST"}),
                None
            )
        ),
        "absent"
    );
    let refusal =
        answer(r#"{"error_response":{"code":"40002","sub_code":"isv.invalid-signature"}}"#);
    assert_eq!(read(&sealing(), &refusal), "refused configuration");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The node's exact characters are what is signed, whatever they are and wherever they stand.
    #[test]
    fn any_node_is_proved_over_its_own_characters(
        text in "\\PC{0,40}",
        (blanks, first) in ("[ \t]{0,3}", any::<bool>()),
    ) {
        let node = json!({"code": "10000", "out_trade_no": TRADE_NO, "qr_code": format!("q{text}")});
        let node = format!("{blanks}{}{blanks}", node.to_string().replace('/', "\\/"));
        let sign = alipay_key().sign(node.trim().as_bytes()).unwrap();
        let node = format!("\"{}\":{node}", node_name("alipay.trade.precreate"));
        let sign = format!("\"sign\":\"{}\"", sign.replace('/', "\\/"));
        let body = if first { format!("{{{sign},{node}}}") } else { format!("{{{node},{sign}}}") };
        let code_url = format!("q{text}");
        let expected = Outcome::Accepted(Placed::Offered(Pay::QrCode { code_url }));
        prop_assert_eq!(placed(Product::Precreate, &answer(&body)), expected);
    }

    #[test]
    fn t19_a_random_answer_never_panics_and_never_pays(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let answer = Answer { status: 200, headers: crate::testing::headers(&[]), body };
        prop_assert_eq!(word(&placed(Product::Pay, &answer)), "unknown");
        prop_assert_eq!(word(&taken_back(&answer)), "unknown");
    }
}
