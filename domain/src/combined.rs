//! A combined order (合单): one payment that several payees share, each by an order of its own.
//!
//! It has no state of its own. How the whole stands follows from how its parts stand, so that the
//! two can never disagree.

use crate::order::OrderState;

/// The fewest and the most parts that one payment may have.
pub const PARTS: (usize, usize) = (2, 10);

/// How the whole stands: as the part that is least far. It is paid when all of it is paid. `None`
/// when there are no parts.
#[must_use]
pub fn standing(parts: impl IntoIterator<Item = OrderState>) -> Option<OrderState> {
    parts.into_iter().min_by_key(|part| progress(*part))
}

/// How far a part is: first what may still be paid, least known first, then what may not.
const fn progress(part: OrderState) -> u8 {
    match part {
        OrderState::Created => 0,
        OrderState::Unknown => 1,
        OrderState::Pending => 2,
        OrderState::Failed => 3,
        OrderState::Closed => 4,
        OrderState::Paid => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::OrderState::{Closed, Created, Failed, Paid, Pending, Unknown};

    #[track_caller]
    fn check(parts: &[OrderState], whole: Option<OrderState>) {
        assert_eq!(standing(parts.iter().copied()), whole);
        assert_eq!(standing(parts.iter().rev().copied()), whole, "in whichever order they stand");
    }

    #[test]
    fn parts_that_stand_alike_are_the_whole() {
        for state in [Created, Unknown, Pending, Failed, Closed, Paid] {
            check(&[state, state, state], Some(state));
        }
        check(&[], None);
    }

    #[test]
    fn the_whole_is_paid_only_when_every_part_is() {
        for state in [Created, Unknown, Pending, Failed, Closed] {
            check(&[Paid, state], Some(state));
        }
    }

    #[test]
    fn what_may_still_be_paid_keeps_the_whole_open() {
        for live in [Created, Unknown, Pending] {
            for over in [Failed, Closed, Paid] {
                check(&[live, over], Some(live));
            }
        }
    }
}
