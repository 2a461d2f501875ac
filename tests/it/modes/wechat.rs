//! WeChat Pay by platform certificates, and on the way from them to the public key.

use sandbox::{SandboxConfig, Verification};
use serde_json::json;

use super::{INCIDENTS, REFUSED, by_public_key, given_back, placed, wechat, whole_life};
use crate::harness::{World, word};

const ID: &str = "moving-wechat";
const MCHID: &str = "1900000109";

fn certificates(providers: &mut SandboxConfig) {
    providers.wechat.last_mut().unwrap().verification = Verification::Certificates;
}

fn both(providers: &mut SandboxConfig) {
    providers.wechat.last_mut().unwrap().verification = Verification::Both;
}

fn merchant(more: &str) -> String {
    wechat(ID, &format!("mchid = \"{MCHID}\"\n{more}"))
}

fn asked(world: &World) -> u64 {
    world.sandbox.engine().state().certificate_requests[MCHID]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_lives_its_whole_life_under_platform_certificates_and_new_ones() {
    let world = World::open_at(&merchant(""), certificates).await;
    whole_life(&world, ID, "1").await;
    assert_eq!(asked(&world), 1);
    world.clock.advance(jiff::SignedDuration::from_secs(61));
    world.sandbox.engine().rotate_key(MCHID, false).unwrap();
    // Answers still come under the certificate that the hub names; the notice is the first that
    // shows the new one.
    let (fee, order) = placed(&world, ID, "2", json!({})).await;
    assert_eq!(asked(&world), 1);
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    world.sandbox.deliver_due().await;
    super::told(&world, &fee, &order).await;
    assert_eq!(asked(&world), 2, "fetched for the notice");
    given_back(&world, &fee, &order).await;
    whole_life(&world, ID, "3").await;
    assert_eq!(asked(&world), 2, "and not again");
    assert_eq!((world.count(REFUSED).await, world.count(INCIDENTS).await), (0, 0));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_and_new_certificates_are_believed_while_both_are_good() {
    let world = World::open_at(&merchant(""), certificates).await;
    whole_life(&world, ID, "1").await;
    world.clock.advance(jiff::SignedDuration::from_secs(61));
    world.sandbox.engine().rotate_key(MCHID, true).unwrap();
    for case in ["2", "3", "4"] {
        whole_life(&world, ID, case).await;
    }
    assert_eq!((world.count(REFUSED).await, world.count(INCIDENTS).await), (0, 0));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_live_their_whole_life_while_the_merchant_moves_to_the_public_key() {
    let world = World::open_at(&merchant(&by_public_key()), both).await;
    for case in ["1", "2", "3"] {
        whole_life(&world, ID, case).await;
    }
    assert_eq!((world.count(REFUSED).await, world.count(INCIDENTS).await), (0, 0));
    world.finish().await;
}
