//! The way of a refund through the treasury (退付): its steps are told by people, its clock counts
//! working days, and nobody is ever called. What was paid over to the treasury comes back no other
//! way.

use deadpool_postgres::{GenericClient, Object, Transaction};
use domain::calendar::{Calendar, Deadline};
use domain::ids::{IncidentId, RefundId};
use domain::refund::{RefundState, RefundTransition};
use domain::time::{business_day, day_end, day_start};
use domain::treasury::{Route, TreasuryEvent, TreasuryState};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::request::taken_from;
use super::{release, shares_of};
use crate::audit::{Act, stands_for};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::{Effects, TreasuryMove, commit_acts};
use crate::store::StoreError;
use crate::store::incidents::{self, NewIncident};
use crate::store::refunds::{self, RefundRecord, TreasuryStep};
use crate::store::treasury::{self as steps, Move, NewStep};

/// The longest name or number, in characters.
const LONGEST_NAME: usize = 64;
/// The longest note or reason, in characters.
const LONGEST_TEXT: usize = 200;

/// `POST /v1/refunds/{id}/treasury`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRequest {
    /// What happened.
    pub event: TreasuryEvent,
    /// On which day.
    #[serde(deserialize_with = "domain::time::read_day")]
    pub occurred_on: Date,
    /// Who did it.
    pub by: String,
    /// The number of the paper that says so.
    #[serde(default)]
    pub document_no: Option<String>,
    /// A note on the fiscal e-bill's red flush (冲红).
    #[serde(default)]
    pub red_flush: Option<String>,
    /// Why; a return and a rejection need it.
    #[serde(default)]
    pub reason: Option<String>,
}

/// How a refund stands on its way through the treasury.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreasuryStanding {
    /// Where.
    pub state: TreasuryState,
    /// By when the next step is due; `None` at the end.
    pub due: Option<Deadline>,
    /// Whether that day is over.
    pub overdue: bool,
}

impl TreasuryStanding {
    /// How `refund` stands at `now`; `None` for one on another way, and before its way begins.
    #[must_use]
    pub fn of(refund: &RefundRecord, calendar: &Calendar, now: Timestamp) -> Option<Self> {
        let (state, since) = refund.treasury()?;
        let due = state.due(calendar, since, refund.found_by_office);
        let overdue = due.is_some_and(|due| due.date < business_day(now));
        Some(Self { state, due, overdue })
    }
}

fn calendar() -> Result<&'static Calendar, Fault> {
    Calendar::built_in().map_err(|error| Fault::internal(error))
}

/// When a step that `state` waits for since `since` is overdue.
fn overdue_at(
    state: TreasuryState,
    since: Date,
    found_by_office: bool,
) -> Result<Option<Timestamp>, Fault> {
    Ok(state.due(calendar()?, since, found_by_office).map(|due| day_end(due.date)))
}

/// When the first step of a way that begins at `now` is overdue.
///
/// # Errors
/// When the calendar compiled in is broken.
pub(super) fn first_look(
    found_by_office: bool,
    now: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    overdue_at(TreasuryState::Applied, business_day(now), found_by_office)
}

/// Begins the way: the refund is applied for.
///
/// # Errors
/// When the database refuses.
pub(super) async fn begin(
    tx: &impl GenericClient,
    refund_id: &RefundId,
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let step = NewStep {
        refund_id,
        event: TreasuryEvent::Applied,
        occurred_on: business_day(now),
        by,
        document_no: None,
        red_flush: None,
        reason: None,
        now,
    };
    steps::add(tx, &step).await
}

/// A step that is taken and not committed yet.
pub struct Stepped<'a> {
    /// The refund as it is then.
    pub refund: RefundRecord,
    tx: Transaction<'a>,
    effects: Effects,
    act: Act,
}

impl<'a> Stepped<'a> {
    /// The transaction, for what must be true together with the step.
    #[must_use]
    pub const fn transaction(&self) -> &Transaction<'a> {
        &self.tx
    }

    /// Books and tells it; the refund as it is now.
    ///
    /// # Errors
    /// When the database refuses: then nothing happened.
    pub async fn commit(self, hub: &Hub) -> Result<RefundRecord, Fault> {
        commit_acts(hub, self.tx, self.effects, &[self.act]).await?;
        Ok(self.refund)
    }
}

