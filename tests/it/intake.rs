//! Callbacks that arrive together, while something is wrong: with one of them, with the database,
//! with another merchant. Whatever happens, who was told that his callback is taken finds it stored,
//! and who was not comes again.

use std::collections::BTreeMap;

use ::sandbox::Sealed;
use futures_util::future::join_all;
use payhub::demo::{ALIPAY, WECHAT};
use tokio::task::JoinHandle;

use crate::harness::{World, word};

/// Status and body of an answer.
type Answer = (u16, String);

/// What each provider hears when its callback is durable.
pub(crate) fn taken(merchant: &str) -> Answer {
    (200, if merchant == WECHAT { "" } else { "success" }.to_owned())
}

/// What each provider hears when it shall come again.
pub(crate) fn come_again(merchant: &str) -> Answer {
    let failure = r#"{"code":"FAIL","message":"the notice was not stored, come again"}"#;
    (503, if merchant == WECHAT { failure } else { "failure" }.to_owned())
}

/// The numbers of so many orders that were paid at their provider, of which the hub has not heard.
pub(crate) async fn paid_unheard(world: &World, merchant: &str, orders: usize) -> Vec<String> {
    let mut numbers = Vec::new();
    for case in 0..orders {
        let fee = world.fee(&format!("{merchant}-{case}")).await;
        let (status, order) = world.order(merchant, &[&fee]).await;
        assert_eq!(status, 201, "{order}");
        let number = word(&order, "out_trade_no");
        world.sandbox.engine().pay(&number, true).unwrap();
        numbers.push(number);
    }
    numbers
}

/// Says an order's callback at `url`, signed and sealed anew, without waiting for the answer.
pub(crate) fn say_at(world: &World, url: String, number: &str) -> JoinHandle<Answer> {
    let Sealed { headers, body, .. } = world.sandbox.engine().sealed_callback(number).unwrap();
    let mut request = world.client().post(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(body);
    tokio::spawn(async move {
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    })
}

/// Says an order's callback to the hub.
pub(crate) fn say(world: &World, merchant: &str, number: &str) -> JoinHandle<Answer> {
    say_at(world, world.url(&format!("/callbacks/{merchant}")), number)
}

/// All answers.
async fn answers(said: Vec<JoinHandle<Answer>>) -> Vec<Answer> {
    join_all(said).await.into_iter().map(Result::unwrap).collect()
}

/// What `/metrics` says under a name with its labels.
async fn metric(world: &World, name: &str) -> u64 {
    let text = world.client().get(world.url("/metrics")).send().await.unwrap();
    let text = text.text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0, |number| number.trim_end_matches(".0").parse().unwrap())
}

