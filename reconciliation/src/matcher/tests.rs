//! Cases of the matcher that are easier to read as a table than as files.

use domain::bill::{BillRow, BillState, Coverage, Direction, RatePpm};
use domain::money::Fen;
use jiff::civil::{Date, date};

use super::Matcher;
use crate::finding::{Action, Cause, Kind, Owner};
use crate::ledger;
use crate::outcome::Reconciliation;
use crate::rules::Rules;

mod numbers;

/// Bill rows as `p|r order refund provider fen time`, with `-` for nothing.
fn run(ledger_rows: &str, bill: &str, stated: Option<Date>) -> Reconciliation {
    let head = ledger::COLUMNS.join(",");
    let rows = ledger::read(format!("{head}\n{ledger_rows}").as_bytes()).unwrap();
    let mut matcher = Matcher::new(Rules::default(), rows);
    for (line, text) in (2..).zip(bill.lines().map(str::trim).filter(|text| !text.is_empty())) {
        let fields: Vec<&str> = text.split(' ').map(|f| if f == "-" { "" } else { f }).collect();
        let direction = if fields[0] == "p" { Direction::Payment } else { Direction::Refund };
        matcher.bill_row(&BillRow {
            line,
            direction,
            out_trade_no: fields[1],
            out_refund_no: fields[2],
            provider_trade_no: fields[3],
            provider_refund_no: "",
            amount: Fen::new(fields[4].parse().unwrap()),
            settled: None,
            state: BillState::Succeeded,
            occurred_at: format!("{}+08:00", fields[5]).parse().unwrap(),
            fee: None,
            rate: Some(RatePpm(6000)),
        });
    }
    matcher.finish(stated, Coverage::BOTH)
}

fn kinds(done: &Reconciliation) -> Vec<(Kind, &str)> {
    done.differences.iter().map(|finding| (finding.kind, finding.out_trade_no.as_str())).collect()
}

#[test]
fn the_day_is_stated_or_that_of_most_rows() {
    let ledger = "payment,A,,1,100,paid,2018-11-30T10:00:00+08:00
payment,B,,2,100,paid,2018-12-01T10:00:00+08:00
payment,C,,3,100,paid,2018-12-01T11:00:00+08:00";
    let bill = "p A - 1 100 2018-11-30T10:00:00\np X - 4 100 2018-11-30T12:00:00\np B - 2 100 2018-12-01T10:00:00";
    let done = run(ledger, bill, None);
    assert_eq!(done.day, Some(date(2018, 11, 30)));
    assert_eq!(kinds(&done), [(Kind::OnlyInBill, "X")]);
    let done = run(ledger, bill, Some(date(2018, 12, 1)));
    assert_eq!(kinds(&done), [(Kind::OnlyInHub, "C"), (Kind::OnlyInBill, "X")]);
    assert_eq!(run(ledger, "", None).day, Some(date(2018, 12, 1)));
    assert_eq!(run("", "", None).day, None);
}

#[test]
fn two_refunds_of_one_payment_without_numbers_are_told_apart_by_amount() {
    let ledger = "refund,A,R1,1,300,succeeded,2018-11-30T10:00:00+08:00
refund,A,R2,1,200,succeeded,2018-11-30T11:00:00+08:00";
    let bill = "r A - 1 200 2018-11-30T11:00:00\nr A - 1 300 2018-11-30T10:00:00";
    let done = run(ledger, bill, None);
    assert!(done.is_balanced(), "{:?}", done.differences);
    assert_eq!(done.matched.len(), 2);

    let again = format!("{bill}\nr A - 1 200 2018-11-30T11:00:00\nr A - 1 100 2018-11-30T12:00:00");
    let done = run(ledger, &again, None);
    assert_eq!(kinds(&done), [(Kind::OnlyInBill, "A"), (Kind::DuplicateInBill, "A")]);
}

