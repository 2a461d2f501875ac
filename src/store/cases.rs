//! Cases (办件): what was told at acceptance, the events since, and the lights that were told.
//! State, light and deadline are written as `crate::cases` computed them; nothing is decided here.

use deadpool_postgres::GenericClient;
use domain::case::{CaseEvent, CaseState, Light};
use domain::ids::{ApplicationId, CaseNo};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use tokio_postgres::types::Json;

use super::{StoreError, change, load as load_json, sql, typed};

/// A case to be opened.
#[derive(Debug)]
pub struct NewCase<'a> {
    /// Who tells of it.
    pub application_id: &'a ApplicationId,
    /// Its number in the office's own system.
    pub case_no: &'a CaseNo,
    /// What is applied for.
    pub business_type: &'a str,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The office's promise, in working days.
    pub promised_working_days: i32,
    /// The statutory limit, in working days.
    pub legal_working_days: Option<i32>,
    /// The department that handles it.
    pub department: Option<&'a str>,
    /// Who handles it.
    pub handler: Option<&'a str>,
    /// The applicant for people's eyes.
    pub applicant_masked: serde_json::Value,
    /// The applicant, sealed.
    pub applicant_sealed: &'a [u8],
    /// The phone, sealed apart, for messages.
    pub phone_sealed: Option<&'a [u8]>,
    /// The phone's blind index.
    pub phone_index: Option<&'a [u8]>,
    /// The language in which the applicant is told.
    pub locale: &'a str,
    /// A number of all that was told, by which a repeat is known.
    pub content_index: &'a [u8],
    /// When it is opened.
    pub now: Timestamp,
    /// How it stands at first.
    pub standing: Move,
}

/// What events and day have made of a case.
#[derive(Clone, Copy, Debug)]
pub struct Move {
    /// Where it stands.
    pub state: CaseState,
    /// Its light.
    pub light: Light,
    /// The last day in time; `None` while the clock stands.
    pub deadline_on: Option<Date>,
    /// Counts the deadlines that it has had, from 1.
    pub deadline_version: i32,
    /// When its light may change next; `None`: never again.
    pub look_at: Option<Timestamp>,
}

/// What was told of a case.
#[derive(Clone, Debug, Deserialize)]
pub struct EventRecord {
    /// Its place among the case's events, from 1.
    pub seq: i32,
    /// What happened.
    pub event: CaseEvent,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Why, in the office's words.
    pub reason: Option<String>,
    /// The day by which the applicant has to act.
    pub due_on: Option<Date>,
    /// Where the applicant has to go.
    pub place: Option<String>,
    /// Whom the applicant can ask.
    pub tel: Option<String>,
}

/// A case as stored.
#[derive(Clone, Debug, Deserialize)]
pub struct CaseRecord {
    /// Whose it is.
    pub application_id: ApplicationId,
    /// Its number.
    pub case_no: CaseNo,
    /// What is applied for.
    pub business_type: String,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The office's promise, in working days.
    pub promised_working_days: u32,
    /// The statutory limit, in working days.
    pub legal_working_days: Option<u32>,
    /// The department.
    pub department: Option<String>,
    /// Who handles it.
    pub handler: Option<String>,
    /// The applicant for people's eyes.
    pub applicant: serde_json::Value,
    /// The applicant's language.
    pub locale: String,
    /// When the hub was told of it.
    pub opened_at: Timestamp,
    /// The light that it had when it was looked at last.
    pub light: Light,
    /// The deadline that it had then; `None` while the clock stands.
    pub deadline_on: Option<Date>,
    /// Counts its deadlines.
    pub deadline_version: i32,
    /// What was told of it, in order.
    pub events: Vec<EventRecord>,
}

/// What is read of a case when it is locked.
#[derive(Clone, Debug)]
pub struct LockedCase {
    /// The applicant's phone, sealed.
    pub phone_sealed: Option<Vec<u8>>,
    /// A number of all that was told at first.
    pub content_index: Vec<u8>,
}

/// Opens a case; false when the application has one of that number.
///
/// # Errors
/// When the database refuses.
pub async fn insert(client: &impl GenericClient, new: &NewCase<'_>) -> Result<bool, StoreError> {
    change(
        client,
        sql::CASES_INSERT,
        &[
            &new.application_id.as_str(),
            &new.case_no.as_str(),
            &new.business_type,
            &new.accepted_at,
            &new.promised_working_days,
            &new.legal_working_days,
            &new.department,
            &new.handler,
            &Json(&new.applicant_masked),
            &new.applicant_sealed,
            &new.phone_sealed,
            &new.phone_index,
            &new.locale,
            &new.content_index,
            &new.now,
            &new.standing.state.as_str(),
            &new.standing.light.as_str(),
            &new.standing.deadline_on,
            &new.standing.look_at,
        ],
    )
    .await
}

