//! WeChat Pay beyond the code: inside WeChat, in a browser, in an app, for a named payer, through a
//! service provider.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Fen;
use domain::personal::Personal;
use sandbox::{Pay, Person, Received};
use serde_json::{Value, json};

use crate::office::{APPID, MCHID, Office, PLATFORM_ID, Told, native, office};

const URL: &str = "http://127.0.0.1:9/callbacks/a";
const SUB: &str = "1900000301";

fn body(change: impl Fn(&mut Value)) -> String {
    let mut body: Value = serde_json::from_str(&native("ORDER0001", 8000, URL)).unwrap();
    change(&mut body);
    body.to_string()
}

fn place(office: &Office, product: &str, body: &str) -> Told {
    office.wechat("POST", &format!("/v3/pay/transactions/{product}"), body)
}

#[track_caller]
fn refused(told: &Told, status: u16, code: &str) {
    assert_eq!((told.status, told.code()), (status, code), "{told:?}");
}

fn scene(body: &mut Value) {
    body["scene_info"] = json!({"payer_client_ip": "203.0.113.9", "h5_info": {"type": "Wap"}});
}

#[test]
fn each_product_gives_what_its_payer_needs_for_as_long_as_it_lives() {
    type Change = fn(&mut Value);
    let openid: Change = |body| body["payer"] = json!({"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"});
    let cases: [(&str, Change, &str, &str, &str, i64); 4] = [
        ("native", |_| (), "code_url", "weixin://wxpay/bizpayurl", "NATIVE", 7200),
        ("jsapi", openid, "prepay_id", "wx20261120100000", "JSAPI", 7200),
        ("h5", scene, "h5_url", "https://wx.tenpay.com/", "MWEB", 300),
        ("app", |_| (), "prepay_id", "wx20261120100000", "APP", 7200),
    ];
    for (product, change, field, start, trade_type, life) in cases {
        let later = |body: &mut Value| {
            change(body);
            body["time_expire"] = json!("2026-11-20T18:00:00+08:00");
        };
        let office = office();
        let told = place(&office, product, &body(later));
        assert!(told.signed, "{told:?}");
        assert!(told.body[field].as_str().unwrap().starts_with(start), "{told:?}");
        office.pass(life);
        assert!(office.engine.pay("ORDER0001", false).is_err(), "{product}: the code is dead");
        assert_eq!(place(&office, product, &body(later)).status, 200, "a fresh one");
        office.engine.pay("ORDER0001", false).unwrap();
        assert_eq!(office.query("ORDER0001").body["trade_type"], trade_type);
    }
}

#[test]
fn an_order_inside_wechat_names_its_payer_and_no_other_may() {
    let office = office();
    refused(&place(&office, "jsapi", &body(|_| ())), 400, "PARAM_ERROR");
    let long = |body: &mut Value| body["payer"] = json!({"openid": "o".repeat(129)});
    refused(&place(&office, "jsapi", &body(long)), 400, "PARAM_ERROR");
    let named = |body: &mut Value| body["payer"] = json!({"openid": "o1"});
    for product in ["native", "app"] {
        refused(&place(&office, product, &body(named)), 400, "PARAM_ERROR");
    }
    assert_eq!(place(&office, "jsapi", &body(named)).status, 200);
    office.engine.pay("ORDER0001", false).unwrap();
    assert_eq!(office.query("ORDER0001").body["payer"]["openid"], "o1");
}

#[test]
fn a_browser_says_where_it_is() {
    let office = office();
    refused(&place(&office, "h5", &body(|_| ())), 400, "PARAM_ERROR");
    let no_ip = |body: &mut Value| body["scene_info"] = json!({"h5_info": {"type": "Wap"}});
    refused(&place(&office, "h5", &body(no_ip)), 400, "PARAM_ERROR");
    let odd = |body: &mut Value| {
        scene(body);
        body["scene_info"]["h5_info"]["type"] = json!("Windows");
    };
    refused(&place(&office, "h5", &body(odd)), 400, "PARAM_ERROR");
    assert_eq!(place(&office, "h5", &body(scene)).status, 200);
}

#[test]
fn the_same_number_for_another_product_is_used() {
    let office = office();
    assert_eq!(place(&office, "native", &body(|_| ())).status, 200);
    refused(&place(&office, "app", &body(|_| ())), 403, "OUT_TRADE_NO_USED");
}

/// Encrypts for the platform with a library of its own.
fn sealed(clear: &str) -> String {
    use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
    let pem = include_str!("../../../fixtures/keys/wechatpay_platform_pub.pem");
    let bare: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let key = PublicEncryptingKey::from_der(&STANDARD.decode(bare).unwrap()).unwrap();
    let key = OaepPublicEncryptingKey::new(key).unwrap();
    let mut out = vec![0; key.ciphertext_size()];
    let out = key.encrypt(&OAEP_SHA1_MGF1SHA1, clear.as_bytes(), &mut out, None).unwrap();
    STANDARD.encode(out)
}

