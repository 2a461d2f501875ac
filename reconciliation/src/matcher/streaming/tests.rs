//! The streaming matcher beside the obvious one, over days that are in order, days with one change
//! and days in which everything repeats, lacks and crosses everything else.

#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use domain::bill::{Coverage, Direction};
use domain::money::Fen;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::super::held::Held;
use super::super::properties::{
    DAY, Line, RATE, added_up, agreeing, at, balanced, change, chaotic_line, chaotic_row, mirrored,
    numbered, run_with,
};
use super::{Again, Streaming};
use crate::ledger::{LedgerLine, LedgerRow};
use crate::outcome::{Reconciliation, Rest};
use crate::rules::Rules;

/// A hasher of one bit: half of all numbers collide, tags and all.
#[derive(Default)]
struct OneBit(u8);

impl Hasher for OneBit {
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= bytes.iter().fold(0, |all, byte| all ^ byte) & 1;
    }

    fn finish(&self) -> u64 {
        u64::from(self.0)
    }
}

fn borrowed(row: &LedgerRow) -> LedgerLine<'_> {
    LedgerLine {
        direction: row.direction,
        out_trade_no: &row.out_trade_no,
        out_refund_no: &row.out_refund_no,
        provider_trade_no: &row.provider_trade_no,
        amount: row.amount,
        state: row.state,
        occurred_at: row.occurred_at,
    }
}

/// Runs the streaming matcher; the places of the ledger are the rows' positions.
fn stream<S: BuildHasher>(
    mut matcher: Streaming<S>,
    ledger: &[LedgerRow],
    bill: &[(u64, Line)],
    (stated, covers): (Option<Date>, Coverage),
) -> Reconciliation {
    for (place, row) in (0..).zip(ledger) {
        matcher.ledger_row(&borrowed(row), place);
    }
    matcher.bill_begins();
    // Some together, the others one by one.
    let mut together = Held::with_room_for(3);
    for (line, row) in bill.iter().take(3) {
        together.push(&row.as_bill_row(*line));
    }
    matcher.bill_rows(&together);
    for (line, row) in bill.iter().skip(3) {
        matcher.bill_row(&row.as_bill_row(*line));
    }
    let again = matcher.bill_ends(stated, covers);
    for (line, row) in bill {
        if match &again {
            Again::All => true,
            Again::Lines(lines) => lines.contains(line),
        } {
            matcher.bill_row_again(&row.as_bill_row(*line));
        }
    }
    for place in matcher.places() {
        matcher.ledger_row_again(&borrowed(&ledger[usize::try_from(place).unwrap()]));
    }
    matcher.finish()
}

/// The whole list folded as a short one would be, to be compared with one that was never whole.
fn folded(mut done: Reconciliation, kept: &Reconciliation) -> Reconciliation {
    let whole = std::mem::take(&mut done.matched);
    for direction in [Direction::Payment, Direction::Refund] {
        let listed = kept.matched.iter().filter(|row| row.direction == direction).count();
        let all = whole.iter().filter(|row| row.direction == direction);
        let (listed, rest): (Vec<_>, Vec<_>) =
            all.cloned().enumerate().partition(|(at, _)| *at < listed);
        done.matched.extend(listed.into_iter().map(|(_, row)| row));
        if !rest.is_empty() {
            let fees: Vec<Fen> = rest.iter().filter_map(|(_, row)| row.fee).collect();
            done.rest.push(Rest {
                direction,
                count: rest.len().try_into().unwrap(),
                amount: Fen::sum(rest.iter().map(|(_, row)| row.amount)).unwrap(),
                fee: if fees.is_empty() { None } else { Fen::sum(fees) },
            });
        }
    }
    done
}

fn rules() -> impl Strategy<Value = (Rules, Option<Date>, Coverage)> {
    let day = || {
        prop_oneof![
            Just(None),
            Just(Some(DAY)),
            Just(Some(date(2018, 12, 1))),
            Just(Some(date(2018, 11, 29)))
        ]
    };
    let covers = prop_oneof![
        Just(Coverage::BOTH),
        Just(Coverage { payments: true, refunds: false }),
        Just(Coverage { payments: false, refunds: true })
    ];
    let rate = prop_oneof![Just(None), Just(Some(RATE))];
    (day(), rate, day(), covers)
        .prop_map(|(day, fee_rate, stated, covers)| (Rules { day, fee_rate }, stated, covers))
}

