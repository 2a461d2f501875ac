//! Refunds over the old interface: accepted, repeated, refused, paged.

use sandbox::{Action, Fault, Operation, Place};

use super::{accepted, paid, refused};
use crate::office::office;

#[test]
fn a_refund_is_accepted_first_and_arrives_later() {
    let office = office();
    paid(&office, "ORDER0001");
    let query = || office.v2("/pay/refundquery", &[("out_refund_no", "R1")]);
    refused(&query(), "REFUNDNOTEXIST");
    let told = office.v2_refund("ORDER0001", "R1", 3000, "");
    accepted(&told);
    assert_eq!((told.get("refund_fee"), told.get("out_refund_no")), ("3000", "R1"));
    assert_eq!(query().get("refund_status_0"), "PROCESSING");
    assert_eq!(office.engine.state().moves.len(), 1, "no money has moved back yet");
    office.pass(60);
    let told = query();
    accepted(&told);
    assert_eq!((told.get("refund_status_0"), told.get("refund_count")), ("SUCCESS", "1"));
    assert_eq!(told.get("refund_success_time_0"), "2026-11-20 10:01:00");
    assert_eq!(office.v2_query("ORDER0001").get("trade_state"), "REFUND");
    assert_eq!(office.engine.state().moves.len(), 2);
}

#[test]
fn one_refund_number_is_one_refund_and_sums_never_exceed_the_payment() {
    let office = office();
    paid(&office, "ORDER0001");
    refused(&office.v2_refund("ORDER0404", "R1", 3000, ""), "ORDERNOTEXIST");
    refused(&office.v2_refund("ORDER0001", "R1", 8001, ""), "INVALID_REQUEST");
    let first = office.v2_refund("ORDER0001", "R1", 3000, "");
    assert_eq!(
        office.v2_refund("ORDER0001", "R1", 3000, "").get("refund_id"),
        first.get("refund_id")
    );
    refused(&office.v2_refund("ORDER0001", "R1", 3001, ""), "REFUND_FEE_MISMATCH");
    refused(&office.v2_refund("ORDER0001", "R2", 5001, ""), "INVALID_REQUEST");
    accepted(&office.v2_refund("ORDER0001", "R2", 5000, ""));
    assert_eq!(office.engine.state().refunds.len(), 2);

    office.unified("ORDER0002", &[]);
    refused(&office.v2_refund("ORDER0002", "S1", 1, ""), "INVALID_REQUEST");
    paid(&office, "ORDER0003");
    office.pass(366 * 24 * 3600);
    refused(&office.v2_refund("ORDER0003", "T1", 1, ""), "TRADE_OVERDUE");
}

#[test]
fn fifty_refunds_are_told_in_pages_of_twenty() {
    let office = office();
    paid(&office, "ORDER0001");
    for count in 1..=50 {
        accepted(&office.v2_refund("ORDER0001", &format!("R{count:02}"), 1, ""));
    }
    refused(&office.v2_refund("ORDER0001", "R51", 1, ""), "ERROR");
    let page = |offset: &str| {
        office.v2("/pay/refundquery", &[("out_trade_no", "ORDER0001"), ("offset", offset)])
    };
    for (offset, count, first) in [("0", "20", "R01"), ("20", "20", "R21"), ("40", "10", "R41")] {
        let told = page(offset);
        accepted(&told);
        assert_eq!((told.get("refund_count"), told.get("total_refund_count")), (count, "50"));
        assert_eq!(told.get("out_refund_no_0"), first);
    }
}

#[test]
fn a_refund_without_balance_moves_nothing_and_a_refused_card_is_told_as_changed() {
    let office = office();
    paid(&office, "ORDER0001");
    let fault = |action| Fault::new(Place::Answer, action).during(Operation::Refund).times(1);
    office.engine.set_fault(fault(Action::NotEnough)).unwrap();
    refused(&office.v2_refund("ORDER0001", "R1", 3000, ""), "NOTENOUGH");
    assert!(office.engine.state().refunds.is_empty());
    for (action, number, word) in
        [(Action::Abnormal, "R1", "CHANGE"), (Action::Closed, "R2", "REFUNDCLOSE")]
    {
        office.engine.set_fault(fault(action)).unwrap();
        accepted(&office.v2_refund("ORDER0001", number, 3000, ""));
        office.pass(60);
        let told = office.v2("/pay/refundquery", &[("out_refund_no", number)]);
        assert_eq!(told.get("refund_status_0"), word);
    }
    assert_eq!(office.engine.state().moves.len(), 1);
}
