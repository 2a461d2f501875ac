//! What is taken in, what is refused, and what is known already.

use payhub::demo::Office;
use serde_json::json;

use super::{
    MONDAY, balance, csv, friday_is_due, hand_in, hand_in_under, lines, settlement_of, settlements,
};
use crate::harness::{World, at, word};

const WECHAT_ACCOUNT: &str = "wechat:1900000001";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_in_gross_arrives_gross() {
    let world = friday_is_due().await;
    let expected = settlement_of(&world, WECHAT_ACCOUNT, "2018-11-30").await;
    assert_eq!(expected["net_fen"], json!(13_000));
    assert_eq!(
        (&expected["payments_fen"], &expected["refunds_fen"]),
        (&json!(16_000), &json!(3_000))
    );
    assert_eq!(word(&expected, "due_on"), "2018-12-03");
    assert!(
        expected["fee_fen"].as_i64().unwrap() > 0,
        "it charges, and the principal is gross: {expected}"
    );
    assert_eq!(balance(&world, "provider_clearing").await, 13_000);
    let (status, taken) = hand_in(
        &world,
        &csv(&[
            "B1,2018-12-03,in,13000,清算 1900000001,财付通支付科技有限公司,4000020219200123456",
        ]),
    )
    .await;
    assert_eq!(status, 201, "{taken}");
    assert_eq!(
        [&taken["rows"], &taken["booked"], &taken["known"], &taken["in_fen"], &taken["matched"]],
        [&json!(1), &json!(1), &json!(0), &json!(13_000), &json!(1)]
    );
    let arrived = settlement_of(&world, WECHAT_ACCOUNT, "2018-11-30").await;
    assert_eq!(word(&arrived["arrival"], "bank_serial"), "B1");
    assert_eq!(arrived["arrival"]["difference_fen"], json!(0));
    assert_eq!(balance(&world, "provider_clearing").await, 0);
    assert_eq!(balance(&world, "collecting_account").await, 13_000);
    // A weekend without money goes with it or is nothing that could be late.
    assert!(settlements(&world).await.iter().all(|it| it["is_late"] == json!(false)));
    let [line] = lines(&world, "matched").await.try_into().unwrap();
    assert_eq!(word(&line, "counter_name"), "财*********司");
    assert_eq!(word(&line, "counter_account"), "****3456");
    let raw = world.database().await;
    let row = raw.query_one("SELECT counter, reference FROM bank_lines", &[]).await.unwrap();
    let counter: Vec<u8> = row.get(0);
    assert!(!String::from_utf8_lossy(&counter).contains("财付通"));
    drop(raw);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_row_books_nothing() {
    let world = friday_is_due().await;
    let file = csv(&[
        "B1,2018-12-03,in,13000,清算,n,a",
        "B2,2018-12-33,in,1,r,n,a",
        "B3,2018-12-04,sideways,1.5,r,李四,6222020012345678",
    ]);
    let (status, refused) = hand_in(&world, &file).await;
    assert_eq!((status, word(&refused, "code").as_str()), (422, "bank_statement_invalid"));
    let places: Vec<(i64, String)> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["row"].as_i64().unwrap(), word(error, "column")))
        .collect();
    let expected = [(3, "value_date"), (4, "value_date"), (4, "direction"), (4, "amount_fen")];
    assert_eq!(places, expected.map(|(row, column)| (row, column.to_owned())));
    assert!(!refused.to_string().contains("李四") && !refused.to_string().contains("6222"));
    for table in ["bank_statements", "bank_lines", "settlement_matches"] {
        assert_eq!(world.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(balance(&world, "collecting_account").await, 0);
    // Larger than any body: 413, and nothing is booked either.
    let large = csv(&["B1,2018-12-03,in,1,r,n,a"]) + &" ".repeat(1024 * 1024);
    assert_eq!(hand_in(&world, &large).await.0, 413);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serial_twice_is_one_arrival() {
    let world = friday_is_due().await;
    let file = csv(&["B1,2018-12-03,in,13000,清算,n,a", "B2,2018-12-03,out,500,电费,n,a"]);
    let (status, first) = hand_in_under(&world, &file, Some("monday")).await;
    assert_eq!((status, &first["booked"]), (201, &json!(2)));
    assert_eq!(hand_in_under(&world, &file, Some("monday")).await.1, first, "the same answer");
    let other = csv(&["B1,2018-12-03,in,1,清算,n,a"]);
    let reused = hand_in_under(&world, &other, Some("monday")).await;
    assert_eq!((reused.0, word(&reused.1, "code").as_str()), (422, "idempotency_key_reused"));
    // Told again in another file, with one row that is new.
    let more = csv(&["B1,2018-12-03,in,13000,清算,n,a", "B3,2018-12-03,in,77,利息,n,a"]);
    let (status, again) = hand_in(&world, &more).await;
    assert_eq!((status, &again["booked"], &again["known"]), (201, &json!(1), &json!(1)));
    // In one file a number stands once.
    let twice = csv(&["B4,2018-12-03,in,1,r,n,a", "B4,2018-12-03,in,1,r,n,a"]);
    let (status, refused) = hand_in(&world, &twice).await;
    assert_eq!((status, &refused["errors"][0]["row"]), (422, &json!(3)));
    assert_eq!(world.count("SELECT count(*) FROM settlement_matches").await, 1);
    assert_eq!(balance(&world, "collecting_account").await, 13_000);
    // The same number with other content is an error that names its row, whatever differs.
    for changed in [
        "B1,2018-12-03,in,13001,清算,n,a",
        "B1,2018-12-02,in,13000,清算,n,a",
        "B1,2018-12-03,out,13000,清算,n,a",
        "B1,2018-12-03,in,13000,清算,m,a",
        "B1,2018-12-03,in,13000,清算,n,b",
    ] {
        let file = csv(&["B9,2018-12-03,in,5,r,n,a", changed]);
        let (status, refused) = hand_in(&world, &file).await;
        assert_eq!((status, word(&refused, "code").as_str()), (422, "bank_statement_invalid"));
        assert_eq!(refused["errors"][0]["row"], json!(3), "{refused}");
    }
    assert_eq!(world.count("SELECT count(*) FROM bank_lines").await, 3);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_comes_before_the_bill_waits_for_it() {
    let world = World::open().await;
    world.paid(payhub::demo::WECHAT, "1").await;
    // The bank tells on Saturday already; the bill of Friday comes an hour later.
    world.clock.set(at("2018-12-01T01:00:00Z"));
    let (_, taken) = hand_in(&world, &csv(&["B1,2018-12-01,in,8000,清算 20181130,n,a"])).await;
    assert_eq!((&taken["matched"], &taken["unmatched"]), (&json!(0), &json!(1)));
    world.clock.set(at("2018-12-01T02:05:00Z"));
    world.settle().await.unwrap();
    assert_eq!(lines(&world, "matched").await.len(), 1);
    let id = word(&taken, "id");
    let (status, then) = world.get(&format!("/v1/bank-statements/{id}")).await.unwrap();
    assert_eq!((status, &then["matched"], &then["unmatched"]), (200, &json!(1), &json!(0)));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_are_listed_page_by_page() {
    let world = World::open().await;
    world.clock.set(at(MONDAY));
    let rows: Vec<String> =
        (1..=5).map(|row| format!("B{row},2018-11-2{row},in,{row},r,n,a")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    hand_in(&world, &csv(&rows)).await;
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let path = format!("/v1/bank-lines?limit=2&direction=in{cursor}");
        let (status, page) = world.get(&path).await.unwrap();
        assert_eq!(status, 200, "{page}");
        seen.extend(page["data"].as_array().unwrap().iter().map(|line| word(line, "bank_serial")));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, ["B5", "B4", "B3", "B2", "B1"]);
    // The bank has told of a Sunday: Thursday is two bank days before it.
    let unknown = lines(&world, "unmatched").await;
    let causes: Vec<bool> =
        unknown.iter().map(|line| line["cause"] == json!("bank_unknown_credit")).collect();
    assert_eq!(causes, [false, false, false, true, true]);
    for bad in ["status=open", "direction=up", "colour=red"] {
        let (status, refused) = world.get(&format!("/v1/bank-lines?{bad}")).await.unwrap();
        assert_eq!((status, word(&refused, "code").as_str()), (400, "invalid_query"), "{bad}");
    }
    let asked = world.client().post(world.url("/v1/bank-statements")).send().await.unwrap();
    assert_eq!(asked.status().as_u16(), 401, "no key but {}", Office::api_key().len());
    world.finish().await;
}
