//! Every case past its pay gate has a fee that is paid, and every fee has a case.

use payhub::demo::WECHAT;
use serde_json::{Value, json};

use crate::harness::typed::Typed;
use crate::harness::{World, at, word};

/// Objections are free, and a mortgage is paid at the window.
const GATES: &str = r#"
[policy]
pay_gate = "before_certificate"
[[pay_gates]]
business_type = "objection"
gate = "never"
[[pay_gates]]
business_type = "mortgage"
gate = "on_accept"
[[pay_gates]]
business_type = "transfer"
gate = "before_register"
"#;
const DAYS: &str = "/v1/supervision/cases?from=2018-11-30&until=2018-11-30";

async fn case(world: &World, case_no: &str, business_type: &str, events: &[&str]) {
    let body = json!({
        "case_no": case_no, "business_type": business_type, "promised_working_days": 5,
        "accepted_at": "2018-11-30T09:00:00+08:00", "applicant": {"name": "张三"},
    });
    let (status, opened) = world.post("/v1/cases", &body).await.unwrap();
    assert_eq!(status, 201, "{opened}");
    for event in events {
        let path = format!("/v1/cases/{case_no}/progress");
        let (status, moved) = world.post(&path, &json!({"event": event})).await.unwrap();
        assert_eq!(status, 200, "{moved}");
    }
}

async fn findings(world: &World) -> Vec<String> {
    let (status, page) = world.get(DAYS).await.unwrap();
    assert_eq!(status, 200, "{page}");
    let line = |case: &Value| {
        format!("{} {} {}", word(case, "case_no"), word(case, "kind"), case["amount_fen"])
    };
    page["data"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_past_its_pay_gate_is_paid_or_told() {
    let world = World::open_with(GATES).await;
    case(&world, "at-window", "mortgage", &[]).await;
    case(&world, "free", "objection", &["registered", "certificate_ready", "closed"]).await;
    case(&world, "handed-over", "first", &["registered", "certificate_ready", "closed"]).await;
    case(&world, "in-review", "transfer", &["approved"]).await;
    case(&world, "not-yet", "first", &["registered", "certificate_ready"]).await;
    case(&world, "owed", "transfer", &["registered"]).await;
    case(&world, "right", "transfer", &["registered"]).await;
    case(&world, "withdrawn", "transfer", &["withdrawn"]).await;
    world.fee("owed").await;
    world.paid(WECHAT, "right").await;
    let (fee, order, _) = world.paid(WECHAT, "withdrawn").await;
    let expected = [
        "at-window case_without_fee 0",
        "handed-over case_without_fee 0",
        "owed due_not_paid 8000",
        "withdrawn paid_not_due 8000",
    ];
    assert_eq!(findings(&world).await, expected);
    let (_, page) = world.get(DAYS).await.unwrap();
    assert_eq!(page["examined"], json!(8));
    let last = &page["data"][3];
    assert_eq!(last["fees"][0]["fee_id"], json!(fee));
    assert_eq!(
        (&last["pay_gate"], &last["state"]),
        (&json!("before_register"), &json!("withdrawn"))
    );

    let back = json!({"amount_fen": 8000, "reason": "撤回"});
    let (status, refund) = world.post(&format!("/v1/orders/{order}/refunds"), &back).await.unwrap();
    assert_eq!(status, 201, "{refund}");
    assert_eq!(findings(&world).await, expected[..3]);
    let (status, voided) = world.post(&format!("/v1/fees/{fee}/void"), &json!({})).await.unwrap();
    assert_eq!(status, 409, "{voided}");

    let (mut cursor, mut examined, mut found) = (String::new(), 0, 0);
    loop {
        let (_, page) = world.get(&format!("{DAYS}&limit=3{cursor}")).await.unwrap();
        examined += page["examined"].as_u64().unwrap();
        found += page["data"].as_array().unwrap().len();
        match page["next_cursor"].as_str() {
            Some(last) => cursor = format!("&cursor={last}"),
            None => break,
        }
    }
    assert_eq!((examined, found), (8, 3));
    let (status, problem) = world.get(&format!("{DAYS}&cursor=%00")).await.unwrap();
    assert_eq!((status, &problem["code"]), (400, &json!("invalid_query")));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_office_is_looked_at_by_one_command() {
    let world = World::open().await;
    case(&world, "=1", "transfer", &["registered"]).await;
    let typed = Typed::over(&world);
    let table = std::env::temp_dir().join(format!("payhub-cases-{}.csv", std::process::id()));
    let days = ["--from", "2018-11-30", "--until", "2018-11-30", "--out", table.to_str().unwrap()];
    let (code, said) = typed.says(&[["supervise", "cases"].as_slice(), &days].concat());
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("examined 1 cases, 1 do not agree with their fees"), "{said}");
    assert!(said.contains("case_without_fee 应收未开"), "{said}");
    let written = std::fs::read_to_string(&table).unwrap();
    std::fs::remove_file(&table).unwrap();
    assert!(written.contains("应收未开,'=1,transfer,"), "{written}");
    world.fee("=1").await;
    let (code, said) = typed.says(&[["supervise", "cases"].as_slice(), &days].concat());
    assert!(code == 1 && said.contains("due_not_paid 应缴未缴"), "{said}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fee_whose_case_never_comes_is_told_after_a_week() {
    let world = World::open().await;
    let fees = "/v1/supervision/fees?from=2018-11-30&until=2018-11-30";
    let told = async || {
        let (_, page) = world.get(fees).await.unwrap();
        let faulty = page["data"].as_array().unwrap().iter();
        faulty
            .map(|fee| format!("{} {}", word(fee, "case_no"), word(&fee["findings"][0], "kind")))
            .collect::<Vec<_>>()
    };
    world.fee("no-case").await;
    world.fee("with-case").await;
    world.clock.set(at("2018-12-08T12:00:00+08:00"));
    // A backend that tells of no case at all keeps them elsewhere.
    assert!(told().await.is_empty());
    case(&world, "with-case", "transfer", &[]).await;
    assert_eq!(told().await, ["no-case fee_without_case"]);
    world.finish().await;
}
