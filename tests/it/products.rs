//! Every product of both providers, from the order over the payer's own steps to the refund; what a
//! merchant does not offer; and codes that are good when they are given.

use payhub::demo::{ALIPAY, WECHAT};
use serde_json::{Value, json};

use crate::harness::{World, at, word};

/// The tax office's merchant, through WeChat Pay's old interface.
pub(crate) const LEGACY: &str = "legacy-wechat";

/// A merchant of the old interface that has a certificate to show.
pub(crate) fn legacy() -> String {
    let key = rcgen::KeyPair::from_pem(include_str!("../../fixtures/keys/wechat_merchant.pem"));
    let key = key.unwrap();
    let params = rcgen::CertificateParams::new(["1900000109".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    format!(
        r#"
[[merchants]]
id = "{LEGACY}"
provider = "wechat-v2"
mchid = "1900000109"
appid = "wx8888888888888888"
api_key = "payhubtestsonlyapiv2key012345678"
sign_type = "HMAC-SHA256"
client_identity = """{certificate}{key}"""
base_url = "{{providers}}"
"#,
        key = key.serialize_pem(),
    )
}

/// Places an order for a fresh fee.
async fn place(world: &World, merchant: &str, product: &str, more: Value) -> (u16, String, Value) {
    let fee = world.fee(&format!("{merchant}-{product}")).await;
    let mut body = json!({"merchant_id": merchant, "product": product, "fee_ids": [fee]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let (status, order) = world.post("/v1/orders", &body).await.unwrap();
    (status, fee, order)
}

/// What the payer's browser or wallet does with what it was given, before it pays.
async fn carry(world: &World, pay: &Value) {
    let client = world.client();
    match word(pay, "kind").as_str() {
        "form" => {
            let html = word(pay, "html");
            let between = |text: &str, from: &str| {
                let rest = text.split_once(from).unwrap().1;
                let text = rest.split_once('"').unwrap().0;
                text.replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
            };
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for input in html.split("<input ").skip(1) {
                form.append_pair(&between(input, "name=\""), &between(input, "value=\""));
            }
            let request = client
                .post(between(&html, "action=\""))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.finish());
            assert!(request.send().await.unwrap().status().as_u16() < 400);
        }
        "redirect" if word(pay, "url").contains("gateway.do") => {
            assert!(client.get(word(pay, "url")).send().await.unwrap().status().as_u16() < 400);
        }
        "app" if pay["params"]["order_string"].is_string() => {
            let body = json!({"order_string": pay["params"]["order_string"], "pay": false});
            let taken = client
                .post(format!("{}/sandbox/alipay/app-pay", world.sandbox.base_url()))
                .header("content-type", "application/json")
                .body(body.to_string());
            assert_eq!(taken.send().await.unwrap().status().as_u16(), 200);
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_product_is_paid_and_refunded() {
    let world = World::open_with(&legacy()).await;
    let openid = json!({"payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}});
    let browser = json!({"payer": {"client_ip": "203.0.113.7"}});
    let page = json!({"return_url": "https://reg.example.cn/done"});
    let buyer = json!({"payer": {"buyer_id": "2088102177891234"}});
    let nothing = || json!({});
    for (merchant, product, more, kind) in [
        (WECHAT, "native", nothing(), "qr_code"),
        (WECHAT, "jsapi", openid.clone(), "jsapi"),
        (WECHAT, "h5", browser.clone(), "redirect"),
        (WECHAT, "app", nothing(), "app"),
        (LEGACY, "native", nothing(), "qr_code"),
        (LEGACY, "jsapi", openid, "jsapi"),
        (LEGACY, "h5", browser, "redirect"),
        (LEGACY, "app", nothing(), "app"),
        (ALIPAY, "precreate", nothing(), "qr_code"),
        (ALIPAY, "page", page.clone(), "form"),
        (ALIPAY, "wap", page, "redirect"),
        (ALIPAY, "app", nothing(), "app"),
        (ALIPAY, "create", buyer, "jsapi"),
    ] {
        let (status, fee, order) = place(&world, merchant, product, more).await;
        assert_eq!((status, word(&order, "status").as_str()), (201, "pending"), "{order}");
        assert_eq!(word(&order["pay"], "kind"), kind, "{merchant} {product}");
        carry(&world, &order["pay"]).await;
        let paid = world.sandbox.engine().pay(&word(&order, "out_trade_no"), true);
        assert!(paid.is_ok(), "{merchant} {product}: {paid:?}");
        world.settle().await.unwrap();
        assert_eq!(world.fee_status(&fee).await, "paid", "{merchant} {product}");
        let path = format!("/v1/orders/{}/refunds", word(&order, "id"));
        let back = json!({"amount_fen": 8000, "reason": "撤回"});
        let (status, refund) = world.post(&path, &back).await.unwrap();
        assert_eq!(status, 201, "{merchant} {product}: {refund}");
        world.seconds(120).await;
        assert_eq!(world.fee_status(&fee).await, "refunded", "{merchant} {product}");
    }
    assert_eq!(world.count("SELECT count(*) FROM incidents").await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_merchant_does_not_offer_is_refused_before_anybody_is_asked() {
    let world = World::open().await;
    let code = json!({"auth_code": "134567890123456789"});
    for (merchant, product, more) in
        [(WECHAT, "codepay", code), (WECHAT, "precreate", json!({})), (ALIPAY, "native", json!({}))]
    {
        let (status, _, refused) = place(&world, merchant, product, more).await;
        assert_eq!((status, &refused["code"]), (422, &json!("limit")), "{refused}");
        assert_eq!(refused["field"], "product", "{refused}");
    }
    for url in ["http://reg.example.cn/", "javascript:alert(1)", "https://a:b@reg.example.cn/"] {
        let more = json!({"return_url": url});
        let (status, _, refused) = place(&world, ALIPAY, "page", more).await;
        assert_eq!((status, &refused["code"]), (422, &json!("return_url_invalid")), "{url}");
    }
    let (status, _, refused) = place(&world, WECHAT, "jsapi", json!({})).await;
    assert_eq!((status, &refused["code"]), (422, &json!("limit")), "no openid: {refused}");
    assert_eq!(world.count("SELECT count(*) FROM orders").await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_is_too_old_is_made_anew_and_the_order_stays() {
    let world = World::open().await;
    let long = json!({"expires_in_s": 20_000});
    let (_, fee, order) = place(&world, WECHAT, "native", long).await;
    let again = async || {
        let body = json!({"merchant_id": WECHAT, "product": "native", "fee_ids": [fee.clone()]});
        world.post("/v1/orders", &body).await.unwrap()
    };
    world.seconds(3600).await;
    let (status, same) = again().await;
    assert_eq!((status, &same["pay"]), (200, &order["pay"]));
    let placed = "SELECT count(*) FROM provider_calls WHERE operation = 'place'";
    assert_eq!(world.count(placed).await, 1);
    world.seconds(3600).await;
    let (status, fresh) = again().await;
    assert_eq!((status, &fresh["id"]), (200, &order["id"]));
    assert_eq!(word(&fresh["pay"], "kind"), "qr_code");
    assert_eq!(world.count(placed).await, 2);
    assert_eq!(again().await.0, 200);
    assert_eq!(world.count(placed).await, 2, "the new one is good again");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_for_one_payer_is_not_given_to_another() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    let ask = async |openid: &str| {
        let body = json!({
            "merchant_id": WECHAT, "product": "jsapi", "fee_ids": [fee.clone()],
            "payer": {"openid": openid},
        });
        world.post("/v1/orders", &body).await.unwrap()
    };
    let (first, one) = ask("oPayerNumberOne0000000000001").await;
    let (second, same) = ask("oPayerNumberOne0000000000001").await;
    assert_eq!((first, second, &one["id"]), (201, 200, &same["id"]));
    let (third, other) = ask("oPayerNumberTwo0000000000002").await;
    assert_eq!(third, 201, "{other}");
    assert_eq!(word(&world.order_now(&word(&one, "id")).await, "status"), "closed");
    let kept = "SELECT count(*) FROM orders WHERE to_jsonb(orders)::text LIKE '%oPayerNumber%'";
    assert_eq!(world.count(kept).await, 0, "who pays is not kept unsealed");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t07_a_clock_that_is_six_minutes_off_is_an_alarm_and_no_fraud() {
    let world = World::open_at("", |providers| {
        providers.manual_clock_from = Some(at("2018-11-30T01:06:00Z"));
    })
    .await;
    let (status, _, refused) = place(&world, WECHAT, "native", json!({})).await;
    assert_eq!((status, &refused["reason"]), (422, &json!("configuration")), "{refused}");
    let told = "SELECT count(*) FROM incidents WHERE kind = 'provider_refuses_the_hub'
                   AND detail LIKE '%seconds apart: set the clock (NTP)%'";
    assert_eq!(world.count(told).await, 1);
    let unproved = "SELECT count(*) FROM provider_calls WHERE outcome = 'unknown'";
    assert_eq!(world.count(unproved).await, 0, "an unsigned refusal is read by its code");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t05_a_wrong_v2_key_refuses_no_order_but_a_person_hears_of_it() {
    let wrong = legacy().replace("payhubtestsonlyapiv2key012345678", &"k".repeat(32));
    let world = World::open_with(&wrong).await;
    let (_, _, order) = place(&world, LEGACY, "native", json!({})).await;
    // Nobody signs what v2 answers to it: a query must tell whether the order was placed.
    let unsure = "SELECT count(*) FROM provider_calls WHERE operation = 'place'
                     AND outcome = 'unknown'";
    assert_eq!(world.count(unsure).await, 1, "{order}");
    world.seconds(300).await;
    let told = "SELECT count(*) FROM incidents WHERE kind = 'provider_refuses_the_hub'
                   AND merchant_id = 'legacy-wechat'";
    assert_eq!(world.count(told).await, 1);
    let refused = "SELECT count(*) FROM orders WHERE state = 'failed'";
    assert_eq!(world.count(refused).await, 0);
}
