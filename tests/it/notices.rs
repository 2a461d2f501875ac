//! Callbacks that are truly the provider's and yet fit nothing: about another amount, merchant,
//! application, money or order, or not to be read at all. Each is signed here with the provider's
//! own key; each is kept, answered with success, told to finance staff, and books nothing.

use adapters::keys::{SigningKey, seal_aes_256_gcm};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::Clock as _;
use payhub::demo::{ALIPAY, WECHAT};
use serde_json::{Value, json};

use crate::harness::{World, word};

const APIV3_KEY: &str = include_str!("../../fixtures/keys/wechat_v3_key.txt");
const WECHATPAY: &str = include_str!("../../fixtures/keys/wechatpay_platform.pem");
const ALIPAY_PLATFORM: &str = include_str!("../../fixtures/keys/alipay_platform.pem");

/// Status and body of an answer.
type Answer = (u16, String);

fn refused(merchant: &str) -> Answer {
    let failure = r#"{"code":"FAIL","message":"the notice did not verify"}"#;
    (401, if merchant == WECHAT { failure } else { "failure" }.to_owned())
}

fn taken(merchant: &str) -> Answer {
    (200, if merchant == WECHAT { "" } else { "success" }.to_owned())
}

/// Says something to the hub in WeChat Pay's name, signed with `key`.
async fn wechat_says(world: &World, key: &str, body: &str) -> Answer {
    let time = world.clock.now().as_second().to_string();
    let message = format!("{time}\nnonce\n{body}\n");
    let sign = SigningKey::read(key).unwrap().sign(message.as_bytes()).unwrap();
    let request = world
        .client()
        .post(world.url(&format!("/callbacks/{WECHAT}")))
        .header("Wechatpay-Timestamp", time)
        .header("Wechatpay-Nonce", "nonce")
        .header("Wechatpay-Serial", "PUB_KEY_ID_0114232134912410000000000000")
        .header("Wechatpay-Signature", sign)
        .body(body.to_owned());
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Says something to the hub in Alipay's name, signed with `key`.
async fn alipay_says(world: &World, key: &str, fields: &[(&str, &str)]) -> Answer {
    let mut fields = fields.to_vec();
    fields.sort_unstable();
    let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sign = SigningKey::read(key).unwrap().sign(text.join("&").as_bytes()).unwrap();
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(&fields).append_pair("sign", &sign).append_pair("sign_type", "RSA2");
    let request = world
        .client()
        .post(world.url(&format!("/callbacks/{ALIPAY}")))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.finish());
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// WeChat Pay's envelope around a text sealed under `apiv3_key`.
fn sealed(id: &str, apiv3_key: &str, text: &str) -> String {
    let sealed =
        seal_aes_256_gcm(apiv3_key.as_bytes(), b"uluk4a9R25RW", b"transaction", text.as_bytes());
    json!({
        "id": id, "event_type": "TRANSACTION.SUCCESS", "resource_type": "encrypt-resource",
        "resource": {
            "algorithm": "AEAD_AES_256_GCM", "original_type": "transaction",
            "ciphertext": BASE64_STANDARD.encode(sealed.unwrap()),
            "associated_data": "transaction", "nonce": "uluk4a9R25RW",
        },
    })
    .to_string()
}

/// A paid transaction of WeChat Pay with one field changed.
fn transaction(number: &str, change: (&str, Value)) -> String {
    let mut fields = json!({
        "mchid": "1900000001", "appid": "wx8888888888888888", "out_trade_no": number,
        "transaction_id": "4200000001201811300000000009", "trade_type": "NATIVE",
        "trade_state": "SUCCESS", "success_time": "2018-11-30T09:00:00+08:00",
        "amount": {"total": 8000, "payer_total": 8000, "currency": "CNY"},
    });
    fields[change.0] = change.1;
    fields.to_string()
}

/// A paid trade of Alipay with one field changed.
fn trade<'a>(number: &'a str, change: (&'a str, &'a str)) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("app_id", "2021000000000000"),
        ("charset", "utf-8"),
        ("gmt_payment", "2018-11-30 09:00:00"),
        ("notify_id", "2018113000222085958050559358079"),
        ("notify_type", "trade_status_sync"),
        ("out_trade_no", number),
        ("seller_id", "2088000000000000"),
        ("total_amount", "80.00"),
        ("trade_no", "2018113022001485950500000009"),
        ("trade_status", "TRADE_SUCCESS"),
    ];
    fields.retain(|(name, _)| *name != change.0);
    fields.push(change);
    fields
}

