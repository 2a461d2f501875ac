//! A doubt (存疑): what one side alone has and a later file or a query may still clear. It is counted
//! in files received, never in days passed, and it ends: cleared, or as a difference (差错).

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::bill::Direction;

/// Where a doubt stands. Changed only by [`DoubtState::after`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoubtState {
    /// Not decided.
    Open,
    /// A bill of another day has its row, and both sides agree.
    Matched,
    /// Its provider's answer settled it.
    Answered,
    /// It became a difference.
    Promoted,
    /// A newer run of its own day took its place.
    Superseded,
}

/// What a run learns about a doubt of another day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DoubtEvent {
    /// The bill has its row, and both sides agree.
    Listed,
    /// The bill has its row, and the sides do not agree: that is a difference already.
    Disputed,
    /// What its provider answered made both sides agree.
    Settled,
    /// Its provider says that there is no such payment or refund.
    Denied,
    /// Its provider could not be asked yet: nothing is decided unasked.
    Unasked,
    /// So many files of the days after it have come, and none has its row.
    Waited {
        /// How many.
        files: u32,
        /// After how many nothing more is to be hoped for.
        carry: u32,
    },
    /// A newer run of its own day takes its place.
    Superseded,
}

impl DoubtState {
    /// Its word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Matched => "matched",
            Self::Answered => "answered",
            Self::Promoted => "promoted",
            Self::Superseded => "superseded",
        }
    }

    /// The state after an event. What was decided stays decided.
    #[must_use]
    pub const fn after(self, event: DoubtEvent) -> Self {
        match (self, event) {
            (Self::Open, DoubtEvent::Listed) => Self::Matched,
            (Self::Open, DoubtEvent::Settled) => Self::Answered,
            (Self::Open, DoubtEvent::Disputed | DoubtEvent::Denied) => Self::Promoted,
            (Self::Open, DoubtEvent::Waited { files, carry }) if files >= carry => Self::Promoted,
            (Self::Open, DoubtEvent::Superseded) => Self::Superseded,
            (Self::Open, DoubtEvent::Unasked | DoubtEvent::Waited { .. }) => Self::Open,
            (Self::Matched | Self::Answered | Self::Promoted | Self::Superseded, _) => self,
        }
    }
}

/// For how many files after its own a doubt is carried: a payment near the cut (日切) stands in the
/// neighbouring bill, a refund takes its provider some days.
#[must_use]
pub const fn carry(direction: Direction) -> u32 {
    match direction {
        Direction::Payment => 1,
        Direction::Refund => 3,
    }
}

/// Which days' bills an account has received. An empty day counts; a damaged file does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    days: BTreeSet<Date>,
    awaited: BTreeSet<Date>,
}

impl Received {
    /// Notes a day whose bill is there, or is waited for.
    pub fn note(&mut self, day: Date, is_there: bool) {
        let set = if is_there { &mut self.days } else { &mut self.awaited };
        set.insert(day);
    }

    /// How many files of the days after `day` have come, without a gap: the one that is late may be
    /// the one that has the row. None counts while the bill of the day before is waited for.
    #[must_use]
    pub fn after(&self, day: Date) -> u32 {
        let waits = |day: &Date| self.awaited.contains(day) && !self.days.contains(day);
        if day.yesterday().is_ok_and(|before| waits(&before)) {
            return 0;
        }
        let mut files: u32 = 0;
        let mut next = day;
        while let Ok(day) = next.tomorrow() {
            if !self.days.contains(&day) {
                break;
            }
            files = files.saturating_add(1);
            next = day;
        }
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_an_answer_to_every_event() {
        use DoubtEvent as E;
        use DoubtState::{Answered, Matched, Open, Promoted, Superseded};
        let waited = |files, carry| E::Waited { files, carry };
        for (event, expected) in [
            (E::Listed, Matched),
            (E::Disputed, Promoted),
            (E::Settled, Answered),
            (E::Denied, Promoted),
            (E::Unasked, Open),
            (waited(0, 1), Open),
            (waited(1, 1), Promoted),
            (waited(2, 3), Open),
            (waited(3, 3), Promoted),
            (waited(9, 3), Promoted),
            (E::Superseded, Superseded),
        ] {
            assert_eq!(Open.after(event), expected, "{event:?}");
            for decided in [Matched, Answered, Promoted, Superseded] {
                assert_eq!(decided.after(event), decided, "{event:?}");
            }
        }
    }

    #[track_caller]
    fn check(days: &str, awaited: &str, expected: u32) {
        let mut received = Received::default();
        let day = |text: &str| format!("2018-12-{text}").parse().unwrap();
        days.split_whitespace().for_each(|text| received.note(day(text), true));
        awaited.split_whitespace().for_each(|text| received.note(day(text), false));
        assert_eq!(received.after(day("10")), expected, "{days} / {awaited}");
    }

    #[test]
    fn files_are_counted_and_not_days() {
        check("10", "", 0);
        check("09 10", "", 0);
        check("10 11", "", 1);
        check("10 11 12 13", "", 3);
        // The next day's file is late: those behind it do not count.
        check("10 12 13", "11", 0);
        check("10 11 13", "12", 1);
        // The row may stand in the bill of the day before, which is late.
        check("10 11", "09", 0);
        check("09 10 11", "09", 1);
    }
}
