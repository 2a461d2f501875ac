//! One payment for several payees: registration fee and tax in one go, each with its own order,
//! payment and refunds, and all of it or nothing.

mod books;
mod payers;
mod trouble;

use payhub::demo::WECHAT;
use sandbox::Pay;
use serde_json::{Value, json};

use crate::harness::{World, word};

/// The tax office's merchant; it is paid, and could ask as well.
pub(crate) const TAX: &str = "tax-wechat";

/// A merchant of WeChat Pay beside the registry's own.
pub(crate) fn payee(id: &str, mchid: &str) -> String {
    format!(
        r#"
[[merchants]]
id = "{id}"
provider = "wechat"
mchid = "{mchid}"
appid = "wx8888888888888888"
merchant_serial_no = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
merchant_private_key = """{key}"""
apiv3_key = "{apiv3_key}"
wechatpay_public_key_id = "PUB_KEY_ID_0114232134912410000000000000"
wechatpay_public_key = """{platform}"""
base_url = "{{providers}}"
"#,
        key = include_str!("../../fixtures/keys/wechat_merchant.pem"),
        apiv3_key = include_str!("../../fixtures/keys/wechat_v3_key.txt").trim(),
        platform = include_str!("../../fixtures/keys/wechatpay_platform_pub.pem"),
    )
}

/// An office that collects tax beside its own fee.
async fn office() -> World {
    World::open_with(&payee(TAX, "1900000109")).await
}

fn asked(fee: &str, tax: &str) -> Value {
    json!({
        "merchant_id": WECHAT, "product": "native",
        "parts": [
            {"merchant_id": WECHAT, "fee_ids": [fee]},
            {"merchant_id": TAX, "fee_ids": [tax], "subject": "契税"},
        ],
    })
}

pub(crate) async fn combine(world: &World, fee: &str, tax: &str) -> (u16, Value) {
    world.post("/v1/combined-orders", &asked(fee, tax)).await.unwrap()
}

async fn now(world: &World, whole: &Value) -> Value {
    let path = format!("/v1/combined-orders/{}", word(whole, "id"));
    let (status, whole) = world.get(&path).await.unwrap();
    assert_eq!(status, 200, "{whole}");
    whole
}

/// The statuses of the whole and of its parts.
async fn stands(world: &World, whole: &Value) -> [String; 3] {
    let whole = now(world, whole).await;
    [
        word(&whole, "status"),
        word(&whole["orders"][0], "status"),
        word(&whole["orders"][1], "status"),
    ]
}

/// A fee and a tax with a combined order that waits for its payer.
async fn waiting(world: &World) -> (String, String, Value) {
    let (fee, tax) = (world.fee("1").await, world.fee("2").await);
    let (status, whole) = combine(world, &fee, &tax).await;
    assert_eq!(status, 201, "{whole}");
    (fee, tax, whole)
}

fn pay(world: &World, whole: &Value, notify: bool) {
    world.sandbox.engine().pay(&word(whole, "out_trade_no"), notify).unwrap();
}

/// The payer pays although the order is closed.
fn pay_late(world: &World, whole: &Value) {
    let late = Pay { out_trade_no: word(whole, "out_trade_no"), force: true, ..Pay::default() };
    world.sandbox.engine().pay_as(&late).unwrap();
}

