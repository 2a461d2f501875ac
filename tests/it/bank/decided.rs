//! What is not clear by itself: proposed, told, and decided by one person or by two.

use domain::ids::SettlementId;
use payhub::bank::{Confirmed, Confirming, confirm};
use payhub::demo::WECHAT;
use payhub::ledger;
use serde_json::{Value, json};

use super::{MONDAY, balance, csv, friday_is_due, hand_in, lines, settlement_of};
use crate::harness::{World, at, word};

pub(super) const ACCOUNT: &str = "wechat:1900000001";

/// What a person says of a credit: the difference, marked where another must say it too; or the code
/// that refuses it.
pub(super) async fn says(
    world: &World,
    by: &str,
    serial: &str,
    ids: &[SettlementId],
    why: Option<&str>,
) -> String {
    let asked = Confirming { serial, settlements: ids, by, reason: why };
    match confirm(&world.hub, &asked).await {
        Ok(Confirmed::Matched { difference }) => format!("matched {}", difference.yuan()),
        Ok(Confirmed::Waits { difference }) => format!("waits {}", difference.yuan()),
        Err(fault) => fault.code.to_owned(),
    }
}

pub(super) fn id(settlement: &Value) -> SettlementId {
    word(settlement, "settlement_id").parse().unwrap()
}

