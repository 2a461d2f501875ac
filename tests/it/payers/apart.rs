//! A credit is a provider's or a payer's and never both, and what people took back or said is theirs.

use payhub::bank::{Unmatched, Unmatching, unmatch};
use payhub::demo::WECHAT;
use payhub::ledger;
use serde_json::json;

use super::settled::{november, says};
use super::{BANKS, ICBC, accrued, balance, comes, proposed, standing, statement};
use crate::harness::{World, at, word};

/// An office to which WeChat Pay and a bank owe 160 yuan each, on the Monday when both are due.
async fn both_are_due() -> (World, String) {
    let world = World::open_with(BANKS).await;
    world.paid(WECHAT, "1").await;
    world.paid(WECHAT, "2").await;
    let fee = accrued(&world, ICBC, "3").await;
    accrued(&world, ICBC, "4").await;
    for morning in ["2018-12-01T02:05:00Z", "2018-12-02T02:05:00Z"] {
        world.clock.set(at(morning));
        world.settle().await.unwrap();
    }
    world.clock.set(at("2018-12-03T03:00:00Z"));
    (world, fee)
}

/// How many bill days' money has arrived.
async fn arrived(world: &World) -> i64 {
    world.count("SELECT count(*) FROM standing_matches").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credit_that_would_fit_a_provider_too_is_booked_once() {
    let (world, fee) = both_are_due().await;
    world.settle().await.unwrap();
    comes(&world, "B1,2018-12-03,in,16000,清算 1900000001 YJ2018110001,工行,x").await;
    assert_eq!(standing(&world, &fee).await, "paid");
    assert_eq!(arrived(&world).await, 0, "WeChat Pay owes its money still");
    let client = world.database().await;
    let hand =
        "INSERT INTO payer_match_credits SELECT 'B1', match_id, order_id FROM payer_match_credits";
    let refused = client.batch_execute(hand).await.unwrap_err();
    assert_eq!(refused.as_db_error().unwrap().constraint(), Some("a_transfer_pays_once"));
    drop(client);
    let taken = comes(&world, "B2,2018-12-03,in,16000,清算 1900000001,n,a").await;
    assert_eq!(taken["matched"], json!(1), "{taken}");
    assert_eq!(arrived(&world).await, 1);
    let all = "SELECT sum(CASE WHEN debit = 'collecting_account' THEN amount_fen ELSE -amount_fen END)::bigint
                 FROM journal_lines WHERE 'collecting_account' IN (debit, credit)";
    assert_eq!(world.count(all).await, 32_000);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_match_that_people_took_back_is_a_payers_only_when_a_person_says_so() {
    let (world, fee) = both_are_due().await;
    // The month is not closed yet, so the number says nothing.
    comes(&world, "B1,2018-12-03,in,16000,YJ2018110001,工行,x").await;
    assert_eq!(arrived(&world).await, 1);
    let asked = Unmatching { serial: "B1", by: "张三", reason: "是工行的月结款" };
    assert_eq!(unmatch(&world.hub, &asked).await.unwrap(), Unmatched::TakenBack);
    world.settle().await.unwrap();
    let stated = statement(&world, ICBC).await;
    assert_eq!(
        (word(&stated, "number"), word(&stated, "status")),
        ("YJ2018110001".to_owned(), "open".to_owned())
    );
    let [found] = proposed(&world, "B1").await.try_into().unwrap();
    assert_eq!((&found["statements"], &found["cause"]), (&json!([stated["id"]]), &json!(null)));
    assert_eq!(says(&world, &["B1"], &[&stated]).await, "paid");
    assert_eq!(standing(&world, &fee).await, "paid");
    assert_eq!(arrived(&world).await, 0);
    assert_eq!(balance(&world, ICBC, "collecting_account").await, 16_000);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paper_of_which_everything_was_withdrawn_is_surplus_and_nothing_else() {
    let (world, fees, stated) = november().await;
    for fee in &fees {
        world.post(&format!("/v1/fees/{fee}/void"), &json!({})).await.unwrap();
    }
    let number = word(&stated, "number");
    comes(&world, &format!("B1,2018-12-05,in,16000,{number},工行,x")).await;
    let [found] = proposed(&world, "B1").await.try_into().unwrap();
    assert_eq!(word(&found, "cause"), "transfer_for_void");
    assert_eq!(says(&world, &["B1"], &[&stated]).await, "paid");
    assert_eq!(balance(&world, ICBC, "surplus_payable").await, -16_000);
    assert_eq!(balance(&world, ICBC, "fees_collected").await, 0);
    world.finish().await;
}

/// What a hand in the database could do, and what the proof says of it.
const HANDS: [(&str, &str); 5] = [
    ("UPDATE payer_matches SET claimed_by = '李四'", "the audit trail has 张三"),
    ("UPDATE payer_matches SET claimed_by = NULL", "confirmed by nobody, the audit trail has 张三"),
    ("UPDATE payer_statements SET total_fen = 1", "is 1 fen, its charges are 16000"),
    ("DELETE FROM payer_match_credits", "by transfer, bank line B1 brought nothing"),
    ("DELETE FROM payer_match_statements", "which no statement of its match charges"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proof_finds_hands_in_the_books_of_payers() {
    let (world, _, stated) = november().await;
    comes(&world, "B1,2018-12-05,in,16000,月结,工行,6222000011112222").await;
    assert_eq!(says(&world, &["B1"], &[&stated]).await, "paid");
    assert_eq!(ledger::verify(&world.hub).await.unwrap().breaks, [""; 0]);
    let mut client = world.hub.store.client().await.unwrap();
    for (hand, told) in HANDS {
        let tx = client.transaction().await.unwrap();
        let by_hand = format!("SET LOCAL session_replication_role = replica; {hand}");
        tx.batch_execute(&by_hand).await.unwrap_or_else(|error| panic!("{hand}: {error:?}"));
        let proof = ledger::prove(&tx, &world.hub.sealer).await.unwrap();
        assert!(proof.breaks.iter().any(|it| it.contains(told)), "{hand}: {:?}", proof.breaks);
        tx.rollback().await.unwrap();
    }
    drop(client);
    world.finish().await;
}
