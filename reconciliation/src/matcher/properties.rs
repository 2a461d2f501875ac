//! Properties of the matcher over made-up days: a balanced day stays balanced, one change is one
//! difference of the right kind, order decides nothing, every row is in exactly one place, and the
//! sums of both sides are those of the lists.

#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

use std::collections::BTreeMap;

use domain::bill::{BillRow, BillState, Coverage, Direction, RatePpm, Total};
use domain::money::Fen;
use domain::time::day_start;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::Matcher;
use crate::finding::{Finding, Kind};
use crate::ledger::{LedgerRow, LedgerState};
use crate::outcome::{Reconciliation, Sides};
use crate::rules::{Rules, charge};

pub(super) const DAY: Date = date(2018, 11, 30);
pub(super) const RATE: RatePpm = RatePpm(6000);

/// A bill row with texts of its own.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) direction: Direction,
    pub(super) out_trade_no: String,
    pub(super) out_refund_no: String,
    pub(super) provider_trade_no: String,
    pub(super) amount: Fen,
    pub(super) state: BillState,
    pub(super) occurred_at: Timestamp,
    pub(super) fee: Option<Fen>,
}

impl Line {
    pub(super) fn as_bill_row(&self, line: u64) -> BillRow<'_> {
        BillRow {
            line,
            direction: self.direction,
            out_trade_no: &self.out_trade_no,
            out_refund_no: &self.out_refund_no,
            provider_trade_no: &self.provider_trade_no,
            provider_refund_no: "",
            amount: self.amount,
            settled: None,
            state: self.state,
            occurred_at: self.occurred_at,
            fee: self.fee,
            rate: None,
        }
    }
}

fn run(ledger: &[LedgerRow], bill: &[(u64, Line)]) -> Reconciliation {
    let rules = Rules { day: Some(DAY), fee_rate: Some(RATE) };
    run_with(rules, ledger, bill, (None, Coverage::BOTH))
}

pub(super) fn run_with(
    rules: Rules,
    ledger: &[LedgerRow],
    bill: &[(u64, Line)],
    (stated, covers): (Option<Date>, Coverage),
) -> Reconciliation {
    let mut matcher = Matcher::new(rules, ledger.to_vec());
    for (line, row) in bill {
        matcher.bill_row(&row.as_bill_row(*line));
    }
    matcher.finish(stated, covers)
}

pub(super) fn numbered(bill: &[Line]) -> Vec<(u64, Line)> {
    (2..).zip(bill.iter().cloned()).collect()
}

/// `seconds` after the day's midnight.
pub(super) fn at(seconds: i64) -> Timestamp {
    day_start(DAY) + SignedDuration::from_secs(seconds)
}

fn fee(direction: Direction, amount: Fen) -> Fen {
    let fee = charge(amount, RATE).unwrap();
    if direction == Direction::Refund { fee.negated().unwrap() } else { fee }
}

fn direction() -> impl Strategy<Value = Direction> {
    prop_oneof![3 => Just(Direction::Payment), 1 => Just(Direction::Refund)]
}

/// Both sides of a day on which all agrees, away from the cut.
pub(super) fn balanced() -> impl Strategy<Value = (Vec<LedgerRow>, Vec<Line>)> {
    let row = (direction(), 1_i64..1_000_000, 601_i64..85_799);
    prop::collection::vec(row, 1..25).prop_map(|rows| {
        let mut sides = (Vec::new(), Vec::new());
        for (number, (direction, amount, seconds)) in (1..).zip(rows) {
            let (ledger, line) = agreeing(number, direction, Fen::new(amount), at(seconds));
            sides.0.push(ledger);
            sides.1.push(line);
        }
        sides
    })
}

pub(super) fn agreeing(
    number: u32,
    direction: Direction,
    amount: Fen,
    occurred_at: Timestamp,
) -> (LedgerRow, Line) {
    let is_refund = direction == Direction::Refund;
    let line = Line {
        direction,
        out_trade_no: format!("P{number:05}"),
        out_refund_no: if is_refund { format!("R{number:05}") } else { String::new() },
        provider_trade_no: format!("42000{number:05}"),
        amount,
        state: BillState::Succeeded,
        occurred_at,
        fee: Some(fee(direction, amount)),
    };
    let ledger = LedgerRow {
        direction,
        out_trade_no: line.out_trade_no.clone(),
        out_refund_no: line.out_refund_no.clone(),
        provider_trade_no: line.provider_trade_no.clone(),
        amount,
        state: if is_refund { LedgerState::Succeeded } else { LedgerState::Paid },
        occurred_at,
    };
    (ledger, line)
}

/// One change to a balanced day, and the kind of difference that it must make.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    DropFromBill,
    DropFromLedger,
    RepeatInBill,
    AmountInBill(i64),
    AmountInLedger(i64),
    StateInLedger,
    Fee(i64),
}

