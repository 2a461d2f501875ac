//! Credits against what was expected, as tables: what is taken, what is proposed, what is left.

use std::collections::BTreeSet;

use domain::calendar::Calendar;

use super::*;

fn bank() -> BankCalendar {
    BankCalendar::new(Calendar::built_in().unwrap(), BTreeSet::new(), BTreeSet::new())
}

/// Days as `ACCOUNT DAY NET FEE`, a line each; the account's number is its name with 1900 before it.
fn expected(text: &str) -> Vec<Expected> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let day: Date = words[1].parse().unwrap();
            Expected {
                id: format!("{}/{}", words[0], words[1]),
                account: words[0].to_owned(),
                numbers: vec![format!("1900{}", words[0])],
                day,
                due_on: bank().due_on(day),
                net: Fen::new(words[2].parse().unwrap()),
                fee: Fen::new(words.get(3).map_or(0, |fee| fee.parse().unwrap())),
                is_open: words.get(4).is_none(),
            }
        })
        .collect()
}

/// Credits as `SERIAL DAY AMOUNT TEXT…`, a line each.
fn credits(text: &str) -> Vec<Credit> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            Credit {
                serial: words[0].to_owned(),
                value_date: words[1].parse().unwrap(),
                amount: Fen::new(words[2].parse().unwrap()),
                reference: words[3..].join(" "),
                is_taken_back: false,
            }
        })
        .collect()
}

/// What became of each credit: `B1 = A/day+A/day`, or `B1 ? candidates | …` with cause and difference.
#[track_caller]
fn check(days: &str, came: &str, told: &[&str]) {
    let mut found = Vec::new();
    let shown = |candidate: &Candidate| {
        let cause = candidate
            .cause
            .map(|cause| format!(" {} {}", cause.as_str(), candidate.difference_fen.get()));
        format!("{}{}", candidate.settlements.join("+"), cause.unwrap_or_default())
    };
    for (serial, settled) in settle(&expected(days), &credits(came), &bank()) {
        found.push(match settled {
            Settled::Matched(candidate) => format!("{serial} = {}", shown(&candidate)),
            Settled::Proposed(proposed) => {
                let all: Vec<String> = proposed.candidates.iter().map(shown).collect();
                let more = if proposed.is_whole { "" } else { " …" };
                format!("{serial} ? {}{more}", all.join(" | ")).trim_end().to_owned()
            }
        });
    }
    assert_eq!(found, told);
}

#[test]
fn what_came_in_gross_arrives_gross() {
    check("A 2018-11-28 8000 48", "B1 2018-11-29 8000", &["B1 = A/2018-11-28"]);
}

#[test]
fn a_weekend_arrives_as_one_credit() {
    check(
        "A 2018-11-30 100\nA 2018-12-01 0\nA 2018-12-02 30",
        "B1 2018-12-03 130",
        &["B1 = A/2018-11-30+A/2018-12-01+A/2018-12-02"],
    );
    // Or as one a day.
    check(
        "A 2018-11-30 100\nA 2018-12-01 20\nA 2018-12-02 30",
        "B1 2018-12-03 20\nB2 2018-12-03 130",
        &["B1 = A/2018-12-01", "B2 ? A/2018-11-30+A/2018-12-02"],
    );
}

#[test]
fn national_day_holds_seven_days_together() {
    let mut days = "A 2018-09-30 1\n".to_owned();
    for day in 1..=7 {
        days.push_str(&format!("A 2018-10-0{day} {}\n", 10 * day));
    }
    days.push_str("A 2018-10-08 500");
    let all: Vec<String> = std::iter::once("A/2018-09-30".to_owned())
        .chain((1..=7).map(|day| format!("A/2018-10-0{day}")))
        .collect();
    check(&days, "B1 2018-10-08 281", &[&format!("B1 = {}", all.join("+"))]);
}

#[test]
fn a_fee_taken_from_the_principal_is_a_difference() {
    check(
        "A 2018-11-28 8000 48",
        "B1 2018-11-29 7952",
        &["B1 ? A/2018-11-28 fee_taken_from_principal -48"],
    );
    check(
        "A 2018-11-30 8000 48\nA 2018-12-01 1000 6\nC 2018-12-02 70",
        "B1 2018-12-03 8946",
        &["B1 ? A/2018-11-30+A/2018-12-01 fee_taken_from_principal -54"],
    );
}

#[test]
fn a_short_arrival_is_told_to_the_fen() {
    let days = "A 2018-11-28 8000 48\nC 2018-11-28 500";
    check(days, "B1 2018-11-29 7999 1900A", &["B1 ? A/2018-11-28 settlement_short -1"]);
    check(days, "B1 2018-11-29 501 1900C", &["B1 ? C/2018-11-28 settlement_over 1"]);
    // Without a name it may be of either.
    check(days, "B1 2018-11-29 7999", &["B1 ?"]);
    check("A 2018-11-28 8000", "B1 2018-11-29 7999", &["B1 ? A/2018-11-28 settlement_short -1"]);
    // Beside another it may be anything.
    check("A 2018-11-28 8000", "B1 2018-11-29 7999\nB2 2018-11-29 3", &["B1 ?", "B2 ?"]);
}

