//! Orders over the old interface, and who is heard at all.

use super::{PAYEE, Told, accepted, raw, refused, unheard, unified};
use crate::office::office;

#[test]
fn an_order_is_placed_by_each_product_paid_and_found_by_both_numbers() {
    for (product, needs, gives) in [
        ("NATIVE", ("product_id", "1"), "code_url"),
        ("JSAPI", ("openid", "oABC"), "prepay_id"),
        ("APP", ("attach", "FEE1"), "prepay_id"),
        ("MWEB", ("scene_info", "{\"h5_info\":{\"type\":\"Wap\"}}"), "mweb_url"),
    ] {
        let office = office();
        let placed = office.unified("ORDER0001", &[("trade_type", product), needs]);
        accepted(&placed);
        assert_eq!(placed.get("trade_type"), product);
        assert!(!placed.get(gives).is_empty() && !placed.get("prepay_id").is_empty(), "{product}");
        let unpaid = office.v2_query("ORDER0001");
        assert_eq!((unpaid.get("trade_state"), unpaid.get("transaction_id")), ("NOTPAY", ""));

        let paid = office.engine.pay("ORDER0001", false).unwrap();
        let told = office.v2_query("ORDER0001");
        accepted(&told);
        assert_eq!((told.get("trade_state"), told.get("trade_type")), ("SUCCESS", product));
        assert_eq!((told.get("total_fee"), told.get("time_end")), ("8000", "20261120100000"));
        assert_eq!((told.get("attach"), told.get("fee_type")), ("FEE1", "CNY"));
        assert_eq!(product == "JSAPI", told.get("openid") == "oABC");
        let by_id = office.v2("/pay/orderquery", &[("transaction_id", &paid.provider_trade_no)]);
        assert_eq!(by_id.get("out_trade_no"), "ORDER0001");
    }
}

#[test]
fn what_a_product_needs_is_asked_for() {
    let office = office();
    for (what, change, code) in [
        ("no product", ("trade_type", ""), "LACK_PARAMS"),
        ("odd product", ("trade_type", "FACE"), "INVALID_REQUEST"),
        ("native without product_id", ("product_id", ""), "LACK_PARAMS"),
        ("jsapi without openid", ("trade_type", "JSAPI"), "LACK_PARAMS"),
        ("h5 without scene", ("trade_type", "MWEB"), "LACK_PARAMS"),
        ("no body", ("body", ""), "LACK_PARAMS"),
        ("long body", ("body", &"费".repeat(128)), "INVALID_REQUEST"),
        ("no address", ("notify_url", ""), "LACK_PARAMS"),
        ("query in address", ("notify_url", "https://a.example/x?y=1"), "INVALID_REQUEST"),
        ("no ip", ("spbill_create_ip", ""), "LACK_PARAMS"),
        ("zero", ("total_fee", "0"), "INVALID_REQUEST"),
        ("yuan", ("total_fee", "80.00"), "INVALID_REQUEST"),
        ("currency", ("fee_type", "USD"), "INVALID_REQUEST"),
        ("odd number", ("out_trade_no", "ORDER 001"), "INVALID_REQUEST"),
        ("long number", ("out_trade_no", &"A".repeat(33)), "INVALID_REQUEST"),
        ("time of the newer interface", ("time_expire", "2026-11-20T12:00"), "INVALID_REQUEST"),
        ("expires too soon", ("time_expire", "20261120100059"), "INVALID_REQUEST"),
        ("foreign appid", ("appid", "wx0"), "APPID_NOT_EXIST"),
        ("long nonce", ("nonce_str", &"n".repeat(33)), "INVALID_REQUEST"),
        ("sub-merchant", ("sub_mch_id", "1900000301"), "NOAUTH"),
    ] {
        let told = office.unified("ORDER0001", &[change]);
        assert_eq!(told.get("err_code"), code, "{what}: {told:?}");
        refused(&told, code);
    }
    assert!(office.engine.state().orders.is_empty());
}