pub(super) fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::DropFromBill),
        Just(Change::DropFromLedger),
        Just(Change::RepeatInBill),
        (1_i64..1000).prop_map(Change::AmountInBill),
        (1_i64..1000).prop_map(Change::AmountInLedger),
        Just(Change::StateInLedger),
        (2_i64..1000).prop_map(Change::Fee),
    ]
}

impl Change {
    pub(super) fn apply(
        self,
        at: usize,
        ledger: &mut Vec<LedgerRow>,
        bill: &mut Vec<Line>,
    ) -> Kind {
        let more = |amount: Fen, by: i64| Fen::new(amount.get() + by);
        match self {
            Self::DropFromBill => {
                bill.remove(at);
                Kind::OnlyInHub
            }
            Self::DropFromLedger => {
                ledger.remove(at);
                Kind::OnlyInBill
            }
            Self::RepeatInBill => {
                bill.push(bill[at].clone());
                Kind::DuplicateInBill
            }
            Self::AmountInBill(by) => {
                bill[at].amount = more(bill[at].amount, by);
                Kind::AmountDiffers
            }
            Self::AmountInLedger(by) => {
                ledger[at].amount = more(ledger[at].amount, by);
                Kind::AmountDiffers
            }
            Self::StateInLedger => {
                ledger[at].state = match ledger[at].direction {
                    Direction::Payment => LedgerState::Closed,
                    Direction::Refund => LedgerState::Failed,
                };
                Kind::StateDiffers
            }
            Self::Fee(by) => {
                bill[at].fee = bill[at].fee.map(|fee| more(fee, by));
                Kind::FeeDiffers
            }
        }
    }
}

/// A row from a handful of numbers, so that they repeat, lack and cross each other.
pub(super) fn chaotic_line() -> impl Strategy<Value = Line> {
    let numbers = ("[AB]?", "[RS]?", "[12]?");
    let state = prop_oneof![
        Just(BillState::Succeeded),
        Just(BillState::Processing),
        Just(BillState::Failed)
    ];
    (direction(), numbers, 1_i64..4, state, 0_i64..100_000, prop::option::of(-1_i64..2)).prop_map(
        |(direction, (out_trade_no, out_refund_no, provider), amount, state, seconds, fee)| Line {
            direction,
            out_trade_no,
            out_refund_no: if direction == Direction::Refund {
                out_refund_no
            } else {
                String::new()
            },
            provider_trade_no: provider,
            amount: Fen::new(amount),
            state,
            occurred_at: at(seconds),
            fee: fee.map(Fen::new),
        },
    )
}

pub(super) fn chaotic_row() -> impl Strategy<Value = LedgerRow> {
    (chaotic_line(), 0..3).prop_map(|(line, state)| LedgerRow {
        state: match (line.direction, state) {
            (Direction::Payment, 0) => LedgerState::Pending,
            (Direction::Payment, 1) => LedgerState::Closed,
            (Direction::Payment, _) => LedgerState::Paid,
            (Direction::Refund, 0) => LedgerState::Processing,
            (Direction::Refund, 1) => LedgerState::Succeeded,
            (Direction::Refund, _) => LedgerState::Failed,
        },
        direction: line.direction,
        out_trade_no: line.out_trade_no,
        out_refund_no: line.out_refund_no,
        provider_trade_no: line.provider_trade_no,
        amount: line.amount,
        occurred_at: line.occurred_at,
    })
}

/// What the lists of a result add up to, on either side.
pub(super) fn added_up(done: &Reconciliation) -> (Sides, Sides) {
    let (mut hub, mut bill) = (Sides::default(), Sides::default());
    for row in &done.matched {
        hub.add(row.direction, row.amount);
        bill.add(row.direction, row.amount);
    }
    for rest in &done.rest {
        let rows = Total { count: rest.count, amount_fen: rest.amount };
        hub.join(rest.direction, rows);
        bill.join(rest.direction, rows);
    }
    for finding in findings(done) {
        if finding.hub_state.is_some_and(LedgerState::moves_money) {
            hub.add(finding.direction, finding.hub_amount.unwrap());
        }
        if let Some(amount) = finding.bill_amount {
            bill.add(finding.direction, amount);
        }
    }
    (hub, bill)
}

fn findings(done: &Reconciliation) -> impl Iterator<Item = &Finding> {
    done.differences.iter().chain(&done.doubts)
}

/// What one side of a pair lacks.
#[derive(Clone, Copy, Debug)]
enum Lack {
    Nothing,
    NumberInBill,
    NumberInLedger,
    ProviderInLedger,
}

