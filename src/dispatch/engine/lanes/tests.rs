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
            let number = i64::try_from(number * 1000 + place).unwrap();
            lanes.put(delivery(number, receiver, *at_once));
        }
    }
    lanes
}

fn begun(lanes: &mut Lanes) -> Vec<i64> {
    std::iter::from_fn(|| lanes.begin()).map(|claimed| claimed.delivery_id).collect()
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
