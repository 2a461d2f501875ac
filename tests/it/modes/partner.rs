//! WeChat Pay through a service provider (服务商): the office's number stands in every order, and
//! the provider's key signs.

use sandbox::SubMerchant;
use serde_json::json;

use super::{INCIDENTS, REFUSED, by_public_key, heard, payee, placed, wechat, whole_life};
use crate::harness::{World, at, word};
use crate::products::LEGACY;

const OFFICE: &str = "partner-wechat";
const TAX: &str = "partner-tax-wechat";

fn partner(id: &str, sub_mchid: &str) -> String {
    let parties = format!("sp_mchid = \"1900000001\"\nsub_mchid = \"{sub_mchid}\"\n");
    wechat(id, &format!("{parties}{}", by_public_key()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_goes_to_the_office_for_which_the_service_provider_acts() {
    let world = World::open_with(&partner(OFFICE, "1900000301")).await;
    let number = whole_life(&world, OFFICE, "1").await;
    assert_eq!(payee(&world, &number).as_deref(), Some("1900000301"));
    assert_eq!((world.count(REFUSED).await, world.count(INCIDENTS).await), (0, 0));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_without_a_fund_flow_bill_is_reconciled_and_its_paper_says_so() {
    for (wanted, says) in [("", "未启用"), ("fund_flow = true\n", "不向本商户提供")] {
        let world = World::open_with(&format!("{}{wanted}", partner(OFFICE, "1900000301"))).await;
        let (fee, order) = placed(&world, OFFICE, "1", json!({})).await;
        heard(&world, &fee, &order).await;
        world.clock.set(at("2018-12-01T02:05:00Z"));
        while payhub::reconcile::run_once(&world.hub).await.unwrap() > 0 {}
        let path = format!("/v1/reconciliations?date=2018-11-30&merchant_id={OFFICE}");
        let run = world.get(&path).await.unwrap().1["data"][0].clone();
        assert_eq!(word(&run, "status"), "balanced", "{wanted}: {run}");
        let note = word(&run["summary"], "fund_flow_note");
        assert!(note.contains(says) && note.contains("未核对"), "{wanted}: {note}");
        let waits = "SELECT count(*) FROM fund_bill_waits WHERE merchant_id = 'partner-wechat'";
        assert_eq!(world.count(waits).await, 0, "{wanted}: nothing will come");
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_interface_serves_service_providers_too() {
    let legacy = format!(
        "[[merchants]]\nid = \"{LEGACY}\"\nprovider = \"wechat-v2\"\nsp_mchid = \"1900000001\"\n\
         sub_mchid = \"1900000301\"\nappid = \"wx8888888888888888\"\n\
         api_key = \"payhubtestsonlyapiv2key012345678\"\nsign_type = \"HMAC-SHA256\"\n\
         base_url = \"{{providers}}\"\n"
    );
    let world = World::open_at(&legacy, |providers| {
        providers.wechat[0].api_key = Some("payhubtestsonlyapiv2key012345678".to_owned());
    })
    .await;
    let number = whole_life(&world, LEGACY, "1").await;
    assert_eq!(payee(&world, &number).as_deref(), Some("1900000301"));
    assert_eq!((world.count(REFUSED).await, world.count(INCIDENTS).await), (0, 0));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_payment_pays_two_merchants_of_a_service_provider() {
    let both = format!("{}{}", partner(OFFICE, "1900000301"), partner(TAX, "1900000302"));
    let world = World::open_at(&both, |providers| {
        let tax = SubMerchant { mchid: "1900000302".to_owned(), appid: None };
        providers.wechat[0].sub_merchants.push(tax);
    })
    .await;
    let fees = [world.fee("1").await, world.fee("2").await];
    let body = json!({
        "merchant_id": OFFICE, "product": "native",
        "parts": [
            {"merchant_id": OFFICE, "fee_ids": [fees[0].clone()]},
            {"merchant_id": TAX, "fee_ids": [fees[1].clone()], "subject": "契税"},
        ],
    });
    let (status, whole) = world.post("/v1/combined-orders", &body).await.unwrap();
    assert_eq!(status, 201, "{whole}");
    world.sandbox.engine().pay(&word(&whole, "out_trade_no"), true).unwrap();
    world.settle().await.unwrap();
    for (part, (fee, sub_mchid)) in fees.iter().zip(["1900000301", "1900000302"]).enumerate() {
        let order = &whole["orders"][part];
        super::told(&world, fee, order).await;
        assert_eq!(payee(&world, &word(order, "out_trade_no")).as_deref(), Some(sub_mchid));
        super::given_back(&world, fee, order).await;
    }
    assert_eq!((world.count(REFUSED).await, world.count(INCIDENTS).await), (0, 0));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merchant_of_nobody_is_not_paid_through_a_service_provider() {
    // The tax office has a contract of its own with WeChat Pay, the registry none.
    let own = format!("mchid = \"1900000109\"\n{}", by_public_key());
    let both = format!("{}{}", partner(OFFICE, "1900000301"), wechat(TAX, &own));
    let world = World::open_with(&both).await;
    let fees = [world.fee("1").await, world.fee("2").await];
    let body = json!({
        "merchant_id": OFFICE, "product": "native",
        "parts": [
            {"merchant_id": OFFICE, "fee_ids": [fees[0].clone()]},
            {"merchant_id": TAX, "fee_ids": [fees[1].clone()]},
        ],
    });
    let (status, refused) = world.post("/v1/combined-orders", &body).await.unwrap();
    assert_eq!(status, 422, "{refused}");
    let live = "SELECT count(*) FROM orders WHERE state IN ('pending', 'unknown', 'created')";
    assert_eq!(world.count(live).await, 0);
    // Each alone is collected as ever.
    for (merchant, fee) in [OFFICE, TAX].into_iter().zip(fees) {
        let body = json!({"merchant_id": merchant, "product": "native", "fee_ids": [fee]});
        let (status, order) = world.post("/v1/orders", &body).await.unwrap();
        assert_eq!(status, 201, "{order}");
        super::heard(&world, &fee, &order).await;
    }
    world.finish().await;
}
