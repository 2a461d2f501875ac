//! Cases as tables: what is told, then state, deadline and light.

use jiff::Timestamp;
use jiff::civil::Date;

use super::*;
use crate::time::from_beijing;

fn at(text: &str) -> Timestamp {
    let text = if text.contains('T') { text.to_owned() } else { format!("{text}T10:00") };
    from_beijing(text.parse().unwrap())
}

fn calendar() -> &'static Calendar {
    Calendar::built_in().unwrap()
}

/// `story`: the day of acceptance and the promise, then `event day` pairs, divided by commas.
fn told(story: &str) -> Result<Case, CaseTransitionError> {
    let mut parts = story.split(',').map(|part| part.trim().split_once(' ').unwrap());
    let (accepted, promised) = parts.next().unwrap();
    let events = parts.map(|(event, day)| (event.parse().unwrap(), at(day)));
    Case::replayed(at(accepted), promised.parse().unwrap(), events)
}

/// What the case shows on a day: `state deadline[?] light`, `?` when provisional.
#[track_caller]
fn check(story: &str, today: &str, expected: &str) {
    let case = told(story).unwrap();
    let now = at(today);
    let deadline = case.deadline(calendar(), business_day(now));
    let mark = if deadline.provisional { "?" } else { "" };
    let light = case.light(calendar(), LightPolicy::default(), now);
    assert_eq!(format!("{} {}{mark} {light}", case.state(), deadline.date), expected);
}

#[track_caller]
fn refuse(story: &str, expected: &str) {
    assert_eq!(told(story).unwrap_err().to_string(), expected);
}

#[test]
fn three_promised_days_turn_yellow_with_one_left_and_red_after_the_last() {
    let story = "2018-08-31 3";
    check(story, "2018-08-31", "accepted 2018-09-05 green");
    check(story, "2018-09-02", "accepted 2018-09-05 green");
    check(story, "2018-09-03", "accepted 2018-09-05 green");
    check(story, "2018-09-04", "accepted 2018-09-05 yellow");
    check(story, "2018-09-05T23:59", "accepted 2018-09-05 yellow");
    check(story, "2018-09-06T00:00", "accepted 2018-09-05 red");
}

#[test]
fn the_day_before_a_holiday_is_yellow_when_the_next_working_day_is_the_last() {
    check("2026-02-11 3", "2026-02-13", "accepted 2026-02-14 yellow");
    check("2026-02-12 3", "2026-02-14", "accepted 2026-02-24 yellow");
    check("2026-02-12 3", "2026-02-23", "accepted 2026-02-24 yellow");
    check("2026-02-12 3", "2026-02-25", "accepted 2026-02-24 red");
}

#[test]
fn thirty_days_turn_yellow_when_more_than_two_thirds_are_used() {
    let story = "2024-02-09 30";
    let deadline = "accepted 2024-03-28";
    let day = |n| calendar().add_working_days("2024-02-09".parse().unwrap(), n).date.to_string();
    check(story, &day(20), &format!("{deadline} green"));
    check(story, &day(21), &format!("{deadline} yellow"));
    check(story, &day(30), &format!("{deadline} yellow"));
    check(story, &day(31), &format!("{deadline} red"));
}

#[test]
fn a_promise_for_the_same_day_is_yellow_today_and_red_tomorrow() {
    check("2018-08-31 0", "2018-08-31", "accepted 2018-08-31 yellow");
    check("2018-08-31 0", "2018-09-01", "accepted 2018-08-31 red");
}

#[test]
fn a_stop_gives_its_days_back_and_keeps_the_light() {
    let stopped = "2018-09-03 3, supplement 2018-09-05";
    check("2018-09-03 3", "2018-09-05", "accepted 2018-09-06 yellow");
    check(stopped, "2018-09-05", "supplementing 2018-09-06? yellow");
    check(stopped, "2018-09-08", "supplementing 2018-09-11? yellow");
    check(stopped, "2018-09-20", "supplementing 2018-09-21? yellow");
    let resumed = "2018-09-03 3, supplement 2018-09-05, resumed 2018-09-20";
    check(resumed, "2018-09-20", "reviewing 2018-09-21 yellow");
    check(resumed, "2018-09-22", "reviewing 2018-09-21 red");
}

#[test]
fn a_stop_within_one_day_moves_nothing() {
    let story = "2018-09-03 3, suspended 2018-09-04T09:00, resumed 2018-09-04T16:00";
    check(story, "2018-09-04", "reviewing 2018-09-06 green");
}

#[test]
fn a_case_stopped_on_its_last_day_is_due_on_the_day_it_goes_on() {
    let story = "2018-09-03 3, suspended 2018-09-06, resumed 2018-09-12";
    check(story, "2018-09-12", "reviewing 2018-09-12 yellow");
    check(story, "2018-09-13", "reviewing 2018-09-12 red");
}

#[test]
fn a_stop_after_the_deadline_saves_nothing() {
    let story = "2018-09-03 3, suspended 2018-09-07";
    check(story, "2018-09-20", "suspended 2018-09-06? red");
    check(&format!("{story}, resumed 2018-09-20"), "2018-09-20", "reviewing 2018-09-06 red");
}

