//! Each cause once, both directions of each rule, and that the order of rows changes nothing.

use domain::bill::{BillRow, BillState, Direction};
use domain::fund::{FundKind, FundRow};
use domain::money::Fen;
use jiff::civil::Date;

use super::{Account, BalanceGap, Before, FundCause, FundMatcher, FundResult};

const DAY: Date = jiff::civil::date(2018, 11, 30);

/// `payment P1 80.00 fee 0.48 at 09:00` of the trade bill: kind, number, fen, charge, time, state.
type Trade = (Direction, &'static str, i64, i64, &'static str, BillState);
/// Of the fund flow bill: kind, number, fen, time.
type Fund = (FundKind, &'static str, i64, &'static str);

const PAID: BillState = BillState::Succeeded;
const P: Direction = Direction::Payment;
const R: Direction = Direction::Refund;

fn digits(number: &str) -> &str {
    number.trim_start_matches(|letter: char| !letter.is_ascii_digit())
}

fn on(day: Date, trade: &[Trade], fund: &[Fund], before: &Before) -> FundResult {
    let at = |time: &str| format!("{day}T{time}:00+08:00").parse().unwrap();
    let mut matcher = FundMatcher::new(day);
    for (line, (direction, number, fen, charge, time, state)) in (2..).zip(trade) {
        let trade_no = format!("T{}", digits(number));
        let is_refund = *direction == R;
        matcher.trade_row(&BillRow {
            line,
            direction: *direction,
            out_trade_no: if is_refund { "P1" } else { number },
            out_refund_no: if is_refund { number } else { "" },
            provider_trade_no: &trade_no,
            provider_refund_no: &if is_refund { format!("W{number}") } else { String::new() },
            amount: Fen::new(*fen),
            settled: None,
            state: *state,
            occurred_at: at(time),
            fee: Some(Fen::new(if is_refund { charge.saturating_neg() } else { *charge })),
            rate: None,
        });
    }
    for (line, (kind, number, fen, time)) in (2..).zip(fund) {
        let is_refund = *kind == FundKind::Refund;
        let provider_no =
            if is_refund { format!("W{number}") } else { format!("T{}", digits(number)) };
        matcher.fund_row(&FundRow {
            line,
            occurred_at: at(time),
            flow_no: "f",
            provider_no: &provider_no,
            out_no: number,
            kind: *kind,
            amount: Fen::new(*fen),
            balance: None,
        });
    }
    matcher.finish(&Account::default(), before)
}

