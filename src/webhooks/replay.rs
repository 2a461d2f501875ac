//! Sends webhooks again: dead letters, named events, or all of a time, also those that were taken
//! already. It is the same event with the same id and body; of one subject the oldest goes first.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;

use crate::fault::Fault;
use crate::store::webhooks::{self, Span};

/// The most that one call sends again.
pub const MOST_RESENT: usize = 1000;

/// What is to be sent again.
#[derive(Clone, Debug)]
pub enum Selection<'a> {
    /// These events.
    Events(Vec<&'a str>),
    /// Dead letters behind this number; 0 is before the first.
    Dead(i64),
    /// Events of a time, behind this number.
    Time(Span<'a>, i64),
}

/// How much was sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resent {
    /// How many begin again now.
    pub count: usize,
    /// Where the next call goes on, when there is more than one call sends.
    pub next: Option<i64>,
}

/// Lets the selected deliveries of an application begin again, at most [`MOST_RESENT`]. The caller
/// wakes the dispatch after his commit.
///
/// # Errors
/// When the database does not answer.
pub async fn resend(
    client: &impl GenericClient,
    application: &str,
    selection: &Selection<'_>,
    now: Timestamp,
) -> Result<Resent, Fault> {
    let limit = i64::try_from(MOST_RESENT).unwrap_or(i64::MAX);
    let chosen = match selection {
        Selection::Events(events) => webhooks::of_events(client, application, events).await?,
        Selection::Dead(behind) => {
            webhooks::choose_dead(client, application, *behind, limit).await?
        }
        Selection::Time(span, behind) => {
            webhooks::choose_time(client, application, span, *behind, limit).await?
        }
    };
    let is_full = chosen.len() >= MOST_RESENT && !matches!(selection, Selection::Events(_));
    let next = chosen.last().copied().filter(|_last| is_full);
    let again = webhooks::resend(client, application, &chosen, now).await?;
    Ok(Resent { count: again.len(), next })
}
