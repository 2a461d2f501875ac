//! Money goes back once under each number, or is refused in words that the hub knows.

use adapters::provider::NewRefund;
use adapters::wire::{Outcome, Reason};
use domain::Fen;
use domain::bill::Direction;
use domain::fact::RefundStanding;
use jiff::SignedDuration;
use sandbox::{Action, Operation};

use crate::conformance::case::{AMOUNT, Case, accepted};
use crate::conformance::money::refund_no;

const BACK: Fen = Fen::new(3000);

pub(in crate::conformance) fn a_refund_goes_back_once_under_one_number_and_never_with_another_amount(
    case: &Case,
) {
    let payment = case.paid();
    assert_eq!(accepted(case.query_refund(1, 3000)), None, "before it is asked for");
    for repeat in 0..2 {
        let fact = accepted(case.refund(&payment, 1, 3000));
        // To a repeat Alipay says only what went back in all.
        let amount = fact.amount.or((repeat == 1 && case.mode.is_alipay()).then_some(BACK));
        assert_eq!((amount, &fact.out_refund_no), (Some(BACK), &refund_no(1)), "{repeat}");
        assert_eq!(fact.out_trade_no, payment.out_trade_no);
        let at_once = case.mode.is_alipay();
        let first = if at_once { RefundStanding::Succeeded } else { RefundStanding::Processing };
        assert!(repeat == 1 || fact.standing == first, "{fact:?}");
        case.pass(60);
    }
    let fact = accepted(case.query_refund(1, 3000)).unwrap();
    assert_eq!((fact.standing, fact.amount), (RefundStanding::Succeeded, Some(BACK)));
    let other = case.refund(&payment, 1, 4000);
    assert!(!matches!(other, Outcome::Accepted(_)), "another amount: {other:?}");
    let both = [(Direction::Payment, AMOUNT), (Direction::Refund, BACK)];
    assert_eq!(case.moves(), both);
    case.pass(60);
    accepted(case.refund(&payment, 2, 5000));
    case.pass(60);
    assert_eq!(case.moves().len(), 3, "another number is another refund");
    case.found();
}

pub(in crate::conformance) fn a_refund_without_funds_is_refused_and_may_be_tried_again(
    case: &Case,
) {
    let payment = case.paid();
    case.fault(Operation::Refund, Action::NotEnough);
    match case.refund(&payment, 1, 3000) {
        Outcome::Refused(refusal) => assert_eq!(refusal.reason, Reason::NotEnoughFunds),
        other @ (Outcome::Accepted(_) | Outcome::Unknown(_)) => panic!("{other:?}"),
    }
    assert_eq!(accepted(case.query_refund(1, 3000)), None);
    case.pass(60);
    accepted(case.refund(&payment, 1, 3000));
}

pub(in crate::conformance) fn limits_refuse_a_refund_before_it_is_sent(case: &Case) {
    let (payment, number) = (case.paid(), refund_no(1));
    let good = || case.new_refund(&payment, &number, 3000);
    assert!(case.hub.refund(&good()).is_ok());
    let long = "退".repeat(300);
    let now = case.now().checked_add(SignedDuration::from_hours(24 * 367)).unwrap();
    let mut spoiled = vec![
        ("amount_fen", NewRefund { amount: Fen::ZERO, ..good() }),
        ("amount_fen", NewRefund { amount: Fen::new(8001), ..good() }),
        ("reason", NewRefund { reason: "", ..good() }),
        ("reason", NewRefund { reason: &long, ..good() }),
        ("paid_at", NewRefund { now, ..good() }),
    ];
    if !case.mode.is_alipay() {
        // Alipay knows no such count, and calls back where the order says.
        spoiled.push(("out_refund_no", NewRefund { earlier: 50, ..good() }));
        spoiled.push(("notify_url", NewRefund { notify_url: "/callbacks", ..good() }));
    }
    for (field, refund) in spoiled {
        let broken = case.hub.refund(&refund).expect_err(field);
        assert_eq!(broken.field, field, "{broken}");
    }
}
