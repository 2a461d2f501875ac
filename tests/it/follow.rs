//! Asking a provider what nobody told: within which time a payment is found, how many queries that
//! may cost, and how answers that were lost end.

mod answers;
mod budget;
mod crowd;
mod pages;
mod races;

use jiff::SignedDuration;
use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{Action, Fault, Operation, Place};
use serde_json::{Value, json};

use crate::harness::{World, word};

/// Both hubs look for what is due, at the same time.
async fn look(world: &World, twin: &payhub::demo::Twin) {
    let (one, other) =
        tokio::join!(payhub::orders::run_once(&world.hub), payhub::orders::run_once(&twin.hub));
    one.unwrap();
    other.unwrap();
}

/// Orders that are paid on the way: which, when, and within how many seconds it must be known.
struct Paid {
    order: Value,
    at_s: i64,
    within_s: i64,
    is_watched: bool,
}

/// Thirty-two orders of each provider, paid at odd moments of the first ten minutes, and what must
/// hold of each. A third of those that come late have their page open.
async fn payments(world: &World) -> Vec<Paid> {
    let mut payments = Vec::new();
    for number in 0..64 {
        let merchant = if number % 2 == 0 { WECHAT } else { ALIPAY };
        let fee = world.fee(&format!("{number}")).await;
        let (status, order) = world.order(merchant, &[&fee]).await;
        assert_eq!(status, 201, "{order}");
        let (at_s, is_watched) = match number {
            0..48 => (2 + i64::from(number) * 6, false),
            _ => (320 + i64::from(number - 48) * 15, number % 3 == 0),
        };
        let within_s = if at_s < 300 || is_watched { 10 } else { 60 };
        payments.push(Paid { order, at_s, within_s, is_watched });
    }
    payments
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t01_without_any_callback_each_payment_is_booked_once_within_its_bound() {
    let world = World::open().await;
    let twin = world.twin(world.another_store()).await.unwrap();
    world.sandbox.engine().set_fault(Fault::new(Place::Callback, Action::Drop)).unwrap();
    let mut open = payments(&world).await;
    // Every second step a worker may have slept: a second's sleep is within the slack.
    const STEP_S: i64 = 2;
    let mut now_s = 0;
    while !open.is_empty() {
        now_s += STEP_S;
        world.clock.advance(SignedDuration::from_secs(STEP_S));
        for paid in open.iter().filter(|paid| (now_s - STEP_S..now_s).contains(&paid.at_s)) {
            world.sandbox.engine().pay(&word(&paid.order, "out_trade_no"), true).unwrap();
        }
        for paid in open.iter().filter(|paid| paid.is_watched && now_s % 10 == 0) {
            if (paid.at_s - 60..=paid.at_s + 10).contains(&now_s) {
                world.order_now(&word(&paid.order, "id")).await;
            }
        }
        look(&world, &twin).await;
        let client = world.database().await;
        let rows = client.query("SELECT order_id FROM orders WHERE state = 'paid'", &[]).await;
        let booked: Vec<String> = rows.unwrap().iter().map(|row| row.get(0)).collect();
        open.retain(|paid| !booked.contains(&word(&paid.order, "id")));
        for paid in &open {
            let late = now_s - paid.at_s > paid.within_s;
            assert!(!late, "paid at {} s, unknown at {now_s} s", paid.at_s);
        }
    }
    world.settle().await.unwrap();
    let heard = world.heard();
    assert_eq!((heard["order.paid"], heard["fee.paid"]), (64, 64), "one event each");
    assert_eq!(world.count("SELECT count(*) FROM payments WHERE source <> 'query'").await, 0);
    assert!(budget::most_in_a_second(&world).await <= 50);
    twin.close().await;
    world.finish().await;
}

/// Ten minutes pass, and nobody pays.
async fn grow_old(world: &World) {
    for _ in 0..10 {
        world.seconds(60).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_found_within_ten_seconds_while_its_page_is_open() {
    let world = World::open().await;
    for merchant in [WECHAT, ALIPAY] {
        for is_open in [true, false] {
            let fee = world.fee(&format!("{merchant}-{is_open}")).await;
            let (_, order) = world.order(merchant, &[&fee]).await;
            grow_old(&world).await;
            if is_open {
                world.order_now(&word(&order, "id")).await;
            }
            world.settle().await.unwrap();
            world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
            world.seconds(8).await;
            let found = world.fee_status(&fee).await == "paid";
            assert_eq!(found, is_open, "{merchant}");
            world.seconds(40).await;
            assert_eq!(world.fee_status(&fee).await, "paid", "{merchant}");
        }
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_a_page_is_open_is_written_seldom_and_waits_for_nobody() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    let (_, order) = world.order(WECHAT, &[&fee]).await;
    let id = word(&order, "id");
    let mut client = world.database().await;
    let until = "SELECT COALESCE(extract(epoch FROM watched_until)::bigint, 0) FROM orders";
    world.order_now(&id).await;
    let first = world.count(until).await;
    world.clock.advance(SignedDuration::from_secs(19));
    world.order_now(&id).await;
    assert_eq!(world.count(until).await, first, "once in twenty seconds");
    world.clock.advance(SignedDuration::from_secs(2));
    // Somebody works on the order: whoever looks at it does not wait for him.
    let tx = client.transaction().await.unwrap();
    tx.query("SELECT FROM orders WHERE order_id = $1 FOR UPDATE", &[&id]).await.unwrap();
    world.order_now(&id).await;
    tx.rollback().await.unwrap();
    assert_eq!(world.count(until).await, first);
    world.order_now(&id).await;
    assert_eq!(world.count(until).await, first + 21);
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), true).unwrap();
    world.seconds(30).await;
    world.order_now(&id).await;
    assert_eq!(world.count(until).await, first + 21, "what is paid is looked at and not watched");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_whose_answer_was_lost_is_asked_about_in_seconds_and_ends_closed() {
    let world = World::open().await;
    for merchant in [WECHAT, ALIPAY] {
        for action in [Action::DropAfterCommit, Action::Drop, Action::Status500] {
            let fee = world.fee(&format!("{merchant}-{action:?}")).await;
            let (_, order) = world.order(merchant, &[&fee]).await;
            let fault = Fault::new(Place::Answer, action).during(Operation::Close).times(2);
            let fault = world.sandbox.engine().set_fault(fault).unwrap();
            let path = format!("/v1/orders/{}/close", word(&order, "id"));
            let (status, asked) = world.post(&path, &json!({})).await.unwrap();
            assert_eq!((status, &asked["code"]), (409, &json!("order_state_unknown")), "{asked}");
            world.seconds(1).await;
            world.seconds(1).await;
            world.seconds(2).await;
            let now = word(&world.order_now(&word(&order, "id")).await, "status");
            assert_eq!(now, "closed", "{merchant} {action:?}");
            world.sandbox.engine().lift_faults(Some(fault));
            assert_eq!(world.order(merchant, &[&fee]).await.0, 201, "its fee is free");
        }
    }
    assert_eq!(world.heard()["order.closed"], 6);
    world.finish().await;
}