fn with_identity(name: &str, number: &str) -> String {
    let (name, number) = (sealed(name), sealed(number));
    body(|body| {
        let identity = json!({"type": "IDCARD", "name": name, "number": number});
        body["payer"] = json!({"identity": identity});
    })
}

fn send(office: &Office, body: &str, serial: Option<&str>) -> Told {
    let mut request = office.wechat_request("POST", "/v3/pay/transactions/native", body);
    if let Some(serial) = serial {
        request.headers.push(("Wechatpay-Serial".to_owned(), serial.to_owned()));
    }
    office.told(&office.engine.answer(&request))
}

fn person(name: &str, number: &str) -> Option<Person> {
    let (name, id_no) = (Personal::new(name), Personal::new(number));
    Some(Person { name, id_no, document: None })
}

#[test]
fn only_the_person_whom_an_order_names_may_pay_it() {
    const NUMBER: &str = "11010519491231002X";
    let office = office();
    let body = with_identity("张三", NUMBER);
    refused(&send(&office, &body, None), 400, "PARAM_ERROR");
    refused(&send(&office, &body, Some("PUB_KEY_ID_0")), 400, "PARAM_ERROR");
    assert_eq!(send(&office, &body, Some(PLATFORM_ID)).status, 200);
    let again = with_identity("张三", NUMBER);
    assert_ne!(again, body, "encrypted anew");
    assert_eq!(send(&office, &again, Some(PLATFORM_ID)).status, 200, "the same person");
    let other = with_identity("李四", NUMBER);
    refused(&send(&office, &other, Some(PLATFORM_ID)), 403, "OUT_TRADE_NO_USED");

    let pay = |payer| Pay { out_trade_no: "ORDER0001".to_owned(), payer, ..Pay::default() };
    assert!(office.engine.pay_as(&pay(person("李四", NUMBER))).is_err());
    assert!(office.engine.pay_as(&pay(person("张三", "110105194912310011"))).is_err());
    assert!(office.engine.pay_as(&pay(person("张三", NUMBER))).is_ok());
    let state = serde_json::to_string(&office.engine.state()).unwrap();
    assert!(!state.contains("张三") && !state.contains(NUMBER), "nobody is named");
}

fn partner(change: impl Fn(&mut Value)) -> String {
    let mut body: Value = serde_json::from_str(&native("ORDER0001", 8000, URL)).unwrap();
    let fields = body.as_object_mut().unwrap();
    fields.remove("appid");
    fields.remove("mchid");
    body["sp_appid"] = json!(APPID);
    body["sp_mchid"] = json!(MCHID);
    body["sub_mchid"] = json!(SUB);
    change(&mut body);
    body.to_string()
}

#[test]
fn a_service_provider_orders_queries_refunds_and_closes_for_its_sub_merchant() {
    const PARTNER: &str = "/v3/pay/partner/transactions";
    let office = office();
    let place = |body: &str| office.wechat("POST", &format!("{PARTNER}/native"), body);
    refused(&place(&partner(|body| body["sub_mchid"] = json!("1"))), 403, "NO_AUTH");
    refused(&place(&partner(|body| body["mchid"] = json!(MCHID))), 400, "PARAM_ERROR");
    assert_eq!(place(&partner(|_| ())).status, 200);
    let query = |sub: &str| {
        let numbers = format!("sp_mchid={MCHID}&sub_mchid={sub}");
        office.wechat("GET", &format!("{PARTNER}/out-trade-no/ORDER0001?{numbers}"), "")
    };
    assert_eq!(query(SUB).body["trade_state"], "NOTPAY");
    refused(&query("1900000302"), 404, "ORDER_NOT_EXIST");
    refused(&office.query("ORDER0001"), 404, "ORDER_NOT_EXIST");

    office.engine.pay("ORDER0001", true).unwrap();
    let told = query(SUB).body;
    assert_eq!((&told["sp_mchid"], &told["sub_mchid"]), (&json!(MCHID), &json!(SUB)));
    assert_eq!(told["sp_appid"], APPID);
    assert!(told["payer"]["sp_openid"].is_string());
    assert_eq!((told.get("mchid"), told.get("appid")), (None, None));

    let refund = |sub: Option<&str>| {
        let mut body = json!({
            "out_trade_no": "ORDER0001", "out_refund_no": "R1",
            "amount": {"refund": 3000, "total": 8000, "currency": "CNY"},
        });
        if let Some(sub) = sub {
            body["sub_mchid"] = json!(sub);
        }
        office.wechat("POST", "/v3/refund/domestic/refunds", &body.to_string())
    };
    refused(&refund(None), 404, "RESOURCE_NOT_EXISTS");
    assert_eq!(refund(Some(SUB)).status, 200);
    let target = "/v3/refund/domestic/refunds/R1";
    refused(&office.wechat("GET", target, ""), 404, "RESOURCE_NOT_EXISTS");
    let target = format!("{target}?sub_mchid={SUB}");
    assert_eq!(office.wechat("GET", &target, "").body["status"], "PROCESSING");
}

