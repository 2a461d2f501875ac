//! Properties of settling over made-up months: order decides nothing, every day and credit is taken
//! once and to the fen, and a bank that pays as it should leaves nothing to a person.

#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

use std::collections::BTreeSet;

use domain::calendar::Calendar;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn bank() -> BankCalendar {
    BankCalendar::new(Calendar::built_in().unwrap(), BTreeSet::new(), BTreeSet::new())
}

/// Two accounts from 25 September 2018, over National Day.
fn month(nets: &[(i64, i64)]) -> Vec<Expected> {
    let mut days = Vec::new();
    let mut day = date(2018, 9, 25);
    for (first, second) in nets {
        for (account, net) in [("A", first), ("C", second)] {
            days.push(Expected {
                id: format!("{account}/{day}"),
                account: account.to_owned(),
                numbers: vec![format!("1900{account}")],
                day,
                due_on: bank().due_on(day),
                net: Fen::new(*net),
                fee: Fen::ZERO,
                is_open: true,
            });
        }
        day = day.tomorrow().unwrap();
    }
    days
}

/// What a bank pays that does everything as it should.
fn paid(days: &[Expected]) -> Vec<Credit> {
    let mut sums = BTreeMap::<(Date, &str), i64>::new();
    for day in days {
        *sums.entry((day.due_on, &day.account)).or_default() += day.net.get();
    }
    let credit = |(at, ((due, account), sum)): (usize, ((Date, &str), i64))| Credit {
        serial: format!("B{at:03}"),
        value_date: due,
        amount: Fen::new(sum),
        reference: format!("清算 1900{account}"),
        is_taken_back: false,
    };
    sums.into_iter().filter(|(_, sum)| *sum > 0).enumerate().map(credit).collect()
}

proptest! {
    #[test]
    fn a_bank_that_pays_as_it_should_leaves_nothing_over(
        nets in prop::collection::vec((0_i64..9, 1_i64..500_000), 1..25),
    ) {
        let days = month(&nets);
        let credits = paid(&days);
        let settled = settle(&days, &credits, &bank());
        let mut taken = BTreeSet::new();
        for credit in &credits {
            let Some(Settled::Matched(candidate)) = settled.get(&credit.serial) else {
                return Err(TestCaseError::fail(format!("{credit:?}: {settled:?}")));
            };
            taken.extend(candidate.settlements.iter().cloned());
        }
        let open = days.iter().filter(|day| day.net != Fen::ZERO && !taken.contains(&day.id));
        prop_assert_eq!(open.count(), 0);
    }

    #[test]
    fn order_decides_nothing_and_everything_is_taken_once(
        nets in prop::collection::vec((-40_i64..60, 0_i64..60), 1..16),
        amounts in prop::collection::vec((0_usize..20, 1_i64..120), 0..14),
        turn in 0_usize..30,
    ) {
        let mut days = month(&nets);
        let mut credits: Vec<Credit> = amounts
            .iter()
            .enumerate()
            .map(|(at, (after, amount))| Credit {
                serial: format!("B{at:03}"),
                value_date: bank().after(date(2018, 9, 25), u32::try_from(*after).unwrap()),
                amount: Fen::new(*amount),
                reference: String::new(),
                is_taken_back: false,
            })
            .collect();
        let settled = settle(&days, &credits, &bank());
        prop_assert_eq!(settled.len(), credits.len());
        let mut seen = BTreeSet::new();
        for credit in &credits {
            if let Settled::Matched(candidate) = &settled[&credit.serial] {
                prop_assert_eq!(candidate.expected_fen, credit.amount);
                prop_assert_eq!(candidate.difference_fen, Fen::ZERO);
                for id in &candidate.settlements {
                    prop_assert!(seen.insert(id.clone()), "{} twice", id);
                }
            }
        }
        days.reverse();
        let at = turn % (credits.len() + 1);
        credits.rotate_left(at);
        prop_assert_eq!(settle(&days, &credits, &bank()), settled);
    }
}
