//! `payhub refund treasury` and `payhub verify-ledger`, as a person types them.

use payhub::demo::WECHAT;
use serde_json::Value;

use super::{applied, check, refund_now};
use crate::harness::typed::Typed;
use crate::harness::{World, word};

/// Tells a step and gives what was printed, with the exit code.
fn step(typed: &Typed, refund: &Value, event: &str, user: &str, more: &[&str]) -> (i32, String) {
    let id = word(refund, "id");
    let day = super::FRIDAY;
    let mut words = vec!["refund", "treasury", &id, "--event", event, "--user", user];
    words.extend(["--occurred-on", day].into_iter().chain(more.iter().copied()));
    typed.says(&words)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_is_told_on_the_command_line_and_the_ledger_proves_it() {
    let world = World::open().await;
    let (fee, asked) = applied(&world, WECHAT, "1").await;
    let typed = Typed::over(&world);
    let (code, said) = step(&typed, &asked, "verified", "registry", &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("may not be who makes it verified"), "{said}");
    let (code, said) = step(&typed, &asked, "verified", "zhang", &["--document-no", "核-1"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("verified by zhang"), "{said}");
    for (event, user) in [("approved", "zhang"), ("paid", "wang")] {
        let (code, said) = step(&typed, &asked, event, user, &[]);
        assert_eq!(code, 1, "{event} by {user}: {said}");
    }
    assert_eq!(step(&typed, &asked, "approved", "finance", &[]).0, 0);
    let (code, said) = step(&typed, &asked, "paid", "treasury", &[]);
    assert_eq!(code, 0, "{said}");
    check(&refund_now(&world, &asked).await, "succeeded", "paid");
    assert_eq!(step(&typed, &asked, "returned", "treasury", &[]).0, 1, "it must say why");
    assert_eq!(step(&typed, &asked, "returned", "treasury", &["--reason", "账号有误"]).0, 0);
    let (code, said) = step(&typed, &asked, "rejected", "treasury", &["--reason", "账号已销"]);
    assert_eq!(code, 0, "{said}");
    check(&refund_now(&world, &asked).await, "failed", "rejected");
    assert_eq!(world.fee_status(&fee).await, "paid");
    let proof = typed.payhub(&["verify-ledger"]);
    let said = String::from_utf8(proof.stdout).unwrap();
    assert_eq!(proof.status.code(), Some(0), "{said}");
    assert!(said.contains("1 journals, 6 entries, 0 breaks"), "{said}");
    world.finish().await;
}