/// Takes a step of which a person tells, in a transaction that the caller ends.
///
/// # Errors
/// 404 no such refund; 409 it goes another way, the step does not follow, or who asked for the
/// refund takes it; 422 a day or text that cannot be.
pub async fn step<'a>(
    hub: &Hub,
    client: &'a mut Object,
    refund_id: &str,
    request: &StepRequest,
) -> Result<Stepped<'a>, Fault> {
    let refund_id: RefundId = refund_id.parse().map_err(|_bad| Fault::not_found("refund"))?;
    let now = hub.clock.now();
    check(request, now)?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let refund = known(&tx, &refund_id).await?;
    if refund.route != Route::Treasury {
        let detail = format!("refund {refund_id} goes back through its provider");
        return Err(Fault::conflict("refund_not_treasury", detail));
    }
    let refund = locked(&tx, &refund).await?;
    let state = follows(&refund, request)?;
    let step = NewStep {
        refund_id: &refund_id,
        event: request.event,
        occurred_on: request.occurred_on,
        by: request.by.trim(),
        document_no: request.document_no.as_deref(),
        red_flush: request.red_flush.as_deref(),
        reason: request.reason.as_deref(),
        now,
    };
    steps::add(&tx, &step).await?;
    let (effects, step) = moved(&refund, state, request.occurred_on, now)?;
    if !steps::move_on(&tx, &step).await? {
        return Err(not_possible(format!("refund {refund_id} moved meanwhile")));
    }
    let refund = known(&tx, &refund_id).await?;
    let data = json!({
        "occurred_on": request.occurred_on, "amount_fen": refund.amount_fen,
        "document": stands_for(&hub.sealer, request.document_no.as_deref()),
        "reason": stands_for(&hub.sealer, request.reason.as_deref()),
    });
    let action = format!("treasury.{}", request.event);
    let act = Act::of(request.by.trim(), &action, refund_id.as_str(), data);
    Ok(Stepped { refund, tx, effects, act })
}

async fn known(tx: &impl GenericClient, refund_id: &RefundId) -> Result<RefundRecord, Fault> {
    let found = refunds::by_ids(tx, &[refund_id.as_str()]).await?.pop();
    found.ok_or_else(|| Fault::not_found("refund"))
}

/// The refund with its order locked, as every other path locks it.
async fn locked(tx: &impl GenericClient, refund: &RefundRecord) -> Result<RefundRecord, Fault> {
    crate::store::orders::lock(tx, &[refund.order_id.as_str()]).await?;
    known(tx, &refund.id).await
}

fn not_possible(detail: String) -> Fault {
    Fault::conflict("treasury_step_not_possible", detail)
}

/// The state after the step, if it follows from where the refund stands.
fn follows(refund: &RefundRecord, request: &StepRequest) -> Result<TreasuryState, Fault> {
    let standing = refund.treasury();
    if standing.is_none() {
        return Err(not_possible(format!("refund {} is {}", refund.id, refund.status)));
    }
    let state = TreasuryState::after(standing.map(|(state, _)| state), request.event)
        .map_err(|error| not_possible(error.to_string()))?;
    if standing.is_some_and(|(_, since)| request.occurred_on < since) {
        let detail = "occurred_on is before the step that it follows";
        return Err(Fault::invalid("occurred_on_invalid", detail));
    }
    by_another_person(refund, request.event, request.by.trim())?;
    Ok(state)
}

/// Refuses a step by somebody who took an earlier one that must be another person's.
fn by_another_person(refund: &RefundRecord, event: TreasuryEvent, by: &str) -> Result<(), Fault> {
    let same = |detail: String| Err(Fault::conflict("same_person", detail));
    let is_earlier = |step: &&TreasuryStep| event.apart_from().contains(&step.event);
    if let Some(step) = refund.steps.iter().filter(is_earlier).find(|step| step.by == by) {
        let taken = step.event;
        return same(format!("who is on record as {taken} may not be who makes it {event}"));
    }
    if event.is_apart_from_the_decision() && refund.decided_by.as_deref() == Some(by) {
        return same(format!("who decided on a refund may not be who makes it {event}"));
    }
    Ok(())
}

