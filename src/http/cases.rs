//! `/v1/cases`: cases opened, moved on by their progress, and read with deadline and light.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::case::CaseEvent;
use domain::ids::CaseNo;
use domain::personal::Personal;
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::answer::Answer;
use super::call::{self, Call};
use super::{phone, resource, schema};
use crate::cases::{self, Applicant, Opened, Opening, Progress};
use crate::fault::Fault;
use crate::store::StoreError;

/// The first day on which a case can have been accepted or moved: before it lies a mistake.
const FIRST_DAY: Date = date(2000, 1, 1);
/// How far ahead of its time a thing may be told.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366);
/// The longest limit, in working days.
const LONGEST_LIMIT: u16 = 1000;

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/v1/cases").route(web::post().to(create)))
        .service(resource("/v1/cases/{case_no}").route(web::get().to(show)))
        .service(resource("/v1/cases/{case_no}/progress").route(web::post().to(progress)));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseRequest {
    case_no: CaseNo,
    business_type: String,
    accepted_at: Timestamp,
    promised_working_days: u16,
    legal_working_days: Option<u16>,
    department: Option<String>,
    handler: Option<String>,
    applicant: ApplicantRequest,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApplicantRequest {
    name: Personal,
    phone: Option<Personal>,
    locale: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProgressRequest {
    event: String,
    occurred_at: Option<Timestamp>,
    reason: Option<String>,
    #[serde(default, deserialize_with = "domain::time::read_day_if_any")]
    due_on: Option<Date>,
    place: Option<String>,
    tel: Option<String>,
}

/// Opens a case that the office accepted.
#[utoipa::path(
    post, path = "/v1/cases", tag = "cases",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII")),
    request_body = schema::CaseRequest,
    responses(
        (status = 201, body = schema::Case),
        (status = 200, body = schema::Case, description = "it was opened before, in the same words"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "case_exists, with another content"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "phone_invalid, or a rule broken"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn create(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post(http, payload, |call: Call, asked: CaseRequest| async move {
        let opening = opening(asked, call.hub.clock.now())?;
        let mut client = call.hub.store.client().await?;
        let tx = client.transaction().await.map_err(StoreError::from)?;
        let status = match cases::open(&call.hub, &tx, &call.application, &opening).await? {
            Opened::New => 201,
            Opened::Same => 200,
        };
        let answer = answer(&call, &tx, status, opening.case_no.as_str()).await?;
        tx.commit().await.map_err(StoreError::from)?;
        call.hub.signals.wake_dispatch();
        Ok(answer.kept())
    })
    .await
}

/// Tells what happened to a case.
#[utoipa::path(
    post, path = "/v1/cases/{case_no}/progress", tag = "cases",
    params(
        ("case_no" = String, Path, description = "the case's number"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII"),
    ),
    request_body = schema::CaseProgress,
    responses(
        (status = 200, body = schema::Case, description = "the case after it"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "step_not_possible"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "unknown_event, or a rule broken"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn progress(
    http: HttpRequest,
    payload: Payload,
    case_no: Path<String>,
) -> HttpResponse {
    call::post(http, payload, move |call: Call, asked: ProgressRequest| async move {
        let told = told(asked, call.hub.clock.now())?;
        let mut client = call.hub.store.client().await?;
        let tx = client.transaction().await.map_err(StoreError::from)?;
        cases::progress(&call.hub, &tx, &call.application, &case_no, &told).await?;
        let answer = answer(&call, &tx, 200, &case_no).await?;
        tx.commit().await.map_err(StoreError::from)?;
        call.hub.signals.wake_dispatch();
        Ok(answer.kept())
    })
    .await
}

/// A case as it stands: timeline, deadline, light, and its fees in short.
#[utoipa::path(
    get, path = "/v1/cases/{case_no}", tag = "cases",
    params(("case_no" = String, Path, description = "the case's number")),
    responses(
        (status = 200, body = schema::Case),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn show(http: HttpRequest, case_no: Path<String>) -> HttpResponse {
    call::get(http, move |call| async move {
        let client = call.hub.store.client().await?;
        let case = cases::get(&call.hub, &client, &call.application, &case_no).await?;
        Ok(Answer::json(200, &case))
    })
    .await
}

/// The case as the answer to a change, kept for a repeat of the call in the same transaction.
async fn answer(
    call: &Call,
    tx: &deadpool_postgres::Transaction<'_>,
    status: u16,
    case_no: &str,
) -> Result<Answer, Fault> {
    let case = cases::get(&call.hub, tx, &call.application, case_no).await?;
    let answer = Answer::json(status, &case);
    if let Some(ticket) = &call.ticket {
        ticket.settle(tx, &answer).await?;
    }
    Ok(answer)
}

/// Checks what types alone do not, and brings the applicant's phone into its one form.
fn opening(asked: CaseRequest, now: Timestamp) -> Result<Opening, Fault> {
    let applicant = asked.applicant;
    texts([
        ("business_type", Some(asked.business_type.as_str()), 64),
        ("department", asked.department.as_deref(), 64),
        ("handler", asked.handler.as_deref(), 64),
        ("applicant.name", Some(applicant.name.clear()), 100),
        ("applicant.locale", applicant.locale.as_deref(), 35),
    ])?;
    instant("accepted_at", Some(asked.accepted_at), now)?;
    let limits = [
        ("promised_working_days", Some(asked.promised_working_days)),
        ("legal_working_days", asked.legal_working_days),
    ];
    for (field, days) in limits {
        if days.is_some_and(|days| days > LONGEST_LIMIT) {
            return Err(broken(field, &format!("must be between 0 and {LONGEST_LIMIT}")));
        }
    }
    let phone = match applicant.phone {
        Some(given) => Some(Personal::new(phone::normal("applicant.phone", given.clear())?)),
        None => None,
    };
    let locale = applicant.locale.unwrap_or_else(|| notifications::DEFAULT_LOCALE.to_owned());
    Ok(Opening {
        case_no: asked.case_no,
        business_type: asked.business_type,
        accepted_at: asked.accepted_at,
        promised_working_days: asked.promised_working_days,
        legal_working_days: asked.legal_working_days,
        department: asked.department,
        handler: asked.handler,
        applicant: Applicant { name: applicant.name, phone, locale },
    })
}

/// Checks what happened.
fn told(asked: ProgressRequest, now: Timestamp) -> Result<Progress, Fault> {
    let event: CaseEvent =
        asked.event.parse().map_err(|error: domain::provider::UnknownWord| {
            let known: Vec<&str> = CaseEvent::ALL.iter().map(|event| event.as_str()).collect();
            let detail = format!("{error}; known are {}", known.join(", "));
            Fault::invalid("unknown_event", detail).with("path", "event")
        })?;
    texts([
        ("reason", asked.reason.as_deref(), 200),
        ("place", asked.place.as_deref(), 64),
        ("tel", asked.tel.as_deref(), 20),
    ])?;
    instant("occurred_at", asked.occurred_at, now)?;
    let ProgressRequest { occurred_at, reason, due_on, place, tel, .. } = asked;
    Ok(Progress { event, occurred_at, reason, due_on, place, tel })
}

fn texts<const N: usize>(texts: [(&str, Option<&str>, usize); N]) -> Result<(), Fault> {
    for (field, text, longest) in texts {
        let Some(text) = text else { continue };
        let length = text.chars().count();
        if text.trim().is_empty() || length > longest || text.chars().any(char::is_control) {
            let rule = format!("must have 1 to {longest} characters and no control characters");
            return Err(broken(field, &rule));
        }
    }
    Ok(())
}

/// A time that is absent, or near enough to be meant.
fn instant(field: &str, at: Option<Timestamp>, now: Timestamp) -> Result<(), Fault> {
    let first = domain::time::day_start(FIRST_DAY);
    let last = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    if at.is_none_or(|at| (first..=last).contains(&at)) {
        return Ok(());
    }
    Err(broken(field, &format!("must lie between {FIRST_DAY} and a year from now")))
}

fn broken(field: &str, rule: &str) -> Fault {
    Fault::invalid("invalid_body", format!("{field} {rule}")).with("path", field)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn now() -> Timestamp {
        "2018-11-30T01:00:00Z".parse().unwrap()
    }

    fn case(change: impl FnOnce(&mut Value)) -> Result<Opening, Fault> {
        let mut body = json!({
            "case_no": "201811300001", "business_type": "transfer",
            "accepted_at": "2018-11-30T09:00:00+08:00", "promised_working_days": 3,
            "applicant": {"name": "张三", "phone": "+86 138 1234 1234"},
        });
        change(&mut body);
        opening(serde_json::from_value(body).unwrap(), now())
    }

    #[track_caller]
    fn refused(code: &str, path: &str, change: impl FnOnce(&mut Value)) {
        let fault = case(change).unwrap_err();
        assert_eq!((fault.status, fault.code), (422, code));
        assert_eq!(fault.members, [("path", json!(path))]);
    }

    #[test]
    fn an_applicant_is_kept_in_one_form() {
        let applicant = case(|_| {}).unwrap().applicant;
        assert_eq!(applicant.phone.unwrap().clear(), "13812341234");
        assert_eq!(applicant.locale, "zh-CN");
    }

    #[test]
    fn a_member_that_breaks_its_rule_is_named() {
        refused("phone_invalid", "applicant.phone", |b| b["applicant"]["phone"] = json!("12345"));
        refused("invalid_body", "applicant.name", |b| b["applicant"]["name"] = json!(" "));
        refused("invalid_body", "business_type", |b| b["business_type"] = json!(""));
        refused("invalid_body", "promised_working_days", |b| {
            b["promised_working_days"] = json!(1001);
        });
        for at in ["1999-12-31T12:00:00Z", "2020-01-01T00:00:00Z"] {
            refused("invalid_body", "accepted_at", |b| b["accepted_at"] = json!(at));
        }
        assert!(case(|b| b["promised_working_days"] = json!(0)).is_ok());
    }

    #[track_caller]
    fn refused_progress(code: &str, path: &str, body: Value) {
        let fault = told(serde_json::from_value(body).unwrap(), now()).unwrap_err();
        assert_eq!(fault.code, code);
        assert_eq!(fault.members, [("path", json!(path))]);
    }

    #[test]
    fn only_known_events_are_taken() {
        for event in CaseEvent::ALL {
            let body = serde_json::from_value(json!({"event": event})).unwrap();
            assert_eq!(told(body, now()).unwrap().event, event);
        }
        refused_progress("unknown_event", "event", json!({"event": "accepted"}));
        refused_progress("invalid_body", "reason", json!({"event": "suspended", "reason": "\n"}));
        let late = json!({"event": "suspended", "occurred_at": "2020-01-01T00:00:00Z"});
        refused_progress("invalid_body", "occurred_at", late);
    }
}
