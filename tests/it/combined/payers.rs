//! For whom a combined order is made, how long its code is good, and who can be paid together.

use payhub::demo::WECHAT;
use serde_json::{Value, json};

use super::{TAX, now, office, payee, stands};
use crate::harness::World;

/// Asks for a fee and a tax in one, with `more`.
async fn combine(world: &World, product: &str, fees: &[String; 2], more: &Value) -> (u16, Value) {
    let parts = json!([
        {"merchant_id": WECHAT, "fee_ids": [fees[0]]},
        {"merchant_id": TAX, "fee_ids": [fees[1]]},
    ]);
    let mut body = json!({"merchant_id": WECHAT, "product": product, "parts": parts});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    world.post("/v1/combined-orders", &body).await.unwrap()
}

async fn fees(world: &World) -> [String; 2] {
    [world.fee("1").await, world.fee("2").await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_combined_order_for_one_payer_is_not_given_to_another() {
    let cases = [
        (
            "jsapi",
            json!({"payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}),
            json!({"payer": {"openid": "oANOTHERPAYERxxxxxxxxxxxxxxx"}}),
        ),
        (
            "h5",
            json!({"payer": {"client_ip": "203.0.113.7"}}),
            json!({"payer": {"client_ip": "198.51.100.9"}}),
        ),
    ];
    for (product, one, other) in cases {
        let world = office().await;
        let fees = fees(&world).await;
        let (status, first) = combine(&world, product, &fees, &one).await;
        assert_eq!(status, 201, "{first}");
        let (status, same) = combine(&world, product, &fees, &one).await;
        assert_eq!((status, &same["id"]), (200, &first["id"]), "{product}");
        let (status, second) = combine(&world, product, &fees, &other).await;
        assert_eq!(status, 201, "{second}");
        assert_ne!(second["id"], first["id"], "{product}");
        assert_eq!(stands(&world, &first).await, ["closed", "closed", "closed"]);
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_combined_code_that_is_too_old_is_made_anew() {
    let world = office().await;
    let fees = fees(&world).await;
    let browser = json!({"payer": {"client_ip": "203.0.113.7"}});
    let (_, first) = combine(&world, "h5", &fees, &browser).await;
    world.seconds(180).await;
    let (_, same) = combine(&world, "h5", &fees, &browser).await;
    assert_eq!(same["pay"], first["pay"], "it is good still");
    world.seconds(120).await;
    let (status, renewed) = combine(&world, "h5", &fees, &browser).await;
    assert_eq!((status, &renewed["id"]), (200, &first["id"]));
    assert_ne!(renewed["pay"], first["pay"]);
    assert_eq!(now(&world, &first).await["pay"], renewed["pay"]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_merchants_of_one_service_provider_or_of_none_are_paid_together() {
    // A number that can only be a sub_mchid must not leave as an mchid.
    let partner = |id: &str, sp: &str, sub: &str| {
        let numbers = format!("sp_mchid = \"{sp}\"\nsub_mchid = \"{sub}\"");
        payee(id, "0").replace("mchid = \"0\"", &numbers)
    };
    let more = [
        partner(TAX, "1900000109", "1900000777"),
        partner("same", "1900000109", "1900000778"),
        partner("other", "1900000001", "1900000779"),
    ];
    let world = World::open_with(&more.concat()).await;
    let fees = fees(&world).await;
    for (asker, with) in [(WECHAT, TAX), (TAX, WECHAT), (TAX, "other")] {
        let parts = json!([
            {"merchant_id": asker, "fee_ids": [fees[0]]},
            {"merchant_id": with, "fee_ids": [fees[1]]},
        ]);
        let body = json!({"merchant_id": asker, "product": "native", "parts": parts});
        let (status, refused) = world.post("/v1/combined-orders", &body).await.unwrap();
        assert_eq!((status, &refused["code"]), (422, &json!("parts_invalid")), "{asker} {with}");
    }
    let left = "SELECT count(*) FROM provider_calls WHERE operation = 'place'";
    assert_eq!(world.count(left).await, 0);
    let parts = json!([
        {"merchant_id": TAX, "fee_ids": [fees[0]]},
        {"merchant_id": "same", "fee_ids": [fees[1]]},
    ]);
    let body = json!({"merchant_id": TAX, "product": "native", "parts": parts});
    world.post("/v1/combined-orders", &body).await.unwrap();
    assert_eq!(world.count(left).await, 1, "both through one service provider");
    world.finish().await;
}
