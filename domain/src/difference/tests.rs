//! Every step from every state, and which way money is missing.

use super::*;

#[test]
fn every_step_from_every_state() {
    let table: Vec<String> = DifferenceState::ALL
        .into_iter()
        .map(|from| {
            let steps = DifferenceStep::ALL.map(|step| match from.after(step) {
                Ok(to) => to.as_str(),
                Err(_) => "-",
            });
            format!("{from}: {}", steps.join(" "))
        })
        .collect();
    assert_eq!(
        table,
        [
            // assigned, proposed, approved, declined, resolved, written_off, matched, reopen_asked, reopened,
            // cleared, superseded
            "open: assigned - - - - - resolved - - cleared superseded",
            "assigned: assigned proposed - - - - resolved - - cleared superseded",
            "proposed: - - approved assigned - - resolved - - cleared superseded",
            "approved: - proposed - - resolved written_off resolved - - cleared superseded",
            "resolved: - - - - - - - - open - -",
            "written_off: - - - - - - - written_off open - -",
            "cleared: - - - - - - - - - - -",
            "superseded: - - - - - - - - - - -",
        ]
    );
}

#[test]
fn whoever_has_more_is_told_by_the_sign() {
    let fen = |fen: i64| Some(Fen::new(fen));
    for (direction, hub, bill, expected) in [
        (Direction::Payment, fen(80), None, -80),
        (Direction::Payment, None, fen(80), 80),
        (Direction::Payment, fen(80), fen(79), -1),
        // A refund that only the bill has took money of which the books know nothing.
        (Direction::Refund, None, fen(80), -80),
        (Direction::Refund, fen(80), None, 80),
        (Direction::Payment, fen(80), fen(80), 0),
    ] {
        assert_eq!(apart(direction, hub, bill), Fen::new(expected));
    }
}
