//! The day's trade bill: whole, ours, in time, and undamaged or not booked.

use adapters::provider::BillAnswer;
use adapters::wire::Outcome;
use domain::bill::Direction;
use sandbox::{Action, Fault, Place};

use crate::conformance::case::{Case, NO, accepted};

const DAY: i64 = 86_400;

pub(in crate::conformance) fn a_days_bill_is_read_whole_and_every_row_belongs(case: &Case) {
    let payment = case.paid();
    accepted(case.refund(&payment, 1, 3000));
    case.pass(DAY);
    let bytes = accepted(case.bill());
    let mut rows = Vec::new();
    let totals = adapters::bill::read(&bytes, &mut |row| {
        assert_eq!(row.out_trade_no, NO);
        assert_eq!(row.provider_trade_no, payment.provider_trade_no.as_str());
        rows.push((row.direction, row.amount.get(), row.fee.map(|fee| fee.get())));
    });
    let totals = totals.unwrap();
    let expected = [(Direction::Payment, 8000, Some(48)), (Direction::Refund, 3000, Some(-18))];
    assert_eq!(rows, expected);
    assert!(totals.footer_ok, "{:?}", totals.footer_fault);
    assert_eq!((totals.payments.count, totals.refunds.count), (1, 1));
    assert_eq!(totals.unknown_columns, Vec::<String>::new());
}

pub(in crate::conformance) fn a_bill_is_not_there_before_nine_and_an_empty_day_is_empty(
    case: &Case,
) {
    let early = accepted(case.ask_bill());
    assert!(matches!(early, BillAnswer::NotYet | BillAnswer::EmptyDay), "{early:?}");
    case.pass(DAY);
    assert_eq!(accepted(case.ask_bill()), BillAnswer::EmptyDay);
}

pub(in crate::conformance) fn nothing_is_booked_from_a_damaged_bill(case: &Case) {
    case.paid();
    case.pass(DAY);
    // The old interface gives no hash.
    let damages = [Action::Truncate, Action::WrongHash];
    for action in damages.into_iter().take(if case.mode.is_v2() { 1 } else { 2 }) {
        case.engine.set_fault(Fault::new(Place::Bill, action).times(1)).unwrap();
        let booked = match case.bill() {
            Outcome::Accepted(bytes) => adapters::bill::read(&bytes, &mut |_| ()).is_ok(),
            Outcome::Refused(_) | Outcome::Unknown(_) => false,
        };
        assert!(!booked, "{action:?}");
        let whole = accepted(case.bill());
        assert!(adapters::bill::read(&whole, &mut |_| ()).unwrap().footer_ok, "{action:?}");
    }
}
