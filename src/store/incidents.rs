//! Incidents: what finance staff must look at.

use deadpool_postgres::GenericClient;
use domain::ids::{ApplicationId, IncidentId, MerchantId, OrderId, PaymentId, RefundId};
use domain::money::Fen;
use jiff::Timestamp;
use serde::Deserialize;

use super::{StoreError, change, load, sql};

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

/// An incident about an application itself, to be opened.
#[derive(Debug)]
pub struct NewOfApplication<'a> {
    /// Its id.
    pub incident_id: &'a IncidentId,
    /// Whose endpoint it is about.
    pub application: &'a str,
    /// What kind, as a stable word.
    pub kind: &'a str,
    /// What exactly.
    pub detail: &'a str,
    /// What makes it one cause.
    pub dedupe_key: &'a str,
    /// When.
    pub now: Timestamp,
}

/// Opens an incident; false when the same cause is known and nothing new happened.
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
            &None::<&str>,
        ],
    )
    .await
}

/// Opens an incident about an application itself, which only that application and operators see;
/// false when the same cause is known.
///
/// # Errors
/// When the database does not answer.
pub async fn open_of_application(
    client: &impl GenericClient,
    new: &NewOfApplication<'_>,
) -> Result<bool, StoreError> {
    let NewOfApplication { incident_id, application, kind, detail, dedupe_key, now } = new;
    let nobody = None::<&str>;
    change(
        client,
        sql::INCIDENTS_INSERT,
        &[
            &incident_id.as_str(),
            &nobody,
            kind,
            detail,
            dedupe_key,
            &nobody,
            &nobody,
            now,
            application,
        ],
    )
    .await
}

/// An incident as stored.
#[derive(Clone, Debug, Deserialize)]
pub struct IncidentRecord {
    /// Its id.
    pub id: IncidentId,
    /// At which merchant, or over which channel; `None`: it is about an application.
    pub merchant_id: Option<MerchantId>,
    /// About which application's endpoint.
    pub application_id: Option<ApplicationId>,
    /// What kind.
    pub kind: String,
    /// What exactly; no personal data.
    pub detail: String,
    /// About which order.
    pub order_id: Option<OrderId>,
    /// About which refund.
    pub refund_id: Option<RefundId>,
    /// About which payment, where money came.
    pub payment: Option<AboutPayment>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// By whom: a person, a backend service, or `payhub` itself.
    pub closed_by: Option<String>,
    /// What came of it.
    pub note: Option<String>,
    /// How it had been closed each time before it happened again.
    pub earlier: Vec<Earlier>,
}

/// A time for which an incident was open, before it happened again.
#[derive(Clone, Debug, Deserialize)]
pub struct Earlier {
    /// From when.
    pub opened_at: Timestamp,
    /// Until when.
    pub closed_at: Timestamp,
    /// By whom it was closed.
    pub closed_by: Option<String>,
    /// What had come of it.
    pub note: Option<String>,
}

/// The payment that an incident is about.
#[derive(Clone, Debug, Deserialize)]
pub struct AboutPayment {
    /// Its id.
    pub id: PaymentId,
    /// What of it no refund holds or has given back.
    pub amount_fen: Fen,
    /// Of that, what settles no fee.
    pub surplus_fen: Fen,
}

/// Which incidents.
#[derive(Clone, Copy, Debug, Default)]
pub struct Which<'a> {
    /// Those that this application may see; `None`: all.
    pub application: Option<&'a ApplicationId>,
    /// This one alone.
    pub id: Option<&'a str>,
    /// Open ones, or closed ones.
    pub open: Option<bool>,
    /// At this merchant.
    pub merchant: Option<&'a str>,
    /// Of this kind.
    pub kind: Option<&'a str>,
    /// Older than this one.
    pub before: Option<&'a str>,
}

/// Incidents, newest first, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    client: &impl GenericClient,
    which: &Which<'_>,
    limit: i64,
) -> Result<Vec<IncidentRecord>, StoreError> {
    let application = which.application.map(ApplicationId::as_str);
    let Which { id, open, merchant, kind, before, .. } = which;
    load(client, sql::INCIDENTS_LIST, &[&application, id, open, merchant, kind, before, &limit])
        .await
}

/// Closes an incident; false when it is closed already, or was never opened.
///
/// # Errors
/// When the database does not answer.
pub async fn close(
    client: &impl GenericClient,
    id: &IncidentId,
    by: &str,
    note: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    change(client, sql::INCIDENTS_CLOSE, &[&id.as_str(), &now, &by, &note]).await
}

/// Closes what was told of settlements that had not arrived and now have, and of the difference of
/// the credit that they are.
///
/// # Errors
/// When the database does not answer.
pub async fn arrived(
    client: &impl GenericClient,
    (settlements, bank_serial): (&[&str], &str),
    by: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = client.prepare_cached(sql::INCIDENTS_ARRIVED).await?;
    client.query(&statement, &[&settlements, &now, &by, &bank_serial]).await?;
    Ok(())
}

/// Closes a merchant's incidents that the facts have resolved; how many there were.
///
/// # Errors
/// When the database does not answer.
pub async fn resolve(
    client: &impl GenericClient,
    merchant: &MerchantId,
    by: &str,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let statement = client.prepare_cached(sql::INCIDENTS_RESOLVE).await?;
    Ok(client.query(&statement, &[&merchant.as_str(), &now, &by]).await?.len())
}
