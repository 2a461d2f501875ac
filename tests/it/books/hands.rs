//! Hands in the database, one statement each: what it names is the break that shows. Each works
//! in a transaction that is given up afterwards, so that the next one finds honest books.

use payhub::demo::{ALIPAY, WECHAT};
use payhub::ledger;
use serde_json::{Value, json};

use crate::harness::{World, at, word};

/// Saturday 10:05 in Beijing, when the bills of the Friday are there.
const NEXT_MORNING: &str = "2018-12-01T02:05:00Z";

/// A day of everything: two fees under one order, both remitted (one of them wrongly at first), one
/// of them given back by the treasury; a refund by the provider; a duplicate; reconciled, so that runs saw both journals.
async fn full_books(world: &World) {
    let (first, second) = (world.fee("1").await, world.fee("2").await);
    let (_, order) = world.order(WECHAT, &[&first, &second]).await;
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    world.settle().await.unwrap();
    let of = |reference: &str, fee: &str| json!({"remitted_on": "2018-11-30", "reference": reference, "fee_ids": [fee]});
    for (reference, fee) in [("缴-0", &second), ("缴-1", &first), ("缴-2", &second)] {
        let (code, told) = world.post("/v1/remittances", &of(reference, fee)).await.unwrap();
        assert_eq!(code, 201, "{told}");
        if reference == "缴-0" {
            let path = format!("/v1/remittances/{}/reverse", word(&told, "id"));
            let (code, back) = world.post(&path, &json!({"reason": "误报"})).await.unwrap();
            assert_eq!(code, 200, "{back}");
        }
    }
    let back = refund(world, &word(&order, "id"), 8000).await;
    for (event, by) in [("verified", "张科员"), ("approved", "财政局"), ("paid", "国库")] {
        let body = json!({"event": event, "occurred_on": "2018-11-30", "by": by});
        let path = format!("/v1/refunds/{}/treasury", word(&back, "id"));
        let (code, then) = world.post(&path, &body).await.unwrap();
        assert_eq!(code, 200, "{then}");
    }
    let (_, order, _) = world.paid(ALIPAY, "3").await;
    refund(world, &order, 3000).await;
    world.paid(ALIPAY, "4").await;
    let (_, _, number) = world.paid(WECHAT, "5").await;
    let twice = sandbox::Pay {
        out_trade_no: number,
        force: true,
        notify: Some(true),
        ..Default::default()
    };
    world.sandbox.engine().pay_as(&twice).unwrap();
    world.seconds(120).await;
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
}

async fn refund(world: &World, order: &str, fen: i64) -> Value {
    let body = json!({"amount_fen": fen, "reason": "撤回"});
    let (code, asked) = world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    assert_eq!(code, 201, "{asked}");
    asked
}

