//! Doubts end: a row of a later bill or an answer clears them, or they become a difference, once.

use futures_util::future::join_all;
use payhub::demo::{ALIPAY, Office, WECHAT};
use payhub::hub::Hub;
use payhub::reconcile;
use sandbox::{Action, Fault, Match, Operation, Pay, Place};
use serde_json::{Value, json};

use crate::harness::{World, at, word};

/// The last second of the Friday in Beijing.
const LAST_SECOND: &str = "2018-11-30T15:59:59Z";
const FRIDAY: &str = "2018-11-30";
const SATURDAY: &str = "2018-12-01";
/// When the bill of the Friday is there; of the Saturday; of the Sunday.
const MORNINGS: [&str; 3] =
    ["2018-12-01T02:05:00Z", "2018-12-02T02:05:00Z", "2018-12-03T02:05:00Z"];

fn account(merchant: &str) -> &'static str {
    if merchant == WECHAT { "1900000001" } else { "2021000000000000" }
}

/// A fault of one day's bill of a merchant, about one order.
fn fault(action: Action, merchant: &str, date: &str, number: Option<&str>) -> Fault {
    let mut fault = Fault::new(Place::Bill, action);
    fault.of = Match {
        out_trade_no: number.map(str::to_owned),
        merchant: Some(account(merchant).to_owned()),
        date: Some(date.parse().unwrap()),
        ..Match::default()
    };
    fault
}

/// A payment of the Friday's last second, which the Friday's bill has not; its number.
async fn paid_in_the_last_second(world: &World, merchant: &str) -> String {
    world.clock.set(at(LAST_SECOND));
    let (_, _, number) = world.paid(merchant, merchant).await;
    let missing = fault(Action::MissingRow, merchant, FRIDAY, Some(&number));
    world.sandbox.engine().set_fault(missing).unwrap();
    number
}

async fn morning(world: &World, day: usize) {
    world.clock.set(at(MORNINGS[day]));
    world.settle().await.unwrap();
}

async fn text(world: &World, query: &str) -> String {
    let found: Option<String> = world.database().await.query_one(query, &[]).await.unwrap().get(0);
    found.unwrap_or_default()
}

/// Each doubt: whose, of which day, in which state, by the run of which day.
async fn doubts(world: &World) -> String {
    let query = "SELECT string_agg(concat_ws(' ', r.merchant_id, r.bill_date, d.state, by.bill_date), ', ' ORDER BY 1)
                   FROM doubts d JOIN runs r USING (run_id) LEFT JOIN runs by ON by.run_id = d.resolved_by_run
                  WHERE d.state <> 'superseded'";
    text(world, &query.replace("ORDER BY 1", "ORDER BY r.merchant_id DESC")).await
}

const OPENED: &str = "SELECT count(*) FROM differences WHERE same_as IS NULL";

async fn newest(world: &World, merchant: &str, date: &str) -> Value {
    let path = format!("/v1/reconciliations?date={date}&merchant_id={merchant}");
    world.get(&path).await.unwrap().1["data"][0].clone()
}

async fn differences(world: &World, run: &Value) -> Vec<Value> {
    let path = format!("/v1/reconciliations/{}/differences", word(run, "id"));
    world.get(&path).await.unwrap().1["data"].as_array().unwrap().clone()
}