#[test]
fn two_covering_sets_are_both_proposed_and_none_is_taken() {
    check(
        "A 2018-11-26 100\nA 2018-11-27 50\nA 2018-11-28 200\nA 2018-11-29 250",
        "B1 2018-11-30 300",
        &["B1 ? A/2018-11-26+A/2018-11-28 | A/2018-11-27+A/2018-11-29"],
    );
}

#[test]
fn one_covering_set_is_proposed_and_not_taken() {
    check(
        "A 2018-11-26 100\nA 2018-11-27 51\nA 2018-11-28 200",
        "B1 2018-11-30 300",
        &["B1 ? A/2018-11-26+A/2018-11-28"],
    );
}

#[test]
fn the_same_amount_of_two_accounts_is_decided_by_the_banks_text() {
    let days = "A 2018-11-28 8000\nC 2018-11-28 8000";
    check(days, "B1 2018-11-29 8000", &["B1 ? A/2018-11-28 | C/2018-11-28"]);
    check(days, "B1 2018-11-29 8000 1900C", &["B1 = C/2018-11-28"]);
    // And then only one is left for the other.
    check(
        days,
        "B1 2018-11-29 8000\nB2 2018-11-29 8000 1900C",
        &["B1 = A/2018-11-28", "B2 = C/2018-11-28"],
    );
    // A day that the text names is taken when it is exact.
    let days = "A 2018-11-30 80\nA 2018-12-01 80";
    check(days, "B1 2018-12-03 80", &["B1 ? A/2018-11-30 | A/2018-12-01"]);
    check(days, "B1 2018-12-03 80 20181201", &["B1 = A/2018-12-01"]);
}

#[test]
fn two_credits_that_want_one_day_leave_it_to_a_person() {
    check(
        "A 2018-11-28 8000",
        "B1 2018-11-29 8000\nB2 2018-11-29 8000",
        &["B1 ? A/2018-11-28", "B2 ? A/2018-11-28"],
    );
}

#[test]
fn what_is_on_time_goes_before_what_is_late() {
    check(
        "A 2018-11-27 80\nA 2018-11-28 80",
        "B1 2018-11-29 80\nB2 2018-11-30 80 1900A",
        &["B1 = A/2018-11-28", "B2 = A/2018-11-27"],
    );
    // What is late and names nobody may be anybody's money: a person says.
    check("A 2018-11-27 80", "B1 2018-11-30 80", &["B1 ? A/2018-11-27"]);
    // Money of a day does not arrive on that day, nor long afterwards.
    check("A 2018-11-28 80", "B1 2018-11-28 80", &["B1 ?"]);
    check("A 2018-11-12 80", "B1 2018-11-27 80 1900A", &["B1 = A/2018-11-12"]);
    check("A 2018-11-12 80", "B1 2018-11-28 80 1900A", &["B1 ?"]);
}

#[test]
fn what_was_given_back_on_a_day_that_did_not_arrive_is_kept_back_of_a_later_credit() {
    // Sunday's money came without what was given back on Saturday; Monday's does not.
    check(
        "A 2018-12-01 -30\nA 2018-12-02 200 0 taken\nA 2018-12-03 100",
        "B1 2018-12-04 70 1900A",
        &["B1 = A/2018-12-01+A/2018-12-03"],
    );
    // Two such days go together; what is kept back later goes with a later credit.
    check(
        "A 2018-11-30 -10\nA 2018-12-01 -30\nA 2018-12-02 200 0 taken\nA 2018-12-03 100\nA 2018-12-04 90",
        "B1 2018-12-04 100\nB2 2018-12-05 50",
        &["B1 = A/2018-12-03", "B2 = A/2018-11-30+A/2018-12-01+A/2018-12-04"],
    );
}

#[test]
fn what_people_took_back_is_only_proposed() {
    let mut came = credits("B1 2018-11-29 8000 1900A");
    let days = expected("A 2018-11-28 8000");
    let settled = settle(&days, &came, &bank());
    assert!(matches!(settled["B1"], Settled::Matched(_)));
    came[0].is_taken_back = true;
    let settled = settle(&days, &came, &bank());
    let Settled::Proposed(proposed) = &settled["B1"] else { panic!("{settled:?}") };
    assert_eq!(proposed.candidates[0].settlements, ["A/2018-11-28"]);
    // Another credit may be that day's money.
    came.extend(credits("B2 2018-11-29 8000 1900A"));
    let settled = settle(&days, &came, &bank());
    assert!(matches!(settled["B2"], Settled::Matched(_)));
}

#[test]
fn a_day_on_which_more_was_given_back_goes_with_the_next() {
    check(
        "A 2018-11-27 -30\nA 2018-11-28 80",
        "B1 2018-11-29 50",
        &["B1 = A/2018-11-27+A/2018-11-28"],
    );
    // What was taken before stands between.
    check(
        "A 2018-11-26 10\nA 2018-11-27 5 0 taken\nA 2018-11-28 20",
        "B1 2018-11-29 30",
        &["B1 ? A/2018-11-26+A/2018-11-28"],
    );
}
