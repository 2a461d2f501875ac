//! What follows each outcome, and that an unknown one is never sent again blindly.

use super::*;

const NOW: &str = "2018-11-30T10:00:00";

fn at(wall: &str) -> Timestamp {
    format!("{wall}+08:00").parse().unwrap()
}

fn progress() -> Progress {
    Progress {
        attempts_made: 1,
        has_next_channel: false,
        urgency: Urgency::Normal,
        expires_at: at("2018-12-03T10:00:00"),
        now: at(NOW),
        jitter: 0,
    }
}

fn transient() -> Delivery {
    Delivery::not_sent("connection refused")
}

fn unknown() -> Delivery {
    Delivery::Unknown { detail: "time-out".to_owned() }
}

fn rejected() -> Delivery {
    Delivery::Rejected { code: "isv.MOBILE_NUMBER_ILLEGAL".to_owned(), message: String::new() }
}

fn fault() -> Delivery {
    Delivery::AccountFault {
        scope: FaultScope::Account,
        code: "isv.OUT_OF_SERVICE".to_owned(),
        message: String::new(),
    }
}

fn undelivered(reason: Undelivered) -> Arrival {
    Arrival::Undelivered { reason, code: "X".to_owned() }
}

/// A step in one line: its name and, if it has one, its hour.
fn shown(step: &NextStep) -> String {
    let hour = |name: &str, at: &Timestamp| {
        format!("{name} {}", domain::time::beijing(*at).strftime("%m-%dT%H:%M:%S"))
    };
    match step {
        NextStep::Sent { .. } => "sent".to_owned(),
        NextStep::Delivered => "delivered".to_owned(),
        NextStep::Retry { at } => hour("retry", at),
        NextStep::Query { at } => hour("query", at),
        NextStep::NextChannel { at, alarm: None } => hour("next channel", at),
        NextStep::NextChannel { at, alarm: Some(_) } => hour("alarm, next channel", at),
        NextStep::Hold { until, .. } => hour("alarm, hold", until),
        NextStep::Fail { reason, alarm: None, .. } => format!("fail {}", reason.as_str()),
        NextStep::Fail { reason, alarm: Some(_), .. } => format!("alarm, fail {}", reason.as_str()),
        NextStep::Expire => "expire".to_owned(),
    }
}

#[track_caller]
fn check(outcome: &Delivery, progress: &Progress, expected: &str) {
    assert_eq!(shown(&after(outcome, progress, &Policy::default())), expected);
}

#[track_caller]
fn check_lookup(lookup: &Lookup, age: SignedDuration, progress: &Progress, expected: &str) {
    let step = after_lookup(
        lookup,
        1,
        progress.now.checked_sub(age).unwrap(),
        progress,
        &Policy::default(),
    );
    assert_eq!(shown(&step), expected, "{lookup:?}");
}

#[test]
fn an_unknown_outcome_is_never_resent_without_the_vendors_word() {
    // T35: whatever the progress, what follows is a question.
    for attempts_made in 0..=ATTEMPTS_MAX {
        for has_next_channel in [false, true] {
            for expires_at in [at("2018-11-30T09:00:00"), at("2019-01-01T00:00:00")] {
                let progress =
                    Progress { attempts_made, has_next_channel, expires_at, ..progress() };
                check(&unknown(), &progress, "query 11-30T10:01:00");
            }
        }
    }
    let silence = Lookup::NoAnswer("time-out".to_owned());
    let day = SignedDuration::from_hours(24);
    check_lookup(&silence, SignedDuration::from_mins(10), &progress(), "query 11-30T10:02:00");
    check_lookup(&silence, day, &progress(), "alarm, fail undecided");
    let other = Progress { has_next_channel: true, ..progress() };
    check_lookup(&silence, day, &other, "alarm, fail undecided");
}

#[test]
fn the_vendors_record_decides() {
    // T35
    let hour = SignedDuration::from_hours(1);
    check_lookup(&Lookup::Found(None), hour, &progress(), "sent");
    check_lookup(&Lookup::Found(Some(Arrival::Delivered)), hour, &progress(), "delivered");
    let blocked = Lookup::Found(Some(undelivered(Undelivered::ContentBlocked)));
    check_lookup(&blocked, hour, &progress(), "fail undelivered");
    check_lookup(&Lookup::Absent, hour, &progress(), "retry 11-30T10:00:05");
}

#[test]
fn a_record_is_not_believed_to_be_empty_too_early() {
    let early = SignedDuration::from_mins(2);
    check_lookup(&Lookup::Absent, early, &progress(), "query 11-30T10:03:00");
    check_lookup(&Lookup::Absent, LOOKUP_SETTLES, &progress(), "retry 11-30T10:00:05");
}

