//! A month is closed once, and what happens afterwards stands on a later statement.

use payhub::payers;
use serde_json::json;

use super::{BANKS, CCB, ICBC, accrued, closed, fee, standing, statement};
use crate::harness::{World, at, word};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_working_day_closes_the_month_once() {
    let world = World::open_with(BANKS).await;
    let (first, second) = (accrued(&world, ICBC, "1").await, accrued(&world, ICBC, "2").await);
    let void = accrued(&world, ICBC, "3").await;
    world.post(&format!("/v1/fees/{void}/void"), &json!({})).await.unwrap();
    accrued(&world, CCB, "4").await;
    // Saturday is in December, and no working day.
    world.clock.set(at("2018-12-01T02:00:00Z"));
    world.settle().await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM payer_statements").await, 0);
    let december = accrued(&world, ICBC, "5").await;
    closed(&world).await;
    let stated = statement(&world, ICBC).await;
    assert_eq!(word(&stated, "month"), "2018-11");
    assert_eq!(word(&stated, "due_on"), "2018-12-18");
    assert_eq!((&stated["total_fen"], &stated["open_fen"]), (&json!(16_000), &json!(16_000)));
    let lines = stated["lines"].as_array().unwrap();
    let of: Vec<String> = lines.iter().map(|line| word(line, "fee_id")).collect();
    assert_eq!(of, [first.clone(), second], "void and later ones are not on it");
    assert_eq!(word(&fee(&world, &first).await, "statement_id"), word(&stated, "id"));
    assert_eq!(fee(&world, &december).await["statement_id"], json!(null));
    assert_eq!(standing(&world, &first).await, "issued", "the contract's words stay");
    // Again, and by two hubs at once: nothing more.
    let november = "2018-11-01".parse().unwrap();
    let (one, other) = tokio::join!(
        payers::close(&world.hub, november, "张三"),
        payers::close(&world.hub, november, "李四"),
    );
    assert_eq!((one.unwrap().len(), other.unwrap().len()), (0, 0));
    assert_eq!(world.count("SELECT count(*) FROM payer_statements").await, 2);
    let fault = payers::close(&world.hub, "2018-12-01".parse().unwrap(), "张三").await.unwrap_err();
    assert_eq!(fault.code, "month_not_over");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hubs_close_a_month_at_once_and_one_statement_is_made() {
    let world = World::open_with(BANKS).await;
    for case_no in ["1", "2", "3"] {
        accrued(&world, ICBC, case_no).await;
    }
    world.clock.set(at("2018-12-03T02:00:00Z"));
    let november = "2018-11-01".parse().unwrap();
    let closing = (0..6).map(|_| payers::close(&world.hub, november, "张三"));
    let made = futures_util::future::join_all(closing).await;
    assert_eq!(made.into_iter().map(|made| made.unwrap().len()).sum::<usize>(), 1);
    assert_eq!(statement(&world, ICBC).await["total_fen"], json!(24_000));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fee_that_is_withdrawn_later_is_a_correction_on_the_next_statement() {
    let world = World::open_with(BANKS).await;
    accrued(&world, ICBC, "1").await;
    let void = accrued(&world, ICBC, "2").await;
    closed(&world).await;
    let november = statement(&world, ICBC).await;
    let (status, _) = world.post(&format!("/v1/fees/{void}/void"), &json!({})).await.unwrap();
    assert_eq!(status, 200);
    accrued(&world, ICBC, "3").await;
    world.clock.set(at("2019-01-02T02:00:00Z"));
    payhub::hub::prepare_months(&world.hub).await.unwrap();
    payers::run_once(&world.hub).await.unwrap();
    let december = statement(&world, ICBC).await;
    assert_eq!(word(&december, "month"), "2018-12");
    assert_eq!(december["total_fen"], json!(8_000), "a correction is no part of the sum");
    let correction = &december["lines"][1];
    assert_eq!(
        (word(correction, "kind").as_str(), &correction["amount_fen"]),
        ("void", &json!(-8_000))
    );
    assert_eq!(word(correction, "fee_id"), void);
    assert_eq!(word(correction, "charged_on"), word(&november, "number"));
    // The old paper says what it said, and what is owed of it now.
    let id = word(&november, "id");
    let (_, november) = world.get(&format!("/v1/payer-statements/{id}")).await.unwrap();
    assert_eq!(
        [&november["total_fen"], &november["voided_fen"], &november["open_fen"]],
        [&json!(16_000), &json!(8_000), &json!(8_000)]
    );
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_prints_and_is_a_table() {
    let world = World::open_with(BANKS).await;
    accrued(&world, ICBC, "=1+1").await;
    closed(&world).await;
    let stated = statement(&world, ICBC).await;
    let (id, number) = (word(&stated, "id"), word(&stated, "number"));
    assert_eq!(number, "YJ2018110001");
    let file = async |form: &str| {
        let path = format!("/v1/payer-statements/{id}/statement.{form}");
        let asked = world.client().get(world.url(&path));
        let answer = asked.bearer_auth(payhub::demo::Office::api_key()).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, page) = file("html").await;
    assert_eq!(status, 200);
    for text in ["中国工商银行园区支行", &number, "人民币捌拾元整", "80.00", "2018-12-18"]
    {
        assert!(page.contains(text), "{text} is not on the page: {page}");
    }
    assert!(!page.contains("6222"), "bank accounts are nobody's business");
    let (status, table) = file("csv").await;
    assert_eq!((status, table.lines().count()), (200, 2));
    assert!(table.contains("'=1+1"), "no formula: {table}");
    assert_eq!(file("pdf").await.0, 404);
    world.finish().await;
}
