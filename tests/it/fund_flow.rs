//! The day's fund flow bill beside its trade bill: what came in gross must have moved gross.

use payhub::demo::{ALIPAY, WECHAT};
use payhub::reconcile;
use sandbox::{Action, Fault, Match, Operation, Place};
use serde_json::{Value, json};

use crate::harness::{World, at, word};

const FRIDAY: &str = "2018-11-30";
/// Saturday 10:05 in Beijing.
const NEXT_MORNING: &str = "2018-12-01T02:05:00Z";
const ACCOUNTS: [(&str, &str); 2] = [(WECHAT, "1900000001"), (ALIPAY, "2021000000000000")];

fn in_the_flow(action: Action, account: &str, number: Option<&str>) -> Fault {
    let mut fault = Fault::new(Place::FundBill, action);
    fault.of = Match {
        out_trade_no: number.map(str::to_owned),
        merchant: Some(account.to_owned()),
        ..Match::default()
    };
    fault
}

async fn at_hour(world: &World, instant: &str) {
    world.clock.set(at(instant));
    while reconcile::run_once(&world.hub).await.unwrap() > 0 {}
}

/// The newest run of a day.
async fn run_of(world: &World, merchant: &str, day: &str) -> Value {
    let path = format!("/v1/reconciliations?date={day}&merchant_id={merchant}");
    world.get(&path).await.unwrap().1["data"][0].clone()
}

