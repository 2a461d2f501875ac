//! Cases: opened once, moved by what the office tells, with a deadline by the working-day calendar,
//! and a light that is told when it changes.

mod messages;

use payhub::demo::{ALIPAY, Office};
use serde_json::{Value, json};

use crate::harness::{World, at, word};

const OTHER: &str = r#"
[[applications]]
id = "other"
api_key = "phk_another_service_000000000000000000000"
"#;
const OTHER_KEY: &str = "phk_another_service_000000000000000000000";

/// A case of the Friday with three promised days.
fn case(case_no: &str) -> Value {
    json!({
        "case_no": case_no, "business_type": "transfer",
        "accepted_at": "2018-11-30T09:00:00+08:00", "promised_working_days": 3,
        "legal_working_days": 30, "department": "登记科", "handler": "窗口3",
        "applicant": {"name": "张三", "phone": "+86 138-1234-5678"},
    })
}

async fn open(world: &World, body: &Value) -> Value {
    let (status, case) = world.post("/v1/cases", body).await.unwrap();
    assert_eq!(status, 201, "{case}");
    case
}

async fn tell(world: &World, case_no: &str, body: Value) -> (u16, Value) {
    world.post(&format!("/v1/cases/{case_no}/progress"), &body).await.unwrap()
}

async fn told(world: &World, case_no: &str, event: &str) -> Value {
    let (status, case) = tell(world, case_no, json!({"event": event})).await;
    assert_eq!(status, 200, "{case}");
    case
}

async fn now(world: &World, case_no: &str) -> Value {
    let (status, case) = world.get(&format!("/v1/cases/{case_no}")).await.unwrap();
    assert_eq!(status, 200, "{case}");
    case
}

fn with(mut value: Value, texts: &[(&str, &str)]) -> Value {
    for (name, text) in texts {
        value[*name] = json!(text);
    }
    value
}

/// Ten in the morning of a day, and all that happens until then.
async fn go_to(world: &World, day: &str) {
    world.clock.set(at(&format!("{day}T02:00:00Z")));
    world.settle().await.unwrap();
}

/// `state deadline[?] light`, `?` when provisional.
fn stands(case: &Value) -> String {
    let deadline = &case["deadline"];
    let mark = if deadline["provisional"] == json!(true) { "?" } else { "" };
    format!("{} {}{mark} {}", word(case, "state"), word(deadline, "date"), word(case, "light"))
}

