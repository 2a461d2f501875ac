//! The way through the treasury, every step of it, and its clock.

use super::*;

/// What follows from each state on each event, as a table: `-` is refused.
const WAY: &str = "
    state             applied  verified       approved          paid  returned  rejected
    -                 applied  -              -                 -     -         -
    applied           -        unit_verified  -                 -     -         rejected
    unit_verified     -        -              finance_approved  -     -         rejected
    finance_approved  -        -              -                 paid  -         rejected
    paid              -        -              -                 -     returned  -
    returned          -        -              -                 paid  -         rejected
    rejected          -        -              -                 -     -         -
";

#[test]
fn every_step_is_allowed_or_refused_as_the_table_says() {
    let mut rows = WAY.trim().lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    let head = rows.next().unwrap();
    let rows: Vec<_> = rows.collect();
    let states: Vec<_> = [None].into_iter().chain(TreasuryState::ALL.map(Some)).collect();
    assert_eq!((head.len(), rows.len()), (TreasuryEvent::ALL.len() + 1, states.len()));
    for (row, from) in rows.iter().zip(states) {
        assert_eq!(row[0], from.map_or("-", TreasuryState::as_str));
        for (cell, word) in row.iter().zip(&head).skip(1) {
            let after = TreasuryState::after(from, word.parse().unwrap());
            assert_eq!(after.map_or("-", TreasuryState::as_str), *cell, "{} {word}", row[0]);
        }
    }
}

#[track_caller]
fn check_due(state: TreasuryState, since: &str, found_by_office: bool, expected: Option<&str>) {
    let due = state.due(Calendar::built_in().unwrap(), since.parse().unwrap(), found_by_office);
    assert_eq!(due.map(|due| due.date.to_string()).as_deref(), expected, "{state}");
}

#[test]
fn each_step_has_ten_working_days_and_an_error_of_the_offices_own_five() {
    check_due(TreasuryState::Applied, "2018-11-30", false, Some("2018-12-14"));
    check_due(TreasuryState::Applied, "2018-11-30", true, Some("2018-12-07"));
    check_due(TreasuryState::UnitVerified, "2018-11-30", true, Some("2018-12-14"));
    check_due(TreasuryState::FinanceApproved, "2018-11-30", true, Some("2018-12-14"));
    check_due(TreasuryState::Returned, "2018-11-30", true, Some("2018-12-14"));
    check_due(TreasuryState::Paid, "2018-11-30", false, None);
    check_due(TreasuryState::Rejected, "2018-11-30", false, None);
}

#[test]
fn holidays_stop_the_clock() {
    // The days of the Spring Festival 2026 are off, and 14 and 28 February are worked.
    check_due(TreasuryState::Applied, "2026-02-13", true, Some("2026-02-27"));
}

#[test]
fn every_event_is_read_back() {
    for event in TreasuryEvent::ALL {
        assert_eq!(event.as_str().parse(), Ok(event));
    }
    assert!("refunded".parse::<TreasuryEvent>().is_err());
}

#[test]
fn whoever_took_one_step_takes_no_later_one_up_to_the_payment() {
    use TreasuryEvent::{Applied, Approved, Paid, Rejected, Returned, Verified};
    let way = [Applied, Verified, Approved, Paid];
    for (place, event) in way.into_iter().enumerate() {
        assert_eq!(event.apart_from(), &way[..place], "{event}");
    }
    for anybody in [Returned, Rejected] {
        assert!(anybody.apart_from().is_empty() && anybody.needs_a_reason(), "{anybody}");
    }
}
