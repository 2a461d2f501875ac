//! How a case stands at an instant: its events replayed on the working-day calendar.

use domain::calendar::{Calendar, Deadline};
use domain::case::{Case, CaseState, Light, LightPolicy};
use domain::time::{business_day, day_end};
use jiff::Timestamp;

use crate::fault::Fault;
use crate::store::cases::{CaseRecord, Move};

/// A case at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Where it stands.
    pub state: CaseState,
    /// The last day of the office's promise.
    pub deadline: Deadline,
    /// The last day of the statutory limit, if there is one.
    pub legal_deadline: Option<Deadline>,
    /// The light.
    pub light: Light,
    now: Timestamp,
}

impl Standing {
    /// How a stored case stands at `now`.
    ///
    /// # Errors
    /// 500 when its events cannot have happened, which nobody could have written.
    pub fn of(case: &CaseRecord, now: Timestamp) -> Result<Self, Fault> {
        let events = case.events.iter().map(|told| (told.event, told.occurred_at));
        let replayed = Case::replayed(case.accepted_at, case.promised_working_days, events)
            .map_err(|error| Fault::internal(&error))?;
        Self::at(&replayed, case.legal_working_days, now)
    }

    /// How a case stands at `now`.
    ///
    /// # Errors
    /// 500 when the hub has no calendar.
    pub(super) fn at(
        case: &Case,
        legal_working_days: Option<u32>,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let calendar = Calendar::built_in().map_err(|error| Fault::internal(error))?;
        let today = business_day(now);
        let legal = legal_working_days.map(|days| case.deadline_of(days, calendar, today));
        Ok(Self {
            state: case.state(),
            deadline: case.deadline(calendar, today),
            legal_deadline: legal,
            light: case.light(calendar, LightPolicy::default(), now),
            now,
        })
    }

    /// What is written of it, after what was written before: the deadline's version, and for a new
    /// case none. A light depends on the day alone, so an open case is looked at once a day.
    pub(super) fn after(&self, before: Option<&CaseRecord>) -> Move {
        let deadline_on = (!self.state.is_stopped()).then_some(self.deadline.date);
        let deadline_version = before.map_or(1, |case| {
            let has_moved = case.deadline_on != deadline_on;
            case.deadline_version.saturating_add(i32::from(has_moved))
        });
        let tomorrow = day_end(business_day(self.now));
        Move {
            state: self.state,
            light: self.light,
            deadline_on,
            deadline_version,
            look_at: self.state.is_open().then_some(tomorrow),
        }
    }
}
