//! A case (办件) as the hub mirrors it: its state, the working-day clock that its events stop and
//! start, the deadline that follows, and the light.
//!
//! Nothing here is stored as truth but the events: a case is what replaying them gives, so that a
//! corrected calendar moves every deadline that rests on it.

mod gate;
mod light;
mod state;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::calendar::{Calendar, Deadline};
use crate::time::business_day;

pub use gate::{CaseFault, CaseFinding, PayGate, examine};
pub use light::{Light, LightPolicy};
pub use state::{CaseEvent, CaseState, CaseTransitionError};

/// A span in which the clock stands: the day it begins is given back, the day it ends counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stop {
    from: Date,
    until: Option<Date>,
}

impl Stop {
    fn covers(self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|until| day < until)
    }
}

/// A case: what its acceptance and its events so far have made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    state: CaseState,
    accepted_on: Date,
    promised_working_days: u32,
    stops: Vec<Stop>,
    ended_on: Option<Date>,
}

impl Case {
    /// A case accepted at an instant, with the office's promise in working days (承诺时限); 0 is a
    /// promise for the same day.
    #[must_use]
    pub fn accepted(at: Timestamp, promised_working_days: u32) -> Self {
        Self {
            state: CaseState::Accepted,
            accepted_on: business_day(at),
            promised_working_days,
            stops: Vec::new(),
            ended_on: None,
        }
    }

    /// A case with all its events so far, in the order in which they were told.
    ///
    /// # Errors
    /// The first event that the case's state did not allow.
    pub fn replayed(
        accepted_at: Timestamp,
        promised_working_days: u32,
        events: impl IntoIterator<Item = (CaseEvent, Timestamp)>,
    ) -> Result<Self, CaseTransitionError> {
        let case = Self::accepted(accepted_at, promised_working_days);
        events.into_iter().try_fold(case, |case, (event, at)| case.after(event, at))
    }

    /// The case after `event`, which occurred at `at`.
    ///
    /// # Errors
    /// When the case is past such an event.
    pub fn after(mut self, event: CaseEvent, at: Timestamp) -> Result<Self, CaseTransitionError> {
        self.state = self.state.after(event)?;
        let day = business_day(at);
        let standing = self.stops.last_mut().filter(|stop| stop.until.is_none());
        match (standing, self.state.is_stopped()) {
            (None, true) => self.stops.push(Stop { from: day, until: None }),
            // A decision on a stopped case ends the stop that nobody told the end of.
            (Some(stop), false) => stop.until = Some(day),
            (None, false) | (Some(_), true) => {}
        }
        if !self.state.is_open() && self.ended_on.is_none() {
            self.ended_on = Some(day);
        }
        Ok(self)
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> CaseState {
        self.state
    }

    /// The last day of the promise, as seen on `today`. While the clock stands it is what it would
    /// be if the case went on today, and provisional.
    #[must_use]
    pub fn deadline(&self, calendar: &Calendar, today: Date) -> Deadline {
        self.deadline_of(self.promised_working_days, calendar, today)
    }

    /// As [`Self::deadline`], for another limit of the same clock: the statutory one (法定时限).
    #[must_use]
    pub fn deadline_of(&self, working_days: u32, calendar: &Calendar, today: Date) -> Deadline {
        let standing = self.stopped_on();
        let deadline = calendar.add_days_that_count(self.accepted_on, working_days, |day| {
            !self
                .stops
                .iter()
                .any(|stop| Stop { until: stop.until.or(Some(today)), ..*stop }.covers(day))
        });
        Deadline { provisional: deadline.provisional || standing.is_some(), ..deadline }
    }

    /// The light at `now`. While the clock stands it keeps the light of the day it was stopped on;
    /// after the decision it says whether that came in time: green or red.
    #[must_use]
    pub fn light(&self, calendar: &Calendar, policy: LightPolicy, now: Timestamp) -> Light {
        let now = business_day(now);
        let stopped_on = self.stopped_on().map(|day| day.min(now));
        let today = self.ended_on.or(stopped_on).unwrap_or(now);
        let deadline = self.deadline(calendar, today).date;
        if today > deadline {
            Light::Red
        } else if self.ended_on.is_some() {
            Light::Green
        } else {
            let left = calendar.working_days_between(today, deadline);
            policy.while_in_time(left, self.promised_working_days)
        }
    }

    /// The day on which the clock was stopped, while it stands.
    fn stopped_on(&self) -> Option<Date> {
        self.stops.last().filter(|stop| stop.until.is_none()).map(|stop| stop.from)
    }
}
