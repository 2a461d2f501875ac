//! The journal proves itself, and a hand in the database shows.

mod hands;

use callbacks::Claim;
use domain::Fen;
use domain::fact::{PaymentFact, ProviderFact, Source, Stated};
use payhub::demo::{ALIPAY, WECHAT};
use payhub::ledger;
use payhub::record::{Arrival, Verdict, record};
use sandbox::Pay;
use serde_json::json;

use crate::harness::{World, word};

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
        "UPDATE payment_balances SET surplus_fen = 1",
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
        (
            "UPDATE payment_balances SET surplus_refunding_fen = 1",
            "refunds_of_surplus_never_exceed_it",
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

/// Does to the rows what a hand with the database's own password can do.
async fn by_hand(world: &World, hand: &str) {
    let replica = format!("BEGIN; SET LOCAL session_replication_role = replica; {hand}; COMMIT");
    world.database().await.batch_execute(&replica).await.unwrap();
}

async fn breaks(world: &World) -> Vec<String> {
    ledger::verify(&world.hub).await.unwrap().breaks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_lost_its_head_is_a_break_and_takes_no_more_entries() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    let fee = world.fee("2").await;
    let (_, order) = world.order(WECHAT, &[&fee]).await;
    by_hand(
        &world,
        "DELETE FROM journal_heads; UPDATE journal_lines SET credit = 'surplus_payable'",
    )
    .await;
    let found = breaks(&world).await;
    assert!(found.iter().any(|found| found.contains("its head is missing")), "{found:?}");
    assert!(found.iter().any(|found| found.contains("was changed")), "{found:?}");
    let number = word(&order, "out_trade_no");
    let pay = Pay { out_trade_no: number, force: true, notify: Some(true), ..Pay::default() };
    world.sandbox.engine().pay_as(&pay).unwrap();
    world.sandbox.deliver_due().await;
    let told = "SELECT count(*) FROM incidents WHERE kind = 'journal_broken'";
    assert_eq!(world.count(told).await, 1, "finance staff hear of it");
    assert_eq!(world.count("SELECT count(*) FROM journal_entries").await, 1, "nothing is added");
    assert_eq!(world.fee_status(&fee).await, "issued", "nothing is half written");
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_about_a_payment_that_is_not_there_is_a_break() {
    let world = World::open().await;
    world.paid(ALIPAY, "1").await;
    assert_eq!(breaks(&world).await, Vec::<String>::new());
    by_hand(
        &world,
        "DELETE FROM payment_shares; DELETE FROM payment_balances; DELETE FROM payments;
         UPDATE fee_balances SET paid_fen = 0;
         UPDATE orders SET state = 'closed', paid_at = NULL",
    )
    .await;
    let found = breaks(&world).await;
    assert!(found.iter().any(|found| found.contains("is about nothing in the books")), "{found:?}");
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_two_merchants_locks_every_order_before_any_fee() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    let (_, first) = world.order(ALIPAY, &[&fee]).await;
    let (_, second) = world.order(WECHAT, &[&fee]).await;
    let paid = |merchant: &str, order: &serde_json::Value| Arrival {
        merchant: world.hub.merchant(merchant).unwrap(),
        claims: vec![Claim {
            source: Source::Query,
            fact: ProviderFact::Payment(PaymentFact {
                stated: Stated::default(),
                out_trade_no: word(order, "out_trade_no").parse().unwrap(),
                provider_trade_no: format!("T-{merchant}").parse().unwrap(),
                amount: Fen::new(8000),
                coupon: Fen::ZERO,
                paid_at: world.hub.clock.now(),
            }),
        }],
        evidence: None,
    };
    let batch = [paid(ALIPAY, &first), paid(WECHAT, &second)];
    // Somebody else holds the second order and will want its fee next, as every path does.
    let (other, watch) = (world.database().await, world.database().await);
    let hold =
        format!("BEGIN; SELECT FROM orders WHERE order_id = '{}' FOR UPDATE", word(&second, "id"));
    other.batch_execute(&hold).await.unwrap();
    let meanwhile = async {
        let waiting = "SELECT FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while watch.query(waiting, &[]).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let fee = "SELECT FROM fee_balances FOR UPDATE NOWAIT";
        let taken = other.query(fee, &[]).await.map(|rows| rows.len());
        other.batch_execute("COMMIT").await.unwrap();
        taken.map_err(|error| error.to_string())
    };
    let (verdicts, taken) = tokio::join!(record(&world.hub, &batch), meanwhile);
    assert_eq!(taken, Ok(1), "the batch does not hold the fee while it waits for the order");
    assert_eq!(verdicts.unwrap(), [Verdict::Applied, Verdict::Applied]);
    assert_eq!(world.count("SELECT count(*) FROM payments WHERE surplus_fen = 8000").await, 1);
    world.finish().await;
}
