//! What is told of a remittance, once and truly.

use callbacks::Claim;
use domain::fact::{ProviderFact, RefundFact, RefundStanding, Source, Stated};
use payhub::demo::{ALIPAY, WECHAT};
use payhub::record::{Arrival, Verdict, record};
use serde_json::{Value, json};

use super::{proved, refund, refund_now, refused, remit};
use crate::harness::{World, word};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_remittance_is_told_once_under_its_reference() {
    let world = World::open().await;
    let (first, _, _) = world.paid(WECHAT, "1").await;
    let (second, _, _) = world.paid(ALIPAY, "2").await;
    let (code, told) = remit(&world, " 缴-1 ", &[&first, &second]).await;
    assert_eq!((code, &told["amount_fen"]), (201, &json!(16000)), "{told}");
    assert_eq!(word(&told, "reference"), "缴-1");
    assert_eq!(told["merchants"].as_array().unwrap().len(), 2, "each by its own journal");
    proved(&world).await;
    let (code, same) = remit(&world, "缴-1", &[&second, &first]).await;
    assert_eq!((code, &same["id"]), (200, &told["id"]));
    refused(remit(&world, "缴-1", &[&first]).await, 409, "reference_reused");
    let later =
        json!({"remitted_on": "2018-11-29", "reference": "缴-1", "fee_ids": [first, second]});
    refused(world.post("/v1/remittances", &later).await.unwrap(), 409, "reference_reused");
    let twice = refused(remit(&world, "缴-2", &[&first]).await, 422, "nothing_to_remit");
    assert_eq!(word(&twice, "fee_id"), first);
    let (_, fee) = world.get(&format!("/v1/fees/{first}")).await.unwrap();
    assert_eq!((&fee["remitted_fen"], word(&fee, "status").as_str()), (&json!(8000), "paid"));
    let (_, shown) = world.get(&format!("/v1/remittances/{}", word(&told, "id"))).await.unwrap();
    assert_eq!(shown, told);
    let (_, list) = world.get("/v1/remittances").await.unwrap();
    assert_eq!(list["data"], json!([told]));
    assert_eq!(
        world.count("SELECT count(*) FROM journal_entries WHERE kind = 'fees_remitted'").await,
        2
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_remittance_told_many_times_at_once_is_one() {
    let world = World::open().await;
    let (fee, _, _) = world.paid(WECHAT, "1").await;
    let fees = [fee.as_str()];
    let all = futures_util::future::join_all((0..6).map(|_| remit(&world, "缴-1", &fees))).await;
    let mut codes: Vec<u16> = all.iter().map(|(code, _)| *code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [200, 200, 200, 200, 200, 201], "{all:?}");
    assert_eq!(remit(&world, "缴-1", &[&fee]).await.0, 200);
    assert_eq!(world.count("SELECT count(*) FROM remittances").await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_have_been_remitted_is_refused_and_its_fee_is_named() {
    let world = World::open().await;
    let (paid, _, _) = world.paid(WECHAT, "1").await;
    let unpaid = world.fee("2").await;
    let nobody = "fee_00000000000000000000000000000000";
    let of = |on: &str, reference: &str, fees: &[&str]| {
        let body = json!({"remitted_on": on, "reference": reference, "fee_ids": fees});
        let world = &world;
        async move { world.post("/v1/remittances", &body).await.unwrap() }
    };
    let long = "长".repeat(65);
    let (paid, unpaid) = (paid.as_str(), unpaid.as_str());
    for (on, reference, fees, code) in [
        ("2018-12-01", "缴-1", vec![paid], "remitted_on_invalid"),
        ("2018-11-29", "缴-1", vec![paid], "remitted_on_invalid"),
        ("2018-11-30", " ", vec![paid], "reference_invalid"),
        ("2018-11-30", long.as_str(), vec![paid], "reference_invalid"),
        ("2018-11-30", "缴-1", vec![], "fee_ids_invalid"),
        ("2018-11-30", "缴-1", vec![paid, paid], "fee_ids_invalid"),
        ("2018-11-30", "缴-1", vec![paid, nobody], "fee_unknown"),
        ("2018-11-30", "缴-1", vec![paid, unpaid], "nothing_to_remit"),
    ] {
        refused(of(on, reference, &fees).await, 422, code);
    }
    assert_eq!(world.count("SELECT count(*) FROM remittances").await, 0, "nothing is half written");
    assert_eq!(of("2018-11-30", "缴-1", &[paid]).await.0, 201);
    assert_eq!(
        world.get("/v1/remittances/rmt_00000000000000000000000000000000").await.unwrap().0,
        404
    );
    world.finish().await;
}

/// The provider says how a refund stands.
async fn say(world: &World, number: &str, refund: &Value, standing: RefundStanding) -> Verdict {
    let fact = RefundFact {
        stated: Stated::default(),
        out_trade_no: number.parse().unwrap(),
        out_refund_no: word(refund, "out_refund_no").parse().unwrap(),
        provider_trade_no: None,
        provider_refund_no: None,
        amount: None,
        given_back: None,
        standing,
        at: None,
        accepted_at: None,
    };
    let claims = vec![Claim { source: Source::Query, fact: ProviderFact::Refund(fact) }];
    let merchant = world.hub.merchant(WECHAT).unwrap();
    record(&world.hub, &[Arrival { merchant, claims, evidence: None }]).await.unwrap()[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_failed_and_succeeds_after_its_fee_was_remitted_is_told_to_people() {
    let world = World::open().await;
    let (fee, order, number) = world.paid(WECHAT, "1").await;
    let (_, part) = refund(&world, &order, json!({"amount_fen": 3000, "reason": "多收"})).await;
    let (_, early) = remit(&world, "缴-1", &[&fee]).await;
    assert_eq!(early["amount_fen"], json!(5000), "what a refund holds is not remitted");
    proved(&world).await;
    assert_eq!(say(&world, &number, &part, RefundStanding::Failed).await, Verdict::Applied);
    let (code, rest) = remit(&world, "缴-2", &[&fee]).await;
    assert_eq!((code, &rest["amount_fen"]), (201, &json!(3000)), "{rest}");
    proved(&world).await;
    let told = "SELECT count(*) FROM incidents WHERE kind = 'refund_contradicts'";
    for _ in 0..2 {
        let verdict = say(&world, &number, &part, RefundStanding::Succeeded).await;
        assert_eq!(verdict, Verdict::Incident);
        assert_eq!(world.count(told).await, 1);
    }
    assert_eq!(word(&refund_now(&world, &part).await, "status"), "failed");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_failed_and_succeeds_before_its_part_is_remitted_is_booked() {
    let world = World::open().await;
    let (fee, order, number) = world.paid(WECHAT, "1").await;
    let (_, part) = refund(&world, &order, json!({"amount_fen": 3000, "reason": "多收"})).await;
    remit(&world, "缴-1", &[&fee]).await;
    let (_, back) = refund(&world, &order, json!({"amount_fen": 5000, "reason": "撤回"})).await;
    assert_eq!(word(&back, "route"), "treasury");
    assert_eq!(say(&world, &number, &part, RefundStanding::Failed).await, Verdict::Applied);
    assert_eq!(say(&world, &number, &part, RefundStanding::Succeeded).await, Verdict::Applied);
    assert_eq!(word(&refund_now(&world, &part).await, "status"), "succeeded");
    refused(remit(&world, "缴-2", &[&fee]).await, 422, "nothing_to_remit");
    world.finish().await;
}

async fn reverse(world: &World, remittance: &Value, reason: &str) -> (u16, Value) {
    let path = format!("/v1/remittances/{}/reverse", word(remittance, "id"));
    world.post(&path, &json!({"reason": reason})).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_remittance_of_a_wrong_fee_is_taken_back_and_told_anew() {
    let world = World::open().await;
    let (wrong, order, _) = world.paid(WECHAT, "1").await;
    let (right, _, _) = world.paid(ALIPAY, "2").await;
    let (_, told) = remit(&world, "缴-1", &[&wrong, &right]).await;
    assert_eq!(told["reversal"], Value::Null);
    let (_, asked) = refund(&world, &order, json!({"amount_fen": 1000, "reason": "多收"})).await;
    assert_eq!(word(&asked, "route"), "treasury");
    refused(reverse(&world, &told, "漏填费用").await, 409, "remittance_in_use");
    super::step(&world, &asked, "rejected", "张科员", super::FRIDAY).await;
    refused(reverse(&world, &told, " ").await, 422, "reason_needed");
    let (code, back) = reverse(&world, &told, "漏填费用").await;
    assert_eq!((code, &back["reversal"]["reason"]), (200, &json!("漏填费用")), "{back}");
    proved(&world).await;
    refused(reverse(&world, &told, "漏填费用").await, 409, "remittance_reversed");
    let (code, same) = remit(&world, "缴-1", &[&wrong, &right]).await;
    assert_eq!((code, &same), (200, &back), "it stays on record under its reference");
    let (_, fee) = world.get(&format!("/v1/fees/{wrong}")).await.unwrap();
    assert_eq!(fee["remitted_fen"], json!(0));
    let (_, asked) = refund(&world, &order, json!({"amount_fen": 1000, "reason": "多收"})).await;
    assert_eq!(word(&asked, "route"), "provider", "its money is at the provider again");
    let (code, anew) = remit(&world, "缴-2", &[&right]).await;
    assert_eq!((code, &anew["amount_fen"]), (201, &json!(8000)), "{anew}");
    world.seconds(120).await;
    world.finish().await;
}
