//! Matches that people take back, bill days that change after their money came, and hands in the
//! books of the bank that the proof finds.

use domain::ids::SettlementId;
use payhub::bank::{Unmatched, Unmatching, unmatch};
use payhub::demo::WECHAT;
use payhub::ledger;
use serde_json::{Value, json};

use super::decided::{ACCOUNT, id, incidents, says};
use super::{balance, csv, friday_is_due, hand_in, lines, settlement_of};
use crate::harness::{World, at, word};

/// Asks that a match is taken back; what came of it, or the code that refuses it.
async fn taken_back(world: &World, serial: &str, by: &str) -> String {
    match unmatch(&world.hub, &Unmatching { serial, by, reason: "认错了款" }).await {
        Ok(Unmatched::TakenBack) => "taken back".to_owned(),
        Ok(Unmatched::Waits) => "waits".to_owned(),
        Err(fault) => fault.code.to_owned(),
    }
}

/// The books of the provider and of the bank, in fen.
async fn books(world: &World) -> [i64; 2] {
    [balance(world, "provider_clearing").await, balance(world, "collecting_account").await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_match_is_taken_back_and_the_right_money_takes_its_place() {
    let world = friday_is_due().await;
    hand_in(&world, &csv(&["B1,2018-12-03,in,13000,现金存入,n,a"])).await;
    assert_eq!(books(&world).await, [0, 13_000], "it fits to the fen on its day");
    assert_eq!(taken_back(&world, "B9", "张三").await, "not_found");
    assert_eq!(taken_back(&world, "B1", "张三").await, "taken back");
    assert_eq!(books(&world).await, [13_000, 0], "the provider owes it still");
    assert_eq!(taken_back(&world, "B1", "张三").await, "bank_line_not_matched");
    // It is proposed, and never taken again by itself.
    let [line] = lines(&world, "proposed").await.try_into().unwrap();
    assert_eq!(word(&line, "bank_serial"), "B1");
    hand_in(&world, &csv(&["B2,2018-12-03,in,5,利息,n,a"])).await;
    assert!(lines(&world, "matched").await.is_empty());
    world.clock.set(at("2018-12-04T03:00:00Z"));
    let (_, taken) = hand_in(&world, &csv(&["B3,2018-12-04,in,13000,清算 1900000001,n,a"])).await;
    assert_eq!(taken["matched"], json!(1), "{taken}");
    let arrival = settlement_of(&world, ACCOUNT, "2018-11-30").await["arrival"].clone();
    assert_eq!(word(&arrival, "bank_serial"), "B3");
    assert_eq!(books(&world).await, [0, 13_000]);
    // Nothing is deleted: both matches, both entries and the one that takes the first back.
    assert_eq!(world.count("SELECT count(*) FROM settlement_matches").await, 2);
    let kinds = "SELECT count(*) FROM journal_entries WHERE kind IN ('provider_settled', 'arrival_taken_back')";
    assert_eq!(world.count(kinds).await, 3);
    let trail = "SELECT count(*) FROM audit_entries WHERE action = 'settlement.unmatched' AND subject = 'B1' AND \"by\" = '张三'";
    assert_eq!(world.count(trail).await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_agreed_to_is_taken_back_by_two_and_agreed_to_anew_by_two() {
    let world = friday_is_due().await;
    let ids = [id(&settlement_of(&world, ACCOUNT, "2018-11-30").await)];
    hand_in(&world, &csv(&["B1,2018-12-03,in,12999,清算 1900000001,n,a"])).await;
    let why = Some("渠道少付");
    assert_eq!(says(&world, "张三", "B1", &ids, why).await, "waits -0.01");
    assert_eq!(says(&world, "李四", "B1", &ids, why).await, "matched -0.01");
    assert_eq!(incidents(&world, "settlement_short").await, 0);
    assert_eq!(taken_back(&world, "B1", "王五").await, "waits");
    assert_eq!(taken_back(&world, "B1", "王 五").await, "same_person");
    assert_eq!(books(&world).await, [1, 12_999], "one alone moves nothing");
    // Nor does one with a hand in the database.
    let client = world.database().await;
    let alone = "INSERT INTO settlement_unmatches SELECT match_id, '王五', 'x', '2018-12-03' FROM settlement_matches";
    let refused = client.batch_execute(alone).await.unwrap_err();
    let rule = "what_two_agreed_to_is_taken_back_by_two";
    assert_eq!(refused.as_db_error().unwrap().constraint(), Some(rule));
    drop(client);
    assert_eq!(taken_back(&world, "B1", "张三").await, "taken back");
    assert_eq!(books(&world).await, [13_000, 0]);
    assert_eq!(incidents(&world, "settlement_short").await, 1, "it is open again, and told");
    // What was said of the first match says nothing about the next.
    assert_eq!(says(&world, "张三", "B1", &ids, why).await, "waits -0.01");
    assert_eq!(says(&world, "李四", "B1", &ids, why).await, "matched -0.01");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bill_that_changes_after_its_money_came_is_a_difference_until_it_is_ended() {
    let world = friday_is_due().await;
    let ids = [id(&settlement_of(&world, ACCOUNT, "2018-11-30").await)];
    hand_in(&world, &csv(&["B1,2018-12-03,in,13000,清算 1900000001,n,a"])).await;
    let mut other = sandbox::Fault::new(sandbox::Place::Bill, sandbox::Action::ChangedRow);
    other.of.merchant = Some("1900000001".to_owned());
    other.amount_delta_fen = Some(500);
    world.sandbox.engine().set_fault(other).unwrap();
    let body = json!({"merchant_id": WECHAT, "date": "2018-11-30", "refetch": true});
    for _ in 0..2 {
        world.post("/v1/reconciliations", &body).await.unwrap();
        world.settle().await.unwrap();
        let day = settlement_of(&world, ACCOUNT, "2018-11-30").await;
        assert_eq!(day["net_fen"], json!(13_000), "it arrived as it was expected then");
        assert_ne!(day["changed"]["net_fen"], json!(13_000), "{day}");
        assert_eq!(incidents(&world, "settlement_changed").await, 1, "the same is told once");
    }
    let net = settlement_of(&world, ACCOUNT, "2018-11-30").await["changed"]["net_fen"].clone();
    let now = net.as_i64().unwrap();
    // Taken back, the day is expected as its newest version says, and two close what is apart.
    assert_eq!(taken_back(&world, "B1", "张三").await, "taken back");
    let day = settlement_of(&world, ACCOUNT, "2018-11-30").await;
    assert_eq!((&day["net_fen"], &day["changed"]), (&net, &Value::Null));
    let apart = domain::Fen::new(13_000 - now).yuan();
    let why = Some("账单更正");
    assert_eq!(says(&world, "张三", "B1", &ids, why).await, format!("waits {apart}"));
    assert_eq!(says(&world, "李四", "B1", &ids, why).await, format!("matched {apart}"));
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_long_before_takes_two_and_one_that_was_not_over_nobody() {
    let world = friday_is_due().await;
    let ids = [id(&settlement_of(&world, ACCOUNT, "2018-11-30").await)];
    hand_in(&world, &csv(&["B1,2018-11-30,in,13000,不明,n,a"])).await;
    assert_eq!(says(&world, "张三", "B1", &ids, Some("x")).await, "settlements_invalid");
    world.clock.set(at("2019-02-25T03:00:00Z"));
    hand_in(&world, &csv(&["B2,2019-02-22,in,13000,不明,n,a"])).await;
    assert_eq!(says(&world, "张三", "B2", &ids, None).await, "reason_missing");
    assert_eq!(says(&world, "张三", "B2", &ids, Some("补付")).await, "waits 0.00");
    assert_eq!(says(&world, "张三", "B2", &ids, Some("补付")).await, "same_person");
    assert_eq!(says(&world, "李四", "B2", &ids, Some("补付")).await, "matched 0.00");
    assert_eq!(books(&world).await, [0, 13_000]);
    world.finish().await;
}

/// What a hand in the database does that gets past every trigger, and what the proof says then.
const HANDS: [(&str, &str); 12] = [
    (
        "UPDATE bank_lines SET reference = '王五' WHERE bank_serial = 'B2'",
        "bank line B2 says something else than was booked",
    ),
    (
        "UPDATE bank_lines SET value_date = '2018-12-02' WHERE bank_serial = 'B2'",
        "bank line B2 says something else than was booked",
    ),
    (
        "INSERT INTO settlement_matches SELECT 'stm_2', bank_serial, amount_fen, expected_fen, difference_fen, cause, claimed_by, confirmed_by, reason, matched_at, 2 FROM settlement_matches WHERE bank_serial = 'B1'",
        "bank line B1 is matched 2 times at once",
    ),
    (
        "INSERT INTO settlement_matches SELECT 'stm_2', 'B2', amount_fen, expected_fen, difference_fen, cause, claimed_by, confirmed_by, reason, matched_at, 1 FROM settlement_matches WHERE bank_serial = 'B1';
         INSERT INTO settlement_match_days SELECT settlement_id, 'stm_2', 2 FROM settlement_match_days",
        "arrived 2 times at once",
    ),
    ("DELETE FROM settlement_match_days", "has no bill day"),
    (
        "DELETE FROM journal_lines l USING journal_entries e WHERE e.kind = 'provider_settled' AND (l.merchant_id, l.seq) = (e.merchant_id, e.seq)",
        "has 0 entries in the journal of",
    ),
    (
        "ALTER TABLE settlement_matches DROP CONSTRAINT a_difference_is_what_came_beside_what_was_expected;
         UPDATE settlement_matches SET difference_fen = -2",
        "is -2 fen apart",
    ),
    (
        "UPDATE settlement_matches SET confirmed_by = '王五'",
        "2 people agreed to it, it says 张三 and 王五",
    ),
    (
        "DELETE FROM settlement_claims WHERE \"by\" = '李四'",
        "1 people agreed to it, it says 张三 and 李四",
    ),
    (
        "INSERT INTO settlement_claims SELECT bank_serial, 3, settlements, '王五', reason, claimed_at, difference_fen, turn FROM settlement_claims WHERE position = 1",
        "王五 said 1 times what it is, the audit trail has 0",
    ),
    (
        "INSERT INTO settlement_unmatches SELECT match_id, '王五', 'x', '2018-12-03' FROM settlement_matches",
        "was taken back by 王五, and 0 people asked for it",
    ),
    (
        "DELETE FROM bank_lines WHERE bank_serial = 'B2'",
        "has 1 new rows, 0 are booked",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_gets_past_the_rules_of_the_bank_is_found_by_the_proof() {
    let world = friday_is_due().await;
    let ids: [SettlementId; 1] = [id(&settlement_of(&world, ACCOUNT, "2018-11-30").await)];
    hand_in(&world, &csv(&["B1,2018-12-03,in,12999,清算 1900000001,n,a"])).await;
    hand_in(&world, &csv(&["B2,2018-12-03,in,5,利息,n,a"])).await;
    says(&world, "张三", "B1", &ids, Some("x")).await;
    says(&world, "李四", "B1", &ids, Some("x")).await;
    assert_eq!(ledger::verify(&world.hub).await.unwrap().breaks, [""; 0]);
    let mut client = world.hub.store.client().await.unwrap();
    for (hand, told) in HANDS {
        let tx = client.transaction().await.unwrap();
        tx.batch_execute(&format!("SET LOCAL session_replication_role = replica; {hand}"))
            .await
            .unwrap_or_else(|error| panic!("{hand}: {error:?}"));
        let proof = ledger::prove(&tx, &world.hub.sealer).await.unwrap();
        assert!(proof.breaks.iter().any(|it| it.contains(told)), "{hand}: {:?}", proof.breaks);
        tx.rollback().await.unwrap();
    }
    drop(client);
    world.finish().await;
}