/// Two chaotic sides, beside rows that agree so that something is cleared.
fn chaos() -> impl Strategy<Value = (Vec<LedgerRow>, Vec<Line>)> {
    let agreeing = (0_u32..6, 1_i64..4, 0_i64..100_000, any::<bool>()).prop_map(
        |(number, amount, seconds, refund)| {
            let direction = if refund { Direction::Refund } else { Direction::Payment };
            agreeing(number, direction, Fen::new(amount), at(seconds))
        },
    );
    (
        prop::collection::vec(chaotic_row(), 0..10),
        prop::collection::vec(chaotic_line(), 0..10),
        prop::collection::vec(agreeing, 0..12),
    )
        .prop_map(|(mut ledger, mut bill, both)| {
            for (row, line) in both {
                ledger.push(row);
                bill.push(line);
            }
            (ledger, bill)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn t21_the_streaming_matcher_agrees_with_the_obvious_one(
        (ledger, bill) in chaos(),
        (rules, stated, covers) in rules(),
    ) {
        let bill = numbered(&bill);
        let obvious = run_with(rules, &ledger, &bill, (stated, covers));
        let streamed = stream(Streaming::new(rules), &ledger, &bill, (stated, covers));
        prop_assert_eq!(obvious, streamed);
    }

    #[test]
    fn a_list_that_is_cut_short_is_still_the_first_of_all(
        (ledger, bill) in chaos(),
        (rules, stated, covers) in rules(),
        limits in (0_usize..8, 1_usize..4),
    ) {
        let bill = numbered(&bill);
        let obvious = run_with(rules, &ledger, &bill, (stated, covers));
        let matcher = Streaming::with(rules, RandomState::new(), limits);
        let streamed = stream(matcher, &ledger, &bill, (stated, covers));
        let sums = added_up(&obvious);
        prop_assert_eq!(sums, added_up(&streamed));
        for direction in [Direction::Payment, Direction::Refund] {
            // The first rows of the whole list are the first of the short one.
            let first = |done: &Reconciliation| -> Vec<_> {
                let rows = done.matched.iter().filter(|row| row.direction == direction);
                rows.take(limits.1).cloned().collect()
            };
            prop_assert_eq!(first(&obvious), first(&streamed));
        }
        let alike = |mut done: Reconciliation| {
            done.matched.clear();
            done.rest.clear();
            done
        };
        prop_assert_eq!(alike(obvious.clone()), alike(streamed.clone()));
        let rest: u64 = streamed.rest.iter().map(|rest| rest.count).sum();
        let listed = u64::try_from(streamed.matched.len()).unwrap();
        prop_assert_eq!(u64::try_from(obvious.matched.len()).unwrap(), listed + rest);
    }

    #[test]
    fn a_collision_of_hashes_clears_nothing(
        (ledger, bill) in chaos(),
        (rules, stated, covers) in rules(),
    ) {
        let bill = numbered(&bill);
        let obvious = run_with(rules, &ledger, &bill, (stated, covers));
        let hasher = BuildHasherDefault::<OneBit>::default();
        let matcher = Streaming::with(rules, hasher, (100, 100));
        prop_assert_eq!(obvious, stream(matcher, &ledger, &bill, (stated, covers)));
    }

    #[test]
    fn t21_crossing_numbers_are_streamed_as_they_are_matched(
        (ledger, bill) in mirrored(),
        repeated in any::<prop::sample::Index>(),
        removed in any::<prop::sample::Index>(),
        rules in rules(),
    ) {
        let (rules, stated, covers) = rules;
        let mut bill = bill;
        bill.push(bill[repeated.index(bill.len())].clone());
        bill.remove(removed.index(bill.len()));
        let bill = numbered(&bill);
        let obvious = run_with(rules, &ledger, &bill, (stated, covers));
        prop_assert_eq!(obvious, stream(Streaming::new(rules), &ledger, &bill, (stated, covers)));
    }

    #[test]
    fn t21_one_change_is_one_difference_when_streamed(
        (mut ledger, mut bill) in balanced(),
        change in change(),
        at in any::<prop::sample::Index>(),
    ) {
        let at = at.index(bill.len());
        let kind = change.apply(at, &mut ledger, &mut bill);
        let rules = Rules { day: Some(DAY), fee_rate: Some(RATE) };
        let of = (None, Coverage::BOTH);
        let done = stream(Streaming::new(rules), &ledger, &numbered(&bill), of);
        prop_assert_eq!(done.differences.len(), 1, "{:?}", done.differences);
        prop_assert_eq!(done.differences[0].kind, kind);
        prop_assert!(done.doubts.is_empty());
    }
}

#[test]
fn rows_of_colliding_numbers_are_not_each_other() {
    let rules = Rules { day: Some(DAY), fee_rate: None };
    // The numbers differ in two bits, so that the hasher of one bit takes them for one.
    let (row, _) = agreeing(1, Direction::Payment, Fen::new(100), at(40_000));
    let (_, line) = agreeing(2, Direction::Payment, Fen::new(100), at(40_000));
    let (row, line) = (
        LedgerRow { out_trade_no: "P3".to_owned(), ..row },
        Line { out_trade_no: "P0".to_owned(), ..line },
    );
    let matcher = Streaming::with(rules, BuildHasherDefault::<OneBit>::default(), (9, 9));
    let done = stream(matcher, &[row], &[(2, line)], (None, Coverage::BOTH));
    assert_eq!((done.matched.len(), done.differences.len()), (0, 2));
}

#[test]
fn a_clean_day_is_only_counted() {
    let rules = Rules { day: Some(DAY), fee_rate: Some(RATE) };
    let rows =
        (1..=50).map(|n| agreeing(n, Direction::Payment, Fen::new(i64::from(n)), at(40_000)));
    let (ledger, bill): (Vec<_>, Vec<_>) = rows.unzip();
    let bill = numbered(&bill);
    let obvious = run_with(rules, &ledger, &bill, (None, Coverage::BOTH));
    let matcher = Streaming::with(rules, RandomState::new(), (20, 5));
    let done = stream(matcher, &ledger, &bill, (None, Coverage::BOTH));
    assert!(done.matched.len() < 10, "{}", done.matched.len());
    assert_eq!(folded(obvious, &done), done);
}

#[test]
fn numbers_that_are_too_long_for_an_entry_are_compared_whole() {
    let rules = Rules { day: Some(DAY), fee_rate: None };
    let (row, line) = agreeing(1, Direction::Payment, Fen::new(100), at(40_000));
    for (length, end, pairs) in [(31, "", 1), (32, "", 1), (33, "", 1), (300, "", 1), (40, "x", 0)]
    {
        let number = "P".repeat(length);
        let row = LedgerRow { out_trade_no: format!("{number}{end}"), ..row.clone() };
        let other = LedgerRow { out_trade_no: "Q".repeat(80), ..row.clone() };
        let line = Line { out_trade_no: number, ..line.clone() };
        let matcher = Streaming::with(rules, BuildHasherDefault::<OneBit>::default(), (9, 9));
        let done = stream(matcher, &[other, row], &[(2, line)], (None, Coverage::BOTH));
        assert_eq!(done.matched.len(), pairs, "{length} {end}");
    }
}

#[test]
fn a_row_that_is_repeated_does_not_make_the_list_anew() {
    let rules = Rules { day: Some(DAY), fee_rate: Some(RATE) };
    let rows =
        (1..=50).map(|n| agreeing(n, Direction::Payment, Fen::new(i64::from(n)), at(40_000)));
    let (ledger, mut bill): (Vec<_>, Vec<_>) = rows.unzip();
    bill.push(bill[0].clone());
    let bill = numbered(&bill);
    let mut matcher = Streaming::with(rules, RandomState::new(), (20, 5));
    for (place, row) in (0..).zip(&ledger) {
        matcher.ledger_row(&borrowed(row), place);
    }
    matcher.bill_begins();
    for (line, row) in &bill {
        matcher.bill_row(&row.as_bill_row(*line));
    }
    let again = matcher.bill_ends(None, Coverage::BOTH);
    assert!(matches!(&again, Again::Lines(lines) if lines.len() == 1), "{again:?}");
    // And it shows the first of all the same.
    let whole = |limits| {
        let matcher = Streaming::with(rules, RandomState::new(), limits);
        stream(matcher, &ledger, &bill, (None, Coverage::BOTH)).matched
    };
    assert_eq!(whole((20, 5))[..5], whole((100, 100))[..5]);
}