/// What a statement does to honest books, and the break that names it.
const HANDS: &[(&str, &str)] = &[
    // Orders.
    ("UPDATE orders SET amount_fen = amount_fen + 1", "fen, its allocations are"),
    ("UPDATE orders SET amount_fen = amount_fen + 1", "through registry-wechat (wechat), its order"),
    ("UPDATE order_allocations SET amount_fen = amount_fen + 1", "fen, its allocations are"),
    ("UPDATE orders SET provider_trade_no = 'X'", "was paid under X"),
    ("UPDATE orders SET paid_at = paid_at + interval '1 second'", "none of its payments was"),
    ("UPDATE orders SET state = 'closed', paid_at = NULL", "is closed with 1 payments"),
    // Payments.
    ("UPDATE payments SET amount_fen = amount_fen + 1", "its shares and surplus are"),
    ("UPDATE payments SET provider_trade_no = provider_trade_no || 'X'", "or what its payment says"),
    ("UPDATE payments SET coupon_fen = 1", "or what its payment says"),
    ("UPDATE payments SET provider = 'alipay'", "or what its payment says"),
    (
        "UPDATE payments SET order_id = (SELECT min(o.order_id) FROM orders o WHERE o.order_id <> payments.order_id
                                          AND o.amount_fen = payments.amount_fen)
          WHERE surplus_fen > 0",
        "or what its payment says",
    ),
    ("UPDATE payments SET merchant_id = 'registry-alipay'", "its order"),
    ("UPDATE payments SET paid_at = paid_at - interval '1 second'", "was paid at"),
    ("UPDATE payments SET recorded_at = recorded_at - interval '1 second'", "recorded at"),
    ("UPDATE payment_balances SET paid_fen = paid_fen + 1", "its balance shows"),
    ("DELETE FROM payment_balances", "its balance shows nothing"),
    ("UPDATE payment_balances SET refunding_fen = 0, refunded_fen = 0", "shows 0 and 0 fen of refunds"),
    ("UPDATE payment_balances SET surplus_refunding_fen = 1 WHERE surplus_fen > 0", "1 of it surplus, they are"),
    (
        "UPDATE payment_shares SET amount_fen = amount_fen + CASE fee_id WHEN (SELECT min(fee_id) FROM order_allocations) THEN 1 ELSE -1 END
          WHERE payment_id = (SELECT payment_id FROM remittance_shares LIMIT 1)",
        "its order pays 8000 for it",
    ),
    // A share moved to a fee of somebody else, with what stands beside it.
    (MOVED_PAYMENT, "the books say 0"),
    (MOVED_REFUND, "the books say 0"),
    (MOVED_REMITTANCE, "the books say 7999"),
    // Fees.
    ("UPDATE fees SET total_fen = 1", "fen, its quote says 8000 and its balance 8000"),
    ("UPDATE fee_balances SET total_fen = total_fen + 1", "and its balance 8001"),
    ("UPDATE fees SET total_fen = 9000; UPDATE fee_balances SET total_fen = 9000", "its quote says 8000"),
    ("UPDATE fee_balances SET paid_fen = 0 WHERE remitted_fen = 0 AND refunding_fen = 0", "shows 0 fen paid"),
    ("UPDATE fee_balances SET refunded_fen = 0", "fen of refunds"),
    ("ALTER TABLE fee_balances DROP CONSTRAINT what_was_remitted_goes_back_through_the_treasury;
         UPDATE fee_balances SET treasury_refunding_fen = 0", "0 of it by the treasury, they are"),
    ("UPDATE fee_balances SET remitted_fen = remitted_fen - 1 WHERE remitted_fen > 0 AND treasury_refunding_fen = 0", "fen remitted"),
    // Refunds.
    ("UPDATE refunds SET amount_fen = amount_fen + 1", "fen, its shares and surplus are"),
    ("UPDATE refunds SET state = 'failed' WHERE route = 'provider'", "is failed, the journal has of it"),
    ("UPDATE refunds SET state = 'processing' WHERE route = 'treasury'", "is processing, the journal has of it"),
    ("UPDATE refunds SET route = 'treasury', refund_call = NULL WHERE route = 'provider'", "by the treasury is succeeded, the journal has of it: refund_requested, refund_succeeded"),
    ("UPDATE refunds SET route = 'provider', refund_call = '' WHERE route = 'treasury'", "by the provider is succeeded, its last step is paid"),
    ("UPDATE refunds SET order_id = (SELECT min(order_id) FROM orders)", "its payment"),
    // The treasury.
    ("UPDATE remittances SET amount_fen = amount_fen + 1", "fen, its shares are"),
    ("UPDATE remittances SET remitted_on = '2018-11-29'", "0 entries in the journal of registry-wechat"),
    ("UPDATE remittance_shares SET amount_fen = amount_fen + 1", "of it were remitted"),
    ("DELETE FROM remittance_reversals", "fen remitted, its remittances are 16000"),
    ("DELETE FROM remittance_reversals", "(remittance_reversed"),
    (
        "INSERT INTO remittance_reversals SELECT remittance_id, 'x', created_at FROM remittances WHERE reference = '缴-1'",
        "has 0 entries that say so",
    ),
    ("DELETE FROM treasury_steps WHERE event = 'paid'", "its last step is approved"),
    ("DELETE FROM treasury_steps WHERE event = 'verified'", "(approved) does not follow applied"),
    ("UPDATE treasury_steps SET event = 'rejected', reason = 'x' WHERE event = 'paid'", "its last step is rejected"),
    // The journal.
    ("UPDATE journal_entries SET recorded_at = recorded_at - interval '1 second' WHERE seq = 2", "entry 2 (fees_remitted"),
    ("UPDATE journal_lines SET debit = 'surplus_payable' WHERE seq = 2", "entry 2 (fees_remitted"),
    ("DELETE FROM journal_lines WHERE seq = 1; DELETE FROM journal_entries WHERE seq = 1", "entry 1 is missing"),
    (CUT_TAIL, "which is missing now"),
    ("DELETE FROM journal_heads", "its head is missing"),
];

