//! The progress of a case: one event after another, each held against the case as it stands, under
//! its row's lock, and told to the applicant.

use deadpool_postgres::GenericClient;
use domain::case::CaseEvent;
use domain::ids::ApplicationId;
use domain::time::business_day;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Standing, light, missing, open, tell};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::cases::{self as rows, CaseRecord, EventRecord};

/// What happened to a case, checked.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What happened.
    pub event: CaseEvent,
    /// When; absent: now.
    pub occurred_at: Option<Timestamp>,
    /// Why, as the applicant reads it.
    pub reason: Option<String>,
    /// The day by which the applicant has to act.
    pub due_on: Option<Date>,
    /// Where the applicant has to go.
    pub place: Option<String>,
    /// Whom the applicant can ask.
    pub tel: Option<String>,
}

/// Writes what happened to a case, in the caller's transaction; call
/// [`wake_dispatch`](crate::hub::Signals::wake_dispatch) after its commit.
///
/// # Errors
/// 404 without such a case; 409 `step_not_possible` when the case is past such an event; 422 when
/// it happened before the case was accepted.
pub async fn progress(
    hub: &Hub,
    tx: &impl GenericClient,
    application: &ApplicationId,
    case_no: &str,
    asked: &Progress,
) -> Result<(), Fault> {
    let now = hub.clock.now();
    let locked = rows::lock(tx, application, case_no).await?.ok_or_else(missing)?;
    let mut case = rows::load(tx, application, case_no).await?.ok_or_else(missing)?;
    let before = Standing::of(&case, now)?;
    let told = event(&case, asked, now)?;
    before.state.after(told.event).map_err(|error| {
        Fault::conflict("step_not_possible", error.to_string())
            .with("state", error.from.as_str())
            .with("event", error.event.as_str())
    })?;
    rows::append(tx, &case, &told, now).await?;
    let is_same = case.events.last().is_some_and(|last| says_the_same(last, &told));
    case.events.push(told.clone());
    let standing = Standing::of(&case, now)?;
    light::relight(tx, &case, &standing, now).await?;
    // A repeat changes nothing, so nobody needs to hear of it again.
    if before.state == standing.state && is_same {
        return Ok(());
    }
    if let Some(phone) = open::phone(hub, &case, locked.phone_sealed.as_deref())? {
        tell::progress(hub, tx, &case, &told, &phone).await?;
    }
    Ok(())
}

fn event(case: &CaseRecord, asked: &Progress, now: Timestamp) -> Result<EventRecord, Fault> {
    let occurred_at = asked.occurred_at.unwrap_or(now);
    if business_day(occurred_at) < business_day(case.accepted_at) {
        let day = business_day(case.accepted_at);
        let detail = format!("occurred_at lies before {day}, when the case was accepted");
        return Err(Fault::invalid("invalid_body", detail).with("path", "occurred_at"));
    }
    let last = case.events.last().map_or(0, |last| last.seq);
    Ok(EventRecord {
        seq: last.saturating_add(1),
        event: asked.event,
        occurred_at,
        reason: asked.reason.clone(),
        due_on: asked.due_on,
        place: asked.place.clone(),
        tel: asked.tel.clone(),
    })
}

/// Whether two tellings tell the applicant the same.
fn says_the_same(one: &EventRecord, other: &EventRecord) -> bool {
    let said = |told: &EventRecord| {
        let EventRecord { event, reason, due_on, place, tel, .. } = told.clone();
        (event, reason, due_on, place, tel)
    };
    said(one) == said(other)
}
