//! Messages to the applicant of a case, by template, queued in the transaction of what they tell.

use deadpool_postgres::GenericClient;
use domain::case::CaseEvent;
use domain::personal::Personal;
use serde_json::{Map, Value, json};

use super::Standing;
use crate::dispatch::request::{Request, Values, is_told, request};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::cases::{CaseRecord, EventRecord};

/// The template that tells of the acceptance.
const ACCEPTED: &str = "CASE.ACCEPTED";
/// What a demand for papers asks for when nobody says more.
const PAPERS: &str = "申请材料";
/// Why the clock stands when nobody says more.
const NEED: &str = "办理需要";

/// What a registration type is called; another business type is said as it was told.
const NAMES: [(&str, &str); 11] = [
    ("first", "首次登记"),
    ("transfer", "转移登记"),
    ("change", "变更登记"),
    ("correction", "更正登记"),
    ("objection", "异议登记"),
    ("seizure", "查封登记"),
    ("cancellation", "注销登记"),
    ("advance_notice", "预告登记"),
    ("mortgage", "抵押权登记"),
    ("easement", "地役权登记"),
    ("reissue", "补换证"),
];

/// Tells of the acceptance.
pub(super) async fn accepted(
    hub: &Hub,
    tx: &impl GenericClient,
    case: &CaseRecord,
    standing: &Standing,
    phone: &Personal,
) -> Result<(), Fault> {
    let known = NAMES.iter().find(|(word, _)| *word == case.business_type);
    let business = known.map_or(case.business_type.as_str(), |(_, name)| name);
    let mut params = Map::new();
    params.insert("biz".to_owned(), json!(business));
    params.insert("n".to_owned(), json!(case.promised_working_days));
    params.insert("date".to_owned(), json!(standing.deadline.date));
    send(hub, tx, case, ACCEPTED, 0, params, phone).await
}

/// Tells of an event, where there is something to tell.
pub(super) async fn progress(
    hub: &Hub,
    tx: &impl GenericClient,
    case: &CaseRecord,
    told: &EventRecord,
    phone: &Personal,
) -> Result<(), Fault> {
    let Some(template) = template(told.event) else { return Ok(()) };
    send(hub, tx, case, template, told.seq, values(hub, told), phone).await
}

/// The template of an event; nothing is said of what the applicant did or sees himself.
const fn template(event: CaseEvent) -> Option<&'static str> {
    match event {
        CaseEvent::Supplement => Some("CASE.SUPPLEMENT"),
        CaseEvent::Suspended => Some("CASE.SUSPENDED"),
        CaseEvent::Resumed => Some("CASE.RESUMED"),
        CaseEvent::Approved => Some("CASE.APPROVED"),
        CaseEvent::Registered => Some("CASE.REGISTERED"),
        CaseEvent::CertificateReady => Some("CERT.READY"),
        CaseEvent::Rejected => Some("CASE.REJECTED"),
        CaseEvent::Closed | CaseEvent::Withdrawn => None,
    }
}

/// The values of an event's text. Day and telephone stand there only where they are known: the
/// texts have a plain form without them.
fn values(hub: &Hub, told: &EventRecord) -> Map<String, Value> {
    let mut values = Map::new();
    let reason = told.reason.as_deref();
    values.insert("brief".to_owned(), json!(reason.unwrap_or(PAPERS)));
    values.insert("reason".to_owned(), json!(reason.unwrap_or(NEED)));
    values.insert("place".to_owned(), json!(told.place.as_deref().unwrap_or(&hub.office)));
    if let Some(day) = told.due_on {
        values.insert("date".to_owned(), json!(day));
    }
    if let Some(tel) = &told.tel {
        values.insert("tel".to_owned(), json!(tel));
    }
    values
}

/// Queues a message, where the office has a text for it. That the applicant cannot be told is no
/// reason for a case not to move: it is logged.
async fn send(
    hub: &Hub,
    tx: &impl GenericClient,
    case: &CaseRecord,
    template: &str,
    seq: i32,
    mut params: Map<String, Value>,
    phone: &Personal,
) -> Result<(), Fault> {
    if !is_told(hub, template) {
        return Ok(());
    }
    params.insert("no".to_owned(), json!(case.case_no));
    let message = Request {
        template: template.to_owned(),
        phone: phone.clone(),
        params: Values(params),
        locale: Some(case.locale.clone()),
        channels: None,
        dedupe_key: Some(format!("{template}:{}:{seq}", case.case_no)),
        subject_id: None,
        not_before: None,
        expires_at: None,
    };
    match request(hub, tx, &case.application_id, &message).await {
        Err(fault) if fault.status < 500 => {
            tracing::warn!(case = %case.case_no, why = fault.detail, "the applicant cannot be told");
            Ok(())
        }
        done => done.map(|_queued| ()),
    }
}
