//! The engine with hands of the test's own: what it holds, in which order it hands on, and what a
//! hand that breaks, hangs or writes nonsense does to the others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use payhub::dispatch::{Carrier, Engine, Made};
use payhub::fault::Fault;
use payhub::store::StoreError;
use payhub::store::deliveries::{Claimed, DeliveryState, Outcome, Tried};
use tokio::sync::{Notify, watch};

use super::Post;
use crate::processes::town::until;

const LEASED: &str = "SELECT count(*)::text FROM deliveries WHERE leased_until IS NOT NULL";
const UNDONE: &str = "SELECT count(*)::text FROM deliveries WHERE state <> 'done'";
const LONG: std::time::Duration = std::time::Duration::from_secs(60);

/// What a hand does with a delivery.
enum Does {
    Done,
    /// It fails, and is due again at once.
    Again,
    /// It waits for the gate first.
    Waits,
    Breaks,
    /// What it says cannot be written.
    Mumbles,
}

/// Hands that keep in mind what they carry.
struct Hands<F> {
    does: F,
    now: Timestamp,
    gate: watch::Receiver<bool>,
    kept: Kept,
}

/// What was begun (`true`) and ended, by number, in order.
type Kept = Arc<Mutex<Vec<(i64, bool)>>>;

impl<F: Fn(&Claimed) -> Does + Sync> Hands<F> {
    fn new(post: &Post, does: F) -> (Self, watch::Sender<bool>, Kept) {
        let (open, gate) = watch::channel(false);
        let kept = Kept::default();
        (Self { does, now: post.now(), gate, kept: Arc::clone(&kept) }, open, kept)
    }

    fn keep(&self, claimed: &Claimed, begins: bool) {
        self.kept.lock().unwrap().push((claimed.delivery_id, begins));
    }
}

impl<F: Fn(&Claimed) -> Does + Sync> Carrier for Hands<F> {
    type Effect = ();

    async fn carry(&self, claimed: &Claimed) -> Result<Option<Made<()>>, Fault> {
        self.keep(claimed, true);
        let mut detail = String::new();
        let mut state = DeliveryState::Done;
        match (self.does)(claimed) {
            Does::Done => tokio::task::yield_now().await,
            Does::Again => state = DeliveryState::Due,
            Does::Waits => drop(self.gate.clone().wait_for(|open| *open).await),
            Does::Breaks => panic!("on purpose"),
            Does::Mumbles => detail.push('\0'),
        }
        self.keep(claimed, false);
        let number = claimed.attempts + 1;
        let tried = Tried {
            begun_at: self.now,
            number,
            detail,
            vendor_ref: None,
            status: None,
            took_ms: None,
        };
        let outcome = Outcome {
            state,
            receiver: None,
            attempts: number,
            tries: number,
            lookups: 0,
            next_at: self.now,
            word: "carried",
            finished_at: (state == DeliveryState::Done).then_some(self.now),
            tried: Some(tried),
        };
        Ok(Some(Made { outcome, effect: None }))
    }

    async fn settle(&self, _: &Transaction<'_>, _: &Claimed, (): &()) -> Result<(), StoreError> {
        Ok(())
    }
}

fn engine<C: Carrier>(post: &Post, hands: C) -> Engine<C> {
    Engine::new(post.database.store(), Arc::new(post.clock.clone()), hands)
}

/// A second receiver of everything that happens, to which so much may be under way at once.
async fn another(post: &Post, name: &str, concurrency: i32) {
    let statement = format!(
        "INSERT INTO applications SELECT copy.* FROM applications a,
            LATERAL jsonb_populate_record(a, jsonb_build_object('application_id', '{name}',
                'key_hash', '\\x{:064x}', 'concurrency', {concurrency})) AS copy
          WHERE a.application_id = 'registry'",
        name.len()
    );
    post.sql.batch_execute(&statement).await.unwrap();
}