/// All that says of which fee a payment's money is, but the journal.
const MOVED_PAYMENT: &str = "
    UPDATE payment_shares SET fee_id = (SELECT max(fee_id) FROM fees)
     WHERE fee_id = (SELECT fee_id FROM refund_shares JOIN refunds USING (refund_id) WHERE route = 'provider');
    UPDATE order_allocations SET fee_id = (SELECT max(fee_id) FROM fees)
     WHERE fee_id = (SELECT fee_id FROM refund_shares JOIN refunds USING (refund_id) WHERE route = 'provider')";

/// The same of a refund's money.
const MOVED_REFUND: &str = "
    UPDATE refund_shares SET fee_id = (SELECT max(fee_id) FROM fees);
    UPDATE fee_balances SET refunding_fen = 0, refunded_fen = 0, treasury_refunding_fen = 0";

/// The same of what was remitted.
const MOVED_REMITTANCE: &str = "
    UPDATE remittance_shares SET amount_fen = amount_fen - 1 WHERE fee_id = (SELECT max(fee_id) FROM standing_remittance_shares);
    UPDATE fee_balances SET remitted_fen = remitted_fen - 1 WHERE fee_id = (SELECT max(fee_id) FROM standing_remittance_shares);
    UPDATE remittances SET amount_fen = amount_fen - 1";

