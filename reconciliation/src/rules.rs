//! What two rows must agree in, and by how much they may differ.

use domain::bill::{BillState, Direction, RatePpm};
use domain::money::Fen;
use domain::time::distance_to_cut;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::ledger::LedgerState;

/// A one-sided row this near to midnight may stand in the neighbouring day's bill.
pub const DOUBT_WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// What a run is held to, beside the rows themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// The business day; absent: the one the bill states, else the date of most of its rows.
    pub day: Option<Date>,
    /// What the provider may charge; absent: the rate that each row of the bill states.
    pub fee_rate: Option<RatePpm>,
}

/// Whether a moment is so near to the cut (日切) that a missing counterpart is only a doubt.
#[must_use]
pub fn is_near_cut(at: Timestamp) -> bool {
    distance_to_cut(at) <= DOUBT_WINDOW
}

/// Whether ledger and bill say the same of one payment or refund. A bill is a snapshot: a refund
/// that was under way when it was made may have arrived since, never the other way round.
#[must_use]
pub const fn states_agree(direction: Direction, hub: LedgerState, bill: BillState) -> bool {
    match (direction, bill) {
        (Direction::Payment, BillState::Succeeded) => matches!(hub, LedgerState::Paid),
        (Direction::Payment, BillState::Failed) => matches!(hub, LedgerState::Closed),
        (Direction::Refund, BillState::Succeeded) => matches!(hub, LedgerState::Succeeded),
        (Direction::Refund, BillState::Failed) => matches!(hub, LedgerState::Failed),
        (_, BillState::Processing) => {
            matches!(hub, LedgerState::Processing | LedgerState::Succeeded)
        }
    }
}

/// What a provider charges for an amount at a rate, half up to the fen.
#[must_use]
pub fn charge(amount: Fen, rate: RatePpm) -> Option<Fen> {
    let ppm = i128::from(amount.get()).checked_mul(i128::from(rate.0))?;
    let fen = ppm.checked_add(500_000)?.div_euclid(1_000_000);
    i64::try_from(fen).ok().map(Fen::new)
}

/// Whether a charge is what the rate asks: exactly on a payment, within one fen on a refund,
/// whose share is rounded at the provider. `expected` is positive.
#[must_use]
pub fn charge_holds(direction: Direction, expected: Fen, charged: Fen) -> bool {
    match direction {
        Direction::Payment => charged == expected,
        Direction::Refund => charged
            .plus(expected)
            .and_then(Fen::magnitude)
            .is_some_and(|apart| apart <= Fen::new(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_is_half_up_to_the_fen() {
        for (amount, ppm, fen) in [
            (8000, 6000, 48),
            (55_000, 6000, 330),
            (250, 6000, 2), // 1.5 fen
            (249, 6000, 1), // 1.494 fen
            (1, 6000, 0),
            (8000, 0, 0),
            (10_000_000_000, 1_000_000, 10_000_000_000),
        ] {
            assert_eq!(charge(Fen::new(amount), RatePpm(ppm)), Some(Fen::new(fen)), "{amount}");
        }
    }

    #[test]
    fn a_payments_charge_is_exact_and_a_refunds_within_one_fen() {
        let holds = |direction, charged| charge_holds(direction, Fen::new(48), Fen::new(charged));
        for (charged, held) in [(47, false), (48, true), (49, false), (-48, false)] {
            assert_eq!(holds(Direction::Payment, charged), held, "{charged}");
        }
        for (charged, held) in
            [(-46, false), (-47, true), (-48, true), (-49, true), (-50, false), (48, false)]
        {
            assert_eq!(holds(Direction::Refund, charged), held, "{charged}");
        }
    }

    #[test]
    fn ten_minutes_on_either_side_of_midnight_are_near() {
        for (at, near) in [
            ("2018-11-29T23:49:59+08:00", false),
            ("2018-11-29T23:50:00+08:00", true),
            ("2018-11-30T00:00:00+08:00", true),
            ("2018-11-30T00:10:00+08:00", true),
            ("2018-11-30T00:10:01+08:00", false),
        ] {
            assert_eq!(is_near_cut(at.parse().unwrap()), near, "{at}");
        }
    }

    #[test]
    fn what_agrees_and_what_does_not() {
        use BillState as B;
        use LedgerState as L;
        for (direction, hub, bill, agree) in [
            (Direction::Payment, L::Paid, B::Succeeded, true),
            (Direction::Payment, L::Pending, B::Succeeded, false),
            (Direction::Payment, L::Closed, B::Succeeded, false),
            (Direction::Payment, L::Paid, B::Failed, false),
            (Direction::Payment, L::Closed, B::Failed, true),
            (Direction::Refund, L::Processing, B::Processing, true),
            (Direction::Refund, L::Succeeded, B::Processing, true),
            (Direction::Refund, L::Failed, B::Processing, false),
            (Direction::Refund, L::Succeeded, B::Succeeded, true),
            (Direction::Refund, L::Processing, B::Succeeded, false),
            (Direction::Refund, L::Failed, B::Succeeded, false),
            (Direction::Refund, L::Failed, B::Failed, true),
            (Direction::Refund, L::Succeeded, B::Failed, false),
        ] {
            assert_eq!(states_agree(direction, hub, bill), agree, "{direction:?} {hub:?} {bill:?}");
        }
    }
}
