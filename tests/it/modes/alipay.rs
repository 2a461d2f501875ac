//! Alipay by certificates, with sealed contents, and on behalf of a seller.

use sandbox::DeliveryState;
use serde_json::json;

use super::{
    INCIDENTS, KEY_CALLS, REFUSED, alipay, given_back, heard, payee, placed, whole_life,
    with_certificates,
};
use crate::harness::{World, word};

/// The application in certificate mode, as it is pasted.
const CERTIFIED: &str = "sandbox-alipay-1";
const CERTIFIED_APP: &str = "2021000000000001";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_lives_its_whole_life_under_certificates() {
    let world = World::open_at("{pasted}", with_certificates).await;
    whole_life(&world, CERTIFIED, "1").await;
    assert_eq!(world.count(REFUSED).await, 0);
    assert_eq!(world.count(INCIDENTS).await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_under_a_new_certificate_is_believed_after_one_renewal() {
    let world = World::open_at("{pasted}", with_certificates).await;
    whole_life(&world, CERTIFIED, "1").await;
    world.clock.advance(jiff::SignedDuration::from_secs(61));
    let before = world.count(KEY_CALLS).await;
    world.sandbox.engine().rotate_key(CERTIFIED_APP, false).unwrap();
    let (fee, order) = placed(&world, CERTIFIED, "2", json!({})).await;
    assert_eq!(world.count(KEY_CALLS).await - before, 1, "fetched for the answer");
    heard(&world, &fee, &order).await;
    given_back(&world, &fee, &order).await;
    assert_eq!(world.count(KEY_CALLS).await - before, 1, "and not again");
    assert_eq!(world.count(REFUSED).await, 0);
    world.finish().await;
}

/// Alipay's notices name no certificate: an unknown one cannot be told from a forgery. The answer to
/// the next query names it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_under_a_new_certificate_is_believed_once_an_answer_has_named_it() {
    let world = World::open_at("{pasted}", with_certificates).await;
    let (fee, order) = placed(&world, CERTIFIED, "1", json!({})).await;
    let before = world.count(KEY_CALLS).await;
    world.clock.advance(jiff::SignedDuration::from_secs(61));
    world.sandbox.engine().rotate_key(CERTIFIED_APP, false).unwrap();
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    world.sandbox.deliver_due().await;
    assert_eq!(world.count(REFUSED).await, 1);
    assert_eq!(world.fee_status(&fee).await, "issued");
    // A worker asks in its turn, before the provider repeats its notice.
    world.seconds(60).await;
    let now = world.order_now(&word(&order, "id")).await;
    assert_eq!(now["payments"][0]["source"], "query", "{now}");
    assert_eq!(world.count(KEY_CALLS).await - before, 1);
    // The repeat, and every later notice, is believed.
    world.seconds(3600).await;
    let callbacks = world.sandbox.engine().state().callbacks;
    assert!(callbacks.iter().all(|callback| callback.state == DeliveryState::Acknowledged));
    given_back(&world, &fee, &order).await;
    whole_life(&world, CERTIFIED, "2").await;
    assert_eq!(world.count(REFUSED).await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_lives_its_whole_life_with_sealed_contents() {
    let seller = "2088000000000000";
    let good = alipay("sealed-alipay", seller, "encrypt_key = \"cGF5aHViIHRlc3QgYWVzIQ==\"");
    let wrong = alipay("wrong-alipay", seller, "encrypt_key = \"AAECAwQFBgcICQoLDA0ODw==\"");
    let world = World::open_with(&format!("{good}{wrong}")).await;
    whole_life(&world, "sealed-alipay", "1").await;
    assert_eq!(world.count(REFUSED).await, 0);
    // What is sealed under another key cannot be opened there: contents do go out sealed.
    let fee = world.fee("2").await;
    let body = json!({"merchant_id": "wrong-alipay", "product": "precreate", "fee_ids": [fee]});
    let (status, refused) = world.post("/v1/orders", &body).await.unwrap();
    assert_eq!((status, &refused["code"]), (422, &json!("provider_refused")), "{refused}");
    assert_eq!(refused["reason"], "configuration", "{refused}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_goes_to_the_seller_who_gave_the_application_its_token() {
    let theirs = "2088000000000301";
    let good = alipay("isv-alipay", theirs, "app_auth_token = \"sandboxAppAuthToken\"");
    let wrong = alipay("wrong-alipay", theirs, "app_auth_token = \"nobodysToken\"");
    let token = "app_auth_token = \"sandboxAppAuthToken\"";
    let mixed = alipay("mixed-alipay", "2088000000000999", token);
    let world = World::open_with(&format!("{good}{wrong}{mixed}")).await;
    let number = whole_life(&world, "isv-alipay", "1").await;
    assert_eq!(payee(&world, &number).as_deref(), Some(theirs));
    assert_eq!(world.count(REFUSED).await, 0);
    assert_eq!(world.count(INCIDENTS).await, 0);
    // A token that nobody gave, and a seller who is not the token's.
    for (merchant, reason) in
        [("wrong-alipay", "configuration"), ("mixed-alipay", "invalid_request")]
    {
        let fee = world.fee(merchant).await;
        let body = json!({"merchant_id": merchant, "product": "precreate", "fee_ids": [fee]});
        let (status, refused) = world.post("/v1/orders", &body).await.unwrap();
        assert_eq!((status, &refused["reason"]), (422, &json!(reason)), "{refused}");
    }
    world.finish().await;
}
