//! What was charged is computed again, also when a hand was in the database.

use payhub::supervision::Days;
use payhub::supervision::fees::examine;
use serde_json::{Value, json};

use crate::harness::typed::Typed;
use crate::harness::{World, word};

const DAYS: &str = "/v1/supervision/fees?from=2018-11-30&until=2018-11-30";

async fn findings(world: &World) -> Vec<String> {
    let (status, page) = world.get(DAYS).await.unwrap();
    assert_eq!(status, 200, "{page}");
    let mut found = Vec::new();
    for fee in page["data"].as_array().unwrap() {
        for finding in fee["findings"].as_array().unwrap() {
            found.push(format!(
                "{} {} {} {} {}",
                word(fee, "case_no"),
                word(finding, "kind"),
                finding["code"].as_str().unwrap_or("-"),
                finding["charged_fen"],
                finding["expected_fen"],
            ));
        }
    }
    found.sort();
    found
}

async fn issue(world: &World, case_no: &str, item: Value) -> String {
    let body = json!({"case_no": case_no, "items": [item], "payer": {"name": "张三"}});
    let (status, fee) = world.post("/v1/fees", &body).await.unwrap();
    assert_eq!(status, 201, "{fee}");
    word(&fee, "id")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_charge_is_computed_again_and_what_differs_is_told() {
    let world = World::open().await;
    for case_no in ["right", "dear", "cheap", "odd"] {
        issue(&world, case_no, json!({"code": "REG.RES", "quantity": 1})).await;
    }
    let reduced = json!({"code": "REG.NONRES", "quantity": 1, "applicant_class": "small_micro"});
    issue(&world, "no-paper", reduced.clone()).await;
    let mut with_paper = reduced;
    with_paper["evidence"] = json!(["small_micro_declaration"]);
    issue(&world, "paper", with_paper).await;
    assert_eq!(findings(&world).await, ["no-paper reduction_without_evidence REG.NONRES 0 55000"]);
    let typed = Typed::over(&world);
    let client = world.database().await;
    for (case_no, change) in [
        (
            "dear",
            "quote = jsonb_set(jsonb_set(quote, '{lines,0,amount_fen}', '8100'), '{total_fen}', '8100'), total_fen = 8100",
        ),
        ("cheap", "total_fen = 7900"),
        ("odd", "quote = '{}'"),
    ] {
        let tampered = format!("UPDATE fees SET {change} WHERE case_no = '{case_no}'");
        assert_eq!(client.execute(&tampered, &[]).await.unwrap(), 1);
    }
    assert_eq!(
        findings(&world).await,
        [
            "cheap charged_too_little - 7900 8000",
            "dear charged_too_much REG.RES 8100 8000",
            "no-paper reduction_without_evidence REG.NONRES 0 55000",
            "odd charged_without_basis - 8000 null",
        ]
    );
    let table = std::env::temp_dir().join(format!("payhub-supervised-{}.csv", std::process::id()));
    let days = ["--from", "2018-11-30", "--until", "2018-11-30", "--out", table.to_str().unwrap()];
    let (code, said) = typed.says(&[["supervise", "fees"].as_slice(), &days].concat());
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("examined 6 fees, 4 were charged otherwise"), "{said}");
    assert!(said.contains("charged_too_much 多收  REG.RES  开单 81.00 应收 80.00"), "{said}");
    let written = std::fs::read_to_string(&table).unwrap();
    std::fs::remove_file(&table).unwrap();
    assert_eq!(written.lines().count(), 5, "{written}");
    assert!(written.contains("减免无证明材料,no-paper,,REG.NONRES,0,55000,0"), "{written}");
    drop(client);
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fee_is_examined_by_the_day_on_which_its_case_was_accepted() {
    let world = World::open().await;
    let case = json!({
        "case_no": "C-1", "business_type": "transfer", "accepted_at": "2015-06-01T10:00:00+08:00",
        "promised_working_days": 5, "applicant": {"name": "张三"},
    });
    let (status, opened) = world.post("/v1/cases", &case).await.unwrap();
    assert_eq!(status, 201, "{opened}");
    let body = json!({
        "case_no": "C-1", "accepted_on": "2018-11-30", "payer": {"name": "张三"},
        "items": [{"code": "REG.RES", "quantity": 1}],
    });
    let (status, fee) = world.post("/v1/fees", &body).await.unwrap();
    assert_eq!(status, 201, "{fee}");
    // No schedule that the hub has was in force then.
    assert_eq!(findings(&world).await, ["C-1 charged_without_basis - 8000 null"]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fees_are_examined_page_by_page_and_each_backend_sees_its_own() {
    let world = World::open().await;
    for case_no in ["1", "2", "3"] {
        issue(&world, case_no, json!({"code": "REG.RES", "quantity": 1})).await;
    }
    let (mut cursor, mut examined) = (String::new(), 0);
    loop {
        let (_, page) = world.get(&format!("{DAYS}&limit=2{cursor}")).await.unwrap();
        examined += page["examined"].as_u64().unwrap();
        match page["next_cursor"].as_str() {
            Some(last) => cursor = format!("&cursor={last}"),
            None => break,
        }
    }
    assert_eq!(examined, 3);
    let elsewhere = "/v1/supervision/fees?from=2018-12-01&until=2018-12-01";
    assert_eq!(world.get(elsewhere).await.unwrap().1["examined"], json!(0));
    for days in [
        "from=2018-12-02&until=2018-12-01",
        "from=2017-01-01&until=2018-12-01",
        "from=1200-01-01&until=1200-01-02",
    ] {
        let (status, problem) = world.get(&format!("/v1/supervision/fees?{days}")).await.unwrap();
        assert_eq!((status, &problem["code"]), (422, &json!("days_invalid")), "{days}");
    }
    for cursor in ["%00", "fee_x"] {
        let (status, problem) = world.get(&format!("{DAYS}&cursor={cursor}")).await.unwrap();
        assert_eq!((status, &problem["code"]), (400, &json!("invalid_query")), "{cursor}");
    }
    let day = "2018-11-30".parse().unwrap();
    for (application, count) in [(None, 3), (Some("registry"), 3), (Some("another"), 0)] {
        let days = Days { from: day, until: day };
        let found = examine(&world.hub, application, days, "", 200).await.unwrap();
        assert_eq!(found.count, count, "{application:?}");
    }
    world.finish().await;
}