#[test]
fn a_number_on_both_sides_is_never_overruled_by_the_providers() {
    let ledger = "payment,A,,1,100,paid,2018-11-30T10:00:00+08:00
refund,A,R1,1,50,succeeded,2018-11-30T10:00:00+08:00";
    let bill = "p B - 1 100 2018-11-30T10:00:00\nr A R2 1 50 2018-11-30T10:00:00";
    let done = run(ledger, bill, None);
    assert_eq!(
        kinds(&done),
        [
            (Kind::OnlyInHub, "A"),
            (Kind::OnlyInHub, "A"),
            (Kind::OnlyInBill, "B"),
            (Kind::OnlyInBill, "A")
        ]
    );
    assert_eq!(done.differences[0].cause, Cause::NumberDiffers);
    assert_eq!(done.differences[2].cause, Cause::NumberDiffers);
    assert_eq!(done.differences[1].cause, Cause::RefundMissingInBill);
}

#[test]
fn a_payment_and_a_refund_of_one_number_are_not_each_other() {
    let ledger = "payment,A,,1,100,paid,2018-11-30T10:00:00+08:00";
    let done = run(ledger, "r - A 1 100 2018-11-30T10:00:00", None);
    assert_eq!(kinds(&done), [(Kind::OnlyInHub, "A"), (Kind::OnlyInBill, "")]);
}

#[test]
fn of_rows_that_repeat_a_number_the_agreeing_ones_are_paired() {
    let ledger = "payment,A,,1,100,closed,2018-11-30T09:00:00+08:00
payment,A,,1,300,paid,2018-11-30T10:00:00+08:00";
    let bill = "p A - 1 200 2018-11-30T10:00:00\np A - 1 300 2018-11-30T10:00:00";
    let done = run(ledger, bill, None);
    assert_eq!(done.matched[0].amount, Fen::new(300));
    assert_eq!(kinds(&done), [(Kind::DuplicateInBill, "A")]);
    assert_eq!(done.differences[0].bill_amount, Some(Fen::new(200)));
    assert_eq!(done.outside.unpaid, 1);
}

#[test]
fn an_order_that_was_paid_twice_has_two_payments_on_either_side() {
    let ledger = "payment,A,,1,100,paid,2018-11-30T10:00:00+08:00
payment,A,,2,100,paid,2018-11-30T10:05:00+08:00";
    let bill = "p A - 2 100 2018-11-30T10:05:00\np A - 1 100 2018-11-30T10:00:00";
    let done = run(ledger, bill, None);
    assert!(done.is_balanced(), "{:?}", done.differences);
    assert_eq!(done.matched.len(), 2);
    // One of which nobody told the hub is money, and no slip of the bill's writer.
    let one = "payment,A,,1,100,paid,2018-11-30T10:00:00+08:00";
    let done = run(one, bill, None);
    assert_eq!(kinds(&done), [(Kind::OnlyInBill, "A")]);
    assert_eq!(done.differences[0].provider_trade_no, "2");
    assert_eq!(done.differences[0].cause, Cause::SecondPayment);
    assert_eq!(done.differences[0].proposed_action, Action::ProposeRefund);
    // What repeats a payment with the number of that payment is such a slip.
    let thrice = format!("{bill}\np A - 1 100 2018-11-30T10:00:00");
    let done = run(ledger, &thrice, None);
    assert_eq!(kinds(&done), [(Kind::DuplicateInBill, "A")]);
    // One that the bill lacks is missed by its own number.
    let done = run(ledger, "p A - 2 100 2018-11-30T10:05:00", None);
    assert_eq!(kinds(&done), [(Kind::OnlyInHub, "A")]);
    assert_eq!(done.differences[0].provider_trade_no, "1");
}

