//! The journal proves itself, and a hand in the database shows.

use payhub::demo::WECHAT;
use payhub::ledger;
use serde_json::json;

use crate::harness::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_row_a_lost_row_and_a_cut_tail_show() {
    let world = World::open().await;
    for case in ["1", "2", "3"] {
        world.paid(WECHAT, case).await;
    }
    assert!(ledger::verify(&world.hub).await.unwrap().breaks.is_empty());
    let client = world.database().await;
    let refused = client.execute("UPDATE payments SET amount_fen = 1", &[]).await.unwrap_err();
    let told = refused.as_db_error().unwrap();
    assert_eq!(told.constraint(), Some("facts_are_never_changed"));
    for hand in [
        "UPDATE journal_lines SET amount_fen = amount_fen - 1 WHERE seq = 2",
        "DELETE FROM journal_lines WHERE seq = 2",
        "DELETE FROM journal_lines WHERE seq = 3; DELETE FROM journal_entries WHERE seq = 3",
        "UPDATE fee_balances SET paid_fen = 0, refunding_fen = 0 WHERE paid_fen > 0",
    ] {
        // A superuser can switch triggers off; the chain still tells.
        client
            .batch_execute(&format!(
                "BEGIN; SET LOCAL session_replication_role = replica; {hand}; COMMIT"
            ))
            .await
            .unwrap();
        let proof = ledger::verify(&world.hub).await.unwrap();
        assert!(!proof.breaks.is_empty(), "{hand}");
    }
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn constraints_hold_what_the_rules_hold() {
    let world = World::open().await;
    let (fee, order, _) = world.paid(WECHAT, "1").await;
    let client = world.database().await;
    for (statement, constraint) in [
        (
            "UPDATE payment_balances SET refunding_fen = paid_fen + 1",
            "refunds_never_exceed_payment",
        ),
        ("UPDATE fee_balances SET paid_fen = total_fen + 1", "a_fee_is_never_paid_twice"),
        ("UPDATE orders SET paid_at = NULL WHERE state = 'paid'", "a_paid_order_says_when"),
        ("UPDATE fee_balances SET voided_at = issued_at FROM fees", "only_an_unpaid_fee_is_void"),
    ] {
        let error = client.execute(statement, &[]).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().constraint(), Some(constraint), "{statement}");
    }
    let (status, problem) = world.post(&format!("/v1/fees/{fee}/void"), &json!({})).await.unwrap();
    assert_eq!(status, 409, "{problem}");
    let (status, problem) = world.order(WECHAT, &[&fee]).await;
    assert_eq!((status, &problem["code"]), (409, &json!("fee_already_paid")));
    assert_eq!(world.order_now(&order).await["status"], json!("paid"));
    world.finish().await;
}
