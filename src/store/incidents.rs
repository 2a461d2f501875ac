//! Incidents: what finance staff must look at.

use deadpool_postgres::GenericClient;
use domain::ids::{IncidentId, MerchantId};
use jiff::Timestamp;

use super::{StoreError, change, sql};

/// An incident to be opened.
#[derive(Debug)]
pub struct NewIncident<'a> {
    /// Its id.
    pub incident_id: &'a IncidentId,
    /// At which merchant.
    pub merchant_id: &'a MerchantId,
    /// What kind, as a stable word.
    pub kind: &'a str,
    /// What exactly.
    pub detail: &'a str,
    /// What makes it one cause.
    pub dedupe_key: &'a str,
    /// About which order.
    pub order_id: Option<&'a str>,
    /// About which refund.
    pub refund_id: Option<&'a str>,
    /// When.
    pub now: Timestamp,
}

/// Opens an incident; false when the same cause is known.
///
/// # Errors
/// When the database does not answer.
pub async fn open(client: &impl GenericClient, new: &NewIncident<'_>) -> Result<bool, StoreError> {
    change(
        client,
        sql::INCIDENTS_INSERT,
        &[
            &new.incident_id.as_str(),
            &new.merchant_id.as_str(),
            &new.kind,
            &new.detail,
            &new.dedupe_key,
            &new.order_id,
            &new.refund_id,
            &new.now,
        ],
    )
    .await
}
