//! Two merchants of the hub that are one account at the provider: its bill holds the orders of both,
//! and neither's are differences.

use payhub::demo::WECHAT;
use serde_json::json;

use crate::harness::{World, at, word};
use crate::products::{LEGACY, legacy};

/// The same account as the registry's own merchant, through the old interface.
fn sibling() -> String {
    legacy().replace("mchid = \"1900000109\"", "mchid = \"1900000001\"")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bill_of_two_merchants_is_matched_once_and_balances() {
    let world = World::open_at(&sibling(), |providers| {
        for merchant in &mut providers.wechat {
            merchant.api_key = Some("payhubtestsonlyapiv2key012345678".to_owned());
        }
    })
    .await;
    for (merchant, case) in [(WECHAT, "1"), (LEGACY, "2")] {
        let fee = world.fee(case).await;
        let body = json!({"merchant_id": merchant, "product": "native", "fee_ids": [fee]});
        let (status, order) = world.post("/v1/orders", &body).await.unwrap();
        assert_eq!(status, 201, "{order}");
        world.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
        world.settle().await.unwrap();
        assert_eq!(world.fee_status(&fee).await, "paid");
    }
    world.clock.set(at("2018-12-01T02:05:00Z"));
    world.settle().await.unwrap();
    let runs = "SELECT count(*) FROM runs WHERE status = 'balanced' AND merchant_id IN ('legacy-wechat', 'registry-wechat')";
    assert_eq!(world.count(runs).await, 1, "once for the account");
    let payments = "SELECT count(*) FROM runs WHERE merchant_id = 'legacy-wechat' AND summary #>> '{matched,count}' = '2'";
    assert_eq!(world.count(payments).await, 1, "for the first of its merchants, with both orders");
    assert_eq!(world.count("SELECT count(*) FROM differences").await, 0);
    world.finish().await;
}