/// Reconciles a day again; the run.
async fn again(world: &World, merchant: &str, date: &str) -> Value {
    let body = json!({"merchant_id": merchant, "date": date});
    let (status, run) = world.post("/v1/reconciliations", &body).await.unwrap();
    assert_eq!(status, 202, "{run}");
    world.settle().await.unwrap();
    newest(world, merchant, date).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t22_a_payment_of_the_last_second_is_cleared_by_the_next_bill() {
    let world = World::open().await;
    for merchant in [WECHAT, ALIPAY] {
        let number = paid_in_the_last_second(&world, merchant).await;
        let listed = fault(Action::ExtraRow, merchant, SATURDAY, Some(&number));
        world.sandbox.engine().set_fault(listed).unwrap();
    }
    let queries = "SELECT count(*) FROM provider_calls WHERE operation = 'query'";
    let before = world.count(queries).await;
    morning(&world, 0).await;
    assert_eq!(doubts(&world).await, format!("{WECHAT} {FRIDAY} open, {ALIPAY} {FRIDAY} open"),);
    assert_eq!(world.count(queries).await, before + 2, "each is asked about at once");
    morning(&world, 1).await;
    assert_eq!(
        doubts(&world).await,
        format!("{WECHAT} {FRIDAY} matched {SATURDAY}, {ALIPAY} {FRIDAY} matched {SATURDAY}"),
    );
    assert_eq!(world.count("SELECT count(*) FROM differences").await, 0);
    // The Friday made again knows that the Saturday's bill has it, and counts it there.
    for merchant in [WECHAT, ALIPAY] {
        let run = again(&world, merchant, FRIDAY).await;
        assert_eq!((word(&run, "status").as_str(), &run["version"]), ("balanced", &json!(2)));
        assert_eq!(run["summary"]["hub"]["payments"]["count"], 0);
        assert_eq!(run["summary"]["doubts"]["count"], 0);
    }
    assert_eq!(world.count("SELECT count(*) FROM doubts WHERE state = 'open'").await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_in_the_bills_of_two_days_is_counted_once() {
    let world = World::open().await;
    let (_, _, number) = world.paid(WECHAT, "1").await;
    let again_on_saturday = fault(Action::ExtraRow, WECHAT, SATURDAY, Some(&number));
    world.sandbox.engine().set_fault(again_on_saturday).unwrap();
    morning(&world, 0).await;
    assert_eq!(newest(&world, WECHAT, FRIDAY).await["status"], "balanced");
    morning(&world, 1).await;
    for _ in 0..2 {
        let run = newest(&world, WECHAT, SATURDAY).await;
        assert_eq!(run["status"], "unbalanced");
        assert_eq!(run["summary"]["hub"]["payments"]["count"], 0, "the Friday has counted it");
        let found = differences(&world, &run).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(word(&found[0], "kind"), "duplicate_in_bill");
        assert_eq!(word(&found[0], "out_trade_no"), number);
        assert!(!page(&world, &run).await.contains("不得签字"), "and the day foots");
        let friday = again(&world, WECHAT, FRIDAY).await;
        assert_eq!(friday["status"], "balanced");
        assert_eq!(friday["summary"]["matched"]["count"], 1);
        again(&world, WECHAT, SATURDAY).await;
    }
    assert_eq!(world.count(OPENED).await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doubt_that_a_changed_bill_does_not_clear_any_more_is_told() {
    let world = World::open().await;
    let number = paid_in_the_last_second(&world, WECHAT).await;
    let listed = fault(Action::ExtraRow, WECHAT, SATURDAY, Some(&number));
    let listed = world.sandbox.engine().set_fault(listed).unwrap();
    morning(&world, 0).await;
    morning(&world, 1).await;
    assert_eq!(doubts(&world).await, format!("{WECHAT} {FRIDAY} matched {SATURDAY}"));
    world.sandbox.engine().lift_faults(Some(listed));
    let body = json!({"merchant_id": WECHAT, "date": SATURDAY, "refetch": true});
    assert_eq!(world.post("/v1/reconciliations", &body).await.unwrap().0, 202);
    world.settle().await.unwrap();
    assert_eq!(doubts(&world).await, format!("{WECHAT} {FRIDAY} promoted {SATURDAY}"));
    let run = newest(&world, WECHAT, SATURDAY).await;
    assert_eq!((&run["version"], &run["status"]), (&json!(2), &json!("unbalanced")));
    let found = differences(&world, &run).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["first_day"], word(&found[0], "out_trade_no")), (&json!(FRIDAY), number));
    world.finish().await;
}

/// The report of a run as it is printed.
async fn page(world: &World, run: &Value) -> String {
    let url = world.url(&format!("/v1/reconciliations/{}/report.html", word(run, "id")));
    let answer = world.client().get(url).bearer_auth(Office::api_key()).send().await.unwrap();
    answer.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doubt_that_no_file_clears_becomes_a_difference() {
    let world = World::open().await;
    let number = paid_in_the_last_second(&world, WECHAT).await;
    morning(&world, 0).await;
    let friday = newest(&world, WECHAT, FRIDAY).await;
    assert_eq!(friday["status"], "balanced", "not decided yet");
    let path = format!("/v1/reconciliations/{}/doubts", word(&friday, "id"));
    let doubt = world.get(&path).await.unwrap().1["data"][0].clone();
    assert_eq!((word(&doubt, "status").as_str(), &doubt["out_trade_no"]), ("open", &json!(number)));
    assert_eq!(
        (word(&doubt, "kind").as_str(), word(&doubt, "cause").as_str()),
        ("only_in_hub", "near_cut")
    );
    // The Saturday is empty, and that is a file.
    morning(&world, 1).await;
    assert_eq!(doubts(&world).await, format!("{WECHAT} {FRIDAY} promoted {SATURDAY}"));
    let run = newest(&world, WECHAT, SATURDAY).await;
    assert_eq!(run["status"], "unbalanced");
    let found = differences(&world, &run).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["first_day"], FRIDAY);
    let doubt = world.get(&path).await.unwrap().1["data"][0].clone();
    assert_eq!(
        (word(&doubt, "status").as_str(), &doubt["difference_id"]),
        ("promoted", &found[0]["id"])
    );
    assert_eq!(doubt["resolved_by_run"], run["id"]);
    assert_eq!(word(&found[0], "out_trade_no"), number);
    assert_eq!(word(&found[0], "cause"), "bill_omits");
    assert!(word(&found[0], "detail").ends_with("its provider says: paid"), "{found:?}");
    let page = page(&world, &run).await;
    assert!(
        page.contains("以前日期存疑转入的 1 笔、涉及 80.00 元"),
        "it is on the list, in no sum of the day"
    );
    assert!(!page.contains("不得签字"), "and the day foots");
    // Neither day opens it again, nor tells of it again.
    for date in [SATURDAY, FRIDAY, SATURDAY] {
        let run = again(&world, WECHAT, date).await;
        let same = differences(&world, &run).await;
        assert_eq!(same.len(), 1, "{date}: {same:?}");
        for name in ["id", "opened_at", "status", "first_day"] {
            assert_eq!(same[0][name], found[0][name], "{date}");
        }
    }
    assert_eq!(world.count(OPENED).await, 1);
    assert_eq!(world.heard()["difference.opened"], 1);
    morning(&world, 2).await;
    assert_eq!(newest(&world, WECHAT, "2018-12-02").await["status"], "balanced");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_file_does_not_run_the_clock() {
    let world = World::open().await;
    paid_in_the_last_second(&world, WECHAT).await;
    morning(&world, 0).await;
    let late = fault(Action::Late, WECHAT, SATURDAY, None);
    let late = world.sandbox.engine().set_fault(late).unwrap();
    morning(&world, 1).await;
    morning(&world, 2).await;
    assert_eq!(newest(&world, WECHAT, SATURDAY).await["status"], "waiting_for_bill");
    assert_eq!(newest(&world, WECHAT, "2018-12-02").await["status"], "balanced");
    assert_eq!(doubts(&world).await, format!("{WECHAT} {FRIDAY} open"));
    assert_eq!(world.count(OPENED).await, 0);
    world.sandbox.engine().lift_faults(Some(late));
    world.seconds(30 * 60).await;
    assert_eq!(doubts(&world).await, format!("{WECHAT} {FRIDAY} promoted {SATURDAY}"));
    assert_eq!(world.count(OPENED).await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hubs_promote_a_doubt_once() {
    let world = World::open().await;
    let twin = world.twin(world.another_store()).await.unwrap();
    for merchant in [WECHAT, ALIPAY] {
        paid_in_the_last_second(&world, merchant).await;
    }
    morning(&world, 0).await;
    // Nobody worked for three days; then both do.
    world.clock.set(at("2018-12-05T03:00:00Z"));
    let work = async |hub: &Hub| while reconcile::run_once(hub).await.unwrap() > 0 {};
    join_all([&*world.hub, &*twin.hub].map(work)).await;
    assert_eq!(
        doubts(&world).await,
        format!("{WECHAT} {FRIDAY} promoted {SATURDAY}, {ALIPAY} {FRIDAY} promoted {SATURDAY}"),
    );
    assert_eq!(world.count("SELECT count(*) FROM differences").await, 2, "one each");
    assert_eq!(
        world.count("SELECT count(*) FROM events WHERE type = 'difference.opened'").await,
        2
    );
    twin.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_doubt_of_a_fingerprint_is_open() {
    let world = World::open().await;
    paid_in_the_last_second(&world, WECHAT).await;
    morning(&world, 0).await;
    let twice = "INSERT INTO doubts SELECT (jsonb_populate_record(d, '{\"doubt_id\": \"dbt_x\", \"position\": 2}')).*
                   FROM doubts d";
    let refused = world.database().await.execute(twice, &[]).await.unwrap_err();
    let constraint = refused.as_db_error().and_then(|error| error.constraint().map(str::to_owned));
    assert_eq!(constraint.as_deref(), Some("one_open_doubt_a_fingerprint"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_one_missing_rows_are_all_asked_about() {
    let world = World::open().await;
    for case in 0..51 {
        world.paid(WECHAT, &case.to_string()).await;
    }
    let empty = fault(Action::EmptyDay, WECHAT, FRIDAY, None);
    world.sandbox.engine().set_fault(empty).unwrap();
    world.clock.set(at(MORNINGS[0]));
    let ended = async { while reconcile::run_once(&world.hub).await.unwrap() > 0 {} };
    // Its share of the queries is some in a second: the seconds pass.
    let passes = async {
        loop {
            tokio::task::yield_now().await;
            world.clock.advance(jiff::SignedDuration::from_secs(1));
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::select! { () = ended => {}, () = passes => {} }
    let run = newest(&world, WECHAT, FRIDAY).await;
    assert_eq!(run["summary"]["differences"]["count"], 51, "{run}");
    assert_eq!(run["summary"]["doubts"]["count"], 0, "{run}");
    let asked = "SELECT count(*) FROM differences WHERE detail LIKE '%its provider says: paid'";
    assert_eq!(world.count(asked).await, 51);
    world.finish().await;
}

/// One code that two people paid; of the second nobody told. The order's number.
async fn paid_by_two(world: &World) -> String {
    let (_, _, number) = world.paid(WECHAT, "1").await;
    let second =
        Pay { out_trade_no: number.clone(), force: true, notify: Some(false), ..Pay::default() };
    world.sandbox.engine().pay_as(&second).unwrap();
    number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t15_a_second_payment_is_booked_from_the_bill_as_surplus() {
    let world = World::open().await;
    paid_by_two(&world).await;
    morning(&world, 0).await;
    let run = newest(&world, WECHAT, FRIDAY).await;
    assert_eq!(run["status"], "balanced", "{run}");
    let both = json!({"count": 2, "amount_fen": 16000});
    assert_eq!(run["summary"]["matched"]["payments"], both);
    let surplus = "SELECT count(*) FROM payments WHERE source = 'bill' AND surplus_fen = 8000";
    assert_eq!(world.count(surplus).await, 1);
    let told = "SELECT count(*) FROM incidents WHERE kind = 'surplus_payment'";
    assert_eq!(world.count(told).await, 1, "its refund is proposed");
    assert_eq!(world.heard()["payment.surplus"], 1);
    again(&world, WECHAT, FRIDAY).await;
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 2, "nothing is booked twice");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_payment_that_no_query_confirms_is_not_booked() {
    let world = World::open().await;
    let number = paid_by_two(&world).await;
    // And one that the provider itself does not know, but for its bill.
    let mut changed = Fault::new(Place::Bill, Action::ExtraRow);
    changed.of.merchant = Some(account(WECHAT).to_owned());
    changed.of.out_trade_no = Some(number);
    world.sandbox.engine().set_fault(changed).unwrap();
    let mut silent = Fault::new(Place::Answer, Action::Status500);
    silent.operation = Some(Operation::Query);
    world.sandbox.engine().set_fault(silent).unwrap();
    world.clock.set(at(MORNINGS[0]));
    while reconcile::run_once(&world.hub).await.unwrap() > 0 {}
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 1);
    let second =
        "SELECT count(*) FROM differences WHERE kind = 'only_in_bill' AND cause = 'second_payment'";
    assert_eq!(world.count(second).await, 2, "the hub has the order: neither is foreign");
    world.sandbox.engine().lift_faults(None);
    let run = again(&world, WECHAT, FRIDAY).await;
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 2, "the true one alone");
    let left = differences(&world, &run).await;
    assert_eq!((left.len(), &left[0]["cause"]), (1, &json!("bill_contradicted")), "{left:?}");
    world.finish().await;
}
