//! When an order is asked for next, whatever its age, its state and the last answer.

use super::*;

/// An order for two hours, as old as that many seconds, which it is now.
fn order(age_s: i64) -> (Watched, Timestamp) {
    let created_at: Timestamp = "2018-11-30T01:00:00Z".parse().unwrap();
    let order = Watched {
        status: OrderState::Pending,
        superseded: false,
        created_at,
        expires_at: created_at.saturating_add(SignedDuration::from_hours(2)).unwrap(),
        queries: 0,
        closes: 0,
        watched_until: None,
        at_counter: false,
    };
    (order, created_at.saturating_add(SignedDuration::from_secs(age_s)).unwrap())
}

/// After how many seconds it is asked for; `None`: never.
#[track_caller]
fn check(age_s: i64, change: impl Fn(&mut Watched, Timestamp), look: Look, wanted: Option<i64>) {
    let (mut order, now) = order(age_s);
    change(&mut order, now);
    let found = next(order, now, look).map(|at| at.duration_since(now).as_secs());
    assert_eq!(found, wanted, "{order:?}");
}

fn as_it_is(_order: &mut Watched, _now: Timestamp) {}

#[test]
fn a_payment_is_found_within_its_bound_whenever_it_was_made() {
    // What a worker may sleep, and what two slow answers take.
    let slack = 3;
    for age_s in 0..7200 {
        let (order, now) = order(age_s);
        let pause = next(order, now, Look::Answered).unwrap().duration_since(now).as_secs();
        let bound = if age_s < 300 { 10 } else { 60 };
        assert!(pause + slack <= bound, "{pause} s after {age_s} s");
    }
    check(319, as_it_is, Look::Answered, Some(7));
    check(320, as_it_is, Look::Answered, Some(45));
}

#[test]
fn an_order_whose_page_is_open_is_asked_for_often() {
    let until = |s: i64| {
        move |order: &mut Watched, now: Timestamp| {
            order.watched_until = Some(now + SignedDuration::from_secs(s));
        }
    };
    check(3600, until(1), Look::Answered, Some(7));
    check(3600, until(0), Look::Answered, Some(45));
    check(3600, until(60), Look::Unanswered, Some(7));
}

#[test]
fn what_is_unknown_is_asked_for_in_seconds_and_then_like_any_other() {
    let asked = |queries: i32| {
        move |order: &mut Watched, _: Timestamp| {
            (order.status, order.queries) = (OrderState::Unknown, queries);
        }
    };
    for (queries, pause) in [(0, 1), (1, 2), (2, 3), (3, 5), (4, 7), (5, 7), (99, 7)] {
        check(10, asked(queries), Look::Unanswered, Some(pause));
    }
    check(1000, asked(99), Look::Unanswered, Some(45));
}

#[test]
fn a_close_without_an_answer_has_a_schedule_of_its_own() {
    let (mut order, now) = order(7200);
    order.queries = 160;
    let first = after_silent_close(order, now).unwrap();
    assert_eq!(first.duration_since(now).as_secs(), 1, "however often it was asked for before");
    let silent = |queries: i32| {
        move |order: &mut Watched, _: Timestamp| (order.closes, order.queries) = (1, queries)
    };
    for (queries, pause) in [(0, 1), (1, 2), (2, 5), (3, 10), (4, 20), (5, 45), (50, 45)] {
        check(3600, silent(queries), Look::Unanswered, Some(pause));
    }
}

#[test]
fn at_the_counter_somebody_waits_and_nobody_waits_for_what_is_long_over() {
    let counter = |order: &mut Watched, _: Timestamp| order.at_counter = true;
    check(10, counter, Look::Answered, Some(5));
    check(7200 + 299, as_it_is, Look::Unanswered, Some(1));
    check(7200 + 300, as_it_is, Look::Unanswered, Some(45));
    check(7200 + 300 + 3600, as_it_is, Look::Unanswered, Some(600));
}

#[test]
fn a_superseded_code_is_asked_for_until_its_provider_has_said_how_it_ended() {
    let superseded = |order: &mut Watched, _: Timestamp| {
        (order.status, order.superseded) = (OrderState::Closed, true);
    };
    check(10, superseded, Look::Answered, Some(7));
    check(7200 + 300, superseded, Look::Answered, None);
    check(7200 + 300, superseded, Look::Unanswered, Some(45));
    check(10, |order, _| order.status = OrderState::Closed, Look::Unanswered, None);
    check(10, |order, _| order.status = OrderState::Paid, Look::Unanswered, None);
}
