//! Lanes with deliveries that nobody carries.

use super::*;
use crate::store::deliveries::{Cargo, DeliveryState};

fn delivery(number: i64, receiver: &str, at_once: i32) -> Claimed {
    Claimed {
        delivery_id: number,
        cargo: Cargo::Notification("ntf_00000000000000000000000000000007".parse().unwrap()),
        receiver: receiver.to_owned(),
        state: DeliveryState::Due,
        attempts: 0,
        tries: 0,
        lookups: 0,
        sent_at: None,
        lease: 1,
        at_once,
    }
}

fn lanes(of: &[(&str, i32, usize)]) -> Lanes {
    let mut lanes = Lanes::default();
    for (number, (receiver, at_once, count)) in of.iter().enumerate() {
        for place in 0..*count {
            let number = number.checked_mul(1000).unwrap().checked_add(place).unwrap();
            let number = i64::try_from(number).unwrap();
            lanes.put(delivery(number, receiver, *at_once));
        }
    }
    lanes
}

fn begun(lanes: &mut Lanes) -> Vec<i64> {
    std::iter::from_fn(|| lanes.begin(false)).map(|claimed| claimed.delivery_id).collect()
}

fn places(lanes: &mut Lanes, receiver: &str) -> i32 {
    let shares = lanes.shares(4_000);
    shares.iter().find(|share| share.receiver == receiver).unwrap().places
}

#[test]
fn receivers_take_turns_and_none_has_more_at_once_than_it_takes() {
    let mut lanes = lanes(&[("a", 2, 5), ("b", 3, 2)]);
    assert_eq!(begun(&mut lanes), [0, 1000, 1, 1001]);
    assert_eq!(lanes.waiting(), 3);
    lanes.end("b");
    assert_eq!(begun(&mut lanes), [0; 0], "a place of b is none of a");
    lanes.end("a");
    assert_eq!(begun(&mut lanes), [2]);
}

#[test]
fn a_lane_that_keeps_pace_claims_further_ahead_and_a_slow_one_does_not() {
    let mut lanes = lanes(&[("fast", 4, 4), ("slow", 4, 4)]);
    begun(&mut lanes);
    assert_eq!(places(&mut lanes, "fast"), 0);
    for _ in 0..4 {
        lanes.end("fast");
    }
    assert_eq!(places(&mut lanes, "fast"), 8);
    assert_eq!(places(&mut lanes, "slow"), 0);
}

#[test]
fn what_a_stuck_receiver_cannot_begin_is_given_back_after_a_second() {
    let mut lanes = lanes(&[("stuck", 2, 6), ("well", 2, 2)]);
    begun(&mut lanes);
    assert!(lanes.second().is_empty(), "it has just begun some");
    let back: Vec<i64> = lanes.second().iter().map(|claimed| claimed.delivery_id).collect();
    assert_eq!(back, [2, 3, 4, 5]);
    assert_eq!(lanes.waiting(), 0);
    assert_eq!(lanes.clear().len(), 0);
}

#[test]
fn a_receiver_that_slows_down_gives_back_what_it_would_keep_waiting() {
    let mut lanes = lanes(&[("slow", 2, 50)]);
    begun(&mut lanes);
    for _ in 0..8 {
        lanes.end("slow");
        begun(&mut lanes);
    }
    lanes.lanes.get_mut("slow").unwrap().ahead = 50;
    assert!(lanes.second().is_empty(), "it has just come");
    for _ in 0..3 {
        lanes.end("slow");
        begun(&mut lanes);
    }
    let back: Vec<i64> = lanes.second().iter().map(|claimed| claimed.delivery_id).collect();
    assert_eq!(back.len(), 33);
    assert_eq!(back.first(), Some(&17), "who came last goes first");
    assert_eq!(lanes.waiting(), 4, "beside two under way: six are two seconds' work");
}

#[test]
fn when_all_places_are_taken_each_receiver_may_still_have_one() {
    let mut lanes = lanes(&[("stuck", 9, 9), ("well", 9, 9)]);
    let first = lanes.begin(false).map(|claimed| claimed.receiver);
    assert_eq!(first.as_deref(), Some("stuck"));
    assert_eq!(lanes.begin(true).map(|claimed| claimed.receiver).as_deref(), Some("well"));
    assert!(lanes.begin(true).is_none(), "each has one");
    lanes.end("well");
    assert_eq!(lanes.begin(true).map(|claimed| claimed.receiver).as_deref(), Some("well"));
    lanes.end("stuck");
    assert_eq!(begun(&mut lanes).len(), 15, "and all that they take when there are places");
}

#[test]
fn large_bodies_leave_room_for_fewer() {
    let mut lanes = Lanes::default();
    assert_eq!(lanes.room(), WAITING_MAX);
    let large = |number| Claimed {
        cargo: Cargo::Event {
            id: "evt_00000000000000000000000000000007".parse().unwrap(),
            body: "x".repeat(4 << 20),
        },
        ..delivery(number, "registry", 4)
    };
    for number in 0..7 {
        lanes.put(large(number));
    }
    assert!(lanes.room() <= 2, "{}", lanes.room());
    lanes.put(large(7));
    assert_eq!(lanes.room(), 0);
    begun(&mut lanes);
    assert!(lanes.room() > 0);
}

#[test]
fn a_receiver_that_is_held_begins_nothing_and_gives_back_what_waits() {
    let mut lanes = lanes(&[("held", 2, 5), ("well", 2, 2)]);
    assert_eq!(lanes.begin(false).map(|claimed| claimed.delivery_id), Some(0));
    let back: Vec<i64> = lanes.hold("held").iter().map(|claimed| claimed.delivery_id).collect();
    assert_eq!(back, [1, 2, 3, 4]);
    assert_eq!(lanes.waiting(), 2);
    lanes.put(delivery(7, "held", 2));
    assert_eq!(begun(&mut lanes), [1000, 1001], "what was claimed meanwhile waits");
    lanes.hold("held");
    lanes.put(delivery(8, "held", 2));
    lanes.end("held");
    lanes.go_on("held");
    assert!(lanes.second().is_empty());
    assert!(begun(&mut lanes).is_empty(), "it is held twice");
    lanes.go_on("held");
    assert_eq!(begun(&mut lanes), [8]);
}
