//! A day that is made again: from the stored bill, or from the provider's; once at a time; and never
//! once it is signed.

use domain::sign_off::SignOffStep;
use payhub::demo::WECHAT;
use payhub::reconcile;
use payhub::sign_off::{Signing, sign};
use sandbox::{Action, Fault, Match, Place};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::typed::Typed;
use crate::harness::{World, at, word};
use crate::products::{LEGACY, legacy};

const FRIDAY: &str = "2018-11-30";
const NEXT_MORNING: &str = "2018-12-01T02:05:00Z";
/// How often a provider was asked for a bill.
const ASKED: &str = "SELECT count(*) FROM provider_calls WHERE operation = 'bill'";

fn with_old_key(providers: &mut sandbox::SandboxConfig) {
    for merchant in &mut providers.wechat {
        merchant.api_key = Some("payhubtestsonlyapiv2key012345678".to_owned());
    }
}

async fn post(world: &World, more: Value) -> (u16, Value) {
    let mut body = json!({"merchant_id": WECHAT, "date": FRIDAY});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    world.post("/v1/reconciliations", &body).await.unwrap()
}

async fn newest(world: &World) -> Value {
    let path = format!("/v1/reconciliations?date={FRIDAY}&merchant_id={WECHAT}");
    world.get(&path).await.unwrap().1["data"][0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rerun_of_a_stored_bill_asks_nobody_and_a_bill_that_changed_is_told() {
    let world = World::open().await;
    let (_, _, number) = world.paid(WECHAT, "1").await;
    world.paid(WECHAT, "2").await;
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let first = newest(&world).await;
    assert_eq!(first["status"], "balanced");
    let asked = world.count(ASKED).await;
    // The provider would give another file now.
    let mut missing = Fault::new(Place::Bill, Action::MissingRow);
    missing.of = Match { out_trade_no: Some(number), ..Match::default() };
    world.sandbox.engine().set_fault(missing).unwrap();
    assert_eq!(post(&world, json!({})).await.0, 202);
    world.settle().await.unwrap();
    let second = newest(&world).await;
    assert_eq!((&second["version"], &second["status"]), (&json!(2), &json!("balanced")));
    assert_eq!(second["bill_sha256"], first["bill_sha256"]);
    assert_eq!(world.count(ASKED).await, asked, "nobody was asked");
    let told = "SELECT count(*) FROM incidents WHERE kind = 'bill_changed'";
    assert_eq!(world.count(told).await, 0);
    for _ in 0..2 {
        assert_eq!(post(&world, json!({"refetch": true})).await.0, 202);
        world.settle().await.unwrap();
    }
    let last = newest(&world).await;
    assert_eq!((&last["version"], &last["status"]), (&json!(4), &json!("unbalanced")));
    assert_ne!(last["bill_sha256"], first["bill_sha256"]);
    assert_eq!(world.count(ASKED).await, asked + 2);
    assert_eq!(world.count(told).await, 1, "once a file");
    assert_eq!(world.count("SELECT count(*) FROM bill_files").await, 2, "both are kept");
    // What the newer version does not have any more is closed, and by whom is told.
    let differences = "SELECT count(*) FROM differences WHERE same_as IS NULL AND status = 'open'";
    assert_eq!(world.count(differences).await, 1);
    world.sandbox.engine().lift_faults(None);
    assert_eq!(post(&world, json!({"refetch": true})).await.0, 202);
    world.settle().await.unwrap();
    assert_eq!(newest(&world).await["status"], "balanced");
    assert_eq!(world.count(differences).await, 0);
    let closed = "SELECT count(*) FROM differences d JOIN runs r ON r.run_id = d.closed_run
                   WHERE d.status = 'cleared' AND r.version = 5 AND d.closed_at IS NOT NULL";
    assert_eq!(world.count(closed).await, 1);
    assert_eq!(world.heard()["difference.opened"], 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_has_one_run_that_has_not_ended() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    let late = world.sandbox.engine().set_fault(Fault::new(Place::Bill, Action::Late)).unwrap();
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let waiting = newest(&world).await;
    assert_eq!(waiting["status"], "waiting_for_bill");
    world.sandbox.engine().lift_faults(Some(late));
    // Asked for by hand it is due at once, and no second one begins.
    let many = (0..8).map(|_| post(&world, json!({})));
    for (status, run) in futures_util::future::join_all(many).await {
        assert_eq!((status, &run["id"]), (202, &waiting["id"]), "{run}");
    }
    world.settle().await.unwrap();
    assert_eq!(newest(&world).await["status"], "balanced");
    let runs = format!("SELECT count(*) FROM runs WHERE merchant_id = '{WECHAT}'");
    assert_eq!(world.count(&runs).await, 1);
    let by_hand = "INSERT INTO runs (run_id, merchant_id, bill_date, version, status, next_at, started_at)
                   SELECT 'run_' || n, 'x', '2018-11-30', n, 'waiting_for_bill', $1, $1 FROM generate_series(1, 2) AS n";
    let refused = world.database().await.execute(by_hand, &[&at(NEXT_MORNING)]).await.unwrap_err();
    let constraint = refused.as_db_error().and_then(|error| error.constraint().map(str::to_owned));
    assert_eq!(constraint.as_deref(), Some("one_unfinished_run_a_day"));
    world.finish().await;
}

async fn signed(world: &World, run: &str, step: SignOffStep, by: &str) {
    let reason = step.needs_reason().then_some("账单更正");
    sign(&world.hub, run, &Signing { step, by, reason }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_run_is_locked() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let database = world.database().await;
    let run = word(&newest(&world).await, "id");
    signed(&world, &run, SignOffStep::Prepared, "张三").await;
    signed(&world, &run, SignOffStep::Reviewed, "李四").await;
    for more in [json!({}), json!({"refetch": true})] {
        let (status, problem) = post(&world, more).await;
        assert_eq!((status, &problem["code"]), (409, &json!("run_signed")), "{problem}");
    }
    let day = FRIDAY.parse().unwrap();
    let refused =
        reconcile::now(&world.hub, &WECHAT.parse().unwrap(), day, "张三").await.unwrap_err();
    assert_eq!(refused.code, "run_signed");
    // Not even by hand.
    let by_hand = "INSERT INTO runs (run_id, merchant_id, bill_date, version, status, started_at)
                   SELECT 'run_by_hand', merchant_id, bill_date, 2, 'failed', started_at FROM runs WHERE merchant_id = $1";
    let refused = database.execute(by_hand, &[&WECHAT]).await.unwrap_err();
    let constraint = refused.as_db_error().and_then(|error| error.constraint().map(str::to_owned));
    assert_eq!(constraint.as_deref(), Some("a_signed_day_has_no_new_version"));
    assert_eq!(newest(&world).await["version"], 1);
    // Reopened, it can be made again.
    signed(&world, &run, SignOffStep::ReopenAsked, "张三").await;
    signed(&world, &run, SignOffStep::Reopened, "李四").await;
    assert_eq!(post(&world, json!({})).await.0, 202);
    world.settle().await.unwrap();
    assert_eq!(newest(&world).await["version"], 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bill_is_late_by_noon_of_the_day_after_its_own() {
    let world = World::open().await;
    world.paid(WECHAT, "1").await;
    world.sandbox.engine().set_fault(Fault::new(Place::Bill, Action::Late)).unwrap();
    let told = "SELECT count(*) FROM incidents WHERE kind = 'bill_late'";
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    assert_eq!(world.count(told).await, 0, "it is five past ten");
    // Another morning, before noon: the Friday's is a day late, the Saturday's is not.
    world.clock.set(at("2018-12-02T02:35:00Z"));
    world.settle().await.unwrap();
    let late = "SELECT count(*) FROM incidents WHERE kind = 'bill_late' AND detail LIKE 'bill of 2018-11-30%'";
    assert_eq!(world.count(late).await, world.count(told).await);
    assert!(world.count(late).await > 0);
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_v2_bill_of_two_mebibytes_is_fetched() {
    let world = World::open_at(&legacy(), with_old_key).await;
    let mut extra = Fault::new(Place::Bill, Action::ExtraRow);
    extra.of.merchant = Some("1900000109".to_owned());
    // A bill comes packed, so only numbers that nothing repeats make it large.
    for row in 0..3600_u32 {
        let parts =
            (0..22_u32).map(|part| Sha256::digest([row, part].map(u32::to_be_bytes).concat()));
        let number = parts.flatten().map(|byte| format!("{byte:02x}")).collect::<String>();
        extra.of.out_trade_no = Some(number);
        world.sandbox.engine().set_fault(extra.clone()).unwrap();
    }
    world.clock.set(at(NEXT_MORNING));
    while reconcile::run_once(&world.hub).await.unwrap() > 0 {}
    let run = format!(
        "SELECT concat_ws(' ', r.status, r.summary #>> '{{bill,payments,count}}', octet_length(b.content) >= 2 * 1024 * 1024)
           FROM runs r LEFT JOIN bill_files b USING (bill_file_id) WHERE r.merchant_id = '{LEGACY}'"
    );
    let found: String = world.database().await.query_one(&run, &[]).await.unwrap().get(0);
    assert_eq!(found, "unbalanced 3600 t");
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_of_which_no_bill_is_kept_any_more_ends_and_draws_no_others_in() {
    let world = World::open().await;
    world.clock.set(at(NEXT_MORNING));
    let ask = |date: &str| json!({"merchant_id": WECHAT, "date": date});
    let (status, refused) = world.post("/v1/reconciliations", &ask("1970-01-01")).await.unwrap();
    assert_eq!((status, &refused["code"]), (422, &json!("days_invalid")));
    let (status, run) = world.post("/v1/reconciliations", &ask("2018-05-02")).await.unwrap();
    assert_eq!((status, &run["status"]), (202, &json!("waiting_for_bill")));
    world.settle().await.unwrap();
    let path = format!("/v1/reconciliations/{}", word(&run, "id"));
    let (_, ended) = world.get(&path).await.unwrap();
    assert_eq!((&ended["status"], &ended["next_try_at"]), (&json!("failed"), &Value::Null));
    assert!(word(&ended, "failure").contains("the provider refused"), "{ended}");
    let days = format!("SELECT count(*) FROM runs WHERE merchant_id = '{WECHAT}'");
    assert_eq!(world.count(&days).await, 2, "that day and yesterday");
    assert_eq!(newest(&world).await["status"], "balanced");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_cannot_be_run_is_bad_usage_and_no_difference() {
    let world = World::open().await;
    let typed = Typed::over(&world);
    let (code, said) = typed.says(&["reconcile", "--merchant", "nobody", "--date", FRIDAY]);
    assert_eq!((code, said.lines().count()), (2, 1), "{said}");
    assert!(said.contains("nobody"), "{said}");
    let (code, said) = typed.says(&["reconcile", "--merchant", WECHAT, "--date", "20181130"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("YYYY-MM-DD"), "{said}");
    world.finish().await;
}
