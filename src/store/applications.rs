//! Backend services and their endpoints. Of a key the database holds a hash only.

use deadpool_postgres::GenericClient;
use domain::ids::ApplicationId;
use jiff::Timestamp;

use super::{StoreError, change, sql, typed};

/// An application to be written.
#[derive(Debug)]
pub struct NewApplication<'a> {
    /// Its name.
    pub application_id: &'a ApplicationId,
    /// The hash of its API key.
    pub key_hash: &'a [u8],
    /// Where it is told of events.
    pub webhook_url: Option<&'a str>,
    /// The secret that signs them, sealed.
    pub webhook_secret: Option<&'a [u8]>,
    /// The secret before it, sealed, which signs beside it as long as the file names both.
    pub webhook_previous: Option<&'a [u8]>,
    /// The office-wide events that it wants.
    pub webhook_events: &'a [String],
    /// How many events may be under way to it at once, 1 to 64.
    pub concurrency: i32,
    /// When.
    pub now: Timestamp,
}

/// Where an application is told of events.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The URL.
    pub url: String,
    /// The sealed secret.
    pub secret_sealed: Vec<u8>,
    /// The sealed secret before it.
    pub previous_sealed: Option<Vec<u8>>,
    /// Until when the one before signs as well; `None`: as long as it stands in the file.
    pub previous_until: Option<Timestamp>,
    /// The sealed key pair.
    pub pair_sealed: Option<Vec<u8>>,
    /// Whether the URL stands in the configuration file, and is trusted for that.
    pub from_file: bool,
    /// Whether somebody, or the hub, disabled it.
    pub is_disabled: bool,
    /// What is known of its answers.
    pub health: Health,
}

/// How an endpoint answered, to the minute.
#[derive(Clone, Copy, Debug, Default)]
pub struct Health {
    /// Since when it fails without any success.
    pub failing_since: Option<Timestamp>,
    /// When it last took an event.
    pub success_at: Option<Timestamp>,
    /// When it last failed.
    pub failure_at: Option<Timestamp>,
    /// Until when it asked to hear nothing, to the moment.
    pub held_until: Option<Timestamp>,
}

/// An application as a list shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub application_id: String,
    /// Where it is told of events.
    pub webhook_url: Option<String>,
    /// Whether it stands in the configuration file.
    pub from_file: bool,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when its key is taken back.
    pub revoked_at: Option<Timestamp>,
}

/// Writes an application of the configuration file, new or changed.
///
/// # Errors
/// When the database refuses, for instance a key that another application has.
pub async fn upsert(
    client: &impl GenericClient,
    new: &NewApplication<'_>,
) -> Result<(), StoreError> {
    change(
        client,
        sql::APPLICATIONS_UPSERT,
        &[
            &new.application_id.as_str(),
            &new.key_hash,
            &new.webhook_url,
            &new.webhook_secret,
            &new.webhook_previous,
            &new.webhook_events,
            &new.concurrency,
            &new.now,
        ],
    )
    .await?;
    Ok(())
}

/// Adds an application by hand; false when the name is taken.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    client: &impl GenericClient,
    new: &NewApplication<'_>,
) -> Result<bool, StoreError> {
    change(
        client,
        sql::APPLICATIONS_INSERT,
        &[
            &new.application_id.as_str(),
            &new.key_hash,
            &new.webhook_url,
            &new.webhook_secret,
            &new.now,
        ],
    )
    .await
}

/// The application that owns a key.
///
/// # Errors
/// When the database does not answer.
pub async fn by_key(
    client: &impl GenericClient,
    key_hash: &[u8],
) -> Result<Option<ApplicationId>, StoreError> {
    let statement = client.prepare_cached(sql::APPLICATIONS_BY_KEY).await?;
    let row = client.query_opt(&statement, &[&key_hash]).await?;
    row.map(|row| typed("applications.application_id", row.try_get(0)?)).transpose()
}

/// Takes a key back: whether it stands in the configuration file. `None` when there is no such live
/// application.
///
/// # Errors
/// When the database does not answer.
pub async fn revoke(
    client: &impl GenericClient,
    name: &str,
    now: Timestamp,
) -> Result<Option<bool>, StoreError> {
    let statement = client.prepare_cached(sql::APPLICATIONS_REVOKE).await?;
    let row = client.query_opt(&statement, &[&name, &now]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Every application.
///
/// # Errors
/// When the database does not answer.
pub async fn list(client: &impl GenericClient) -> Result<Vec<Listed>, StoreError> {
    let statement = client.prepare_cached(sql::APPLICATIONS_LIST).await?;
    let rows = client.query(&statement, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Listed {
                application_id: row.try_get("application_id")?,
                webhook_url: row.try_get("webhook_url")?,
                from_file: row.try_get("from_file")?,
                created_at: row.try_get("created_at")?,
                revoked_at: row.try_get("revoked_at")?,
            })
        })
        .collect()
}

/// Where an application is told of events; `None` when nowhere.
///
/// # Errors
/// When the database does not answer.
pub async fn endpoint(
    client: &impl GenericClient,
    application: &str,
) -> Result<Option<Endpoint>, StoreError> {
    let statement = client.prepare_cached(sql::APPLICATIONS_ENDPOINT).await?;
    let Some(row) = client.query_opt(&statement, &[&application]).await? else { return Ok(None) };
    let secret: Option<Vec<u8>> = row.try_get("webhook_secret")?;
    Ok(Some(Endpoint {
        url: row.try_get("webhook_url")?,
        secret_sealed: secret.unwrap_or_default(),
        previous_sealed: row.try_get("webhook_previous_secret")?,
        previous_until: row.try_get("webhook_previous_until")?,
        pair_sealed: row.try_get("webhook_key")?,
        from_file: row.try_get("from_file")?,
        is_disabled: row.try_get("is_disabled")?,
        health: Health {
            failing_since: row.try_get("webhook_failing_since")?,
            success_at: row.try_get("webhook_success_at")?,
            failure_at: row.try_get("webhook_failure_at")?,
            held_until: row.try_get("webhook_held_until")?,
        },
    }))
}

/// Remembers that an endpoint said that it is gone; false when that was known, or it is disabled.
///
/// # Errors
/// When the database does not answer.
pub async fn endpoint_gone(
    client: &impl GenericClient,
    (application, url): (&str, &str),
    now: Timestamp,
) -> Result<bool, StoreError> {
    change(client, sql::APPLICATIONS_ENDPOINT_GONE, &[&application, &now, &url]).await
}