async fn differences_of(world: &World, run: &Value) -> usize {
    let path = format!("/v1/reconciliations/{}/differences", word(run, "id"));
    world.get(&path).await.unwrap().1["data"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_day_moves_gross_and_its_balance_goes_on_to_the_next() {
    let world = World::open().await;
    for (merchant, _) in ACCOUNTS {
        let (_, order, _) = world.paid(merchant, merchant).await;
        let body = json!({"amount_fen": 3000, "reason": "多收"});
        world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    }
    world.seconds(120).await;
    at_hour(&world, NEXT_MORNING).await;
    for (merchant, _) in ACCOUNTS {
        let run = run_of(&world, merchant, FRIDAY).await;
        let flow = &run["summary"]["fund_flow"];
        assert_eq!((word(&run, "status").as_str(), &flow["balanced"]), ("balanced", &json!(true)));
        assert_eq!(flow["matched"]["count"], json!(2), "{flow}");
        assert_eq!(flow["changes"]["payment"]["amount_fen"], json!(8000), "{flow}");
        assert_eq!(flow["changes"]["refund"]["amount_fen"], json!(-3000), "{flow}");
        assert_eq!((&flow["opening_fen"], &flow["closing_fen"]), (&json!(0), &json!(5000)));
        world.paid(merchant, &format!("{merchant} on Saturday")).await;
    }
    at_hour(&world, "2018-12-02T02:05:00Z").await;
    for (merchant, _) in ACCOUNTS {
        let run = run_of(&world, merchant, "2018-12-01").await;
        let flow = &run["summary"]["fund_flow"];
        assert_eq!(word(&run, "status"), "balanced", "{run}");
        assert_eq!((&flow["opening_fen"], &flow["closing_fen"]), (&json!(5000), &json!(13000)));
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_on_to_the_bank_leaves_the_account_and_is_no_difference() {
    let world = World::open().await;
    for (merchant, _) in ACCOUNTS {
        world.paid(merchant, merchant).await;
    }
    for day in ["2018-12-01", "2018-12-02", "2018-12-03", "2018-12-04"] {
        at_hour(&world, &format!("{day}T02:05:00Z")).await;
    }
    for (merchant, _) in ACCOUNTS {
        let sunday = run_of(&world, merchant, "2018-12-02").await;
        assert_eq!(sunday["summary"]["fund_flow"]["closing_fen"], json!(8000), "{sunday}");
        // Nothing was paid on Monday, and yet the account has a bill.
        let monday = run_of(&world, merchant, "2018-12-03").await;
        let flow = &monday["summary"]["fund_flow"];
        assert_eq!(word(&monday, "status"), "balanced", "{monday}");
        let gone = json!({"withdrawal": {"count": 1, "amount_fen": -8000}});
        assert_eq!((&flow["opening_fen"], &flow["changes"]), (&json!(8000), &gone), "{flow}");
        assert_eq!(flow["closing_fen"], json!(0), "{flow}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_error_of_the_flow_is_one_difference_of_its_kind_and_none_between_hub_and_bill() {
    for (action, cause) in [
        (Action::MissingRow, "missing_in_flow"),
        (Action::ExtraRow, "missing_in_trade"),
        (Action::ChangedRow, "amount_unequal"),
        (Action::ChargeTaken, "net_settled"),
    ] {
        let world = World::open().await;
        for (merchant, account) in ACCOUNTS {
            let (_, _, number) = world.paid(merchant, merchant).await;
            // Without another one the day would have no bill.
            world.paid(merchant, &format!("{merchant} too")).await;
            let stray = format!("STRAY{account}");
            let number = if action == Action::ExtraRow { &stray } else { &number };
            let number = Some(number.as_str()).filter(|_| action != Action::ChargeTaken);
            world.sandbox.engine().set_fault(in_the_flow(action, account, number)).unwrap();
        }
        at_hour(&world, NEXT_MORNING).await;
        for (merchant, _) in ACCOUNTS {
            let run = run_of(&world, merchant, FRIDAY).await;
            let flow = &run["summary"]["fund_flow"];
            let found = flow["differences"].as_array().unwrap();
            // Where charges are taken, each of the two payments has one.
            let expected = if action == Action::ChargeTaken { 2 } else { 1 };
            assert_eq!(found.len(), expected, "{merchant} {action:?}: {flow}");
            assert!(found.iter().all(|it| it["cause"] == json!(cause)), "{action:?}: {flow}");
            assert_eq!(word(&run, "status"), "unbalanced", "{merchant} {action:?}: {run}");
            assert_eq!(differences_of(&world, &run).await, 0, "{merchant} {action:?}");
        }
        world.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_does_not_wait_for_a_late_flow_and_is_made_again_when_it_comes() {
    let world = World::open().await;
    for (merchant, account) in ACCOUNTS {
        world.paid(merchant, merchant).await;
        world.sandbox.engine().set_fault(in_the_flow(Action::Late, account, None)).unwrap();
    }
    at_hour(&world, NEXT_MORNING).await;
    for (merchant, _) in ACCOUNTS {
        let run = run_of(&world, merchant, FRIDAY).await;
        assert_eq!((word(&run, "status").as_str(), &run["version"]), ("balanced", &json!(1)));
        assert_eq!(run["summary"]["fund_flow"], Value::Null);
        let note = word(&run["summary"], "fund_flow_note");
        assert!(note.contains("未核对"), "not silently: {note}");
    }
    let late = "SELECT count(*) FROM incidents WHERE kind = 'fund_bill_late'";
    at_hour(&world, "2018-12-01T03:30:00Z").await;
    assert_eq!(world.count(late).await, 0, "before noon nobody is told");
    at_hour(&world, "2018-12-01T05:00:00Z").await;
    assert_eq!(world.count(late).await, 2);
    world.sandbox.engine().lift_faults(None);
    at_hour(&world, "2018-12-01T07:00:00Z").await;
    for (merchant, _) in ACCOUNTS {
        let run = run_of(&world, merchant, FRIDAY).await;
        assert_eq!((word(&run, "status").as_str(), &run["version"]), ("balanced", &json!(2)));
        assert_eq!(run["summary"]["fund_flow"]["balanced"], json!(true), "{run}");
        assert_eq!(run["summary"]["fund_flow_note"], Value::Null, "{run}");
    }
    assert_eq!(world.count("SELECT count(*) FROM fund_bill_waits").await, 0);
    at_hour(&world, "2018-12-01T09:00:00Z").await;
    let versions = "SELECT max(version)::bigint FROM runs WHERE bill_date = '2018-11-30'";
    assert_eq!(world.count(versions).await, 2, "once");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_flow_is_kept_as_evidence_and_nothing_is_taken_from_it() {
    let world = World::open().await;
    for (merchant, account) in ACCOUNTS {
        world.paid(merchant, merchant).await;
        world.sandbox.engine().set_fault(in_the_flow(Action::Truncate, account, None)).unwrap();
    }
    at_hour(&world, NEXT_MORNING).await;
    for (merchant, _) in ACCOUNTS {
        let run = run_of(&world, merchant, FRIDAY).await;
        assert_eq!(word(&run, "status"), "balanced", "{run}");
        assert_eq!(run["summary"]["fund_flow"], Value::Null);
    }
    let kept = "SELECT count(DISTINCT merchant_id) FROM damaged_bills WHERE why LIKE '%fund flow%'";
    assert_eq!(world.count(kept).await, 2);
    assert_eq!(world.count("SELECT count(*) FROM fund_bill_files").await, 0);
    world.sandbox.engine().lift_faults(None);
    at_hour(&world, "2018-12-01T04:00:00Z").await;
    for (merchant, _) in ACCOUNTS {
        let run = run_of(&world, merchant, FRIDAY).await;
        assert_eq!(run["summary"]["fund_flow"]["balanced"], json!(true), "{run}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_that_stays_damaged_makes_no_version_of_a_day_however_often_it_is_asked_for() {
    let world = World::open().await;
    for (merchant, account) in ACCOUNTS {
        world.paid(merchant, merchant).await;
        world.sandbox.engine().set_fault(in_the_flow(Action::Truncate, account, None)).unwrap();
    }
    at_hour(&world, NEXT_MORNING).await;
    for minutes in [15, 30, 55, 115, 175] {
        let now = at(NEXT_MORNING) + jiff::SignedDuration::from_mins(minutes);
        at_hour(&world, &now.to_string()).await;
    }
    for (merchant, _) in ACCOUNTS {
        let run = run_of(&world, merchant, FRIDAY).await;
        assert_eq!(run["version"], json!(1), "Alipay names no hash: what comes is read first");
        assert!(word(&run["summary"], "fund_flow_note").contains("未核对"), "{run}");
    }
    let told =
        "SELECT count(*) FROM incidents WHERE kind = 'fund_bill_late' AND detail LIKE '%damaged%'";
    assert_eq!(world.count(told).await, 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_day_that_nobody_answered_for_is_empty_once_it_is_answered() {
    let world = World::open().await;
    let engine = world.sandbox.engine();
    let silent = Fault::new(Place::Answer, Action::Status500).during(Operation::FundBill);
    let silent = engine.set_fault(silent).unwrap();
    at_hour(&world, NEXT_MORNING).await;
    let first = run_of(&world, WECHAT, FRIDAY).await;
    assert!(word(&first["summary"], "fund_flow_note").contains("未核对"), "{first}");
    engine.lift_faults(Some(silent));
    at_hour(&world, "2018-12-01T05:00:00Z").await;
    for (merchant, _) in ACCOUNTS {
        let run = run_of(&world, merchant, FRIDAY).await;
        assert_eq!((word(&run, "status").as_str(), &run["version"]), ("balanced", &json!(2)));
        assert_eq!(run["summary"]["fund_flow"]["balanced"], json!(true), "{run}");
    }
    let late = "SELECT count(*) FROM incidents WHERE kind = 'fund_bill_late'";
    assert_eq!(world.count(late).await, 0, "no money moved: nobody is told of any");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_is_fetched_anew_keeps_the_flow_that_it_had_where_none_comes() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    let engine = world.sandbox.engine();
    engine.set_fault(in_the_flow(Action::ChargeTaken, "1900000001", None)).unwrap();
    at_hour(&world, NEXT_MORNING).await;
    let first = run_of(&world, WECHAT, FRIDAY).await;
    assert_eq!(word(&first, "status"), "unbalanced", "{first}");
    engine.set_fault(in_the_flow(Action::Late, "1900000001", None)).unwrap();
    let body = json!({"merchant_id": WECHAT, "date": FRIDAY, "refetch": true});
    assert_eq!(world.post("/v1/reconciliations", &body).await.unwrap().0, 202);
    while reconcile::run_once(&world.hub).await.unwrap() > 0 {}
    let again = run_of(&world, WECHAT, FRIDAY).await;
    assert_eq!((word(&again, "status").as_str(), &again["version"]), ("unbalanced", &json!(2)));
    assert_eq!(again["summary"]["fund_flow"], first["summary"]["fund_flow"]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_again_reads_the_stored_flow_and_says_the_same() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    let fault = in_the_flow(Action::ChargeTaken, "1900000001", None);
    world.sandbox.engine().set_fault(fault).unwrap();
    at_hour(&world, NEXT_MORNING).await;
    let first = run_of(&world, WECHAT, FRIDAY).await;
    // What the provider gives now is another file; what was read stands.
    world.sandbox.engine().lift_faults(None);
    let body = json!({"merchant_id": WECHAT, "date": FRIDAY});
    assert_eq!(world.post("/v1/reconciliations", &body).await.unwrap().0, 202);
    while reconcile::run_once(&world.hub).await.unwrap() > 0 {}
    let again = run_of(&world, WECHAT, FRIDAY).await;
    assert_eq!(again["version"], json!(2));
    assert_eq!(again["summary"]["fund_flow"], first["summary"]["fund_flow"]);
    let page = world.url(&format!("/v1/reconciliations/{}/report.html", word(&again, "id")));
    let key = payhub::demo::Office::api_key();
    let page = world.client().get(page).bearer_auth(key).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("手续费从本金中扣除"), "the paper says what to do: {page}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_that_stays_damaged_makes_no_version_after_version_and_is_told() {
    let world = World::open().await;
    for (merchant, account) in ACCOUNTS {
        // The file is true to its hash, and its rows do not add up: more than any sum holds.
        for turn in ["once", "twice"] {
            let (_, _, number) = world.paid(merchant, &format!("{merchant} {turn}")).await;
            let mut fault = in_the_flow(Action::ChangedRow, account, Some(&number));
            fault.amount_delta_fen = Some(i64::MAX / 4 * 3);
            world.sandbox.engine().set_fault(fault).unwrap();
        }
    }
    for hour in 2..9 {
        at_hour(&world, &format!("2018-12-01T0{hour}:30:00Z")).await;
    }
    let versions = "SELECT max(version)::bigint FROM runs WHERE bill_date = '2018-11-30'";
    assert_eq!(world.count(versions).await, 1, "nothing new was learnt");
    let kept = "SELECT count(DISTINCT merchant_id) FROM damaged_bills WHERE why LIKE '%fund flow%'";
    assert_eq!(world.count(kept).await, 2);
    let late = "SELECT count(*) FROM incidents WHERE kind = 'fund_bill_late'";
    assert_eq!(world.count(late).await, 2, "from noon on a person is told");
    world.clock.set(at("2018-12-06T02:30:00Z"));
    while reconcile::run_once(&world.hub).await.unwrap() > 0 {}
    let of_it = "SELECT count(*) FROM fund_bill_waits WHERE bill_date = '2018-11-30'";
    assert_eq!(world.count(of_it).await, 0, "it is not asked for for ever");
    world.finish().await;
}

/// Somebody pays just before midnight of Friday, and the money never reaches the account.
async fn paid_at_midnight_and_never_there(world: &World) {
    world.paid(WECHAT, "in time").await;
    world.clock.set(at("2018-11-30T15:55:00Z"));
    let (_, _, number) = world.paid(WECHAT, "at midnight").await;
    let fault = in_the_flow(Action::MissingRow, "1900000001", Some(&number));
    world.sandbox.engine().set_fault(fault).unwrap();
}

fn late_on(day: &str) -> Fault {
    let mut fault = in_the_flow(Action::Late, "1900000001", None);
    fault.of.date = Some(day.parse().unwrap());
    fault
}

/// The causes of what differs in the flow of a day's newest run.
async fn causes(world: &World, day: &str) -> (Value, Vec<String>) {
    let run = run_of(world, WECHAT, day).await;
    let found = run["summary"]["fund_flow"]["differences"].as_array().cloned().unwrap_or_default();
    (run, found.iter().map(|it| word(it, "cause")).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doubt_waits_over_a_day_that_has_no_flow() {
    let world = World::open().await;
    paid_at_midnight_and_never_there(&world).await;
    world.sandbox.engine().set_fault(late_on("2018-12-01")).unwrap();
    at_hour(&world, NEXT_MORNING).await;
    let (run, found) = causes(&world, FRIDAY).await;
    assert_eq!((word(&run, "status").as_str(), found.len()), ("balanced", 0), "a doubt: {run}");
    world.paid(WECHAT, "on Saturday").await;
    at_hour(&world, "2018-12-02T02:05:00Z").await;
    world.paid(WECHAT, "on Sunday").await;
    at_hour(&world, "2018-12-03T02:05:00Z").await;
    let (run, found) = causes(&world, "2018-12-02").await;
    let doubts = run["summary"]["fund_flow"]["doubts"].as_array().unwrap().len();
    // The file that could have it is Saturday's, and has not come.
    assert_eq!((found.len(), doubts), (0, 1), "it is not forgotten: {run}");
    world.paid(WECHAT, "on Monday").await;
    at_hour(&world, "2018-12-04T02:05:00Z").await;
    let (run, found) = causes(&world, "2018-12-03").await;
    assert_eq!(found, ["missing_in_flow"], "the money never came: {run}");
    world.finish().await;
}
