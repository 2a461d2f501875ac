//! By which way a refund goes: it follows from what the refund takes, and never the other way round.

use payhub::demo::{ALIPAY, WECHAT};
use serde_json::{Value, json};

use super::{proved, refund, refused, remit};
use crate::harness::{World, word};

/// A paid order for two fees of 80 yuan: the fees, the order.
async fn two_fees(world: &World, merchant: &str) -> (String, String, String) {
    let (first, second) = (world.fee("1").await, world.fee("2").await);
    let (code, order) = world.order(merchant, &[&first, &second]).await;
    assert_eq!(code, 201, "{order}");
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    world.settle().await.unwrap();
    (first, second, word(&order, "id"))
}

/// What a refund takes: its route, and its parts.
fn taken(refund: &Value) -> (String, Vec<(String, i64)>) {
    let parts = refund["allocations"].as_array().unwrap().iter();
    let mut parts: Vec<(String, i64)> =
        parts.map(|part| (word(part, "fee_id"), part["amount_fen"].as_i64().unwrap())).collect();
    parts.sort();
    (word(refund, "route"), parts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_without_allocations_takes_the_first_fee_though_that_is_at_the_treasury() {
    let world = World::open().await;
    let (first, second, order) = two_fees(&world, WECHAT).await;
    assert_eq!(remit(&world, "缴-1", &[&first]).await.0, 201);
    let (code, small) = refund(&world, &order, json!({"amount_fen": 1000, "reason": "多收"})).await;
    assert_eq!(code, 201, "{small}");
    assert_eq!(taken(&small), ("treasury".to_owned(), vec![(first, 1000)]));
    assert_eq!(world.fee_status(&second).await, "paid", "the other fee is not touched");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_of_which_a_part_is_at_the_treasury_is_refused_with_what_goes_by_which_way() {
    let world = World::open().await;
    for merchant in [WECHAT, ALIPAY] {
        let (first, second, order) = two_fees(&world, merchant).await;
        assert_eq!(remit(&world, &format!("缴-{merchant}"), &[&first]).await.0, 201);
        let all = json!({"amount_fen": 10_000, "reason": "撤回"});
        let problem = refused(refund(&world, &order, all).await, 422, "refund_routes_mixed");
        assert_eq!(
            (&problem["treasury_fen"], &problem["provider_fen"]),
            (&json!(8000), &json!(2000))
        );
        assert_eq!(problem["surplus_fen"], json!(0));
        for (way, fee, fen) in [("treasury", &first, 8000), ("provider", &second, 2000)] {
            let parts = &problem[format!("{way}_allocations")];
            assert_eq!(*parts, json!([{"fee_id": fee, "amount_fen": fen}]));
            let body = json!({"amount_fen": fen, "reason": "撤回", "allocations": parts});
            let (code, one) = refund(&world, &order, body).await;
            assert_eq!(code, 201, "{one}");
            assert_eq!(taken(&one), (way.to_owned(), vec![(fee.clone(), fen)]));
            proved(&world).await;
        }
        world.seconds(120).await;
        assert_eq!(world.fee_status(&second).await, "partially_refunded");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_a_fee_is_remitted_no_refund_of_it_goes_through_the_provider() {
    let world = World::open().await;
    let (fee, order, _) = world.paid(WECHAT, "1").await;
    let (_, before) = refund(&world, &order, json!({"amount_fen": 500, "reason": "多收"})).await;
    assert_eq!(word(&before, "route"), "provider");
    assert_eq!(remit(&world, "缴-1", &[&fee]).await.1["amount_fen"], json!(7500));
    let more = json!({"amount_fen": 7501, "reason": "撤回"});
    refused(refund(&world, &order, more).await, 422, "refund_exceeds_payment");
    let named = |fen: i64| {
        let parts = json!([{"fee_id": fee, "amount_fen": fen}]);
        json!({"amount_fen": fen, "reason": "撤回", "allocations": parts})
    };
    refused(refund(&world, &order, named(7501)).await, 422, "refund_exceeds_payment");
    for fen in [500, 7000] {
        let (code, after) = refund(&world, &order, named(fen)).await;
        assert_eq!((code, word(&after, "route").as_str()), (201, "treasury"), "{after}");
        proved(&world).await;
    }
    world.seconds(120).await;
    assert_eq!(world.sandbox.engine().state().refunds.len(), 1, "the provider heard of the first");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn surplus_comes_before_every_fee_and_never_from_the_treasury() {
    let world = World::open().await;
    let (fee, order, number) = world.paid(WECHAT, "1").await;
    let twice = sandbox::Pay {
        out_trade_no: number,
        force: true,
        notify: Some(true),
        ..sandbox::Pay::default()
    };
    world.sandbox.engine().pay_as(&twice).unwrap();
    world.settle().await.unwrap();
    assert_eq!(remit(&world, "缴-1", &[&fee]).await.1["amount_fen"], json!(8000));
    let (_, surplus) =
        refund(&world, &order, json!({"amount_fen": 8000, "reason": "重复支付"})).await;
    assert_eq!(
        (word(&surplus, "route").as_str(), &surplus["surplus_fen"]),
        ("provider", &json!(8000))
    );
    let (_, own) = refund(&world, &order, json!({"amount_fen": 8000, "reason": "撤回"})).await;
    assert_eq!((word(&own, "route").as_str(), &own["surplus_fen"]), ("treasury", &json!(0)));
    world.seconds(120).await;
    world.finish().await;
}