/// What a step changes in its refund and in the books.
fn moved(
    refund: &RefundRecord,
    state: TreasuryState,
    occurred_on: Date,
    now: Timestamp,
) -> Result<(Effects, Move<'_>), Fault> {
    let mut effects = Effects::new(now);
    let after = |transition| {
        refund.status.after(transition).map_err(|error| not_possible(error.to_string()))
    };
    let mut step = Move {
        refund_id: &refund.id,
        before: refund.status,
        after: refund.status,
        succeeded_at: None,
        look_at: overdue_at(state, occurred_on, refund.found_by_office)?,
    };
    match state {
        TreasuryState::Applied | TreasuryState::UnitVerified | TreasuryState::FinanceApproved => {}
        TreasuryState::Paid => {
            // A day has no hour: as late as can be said of it without being in the future.
            let at = day_start(occurred_on).max(refund.created_at).min(now);
            let (merchant, shares) = (&refund.merchant_id, shares_of(refund));
            let moved = TreasuryMove::Succeeded;
            effects.treasury(moved, merchant, taken_from(refund), &shares, at)?;
            effects.ended(&refund.id, &refund.order_id, true);
            step.after = after(RefundTransition::Succeed)?;
            step.succeeded_at = Some(at);
        }
        TreasuryState::Returned => {
            let at = day_start(occurred_on).max(refund.created_at).min(now);
            let (merchant, shares) = (&refund.merchant_id, shares_of(refund));
            effects.treasury(TreasuryMove::Returned, merchant, taken_from(refund), &shares, at)?;
            step.after = after(RefundTransition::Return)?;
        }
        TreasuryState::Rejected => {
            release(&mut effects, refund, now)?;
            effects.ended(&refund.id, &refund.order_id, false);
            step.after = after(RefundTransition::Fail)?;
        }
    }
    Ok((effects, step))
}

fn check(request: &StepRequest, now: Timestamp) -> Result<(), Fault> {
    if request.occurred_on > business_day(now) {
        let detail = "occurred_on is in the future";
        return Err(Fault::invalid("occurred_on_invalid", detail));
    }
    let texts = [
        ("by", Some(&request.by), LONGEST_NAME),
        ("document_no", request.document_no.as_ref(), LONGEST_NAME),
        ("red_flush", request.red_flush.as_ref(), LONGEST_TEXT),
        ("reason", request.reason.as_ref(), LONGEST_TEXT),
    ];
    for (field, text, longest) in texts {
        let Some(text) = text else { continue };
        let length = text.trim().chars().count();
        if length == 0 || length > longest || text.chars().any(char::is_control) {
            let detail =
                format!("{field} must have 1 to {longest} characters and no control characters");
            return Err(Fault::invalid("text_invalid", detail).with("field", field));
        }
    }
    if request.event.needs_a_reason() && request.reason.is_none() {
        let detail = format!("{} must say why in reason", request.event);
        return Err(Fault::invalid("reason_needed", detail));
    }
    Ok(())
}

/// Looks at a refund whose step may be overdue: finance staff hear of it once a step.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn look(hub: &Hub, refund: &RefundRecord) -> Result<(), Fault> {
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    // A step that is told in this moment sets its own time.
    let refund = locked(&tx, refund).await?;
    let standing = TreasuryStanding::of(&refund, calendar()?, now)
        .filter(|_| refund.status == RefundState::Processing);
    let mut next = None;
    if let Some(TreasuryStanding { state, due: Some(due), overdue }) = standing {
        if overdue {
            open_incident(&tx, &refund, state, due.date, now).await?;
        } else {
            // The calendar was announced otherwise since, or somebody looks by hand.
            next = Some(day_end(due.date));
        }
    }
    refunds::reschedule(&tx, &refund.id, next, 0).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}

async fn open_incident(
    tx: &impl GenericClient,
    refund: &RefundRecord,
    state: TreasuryState,
    due: Date,
    now: Timestamp,
) -> Result<(), StoreError> {
    let incident = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id: &refund.merchant_id,
        kind: "treasury_refund_overdue",
        detail: &format!("refund {} is {state}, its next step was due on {due}", refund.id),
        // The same state may be reached twice, with a day of its own.
        dedupe_key: &format!("treasury_refund_overdue:{}:{state}:{due}", refund.id),
        order_id: Some(refund.order_id.as_str()),
        refund_id: Some(refund.id.as_str()),
        now,
    };
    incidents::open(tx, &incident).await?;
    Ok(())
}