/// Nothing was booked, the callback is kept, and exactly one incident of this kind tells of it.
async fn check_kept(world: &World, merchant: &str, kind: &str) {
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 0, "{merchant} {kind}");
    for (table, one) in [
        ("callbacks", "verdict = 'incident' AND length(sealed) > 0".to_owned()),
        ("incidents", format!("kind = '{kind}' AND callback_id IS NOT NULL AND closed_at IS NULL")),
    ] {
        let query = format!(
            "SELECT count(*) FROM {table} WHERE merchant_id = '{merchant}' AND {one}
                AND callback_id IN (SELECT max(callback_id) FROM callbacks WHERE merchant_id = '{merchant}')"
        );
        assert_eq!(world.count(&query).await, 1, "{merchant} {kind}: {table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t04_an_authentic_wechat_callback_that_fits_nothing_is_taken_and_books_nothing() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    let (_, order) = world.order(WECHAT, &[&fee]).await;
    let number = word(&order, "out_trade_no");
    for (change, kind) in [
        (("amount", json!({"total": 1, "currency": "CNY"})), "amount_differs"),
        (("mchid", json!("1900000009")), "merchant_differs"),
        (("appid", json!("wx9999999999999999")), "app_differs"),
        (("amount", json!({"total": 8000, "currency": "USD"})), "currency_differs"),
        (("out_trade_no", json!("P0000000000000000000000000000009")), "order_unknown"),
    ] {
        let text = transaction(&number, change);
        let body = sealed(kind, APIV3_KEY.trim(), &text);
        assert_eq!(wechat_says(&world, WECHATPAY, &body).await, taken(WECHAT), "{kind}");
        check_kept(&world, WECHAT, kind).await;
    }
    assert_eq!(word(&world.order_now(&word(&order, "id")).await, "status"), "pending");
    assert_eq!(world.fee_status(&fee).await, "issued");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t04_an_authentic_alipay_callback_that_fits_nothing_is_taken_and_books_nothing() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    let (_, order) = world.order(ALIPAY, &[&fee]).await;
    let number = word(&order, "out_trade_no");
    for (change, kind) in [
        (("total_amount", "0.01"), "amount_differs"),
        (("seller_id", "2088000000000009"), "merchant_differs"),
        (("app_id", "2021000000000009"), "app_differs"),
        (("trans_currency", "USD"), "currency_differs"),
        (("out_trade_no", "P0000000000000000000000000000009"), "order_unknown"),
    ] {
        let fields = trade(&number, change);
        assert_eq!(alipay_says(&world, ALIPAY_PLATFORM, &fields).await, taken(ALIPAY), "{kind}");
        check_kept(&world, ALIPAY, kind).await;
    }
    assert_eq!(word(&world.order_now(&word(&order, "id")).await, "status"), "pending");
    assert_eq!(world.fee_status(&fee).await, "issued");
    world.finish().await;
}

const MERCHANT_KEY: &str = include_str!("../../fixtures/keys/wechat_merchant.pem");
const APP_KEY: &str = include_str!("../../fixtures/keys/alipay_app.pem");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_provider_signed_and_nobody_can_read_is_kept_and_told() {
    let world = World::open().await;
    let paid = transaction("P0000000000000000000000000000009", ("amount", json!(null)));
    for body in [
        "garbage".to_owned(),
        sealed("EV-1", APIV3_KEY.trim(), "garbage"),
        sealed("EV-2", APIV3_KEY.trim(), &paid),
        // The merchant changed its APIv3 key, and the hub was not told.
        sealed("EV-3", "another key of thirty-two bytes!", "{}"),
    ] {
        // Whoever is not WeChat Pay is refused with the same words as ever.
        assert_eq!(wechat_says(&world, MERCHANT_KEY, &body).await, refused(WECHAT), "{body}");
        assert_eq!(wechat_says(&world, WECHATPAY, &body).await, taken(WECHAT), "{body}");
        check_kept(&world, WECHAT, "notice_unreadable").await;
    }
    let number = "P0000000000000000000000000000009";
    for (at, change) in
        [("total_amount", "1e3"), ("charset", "klingon"), ("notify_type", "")].iter().enumerate()
    {
        let id = format!("notify-{at}");
        let mut fields = trade(number, *change);
        fields.retain(|(name, value)| *name != "notify_id" && !value.is_empty());
        fields.push(("notify_id", &id));
        assert_eq!(alipay_says(&world, APP_KEY, &fields).await, refused(ALIPAY), "{change:?}");
        assert_eq!(alipay_says(&world, ALIPAY_PLATFORM, &fields).await, taken(ALIPAY));
        check_kept(&world, ALIPAY, "notice_unreadable").await;
    }
    assert_eq!(world.count("SELECT count(*) FROM incidents").await, 7);
    world.becomes("SELECT count(*) FROM refused_callbacks", 7).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreadable_callback_that_comes_again_is_told_once() {
    let world = World::open().await;
    for body in ["garbage".to_owned(), sealed("EV-1", APIV3_KEY.trim(), "garbage")] {
        for _ in 0..3 {
            assert_eq!(wechat_says(&world, WECHATPAY, &body).await, taken(WECHAT));
        }
    }
    assert_eq!(world.count("SELECT count(*) FROM callbacks").await, 6);
    assert_eq!(world.count("SELECT count(*) FROM incidents").await, 2);
    world.finish().await;
}