pub(super) async fn incidents(world: &World, kind: &str) -> i64 {
    let open =
        format!("SELECT count(*) FROM incidents WHERE kind = '{kind}' AND closed_at IS NULL");
    world.count(&open).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fee_taken_from_the_principal_is_a_difference() {
    let world = friday_is_due().await;
    let expected = settlement_of(&world, ACCOUNT, "2018-11-30").await;
    let fee = expected["fee_fen"].as_i64().unwrap();
    let came = 13_000 - fee;
    hand_in(&world, &csv(&[&format!("B1,2018-12-03,in,{came},清算,n,a")])).await;
    let [line] = lines(&world, "proposed").await.try_into().unwrap();
    let candidate = &line["candidates"][0];
    assert_eq!(word(candidate, "cause"), "fee_taken_from_principal");
    assert_eq!(candidate["difference_fen"], json!(-fee));
    assert_eq!(incidents(&world, "fee_taken_from_principal").await, 1);
    assert_eq!(balance(&world, "provider_clearing").await, 13_000, "nothing is taken for granted");
    // Two people, and not one under two spellings.
    let ids = [id(&expected)];
    let why = Some("渠道已确认从本金扣费");
    assert_eq!(says(&world, "张三", "B1", &ids, None).await, "reason_missing");
    let difference = domain::Fen::new(-fee).yuan();
    assert_eq!(says(&world, "Zhang San", "B1", &ids, why).await, format!("waits {difference}"));
    assert_eq!(says(&world, " zhang SAN", "B1", &ids, why).await, "same_person");
    assert_eq!(balance(&world, "provider_clearing").await, 13_000);
    assert_eq!(says(&world, "李四", "B1", &ids, why).await, format!("matched {difference}"));
    assert_eq!(incidents(&world, "fee_taken_from_principal").await, 0, "it is decided");
    // What was taken stays owed by the provider.
    assert_eq!(balance(&world, "provider_clearing").await, fee);
    assert_eq!(balance(&world, "collecting_account").await, came);
    let arrival = settlement_of(&world, ACCOUNT, "2018-11-30").await["arrival"].clone();
    assert_eq!(
        [word(&arrival, "claimed_by"), word(&arrival, "confirmed_by")],
        ["Zhang San", "李四"]
    );
    assert_eq!(says(&world, "王五", "B1", &ids, why).await, "bank_line_matched");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_arrival_is_told_to_the_fen() {
    let world = friday_is_due().await;
    hand_in(&world, &csv(&["B1,2018-12-03,in,12999,清算 1900000001,n,a"])).await;
    let [line] = lines(&world, "proposed").await.try_into().unwrap();
    assert_eq!(line["candidates"][0]["difference_fen"], json!(-1));
    assert_eq!(word(&line["candidates"][0], "cause"), "settlement_short");
    assert_eq!(incidents(&world, "settlement_short").await, 1);
    // Told once, however often it is looked at.
    hand_in(&world, &csv(&["B2,2018-12-03,in,5,利息,n,a"])).await;
    assert_eq!(world.count("SELECT count(*) FROM incidents").await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_covering_sets_are_both_proposed_and_none_is_taken() {
    let world = World::open().await;
    // Four days: 80, 160, 80 and 160 yuan.
    let mut case = 0;
    for (morning, payments) in [
        ("2018-11-30T03:00:00Z", 1),
        ("2018-12-01T03:00:00Z", 2),
        ("2018-12-02T03:00:00Z", 1),
        ("2018-12-03T03:00:00Z", 2),
        ("2018-12-04T03:00:00Z", 0),
    ] {
        world.clock.set(at(morning));
        world.settle().await.unwrap();
        for _ in 0..payments {
            case += 1;
            world.paid(WECHAT, &case.to_string()).await;
        }
    }
    hand_in(&world, &csv(&["B1,2018-12-04,in,24000,清算,n,a"])).await;
    let [line] = lines(&world, "proposed").await.try_into().unwrap();
    let candidates = line["candidates"].as_array().unwrap();
    assert!(candidates.len() > 1, "{line}");
    assert!(candidates.iter().all(|it| it["difference_fen"] == json!(0)));
    assert_eq!(line["searched_whole"], json!(true));
    assert_eq!(balance(&world, "collecting_account").await, 0);
    // One person is enough where it fits to the fen; the sums must be of what was named.
    let of = async |day: &str| id(&settlement_of(&world, ACCOUNT, day).await);
    let (sunday, monday) = (of("2018-12-02").await, of("2018-12-03").await);
    let ids = [monday, sunday];
    assert_eq!(says(&world, "张三", "B1", &ids, None).await, "matched 0.00");
    assert_eq!(balance(&world, "collecting_account").await, 24_000);
    // Each settlement and each credit is taken once.
    hand_in(&world, &csv(&["B2,2018-12-04,in,7777,清算,n,a"])).await;
    assert_eq!(says(&world, "张三", "B2", &ids[1..], None).await, "settlement_arrived");
    assert_eq!(says(&world, "张三", "B9", &ids, None).await, "not_found");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_late_is_told_once_the_statements_reach_beyond_it() {
    let world = friday_is_due().await;
    hand_in(&world, &csv(&["B1,2018-12-03,in,5,利息,n,a"])).await;
    assert_eq!(incidents(&world, "settlement_late").await, 0, "due today");
    world.clock.set(at("2018-12-07T03:00:00Z"));
    world.settle().await.unwrap();
    assert_eq!(incidents(&world, "settlement_late").await, 0, "nobody has heard of the bank");
    hand_in(&world, &csv(&["B2,2018-12-04,in,5,利息,n,a"])).await;
    assert_eq!(incidents(&world, "settlement_late").await, 0, "one bank day is no delay");
    hand_in(&world, &csv(&["B3,2018-12-05,in,5,利息,n,a"])).await;
    assert_eq!(incidents(&world, "settlement_late").await, 1);
    assert_eq!(settlement_of(&world, ACCOUNT, "2018-11-30").await["is_late"], json!(true));
    // It comes after all, and nobody needs to say so.
    hand_in(&world, &csv(&["B4,2018-12-06,in,13000,清算 1900000001,n,a"])).await;
    assert_eq!(incidents(&world, "settlement_late").await, 0);
    assert_eq!(balance(&world, "provider_clearing").await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rerun_expects_the_same_once_and_tells_what_it_changes() {
    let world = friday_is_due().await;
    let before = settlement_of(&world, ACCOUNT, "2018-11-30").await;
    let body = json!({"merchant_id": WECHAT, "date": "2018-11-30"});
    world.post("/v1/reconciliations", &body).await.unwrap();
    world.settle().await.unwrap();
    assert_eq!(settlement_of(&world, ACCOUNT, "2018-11-30").await, before);
    assert_eq!(incidents(&world, "settlement_changed").await, 0);
    // The provider gives another bill: a payment of it is gone.
    let mut missing = sandbox::Fault::new(sandbox::Place::Bill, sandbox::Action::ChangedRow);
    missing.of.merchant = Some("1900000001".to_owned());
    missing.amount_delta_fen = Some(500);
    world.sandbox.engine().set_fault(missing).unwrap();
    let body = json!({"merchant_id": WECHAT, "date": "2018-11-30", "refetch": true});
    world.post("/v1/reconciliations", &body).await.unwrap();
    world.settle().await.unwrap();
    let changed = settlement_of(&world, ACCOUNT, "2018-11-30").await;
    assert_eq!(changed["settlement_id"], before["settlement_id"], "no second one");
    assert_ne!(changed["net_fen"], before["net_fen"]);
    assert_eq!(incidents(&world, "settlement_changed").await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_holds_what_the_program_promises() {
    let world = friday_is_due().await;
    let ids = [id(&settlement_of(&world, ACCOUNT, "2018-11-30").await)];
    hand_in(&world, &csv(&["B1,2018-12-03,in,12000,清算 1900000001,n,a"])).await;
    let client = world.database().await;
    let refused = async |statements: &str, constraint: &str| {
        client.batch_execute("BEGIN").await.unwrap();
        let done = async {
            client.batch_execute(statements).await?;
            client.batch_execute("COMMIT").await
        };
        let error = done.await.expect_err(constraint);
        let named = error.as_db_error().and_then(|it| it.constraint()).map(str::to_owned);
        client.batch_execute("ROLLBACK").await.unwrap();
        assert_eq!(named.as_deref(), Some(constraint), "{error}");
    };
    let one = ids[0].as_str();
    let matched = |amount: i64| {
        format!(
            "INSERT INTO settlement_matches VALUES ('stm_1', 'B1', {amount}, 13000, {amount} - 13000, 'settlement_short', 'a', 'b', 'c', '2018-12-03');
             INSERT INTO settlement_match_days VALUES ('{one}', 'stm_1');
             INSERT INTO settlement_match_shares VALUES ('stm_1', '{WECHAT}', {amount});"
        )
    };
    refused(&matched(12_000), "nobody_closes_a_difference_alone").await;
    let alone = format!(
        "INSERT INTO settlement_claims VALUES ('B1', 1, ARRAY['{one}'], '张三', 'x', '2018-12-03', -1000), ('B1', 2, ARRAY['{one}'], ' 张三', 'x', '2018-12-03', -1000);"
    );
    let apart =
        alone.replace("' 张三', 'x', '2018-12-03', -1000", "'李四', 'x', '2018-12-03', -999");
    refused(&format!("{apart}{}", matched(12_000)), "nobody_closes_a_difference_alone").await;
    refused(&format!("{alone}{}", matched(12_000)), "nobody_closes_a_difference_alone").await;
    refused(&matched(12_001), "a_match_adds_up_on_both_sides").await;
    refused(
        &format!("UPDATE settlements SET net_fen = 1, payments_fen = 1, refunds_fen = 0 WHERE settlement_id = '{one}'"),
        "a_settlement_is_the_sum_of_its_shares",
    )
    .await;
    assert!(client.batch_execute("UPDATE bank_lines SET amount_fen = 1").await.is_err());
    // Whoever gets past all that is found by the proof.
    hand_in(&world, &csv(&["B2,2018-12-03,in,13000,清算 1900000001,n,a"])).await;
    assert_eq!(ledger::verify(&world.hub).await.unwrap().breaks, Vec::<String>::new());
    client
        .batch_execute(
            "SET session_replication_role = replica;
             UPDATE settlement_match_shares SET amount_fen = amount_fen - 1;
             RESET session_replication_role",
        )
        .await
        .unwrap();
    let breaks = ledger::verify(&world.hub).await.unwrap().breaks.join("\n");
    assert!(breaks.contains("books 12999 fen"), "{breaks}");
    assert!(breaks.contains("moves 13000 fen"), "{breaks}");
    drop(client);
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hands_that_say_the_same_at_once_match_it_once() {
    let world = friday_is_due().await;
    world.clock.set(at(MONDAY));
    let file = csv(&["B1,2018-12-03,in,13000,清算 1900000001,n,a"]);
    let (first, second) = tokio::join!(hand_in(&world, &file), hand_in(&world, &file));
    let booked = first.1["booked"].as_i64().unwrap() + second.1["booked"].as_i64().unwrap();
    assert_eq!((first.0, second.0, booked), (201, 201, 1));
    assert_eq!(world.count("SELECT count(*) FROM settlement_matches").await, 1);
    world.finish().await;
}
