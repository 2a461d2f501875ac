//! Refused and replayed callbacks, and the evidence of calls to providers. Good callbacks are
//! written with their effects.

use std::collections::BTreeMap;

use deadpool_postgres::GenericClient;
use domain::ids::{CallbackId, MerchantId};
use jiff::Timestamp;

use super::{StoreError, change, sql, typed};

/// A refused callback to be kept.
#[derive(Debug)]
pub struct Refused<'a> {
    /// When it came.
    pub received_at: Timestamp,
    /// For whom.
    pub merchant_id: &'a MerchantId,
    /// Why it was refused.
    pub fault: &'a str,
    /// What exactly.
    pub detail: &'a str,
    /// Its bytes and headers, cut and sealed.
    pub sealed: &'a [u8],
}

/// Keeps a refused callback, and lets the oldest go.
///
/// # Errors
/// When the database does not answer.
pub async fn refuse(client: &impl GenericClient, refused: &Refused<'_>) -> Result<(), StoreError> {
    change(
        client,
        sql::CALLBACKS_REFUSE,
        &[
            &refused.received_at,
            &refused.merchant_id.as_str(),
            &refused.fault,
            &refused.detail,
            &refused.sealed,
        ],
    )
    .await?;
    Ok(())
}

/// A stored callback's merchant and its sealed evidence.
///
/// # Errors
/// When the database does not answer.
pub async fn get(
    client: &impl GenericClient,
    callback_id: &CallbackId,
) -> Result<Option<(MerchantId, Vec<u8>)>, StoreError> {
    let statement = client.prepare_cached(sql::CALLBACKS_GET).await?;
    let row = client.query_opt(&statement, &[&callback_id.as_str()]).await?;
    row.map(|row| Ok((typed("callbacks.merchant_id", row.try_get(0)?)?, row.try_get(1)?)))
        .transpose()
}

/// The verdicts of stored callbacks by id; those that are not stored are left out.
///
/// # Errors
/// When the database does not answer.
pub async fn verdicts(
    client: &impl GenericClient,
    ids: &[&str],
) -> Result<BTreeMap<String, String>, StoreError> {
    let statement = client.prepare_cached(sql::CALLBACKS_VERDICTS).await?;
    let rows = client.query(&statement, &[&ids]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// What was said to a provider and what came back.
#[derive(Debug)]
pub struct ProviderCall<'a> {
    /// When it was begun.
    pub begun_at: Timestamp,
    /// By whom.
    pub merchant_id: &'a MerchantId,
    /// What was asked.
    pub operation: &'a str,
    /// About which order, refund or day.
    pub subject_id: Option<&'a str>,
    /// HTTP status, if an answer came.
    pub status: Option<i32>,
    /// accepted, refused or unknown.
    pub outcome: &'a str,
    /// Why, for a person.
    pub detail: &'a str,
    /// Call and answer, sealed.
    pub sealed: &'a [u8],
}

/// Keeps a call.
///
/// # Errors
/// When the database does not answer.
pub async fn keep_call(
    client: &impl GenericClient,
    call: &ProviderCall<'_>,
) -> Result<(), StoreError> {
    change(
        client,
        sql::PROVIDER_CALLS_INSERT,
        &[
            &call.begun_at,
            &call.merchant_id.as_str(),
            &call.operation,
            &call.subject_id,
            &call.status,
            &call.outcome,
            &call.detail,
            &call.sealed,
        ],
    )
    .await?;
    Ok(())
}

/// Makes the evidence partitions of the month of `day`.
///
/// # Errors
/// When the database does not answer.
pub async fn prepare_month(client: &impl GenericClient, day: Timestamp) -> Result<(), StoreError> {
    change(client, sql::MONTH_PREPARE, &[&day]).await?;
    Ok(())
}
