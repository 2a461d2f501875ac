//! Fee supervision (收费监察): what was charged against the schedule, and fees against their cases.

pub mod cases;
pub mod fees;

use domain::time::day_start;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::fault::Fault;

/// How many days one look may span.
const MOST_DAYS: i32 = 366;

/// The years that a fee or a case can be of.
const YEARS: std::ops::Range<i16> = 1990..2200;

/// Days in Beijing, both ends among them.
#[derive(Clone, Copy, Debug)]
pub struct Days {
    /// The first.
    pub from: Date,
    /// The last.
    pub until: Date,
}

impl Days {
    /// The moment at which they begin, and the one at which they are over.
    ///
    /// # Errors
    /// 422 days that are none, or more than a year.
    fn span(self) -> Result<(Timestamp, Timestamp), Fault> {
        let span = self.until.since(self.from).map(|span| span.get_days()).unwrap_or(i32::MAX);
        if (0..MOST_DAYS).contains(&span) && YEARS.contains(&self.from.year()) {
            let end = self.until.tomorrow().unwrap_or(Date::MAX);
            return Ok((day_start(self.from), day_start(end)));
        }
        let detail = format!(
            "from {} until {} must be 1 to {MOST_DAYS} days of our time",
            self.from, self.until
        );
        Err(Fault::invalid("days_invalid", detail))
    }
}
