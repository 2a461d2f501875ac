//! Each product: what is asked for, what the payer is given, and who alone may pay.

use domain::personal::Personal;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{NOTIFY_URL, error, signed, transaction, unsigned};
use crate::keys::open_oaep_sha1;
use crate::provider::{
    Document, Identity, NewOrder, OrderKey, Pay, PaymentProvider as _, Placed, Product,
};
use crate::testing::{KEY_ID, NOW, TRADE_NO, new_order, stamp, trade_no, verifying_key, word};
use crate::testing::{fixture, wechat};
use crate::wire::{Call, Headers, Outcome};

/// A call for the vectors' order, changed.
fn call(product: Product, change: impl FnOnce(&mut NewOrder<'_>)) -> Result<Call, &'static str> {
    let number = trade_no();
    let mut order = new_order(product, &number, NOTIFY_URL);
    change(&mut order);
    wechat().place(&order).map_err(|error| error.field)
}

fn jsapi() -> Call {
    let payer = Personal::new("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o");
    let number = trade_no();
    let mut order = new_order(Product::Jsapi, &number, NOTIFY_URL);
    order.payer = Some(&payer);
    wechat().place(&order).unwrap()
}

fn h5(return_url: Option<&str>) -> Call {
    let number = trade_no();
    let mut order = new_order(Product::H5, &number, NOTIFY_URL);
    order.client_ip = Some("14.23.150.211");
    order.return_url = return_url;
    wechat().place(&order).unwrap()
}

/// What every product's body has.
fn body(more: &Value) -> Value {
    let mut body = json!({
        "appid": "wx8888888888888888", "mchid": "1900000001",
        "description": "不动产登记费 受理号20181130-001", "out_trade_no": TRADE_NO,
        "time_expire": "2018-11-30T11:00:00+08:00", "notify_url": NOTIFY_URL,
        "amount": {"total": 8000, "currency": "CNY"},
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[track_caller]
fn check_call(call: &Call, target: &str, more: &Value) {
    assert_eq!(call.target, target);
    assert_eq!(serde_json::from_str::<Value>(&call.body).unwrap(), body(more));
}

#[test]
fn each_product_has_its_address_and_nothing_that_it_does_not_need() {
    let none = json!({});
    let native = call(Product::Native, |order| order.return_url = Some("https://a.cn")).unwrap();
    check_call(&native, "/v3/pay/transactions/native", &none);
    assert!(native.parameters.is_empty());
    check_call(&call(Product::App, |_| ()).unwrap(), "/v3/pay/transactions/app", &none);
    let payer = json!({"payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}});
    check_call(&jsapi(), "/v3/pay/transactions/jsapi", &payer);
    let scene = json!({"scene_info":
        {"payer_client_ip": "14.23.150.211", "h5_info": {"type": "Wap"}}});
    check_call(&h5(None), "/v3/pay/transactions/h5", &scene);
    let offered = wechat().products();
    assert_eq!(offered, [Product::Native, Product::Jsapi, Product::H5, Product::App]);
}

#[test]
fn what_a_product_needs_of_the_payer_is_asked_for_by_its_name() {
    assert_eq!(call(Product::Jsapi, |_| ()).err(), Some("payer.openid"));
    for openid in ["", "o 1", "登", &"o".repeat(129)] {
        let payer = Personal::new(openid);
        let number = trade_no();
        let mut order = new_order(Product::Jsapi, &number, NOTIFY_URL);
        order.payer = Some(&payer);
        assert_eq!(wechat().place(&order).unwrap_err().field, "payer.openid", "{openid}");
    }
    assert_eq!(call(Product::H5, |_| ()).err(), Some("payer.client_ip"));
    for (address, good) in
        [("14.23.150.211", true), ("2001:db8::1", true), ("", false), ("localhost", false)]
    {
        let call = call(Product::H5, |order| order.client_ip = Some(address));
        assert_eq!(call.err(), (!good).then_some("payer.client_ip"), "{address}");
    }
}

fn offered(call: &Call, answer: &Value) -> Option<Pay> {
    match wechat().read_placed(call, &signed(200, answer), &stamp()) {
        Outcome::Accepted(Placed::Offered(pay)) => Some(pay),
        Outcome::Accepted(Placed::Paid(_)) | Outcome::Refused(_) | Outcome::Unknown(_) => None,
    }
}

#[test]
fn a_browser_is_sent_to_the_address_and_from_there_back() {
    let address = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2";
    let url = |back| match offered(&h5(back), &json!({"h5_url": address})) {
        Some(Pay::Redirect { url }) => url,
        other => panic!("{other:?}"),
    };
    assert_eq!(url(None), address);
    let back = "https://dj.example.cn/back?a=1&b=登 记+%2F";
    let encoded = "https%3A%2F%2Fdj.example.cn%2Fback%3Fa%3D1%26b%3D%E7%99%BB%20%E8%AE%B0%2B%252F";
    assert_eq!(url(Some(back)), format!("{address}&redirect_url={encoded}"));
    let request = wechat().sign(&h5(Some(back)), &stamp()).unwrap();
    assert!(!String::from_utf8(request.body).unwrap().contains("dj.example.cn"), "not WeChat's");
}

#[test]
fn the_wallet_s_script_gets_parameters_that_the_merchant_signed() {
    let Some(Pay::Jsapi { params }) = offered(&jsapi(), &json!({"prepay_id": "wx20141027"})) else {
        panic!("no parameters")
    };
    let text = |name: &str| params[name].as_str().unwrap();
    assert_eq!(text("appId"), "wx8888888888888888");
    assert_eq!(text("timeStamp"), NOW.to_string());
    assert_eq!(text("nonceStr"), stamp().nonce);
    assert_eq!((text("package"), text("signType")), ("prepay_id=wx20141027", "RSA"));
    let signed = format!(
        "{}\n{}\n{}\n{}\n",
        text("appId"),
        text("timeStamp"),
        text("nonceStr"),
        text("package")
    );
    assert!(verifying_key("wechat_merchant").verifies(signed.as_bytes(), text("paySign")));
    assert_eq!(params.as_object().unwrap().len(), 6);
}

#[test]
fn the_app_kit_gets_parameters_that_the_merchant_signed() {
    let app = call(Product::App, |_| ()).unwrap();
    let Some(Pay::App { params }) = offered(&app, &json!({"prepay_id": "wx20141027"})) else {
        panic!("no parameters")
    };
    let text = |name: &str| params[name].as_str().unwrap();
    assert_eq!((text("partnerId"), text("prepayId")), ("1900000001", "wx20141027"));
    assert_eq!(text("packageValue"), "Sign=WXPay");
    let names = ["appId", "timeStamp", "nonceStr", "prepayId"];
    let signed: String = names.iter().map(|name| format!("{}\n", text(name))).collect();
    assert!(verifying_key("wechat_merchant").verifies(signed.as_bytes(), text("sign")));
    assert_eq!(params.as_object().unwrap().len(), 7);
}

#[test]
fn an_answer_that_gives_nothing_to_pay_with_is_unknown() {
    let given = [json!({"code_url": "weixin://a"}), json!({"h5_url": "https://a"})];
    let app = call(Product::App, |_| ()).unwrap();
    for call in [&jsapi(), &app] {
        for answer in &given {
            assert_eq!(offered(call, answer), None);
        }
        assert_eq!(offered(call, &json!({"prepay_id": ""})), None);
        assert_eq!(offered(call, &json!({"prepay_id": 1})), None);
        assert!(offered(call, &json!({"prepay_id": "wx1", "more": []})).is_some());
        let unproved = unsigned(200, r#"{"prepay_id":"wx1"}"#);
        assert_eq!(word(&wechat().read_placed(call, &unproved, &stamp())), "unknown");
        let used = error(403, "OUT_TRADE_NO_USED");
        assert_eq!(word(&wechat().read_placed(call, &used, &stamp())), "unknown");
    }
    let query = wechat().query_order(&crate::testing::order_key(&trade_no()));
    assert_eq!(offered(&query, &json!({"code_url": "weixin://a"})), None, "it placed nothing");
}

#[test]
fn an_order_is_asked_for_by_wechat_s_number_where_it_is_known() {
    let (number, theirs) = (trade_no(), "4200000001201811300000000001".parse().unwrap());
    let key = OrderKey { out_trade_no: &number, provider_trade_no: Some(&theirs) };
    assert_eq!(
        wechat().query_order(&key).target,
        "/v3/pay/transactions/id/4200000001201811300000000001?mchid=1900000001"
    );
}

#[test]
fn a_query_by_wechat_s_number_is_answered_about_that_number() {
    let (number, other) = (trade_no(), "4200000009999999999999999999".parse().unwrap());
    let theirs = transaction()["transaction_id"].as_str().unwrap().parse().unwrap();
    let read = |theirs, body: &Value| {
        let key = OrderKey { out_trade_no: &number, provider_trade_no: Some(theirs) };
        word(&wechat().read_order(&key, &signed(200, body), stamp().now))
    };
    assert_eq!(read(&theirs, &transaction()), "accepted");
    assert_eq!(read(&other, &transaction()), "unknown");
    let mut lacking = transaction();
    lacking["trade_state"] = "NOTPAY".into();
    lacking.as_object_mut().unwrap().remove("transaction_id");
    assert_eq!(read(&theirs, &lacking), "unknown");
    let mut foreign = transaction();
    foreign["out_trade_no"] = "P0ANOTHER".into();
    assert_eq!(read(&theirs, &foreign), "unknown");
}

#[test]
fn a_browser_is_led_back_to_an_address_of_the_web_only() {
    for (url, good) in [
        ("https://pay.example.cn/paid?a=1#end", true),
        ("http://127.0.0.1:8080/", true),
        ("/paid", false),
        ("pay.example.cn", false),
        ("javascript:alert(1)", false),
        ("", false),
    ] {
        let placed = call(Product::H5, |order| {
            (order.client_ip, order.return_url) = (Some("::1"), Some(url));
        });
        assert_eq!(placed.err(), (!good).then_some("return_url"), "{url}");
        // Where no browser comes back, nobody reads it.
        assert!(call(Product::Native, |order| order.return_url = Some(url)).is_ok());
    }
}

#[test]
fn the_check_letter_of_a_document_is_a_capital_x() {
    let number = trade_no();
    let key = fixture("keys/wechatpay_platform.pem");
    let somebody =
        Identity { id_no: Personal::new("11010119900307001x"), ..person(Document::IdentityCard) };
    let mut order = new_order(Product::Native, &number, NOTIFY_URL);
    order.identity = Some(&somebody);
    let body: Value = serde_json::from_str(&wechat().place(&order).unwrap().body).unwrap();
    let sealed = body["payer"]["identity"]["number"].as_str().unwrap();
    assert_eq!(open_oaep_sha1(&key, sealed).unwrap(), b"11010119900307001X");
}

fn person(document: Document) -> Identity {
    let (name, id_no) = (Personal::new("张三"), Personal::new("11010119900307001X"));
    Identity { name, id_no, document }
}

fn for_one_person(chance: &[u8; 32], document: Document) -> Call {
    let (identity, number) = (person(document), trade_no());
    let mut order = new_order(Product::Native, &number, NOTIFY_URL);
    (order.identity, order.chance) = (Some(&identity), chance);
    wechat().place(&order).unwrap()
}

#[test]
fn who_alone_may_pay_is_sealed_for_wechat() {
    let call = for_one_person(&[7; 32], Document::IdentityCard);
    assert!(!call.body.contains("张三") && !call.body.contains("11010119900307001X"));
    let body: Value = serde_json::from_str(&call.body).unwrap();
    let identity = &body["payer"]["identity"];
    let key = fixture("keys/wechatpay_platform.pem");
    let opened = |name: &str| open_oaep_sha1(&key, identity[name].as_str().unwrap()).unwrap();
    assert_eq!(identity["type"], "IDCARD");
    assert_eq!(opened("number"), b"11010119900307001X");
    assert_eq!(opened("name"), "张三".as_bytes());
    assert!(body["payer"].get("openid").is_none());
    assert_eq!(call, for_one_person(&[7; 32], Document::IdentityCard), "a function of its chance");
    assert_ne!(call, for_one_person(&[8; 32], Document::IdentityCard));
    let request = wechat().sign(&call, &stamp()).unwrap();
    assert_eq!(Headers(request.headers).only("Wechatpay-Serial"), Some(KEY_ID));
}

#[test]
fn each_document_has_wechat_s_word() {
    for (document, expected) in [
        (Document::IdentityCard, "IDCARD"),
        (Document::HongKongMacaoPermit, "HONGKONG_MACAO"),
        (Document::HongKongMacaoResidence, "HONGKONG_MACAO_RESIDENT"),
        (Document::TaiwanResidence, "TAIWAN_RESIDENT"),
        (Document::ForeignResidence, "FOREIGN_RESIDENT"),
        (Document::Passport, "OVERSEA_PASSPORT"),
    ] {
        let call = for_one_person(&[7; 32], document);
        let body: Value = serde_json::from_str(&call.body).unwrap();
        assert_eq!(body["payer"]["identity"]["type"], expected);
    }
}

#[test]
fn a_name_that_cannot_be_sealed_or_asked_for_is_refused() {
    let number = trade_no();
    let mut long = person(Document::Passport);
    for (name, good) in [("x".repeat(214), true), ("x".repeat(215), false), (String::new(), false)]
    {
        long.name = Personal::new(name);
        let mut order = new_order(Product::Native, &number, NOTIFY_URL);
        order.identity = Some(&long);
        let field = wechat().place(&order).err().map(|error| error.field);
        assert_eq!(field, (!good).then_some("payer.identity.name"));
    }
    let somebody = person(Document::Passport);
    let mut order = new_order(Product::App, &number, NOTIFY_URL);
    order.identity = Some(&somebody);
    assert_eq!(wechat().place(&order).unwrap_err().field, "payer.identity");
}

#[test]
fn a_stamp_of_another_time_signs_anew_for_the_payer() {
    let later = crate::wire::Stamp { now: Timestamp::from_second(NOW + 60).unwrap(), ..stamp() };
    let answer = signed(200, &json!({"prepay_id": "wx1"}));
    let first = wechat().read_placed(&jsapi(), &answer, &stamp());
    assert_ne!(first, wechat().read_placed(&jsapi(), &answer, &later));
}
