//! Deadlines over real holidays, and the calendar outside announced years.

use jiff::civil::Date;

use super::*;

fn calendar() -> &'static Calendar {
    Calendar::built_in().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[track_caller]
fn check(accepted: &str, n: u32, expected: &str) {
    let deadline = calendar().add_working_days(day(accepted), n);
    assert_eq!(deadline, Deadline { date: day(expected), provisional: false });
}

#[test]
fn the_day_of_acceptance_is_not_counted() {
    check("2018-08-31", 0, "2018-08-31");
    check("2018-08-31", 1, "2018-09-03");
    check("2018-08-31", 3, "2018-09-05");
    check("2018-09-01", 1, "2018-09-03");
}

#[test]
fn holidays_are_skipped_and_make_up_days_counted() {
    check("2026-02-13", 3, "2026-02-25");
    check("2026-09-30", 3, "2026-10-10");
    check("2026-04-30", 3, "2026-05-08");
    check("2025-12-31", 3, "2026-01-06");
    check("2024-02-09", 30, "2024-03-28");
    check("2018-12-28", 1, "2018-12-29");
    check("2022-12-30", 2, "2023-01-04");
}

#[test]
fn a_year_has_the_announced_number_of_working_days() {
    for (year, expected) in [(2018, 250), (2024, 251), (2025, 248), (2026, 248)] {
        let eve = day(&format!("{}-12-31", year - 1));
        let days = calendar().working_days_between(eve, day(&format!("{year}-12-31")));
        assert_eq!(days, expected, "{year}");
    }
}

#[track_caller]
fn works(text: &str, expected: bool) {
    assert_eq!(calendar().is_working_day(day(text)), expected, "{text}");
}

#[test]
fn make_up_days_are_worked_and_holidays_are_not() {
    works("2013-04-07", true);
    works("2013-10-12", true);
    works("2016-10-09", true);
    works("2016-12-30", true);
    works("2026-02-14", true);
    works("2026-02-21", false);
    works("2026-02-16", false);
    works("2018-12-31", false);
}

#[test]
fn every_year_from_2007_to_2026_is_announced() {
    assert!((2007..=2026).all(|year| calendar().is_known_year(year)));
    assert!(!calendar().is_known_year(2006) && !calendar().is_known_year(2027));
}

#[test]
fn a_deadline_on_days_not_announced_is_provisional() {
    let add = |from: &str, n| calendar().add_working_days(day(from), n);
    assert_eq!(add("2026-12-22", 3), Deadline { date: day("2026-12-25"), provisional: false });
    assert_eq!(add("2026-12-25", 1), Deadline { date: day("2026-12-28"), provisional: true });
    assert_eq!(add("2026-12-31", 1), Deadline { date: day("2027-01-04"), provisional: true });
    assert_eq!(add("2030-04-30", 1), Deadline { date: day("2030-05-03"), provisional: true });
    assert_eq!(add("2025-12-25", 3), Deadline { date: day("2025-12-30"), provisional: false });
}

#[test]
fn outside_announced_years_weekends_and_fixed_holidays_are_off() {
    works("2027-01-01", false);
    works("2027-10-01", false);
    works("2027-10-02", false);
    works("2027-10-04", true);
    works("2027-01-09", false);
    works("2006-05-01", false);
    works("2006-05-08", true);
}

#[test]
fn the_ends_of_the_worlds_calendar_are_an_answer_not_a_panic() {
    let calendar = calendar();
    let end = calendar.add_working_days(Date::MAX, 5);
    assert_eq!(end, Deadline { date: Date::MAX, provisional: true });
    assert!(calendar.add_working_days(day("9999-12-01"), u32::MAX).provisional);
    assert_eq!(calendar.next_working_day(Date::MAX), Date::MAX);
    assert_eq!(calendar.previous_working_day(Date::MIN), Date::MIN);
    assert_eq!(calendar.working_days_between(Date::MAX, Date::MIN), 0);
    assert!(calendar.is_provisional(Date::MAX));
}

#[test]
fn the_neighbouring_working_days_leap_over_holidays() {
    let calendar = calendar();
    assert_eq!(calendar.previous_working_day(day("2026-02-24")), day("2026-02-14"));
    assert_eq!(calendar.previous_working_day(day("2026-02-25")), day("2026-02-24"));
    assert_eq!(calendar.next_working_day(day("2026-02-14")), day("2026-02-24"));
    assert_eq!(calendar.next_working_day(day("2026-02-27")), day("2026-02-28"));
}

#[test]
fn counting_back_agrees_with_counting_forth() {
    for n in 0..300 {
        let from = day("2025-06-15");
        let to = calendar().add_working_days(from, n).date;
        assert_eq!(calendar().working_days_between(from, to), n);
    }
}

#[track_caller]
fn refuse(text: &str, expected: &str) {
    assert_eq!(Calendar::parse(text).unwrap_err().to_string(), expected);
}

#[test]
fn a_file_that_does_not_read_is_refused_by_line() {
    refuse("", "the calendar does not begin with the line \"date,kind,holiday\"");
    let with = |rows: &str| format!("date,kind,holiday\n{rows}");
    refuse(&with("2026-13-01,off,x"), "line 2 of the calendar has no date");
    refuse(&with("2026-01-01,rest,x"), "line 2 of the calendar says neither off nor work");
    refuse(&with("2026-01-01"), "line 2 of the calendar says neither off nor work");
    refuse(
        &with("2026-01-01,off,x\n2026-01-02,work,x"),
        "line 3 of the calendar repeats the rule of the week for 2026-01-02",
    );
    refuse(
        &with("2026-01-01,off,x\n\n2026-01-01,off,x"),
        "line 4 of the calendar repeats 2026-01-01",
    );
    assert!(Calendar::parse(&with("2027-01-01,off,x\r\n")).unwrap().is_known_year(2027));
}
