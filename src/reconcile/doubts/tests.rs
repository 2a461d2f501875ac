//! Doubts decided on one day and on the next, as if the runs were made by hand.

use domain::bill::BillState;
use reconciliation::{LedgerState, Outside, Sums};

use super::*;

const FRIDAY: &str = "2018-11-30";
const SATURDAY: &str = "2018-12-01";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn noon_of(text: &str) -> jiff::Timestamp {
    format!("{text}T12:00:00+08:00").parse().unwrap()
}

/// A payment of 80 yuan of Friday noon, as one side or both have it.
fn payment(kind: Kind, cause: Cause) -> Finding {
    let (hub, bill) = (kind != Kind::OnlyInBill, kind != Kind::OnlyInHub);
    let (proposed_action, owner) = cause.remedy();
    Finding {
        kind,
        direction: Direction::Payment,
        out_trade_no: "P1".to_owned(),
        out_refund_no: String::new(),
        provider_trade_no: "T1".to_owned(),
        hub_amount: hub.then_some(Fen::new(8000)),
        bill_amount: bill.then_some(Fen::new(8000)),
        hub_state: hub.then_some(LedgerState::Pending),
        bill_state: bill.then_some(BillState::Succeeded),
        fee: None,
        occurred_at: noon_of(FRIDAY),
        bill_line: None,
        detail: String::new(),
        cause,
        proposed_action,
        owner,
        since: None,
    }
}

fn nothing(of: &str) -> Reconciliation {
    Reconciliation {
        day: Some(day(of)),
        matched: Vec::new(),
        rest: Vec::new(),
        doubts: Vec::new(),
        differences: Vec::new(),
        sums: Sums::default(),
        outside: Outside::default(),
    }
}

fn carried(state: DoubtState, finding: Finding) -> Carried {
    let id = DoubtId::new(uuid::Uuid::nil());
    Carried { id, day: day(FRIDAY), state, fingerprint: "f".to_owned(), finding }
}

fn listed() -> Vec<Listed> {
    vec![Listed {
        direction: Direction::Payment,
        out_trade_no: "P1".to_owned(),
        out_refund_no: String::new(),
        provider_trade_no: "T1".to_owned(),
    }]
}

fn asked(found: &Finding, said: Said) -> Answers {
    let mut answers = Answers::default();
    answers.seen.insert(super::super::answers::row(found));
    answers.note_of(found, said);
    answers
}

/// Decides on a day whose bill, and those of the days before, have come.
fn decide(
    of: &str,
    answers: &Answers,
    listed: &[Listed],
    result: &mut Reconciliation,
    carried: &[Carried],
) -> Decided {
    let mut received = Received::default();
    for text in [FRIDAY, SATURDAY] {
        received.note(day(text), true);
    }
    let known = Known { day: day(of), ledger: &[], listed, received: &received, answers };
    known.decide(result, carried)
}

#[test]
fn what_was_not_asked_in_time_is_a_difference_of_its_own_day() {
    let found = payment(Kind::StateDiffers, Cause::CallbackLost);
    let answers = asked(&found, Said::Word("unpaid"));
    let mut result = nothing(SATURDAY);
    let doubts = [carried(DoubtState::Open, found)];
    let decided = decide(SATURDAY, &answers, &[], &mut result, &doubts);
    assert_eq!(decided.carried[0].state, DoubtState::Promoted);
    let since: Vec<_> = result.differences.iter().map(|found| found.since).collect();
    assert_eq!(since, [Some(day(FRIDAY))], "it is in no sum of the Saturday");
    assert_eq!(decided.origins[0].1, day(FRIDAY));
}

#[test]
fn nobody_decides_what_was_opened_while_others_were_asked_about() {
    for kind in [Kind::StateDiffers, Kind::OnlyInHub] {
        let doubts = [carried(DoubtState::Open, payment(kind, Cause::CallbackLost))];
        let decided = decide(SATURDAY, &Answers::default(), &[], &mut nothing(SATURDAY), &doubts);
        assert_eq!(decided.carried[0].state, DoubtState::Open, "{kind:?}");
    }
}

