//! Alipay in a browser, in an app, in a mini program; and who alone may pay.

use std::collections::BTreeMap;

use domain::personal::Personal;
use sandbox::{Pay, Person};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::alipay_office::{SUBJECT, URL, body, order};
use crate::office::{APP_ID, Office, SELLER, alipay_verifies, hex, office};

const BACK: &str = "http://127.0.0.1:9/back?case=7";
const PAGE: &str = "FAST_INSTANT_TRADE_PAY";

fn status(office: &Office, no: &str) -> Value {
    let told = office.alipay("alipay.trade.query", &json!({"out_trade_no": no}));
    told.get("trade_status").or_else(|| told.get("sub_code")).unwrap().clone()
}

#[track_caller]
fn leads_to_the_cashier(method: &str, product: &str) {
    let office = office();
    let html = office.alipay_page(method, &order("A0001", product), BACK);
    assert!(html.contains("¥80.00") && html.contains(SUBJECT) && html.contains("付款"), "{html}");
    assert_eq!(status(&office, "A0001"), "ACQ.TRADE_NOT_EXIST", "no trade before the payer is in");

    let button = [("out_trade_no", "A0001"), ("merchant", APP_ID)];
    let reply = office.press("/sandbox/alipay/cashier", &button);
    assert_eq!(reply.status, 303, "{}", body(&reply));
    let address = url::Url::parse(reply.header("Location").unwrap()).unwrap();
    assert_eq!(address.path(), "/back");
    let fields: BTreeMap<String, String> = address.query_pairs().into_owned().collect();
    assert_eq!((fields["case"].as_str(), fields["seller_id"].as_str()), ("7", SELLER));
    assert_eq!(fields["method"], format!("{method}.return"));
    let text: Vec<String> = fields
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "sign" | "sign_type" | "case"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert!(alipay_verifies(text.join("&").as_bytes(), &fields["sign"]));
    assert_eq!(status(&office, "A0001"), "TRADE_SUCCESS");
    assert_eq!(office.alipay_notice("A0001")["total_amount"], "80.00");
    assert_eq!(office.press("/sandbox/alipay/cashier", &button).status, 409, "paid already");
}

#[test]
fn a_page_shows_the_cashier_and_leads_back_with_a_signature() {
    leads_to_the_cashier("alipay.trade.page.pay", PAGE);
    leads_to_the_cashier("alipay.trade.wap.pay", "QUICK_WAP_WAY");
}

#[test]
fn a_page_may_be_got_too() {
    let office = office();
    let query = office.alipay_string("alipay.trade.page.pay", &order("A0001", PAGE));
    let reply = office.engine.answer(&sandbox::Received {
        method: "GET".to_owned(),
        target: format!("/gateway.do?{query}"),
        headers: Vec::new(),
        body: Vec::new(),
    });
    assert!(body(&reply).contains("¥80.00"));
    assert_eq!(reply.header("Content-Type"), Some("text/html; charset=utf-8"));
}

#[test]
fn a_page_that_is_not_signed_or_not_allowed_shows_why() {
    let office = office();
    let mut parameters =
        office.alipay_parameters("alipay.trade.page.pay", &order("A0001", PAGE), None);
    parameters.insert("sign".to_owned(), "AAAA".to_owned());
    let html = body(&office.alipay_send(&parameters));
    assert!(html.contains("错误代码<dd>invalid-signature"), "{html}");
    let refused = |content: &Value| office.alipay_page("alipay.trade.page.pay", content, BACK);
    assert!(refused(&order("A0001", "QUICK_WAP_WAY")).contains("product_code"));
    let mut content = order("A0001", PAGE);
    content["subject"] = json!("<b>费</b>");
    assert!(refused(&content).contains("subject"), "a slash is forbidden");
    assert!(office.engine.state().orders.is_empty());
    content["subject"] = json!("<b>费");
    assert!(refused(&content).contains("&lt;b&gt;费"), "escaped");
    refused(&order("A0002", PAGE));
    assert!(refused(&order("A0002", PAGE)).contains("¥80.00"), "a reload");
    content = order("A0002", PAGE);
    content["total_amount"] = json!("80.01");
    assert!(refused(&content).contains("ACQ.CONTEXT_INCONSISTENT"));
}

#[test]
fn a_payer_who_logs_in_and_leaves_makes_a_trade_that_can_be_closed() {
    let office = office();
    office.alipay_page("alipay.trade.page.pay", &order("A0001", PAGE), BACK);
    let button = [("out_trade_no", "A0001"), ("merchant", APP_ID)];
    office.press("/sandbox/scan", &button);
    assert_eq!(status(&office, "A0001"), "WAIT_BUYER_PAY");
    let close = office.alipay("alipay.trade.close", &json!({"out_trade_no": "A0001"}));
    assert_eq!(close["code"], "10000");
    let notice = office.alipay_notice("A0001");
    assert_eq!(notice["trade_status"], "TRADE_CLOSED");
    assert_eq!(notice.get("gmt_payment"), None, "never paid");
    assert_eq!(office.press("/sandbox/alipay/cashier", &button).status, 409);
}

