//! Tasks for people: what finance staff or an operator must look at, and what is proposed for it.
//! An incident is closed by whoever dealt with it, with a note; where the facts resolve it, the hub
//! closes it itself.

mod proposal;

use domain::ids::{ApplicationId, MerchantId};
use domain::time::rfc3339;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::incidents::{self, IncidentRecord, Which};

/// Who closes what the facts have resolved.
const HUB: &str = "payhub";
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

/// Closes an incident in the name of `by`; the incident as it is then. An `application` closes
/// what it may see.
///
/// # Errors
/// 404 when there is none, 409 `incident_closed`, 422 `note_needed`.
pub async fn close(
    hub: &Hub,
    application: Option<&ApplicationId>,
    id: &str,
    by: &str,
    note: &str,
) -> Result<IncidentRecord, Fault> {
    let note = note.trim();
    if note.is_empty() || note.chars().count() > NOTE_MAX {
        let detail = format!("say in 1 to {NOTE_MAX} characters what came of it");
        return Err(Fault::invalid("note_needed", detail));
    }
    let which = Which { application, id: Some(id), ..Which::default() };
    let client = hub.store.client().await?;
    let found = incidents::list(&client, &which, 1).await?.pop();
    let found = found.ok_or_else(|| Fault::not_found("incident"))?;
    if !incidents::close(&client, &found.id, by, note, hub.clock.now()).await? {
        let detail = format!("incident {} was closed before", found.id);
        return Err(Fault::conflict("incident_closed", detail));
    }
    let then = incidents::list(&client, &which, 1).await?.pop();
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
        "order_id": incident.order_id,
        "refund_id": incident.refund_id,
        "payment_id": incident.payment.as_ref().map(|payment| &payment.id),
        "detail": incident.detail,
        "proposed_action": proposal::of(incident),
        "opened_at": rfc3339(incident.opened_at),
        "closed_at": incident.closed_at.map(rfc3339),
        "closed_by": incident.closed_by,
        "note": incident.note,
    })
}

/// What is proposed for an incident, as one sentence.
#[must_use]
pub fn advice(incident: &IncidentRecord) -> &'static str {
    proposal::text(&incident.kind)
}
