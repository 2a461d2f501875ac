//! A day that is signed: one prepares it, another reviews it, and then it stays as it is. To open it
//! again takes two.

use domain::Clock as _;
use domain::sign_off::SignOffStep::{self, Prepared, ReopenAsked, Reopened, Returned, Reviewed};
use domain::time::business_day;
use payhub::clock::SystemClock;
use payhub::demo::{Office, WECHAT};
use payhub::sign_off::{Signing, sign};
use serde_json::{Value, json};

use crate::harness::{World, at, word};
use crate::processes::town::Town;

/// Saturday 10:05 in Beijing.
const NEXT_MORNING: &str = "2018-12-01T02:05:00Z";

/// An office on the next morning with the run of its one payment.
async fn reconciled() -> (World, String) {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let run = word(&newest(&world).await, "id");
    (world, run)
}

async fn newest(world: &World) -> Value {
    let path = format!("/v1/reconciliations?date=2018-11-30&merchant_id={WECHAT}");
    world.get(&path).await.unwrap().1["data"][0].clone()
}

/// Takes a step; how far the run is signed then, or the code that refuses it.
async fn step(world: &World, run: &str, step: SignOffStep, by: &str) -> String {
    let reason = step.needs_reason().then_some("数据有误");
    match sign(&world.hub, run, &Signing { step, by, reason }).await {
        Ok(run) => run.sign_off,
        Err(fault) => fault.code.to_owned(),
    }
}

async fn again(world: &World) -> (u16, Value) {
    let body = json!({"merchant_id": WECHAT, "date": "2018-11-30"});
    world.post("/v1/reconciliations", &body).await.unwrap()
}

