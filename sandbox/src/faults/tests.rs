//! Which rule strikes whom, and what is refused.

use super::*;

fn now() -> Timestamp {
    "2026-11-20T01:00:00Z".parse().unwrap()
}

fn ask(faults: &mut Faults, operation: Operation, out_trade_no: &str) -> Option<Action> {
    let subject = Subject { merchant: "m", out_trade_no: Some(out_trade_no), ..Subject::default() };
    faults.strike(Place::Answer, operation, &subject, &mut Random::new(1)).map(|fault| fault.action)
}

#[test]
fn a_rule_strikes_whom_it_names_and_as_often_as_it_says() {
    let mut faults = Faults::default();
    let rule = Fault::new(Place::Answer, Action::Drop);
    faults.set(rule.during(Operation::Place).for_order("A").times(2), now()).unwrap();
    assert_eq!(ask(&mut faults, Operation::Place, "B"), None);
    assert_eq!(ask(&mut faults, Operation::Query, "A"), None);
    assert_eq!(ask(&mut faults, Operation::Place, "A"), Some(Action::Drop));
    assert_eq!(ask(&mut faults, Operation::Place, "A"), Some(Action::Drop));
    assert_eq!(ask(&mut faults, Operation::Place, "A"), None);
}

#[test]
fn a_fault_that_cannot_happen_there_is_refused() {
    for (on, action) in [
        (Place::Bill, Action::Drop),
        (Place::Answer, Action::Duplicate),
        (Place::Callback, Action::MissingRow),
        (Place::Callback, Action::Status500),
        (Place::Answer, Action::Throttle),
        (Place::Answer, Action::Absent),
    ] {
        let refused = Faults::default().set(Fault::new(on, action), now());
        assert!(matches!(refused, Err(ControlError::BadFault(_))), "{on:?} {action:?}");
    }
}

#[test]
fn only_a_query_of_an_order_can_miss_it() {
    let absent = |operation| Fault::new(Place::Answer, Action::Absent).during(operation);
    assert!(Faults::default().set(absent(Operation::Query), now()).is_ok());
    for operation in [Operation::Place, Operation::Close, Operation::QueryRefund] {
        let refused = Faults::default().set(absent(operation), now());
        assert!(matches!(refused, Err(ControlError::BadFault(_))), "{operation:?}");
    }
}

#[test]
fn an_unknown_word_in_a_fault_is_refused() {
    let text = r#"{"on":"answer","do":"drop","match":{"order":"A"}}"#;
    assert!(serde_json::from_str::<Fault>(text).is_err());
    let text = r#"{"on":"answer","do":"status_500","match":{"out_trade_no":"A"},"times":1}"#;
    assert!(serde_json::from_str::<Fault>(text).is_ok());
}