#[test]
fn what_is_absent_is_not_sent_when_it_is_too_late_or_was_tried_enough() {
    let late = Progress { expires_at: at(NOW), ..progress() };
    check_lookup(&Lookup::Absent, LOOKUP_SETTLES, &late, "expire");
    let tired = Progress { attempts_made: ATTEMPTS_MAX, ..progress() };
    check_lookup(&Lookup::Absent, LOOKUP_SETTLES, &tired, "fail exhausted");
}

#[test]
fn what_was_certainly_not_taken_is_tried_again_at_growing_distance() {
    let mut waits = Vec::new();
    for attempts_made in 1..ATTEMPTS_MAX {
        let progress = Progress { attempts_made, ..progress() };
        let NextStep::Retry { at } = after(&transient(), &progress, &Policy::default()) else {
            panic!("{attempts_made}");
        };
        waits.push(at.duration_since(progress.now).as_secs());
    }
    assert_eq!(waits, [5, 30, 120, 600, 1800, 3600, 7200, 14400]);
    let tired = Progress { attempts_made: ATTEMPTS_MAX, ..progress() };
    check(&transient(), &tired, "fail exhausted");
    check(
        &transient(),
        &Progress { has_next_channel: true, ..tired },
        "next channel 11-30T10:00:00",
    );
    let unlucky = Progress { jitter: 1000, attempts_made: 5, ..progress() };
    check(&transient(), &unlucky, "retry 11-30T10:36:00");
}

#[test]
fn a_repeat_minds_quiet_hours_and_its_own_end() {
    let evening = Progress { now: at("2018-11-30T20:59:58"), ..progress() };
    check(&transient(), &evening, "retry 12-01T08:00:00");
    let urgent = Progress { urgency: Urgency::Immediate, ..evening };
    check(&transient(), &urgent, "retry 11-30T21:00:03");
    let short = Progress { expires_at: at("2018-11-30T23:00:00"), ..evening };
    check(&transient(), &short, "expire");
}

#[test]
fn flow_control_is_waited_for() {
    let throttled = |until: &str| Delivery::Throttled { until: at(until), message: String::new() };
    check(&throttled("2018-11-30T11:00:00"), &progress(), "retry 11-30T11:00:00");
    check(&throttled("2018-11-30T09:00:00"), &progress(), "retry 11-30T10:00:00");
    check(&throttled("2018-12-04T11:00:00"), &progress(), "expire");
    let other = Progress { has_next_channel: true, ..progress() };
    check(&throttled("2018-12-04T11:00:00"), &other, "next channel 11-30T10:00:00");
}

#[test]
fn a_faulty_account_is_stopped_and_told_of() {
    check(&fault(), &progress(), "alarm, hold 11-30T10:15:00");
    let other = Progress { has_next_channel: true, ..progress() };
    check(&fault(), &other, "alarm, next channel 11-30T10:00:00");
}

#[test]
fn what_is_refused_for_ever_is_not_repeated() {
    check(&rejected(), &progress(), "fail rejected");
    let other = Progress { has_next_channel: true, ..progress() };
    check(&rejected(), &other, "next channel 11-30T10:00:00");
    check(&Delivery::Accepted { vendor_ref: None }, &progress(), "sent");
}

#[test]
fn only_a_phone_out_of_reach_gets_the_message_once_more() {
    let arrived = |reason, progress: &Progress| {
        shown(&after_arrival(&undelivered(reason), progress, &Policy::default()))
    };
    let second = Progress { attempts_made: 2, ..progress() };
    assert_eq!(arrived(Undelivered::Unreachable, &progress()), "retry 11-30T12:00:00");
    assert_eq!(arrived(Undelivered::Unreachable, &second), "fail undelivered");
    for reason in [
        Undelivered::AbsentNumber,
        Undelivered::Blacklisted,
        Undelivered::ContentBlocked,
        Undelivered::Frequency,
        Undelivered::Unknown,
    ] {
        assert_eq!(arrived(reason, &progress()), "fail undelivered");
    }
}

#[test]
fn each_step_is_a_change_that_a_message_being_sent_allows() {
    use crate::NotificationStatus::{self, Sending};
    let policy = Policy::default();
    let reached = |outcome: &Delivery| {
        let transition = after(outcome, &progress(), &policy).transition();
        transition.map_or(Ok(Sending), |transition| Sending.after(transition))
    };
    assert_eq!(reached(&Delivery::Accepted { vendor_ref: None }), Ok(NotificationStatus::Sent));
    assert_eq!(reached(&transient()), Ok(NotificationStatus::Queued));
    assert_eq!(reached(&unknown()), Ok(Sending));
    assert_eq!(reached(&rejected()), Ok(NotificationStatus::Failed));
    assert_eq!(reached(&fault()), Ok(NotificationStatus::Held));
}