/// An application's case with its events.
///
/// # Errors
/// When the database does not answer.
pub async fn load(
    client: &impl GenericClient,
    application: &ApplicationId,
    case_no: &str,
) -> Result<Option<CaseRecord>, StoreError> {
    Ok(load_json(client, sql::CASES_LOAD, &[&application.as_str(), &case_no]).await?.pop())
}

/// Locks an application's case for the rest of the transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(
    client: &impl GenericClient,
    application: &ApplicationId,
    case_no: &str,
) -> Result<Option<LockedCase>, StoreError> {
    let statement = client.prepare_cached(sql::CASES_LOCK).await?;
    let row = client.query_opt(&statement, &[&application.as_str(), &case_no]).await?;
    row.map(|row| {
        Ok(LockedCase {
            phone_sealed: row.try_get("phone_sealed")?,
            content_index: row.try_get("content_index")?,
        })
    })
    .transpose()
}

/// When an application's case was accepted.
///
/// # Errors
/// When the database does not answer.
pub async fn accepted_at(
    client: &impl GenericClient,
    application: &ApplicationId,
    case_no: &CaseNo,
) -> Result<Option<Timestamp>, StoreError> {
    let statement = client.prepare_cached(sql::CASES_ACCEPTED).await?;
    let row = client.query_opt(&statement, &[&application.as_str(), &case_no.as_str()]).await?;
    Ok(row.map(|row| row.try_get("accepted_at")).transpose()?)
}

/// Locks the case whose light may have changed longest ago, of those that nobody else holds.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_due(
    client: &impl GenericClient,
    now: Timestamp,
) -> Result<Option<(ApplicationId, CaseNo)>, StoreError> {
    let statement = client.prepare_cached(sql::CASES_DUE).await?;
    let row = client.query_opt(&statement, &[&now]).await?;
    row.map(|row| {
        Ok((
            typed("cases.application_id", row.try_get("application_id")?)?,
            typed("cases.case_no", row.try_get("case_no")?)?,
        ))
    })
    .transpose()
}

/// Appends an event to a locked case.
///
/// # Errors
/// `the_events_of_a_case_are_in_order` when it was not locked.
pub async fn append(
    client: &impl GenericClient,
    case: &CaseRecord,
    event: &EventRecord,
    now: Timestamp,
) -> Result<(), StoreError> {
    change(
        client,
        sql::CASE_EVENTS_INSERT,
        &[
            &case.application_id.as_str(),
            &case.case_no.as_str(),
            &event.seq,
            &event.event.as_str(),
            &event.occurred_at,
            &event.reason,
            &event.due_on,
            &event.place,
            &event.tel,
            &now,
        ],
    )
    .await?;
    Ok(())
}

/// Writes what events and day have made of a locked case.
///
/// # Errors
/// When the database does not answer.
pub async fn move_on(
    client: &impl GenericClient,
    case: &CaseRecord,
    to: &Move,
) -> Result<(), StoreError> {
    change(
        client,
        sql::CASES_MOVE,
        &[
            &case.application_id.as_str(),
            &case.case_no.as_str(),
            &to.state.as_str(),
            &to.light.as_str(),
            &to.deadline_on,
            &to.deadline_version,
            &to.look_at,
        ],
    )
    .await?;
    Ok(())
}

/// Looks at a locked case again at `next` and not before.
///
/// # Errors
/// When the database does not answer.
pub async fn postpone(
    client: &impl GenericClient,
    application: &ApplicationId,
    case_no: &CaseNo,
    next: Timestamp,
) -> Result<(), StoreError> {
    let key = (application.as_str(), case_no.as_str());
    change(client, sql::CASES_POSTPONE, &[&key.0, &key.1, &next]).await?;
    Ok(())
}

/// Notes that a light is told; false when it was told for that deadline already.
///
/// # Errors
/// When the database does not answer.
pub async fn note_light(
    client: &impl GenericClient,
    case: &CaseRecord,
    standing: &Move,
    now: Timestamp,
) -> Result<bool, StoreError> {
    change(
        client,
        sql::CASE_LIGHTS_INSERT,
        &[
            &case.application_id.as_str(),
            &case.case_no.as_str(),
            &standing.deadline_version,
            &standing.light.as_str(),
            &now,
        ],
    )
    .await
}
