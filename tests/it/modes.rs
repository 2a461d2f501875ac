//! What a merchant can be configured for beside the plain account: each mode from the order over
//! the callback to the refund, as the registry's own merchants are used everywhere else.

mod alipay;
mod limits;
mod partner;
mod pasted;
mod person;
mod replayed;
mod wechat;

use sandbox::SandboxConfig;
use serde_json::{Value, json};

use crate::harness::{World, word};

/// How often the hub asked providers for their keys.
const KEY_CALLS: &str = "SELECT count(*) FROM provider_calls WHERE operation = 'keys'";
/// How many callbacks the hub did not believe.
const REFUSED: &str = "SELECT count(*) FROM refused_callbacks";
/// How many incidents there are.
const INCIDENTS: &str = "SELECT count(*) FROM incidents";

/// A merchant of WeChat Pay, APIv3, with further lines.
fn wechat(id: &str, more: &str) -> String {
    format!(
        r#"
[[merchants]]
id = "{id}"
provider = "wechat"
appid = "wx8888888888888888"
merchant_serial_no = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
merchant_private_key = """{key}"""
apiv3_key = "{apiv3_key}"
base_url = "{{providers}}"
{more}
"#,
        key = include_str!("../../fixtures/keys/wechat_merchant.pem"),
        apiv3_key = include_str!("../../fixtures/keys/wechat_v3_key.txt").trim(),
    )
}

/// WeChat Pay's public key as a merchant's table names it.
fn by_public_key() -> String {
    format!(
        "wechatpay_public_key_id = \"PUB_KEY_ID_0114232134912410000000000000\"\n\
         wechatpay_public_key = \"\"\"{}\"\"\"\n",
        include_str!("../../fixtures/keys/wechatpay_platform_pub.pem")
    )
}

/// A merchant of Alipay in key mode, with further lines.
fn alipay(id: &str, seller_id: &str, more: &str) -> String {
    format!(
        r#"
[[merchants]]
id = "{id}"
provider = "alipay"
app_id = "2021000000000000"
seller_id = "{seller_id}"
app_private_key = """{key}"""
alipay_public_key = """{theirs}"""
gateway_url = "{{providers}}/gateway.do"
{more}
"#,
        key = include_str!("../../fixtures/keys/alipay_app.pem"),
        theirs = include_str!("../../fixtures/keys/alipay_platform_pub.pem"),
    )
}

/// Alipay knows a second application, in certificate mode.
fn with_certificates(providers: &mut SandboxConfig) {
    providers.alipay.extend_from_within(..1);
    let certified = providers.alipay.last_mut().unwrap();
    "2021000000000001".clone_into(&mut certified.app_id);
    certified.certificates = true;
}

/// Places an order for a fresh fee: the fee and the order.
async fn placed(world: &World, merchant: &str, case: &str, more: Value) -> (String, Value) {
    let fee = world.fee(case).await;
    let product = if merchant.contains("alipay") { "precreate" } else { "native" };
    let mut body = json!({"merchant_id": merchant, "product": product, "fee_ids": [fee]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let (status, order) = world.post("/v1/orders", &body).await.unwrap();
    assert_eq!((status, order["status"].as_str()), (201, Some("pending")), "{merchant}: {order}");
    (fee, order)
}

/// The payer pays; the hub hears of it by the provider's callback.
async fn heard(world: &World, fee: &str, order: &Value) {
    world.sandbox.engine().pay(&word(order, "out_trade_no"), true).unwrap();
    world.settle().await.unwrap();
    told(world, fee, order).await;
}

/// A payment was heard of by a callback.
async fn told(world: &World, fee: &str, order: &Value) {
    assert_eq!(world.fee_status(fee).await, "paid", "{order}");
    let now = world.order_now(&word(order, "id")).await;
    assert_eq!(now["payments"][0]["source"], "callback", "{now}");
}

/// All of it is given back.
async fn given_back(world: &World, fee: &str, order: &Value) {
    let body = json!({"amount_fen": 8000, "reason": "撤回"});
    let path = format!("/v1/orders/{}/refunds", word(order, "id"));
    let (status, refund) = world.post(&path, &body).await.unwrap();
    assert_eq!(status, 201, "{refund}");
    world.seconds(120).await;
    let (_, then) = world.get(&format!("/v1/refunds/{}", word(&refund, "id"))).await.unwrap();
    assert_eq!(word(&then, "status"), "succeeded", "{then}");
    assert_eq!(world.fee_status(fee).await, "refunded");
}

/// An order from its beginning to its end; the number of the order.
async fn whole_life(world: &World, merchant: &str, case: &str) -> String {
    let (fee, order) = placed(world, merchant, case, json!({})).await;
    heard(world, &fee, &order).await;
    given_back(world, &fee, &order).await;
    word(&order, "out_trade_no")
}

/// On whose behalf the provider has an order.
fn payee(world: &World, number: &str) -> Option<String> {
    let orders = world.sandbox.engine().state().orders;
    orders.into_iter().find(|order| order.out_trade_no == number).unwrap().sub_merchant
}
