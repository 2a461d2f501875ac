//! A notice that nobody signed, processed again: the provider is asked again, and nothing is booked
//! twice.

use std::process::Command;

use domain::ids::CallbackId;
use payhub::record::Verdict;
use payhub::replay::replay;
use sandbox::{Action, Fault, Operation, Place};
use serde_json::json;

use super::{heard, placed};
use crate::harness::{World, word};
use crate::products::{LEGACY, legacy};

const ASKED: &str = "SELECT count(*) FROM provider_calls WHERE operation = 'confirm_refund'";

/// The callbacks of the merchant, newest first.
async fn newest(world: &World) -> CallbackId {
    let row = world
        .database()
        .await
        .query_one(
            "SELECT callback_id FROM callbacks WHERE merchant_id = 'legacy-wechat'
              ORDER BY received_at DESC, callback_id DESC LIMIT 1",
            &[],
        )
        .await
        .unwrap();
    row.get::<_, String>(0).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replayed_hint_is_asked_about_again_and_books_nothing_twice() {
    let world = World::open_with(&legacy()).await;
    let (fee, order) = placed(&world, LEGACY, "1", json!({})).await;
    heard(&world, &fee, &order).await;
    let body = json!({"amount_fen": 8000, "reason": "撤回"});
    let path = format!("/v1/orders/{}/refunds", word(&order, "id"));
    let (status, refund) = world.post(&path, &body).await.unwrap();
    assert_eq!(status, 201, "{refund}");
    world.clock.advance(jiff::SignedDuration::from_secs(60));
    world.sandbox.deliver_due().await;
    assert_eq!(world.fee_status(&fee).await, "refunded");
    assert_eq!(world.count(ASKED).await, 1);
    let hint = newest(&world).await;
    let entries = "SELECT count(*) FROM journal_entries";
    let before = world.count(entries).await;
    assert_eq!(replay(&world.hub, &hint).await.unwrap(), Verdict::Known);
    assert_eq!(world.count(ASKED).await, 2, "the provider is asked, not the paper");
    assert_eq!(world.count(entries).await, before);
    // In the dark nothing is decided, and it can be replayed later.
    let mut dark = Fault::new(Place::Answer, Action::Status500);
    dark.operation = Some(Operation::QueryRefund);
    let dark = world.sandbox.engine().set_fault(dark).unwrap();
    let unanswered = replay(&world.hub, &hint).await.unwrap_err();
    assert!(unanswered.detail.contains("replay it later"), "{}", unanswered.detail);
    world.sandbox.engine().lift_faults(Some(dark));
    assert_eq!(replay(&world.hub, &hint).await.unwrap(), Verdict::Known);
    world.finish().await;
}

/// What an operator types does the same, in a process of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_replays_a_hint() {
    let world = World::open_with(&legacy()).await;
    let (fee, order) = placed(&world, LEGACY, "1", json!({})).await;
    heard(&world, &fee, &order).await;
    super::given_back(&world, &fee, &order).await;
    let (hint, before) = (newest(&world).await, world.count(ASKED).await);
    let folder = std::env::temp_dir().join(format!("payhub-replay-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("payhub.toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://127.0.0.1:8080\"\n\
         [database]\nurl = \"{}\"\n\
         [security]\nmaster_key = \"cGF5aHViIGRlbW9uc3RyYXRpb24ga2V5IDAwMDAwMDE=\"\n{}",
        world.database_url(),
        legacy().replace("{providers}", &world.sandbox.base_url()),
    );
    std::fs::write(&file, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_payhub"))
        .args(["callbacks", "replay", hint.as_str(), "--config"])
        .arg(&file)
        .env_clear()
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{hint}  known\n"), "{told}");
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert_eq!(world.count(ASKED).await, before + 1);
    world.finish().await;
}
