//! Whatever goes wrong on the way, at whichever call: nothing is decided by it, and what is asked
//! next finds the truth.

use adapters::provider::{Closing, Placed};
use adapters::wire::{Outcome, Reason};
use domain::Fen;
use domain::bill::Direction;
use domain::fact::OrderStanding;
use sandbox::{Action, Operation};

use crate::conformance::case::{AMOUNT, Case, URL, accepted, unknown};

/// What can happen to any call.
const UNHEARD: [Action; 5] =
    [Action::Drop, Action::DropAfterCommit, Action::Status500, Action::Status429, Action::Garbage];
/// What only a proof finds.
const UNPROVED: [Action; 3] = [Action::Corrupt, Action::WrongSignature, Action::UnknownSerial];

fn all() -> impl Iterator<Item = Action> {
    UNHEARD.into_iter().chain(UNPROVED)
}

/// The same row in another office: each fault meets a fresh one.
fn fresh(case: &Case) -> Case {
    Case::of(case.mode, case.product)
}

pub(in crate::conformance) fn a_fault_while_placing_decides_nothing_and_the_order_is_paid_once(
    case: &Case,
) {
    if case.is_carried() {
        return; // the payer's browser or app places it
    }
    for action in all() {
        let case = fresh(case);
        let call = case.hub.place(&case.order(URL)).unwrap();
        case.fault(Operation::Place, action);
        unknown(&case.placed(&call), action);
        let done = matches!(case.standing(), OrderStanding::Paid(_));
        if !done && let Placed::Offered(pay) = accepted(case.placed(&call)) {
            case.payer_pays(&pay);
        }
        case.found();
        assert_eq!(case.moves(), [(Direction::Payment, AMOUNT)], "{action:?}");
        case.deviates_in_nothing();
    }
}

pub(in crate::conformance) fn a_fault_while_querying_decides_nothing_and_the_next_query_does(
    case: &Case,
) {
    case.paid();
    for action in all() {
        case.fault(Operation::Query, action);
        unknown(&case.query(&case.key()), action);
        case.found();
    }
}

pub(in crate::conformance) fn an_order_that_a_replica_does_not_have_yet_is_absent_and_the_next_query_finds_it(
    case: &Case,
) {
    case.paid();
    case.fault(Operation::Query, Action::Absent);
    assert_eq!(case.standing(), OrderStanding::Absent);
    case.found();
    assert_eq!(case.moves(), [(Direction::Payment, AMOUNT)]);
}

pub(in crate::conformance) fn a_fault_while_closing_decides_nothing_and_the_order_ends_closed(
    case: &Case,
) {
    for action in all() {
        // The answer of APIv3 to a close has no body, and so no byte to change.
        if action == Action::Corrupt && !case.mode.is_v2() && !case.mode.is_alipay() {
            continue;
        }
        let case = fresh(case);
        let pay = case.open();
        if case.is_unknown_until_seen() {
            case.payer_looks(&pay);
        }
        case.pass(301);
        case.fault(Operation::Close, action);
        unknown(&case.close(), action);
        match case.close() {
            // Of a trade that is closed Alipay says only that its state forbids it: it is asked for.
            Outcome::Accepted(Closing::Paid) if case.mode.is_alipay() => {}
            Outcome::Accepted(closing) => assert_eq!(closing, Closing::Closed, "{action:?}"),
            Outcome::Refused(refusal) => {
                assert_eq!(refusal.reason, Reason::AlreadyClosed, "{action:?}: {refusal:?}");
            }
            Outcome::Unknown(why) => panic!("{action:?}: {why}"),
        }
        assert_eq!(case.standing(), OrderStanding::Closed, "{action:?}");
        case.deviates_in_nothing();
    }
}

pub(in crate::conformance) fn a_fault_while_refunding_decides_nothing_and_money_goes_back_once(
    case: &Case,
) {
    let payment = case.paid();
    let mut moves = vec![(Direction::Payment, AMOUNT)];
    for (count, action) in (1..).zip(all()) {
        case.pass(60);
        case.fault(Operation::Refund, action);
        unknown(&case.refund(&payment, count, 100), action);
        // What was not done is found not to be done, and may be sent again; what was done, too.
        accepted(case.query_refund(count, 100));
        case.pass(60);
        let fact = accepted(case.refund(&payment, count, 100));
        assert!(fact.amount.is_none_or(|amount| amount == Fen::new(100)), "{action:?}: {fact:?}");
        moves.push((Direction::Refund, Fen::new(100)));
        case.pass(60);
        assert_eq!(case.moves(), moves, "{action:?}");
    }
}

pub(in crate::conformance) fn a_fault_while_querying_a_refund_decides_nothing_and_the_next_query_does(
    case: &Case,
) {
    let payment = case.paid();
    accepted(case.refund(&payment, 1, 3000));
    for action in all() {
        case.fault(Operation::QueryRefund, action);
        unknown(&case.query_refund(1, 3000), action);
        assert!(accepted(case.query_refund(1, 3000)).is_some(), "{action:?}");
    }
}

pub(in crate::conformance) fn a_fault_while_asking_for_a_bill_decides_nothing_and_the_next_asking_does(
    case: &Case,
) {
    case.paid();
    case.pass(86_400);
    // The old interface answers with the file, which nobody signs.
    let unproved = if case.mode.is_v2() { &[][..] } else { &UNPROVED };
    for action in UNHEARD.iter().chain(unproved) {
        case.fault(Operation::Bill, *action);
        unknown(&case.ask_bill(), action);
        accepted(case.bill());
    }
}
