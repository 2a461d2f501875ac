//! The next morning: bills are fetched and matched, and the one difference is told.

use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{Action, Fault, Match, Operation, Place};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::harness::typed::Typed;
use crate::harness::{World, at, word};

/// Saturday 10:05 in Beijing.
const NEXT_MORNING: &str = "2018-12-01T02:05:00Z";

async fn run_of(world: &World, merchant: &str) -> serde_json::Value {
    let path = format!("/v1/reconciliations?date=2018-11-30&merchant_id={merchant}");
    let (status, list) = world.get(&path).await.unwrap();
    assert_eq!(status, 200, "{list}");
    list["data"][0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_day_is_balanced_and_an_empty_one_too() {
    let world = World::open().await;
    let (_, order, _) = world.paid(WECHAT, "1").await;
    let body = json!({"amount_fen": 3000, "reason": "多收"});
    world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    world.seconds(120).await;
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let run = run_of(&world, WECHAT).await;
    assert_eq!(word(&run, "status"), "balanced", "{run}");
    assert_eq!(run["summary"]["hub"]["payments"], json!({"count": 1, "amount_fen": 8000}));
    assert_eq!(run["summary"]["bill"]["refunds"], json!({"count": 1, "amount_fen": 3000}));
    let empty = run_of(&world, ALIPAY).await;
    assert_eq!(word(&empty, "status"), "balanced", "{empty}");
    assert_eq!(world.heard()["reconciliation.completed"], 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t21_each_error_of_a_bill_is_exactly_one_difference() {
    let world = World::open().await;
    let mut expected = Vec::new();
    for merchant in [WECHAT, ALIPAY] {
        let account = if merchant == WECHAT { "1900000001" } else { "2021000000000000" };
        for (action, kind) in [
            (Action::MissingRow, "only_in_hub"),
            (Action::ChangedRow, "amount_differs"),
            (Action::ExtraRow, "only_in_bill"),
        ] {
            let (_, _, paid) = world.paid(merchant, &format!("{merchant}-{kind}")).await;
            let number = if action == Action::ExtraRow { format!("PX{account}") } else { paid };
            let mut fault = Fault::new(Place::Bill, action);
            fault.of = Match {
                out_trade_no: Some(number.clone()),
                merchant: Some(account.to_owned()),
                ..Match::default()
            };
            world.sandbox.engine().set_fault(fault).unwrap();
            expected.push((merchant.to_owned(), kind.to_owned(), number));
        }
    }
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let mut found = Vec::new();
    for merchant in [WECHAT, ALIPAY] {
        let run = run_of(&world, merchant).await;
        assert_eq!(word(&run, "status"), "unbalanced", "{run}");
        let path = format!("/v1/reconciliations/{}/differences", word(&run, "id"));
        let (_, list) = world.get(&path).await.unwrap();
        for difference in list["data"].as_array().unwrap() {
            assert!(!word(difference, "cause").is_empty());
            assert!(!word(difference, "proposed_action").is_empty());
            found.push((
                merchant.to_owned(),
                word(difference, "kind"),
                word(difference, "out_trade_no"),
            ));
        }
    }
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(world.heard()["difference.opened"], 6);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t20_a_damaged_bill_is_refused_and_fetched_again() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    world.paid(ALIPAY, "2").await;
    for action in [Action::Truncate, Action::WrongHash] {
        let mut fault = Fault::new(Place::Bill, action);
        fault.times = Some(2);
        world.sandbox.engine().set_fault(fault).unwrap();
    }
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    assert_eq!(word(&run_of(&world, WECHAT).await, "status"), "waiting_for_bill");
    assert_eq!(world.count("SELECT count(*) FROM bill_files").await, 0, "nothing is taken from it");
    let files = "SELECT count(*) FROM damaged_bills";
    assert_eq!(world.count(files).await, 2, "each is kept as evidence, once");
    let plain = format!(
        "{files} WHERE get_byte(content, 0) <> 1 OR position(convert_to('交易', 'UTF8') in content) > 0"
    );
    assert_eq!(world.count(&plain).await, 0, "sealed");
    for _ in 0..6 {
        world.seconds(301).await;
    }
    for merchant in [WECHAT, ALIPAY] {
        assert_eq!(word(&run_of(&world, merchant).await, "status"), "balanced", "{merchant}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rerun_is_a_new_version_with_the_same_result() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let first = run_of(&world, WECHAT).await;
    let body = json!({"merchant_id": WECHAT, "date": "2018-11-30"});
    let (status, begun) = world.post("/v1/reconciliations", &body).await.unwrap();
    assert_eq!((status, word(&begun, "status").as_str()), (202, "waiting_for_bill"));
    world.settle().await.unwrap();
    let second = run_of(&world, WECHAT).await;
    assert_eq!((&first["version"], &second["version"]), (&json!(1), &json!(2)));
    assert_eq!(first["summary"], second["summary"]);
    for form in ["xlsx", "html", "csv"] {
        let url = world.url(&format!("/v1/reconciliations/{}/report.{form}", word(&second, "id")));
        let request = world.client().get(url).bearer_auth(payhub::demo::Office::api_key());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{form}");
        assert!(!answer.bytes().await.unwrap().is_empty());
    }
    let today = json!({"merchant_id": WECHAT, "date": "2018-12-01"});
    let (status, problem) = world.post("/v1/reconciliations", &today).await.unwrap();
    assert_eq!((status, &problem["code"]), (422, &json!("day_not_over")));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_by_hand_leaves_no_missed_day_behind() {
    let world = World::open().await;
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    // The hub stands still for three days; in the morning somebody asks for yesterday first.
    world.clock.set(at("2018-12-05T01:00:00Z"));
    let body = json!({"merchant_id": WECHAT, "date": "2018-12-04"});
    let (status, _) = world.post("/v1/reconciliations", &body).await.unwrap();
    assert_eq!(status, 202);
    world.clock.set(at("2018-12-05T03:00:00Z"));
    world.settle().await.unwrap();
    let days = "SELECT string_agg(bill_date || ' ' || version, ', ' ORDER BY bill_date, version) FROM runs";
    for merchant in [WECHAT, ALIPAY] {
        let query = format!("{days} WHERE merchant_id = '{merchant}'");
        let found: String = world.database().await.query_one(&query, &[]).await.unwrap().get(0);
        let each = "2018-11-30 1, 2018-12-01 1, 2018-12-02 1, 2018-12-03 1, 2018-12-04 1";
        assert_eq!(found, each, "{merchant}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missed_days_are_made_up_for_as_far_as_providers_keep_bills() {
    let world = World::open().await;
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    world.clock.set(at("2019-04-01T03:00:00Z"));
    payhub::reconcile::run_once(&world.hub).await.unwrap();
    let query = format!("SELECT count(*) FROM runs WHERE merchant_id = '{WECHAT}'");
    assert_eq!(world.count(&query).await, 91, "90 days, and the first");
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bill_that_comes_late_and_then_damaged_is_fetched_again() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    let late = world.sandbox.engine().set_fault(Fault::new(Place::Bill, Action::Late)).unwrap();
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    for _ in 0..6 {
        world.seconds(1800).await;
    }
    let waiting = run_of(&world, WECHAT).await;
    assert_eq!(word(&waiting, "status"), "waiting_for_bill", "{waiting}");
    world.sandbox.engine().lift_faults(Some(late));
    world.sandbox.engine().set_fault(Fault::new(Place::Bill, Action::Truncate).times(2)).unwrap();
    for _ in 0..3 {
        world.seconds(1800).await;
    }
    for merchant in [WECHAT, ALIPAY] {
        assert_eq!(word(&run_of(&world, merchant).await, "status"), "balanced", "{merchant}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bill_that_is_damaged_again_and_again_is_given_to_a_person() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    world.sandbox.engine().set_fault(Fault::new(Place::Bill, Action::Truncate)).unwrap();
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    for _ in 0..8 {
        world.seconds(301).await;
    }
    assert_eq!(word(&run_of(&world, WECHAT).await, "status"), "failed");
    // The file is there to be held before the provider.
    let typed = Typed::over(&world);
    let (code, said) = typed.says(&["bills", "list", "--merchant", WECHAT, "--date", "2018-11-30"]);
    assert!(code == 0 && said.contains("refused: the bill is damaged"), "{said}");
    let listed = said.clone();
    let number = listed.split_whitespace().next().unwrap();
    let out = std::env::temp_dir().join(format!("payhub-refused-{}.csv", std::process::id()));
    let save = ["bills", "save", number, "--refused", "--out", out.to_str().unwrap()];
    let (code, said) = typed.says(&save);
    assert_eq!(code, 0, "{said}");
    let sha256 = Sha256::digest(std::fs::read(&out).unwrap());
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(listed.contains(&sha256), "it is the file of the list: {listed}");
    let (code, said) = typed.says(&save);
    assert!(code == 1 && said.contains("exists"), "nothing is overwritten: {said}");
    std::fs::remove_file(&out).unwrap();
    let told = "SELECT count(*) FROM incidents WHERE kind = 'bill_damaged'";
    assert_eq!(world.count(told).await, 1);
    world.finish().await;
}

fn fault_of(operation: Operation, mut fault: Fault) -> Fault {
    fault.operation = Some(operation);
    fault
}

/// The one finding of a merchant's run, among `differences` or `doubts`.
async fn only(world: &World, table: &str, merchant: &str) -> (String, String) {
    let query = format!(
        "SELECT f.kind, f.detail FROM {table} f JOIN runs r USING (run_id) WHERE r.merchant_id = '{merchant}'"
    );
    let row = world.database().await.query_one(&query, &[]).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_whose_notice_was_lost_is_asked_about_before_anybody_is_told() {
    let world = World::open().await;
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        let (_, order, _) = world.paid(merchant, case).await;
        let fault = fault_of(Operation::Refund, Fault::new(Place::Callback, Action::Drop));
        world.sandbox.engine().set_fault(fault).unwrap();
        let mut fault =
            fault_of(Operation::Refund, Fault::new(Place::Answer, Action::DropAfterCommit));
        fault.times = Some(1);
        world.sandbox.engine().set_fault(fault).unwrap();
        let body = json!({"amount_fen": 3000, "reason": "多收"});
        let path = format!("/v1/orders/{order}/refunds");
        let (_, refund) = world.post(&path, &body).await.unwrap();
        assert_eq!(word(&refund, "status"), "unknown");
    }
    // The bill comes before the hub has asked again.
    world.clock.set(at(NEXT_MORNING));
    while payhub::reconcile::run_once(&world.hub).await.unwrap() > 0 {}
    for merchant in [WECHAT, ALIPAY] {
        let run = run_of(&world, merchant).await;
        assert_eq!(word(&run, "status"), "balanced", "{run}");
    }
    assert_eq!(world.count("SELECT count(*) FROM refunds WHERE state = 'succeeded'").await, 2);
    assert_eq!(world.count("SELECT count(*) FROM differences").await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_the_bill_lacks_says_what_its_provider_answered() {
    let world = World::open().await;
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        let (_, _, number) = world.paid(merchant, case).await;
        // Without another one the day would have no bill.
        world.paid(merchant, &format!("{case} too")).await;
        let mut fault = Fault::new(Place::Bill, Action::MissingRow);
        fault.of = Match { out_trade_no: Some(number), ..Match::default() };
        world.sandbox.engine().set_fault(fault).unwrap();
    }
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    for merchant in [WECHAT, ALIPAY] {
        let (kind, detail) = only(&world, "differences", merchant).await;
        assert_eq!(kind, "only_in_hub");
        assert!(detail.ends_with("asked at once, its provider says: paid"), "{detail}");
    }
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 4, "nothing is booked twice");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bill_that_its_provider_does_not_have_is_late_until_noon_when_money_moved_that_day() {
    let world = World::open().await;
    world.paid(ALIPAY, "1").await;
    let mut late = Fault::new(Place::Bill, Action::Late);
    late.of.merchant = Some("2021000000000000".to_owned());
    let late = world.sandbox.engine().set_fault(late).unwrap();
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    assert_eq!(run_of(&world, ALIPAY).await["status"], "waiting_for_bill");
    assert_eq!(run_of(&world, WECHAT).await["status"], "balanced", "nothing moved there");
    world.sandbox.engine().lift_faults(Some(late));
    world.seconds(30 * 60).await;
    assert_eq!(run_of(&world, ALIPAY).await["status"], "balanced");
    assert_eq!(world.count("SELECT count(*) FROM differences").await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_the_bill_lacks_stays_a_doubt_while_its_provider_is_silent() {
    let world = World::open().await;
    for (merchant, case) in [(WECHAT, "1"), (ALIPAY, "2")] {
        let (_, _, number) = world.paid(merchant, case).await;
        // Without another one the day would have no bill.
        world.paid(merchant, &format!("{case} too")).await;
        let mut fault = Fault::new(Place::Bill, Action::MissingRow);
        fault.of = Match { out_trade_no: Some(number), ..Match::default() };
        world.sandbox.engine().set_fault(fault).unwrap();
    }
    let silent = fault_of(Operation::Query, Fault::new(Place::Answer, Action::Status500));
    world.sandbox.engine().set_fault(silent).unwrap();
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM differences").await, 0);
    for merchant in [WECHAT, ALIPAY] {
        let (kind, detail) = only(&world, "doubts", merchant).await;
        assert_eq!(kind, "only_in_hub");
        assert!(detail.ends_with("asked at once, its provider gave no answer"), "{detail}");
    }
    world.finish().await;
}

/// The queries of a merchant's second are spent, all of them.
async fn spent(world: &World, second: &str) {
    let spent = "INSERT INTO query_budgets VALUES ($1, $2, 1000, 0)
                 ON CONFLICT (merchant_id) DO UPDATE SET second = excluded.second, taken = 1000";
    world.database().await.execute(spent, &[&WECHAT, &at(second)]).await.unwrap();
}

/// A payment that the bill lacks, and one of which nobody told the hub, on the next morning.
async fn two_that_must_be_asked_about(world: &World) -> String {
    let (_, _, number) = world.paid(WECHAT, "1").await;
    let mut fault = Fault::new(Place::Bill, Action::MissingRow);
    fault.of = Match { out_trade_no: Some(number), ..Match::default() };
    world.sandbox.engine().set_fault(fault).unwrap();
    let fee = world.fee("2").await;
    let (_, order) = world.order(WECHAT, &[&fee]).await;
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
    world.clock.set(at(NEXT_MORNING));
    spent(world, NEXT_MORNING).await;
    fee
}

/// Works on every run that is due, one after the other.
async fn every_run(world: &World) {
    while payhub::reconcile::run_once(&world.hub).await.unwrap() > 0 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_queries_are_spent_waits_for_its_turn() {
    let world = World::open().await;
    let fee = two_that_must_be_asked_about(&world).await;
    let waits = async {
        // It has the bill, and nothing is left in this second.
        world
            .becomes("SELECT count(*) FROM provider_calls WHERE operation = 'fetch_bill'", 1)
            .await;
        assert_ne!(world.fee_status(&fee).await, "paid");
        world.clock.advance(jiff::SignedDuration::from_secs(1));
    };
    tokio::join!(every_run(&world), waits);
    assert_eq!(world.fee_status(&fee).await, "paid", "the query proved it");
    let (kind, detail) = only(&world, "differences", WECHAT).await;
    assert_eq!(kind, "only_in_hub");
    assert!(detail.ends_with("asked at once, its provider says: paid"), "{detail}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_asked_about_stays_a_doubt() {
    let world = World::open().await;
    two_that_must_be_asked_about(&world).await;
    let queries = "SELECT count(*) FROM provider_calls WHERE operation LIKE 'query%'";
    let before = world.count(queries).await;
    every_run(&world).await;
    assert_eq!(world.count(queries).await, before, "nobody was asked beyond the budget");
    assert_eq!(world.count("SELECT count(*) FROM differences").await, 0);
    let not_asked = "SELECT count(*) FROM doubts WHERE detail LIKE '%could not be asked%'";
    assert_eq!(world.count(not_asked).await, 2);
    world.seconds(1).await;
    world.finish().await;
}
