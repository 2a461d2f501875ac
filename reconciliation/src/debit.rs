//! Which debit at the bank is which remittance to the treasury (缴库): the same amount, and named by its
//! paper's number; or, unnamed, the only two of that amount within some bank days.

use std::collections::BTreeMap;

use domain::Fen;
use domain::bank_calendar::BankCalendar;
use jiff::civil::Date;

use crate::settlement::Credit;

/// How many bank days after it was told a remittance may leave the bank.
const WINDOW: u32 = 3;

/// A remittance of which no debit is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remitted {
    /// Its id.
    pub id: String,
    /// The number of its paper.
    pub reference: String,
    /// On which day it left, as it was told.
    pub remitted_on: Date,
    /// How much.
    pub amount: Fen,
}

/// Which remittance each debit is, by the debit's serial; those that are not clear are left out.
#[must_use]
pub fn pair(
    remitted: &[Remitted],
    debits: &[Credit],
    bank: &BankCalendar,
) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    for is_named in [true, false] {
        let fits = |one: &Remitted, debit: &Credit| {
            one.amount == debit.amount
                && if is_named {
                    names(&debit.reference, &one.reference)
                } else {
                    (one.remitted_on..=bank.after(one.remitted_on, WINDOW))
                        .contains(&debit.value_date)
                }
        };
        let open: Vec<&Credit> =
            debits.iter().filter(|debit| !pairs.contains_key(&debit.serial)).collect();
        let taken: Vec<&String> = pairs.values().collect();
        let left: Vec<&Remitted> =
            remitted.iter().filter(|one| !taken.contains(&&one.id)).collect();
        let mut found = Vec::new();
        for debit in &open {
            let mut mine = left.iter().filter(|one| fits(one, debit));
            let (Some(one), None) = (mine.next(), mine.next()) else { continue };
            // Another debit may be meant as well.
            if open.iter().filter(|other| fits(one, other)).count() == 1 {
                found.push((debit.serial.clone(), one.id.clone()));
            }
        }
        pairs.extend(found);
    }
    pairs
}

/// Whether a text names a number: as a whole, not as a part of a longer one.
fn names(text: &str, number: &str) -> bool {
    let is_inside = |letter: Option<char>| letter.is_some_and(|it| it.is_ascii_alphanumeric());
    !number.is_empty()
        && text.match_indices(number).any(|(at, _)| {
            let before = text.get(..at).and_then(|it| it.chars().next_back());
            let after =
                text.get(at.saturating_add(number.len())..).and_then(|it| it.chars().next());
            !is_inside(before) && !is_inside(after)
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::calendar::Calendar;

    use super::*;

    /// Remittances as `ID DAY AMOUNT REFERENCE`, debits as `SERIAL DAY AMOUNT TEXT…`.
    #[track_caller]
    fn check(told: &str, left: &str, expected: &str) {
        let bank =
            BankCalendar::new(Calendar::built_in().unwrap(), BTreeSet::new(), BTreeSet::new());
        let rows = |text: &str| {
            text.lines()
                .map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
                .filter(|row: &Vec<String>| !row.is_empty())
                .collect::<Vec<_>>()
        };
        let remitted: Vec<Remitted> = rows(told)
            .into_iter()
            .map(|row| Remitted {
                id: row[0].clone(),
                remitted_on: row[1].parse().unwrap(),
                amount: Fen::new(row[2].parse().unwrap()),
                reference: row[3].clone(),
            })
            .collect();
        let debits: Vec<Credit> = rows(left)
            .into_iter()
            .map(|row| Credit {
                serial: row[0].clone(),
                value_date: row[1].parse().unwrap(),
                amount: Fen::new(row[2].parse().unwrap()),
                reference: row[3..].join(" "),
                is_taken_back: false,
            })
            .collect();
        let pairs = pair(&remitted, &debits, &bank);
        let found: Vec<String> = pairs.iter().map(|(debit, id)| format!("{debit}={id}")).collect();
        assert_eq!(found.join(" "), expected);
    }

    #[test]
    fn a_debit_is_a_remittance_by_its_number_or_where_nothing_else_can_be_meant() {
        check("r 2018-12-03 80 JK-1", "B1 2018-12-10 80 缴库JK-1", "B1=r");
        check("r 2018-12-03 80 JK-1", "B1 2018-12-10 80 缴库JK-12", "");
        check("r 2018-12-03 80 JK-1", "B1 2018-12-03 81 缴库JK-1", "");
        check("r 2018-12-03 80 JK-1", "B1 2018-12-06 80", "B1=r");
        check("r 2018-12-03 80 JK-1", "B1 2018-12-07 80", "");
        check("r 2018-12-03 80 JK-1", "B1 2018-12-02 80", "");
        // Two of one amount: only what is named is clear, and then what is left.
        check("r 2018-12-03 80 A\ns 2018-12-03 80 B", "B1 2018-12-03 80", "");
        check("r 2018-12-03 80 A", "B1 2018-12-03 80\nB2 2018-12-04 80", "");
        check(
            "r 2018-12-03 80 A\ns 2018-12-03 80 B",
            "B1 2018-12-03 80 x\nB2 2018-12-03 80 B",
            "B1=r B2=s",
        );
    }
}