#[test]
fn what_an_older_version_decided_is_decided_anew() {
    let found = payment(Kind::OnlyInHub, Cause::NearCut);
    let answers = asked(&found, Said::Word("paid"));
    for state in [DoubtState::Matched, DoubtState::Answered] {
        let doubts = [carried(state, found.clone())];
        // This version's bill has it no more.
        let mut result = nothing(SATURDAY);
        let decided = decide(SATURDAY, &answers, &[], &mut result, &doubts);
        assert_eq!(decided.carried[0].state, DoubtState::Promoted, "{state:?}");
        assert_eq!(result.differences.len(), 1);
        // It has it no more, and another day's has.
        let mut result = nothing(SATURDAY);
        let decided = decide(SATURDAY, &answers, &listed(), &mut result, &doubts);
        assert_eq!(decided.carried[0].state, DoubtState::Matched, "{state:?}");
        assert!(result.differences.is_empty());
    }
}

#[test]
fn an_older_day_made_again_does_not_promote_the_doubts_of_a_newer_one() {
    let found = payment(Kind::OnlyInHub, Cause::NearCut);
    let answers = asked(&found, Said::Word("paid"));
    let doubts = [carried(DoubtState::Open, found)];
    let decided = decide("2018-11-29", &answers, &[], &mut nothing("2018-11-29"), &doubts);
    assert_eq!(decided.carried[0].state, DoubtState::Open);
}

#[test]
fn a_row_that_another_day_lists_is_missing_nowhere() {
    let mut result = nothing(FRIDAY);
    result.sums.hub.payments.count = 1;
    result.sums.hub.payments.amount_fen = Fen::new(8000);
    result.differences.push(payment(Kind::OnlyInHub, Cause::PaymentMissingInBill));
    decide(FRIDAY, &Answers::default(), &listed(), &mut result, &[]);
    assert!(result.differences.is_empty());
    assert_eq!(result.sums.hub.payments.count, 0, "the other day counts it");
    assert_eq!(result.outside.other_day, 1);
}

#[test]
fn a_row_that_two_days_list_counts_once() {
    let mut result = nothing(SATURDAY);
    for sides in [&mut result.sums.hub, &mut result.sums.matched, &mut result.sums.bill] {
        sides.payments.count = 1;
        sides.payments.amount_fen = Fen::new(8000);
    }
    result.matched.push(Matched {
        direction: Direction::Payment,
        occurred_at: noon_of(FRIDAY),
        out_trade_no: "P1".to_owned(),
        out_refund_no: String::new(),
        provider_trade_no: "T1".to_owned(),
        amount: Fen::new(8000),
        fee: None,
        is_void: false,
    });
    decide(SATURDAY, &Answers::default(), &listed(), &mut result, &[]);
    let kinds: Vec<_> = result.differences.iter().map(|found| (found.kind, found.cause)).collect();
    assert_eq!(kinds, [(Kind::DuplicateInBill, Cause::ListedTwice)]);
    let counts = [result.sums.hub, result.sums.matched, result.sums.bill];
    assert_eq!(counts.map(|sides| sides.payments.count), [0, 0, 1]);
}

#[test]
fn a_duplicate_is_not_settled_by_what_is_said_of_its_order() {
    let twice = payment(Kind::DuplicateInBill, Cause::ListedTwice);
    let mut result = nothing(FRIDAY);
    result.differences = vec![payment(Kind::StateDiffers, Cause::CallbackLost), twice.clone()];
    asked(&result.differences[0], Said::NotAsked).note(&mut result);
    assert_eq!(
        result.differences,
        [twice],
        "the order waits to be asked about, its repeat does not"
    );
    assert_eq!(result.doubts.len(), 1);
    assert!(!result.is_balanced(), "and the day is not balanced");
    result.differences.clear();
    assert!(!result.is_balanced(), "what could not be asked is no doubt that a file may clear");
}