#[test]
fn one_stop_after_another_counts_once() {
    let story = "2018-09-03 3, supplement 2018-09-04, suspended 2018-09-05, resumed 2018-09-06";
    check(story, "2018-09-06", "reviewing 2018-09-10 green");
    let twice = "2018-09-03 3, suspended 2018-09-04, resumed 2018-09-05, \
                 suspended 2018-09-06, resumed 2018-09-07";
    check(twice, "2018-09-07", "reviewing 2018-09-10 yellow");
}

#[test]
fn a_stop_told_ahead_of_its_day_does_not_age_the_case() {
    let story = "2018-09-03 3, suspended 2018-09-10";
    check(story, "2018-09-04", "suspended 2018-09-06? green");
}

#[test]
fn a_decision_stops_the_clock_for_good() {
    let in_time = "2018-09-03 3, approved 2018-09-05, registered 2018-09-06";
    check(in_time, "2018-10-30", "registered 2018-09-06 green");
    let late = "2018-09-03 3, approved 2018-09-05, registered 2018-09-07";
    check(late, "2018-09-07", "registered 2018-09-06 red");
    check("2018-09-03 3, approved 2018-09-04", "2018-09-07", "approved 2018-09-06 red");
    check("2018-09-03 3, rejected 2018-09-04", "2018-10-30", "rejected 2018-09-06 green");
    let ready = "2018-09-03 3, registered 2018-09-06, certificate_ready 2018-09-10";
    check(ready, "2018-09-30", "certificate_ready 2018-09-06 green");
}

#[test]
fn a_decision_on_a_stopped_case_ends_the_stop() {
    let story = "2018-09-03 3, supplement 2018-09-04, approved 2018-09-10";
    check(story, "2018-09-10", "approved 2018-09-12 green");
}

#[test]
fn a_deadline_beyond_the_announced_years_is_provisional() {
    check("2026-12-31 3", "2026-12-31", "accepted 2027-01-06? green");
}

#[test]
fn the_statutory_limit_runs_on_the_same_clock() {
    let case = told("2024-02-09 3, suspended 2024-02-18, resumed 2024-02-19").unwrap();
    let today: Date = "2024-02-19".parse().unwrap();
    assert_eq!(case.deadline_of(30, calendar(), today).date.to_string(), "2024-03-29");
}

#[test]
fn a_case_does_not_step_back() {
    refuse("2018-09-03 3, resumed 2018-09-04", "a case that is accepted cannot become resumed");
    refuse(
        "2018-09-03 3, registered 2018-09-04, supplement 2018-09-05",
        "a case that is registered cannot become supplement",
    );
    refuse(
        "2018-09-03 3, rejected 2018-09-04, approved 2018-09-05",
        "a case that is rejected cannot become approved",
    );
    refuse(
        "2018-09-03 3, withdrawn 2018-09-04, registered 2018-09-05",
        "a case that is withdrawn cannot become registered",
    );
    refuse("2018-09-03 3, closed 2018-09-04", "a case that is accepted cannot become closed");
}

/// Rows are states, columns events, both in their order; `.` is refused.
#[test]
fn every_state_answers_every_event() {
    let letter = |state: CaseState| match state {
        CaseState::Accepted => 'A',
        CaseState::Supplementing => 'S',
        CaseState::Suspended => 'P',
        CaseState::Reviewing => 'V',
        CaseState::Approved => 'O',
        CaseState::Registered => 'R',
        CaseState::CertificateReady => 'C',
        CaseState::Closed => 'X',
        CaseState::Rejected => 'N',
        CaseState::Withdrawn => 'W',
    };
    let row = |state: CaseState| -> String {
        let after = CaseEvent::ALL.iter().map(|event| state.after(*event).map_or('.', letter));
        std::iter::once(letter(state)).chain([' ']).chain(after).collect()
    };
    let table: Vec<String> = CaseState::ALL.into_iter().map(row).collect();
    let expected = [
        "A SP.ORC.NW",
        "S SPVORC.NW",
        "P SPVORC.NW",
        "V SPVORC.NW",
        "O SP.ORC.NW",
        "R ....RCX..",
        "C .....CX..",
        "X ......X..",
        "N .......N.",
        "W ........W",
    ];
    assert_eq!(table, expected);
}

#[test]
fn every_word_reads_back() {
    for state in CaseState::ALL {
        assert_eq!(state.as_str().parse(), Ok(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    for event in CaseEvent::ALL {
        assert_eq!(event.as_str().parse(), Ok(event));
        assert_eq!(serde_json::to_value(event).unwrap(), event.as_str());
    }
    assert!("finished".parse::<CaseEvent>().is_err());
}

#[test]
fn thresholds_are_data() {
    let relaxed = LightPolicy { yellow_days_left: 0, yellow_share_used: (1, 1) };
    assert_eq!(relaxed.while_in_time(1, 3), Light::Green);
    assert_eq!(relaxed.while_in_time(0, 3), Light::Yellow);
    let strict = LightPolicy { yellow_days_left: 5, ..LightPolicy::default() };
    assert_eq!(strict.while_in_time(5, 30), Light::Yellow);
}