async fn close(world: &World, whole: &Value) -> (u16, Value) {
    let path = format!("/v1/combined-orders/{}/close", word(whole, "id"));
    world.post(&path, &json!({})).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_payment_pays_the_fee_and_the_tax_each_to_its_own_merchant() {
    let world = office().await;
    let (fee, tax, whole) = waiting(&world).await;
    assert!(word(&whole, "id").starts_with("cmb_"), "{whole}");
    assert_eq!(whole["pay"]["kind"], json!("qr_code"));
    assert_eq!(whole["amount_fen"], json!(16_000));
    assert_eq!(word(&whole, "status"), "pending");
    for (part, merchant) in [(0, WECHAT), (1, TAX)] {
        let part = &whole["orders"][part];
        assert_eq!(word(part, "merchant_id"), merchant);
        assert_eq!(part["combined_id"], whole["id"]);
        assert_eq!(part["amount_fen"], json!(8000));
    }
    pay(&world, &whole, true);
    world.settle().await.unwrap();
    assert_eq!(stands(&world, &whole).await, ["paid", "paid", "paid"]);
    assert_eq!(world.fee_status(&fee).await, "paid");
    assert_eq!(world.fee_status(&tax).await, "paid");
    let paid = now(&world, &whole).await;
    let payment = |part: usize| paid["orders"][part]["payments"][0].clone();
    assert_eq!(
        (&payment(0)["source"], &payment(1)["source"]),
        (&json!("callback"), &json!("callback"))
    );
    assert_ne!(payment(0)["provider_trade_no"], payment(1)["provider_trade_no"]);
    assert_eq!(world.count("SELECT count(*) FROM callbacks WHERE verdict = 'applied'").await, 1);
    for table in ["payments", "journal_entries", "journal_heads"] {
        let query = format!("SELECT count(*) FROM {table} WHERE merchant_id = ");
        assert_eq!(world.count(&format!("{query} '{WECHAT}'")).await, 1, "{table}");
        assert_eq!(world.count(&format!("{query} '{TAX}'")).await, 1, "{table}");
    }
    let heard = world.heard();
    assert_eq!((heard["order.paid"], heard["fee.paid"]), (2, 2));
    assert_eq!(close(&world, &whole).await.1["code"], json!("order_paid"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t02_the_same_notice_twenty_times_at_two_hubs_is_one_payment_a_payee() {
    let world = office().await;
    let twin = world.twin(world.another_store()).await.unwrap();
    let (_, _, whole) = waiting(&world).await;
    pay(&world, &whole, true);
    let notice = world.sandbox.engine().sealed_callback(&word(&whole, "out_trade_no")).unwrap();
    let all = (0..20).map(|turn| {
        let path = format!("/callbacks/{WECHAT}");
        let url = if turn % 2 == 0 { world.url(&path) } else { twin.url(&path) };
        let mut request = world.client().post(url);
        for (name, value) in &notice.headers {
            request = request.header(*name, value);
        }
        let request = request.body(notice.body.clone());
        async move { request.send().await.unwrap().status().as_u16() }
    });
    for status in futures_util::future::join_all(all).await {
        assert_eq!(status, 200);
    }
    world.settle().await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 2);
    assert_eq!(world.count("SELECT count(*) FROM journal_entries").await, 2);
    assert_eq!(world.count("SELECT count(*) FROM callbacks WHERE verdict = 'applied'").await, 1);
    assert_eq!(world.heard()["order.paid"], 2);
    let client = world.database().await;
    let kept = "SELECT callback_id FROM callbacks WHERE verdict = 'applied'";
    let id: String = client.query_one(kept, &[]).await.unwrap().get(0);
    let verdict = payhub::replay::replay(&world.hub, &id.parse().unwrap()).await.unwrap();
    assert_eq!(verdict.as_str(), "known", "a replay finds the parts again");
    twin.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_callback_is_made_up_for_by_one_query_for_all_parts() {
    let world = office().await;
    let (_, _, whole) = waiting(&world).await;
    pay(&world, &whole, false);
    world.seconds(11).await;
    assert_eq!(stands(&world, &whole).await, ["paid", "paid", "paid"]);
    let queries = "SELECT count(*) FROM provider_calls WHERE operation = 'query'";
    assert_eq!(world.count(queries).await, 1);
    let sources = "SELECT count(*) FROM payments WHERE source = 'query'";
    assert_eq!(world.count(sources).await, 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_is_asked_for_is_asked_for_with_its_whole() {
    let world = office().await;
    let (_, _, whole) = waiting(&world).await;
    pay(&world, &whole, false);
    let path = format!("/v1/orders/{}?refresh=true", word(&whole["orders"][1], "id"));
    let (status, part) = world.get(&path).await.unwrap();
    assert_eq!((status, word(&part, "status").as_str()), (200, "paid"), "{part}");
    assert_eq!(stands(&world, &whole).await, ["paid", "paid", "paid"]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_combined_order_is_closed_as_one_and_never_in_part() {
    let world = office().await;
    let (fee, tax, whole) = waiting(&world).await;
    let part = word(&whole["orders"][1], "id");
    let (status, refused) =
        world.post(&format!("/v1/orders/{part}/close"), &json!({})).await.unwrap();
    assert_eq!((status, &refused["code"]), (409, &json!("order_is_combined")), "{refused}");
    assert_eq!(refused["combined_id"], whole["id"]);
    assert_eq!(stands(&world, &whole).await, ["pending", "pending", "pending"]);
    let (status, closed) = close(&world, &whole).await;
    assert_eq!((status, word(&closed, "status").as_str()), (200, "closed"), "{closed}");
    assert_eq!(close(&world, &whole).await.0, 200, "closed before");
    assert_eq!(stands(&world, &whole).await, ["closed", "closed", "closed"]);
    assert!(world.sandbox.engine().pay(&word(&whole, "out_trade_no"), true).is_err());
    world.settle().await.unwrap();
    assert_eq!(world.heard()["order.closed"], 2);
    assert_eq!(world.order(WECHAT, &[&fee]).await.0, 201, "its fees are free again");
    assert_eq!(world.post(&format!("/v1/fees/{tax}/void"), &json!({})).await.unwrap().0, 200);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_combined_order_that_nobody_pays_ends_whole() {
    let world = office().await;
    let (_, _, whole) = waiting(&world).await;
    world.seconds(7201).await;
    assert_eq!(stands(&world, &whole).await, ["closed", "closed", "closed"]);
    assert!(world.sandbox.engine().pay(&word(&whole, "out_trade_no"), true).is_err());
    let again = "SELECT count(*) FROM combined_orders WHERE next_query_at IS NOT NULL";
    assert_eq!(world.count(again).await, 0, "and is left alone");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tax_alone_goes_back_through_the_tax_offices_merchant() {
    let world = office().await;
    let (fee, tax, whole) = waiting(&world).await;
    pay(&world, &whole, true);
    world.settle().await.unwrap();
    let part = word(&whole["orders"][1], "id");
    let body = json!({"amount_fen": 8000, "reason": "免征"});
    let (status, refund) = world.post(&format!("/v1/orders/{part}/refunds"), &body).await.unwrap();
    assert_eq!(status, 201, "{refund}");
    world.seconds(120).await;
    let (_, refund) = world.get(&format!("/v1/refunds/{}", word(&refund, "id"))).await.unwrap();
    assert_eq!(word(&refund, "status"), "succeeded", "{refund}");
    assert_eq!(world.fee_status(&tax).await, "refunded");
    assert_eq!(world.fee_status(&fee).await, "paid");
    let entries = format!("SELECT count(*) FROM journal_entries WHERE merchant_id = '{TAX}'");
    assert_eq!(world.count(&entries).await, 3, "received, promised, given back");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_is_given_back_and_another_takes_its_place() {
    let world = office().await;
    let (fee, tax, whole) = waiting(&world).await;
    let (status, same) = combine(&world, &fee, &tax).await;
    assert_eq!((status, &same["id"]), (200, &whole["id"]));
    // The payer pays the fee alone after all: a part is no order of its own.
    let (status, alone) = world.order(WECHAT, &[&fee]).await;
    assert_eq!((status, &alone["combined_id"]), (201, &json!(null)), "{alone}");
    assert_eq!(stands(&world, &whole).await, ["closed", "closed", "closed"]);
    // And then both together again.
    let (status, second) = combine(&world, &fee, &tax).await;
    assert_eq!(status, 201, "{second}");
    assert_ne!(second["id"], whole["id"]);
    assert_eq!(word(&world.order_now(&word(&alone, "id")).await, "status"), "closed");
    // Other payees are another order, also for the same fees.
    let (status, third) = combine(&world, &tax, &fee).await;
    assert_eq!(status, 201, "{third}");
    assert_eq!(stands(&world, &second).await, ["closed", "closed", "closed"]);
    pay(&world, &third, true);
    world.settle().await.unwrap();
    let (status, refused) = combine(&world, &fee, &tax).await;
    assert_eq!((status, &refused["code"]), (409, &json!("fee_already_paid")), "{refused}");
    world.finish().await;
}
