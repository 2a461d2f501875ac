//! Every way of paying: what is sent or carried for it, and which limits it has.

use std::collections::BTreeMap;

use domain::personal::{Personal, Secret};
use proptest::prelude::*;
use serde_json::{Value, json};
use url::Url;

use super::NOTIFY_URL;
use crate::alipay::Alipay;
use crate::provider::{
    Document, Identity, LimitError, NewOrder, Pay, PaymentProvider as _, Product,
};
use crate::testing::{alipay, alipay_config, new_order, stamp, trade_no, verifying_key};
use crate::wire::Call;

const GATEWAY: &str = "https://openapi.alipay.com/gateway.do";
const SHOP: &str = "https://pay.example.cn/pay/ord_1?a=b&c=<d>";
const BUYER: &str = "2088102534368455";
const CARRIED: [Product; 3] = [Product::Page, Product::Wap, Product::App];

/// An order of a product, with all that it may need.
fn place_with(
    hub: &Alipay,
    product: Product,
    change: impl FnOnce(&mut NewOrder<'_>),
) -> Result<Call, LimitError> {
    let (number, buyer, code) =
        (trade_no(), Personal::new(BUYER), Personal::new("281234567890123456"));
    let mut order = new_order(product, &number, NOTIFY_URL);
    (order.payer, order.auth_code, order.return_url) = (Some(&buyer), Some(&code), Some(SHOP));
    change(&mut order);
    hub.place(&order)
}

fn place(product: Product) -> Call {
    place_with(alipay(), product, |_| ()).unwrap()
}

fn content(call: &Call) -> Value {
    serde_json::from_str(&call.body).unwrap()
}

#[track_caller]
fn check(product: Product, method: &str, more: &Value) {
    let call = place(product);
    assert_eq!(call.target, method);
    let mut expected = json!({
        "out_trade_no": trade_no(), "total_amount": "80.00",
        "subject": "不动产登记费 受理号20181130-001", "time_expire": "2018-11-30 11:00:00",
        "seller_id": "2088000000000000",
    });
    for (name, value) in more.as_object().unwrap() {
        expected[name] = value.clone();
    }
    if method == "alipay.trade.page.pay" {
        expected.as_object_mut().unwrap().remove("seller_id");
    }
    assert_eq!(content(&call), expected);
    let returns = matches!(product, Product::Page | Product::Wap);
    let mut parameters = Vec::new();
    parameters.extend(
        (product != Product::Pay).then(|| ("notify_url".to_owned(), NOTIFY_URL.to_owned())),
    );
    parameters.extend(returns.then(|| ("return_url".to_owned(), SHOP.to_owned())));
    assert_eq!(call.parameters, parameters);
}

#[test]
fn each_product_has_its_method_its_contract_and_its_own_fields() {
    check(
        Product::Precreate,
        "alipay.trade.precreate",
        &json!({"product_code": "FACE_TO_FACE_PAYMENT"}),
    );
    check(
        Product::Page,
        "alipay.trade.page.pay",
        &json!({"product_code": "FAST_INSTANT_TRADE_PAY"}),
    );
    check(
        Product::Wap,
        "alipay.trade.wap.pay",
        &json!({"product_code": "QUICK_WAP_WAY", "quit_url": SHOP}),
    );
    check(Product::App, "alipay.trade.app.pay", &json!({"product_code": "QUICK_MSECURITY_PAY"}));
    check(
        Product::Create,
        "alipay.trade.create",
        &json!({
            "product_code": "JSAPI_PAY", "buyer_id": BUYER, "op_app_id": "2021000000000000",
        }),
    );
    check(
        Product::Pay,
        "alipay.trade.pay",
        &json!({
            "product_code": "FACE_TO_FACE_PAYMENT", "scene": "bar_code",
            "auth_code": "281234567890123456",
        }),
    );
    let all = [
        Product::Precreate,
        Product::Page,
        Product::Wap,
        Product::App,
        Product::Create,
        Product::Pay,
    ];
    assert_eq!(alipay().products(), all);
}

#[track_caller]
fn check_limit(product: Product, expected: Option<&str>, change: impl FnOnce(&mut NewOrder<'_>)) {
    let field = place_with(alipay(), product, change).err().map(|error| error.field);
    assert_eq!(field, expected);
}

#[test]
fn the_payer_of_a_mini_program_is_named() {
    check_limit(Product::Create, Some("payer.buyer_id"), |order| order.payer = None);
    for (text, name) in [
        (BUYER, Some("buyer_id")),
        ("078c4Yg4uhH8UkPlNEMUv1ZmZ3e4f", Some("buyer_open_id")),
        ("2088", None),
        ("3088102534368455", None),
        ("", None),
        ("a b", None),
        ("登", None),
    ] {
        let buyer = Personal::new(text);
        let number = trade_no();
        let mut order = new_order(Product::Create, &number, NOTIFY_URL);
        order.payer = Some(&buyer);
        match (alipay().place(&order), name) {
            (Ok(call), Some(name)) => assert_eq!(content(&call)[name], text),
            (Err(error), None) => assert_eq!(error.field, "payer.buyer_id"),
            (other, _) => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn the_payers_code_is_looked_at_before_it_is_sent() {
    check_limit(Product::Pay, Some("auth_code"), |order| order.auth_code = None);
    for (text, good) in [
        ("2512345678901234", true),
        ("301234567890123456789012", true),
        ("251234567890123", false),
        ("3012345678901234567890123", false),
        ("2412345678901234", false),
        ("3112345678901234", false),
        ("13412345678901234", false),
        ("25123456789012ab", false),
        ("", false),
    ] {
        let code = Personal::new(text);
        let number = trade_no();
        let mut order = new_order(Product::Pay, &number, NOTIFY_URL);
        order.auth_code = Some(&code);
        let field = alipay().place(&order).err().map(|error| error.field);
        assert_eq!(field, (!good).then_some("auth_code"), "{text}");
    }
}

#[test]
fn an_order_lives_a_minute_to_fifteen_days_and_returns_to_a_real_address() {
    for (seconds, good) in [(59, false), (60, true), (15 * 86_400, true), (15 * 86_400 + 1, false)]
    {
        let field = (!good).then_some("expires_in_s");
        check_limit(Product::Precreate, field, |order| {
            order.expires_at = order.now + jiff::SignedDuration::from_secs(seconds);
        });
    }
    for url in ["/pay", "javascript:alert(1)", "ftp://pay.example.cn/"] {
        check_limit(Product::Page, Some("return_url"), |order| order.return_url = Some(url));
        check_limit(Product::Precreate, None, |order| order.return_url = Some(url));
    }
}

fn decoded(encoded: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(encoded.as_bytes()).into_owned().collect()
}

/// The parameters that whoever carries the order brings to Alipay.
pub(super) fn carried(hub: &Alipay, call: &Call) -> BTreeMap<String, String> {
    match hub.offer(call, &stamp()).unwrap().unwrap() {
        Pay::App { params } => decoded(params["order_string"].as_str().unwrap()),
        Pay::Redirect { url } => {
            assert!(url.starts_with(&format!("{GATEWAY}?")));
            Url::parse(&url).unwrap().query_pairs().into_owned().collect()
        }
        Pay::Form { html } => submitted(&html),
        Pay::QrCode { .. } | Pay::Jsapi { .. } | Pay::None => panic!("nothing to carry"),
    }
}

/// What a browser would send for the form.
fn submitted(html: &str) -> BTreeMap<String, String> {
    let between = |text: &str, from: &str| -> Option<(String, String)> {
        let (_, rest) = text.split_once(from)?;
        let (value, rest) = rest.split_once('"')?;
        let value = value.replace("&quot;", "\"").replace("&#39;", "'");
        let value = value.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        Some((value, rest.to_owned()))
    };
    let (action, mut rest) = between(html, " action=\"").unwrap();
    let mut all = decoded(action.split_once('?').unwrap().1);
    while let Some((name, after)) = between(&rest, " name=\"") {
        let (value, after) = between(&after, " value=\"").unwrap();
        assert!(all.insert(name, value).is_none());
        rest = after;
    }
    all
}

/// Whether the application signed these, as Alipay verifies it.
fn is_signed(mut parameters: BTreeMap<String, String>) -> bool {
    let sign = parameters.remove("sign").unwrap();
    let text: Vec<String> = parameters.iter().map(|(k, v)| format!("{k}={v}")).collect();
    verifying_key("alipay_app").verifies(text.join("&").as_bytes(), &sign)
}

#[test]
fn what_the_payer_carries_is_signed_whole_and_never_sent_by_the_hub() {
    for product in CARRIED {
        let call = place(product);
        let parameters = carried(alipay(), &call);
        assert_eq!(parameters["method"], call.target);
        assert_eq!(parameters["biz_content"], call.body);
        assert_eq!(parameters["notify_url"], NOTIFY_URL);
        let returns = product != Product::App;
        assert_eq!(parameters.get("return_url").map(String::as_str), returns.then_some(SHOP));
        assert!(is_signed(parameters), "{product:?}");
        assert!(alipay().sign(&call, &stamp()).is_err(), "{product:?}");
    }
    for product in [Product::Precreate, Product::Create, Product::Pay] {
        let call = place(product);
        assert_eq!(alipay().offer(&call, &stamp()), Ok(None));
        assert!(alipay().sign(&call, &stamp()).is_ok());
    }
    let query = alipay().query_order(&crate::testing::order_key(&trade_no()));
    assert_eq!(alipay().offer(&query, &stamp()), Ok(None));
}

#[test]
fn a_page_is_a_form_whose_texts_cannot_leave_their_quotes() {
    let call =
        place_with(alipay(), Product::Page, |order| order.subject = "\"><script>x</script>'");
    // A slash is no letter of a subject; without it the marks of HTML remain.
    assert!(call.is_err());
    let subject = "\"><script>'x'";
    let call = place_with(alipay(), Product::Page, |order| order.subject = subject).unwrap();
    let Some(Pay::Form { html }) = alipay().offer(&call, &stamp()).unwrap() else {
        panic!("no form")
    };
    assert_eq!(html.matches("<script>").count(), 1);
    assert!(html.contains("accept-charset=\"utf-8\"") && html.contains("method=\"post\""));
    assert!(!html.contains(" on"), "no handlers: {html}");
    let content: Value = serde_json::from_str(&submitted(&html)["biz_content"]).unwrap();
    assert_eq!(content["subject"], subject);
}

/// A hub with more settings.
fn hub(encrypt_key: Option<&str>, app_auth_token: Option<&str>) -> Alipay {
    let mut config = alipay_config(GATEWAY);
    config.encrypt_key = encrypt_key.map(Secret::new);
    config.app_auth_token = app_auth_token.map(Secret::new);
    Alipay::new(config).unwrap()
}

#[test]
fn a_setting_that_cannot_be_right_is_named_and_none_is_printed() {
    let fault = |encrypt_key: Option<&str>, app_auth_token: Option<&str>| {
        let mut config = alipay_config(GATEWAY);
        config.encrypt_key = encrypt_key.map(Secret::new);
        config.app_auth_token = app_auth_token.map(Secret::new);
        assert!(!format!("{config:?}").contains("s3cret"));
        let error = Alipay::new(config).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
        error.key
    };
    assert_eq!(fault(Some("s3cret"), None), "encrypt_key");
    assert_eq!(fault(Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), None), "encrypt_key");
    assert_eq!(fault(None, Some("s3cret token")), "app_auth_token");
    assert_eq!(fault(None, Some("")), "app_auth_token");
    let hub = hub(Some("aa4BtZ4tspm2wnXLb1ThQA=="), Some("201510BBs3cret"));
    assert!(!format!("{hub:?}").contains("s3cret"));
}

#[test]
fn for_another_seller_the_token_is_signed_and_kept_out_of_the_stored_call() {
    let hub = hub(None, Some("201510BB19X62"));
    for product in [Product::Page, Product::Wap, Product::App] {
        let call = place_with(&hub, product, |_| ()).unwrap();
        assert!(!serde_json::to_string(&call).unwrap().contains("201510BB19X62"));
        let parameters = carried(&hub, &call);
        assert_eq!(parameters["app_auth_token"], "201510BB19X62");
        assert!(is_signed(parameters));
    }
    let call = place_with(&hub, Product::Create, |_| ()).unwrap();
    assert_eq!(content(&call).get("op_app_id"), None, "the application is no mini program");
    let request = hub.sign(&call, &stamp()).unwrap();
    assert!(
        request.url.contains("&app_auth_token=201510BB19X62&")
            || request.url.contains("?app_auth_token")
    );
    assert!(!format!("{request:?}").contains("201510BB19X62"));
}

#[test]
fn contents_are_sealed_before_they_are_signed_and_always_alike() {
    let hub = hub(Some("aa4BtZ4tspm2wnXLb1ThQA=="), None);
    for product in CARRIED {
        let call = place_with(&hub, product, |_| ()).unwrap();
        assert_eq!(content(&call)["total_amount"], "80.00", "kept in the clear");
        let parameters = carried(&hub, &call);
        assert_eq!(parameters["encrypt_type"], "AES");
        assert!(!parameters["biz_content"].contains("80.00"));
        assert!(is_signed(parameters));
    }
    let call = place_with(&hub, Product::Precreate, |_| ()).unwrap();
    let later = crate::wire::Stamp { nonce: "other".to_owned(), ..stamp() };
    let request = hub.sign(&call, &stamp()).unwrap();
    assert_eq!(request.body, hub.sign(&call, &later).unwrap().body);
    assert!(request.url.contains("encrypt_type=AES"));
}

fn person(document: Document) -> Identity {
    Identity { name: Personal::new("张三"), id_no: Personal::new("11010519491231002x"), document }
}

#[test]
fn only_the_person_who_is_named_may_pay() {
    let (card, passport) = (person(Document::IdentityCard), person(Document::Passport));
    let of = |product: Product, identity: &Identity| {
        let number = trade_no();
        let (buyer, code) = (Personal::new(BUYER), Personal::new("281234567890123456"));
        let mut order = new_order(product, &number, NOTIFY_URL);
        (order.payer, order.auth_code) = (Some(&buyer), Some(&code));
        order.identity = Some(identity);
        alipay().place(&order)
    };
    for product in [Product::Precreate, Product::Create, Product::Pay] {
        assert_eq!(
            content(&of(product, &card).unwrap())["ext_user_info"],
            json!({"name": "张三", "cert_type": "IDENTITY_CARD", "cert_no": "11010519491231002X",
                "need_check_info": "T"})
        );
        let asked = content(&of(product, &passport).unwrap());
        assert_eq!(asked["ext_user_info"]["cert_type"], "PASSPORT");
    }
    for product in CARRIED {
        let call = of(product, &card).unwrap();
        assert_eq!(
            content(&call)["ext_user_info"],
            // printf '张三11010519491231002X' | sha256sum
            json!({"identity_hash": "1b9d7766a7fca2308d69645930c0b1d7fc6c3baca0d291133357c325034f03c7", "need_check_info": "T"})
        );
        assert!(!call.body.contains("张三") && !call.body.contains("1101051949"));
    }
    for document in [
        Document::HongKongMacaoPermit,
        Document::HongKongMacaoResidence,
        Document::TaiwanResidence,
        Document::ForeignResidence,
    ] {
        let error = of(Product::Precreate, &person(document)).unwrap_err();
        assert_eq!(error.field, "payer.identity.document");
    }
    let mut nameless = person(Document::IdentityCard);
    nameless.name = Personal::new(" ");
    assert_eq!(of(Product::Page, &nameless).unwrap_err().field, "payer.identity.name");
    let mut odd = person(Document::IdentityCard);
    odd.id_no = Personal::new("1101\"");
    assert_eq!(of(Product::Page, &odd).unwrap_err().field, "payer.identity.id_no");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in an order, whoever carries it brings what was signed.
    #[test]
    fn any_text_is_carried_as_it_was_signed(
        subject in "[^/=&\\p{C}\\p{Z}][^/=&\\p{C}]{0,60}",
        path in "[a-z+%0-9]{0,20}",
    ) {
        let back = format!("https://pay.example.cn/pay?x={}", path.replace('%', "%25"));
        for product in CARRIED {
            let number = trade_no();
            let mut order = new_order(product, &number, NOTIFY_URL);
            (order.subject, order.return_url) = (subject.as_str(), Some(back.as_str()));
            let call = alipay().place(&order).unwrap();
            let parameters = carried(alipay(), &call);
            prop_assert_eq!(&parameters["biz_content"], &call.body);
            prop_assert!(is_signed(parameters));
        }
    }
}
