//! Orders end: closed, closed too late, or taken back at the counter.

use adapters::provider::Closing;
use domain::bill::Direction;
use domain::fact::OrderStanding;

use crate::conformance::case::{AMOUNT, Case, accepted};

/// WeChat Pay wants five minutes before an order is closed, and fifteen seconds before a payment at
/// the counter is taken back.
const LATER: i64 = 301;

pub(in crate::conformance) fn an_order_that_nobody_paid_is_closed(case: &Case) {
    let pay = case.open();
    if case.is_unknown_until_seen() {
        assert_eq!(accepted(case.close()), Closing::NotThere);
        case.payer_looks(&pay);
    }
    case.pass(LATER);
    assert_eq!(accepted(case.close()), Closing::Closed);
    assert_eq!(case.standing(), OrderStanding::Closed);
    assert_eq!(case.moves(), []);
}

pub(in crate::conformance) fn a_paid_order_is_not_closed_and_at_the_counter_it_is_taken_back(
    case: &Case,
) {
    case.paid();
    case.pass(LATER);
    let closing = accepted(case.close());
    if case.product.is_at_counter() {
        assert_eq!(closing, Closing::Closed);
        let both = [(Direction::Payment, AMOUNT), (Direction::Refund, AMOUNT)];
        assert_eq!(case.moves(), both);
    } else {
        assert_eq!(closing, Closing::Paid);
        case.found();
        assert_eq!(case.moves(), [(Direction::Payment, AMOUNT)]);
    }
}