/// The lights that the backend was told of, in order.
fn lights(world: &World) -> Vec<String> {
    let heard = world.receiver.heard();
    let lights = heard.iter().filter(|it| it.body["type"] == json!("case.light_changed"));
    lights.map(|it| word(&it.body["data"], "light")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_days_turn_yellow_and_red_and_each_light_is_told_once() {
    let world = World::open().await;
    assert_eq!(stands(&open(&world, &case("1")).await), "accepted 2018-12-05 green");
    for (day, expected) in [
        ("2018-12-01", "accepted 2018-12-05 green"),
        ("2018-12-03", "accepted 2018-12-05 green"),
        ("2018-12-04", "accepted 2018-12-05 yellow"),
        ("2018-12-05", "accepted 2018-12-05 yellow"),
        ("2018-12-06", "accepted 2018-12-05 red"),
    ] {
        go_to(&world, day).await;
        assert_eq!(stands(&now(&world, "1").await), expected, "{day}");
    }
    assert_eq!(lights(&world), ["yellow", "red"]);
    let heard = world.receiver.heard();
    let last = heard.iter().rfind(|it| it.body["type"] == json!("case.light_changed")).unwrap();
    assert_eq!(last.body["data"], now(&world, "1").await, "the event carries what GET answers");
    told(&world, "1", "approved").await;
    assert_eq!(stands(&told(&world, "1", "registered").await), "registered 2018-12-05 red");
    go_to(&world, "2018-12-10").await;
    assert_eq!(lights(&world), ["yellow", "red"]);
    assert_eq!(world.count("SELECT count(*) FROM cases WHERE look_at IS NOT NULL").await, 0);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_light_that_several_hubs_see_changing_is_told_once() {
    let world = World::open().await;
    for number in ["1", "2", "3"] {
        open(&world, &case(number)).await;
    }
    world.clock.set(at("2018-12-04T02:00:00Z"));
    let runs = (0..4).map(|_| payhub::cases::run_once(&world.hub));
    let seen: usize =
        futures_util::future::join_all(runs).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(seen, 3, "each case is looked at by one of them");
    world.settle().await.unwrap();
    assert_eq!(lights(&world), ["yellow"; 3]);
    assert_eq!(payhub::cases::run_once(&world.hub).await.unwrap(), 0, "once a day is enough");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_cannot_be_computed_stops_no_other() {
    let world = World::open().await;
    for number in ["1", "苏(2018)2"] {
        open(&world, &case(number)).await;
    }
    let impossible =
        "INSERT INTO case_events (application_id, case_no, seq, event, occurred_at, told_at)
                      VALUES ('registry', '1', 1, 'closed', '2018-11-30', '2018-11-30')";
    world.database().await.execute(impossible, &[]).await.unwrap();
    go_to(&world, "2018-12-04").await;
    assert_eq!(lights(&world), ["yellow"]);
    assert_eq!(word(&now(&world, "苏(2018)2").await, "light"), "yellow");
    let (status, _) = world.get("/v1/cases/1").await.unwrap();
    assert_eq!(status, 500);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holidays_and_make_up_days_move_the_deadline() {
    let world = World::open().await;
    let mut body = case("spring");
    body["accepted_at"] = json!("2018-12-28T16:00:00+08:00");
    let opened = open(&world, &body).await;
    assert_eq!(stands(&opened), "accepted 2019-01-03 green", "29 December is worked, New Year not");
    let mut body = case("autumn");
    body["accepted_at"] = json!("2018-09-28T16:00:00+08:00");
    assert_eq!(stands(&open(&world, &body).await), "accepted 2018-10-08 red");
    world.settle().await.unwrap();
    assert_eq!(lights(&world), Vec::<String>::new(), "a light at the opening is no change");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_clock_gives_its_days_back_and_keeps_its_light() {
    let world = World::open().await;
    open(&world, &case("1")).await;
    go_to(&world, "2018-12-03").await;
    let (_, stopped) =
        tell(&world, "1", json!({"event": "supplement", "reason": "缺身份证明"})).await;
    assert_eq!(stands(&stopped), "supplementing 2018-12-05? green");
    assert_eq!(stopped["timeline"][0]["reason"], json!("缺身份证明"));
    go_to(&world, "2018-12-20").await;
    let stopped = now(&world, "1").await;
    assert_eq!(stands(&stopped), "supplementing 2018-12-24? green");
    assert_eq!(lights(&world), Vec::<String>::new());
    let resumed = told(&world, "1", "resumed").await;
    assert_eq!(stands(&resumed), "reviewing 2018-12-24 green");
    go_to(&world, "2018-12-21").await;
    assert_eq!(lights(&world), ["yellow"]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_told_late_takes_the_yellow_back_and_that_is_told_too() {
    let world = World::open().await;
    open(&world, &case("1")).await;
    go_to(&world, "2018-12-04").await;
    let late = json!({"event": "suspended", "occurred_at": "2018-12-03T09:00:00+08:00"});
    let (_, stopped) = tell(&world, "1", late).await;
    assert_eq!(word(&stopped, "light"), "green");
    assert_eq!(stands(&told(&world, "1", "resumed").await), "reviewing 2018-12-06 green");
    go_to(&world, "2018-12-05").await;
    assert_eq!(lights(&world), ["yellow", "green", "yellow"], "a new deadline has its own lights");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_number_is_one_case() {
    let world = World::open().await;
    let first = open(&world, &case("1")).await;
    let mut same = case("1");
    same["accepted_at"] = json!("2018-11-30T01:00:00Z");
    same["applicant"] = json!({"phone": "13812345678", "name": "张三", "locale": "zh-CN"});
    let (status, again) = world.post("/v1/cases", &same).await.unwrap();
    assert_eq!((status, again), (200, first));
    let mut other = case("1");
    other["applicant"]["phone"] = json!("13812345679");
    let (status, refused) = world.post("/v1/cases", &other).await.unwrap();
    assert_eq!((status, &refused["code"]), (409, &json!("case_exists")));
    let body = case("2");
    let all = (0..8).map(|_| world.post("/v1/cases", &body));
    let mut answers: Vec<u16> = futures_util::future::join_all(all)
        .await
        .into_iter()
        .map(|answer| answer.unwrap().0)
        .collect();
    answers.sort_unstable();
    assert_eq!(answers, [200, 200, 200, 200, 200, 200, 200, 201]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_is_unknown_or_not_possible_changes_nothing() {
    let world = World::open().await;
    open(&world, &case("1")).await;
    for (body, status, code) in [
        (json!({"event": "finished"}), 422, "unknown_event"),
        (json!({"reason": "补正"}), 422, "invalid_body"),
        (json!({"event": "closed"}), 409, "step_not_possible"),
        (json!({"event": "resumed"}), 409, "step_not_possible"),
        (
            json!({"event": "approved", "occurred_at": "2018-11-29T10:00:00+08:00"}),
            422,
            "invalid_body",
        ),
    ] {
        let (got, refused) = tell(&world, "1", body).await;
        assert_eq!((got, &refused["code"]), (status, &json!(code)), "{refused}");
    }
    assert_eq!(now(&world, "1").await["timeline"], json!([]));
    let (status, refused) = tell(&world, "nowhere", json!({"event": "approved"})).await;
    assert_eq!((status, &refused["code"]), (404, &json!("not_found")));
    told(&world, "1", "registered").await;
    let (status, refused) = tell(&world, "1", json!({"event": "supplement"})).await;
    assert_eq!((status, &refused["state"]), (409, &json!("registered")));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_keep_their_order_and_a_repeat_of_a_call_adds_none() {
    let world = World::open().await;
    open(&world, &case("1")).await;
    let keyed = || async {
        let request = world.client().post(world.url("/v1/cases/1/progress"));
        let request = request.bearer_auth(Office::api_key()).header("idempotency-key", "k");
        let answer = request.body(r#"{"event":"suspended"}"#).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let all = futures_util::future::join_all((0..8).map(|_| keyed())).await;
    assert!(all.iter().all(|answer| *answer == all[0] && answer.0 == 200), "{all:?}");
    let at_once = (0..8).map(|_| told(&world, "1", "resumed"));
    futures_util::future::join_all(at_once).await;
    let case = now(&world, "1").await;
    let timeline: Vec<(i64, &str)> = case["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["seq"].as_i64().unwrap(), it["event"].as_str().unwrap()))
        .collect();
    assert_eq!(timeline[0], (1, "suspended"));
    assert_eq!(timeline.len(), 9);
    assert!(timeline.iter().zip(1..).all(|((seq, _), expected)| *seq == expected));
    let client = world.database().await;
    for change in ["UPDATE case_events SET seq = 99", "DELETE FROM case_events"] {
        let refused = client.execute(change, &[]).await.unwrap_err();
        assert_eq!(refused.as_db_error().unwrap().constraint(), Some("facts_are_never_changed"));
    }
    drop(client);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_services_case_is_not_there() {
    let world = World::open_with(OTHER).await;
    open(&world, &case("1")).await;
    let url = world.url("/v1/cases/1");
    let seen = world.client().get(&url).bearer_auth(OTHER_KEY).send().await.unwrap();
    assert_eq!(seen.status().as_u16(), 404);
    let moved = world.client().post(format!("{url}/progress")).bearer_auth(OTHER_KEY);
    let moved = moved.body(r#"{"event":"approved"}"#).send().await.unwrap();
    assert_eq!(moved.status().as_u16(), 404);
    let own = world.client().post(world.url("/v1/cases")).bearer_auth(OTHER_KEY);
    let own = own.body(case("1").to_string()).send().await.unwrap();
    assert_eq!(own.status().as_u16(), 201, "numbers of two services are strangers");
    assert_eq!(now(&world, "1").await["timeline"], json!([]));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_shows_its_fees_and_prices_them_by_its_day() {
    let world = World::open_with(OTHER).await;
    let early = world.fee("1").await;
    let mut body = case("1");
    body["accepted_at"] = json!("2018-11-20T09:00:00+08:00");
    open(&world, &body).await;
    let later = world.fee("1").await;
    for (fee, day) in [(&early, "2018-11-30"), (&later, "2018-11-20")] {
        let (_, fee) = world.get(&format!("/v1/fees/{fee}")).await.unwrap();
        assert_eq!(word(&fee, "accepted_on"), day);
    }
    let quote = json!({"case_no": "1", "items": [{"code": "REG.RES", "quantity": 1}]});
    let (_, quote) = world.post("/v1/fees/quote", &quote).await.unwrap();
    assert_eq!(word(&quote, "accepted_on"), "2018-11-20");
    let own = json!({
        "case_no": "1", "payer": {"name": "李四"}, "items": [{"code": "REG.RES", "quantity": 1}],
    });
    let foreign = world.client().post(world.url("/v1/fees")).bearer_auth(OTHER_KEY);
    let foreign = foreign.body(own.to_string()).send().await.unwrap().bytes().await.unwrap();
    let foreign: Value = serde_json::from_slice(&foreign).unwrap();
    assert_eq!(
        word(&foreign, "accepted_on"),
        "2018-11-30",
        "another service's case prices nothing"
    );
    let (_, order) = world.order(ALIPAY, &[&early]).await;
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    world.settle().await.unwrap();
    let short = |id: &str, status: &str, outstanding: i64| {
        let value = json!({"total_fen": 8000, "outstanding_fen": outstanding});
        with(value, &[("id", id), ("status", status)])
    };
    let fees = now(&world, "1").await["fees"].take();
    assert_eq!(fees, json!([short(&early, "paid", 0), short(&later, "issued", 8000)]));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_applicant_is_shown_masked_and_stored_sealed() {
    let world = World::open().await;
    let opened = open(&world, &case("1")).await;
    let applicant = json!({"name": "张*", "phone": "138****5678", "locale": "zh-CN"});
    assert_eq!(opened["applicant"], applicant);
    let text: String = {
        let client = world.database().await;
        client.query_one("SELECT cases::text FROM cases", &[]).await.unwrap().get(0)
    };
    assert!(!text.contains("张三") && !text.contains("13812345678"));
    let mut body = case("2");
    body["applicant"]["phone"] = json!(13_812_345_678_i64);
    let (status, refused) = world.post("/v1/cases", &body).await.unwrap();
    assert_eq!((status, &refused["path"]), (422, &json!("applicant.phone")));
    assert!(!refused.to_string().contains("13812345678"), "a person's data is never repeated");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_has_the_members_that_are_described() {
    let world = World::open().await;
    open(&world, &case("1")).await;
    world.fee("1").await;
    let shown = told(&world, "1", "approved").await;
    let described = world.client().get(world.url("/openapi.json")).send().await.unwrap();
    let described: Value = serde_json::from_slice(&described.bytes().await.unwrap()).unwrap();
    let names = |value: &Value| -> Vec<String> {
        let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    for (schema, part) in [
        ("Case", &shown),
        ("CaseEvent", &shown["timeline"][0]),
        ("FeeInShort", &shown["fees"][0]),
        ("Deadline", &shown["legal_deadline"]),
        ("MaskedApplicant", &shown["applicant"]),
    ] {
        let members = &described["components"]["schemas"][schema]["properties"];
        assert_eq!(names(members), names(part), "{schema}");
    }
    world.finish().await;
}