#[test]
fn a_sub_merchants_order_is_closed_by_both_numbers() {
    let office = office();
    office.wechat("POST", "/v3/pay/partner/transactions/native", &partner(|_| ()));
    let target = "/v3/pay/partner/transactions/out-trade-no/ORDER0001/close";
    let half = json!({"sp_mchid": MCHID}).to_string();
    refused(&office.wechat("POST", target, &half), 400, "PARAM_ERROR");
    refused(&office.close("ORDER0001"), 404, "ORDER_NOT_EXIST");
    let whole = json!({"sp_mchid": MCHID, "sub_mchid": SUB}).to_string();
    assert_eq!(office.wechat("POST", target, &whole).status, 204);
    assert_eq!(office.engine.state().orders[0].state, "closed");
}

fn odd_request(office: &Office) -> Received {
    let text = body(|body| {
        body["attach"] = Value::Null;
        body["goods_tag"] = json!("");
        body["time_expire"] = json!("2026-11-20T04:00:00Z");
    });
    let mut request = office.wechat_request("POST", "/v3/pay/transactions/native", &text);
    request.headers.retain(|(name, _)| name != "User-Agent" && name != "Content-Type");
    request
}

#[test]
fn every_request_has_its_verdict_and_every_deviation_is_named() {
    let office = office();
    let request = odd_request(&office);
    office.pass(61);
    assert_eq!(office.engine.answer(&request).status, 400);
    let mut unknown = office.wechat_request(
        "POST",
        "/v3/pay/transactions/native",
        &body(|body| body["colour"] = json!("red")),
    );
    unknown.headers.push(("Wechatpay-Serial".to_owned(), PLATFORM_ID.to_owned()));
    assert_eq!(office.engine.answer(&unknown).status, 400);
    let mut forged = office.wechat_request("GET", "/v3/certificates?secret=1", "");
    forged.headers.retain(|(name, _)| name != "Authorization");
    assert_eq!(office.engine.answer(&forged).status, 401);

    let state: Value = serde_json::to_value(office.engine.state()).unwrap();
    let requests = state["requests"].as_array().unwrap();
    let deviations = |place: usize| -> Vec<String> {
        serde_json::from_value(requests[place]["deviations"].clone()).unwrap()
    };
    for what in [
        "User-Agent: missing",
        "Content-Type: missing",
        "Wechatpay-Serial: missing, so the provider chooses the key",
        "timestamp: 61 s away from the provider's clock",
        "null: /attach",
        "empty: /goods_tag",
        "time_expire: not in China's zone, +08:00",
        "notify_url: not https",
    ] {
        assert!(deviations(0).iter().any(|said| said == what), "{what}: {:?}", deviations(0));
    }
    assert_eq!(requests[1]["signature"], "ok");
    assert_eq!(requests[1]["status"], 400);
    assert!(deviations(1).contains(&"nonce: used before".to_owned()), "{:?}", deviations(1));
    assert!(deviations(1).contains(&"unknown field: colour".to_owned()), "{:?}", deviations(1));
    assert!(!deviations(1).iter().any(|said| said.starts_with("Wechatpay-Serial")));
    assert_eq!(requests[2]["signature"], "missing");
    assert_eq!(requests[2]["target"], "/v3/certificates?secret=…");
}

#[test]
fn t24_a_coupon_leaves_the_order_whole_and_the_settlement_less() {
    let office = office();
    office.native("ORDER0001", 8000, URL);
    let coupon = |fen| Pay {
        out_trade_no: "ORDER0001".to_owned(),
        coupon_fen: Some(Fen::new(fen)),
        ..Pay::default()
    };
    assert!(office.engine.pay_as(&coupon(8000)).is_err(), "something is left to pay");
    office.engine.pay_as(&coupon(1000)).unwrap();
    let told = office.query("ORDER0001").body;
    assert_eq!(told["amount"]["total"], 8000);
    assert_eq!(told["amount"]["payer_total"], 7000);
    assert_eq!(told["promotion_detail"][0]["amount"], 1000);

    let refund = |no: &str, fen| office.wechat_refund("ORDER0001", no, fen, 8000, "").body;
    let first = refund("R1", 3000)["amount"].clone();
    assert_eq!((&first["refund"], &first["discount_refund"]), (&json!(3000), &json!(375)));
    assert_eq!((&first["payer_refund"], &first["settlement_refund"]), (&json!(2625), &json!(2625)));
    let rest = refund("R2", 5000)["amount"].clone();
    assert_eq!(rest["discount_refund"], 625, "all of the coupon is back");
}
