//! The provider's keys while they change: both kinds in one minute, new ones that nobody announced,
//! and names that somebody made up.

use std::fmt::Write as _;

use domain::Clock as _;
use futures_util::future;
use payhub::demo::WECHAT;
use sandbox::{Action, Fault, Operation, Place, SandboxConfig, Verification};
use serde_json::json;

use crate::harness::{World, word};

const MCHID: &str = "1900000001";

/// WeChat Pay on the way from certificates to the public key.
fn both(providers: &mut SandboxConfig) {
    for merchant in &mut providers.wechat {
        merchant.verification = Verification::Both;
    }
}

/// WeChat Pay that has no public key for anybody yet.
fn certificates(providers: &mut SandboxConfig) {
    for merchant in &mut providers.wechat {
        merchant.verification = Verification::Certificates;
    }
}

/// How often the hub asked for certificates.
fn asked(world: &World) -> u64 {
    world.sandbox.engine().state().certificate_requests[MCHID]
}

/// A callback under a made-up key, signed as well as anybody can.
async fn invented(world: &World, serial: &str) -> u16 {
    let request = world
        .client()
        .post(world.url(&format!("/callbacks/{WECHAT}")))
        .header("Wechatpay-Timestamp", world.clock.now().as_second().to_string())
        .header("Wechatpay-Nonce", "nonce")
        .header("Wechatpay-Serial", serial)
        .header("Wechatpay-Signature", "c2lnbmF0dXJl")
        .body("{}");
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t09_mixed_serials_in_one_minute_all_verify() {
    let world = World::open_at("", both).await;
    world.settle().await.unwrap();
    for case in 0..6 {
        let (fee, order, _) = world.paid(WECHAT, &case.to_string()).await;
        assert_eq!(world.fee_status(&fee).await, "paid");
        assert_eq!(world.order_now(&order).await["payments"][0]["source"], "callback");
    }
    assert_eq!(world.count("SELECT count(*) FROM refused_callbacks").await, 0);
    assert_eq!(asked(&world), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t09_an_unknown_serial_means_one_refresh_and_then_a_refusal() {
    let world = World::open_at("", both).await;
    world.settle().await.unwrap();
    world.clock.advance(jiff::SignedDuration::from_secs(61));
    // A key that nobody announced: its first callback fetches it, and is believed.
    world.sandbox.engine().rotate_key(MCHID, false).unwrap();
    for case in ["1", "2", "3"] {
        let (_, order, _) = world.paid(WECHAT, case).await;
        assert_eq!(world.order_now(&order).await["payments"][0]["source"], "callback", "{case}");
    }
    assert_eq!(asked(&world), 1);
    // One that does not exist is not fetched again so soon, and is refused.
    assert_eq!(invented(&world, "5157F09EFDC096DE15EBE81A47057A7232F1B8E2").await, 401);
    assert_eq!(asked(&world), 1);
    world.clock.advance(jiff::SignedDuration::from_secs(61));
    assert_eq!(invented(&world, "5157F09EFDC096DE15EBE81A47057A7232F1B8E2").await, 401);
    assert_eq!(asked(&world), 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t10_a_flood_of_unknown_serials_refreshes_once_an_interval() {
    let world = World::open_at("", both).await;
    world.settle().await.unwrap();
    world.clock.advance(jiff::SignedDuration::from_secs(61));
    let before = asked(&world);
    for wave in 0..4_u32 {
        let serials = (0..50_u32).map(|number| {
            let mut serial = String::new();
            write!(serial, "{:040X}", wave * 1000 + number + 1).unwrap();
            serial
        });
        let serials: Vec<String> = serials.collect();
        let all = serials.iter().map(|serial| invented(&world, serial));
        assert!(future::join_all(all).await.iter().all(|status| *status == 401));
    }
    assert_eq!(asked(&world) - before, 1, "two hundred callbacks, one refresh");
    world.clock.advance(jiff::SignedDuration::from_secs(61));
    invented(&world, "FF").await;
    assert_eq!(asked(&world) - before, 2, "the next interval has its own");
    world.finish().await;
}

/// A merchant without a public key: platform certificates alone prove its provider.
const CERTIFIED: &str = "certified-wechat";

fn by_certificates() -> String {
    format!(
        r#"
[[merchants]]
id = "{CERTIFIED}"
provider = "wechat"
mchid = "1900000109"
appid = "wx8888888888888888"
merchant_serial_no = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
merchant_private_key = """{key}"""
apiv3_key = "{apiv3_key}"
base_url = "{{providers}}"
"#,
        key = include_str!("../../fixtures/keys/wechat_merchant.pem"),
        apiv3_key = include_str!("../../fixtures/keys/wechat_v3_key.txt").trim(),
    )
}

/// Pays an order of that merchant; where its payment was heard of.
async fn heard_by(world: &World, case: &str) -> String {
    let fee = world.fee(case).await;
    let body = json!({"merchant_id": CERTIFIED, "product": "native", "fee_ids": [fee]});
    let (status, order) = world.post("/v1/orders", &body).await.unwrap();
    assert_eq!(status, 201, "{order}");
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    world.settle().await.unwrap();
    word(&world.order_now(&word(&order, "id")).await["payments"][0], "source")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t10_a_refresh_that_fails_keeps_the_old_keys() {
    let world = World::open_at(&by_certificates(), certificates).await;
    let asked = || world.sandbox.engine().state().certificate_requests["1900000109"];
    world.settle().await.unwrap();
    assert_eq!(asked(), 1, "at the start");
    let mut broken = Fault::new(Place::Answer, Action::Garbage);
    broken.times = Some(1);
    world.sandbox.engine().set_fault(broken).unwrap();
    world.seconds(3601).await;
    assert_eq!(asked(), 2, "every hour");
    let failed =
        "SELECT count(*) FROM provider_calls WHERE operation = 'keys' AND outcome = 'unknown'";
    assert_eq!(world.count(failed).await, 1);
    for case in ["1", "2"] {
        assert_eq!(heard_by(&world, case).await, "callback");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t11_an_answer_under_an_unknown_key_is_read_again_once_the_keys_are_renewed() {
    let world = World::open_at("", certificates).await;
    let fee = world.fee("1").await;
    // The hub has asked for no key yet: the first answer fetches them.
    let (status, order) = world.order(WECHAT, &[&fee]).await;
    assert_eq!((status, word(&order, "status").as_str()), (201, "pending"), "{order}");
    assert_eq!(asked(&world), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t11_a_refund_whose_answer_does_not_verify_is_unknown_and_a_query_decides() {
    let world = World::open().await;
    let (_, order, _) = world.paid(WECHAT, "1").await;
    let mut wrong = Fault::new(Place::Answer, Action::WrongSignature);
    wrong.operation = Some(Operation::Refund);
    wrong.times = Some(1);
    world.sandbox.engine().set_fault(wrong).unwrap();
    let body = json!({"amount_fen": 8000, "reason": "撤回"});
    let path = format!("/v1/orders/{order}/refunds");
    let (status, refund) = world.post(&path, &body).await.unwrap();
    assert_eq!((status, word(&refund, "status").as_str()), (201, "unknown"), "{refund}");
    world.seconds(6).await;
    world.seconds(120).await;
    let (_, then) = world.get(&format!("/v1/refunds/{}", word(&refund, "id"))).await.unwrap();
    assert_eq!(word(&then, "status"), "succeeded");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t10_a_slow_refresh_holds_no_notice_longer_than_its_provider_waits() {
    let world = World::open_at("", both).await;
    world.settle().await.unwrap();
    world.clock.advance(jiff::SignedDuration::from_secs(61));
    let before = asked(&world);
    let mut slow = Fault::new(Place::Answer, Action::Delay);
    (slow.times, slow.delay_s) = (Some(1), Some(9));
    world.sandbox.engine().set_fault(slow).unwrap();
    let begun = std::time::Instant::now();
    let serials: Vec<String> = (0..100).map(|number| format!("{:040X}", number + 1)).collect();
    let all = serials.iter().map(async |serial| (invented(&world, serial).await, begun.elapsed()));
    let answers = future::join_all(all).await;
    assert!(answers.iter().all(|(status, _)| *status == 401), "unknown for this time");
    let within = |seconds: u64| {
        let limit = std::time::Duration::from_secs(seconds);
        answers.iter().filter(|(_, elapsed)| *elapsed < limit).count()
    };
    assert_eq!(within(7), 100, "nobody waits for the answer itself");
    assert!(within(3) >= 36, "no more than 64 wait at all: {}", within(3));
    assert_eq!(asked(&world) - before, 1, "one call goes on for all of them");
    world.finish().await;
}