/// `differences | doubts`, each as `cause expected found`.
fn said(result: &FundResult) -> String {
    let part = |found: &[super::FundFinding]| {
        let one = |it: &super::FundFinding| {
            let fen = |fen: Option<Fen>| fen.map_or("-".to_owned(), |fen| fen.get().to_string());
            format!("{} {} {}", it.cause.as_str(), fen(it.expected), fen(it.found))
        };
        found.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    format!("{} | {}", part(&result.differences), part(&result.doubts))
}

#[track_caller]
fn check(trade: &[Trade], fund: &[Fund], wanted: &str) {
    assert_eq!(said(&on(DAY, trade, fund, &Before::default())), wanted);
    let (mut trade, mut fund) = (trade.to_vec(), fund.to_vec());
    trade.reverse();
    fund.reverse();
    assert_eq!(said(&on(DAY, &trade, &fund, &Before::default())), wanted, "in another order");
}

#[test]
fn what_came_in_gross_arrives_gross() {
    let trade = [(P, "P1", 8000, 48, "09:00", PAID), (R, "R1", 3000, 18, "10:00", PAID)];
    check(
        &trade,
        &[
            (FundKind::Payment, "P1", 8000, "09:00"),
            (FundKind::Refund, "R1", -3000, "10:00"),
            (FundKind::Withdrawal, "X9", -5000, "11:00"),
            (FundKind::TopUp, "X9", 100, "11:00"),
        ],
        " | ",
    );
}

#[test]
fn a_charge_taken_from_the_principal_is_a_difference() {
    let trade = [(P, "P1", 8000, 48, "09:00", PAID), (R, "R1", 3000, 18, "10:00", PAID)];
    // As a change of its own, and hidden in the amounts.
    check(
        &trade,
        &[
            (FundKind::Payment, "P1", 8000, "09:00"),
            (FundKind::Charge, "P1", -48, "09:00"),
            (FundKind::Refund, "R1", -2982, "10:00"),
        ],
        "net_settled - -48, net_settled -3000 -2982 | ",
    );
    check(&trade[..1], &[(FundKind::Payment, "P1", 7952, "09:00")], "net_settled 8000 7952 | ");
}

#[test]
fn each_side_alone_and_another_amount() {
    let paid = (P, "P1", 8000, 0, "09:00", PAID);
    check(&[paid], &[], "missing_in_flow 8000 - | ");
    check(&[], &[(FundKind::Payment, "P1", 8000, "09:00")], "missing_in_trade - 8000 | ");
    check(&[paid], &[(FundKind::Payment, "P1", 8001, "09:00")], "amount_unequal 8000 8001 | ");
    // Sums that agree hide nothing.
    check(
        &[paid, (P, "P2", 100, 0, "09:01", PAID)],
        &[(FundKind::Payment, "P1", 100, "09:00"), (FundKind::Payment, "P2", 8000, "09:01")],
        "amount_unequal 8000 100, amount_unequal 100 8000 | ",
    );
    check(&[], &[(FundKind::Other, "X9", -5, "09:00")], "unexplained - -5 | ");
}

#[test]
fn each_row_is_consumed_once() {
    let paid = (P, "P1", 8000, 0, "09:00", PAID);
    let came = (FundKind::Payment, "P1", 8000, "09:00");
    check(&[paid], &[came, came], "missing_in_trade - 8000 | ");
    check(&[paid, paid], &[came], "missing_in_flow 8000 - | ");
}

#[test]
fn a_row_at_the_cut_waits_for_one_file() {
    let paid = (P, "P1", 8000, 0, "23:55", PAID);
    check(&[paid], &[], " | near_cut 8000 -");
    let first = on(DAY, &[paid], &[], &Before::default());
    let before = Before { doubts: first.doubts, ..Before::default() };
    let next = DAY.tomorrow().unwrap();
    let came = on(next, &[], &[(FundKind::Payment, "P1", 8000, "00:01")], &before);
    assert_eq!(said(&came), " | ", "the next bill has it");
    let never = on(next, &[], &[], &before);
    assert_eq!(said(&never), "missing_in_flow 8000 - | ");
    assert_eq!(never.differences[0].day, DAY, "with its own day");
}

#[test]
fn a_refund_that_moves_on_another_day_is_carried_by_row() {
    let refunds =
        [(R, "R1", 3000, 0, "10:00", BillState::Processing), (R, "R2", 3000, 0, "10:01", PAID)];
    let moved = [(FundKind::Refund, "R2", -3000, "10:02")];
    check(&refunds, &moved, " | refund_moves_later -3000 -");
    let mut before = Before {
        doubts: on(DAY, &refunds, &moved, &Before::default()).doubts,
        ..Before::default()
    };
    let mut day = DAY;
    for files in 1..3 {
        day = day.tomorrow().unwrap();
        // The same sum of another refund clears nothing.
        let other = on(day, &[], &[(FundKind::Refund, "R3", -3000, "09:00")], &before);
        assert!(other.doubts.iter().any(|it| it.out_no == "R1" && it.files == files));
        assert!(other.doubts.iter().any(|it| it.cause == FundCause::RefundOfAnotherDay));
        let came = on(day, &[], &[(FundKind::Refund, "R1", -3000, "09:00")], &before);
        assert_eq!(said(&came), " | ");
        assert_eq!(came.matched.refunds.count, 1);
        before.doubts = on(day, &[], &[], &before).doubts;
    }
    day = day.tomorrow().unwrap();
    assert_eq!(said(&on(day, &[], &[], &before)), "missing_in_flow -3000 - | ", "three files");
}

#[test]
fn what_was_taken_back_at_the_counter_comes_and_goes() {
    let revoked = (P, "P1", 8000, 0, "09:00", BillState::Failed);
    check(&[revoked], &[], " | ");
    let came = (FundKind::Payment, "P1", 8000, "09:00");
    check(&[revoked], &[came], " | refund_moves_later -8000 -");
    // The way back has the number of its payment.
    let mut matcher = FundMatcher::new(DAY);
    let at = "2018-11-30T09:00:00+08:00".parse().unwrap();
    let row = |kind, fen| FundRow {
        line: 2,
        occurred_at: at,
        flow_no: "f",
        provider_no: "T1",
        out_no: "",
        kind,
        amount: Fen::new(fen),
        balance: None,
    };
    matcher.trade_row(&BillRow {
        line: 2,
        direction: P,
        out_trade_no: "P1",
        out_refund_no: "",
        provider_trade_no: "T1",
        provider_refund_no: "",
        amount: Fen::new(8000),
        settled: None,
        state: BillState::Failed,
        occurred_at: at,
        fee: None,
        rate: None,
    });
    matcher.fund_row(&row(FundKind::Payment, 8000));
    matcher.fund_row(&row(FundKind::Refund, -8000));
    assert_eq!(said(&matcher.finish(&Account::default(), &Before::default())), " | ");
}

#[test]
fn balances_go_on_from_row_to_row_and_from_day_to_day() {
    let fen = Fen::new;
    let account = Account {
        ends: Some((fen(100), fen(900))),
        gaps: vec![BalanceGap { line: 7, expected: fen(500), stated: fen(400) }],
    };
    let closed = |closing| Before { closing: Some(fen(closing)), ..Before::default() };
    let of = |before: &Before| FundMatcher::new(DAY).finish(&account, before);
    assert_eq!(said(&of(&closed(100))), "balance_gap 500 400 | ");
    assert_eq!(of(&closed(100)).differences[0].flow_line, Some(7));
    let result = of(&closed(120));
    assert_eq!(said(&result), "balance_gap 500 400, opening_gap 120 100 | ");
    assert_eq!((result.opening_fen, result.closing_fen), (Some(fen(100)), Some(fen(900))));
    // A day without changes ends as it began.
    let empty = FundMatcher::new(DAY).finish(&Account::default(), &closed(120));
    assert_eq!((empty.opening_fen, empty.closing_fen), (Some(fen(120)), Some(fen(120))));
}