#[test]
fn t15_a_second_payment_on_a_later_day_is_not_taken_for_the_first() {
    let bill = "p A - 2 100 2018-11-30T10:00:00";
    let of = |day: &str, number: &str| {
        let ledger = format!("payment,A,,{number},100,paid,{day}T10:00:00+08:00");
        run(&ledger, bill, Some(date(2018, 11, 30)))
    };
    let done = of("2018-11-29", "1");
    assert_eq!(kinds(&done), [(Kind::OnlyInBill, "A")]);
    assert_eq!(done.differences[0].cause, Cause::SecondPayment);
    assert_eq!((done.outside.other_day, done.sums.hub.payments.count), (1, 0));
    // The same payment, or one whose number the ledger lacks, is the ledger's own.
    for (day, number) in [("2018-11-29", "2"), ("2018-11-29", ""), ("2018-11-30", "1")] {
        let done = of(day, number);
        assert!(done.is_balanced(), "{day} {number} {:?}", done.differences);
    }
    // An order that nobody knows is foreign.
    let done = run("", bill, None);
    assert_eq!(done.differences[0].cause, Cause::PaymentForeign);
}

#[test]
fn t24_a_discount_that_explains_the_amounts_is_told() {
    let row = |settled| BillRow {
        line: 2,
        direction: Direction::Payment,
        out_trade_no: "A",
        out_refund_no: "",
        provider_trade_no: "1",
        provider_refund_no: "",
        amount: Fen::new(8000),
        settled: Some(Fen::new(settled)),
        state: BillState::Succeeded,
        occurred_at: "2018-11-30T10:00:00+08:00".parse().unwrap(),
        fee: None,
        rate: None,
    };
    let head = ledger::COLUMNS.join(",");
    let ledger = format!("{head}\npayment,A,,1,7000,paid,2018-11-30T10:00:00+08:00");
    for (settled, cause) in [(7000, Cause::DiscountExplains), (7001, Cause::AmountUnequal)] {
        let rows = ledger::read(ledger.as_bytes()).unwrap();
        let mut matcher = Matcher::new(Rules::default(), rows);
        matcher.bill_row(&row(settled));
        let done = matcher.finish(None, Coverage::BOTH);
        assert_eq!(done.differences[0].kind, Kind::AmountDiffers);
        assert_eq!(done.differences[0].cause, cause);
    }
}

#[test]
fn each_finding_says_why_what_to_do_and_whose_it_is() {
    let ledger = "payment,A,,1,100,pending,2018-11-30T10:00:00+08:00";
    let done = run(ledger, "p A - 1 100 2018-11-30T10:00:00", None);
    let finding = &done.differences[0];
    assert_eq!((finding.cause, finding.owner), (Cause::CallbackLost, Owner::System));
    assert_eq!(finding.bill_word(), "paid");
    assert_eq!(finding.hub_word(), "pending");
}

#[test]
fn t24_what_is_settled_is_charged_and_nothing_else() {
    let kinds = |amount, settled: Option<i64>, fee| {
        let ledger = format!(
            "{}\npayment,A,,1,{amount},paid,2018-11-30T10:00:00+08:00",
            ledger::COLUMNS.join(",")
        );
        let rows = ledger::read(ledger.as_bytes()).unwrap();
        let mut matcher = Matcher::new(Rules::default(), rows);
        matcher.bill_row(&BillRow {
            line: 2,
            direction: Direction::Payment,
            out_trade_no: "A",
            out_refund_no: "",
            provider_trade_no: "1",
            provider_refund_no: "",
            amount: Fen::new(amount),
            settled: settled.map(Fen::new),
            state: BillState::Succeeded,
            occurred_at: "2018-11-30T10:00:00+08:00".parse().unwrap(),
            fee: Some(Fen::new(fee)),
            rate: Some(RatePpm(6000)),
        });
        let done = matcher.finish(None, Coverage::BOTH);
        done.differences.iter().map(|finding| finding.kind).collect::<Vec<_>>()
    };
    for (settled, fee, holds) in [
        (Some(7500), 45, true),
        (Some(7500), 48, false),
        (Some(8000), 48, true),
        (Some(8500), 48, true),
        (Some(8500), 51, false),
        (Some(0), 0, true),
        (Some(0), 48, false),
        (None, 48, true),
    ] {
        let wanted = if holds { vec![] } else { vec![Kind::FeeDiffers] };
        assert_eq!(kinds(8000, settled, fee), wanted, "{settled:?} {fee}");
    }
}