async fn paper(world: &World, run: &str, form: &str) -> Vec<u8> {
    let url = world.url(&format!("/v1/reconciliations/{run}/report.{form}"));
    let answer = world.client().get(url).bearer_auth(Office::api_key()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer.bytes().await.unwrap().to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_prepares_another_reviews_and_the_run_is_locked() {
    let (world, run) = reconciled().await;
    assert_eq!(step(&world, &run, Reviewed, "李四").await, "sign_off_conflict");
    assert_eq!(step(&world, &run, Prepared, "张三").await, "prepared");
    assert_eq!(step(&world, &run, Prepared, "王五").await, "sign_off_conflict");
    for same in [" 张三 ", "张 三"] {
        assert_eq!(step(&world, &run, Reviewed, same).await, "same_person", "{same:?}");
    }
    for unseen in ["张\u{3000}三", "张三\u{200b}", "张三\u{feff}", "\u{202e}张三"] {
        assert_eq!(step(&world, &run, Reviewed, unseen).await, "by_invalid", "{unseen:?}");
    }
    assert_eq!(step(&world, &run, Returned, "李四").await, "none");
    assert_eq!(step(&world, &run, Prepared, "张三").await, "prepared");
    assert_eq!(step(&world, &run, Reviewed, "李四").await, "reviewed");
    let (status, refused) = again(&world).await;
    assert_eq!((status, &refused["code"]), (409, &json!("run_signed")), "{refused}");
    let (_, list) = world.get(&format!("/v1/reconciliations/{run}/signatures")).await.unwrap();
    let signed: Vec<String> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|signature| format!("{} {}", word(signature, "event"), word(signature, "by")))
        .collect();
    assert_eq!(signed, ["prepared 张三", "returned 李四", "prepared 张三", "reviewed 李四"]);
    assert_eq!(word(&newest(&world).await, "sign_off"), "reviewed");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_open_a_locked_run_takes_two_and_makes_a_new_version() {
    let (world, run) = reconciled().await;
    step(&world, &run, Prepared, "张三").await;
    step(&world, &run, Reviewed, "李四").await;
    assert_eq!(step(&world, &run, Reopened, "李四").await, "sign_off_conflict", "nobody asked");
    assert_eq!(step(&world, &run, ReopenAsked, "李四").await, "reviewed");
    assert_eq!(step(&world, &run, Reopened, "李四").await, "same_person");
    assert_eq!(again(&world).await.0, 409, "asking alone opens nothing");
    assert_eq!(step(&world, &run, Reopened, "张三").await, "reopened");
    world.settle().await.unwrap();
    let second = newest(&world).await;
    assert_eq!((&second["version"], &second["sign_off"]), (&json!(2), &json!("none")));
    assert_eq!(word(&second, "status"), "balanced");
    assert_eq!(step(&world, &run, Prepared, "张三").await, "sign_off_conflict");
    let second = word(&second, "id");
    assert_eq!(step(&world, &second, Prepared, "李四").await, "prepared", "parts may change");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_signed_is_given_byte_for_byte_and_cannot_be_changed() {
    let (world, run) = reconciled().await;
    step(&world, &run, Prepared, "张三").await;
    step(&world, &run, Reviewed, "李四").await;
    let client = world.database().await;
    let kept = "SELECT content FROM signed_papers WHERE run_id = $1 AND form = $2";
    for form in ["xlsx", "html", "csv", "json"] {
        let content: Vec<u8> = client.query_one(kept, &[&run, &form]).await.unwrap().get(0);
        assert!(!content.is_empty());
        assert_eq!(paper(&world, &run, form).await, content, "{form}");
    }
    for (tampering, constraint) in [
        ("UPDATE runs SET report = '{}'", "what_is_signed_stays"),
        ("UPDATE runs SET sign_off = 'none' WHERE sign_off = 'reviewed'", "what_is_signed_stays"),
        ("UPDATE runs SET bill_date = bill_date - 1 WHERE sign_off = 'reviewed'", "what_is_signed_stays"),
        (
            "INSERT INTO runs (run_id, merchant_id, bill_date, version, status, started_at)
             SELECT 'run_x', merchant_id, bill_date, 9, 'running', started_at FROM runs WHERE sign_off = 'reviewed'",
            "a_signed_day_has_no_new_version",
        ),
        (
            "INSERT INTO run_signatures SELECT run_id, 9, 'reviewed', '张三', NULL, '\\x', signed_at FROM run_signatures WHERE event = 'prepared'",
            "nobody_reviews_what_he_prepared",
        ),
        (
            "INSERT INTO run_signatures SELECT run_id, 9, 'reopened', '张三', NULL, '\\x', signed_at FROM run_signatures WHERE event = 'prepared'",
            "nobody_reopens_a_run_alone",
        ),
    ] {
        let error = client.batch_execute(tampering).await.unwrap_err();
        let found = error.as_db_error().unwrap().constraint().unwrap_or_default();
        assert_eq!(found, constraint, "{error:?}");
    }
    for table in ["run_signatures", "signed_papers"] {
        assert!(client.batch_execute(&format!("DELETE FROM {table}")).await.is_err());
    }
    drop(client);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_newest_version_is_signed_and_only_over_the_journal_that_it_names() {
    let (world, run) = reconciled().await;
    step(&world, &run, Prepared, "张三").await;
    assert_eq!(again(&world).await.0, 202, "what is prepared is not locked");
    assert_eq!(step(&world, &run, Reviewed, "李四").await, "run_overtaken");
    let second = word(&newest(&world).await, "id");
    assert_eq!(step(&world, &second, Prepared, "张三").await, "run_not_ended");
    world.settle().await.unwrap();
    let client = world.database().await;
    let changed = "UPDATE runs SET report = jsonb_set(report, '{result,sums,hub,payments,count}', '7') WHERE run_id = $1";
    assert_eq!(client.execute(changed, &[&second]).await.unwrap(), 1);
    assert_eq!(step(&world, &second, Prepared, "张三").await, "report_does_not_foot");
    let changed = "UPDATE runs SET report = jsonb_set(report, '{result,sums,hub,payments,count}', '1') WHERE run_id = $1";
    assert_eq!(client.execute(changed, &[&second]).await.unwrap(), 1);
    let changed = "UPDATE runs SET journal_mac = '\\x00' WHERE run_id = $1";
    assert_eq!(client.execute(changed, &[&second]).await.unwrap(), 1);
    assert_eq!(step(&world, &second, Prepared, "张三").await, "journal_differs");
    assert_eq!(step(&world, &second, Prepared, "").await, "by_invalid");
    let silent = Signing { step: Returned, by: "李四", reason: None };
    assert_eq!(sign(&world.hub, &second, &silent).await.unwrap_err().code, "reason_missing");
    drop(client);
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_sign_at_once_are_one_signature() {
    let (world, run) = reconciled().await;
    step(&world, &run, Prepared, "张三").await;
    let (one, two) =
        tokio::join!(step(&world, &run, Reviewed, "李四"), step(&world, &run, Reviewed, "王五"),);
    let mut outcomes = [one, two];
    outcomes.sort();
    assert_eq!(outcomes, ["reviewed", "sign_off_conflict"]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_sign_at_the_command_line() {
    let town = Town::open().await;
    let same = ("drain_s = 0", "drain_s = 0");
    let says = |words: &[&str]| {
        let done = town.command(words, same);
        let said = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        (done.status.code().unwrap(), said)
    };
    // Before yesterday's, every bill is there at whatever hour.
    let day = business_day(SystemClock.now()).yesterday().unwrap().yesterday().unwrap().to_string();
    let (code, said) = says(&["reconcile", "--merchant", WECHAT, "--date", &day]);
    assert_eq!(code, 0, "{said}");
    let found = town.database().await.query_one("SELECT run_id FROM runs", &[]).await.unwrap();
    let run: String = found.get(0);
    let (code, said) = says(&["run", "prepare", &run, "--user", "张三"]);
    assert_eq!((code, said.trim()), (0, format!("{run}  prepared  prepared by 张三").as_str()));
    let (code, said) = says(&["run", "review", &run, "--user", "张三"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("张三 has prepared it; another must be the second"), "{said}");
    assert_eq!(says(&["run", "review", &run, "--user", "李四"]).0, 0);
    let (code, said) = says(&["reconcile", "--merchant", WECHAT, "--date", &day]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("two people open it again first"), "{said}");
    let (user, reason) = (["--user", "张三"], ["--reason", "账单更正"]);
    let asked = [["run", "ask-reopen", &run].as_slice(), &user, &reason].concat();
    assert_eq!(says(&asked).0, 0);
    assert_eq!(says(&["run", "reopen", &run, "--user", "李四"]).0, 0);
    let (code, said) = says(&["run", "show", &run]);
    assert_eq!(code, 0, "{said}");
    for line in [
        "prepared by 张三",
        "reviewed by 李四",
        "reopen_asked by 张三: 账单更正",
        "reopened by 李四",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(town.count("SELECT count(*) FROM runs").await, 2, "a new version begins with it");
    town.finish().await;
}
