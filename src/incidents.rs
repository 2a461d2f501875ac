//! Tasks for people: what finance staff or an operator must look at, and what is proposed for it.
//! An incident is closed by whoever dealt with it, with a note; where the facts resolve it, the hub
//! closes it itself.

mod proposal;

use deadpool_postgres::GenericClient;
use domain::ids::{ApplicationId, MerchantId};
use domain::time::rfc3339;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::incidents::{self, Earlier, IncidentRecord, Which};

/// Who closes what the facts have resolved.
pub(crate) const HUB: &str = "payhub";
/// The longest note, in characters.
const NOTE_MAX: usize = 500;

/// `POST /v1/incidents/{id}/close`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloseRequest {
    /// What came of it: 1 to 500 characters, no personal data.
    pub note: String,
}

/// Incidents, newest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn list(hub: &Hub, which: &Which<'_>, limit: i64) -> Result<Vec<IncidentRecord>, Fault> {
    let client = hub.store.client().await?;
    Ok(incidents::list(&client, which, limit).await?)
}

/// Who closes an incident, and why.
#[derive(Clone, Copy, Debug)]
pub struct Closing<'a> {
    /// The incident.
    pub id: &'a str,
    /// The application that closes what it may see; `None`: an operator.
    pub application: Option<&'a ApplicationId>,
    /// In whose name.
    pub by: &'a str,
    /// What came of it.
    pub note: &'a str,
}

/// Closes an incident in the caller's transaction; the incident as it is then.
///
/// # Errors
/// 404 when there is none, 409 `incident_closed` or `operator_needed`, 422 `note_needed`.
pub async fn close(
    client: &impl GenericClient,
    closing: Closing<'_>,
    now: Timestamp,
) -> Result<IncidentRecord, Fault> {
    let Closing { id, application, by, note } = closing;
    let note = note.trim();
    if note.is_empty() || note.chars().count() > NOTE_MAX {
        let detail = format!("say in 1 to {NOTE_MAX} characters what came of it");
        return Err(Fault::invalid("note_needed", detail));
    }
    let which = Which { application, id: Some(id), ..Which::default() };
    let found = incidents::list(client, &which, 1).await?.pop();
    let found = found.ok_or_else(|| Fault::not_found("incident"))?;
    if application.is_some() && proposal::is_an_operators(&found.kind) {
        let detail = format!(
            "incident {} is about the hub itself: an operator closes it, with payhub incidents close",
            found.id
        );
        return Err(Fault::conflict("operator_needed", detail));
    }
    if !incidents::close(client, &found.id, by, note, now).await? {
        let detail = format!("incident {} was closed before", found.id);
        return Err(Fault::conflict("incident_closed", detail));
    }
    let then = incidents::list(client, &which, 1).await?.pop();
    then.ok_or_else(|| Fault::not_found("incident"))
}

/// Closes a merchant's incidents that the facts have resolved: a refund that went through, a payment
/// that was given back.
///
/// # Errors
/// When the database does not answer.
pub async fn resolve(hub: &Hub, merchant: &MerchantId) -> Result<usize, Fault> {
    let client = hub.store.client().await?;
    Ok(incidents::resolve(&client, merchant, HUB, hub.clock.now()).await?)
}

/// An incident as its GET answers it.
#[must_use]
pub fn shown(incident: &IncidentRecord) -> Value {
    json!({
        "id": incident.id,
        "kind": incident.kind,
        "status": if incident.closed_at.is_some() { "closed" } else { "open" },
        "merchant_id": incident.merchant_id,
        "application_id": incident.application_id,
        "order_id": incident.order_id,
        "refund_id": incident.refund_id,
        "payment_id": incident.payment.as_ref().map(|payment| &payment.id),
        "detail": incident.detail,
        "proposed_action": proposal::of(incident),
        "opened_at": rfc3339(incident.opened_at),
        "closed_at": incident.closed_at.map(rfc3339),
        "closed_by": incident.closed_by,
        "note": incident.note,
        "earlier": incident.earlier.iter().map(earlier).collect::<Vec<_>>(),
    })
}

fn earlier(before: &Earlier) -> Value {
    json!({
        "opened_at": rfc3339(before.opened_at),
        "closed_at": rfc3339(before.closed_at),
        "closed_by": before.closed_by,
        "note": before.note,
    })
}

/// What is proposed for an incident, as one sentence.
#[must_use]
pub fn advice(incident: &IncidentRecord) -> &'static str {
    proposal::text(&incident.kind)
}