/// Both sides of a day on which all agrees, with orders that were paid several times and refunded in
/// parts, and of some pairs one side lacks one number.
pub(super) fn mirrored() -> impl Strategy<Value = (Vec<LedgerRow>, Vec<Line>)> {
    let lack = prop_oneof![
        2 => Just(Lack::Nothing),
        1 => Just(Lack::NumberInBill),
        1 => Just(Lack::NumberInLedger),
        1 => Just(Lack::ProviderInLedger),
    ];
    let row = (direction(), 1_u32..4, 0_u32..3, 1_i64..4, lack);
    let sides = prop::collection::vec(row, 1..9).prop_map(|rows| {
        let mut sides = BTreeMap::new();
        for (seconds, (direction, order, payment, fen, lack)) in (40_000..).zip(rows) {
            let (mut row, mut line) = agreeing(order, direction, Fen::new(fen), at(seconds));
            let key = match direction {
                Direction::Payment => format!("{order}/{payment}"),
                Direction::Refund => format!("R{payment}"),
            };
            line.provider_trade_no = format!("{order}/{payment}");
            if direction == Direction::Refund {
                (row.out_refund_no, line.out_refund_no) = (key.clone(), key.clone());
            }
            row.provider_trade_no = line.provider_trade_no.clone();
            lack.apply(&mut row, &mut line);
            sides.entry((direction, key)).or_insert((row, line));
        }
        sides.into_values().unzip()
    });
    sides.prop_flat_map(|(ledger, bill): (Vec<LedgerRow>, Vec<Line>)| {
        (Just(ledger).prop_shuffle(), Just(bill).prop_shuffle())
    })
}

impl Lack {
    fn apply(self, row: &mut LedgerRow, line: &mut Line) {
        let (hub, bill) = match line.direction {
            Direction::Payment => (&mut row.out_trade_no, &mut line.out_trade_no),
            Direction::Refund => (&mut row.out_refund_no, &mut line.out_refund_no),
        };
        match self {
            Self::Nothing => {}
            Self::NumberInBill => bill.clear(),
            Self::NumberInLedger => hub.clear(),
            Self::ProviderInLedger => row.provider_trade_no.clear(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_day_of_which_each_row_lacks_at_most_one_number_is_balanced((ledger, bill) in mirrored()) {
        let done = run(&ledger, &numbered(&bill));
        prop_assert!(done.is_balanced() && done.doubts.is_empty(), "{done:#?}");
    }
}

proptest! {
    #[test]
    fn a_balanced_day_is_balanced((ledger, bill) in balanced()) {
        let done = run(&ledger, &numbered(&bill));
        prop_assert!(done.is_balanced() && done.doubts.is_empty(), "{done:?}");
        prop_assert_eq!(done.matched.len(), bill.len());
        prop_assert_eq!(done.sums.hub, done.sums.bill);
        prop_assert_eq!(done.sums.hub, done.sums.matched);
    }

    #[test]
    fn t21_one_change_is_one_difference_of_its_kind(
        (mut ledger, mut bill) in balanced(),
        change in change(),
        at in any::<prop::sample::Index>(),
    ) {
        let at = at.index(bill.len());
        let kind = change.apply(at, &mut ledger, &mut bill);
        let done = run(&ledger, &numbered(&bill));
        prop_assert_eq!(done.differences.len(), 1, "{:?}", done.differences);
        prop_assert_eq!(done.differences[0].kind, kind);
        prop_assert!(done.doubts.is_empty());
    }

    #[test]
    fn t21_the_order_of_the_rows_decides_nothing(
        (ledger, other_ledger) in prop::collection::vec(chaotic_row(), 0..14)
            .prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        (bill, other_bill) in prop::collection::vec(chaotic_line(), 0..14)
            .prop_flat_map(|rows| {
                let rows = numbered(&rows);
                (Just(rows.clone()), Just(rows).prop_shuffle())
            }),
    ) {
        let done = run(&ledger, &bill);
        prop_assert_eq!(&done, &run(&other_ledger, &other_bill));
        prop_assert_eq!(&done, &run(&ledger, &bill));
    }

    #[test]
    fn every_row_is_in_exactly_one_place_and_the_sums_foot(
        ledger in prop::collection::vec(chaotic_row(), 0..14),
        bill in prop::collection::vec(chaotic_line(), 0..14),
    ) {
        let done = run(&ledger, &numbered(&bill));
        let outside = done.outside.unpaid + done.outside.other_day + done.outside.not_listed;
        let of_hub = findings(&done).filter(|finding| finding.hub_amount.is_some()).count();
        let of_bill = findings(&done).filter(|finding| finding.bill_amount.is_some()).count();
        let outside = usize::try_from(outside).unwrap();
        prop_assert_eq!(ledger.len(), done.matched.len() + of_hub + outside);
        prop_assert_eq!(bill.len(), done.matched.len() + of_bill);
        let (hub, bill) = added_up(&done);
        prop_assert_eq!(bill, done.sums.bill);
        prop_assert_eq!(hub, done.sums.hub);
    }
}