/// Has what happened to one receiver happen to another instead, every second one.
async fn share(post: &Post, name: &str) {
    let statement = format!("UPDATE deliveries SET receiver = '{name}' WHERE delivery_id % 2 = 0");
    post.sql.batch_execute(&statement).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hand_that_breaks_harms_no_other_delivery() {
    let post = Post::open().await;
    for order in 0..30 {
        post.happens(&format!("ord_{order}")).await;
    }
    let does = |claimed: &Claimed| {
        if claimed.delivery_id % 10 == 3 { Does::Breaks } else { Does::Done }
    };
    let (hands, _open, _kept) = Hands::new(&post, does);
    assert_eq!(engine(&post, hands).run_once().await.unwrap(), 30);
    assert_eq!(post.text(UNDONE).await, "3");
    assert_eq!(post.text(LEASED).await, "3", "each is tried again when its lease has run out");
    post.leases_run_out().await;
    assert_eq!(post.run().await, 3);
    assert_eq!(post.text(UNDONE).await, "0");
    post.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_refuses_to_write_keeps_nobody_from_writing() {
    let post = Post::open().await;
    for order in 0..30 {
        post.happens(&format!("ord_{order}")).await;
    }
    let does =
        |claimed: &Claimed| if claimed.delivery_id == 7 { Does::Mumbles } else { Does::Done };
    let (hands, _open, _kept) = Hands::new(&post, does);
    engine(&post, hands).run_once().await.unwrap();
    let undone = "SELECT delivery_id::text FROM deliveries WHERE state <> 'done'";
    assert_eq!(post.text(undone).await, "7");
    post.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receivers_that_never_answer_leave_a_place_to_every_other() {
    let post = Post::open().await;
    another(&post, "stuck", 64).await;
    for order in 0..60 {
        post.happens(&format!("ord_{order}")).await;
    }
    // A delivery of every event goes to both; what the engine may do at once is all with the stuck.
    let does = |claimed: &Claimed| {
        if claimed.receiver == "stuck" { Does::Waits } else { Does::Done }
    };
    let insert = "INSERT INTO deliveries (kind, event_id, receiver, ordering_key, next_at, created_at)
                  SELECT kind, event_id, 'stuck', ordering_key, next_at, created_at FROM deliveries";
    post.sql.batch_execute(insert).await.unwrap();
    let (hands, open, _kept) = Hands::new(&post, does);
    let engine = engine(&post, hands).at_once(8);
    let (stop, stopped) = watch::channel(false);
    let run = tokio::spawn(async move { engine.run(&Notify::new(), stopped, &|| {}).await });
    let others =
        "SELECT count(*)::text FROM deliveries WHERE state <> 'done' AND receiver <> 'stuck'";
    until("the others are done", LONG, async || post.text(others).await == "0").await;
    assert_eq!(post.text(UNDONE).await, "60", "nothing of the stuck receiver");
    // It is told to stop: what is under way ends, and what waits is given back.
    stop.send(true).unwrap();
    let begun = "SELECT (count(*) <= 9)::text FROM deliveries WHERE leased_until IS NOT NULL";
    until("the rest is given back", LONG, async || post.text(begun).await == "true").await;
    open.send(true).unwrap();
    run.await.unwrap();
    assert_eq!(post.text(LEASED).await, "0");
    let done = "SELECT (count(*) BETWEEN 1 AND 9)::text FROM deliveries WHERE state = 'done' AND receiver = 'stuck'";
    assert_eq!(post.text(done).await, "true", "what was under way is written, and no more");
    post.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_longer_than_a_lease_is_held_on() {
    let post = Post::open().await;
    post.happens("ord_1").await;
    let (hands, open, _kept) = Hands::new(&post, |_| Does::Waits);
    let engine = engine(&post, hands);
    let run = tokio::spawn(async move { engine.run_once().await });
    until("it is claimed", LONG, async || post.text(LEASED).await == "1").await;
    let first = post.text("SELECT leased_until::text FROM deliveries").await;
    let renewed = format!("SELECT (leased_until > '{first}')::text FROM deliveries");
    until("it is renewed", LONG, async || post.text(&renewed).await == "true").await;
    assert_eq!(post.text("SELECT lease::text FROM deliveries").await, "1", "nobody else had it");
    open.send(true).unwrap();
    run.await.unwrap().unwrap();
    assert_eq!(post.text(UNDONE).await, "0");
    post.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hubs_hand_on_each_key_in_order_and_nothing_of_it_twice_at_once() {
    let post = Post::open().await;
    another(&post, "archive", 64).await;
    for turn in 0..300 {
        post.happens(&format!("ord_{}", turn % 21)).await;
    }
    share(&post, "archive").await;
    let key_of = keys(&post).await;
    // Every third fails at first; what is behind it must wait.
    let does = |claimed: &Claimed| {
        let fails = claimed.delivery_id % 3 == 0 && claimed.attempts < 2;
        if fails { Does::Again } else { Does::Done }
    };
    let (one, _open, kept) = Hands::new(&post, does);
    let (mut two, _open, _own) = Hands::new(&post, does);
    two.kept = Arc::clone(&kept);
    let (one, two) = (engine(&post, one), engine(&post, two));
    let hub = async |engine: Engine<Hands<_>>| {
        while post.text(UNDONE).await != "0" {
            engine.run_once().await.unwrap();
        }
    };
    tokio::join!(hub(one), hub(two));
    in_order(&kept, &key_of, 42, |delivery| if delivery % 3 == 0 { 3 } else { 1 });
    post.close().await;
}

/// The receiver and key of each delivery.
async fn keys(post: &Post) -> BTreeMap<i64, String> {
    let rows = post.sql.query("SELECT delivery_id, receiver || ordering_key FROM deliveries", &[]);
    rows.await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Each of so many keys was handed on in its order, one at a time, and each delivery as often as it
/// had to be.
#[track_caller]
fn in_order(kept: &Kept, key_of: &BTreeMap<i64, String>, keys: usize, tries: fn(i64) -> usize) {
    let mut of_key: BTreeMap<&str, Vec<(i64, bool)>> = BTreeMap::new();
    for (delivery, begins) in kept.lock().unwrap().iter() {
        of_key.entry(&key_of[delivery]).or_default().push((*delivery, *begins));
    }
    assert_eq!(of_key.len(), keys);
    for (key, steps) in of_key {
        for pair in steps.chunks(2) {
            assert_eq!(pair, [(pair[0].0, true), (pair[0].0, false)], "{key}: one at a time");
        }
        assert!(steps.is_sorted_by_key(|(delivery, _)| *delivery), "{key} in order: {steps:?}");
        let tried = steps.len() / 2;
        let expected: usize = key_of
            .iter()
            .filter(|(_, of)| of.as_str() == key)
            .map(|(delivery, _)| tries(*delivery))
            .sum();
        assert_eq!(tried, expected, "{key}: nothing more often than it had to be");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deep_backlog_of_two_hubs_keeps_its_order_while_claims_and_outcomes_overlap() {
    let post = Post::open().await;
    let fill = "
        UPDATE applications SET concurrency = 64;
        INSERT INTO events (event_id, type, subject_id, occurred_at, body)
        SELECT 'evt_' || lpad(to_hex(n), 32, '0'), 'order.paid', 'ord_' || n % 700, '2018-11-30T01:59:00Z', '{}'
          FROM generate_series(1, 3500) AS n;
        INSERT INTO deliveries (kind, event_id, receiver, ordering_key, next_at, created_at)
        SELECT 'webhook', event_id, 'registry', subject_id, occurred_at, occurred_at FROM events ORDER BY event_id";
    post.sql.batch_execute(fill).await.unwrap();
    let key_of = keys(&post).await;
    let (one, _open, kept) = Hands::new(&post, |_| Does::Done);
    let (mut two, _open, _own) = Hands::new(&post, |_| Does::Done);
    two.kept = Arc::clone(&kept);
    let (one, two) = (engine(&post, one), engine(&post, two));
    while post.text(UNDONE).await != "0" {
        let (one, two) = tokio::join!(one.run_once(), two.run_once());
        one.unwrap();
        two.unwrap();
    }
    in_order(&kept, &key_of, 700, |_| 1);
    let kept = "SELECT count(*)::text FROM delivery_attempts";
    assert_eq!(post.text(kept).await, "3500", "each with its attempt");
    assert_eq!(post.text(LEASED).await, "0");
    post.close().await;
}