/// Waits until a metric has a value.
async fn metric_becomes(world: &World, name: &str, wanted: u64) {
    let begun = std::time::Instant::now();
    loop {
        let found = metric(world, name).await;
        if found == wanted {
            return;
        }
        assert!(begun.elapsed().as_secs() < 20, "{name}: {found}, not {wanted}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

fn waiting(merchant: &str) -> String {
    format!("payhub_callbacks_waiting{{merchant=\"{merchant}\"}}")
}

fn counted(merchant: &str, verdict: &str) -> String {
    format!("payhub_callbacks_total{{merchant=\"{merchant}\",verdict=\"{verdict}\"}}")
}

/// How many connections of the hub wait for a lock.
const BLOCKED: &str = "SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'payhub' AND wait_event_type = 'Lock'";

/// Holds an order's row, so that the transaction that comes to it waits, and all behind it too.
async fn hold(world: &World, number: &str) -> tokio_postgres::Client {
    let client = world.database().await;
    client.batch_execute("BEGIN").await.unwrap();
    let lock = "SELECT order_id FROM orders WHERE out_trade_no = $1 FOR UPDATE";
    client.query_one(lock, &[&number]).await.unwrap();
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t02_what_waits_together_is_one_transaction_and_each_gets_its_own_right_answer() {
    let world = World::open().await;
    let twin = world.twin(world.another_store()).await.unwrap();
    let numbers = paid_unheard(&world, WECHAT, 10).await;
    let held = hold(&world, &numbers[0]).await;
    let first = say(&world, WECHAT, &numbers[0]);
    world.becomes(BLOCKED, 1).await;
    // Each sealed anew: the same payment in other bytes, many times, at two hubs.
    let here = (0..40).map(|at| say(&world, WECHAT, &numbers[at % 10]));
    let there = (0..20).map(|at| {
        let url = twin.url(&format!("/callbacks/{WECHAT}"));
        say_at(&world, url, &numbers[at % 10])
    });
    let said: Vec<_> = here.chain(there).chain([first]).collect();
    metric_becomes(&world, &waiting(WECHAT), 40).await;
    held.batch_execute("ROLLBACK").await.unwrap();
    for answer in answers(said).await {
        assert_eq!(answer, taken(WECHAT));
    }
    for (query, rows) in [
        ("SELECT count(*) FROM callbacks", 61),
        ("SELECT count(*) FROM callbacks WHERE verdict = 'applied'", 10),
        ("SELECT count(*) FROM payments", 10),
        ("SELECT count(DISTINCT callback_id) FROM payments", 10),
        ("SELECT count(*) FROM journal_entries", 10),
        ("SELECT count(*) FROM events WHERE type = 'order.paid'", 10),
    ] {
        assert_eq!(world.count(query).await, rows, "{query}");
    }
    assert_eq!(metric(&world, "payhub_callbacks_per_commit_sum").await, 41);
    assert_eq!(metric(&world, "payhub_callbacks_per_commit_count").await, 2);
    twin.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_cannot_be_stored_does_not_harm_its_neighbours() {
    let world = World::open().await;
    let numbers = paid_unheard(&world, WECHAT, 12).await;
    let poison = "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (SELECT out_trade_no FROM orders WHERE order_id = NEW.order_id) = TG_ARGV[0] THEN
                RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'poisoned';
            END IF;
            RETURN NEW;
        END $$";
    let trigger = format!(
        "CREATE TRIGGER poison BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION poison('{}')",
        numbers[7]
    );
    let client = world.database().await;
    client.batch_execute(poison).await.unwrap();
    client.batch_execute(&trigger).await.unwrap();
    let held = hold(&world, &numbers[0]).await;
    let mut said = vec![say(&world, WECHAT, &numbers[0])];
    world.becomes(BLOCKED, 1).await;
    said.extend(numbers[1..].iter().map(|number| say(&world, WECHAT, number)));
    metric_becomes(&world, &waiting(WECHAT), 11).await;
    held.batch_execute("ROLLBACK").await.unwrap();
    for (number, answer) in numbers.iter().zip(answers(said).await) {
        let wanted = if *number == numbers[7] { come_again(WECHAT) } else { taken(WECHAT) };
        assert_eq!(answer, wanted, "{number}");
    }
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 11);
    assert_eq!(world.count("SELECT count(*) FROM callbacks WHERE verdict = 'applied'").await, 11);
    assert_eq!(metric(&world, &counted(WECHAT, "not_stored")).await, 1);
    // It comes again and again, is kept each time, and is one task.
    assert_eq!(say(&world, WECHAT, &numbers[7]).await.unwrap(), come_again(WECHAT));
    let task =
        "SELECT count(*) FROM incidents WHERE kind = 'notice_not_booked' AND closed_at IS NULL
                   AND detail LIKE '%poisoned%'";
    assert_eq!(world.count(task).await, 1);
    client.batch_execute("DROP TRIGGER poison ON payments").await.unwrap();
    let kept = "SELECT callback_id FROM callbacks WHERE verdict = 'incident' ORDER BY received_at";
    let kept: Vec<String> =
        client.query(kept, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(kept.len(), 2);
    let replayed = payhub::replay::replay(&world.hub, &kept[0].parse().unwrap()).await.unwrap();
    assert_eq!(replayed.as_str(), "applied", "what was kept can be replayed when it is mended");
    assert_eq!(say(&world, WECHAT, &numbers[7]).await.unwrap(), taken(WECHAT));
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 12);
    drop(client);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_somebody_holds_keeps_its_neighbours_waiting_for_a_few_seconds_at_most() {
    let world = World::open().await;
    let numbers = paid_unheard(&world, WECHAT, 6).await;
    let (first, held) = (hold(&world, &numbers[0]).await, hold(&world, &numbers[4]).await);
    let mut said = vec![say(&world, WECHAT, &numbers[0])];
    world.becomes(BLOCKED, 1).await;
    said.extend(numbers[1..].iter().map(|number| say(&world, WECHAT, number)));
    metric_becomes(&world, &waiting(WECHAT), 5).await;
    first.batch_execute("ROLLBACK").await.unwrap();
    // Nobody lets go of the other one.
    for (number, answer) in numbers.iter().zip(answers(said).await) {
        let wanted = if *number == numbers[4] { come_again(WECHAT) } else { taken(WECHAT) };
        assert_eq!(answer, wanted, "{number}");
    }
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 5);
    held.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(say(&world, WECHAT, &numbers[4]).await.unwrap(), taken(WECHAT));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t03_nobody_is_told_success_while_the_commit_cannot_happen_and_no_other_merchant_waits() {
    let world = World::open().await;
    let wechat = paid_unheard(&world, WECHAT, 2).await;
    let alipay = paid_unheard(&world, ALIPAY, 3).await;
    // The journal's head exists after the first entry.
    assert_eq!(say(&world, WECHAT, &wechat[0]).await.unwrap(), taken(WECHAT));
    let held = world.database().await;
    held.batch_execute("BEGIN").await.unwrap();
    let head = "SELECT seq FROM journal_heads WHERE merchant_id = $1 FOR UPDATE";
    held.query_one(head, &[&WECHAT]).await.unwrap();
    let begun = std::time::Instant::now();
    let kept_waiting = say(&world, WECHAT, &wechat[1]);
    world.becomes(BLOCKED, 1).await;
    for number in &alipay {
        assert_eq!(say(&world, ALIPAY, number).await.unwrap(), taken(ALIPAY));
    }
    assert!(!kept_waiting.is_finished(), "no success before the commit");
    // In bounded time it is told to come again, and never that it is taken.
    assert_eq!(kept_waiting.await.unwrap(), come_again(WECHAT));
    assert!((2..20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    held.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(say(&world, WECHAT, &wechat[1]).await.unwrap(), taken(WECHAT));
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 5);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_may_wait_is_told_at_once_to_come_again() {
    let world = World::open_with("[callbacks]\nper_commit = 1\nmost_waiting = 3\n").await;
    let numbers = paid_unheard(&world, WECHAT, 6).await;
    let held = hold(&world, &numbers[0]).await;
    let mut said = vec![say(&world, WECHAT, &numbers[0])];
    world.becomes(BLOCKED, 1).await;
    said.extend(numbers[1..4].iter().map(|number| say(&world, WECHAT, number)));
    metric_becomes(&world, &waiting(WECHAT), 3).await;
    for number in &numbers[4..] {
        assert_eq!(say(&world, WECHAT, number).await.unwrap(), come_again(WECHAT));
    }
    assert_eq!(metric(&world, &counted(WECHAT, "turned_away")).await, 2);
    held.batch_execute("ROLLBACK").await.unwrap();
    assert!(answers(said).await.into_iter().all(|answer| answer == taken(WECHAT)));
    // One transaction for each, as configured.
    assert_eq!(metric(&world, "payhub_callbacks_per_commit_count").await, 4);
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 4);
    world.seconds(600).await;
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 6);
    world.finish().await;
}

/// Says each order's callback once, all at once; which orders were acknowledged.
async fn acknowledged(world: &World, orders: &[(&str, String)]) -> BTreeMap<String, bool> {
    let said = orders.iter().map(|(merchant, number)| say(world, merchant, number)).collect();
    let told = answers(said).await;
    let told = orders.iter().zip(told).map(|((merchant, number), answer)| {
        let is_taken = answer == taken(merchant);
        assert!(is_taken || answer == come_again(merchant), "{answer:?}");
        (number.clone(), is_taken)
    });
    told.collect()
}

/// Every acknowledged callback is stored with its payment.
async fn check_stored(world: &World, told: &BTreeMap<String, bool>) {
    let client = world.database().await;
    for (number, _) in told.iter().filter(|(_, acknowledged)| **acknowledged) {
        let stored = "SELECT count(*) FROM payments p JOIN orders o USING (order_id)
             JOIN callbacks c ON c.callback_id = p.callback_id WHERE o.out_trade_no = $1";
        let rows: i64 = client.query_one(stored, &[number]).await.unwrap().get(0);
        assert_eq!(rows, 1, "{number} was acknowledged");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let world = World::open_with("[callbacks]\nper_commit = 4\n").await;
    let mut orders = Vec::new();
    for merchant in [WECHAT, ALIPAY] {
        let numbers = paid_unheard(&world, merchant, 12).await;
        orders.extend(numbers.into_iter().map(|number| (merchant, number)));
    }
    let full = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (SELECT count(*) FROM callbacks) >= 9 THEN
                RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'could not extend file: No space left on device';
            END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER full_disk AFTER INSERT ON callbacks FOR EACH STATEMENT EXECUTE FUNCTION full_disk()";
    let client = world.database().await;
    client.batch_execute(full).await.unwrap();
    let told = acknowledged(&world, &orders).await;
    let taken = told.values().filter(|acknowledged| **acknowledged).count();
    assert!(taken < orders.len(), "the disk was full");
    check_stored(&world, &told).await;
    let stored = usize::try_from(world.count("SELECT count(*) FROM payments").await).unwrap();
    assert_eq!(stored, taken, "and nothing half");
    client.batch_execute("DROP TRIGGER full_disk ON callbacks").await.unwrap();
    drop(client);
    // There is room again, and the providers come again.
    let told = acknowledged(&world, &orders).await;
    assert!(told.values().all(|acknowledged| *acknowledged));
    check_stored(&world, &told).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_cut_off_loses_nothing_that_was_acknowledged() {
    let world = World::open().await;
    let mut orders = Vec::new();
    for merchant in [WECHAT, ALIPAY] {
        let numbers = paid_unheard(&world, merchant, 4).await;
        orders.extend(numbers.into_iter().map(|number| (merchant, number)));
    }
    let url = world.database_url();
    let (server, name) = url.rsplit_once('/').unwrap();
    let server = format!("{server}/postgres");
    let (beside, connection) =
        tokio_postgres::connect(&server, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let held = hold(&world, &orders[0].1).await;
    let first = say(&world, WECHAT, &orders[0].1);
    world.becomes(BLOCKED, 1).await;
    // Whatever is under way breaks off, and nobody comes in again.
    let open = |yes| format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {yes}");
    beside.batch_execute(&open(false)).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = $1 AND application_name = 'payhub'";
    beside.query(cut, &[&name]).await.unwrap();
    held.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(first.await.unwrap(), come_again(WECHAT));
    let told = acknowledged(&world, &orders).await;
    assert!(told.values().all(|acknowledged| !acknowledged), "{told:?}");
    let stored: i64 = held.query_one("SELECT count(*) FROM callbacks", &[]).await.unwrap().get(0);
    assert_eq!(stored, 0);
    beside.batch_execute(&open(true)).await.unwrap();
    let told = acknowledged(&world, &orders).await;
    assert!(told.values().all(|acknowledged| *acknowledged), "{told:?}");
    check_stored(&world, &told).await;
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 8);
    drop(held);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_lost_on_the_way_is_replaced_and_the_callback_stored_once() {
    let world = World::open().await;
    let numbers = paid_unheard(&world, WECHAT, 1).await;
    let held = hold(&world, &numbers[0]).await;
    let said = say(&world, WECHAT, &numbers[0]);
    world.becomes(BLOCKED, 1).await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'payhub'";
    held.query(cut, &[]).await.unwrap();
    held.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(said.await.unwrap(), taken(WECHAT));
    assert_eq!(world.count("SELECT count(*) FROM callbacks").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 1);
    world.finish().await;
}