/// A journal without its last entry, whose head agrees, with all that the entry was about.
const CUT_TAIL: &str = "
    DELETE FROM journal_lines l USING journal_heads h WHERE l.merchant_id = h.merchant_id AND l.seq = h.seq;
    DELETE FROM journal_entries e USING journal_heads h WHERE e.merchant_id = h.merchant_id AND e.seq = h.seq;
    UPDATE journal_heads h SET seq = h.seq - 1, mac = e.mac
      FROM journal_entries e WHERE e.merchant_id = h.merchant_id AND e.seq = h.seq - 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hand_in_the_books_shows_as_a_break_that_names_it() {
    let world = World::open().await;
    full_books(&world).await;
    let mut client = world.hub.store.client().await.unwrap();
    let mut unseen = Vec::new();
    for (hand, expected) in HANDS.iter().copied() {
        let books = client.transaction().await.unwrap();
        let replica = format!("SET LOCAL session_replication_role = replica; {hand}");
        // A superuser switches triggers off; a constraint that no trigger holds is dropped as easily.
        if let Err(error) = books.batch_execute(&replica).await {
            unseen.push(format!("{hand}: {error:?}"));
            continue;
        }
        let proof = ledger::prove(&books, &world.hub.sealer).await.unwrap();
        if !proof.breaks.iter().any(|found| found.contains(expected)) {
            unseen
                .push(format!("{hand}\n  should show {expected:?}, and shows {:#?}", proof.breaks));
        }
        books.rollback().await.unwrap();
        assert_eq!(
            ledger::verify(&world.hub).await.unwrap().breaks,
            Vec::<String>::new(),
            "{hand}"
        );
    }
    assert!(unseen.is_empty(), "{}", unseen.join("\n"));
    drop(client);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_linked_without_its_payments_words_is_still_proved() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    let mut client = world.hub.store.client().await.unwrap();
    let books = client.transaction().await.unwrap();
    let row = "SELECT merchant_id, kind, subject_id, occurred_at, recorded_at FROM journal_entries";
    let row = books.query_one(row, &[]).await.unwrap();
    let merchant_id = row.get::<_, &str>(0).parse().unwrap();
    let entries = payhub::store::journal::entries(&books, &merchant_id, 0, 1).await.unwrap();
    let early = payhub::record::Linked {
        merchant_id: &merchant_id,
        seq: 1,
        kind: row.get(1),
        subject_id: row.get(2),
        occurred_at: row.get(3),
        recorded_at: row.get(4),
        lines: &entries[0].lines,
        fact: &[],
    };
    let mac = payhub::record::link(&world.hub.sealer, &[], &early).to_vec();
    assert_ne!(mac, entries[0].mac, "what the payment says is linked");
    books.batch_execute("SET LOCAL session_replication_role = replica").await.unwrap();
    for table in ["journal_entries", "journal_heads"] {
        books.execute(&format!("UPDATE {table} SET mac = $1"), &[&mac]).await.unwrap();
    }
    let breaks = ledger::prove(&books, &world.hub.sealer).await.unwrap().breaks;
    assert_eq!(breaks, Vec::<String>::new(), "an old entry is whole");
    books.batch_execute("UPDATE journal_lines SET amount_fen = 1").await.unwrap();
    let breaks = ledger::prove(&books, &world.hub.sealer).await.unwrap().breaks;
    assert!(breaks.iter().any(|found| found.contains("was changed")), "{breaks:?}");
    books.rollback().await.unwrap();
    drop(client);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_running_hub_writes_while_the_books_are_read_is_no_break() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    world.paid(WECHAT, "2").await;
    let (writer, watch) = (world.database().await, world.database().await);
    // The second entry is taken away with its head, and comes back while the proof is under way.
    writer
        .batch_execute(
            "SET session_replication_role = replica;
             CREATE TEMPORARY TABLE lines AS SELECT * FROM journal_lines WHERE seq = 2;
             CREATE TEMPORARY TABLE entries AS SELECT * FROM journal_entries WHERE seq = 2;
             CREATE TEMPORARY TABLE heads AS SELECT * FROM journal_heads;
             DELETE FROM journal_lines WHERE seq = 2;
             DELETE FROM journal_entries WHERE seq = 2;
             UPDATE journal_heads SET seq = 1, mac = (SELECT mac FROM journal_entries WHERE seq = 1)",
        )
        .await
        .unwrap();
    let hold = "BEGIN; LOCK TABLE journal_lines IN ACCESS EXCLUSIVE MODE";
    writer.batch_execute(hold).await.unwrap();
    let meanwhile = async {
        let waits = "SELECT FROM pg_stat_activity
                      WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while watch.query(waits, &[]).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let write = "INSERT INTO journal_entries SELECT * FROM entries;
                     INSERT INTO journal_lines SELECT * FROM lines;
                     UPDATE journal_heads SET seq = heads.seq, mac = heads.mac FROM heads; COMMIT";
        writer.batch_execute(write).await.unwrap();
    };
    let (proof, ()) = tokio::join!(ledger::verify(&world.hub), meanwhile);
    let proof = proof.unwrap();
    assert_eq!(proof.entries, 1, "the books of the moment at which it began");
    let of_chain = |found: &&String| found.contains("its head") || found.contains("was changed");
    assert_eq!(proof.breaks.iter().find(of_chain), None);
    world.finish().await;
}