#[test]
fn an_order_string_is_taken_by_the_wallet_alone() {
    let office = office();
    let content = order("A0001", "QUICK_MSECURITY_PAY");
    let text = office.alipay_string("alipay.trade.app.pay", &content);
    let spoilt = text.replace("80.00", "00.01");
    let take = |text: &str, pay: bool| {
        office.control("/sandbox/alipay/app-pay", &json!({"order_string": text, "pay": pay})).1
    };
    assert_eq!(take(&spoilt, true)["resultStatus"], "4000");
    let page = office.alipay_string("alipay.trade.page.pay", &order("A0002", PAGE));
    assert_eq!(take(&page, true)["resultStatus"], "4000", "not an app's");
    assert!(office.engine.state().orders.is_empty());
    assert_eq!(take(&text, false)["resultStatus"], "6001");
    assert_eq!(status(&office, "A0001"), "WAIT_BUYER_PAY");
    let told = take(&text, true);
    assert_eq!(told["resultStatus"], "9000");
    let result: Value = serde_json::from_str(told["result"].as_str().unwrap()).unwrap();
    assert_eq!(result["alipay_trade_app_pay_response"]["total_amount"], "80.00");
    assert_eq!(
        (&result["sign_type"], status(&office, "A0001")),
        (&json!("RSA2"), json!("TRADE_SUCCESS"))
    );
    let gateway =
        office.alipay_reply(office.alipay_parameters("alipay.trade.app.pay", &content, None));
    assert!(body(&gateway).contains("isv.invalid-method"));
}

#[test]
fn a_created_trade_is_one_at_once_and_its_buyer_pays() {
    let office = office();
    let create = |content: &Value| office.alipay("alipay.trade.create", content);
    let mut content = order("A0001", "JSAPI_PAY");
    assert_eq!(create(&content)["sub_code"], "ACQ.INVALID_PARAMETER", "nobody named");
    content["buyer_id"] = json!("20889");
    assert_eq!(create(&content)["sub_code"], "ACQ.BUYER_NOT_EXIST");
    content["buyer_id"] = json!("2088102100000001");
    let made = create(&content);
    assert_eq!(create(&content)["trade_no"], made["trade_no"], "a repeat");
    let query = || office.alipay("alipay.trade.query", &json!({"trade_no": made["trade_no"]}));
    assert_eq!(query()["trade_status"], "WAIT_BUYER_PAY");
    office.engine.pay("A0001", false).unwrap();
    assert_eq!(query()["buyer_user_id"], "2088102100000001");

    let mut content = order("A0002", "JSAPI_PAY");
    content["buyer_open_id"] = json!("074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5");
    assert_eq!(create(&content)["code"], "10000");
    content["product_code"] = json!("QUICK_WAP_WAY");
    assert_eq!(create(&content)["sub_code"], "ACQ.INVALID_PARAMETER");
}

fn zhang() -> Person {
    Person {
        name: Personal::new("张三"),
        id_no: Personal::new("11010519491231002X"),
        document: None,
    }
}

#[track_caller]
fn admits_only_zhang(info: &Value) {
    let office = office();
    let mut content = order("A0001", "FACE_TO_FACE_PAYMENT");
    content["ext_user_info"] = info.clone();
    let placed = office.alipay_notified("alipay.trade.precreate", &content, Some(URL));
    assert_eq!(placed["code"], "10000", "{placed}");
    let pay = |person: Person| {
        let pay = Pay { out_trade_no: "A0001".to_owned(), payer: Some(person), ..Pay::default() };
        office.engine.pay_as(&pay)
    };
    let other = Person { id_no: Personal::new("110105194912310011"), ..zhang() };
    assert!(pay(other).is_err());
    assert!(pay(zhang()).is_ok());
}

#[test]
fn only_the_person_whom_the_office_names_may_pay() {
    admits_only_zhang(&json!({
        "name": "张三", "cert_type": "IDENTITY_CARD", "cert_no": "11010519491231002X",
        "need_check_info": "T",
    }));
    let hash = hex(&Sha256::digest("张三11010519491231002X"));
    admits_only_zhang(&json!({"identity_hash": hash, "need_check_info": "T"}));
}

#[test]
fn an_incomplete_person_is_refused() {
    let office = office();
    for info in [
        json!({"name": "张三", "need_check_info": "T"}),
        json!({"identity_hash": "abc", "need_check_info": "T"}),
        json!({"name": "张三", "cert_type": "CARD", "cert_no": "1", "need_check_info": "T"}),
    ] {
        let mut content = order("A0001", "FACE_TO_FACE_PAYMENT");
        content["ext_user_info"] = info;
        let told = office.alipay("alipay.trade.precreate", &content);
        assert_eq!(told["sub_code"], "ACQ.INVALID_PARAMETER", "{told}");
    }
}
