//! Which of some amounts add up to a credit: every set of them, within a bound on the search that is
//! told when it was reached. It never chooses.

use domain::Fen;

/// The most amounts that are tried together; of more, the last.
pub const MOST_ITEMS: usize = 20;
/// The most sets that are shown.
pub const MOST_SETS: usize = 8;
/// The most steps of one search.
pub const MOST_STEPS: u32 = 1 << 18;
/// The most steps of all searches for one statement: a fraction of a second.
pub const MOST_STEPS_IN_ALL: u32 = 1 << 22;

/// The sets that add up to a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covering {
    /// Each by the places of its amounts, in order.
    pub sets: Vec<Vec<usize>>,
    /// Whether there can be no others: false when amounts were left out, sets were not shown, or the
    /// search was cut off.
    pub is_whole: bool,
}

/// A part of the search: from which amount on, what is left to be covered, and what was taken.
struct Branch {
    at: usize,
    left: i128,
    taken: Vec<usize>,
}

/// Every non-empty set of `amounts` that adds up to `target`. What it costs is taken from `left_in_all`.
#[must_use]
pub fn covering(amounts: &[Fen], target: Fen, left_in_all: &mut u32) -> Covering {
    let most = MOST_STEPS.min(*left_in_all);
    let dropped = amounts.len().saturating_sub(MOST_ITEMS);
    let items: Vec<i128> = amounts.iter().skip(dropped).map(|fen| i128::from(fen.get())).collect();
    let reach = reach(&items);
    let mut found = Covering { sets: Vec::new(), is_whole: dropped == 0 };
    let mut steps: u32 = 0;
    let mut open = vec![Branch { at: 0, left: i128::from(target.get()), taken: Vec::new() }];
    while let Some(Branch { at, left, taken }) = open.pop() {
        steps = steps.saturating_add(1);
        if steps > most {
            found.is_whole = false;
            break;
        }
        let Some((item, (least, most))) = items.get(at).zip(reach.get(at)) else {
            if left == 0 && !taken.is_empty() {
                if found.sets.len() >= MOST_SETS {
                    found.is_whole = false;
                    break;
                }
                found.sets.push(taken.iter().map(|place| place.saturating_add(dropped)).collect());
            }
            continue;
        };
        if left < *least || left > *most {
            continue;
        }
        let next = at.saturating_add(1);
        let mut with = taken.clone();
        with.push(at);
        // The last one put there is looked at first: sets with the earliest amounts come first.
        open.push(Branch { at: next, left, taken });
        open.push(Branch { at: next, left: left.saturating_sub(*item), taken: with });
    }
    *left_in_all = left_in_all.saturating_sub(steps);
    found
}

/// The least and the most that the amounts from each place on can add up to.
fn reach(items: &[i128]) -> Vec<(i128, i128)> {
    let mut reach = Vec::with_capacity(items.len());
    let (mut least, mut most) = (0_i128, 0_i128);
    for item in items.iter().rev() {
        least = least.saturating_add((*item).min(0));
        most = most.saturating_add((*item).max(0));
        reach.push((least, most));
    }
    reach.reverse();
    reach
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fen(amounts: &[i64]) -> Vec<Fen> {
        amounts.iter().map(|fen| Fen::new(*fen)).collect()
    }

    fn covering(amounts: &[Fen], target: Fen) -> Covering {
        super::covering(amounts, target, &mut MOST_STEPS_IN_ALL.clone())
    }

    #[test]
    fn every_set_is_found_and_none_is_chosen() {
        let found = covering(&fen(&[100, 200, 300, 50]), Fen::new(300));
        assert_eq!(found.sets, [vec![0, 1], vec![2]]);
        assert!(found.is_whole);
        // A day on which more was given back than taken.
        let found = covering(&fen(&[500, -100, 70]), Fen::new(400));
        assert_eq!(found.sets, [vec![0, 1]]);
        assert_eq!(covering(&fen(&[1, 2]), Fen::new(4)).sets, Vec::<Vec<usize>>::new());
        assert_eq!(covering(&[], Fen::ZERO).sets, Vec::<Vec<usize>>::new());
    }

    #[test]
    fn where_it_stops_it_says_so() {
        let many = covering(&fen(&[1; 12]), Fen::new(6));
        assert_eq!((many.sets.len(), many.is_whole), (MOST_SETS, false));
        let long: Vec<i64> = (0..25).map(|item| 1_000 + item).collect();
        let left_out = covering(&fen(&long), Fen::new(1_000));
        assert_eq!((left_out.sets.len(), left_out.is_whole), (0, false), "the first were left out");
        assert_eq!(covering(&fen(&long), Fen::new(1_005)).sets, [vec![5]]);
        // Odd and even: no set is right, and bounds cut nothing off.
        let twos: Vec<i64> = (0..20)
            .map(|item| if item % 2 == 0 { 2 << (item / 2) } else { -(2 << (item / 2)) })
            .collect();
        let tired = covering(&fen(&twos), Fen::new(1));
        assert_eq!((tired.sets.len(), tired.is_whole), (0, false));
        // And many searches together have an end as well, which the last ones tell.
        let mut left = MOST_STEPS_IN_ALL;
        let searches = (0..40).map(|_| super::covering(&fen(&twos), Fen::new(1), &mut left));
        assert!(searches.into_iter().all(|found| !found.is_whole));
        assert_eq!(left, 0);
        let none_left = super::covering(&fen(&[100, 200]), Fen::new(300), &mut left);
        assert_eq!((none_left.sets.len(), none_left.is_whole), (0, false));
    }

    proptest! {
        #[test]
        fn it_finds_what_trying_everything_finds(
            amounts in prop::collection::vec(-60_i64..120, 0..9), target in -50_i64..250,
        ) {
            let found = covering(&fen(&amounts), Fen::new(target));
            let mut all = Vec::new();
            for mask in 1_u32..(1 << amounts.len()) {
                let set: Vec<usize> = (0..amounts.len()).filter(|at| mask & (1 << at) != 0).collect();
                if set.iter().map(|at| amounts[*at]).sum::<i64>() == target {
                    all.push(set);
                }
            }
            all.sort();
            let mut sets = found.sets.clone();
            sets.sort();
            if found.is_whole {
                prop_assert_eq!(sets, all);
            } else {
                prop_assert!(sets.iter().all(|set| all.contains(set)));
                prop_assert!(all.len() > MOST_SETS);
            }
        }
    }
}