#[test]
fn a_repeat_with_identical_parameters_gives_a_fresh_code_and_any_other_is_refused() {
    let office = office();
    let first = office.unified("ORDER0001", &[]);
    let again = office.unified("ORDER0001", &[]);
    accepted(&again);
    assert_ne!(first.get("code_url"), again.get("code_url"));
    refused(&office.unified("ORDER0001", &[("total_fee", "8001")]), "OUT_TRADE_NO_USED");
    refused(&office.unified("ORDER0001", &[("attach", "")]), "OUT_TRADE_NO_USED");
    office.engine.pay("ORDER0001", false).unwrap();
    refused(&office.unified("ORDER0001", &[]), "ORDERPAID");
}

#[test]
fn an_order_is_closed_once_and_not_when_it_is_paid() {
    let office = office();
    let close = |number| office.v2("/pay/closeorder", &[("out_trade_no", number)]);
    office.unified("ORDER0001", &[]);
    accepted(&close("ORDER0001"));
    refused(&close("ORDER0001"), "ORDERCLOSED");
    assert_eq!(office.v2_query("ORDER0001").get("trade_state"), "CLOSED");
    refused(&office.unified("ORDER0001", &[]), "ORDERCLOSED");
    assert!(office.engine.pay("ORDER0001", false).is_err());
    refused(&close("ORDER0404"), "ORDERNOTEXIST");
    refused(&office.v2_query("ORDER0404"), "ORDERNOTEXIST");
    office.unified("ORDER0002", &[]);
    office.engine.pay("ORDER0002", false).unwrap();
    refused(&close("ORDER0002"), "ORDERPAID");
}

#[test]
fn what_is_not_authentic_is_not_heard_and_answered_unsigned() {
    let office = office();
    let good = office.v2_request("/pay/unifiedorder", unified("ORDER0001", &[]), false);
    let text = String::from_utf8(good.body.clone()).unwrap();
    let spoilt = |from: &str, to: &str| raw("/pay/unifiedorder", &text.replacen(from, to, 1));
    let mut get = good.clone();
    get.method = "GET".to_owned();
    for request in [
        get,
        raw("/pay/unifiedorder", ""),
        raw("/pay/unifiedorder", "{}"),
        spoilt("8000", "8001"),
        spoilt("<body>", "<sign_type>HMAC-SHA256</sign_type><body>"),
        spoilt("<body>", "<sign_type>SM3</sign_type><body>"),
        spoilt(PAYEE, "1900000001"),
        spoilt(PAYEE, "1900000999"),
        spoilt("<mch_id>", "<mchid>").clone(),
        spoilt("<xml>", "<!DOCTYPE xml [<!ENTITY a \"b\">]><xml>"),
        spoilt("<xml>", "<xml><body>2</body>"),
        spoilt("<xml>", "<xml><a><b/></a>"),
    ] {
        unheard(&office.engine.answer(&request));
    }
    assert!(office.engine.state().orders.is_empty(), "nothing was done");
    accepted(&Told::of(&office.engine.answer(&good)));
}

#[test]
fn the_answer_is_signed_by_the_algorithm_of_the_request() {
    let office = office();
    let mut request = office.v2_request("/pay/unifiedorder", unified("ORDER0001", &[]), true);
    let told = Told::of(&office.engine.answer(&request));
    assert!(told.hmac && !told.md5, "{told:?}");
    let text = String::from_utf8(request.body).unwrap();
    request.body = text.replace("<sign_type><![CDATA[HMAC-SHA256]]></sign_type>", "").into_bytes();
    unheard(&office.engine.answer(&request));
}

#[test]
fn both_interfaces_see_the_same_orders() {
    let office = office();
    office.unified("ORDER0001", &[]);
    let paid = office.engine.pay("ORDER0001", false).unwrap();
    assert_eq!(paid.merchant, PAYEE);
    let state = office.engine.state();
    assert_eq!((state.orders.len(), state.moves.len()), (1, 1));
    assert_eq!(office.v2_query("ORDER0001").get("transaction_id"), paid.provider_trade_no);
}
