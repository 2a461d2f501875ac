//! The endpoint of an application as a thing of its own: where it stands, what people and answers
//! do to it, and the keys that sign for it.

use deadpool_postgres::GenericClient;
use domain::ids::ApplicationId;
use jiff::Timestamp;

use super::{StoreError, change, sql, typed};

/// An endpoint as its GET answers it.
#[derive(Clone, Debug)]
pub struct EndpointRecord {
    /// Its address.
    pub url: Option<String>,
    /// The office-wide events that it wants.
    pub events: Vec<String>,
    /// Whether it stands in the configuration file.
    pub from_file: bool,
    /// How many events may be under way to it at once.
    pub concurrency: i32,
    /// Since when it has this address.
    pub since: Option<Timestamp>,
    /// Since when it is gone.
    pub gone_at: Option<Timestamp>,
    /// Since when it is disabled.
    pub disabled_at: Option<Timestamp>,
    /// `hand` or `failing`.
    pub disabled_by: Option<String>,
    /// Whether it has a secret.
    pub has_secret: bool,
    /// Whether the secret before signs as well.
    pub has_previous: bool,
    /// Until when it does; `None`: as long as it stands in the file.
    pub previous_until: Option<Timestamp>,
    /// The public half of its key pair.
    pub public_key: Option<Vec<u8>>,
    /// Since when it fails without any success.
    pub failing_since: Option<Timestamp>,
    /// When it last took an event, to the minute.
    pub success_at: Option<Timestamp>,
    /// When it last failed, to the minute.
    pub failure_at: Option<Timestamp>,
    /// How.
    pub failure: Option<String>,
    /// Until when it asked to hear nothing; `None`: it hears what comes.
    pub held_until: Option<Timestamp>,
    /// How many events wait for it.
    pub waiting: i64,
    /// How many are dead letters.
    pub dead: i64,
}

/// A locked endpoint.
#[derive(Clone, Copy, Debug)]
pub struct LockedEndpoint {
    /// Whether it has an address.
    pub has_url: bool,
    /// Whether it stands in the configuration file.
    pub from_file: bool,
    /// Whether it has a secret.
    pub has_secret: bool,
}

/// What an application decides about its endpoint.
#[derive(Clone, Debug)]
pub struct NewEndpoint<'a> {
    /// Its address.
    pub url: &'a str,
    /// The office-wide events that it wants; `None`: as before.
    pub events: Option<&'a [String]>,
    /// How many events may be under way to it at once; `None`: as before.
    pub concurrency: Option<i32>,
    /// A sealed secret, for one that has none.
    pub secret: Option<&'a [u8]>,
}

/// By whom an endpoint is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisabledBy {
    /// The application or an operator.
    Hand,
    /// The hub, because it failed for days.
    Failing,
}

impl DisabledBy {
    /// Its word in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hand => "hand",
            Self::Failing => "failing",
        }
    }
}

/// An application's endpoint; `None` when there is no such live application.
///
/// # Errors
/// When the database does not answer.
pub async fn load(
    client: &impl GenericClient,
    application: &str,
    now: Timestamp,
) -> Result<Option<EndpointRecord>, StoreError> {
    let statement = client.prepare_cached(sql::ENDPOINTS_LOAD).await?;
    let Some(row) = client.query_opt(&statement, &[&application, &now]).await? else {
        return Ok(None);
    };
    Ok(Some(EndpointRecord {
        url: row.try_get("webhook_url")?,
        events: row.try_get("webhook_events")?,
        from_file: row.try_get("from_file")?,
        concurrency: row.try_get("concurrency")?,
        since: row.try_get("webhook_since")?,
        gone_at: row.try_get("endpoint_gone_at")?,
        disabled_at: row.try_get("webhook_disabled_at")?,
        disabled_by: row.try_get("webhook_disabled_by")?,
        has_secret: row.try_get("has_secret")?,
        has_previous: row.try_get("has_previous")?,
        previous_until: row.try_get("webhook_previous_until")?,
        public_key: row.try_get("webhook_public_key")?,
        failing_since: row.try_get("webhook_failing_since")?,
        success_at: row.try_get("webhook_success_at")?,
        failure_at: row.try_get("webhook_failure_at")?,
        failure: row.try_get("webhook_failure")?,
        held_until: row.try_get("held_until")?,
        waiting: row.try_get("waiting")?,
        dead: row.try_get("dead")?,
    }))
}

/// Locks an endpoint for the rest of the transaction; `None` when there is no such live
/// application.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(
    client: &impl GenericClient,
    application: &str,
) -> Result<Option<LockedEndpoint>, StoreError> {
    let statement = client.prepare_cached(sql::ENDPOINTS_LOCK).await?;
    let Some(row) = client.query_opt(&statement, &[&application]).await? else { return Ok(None) };
    let url: Option<&str> = row.try_get("webhook_url")?;
    Ok(Some(LockedEndpoint {
        has_url: url.is_some(),
        from_file: row.try_get("from_file")?,
        has_secret: row.try_get("has_secret")?,
    }))
}

/// Gives an endpoint its address; false when the file names it.
///
/// # Errors
/// When the database does not answer.
pub async fn set(
    client: &impl GenericClient,
    application: &str,
    new: &NewEndpoint<'_>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let NewEndpoint { url, events, concurrency, secret } = new;
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
        [&application, url, events, concurrency, secret, &now];
    change(client, sql::ENDPOINTS_SET, &parameters).await
}

/// Disables an endpoint; false when the hub would disable one that is disabled already.
///
/// # Errors
/// When the database does not answer.
pub async fn disable(
    client: &impl GenericClient,
    application: &str,
    by: DisabledBy,
    now: Timestamp,
) -> Result<bool, StoreError> {
    change(client, sql::ENDPOINTS_DISABLE, &[&application, &now, &by.as_str()]).await
}

/// Enables an endpoint; false when it has no address.
///
/// # Errors
/// When the database does not answer.
pub async fn enable(client: &impl GenericClient, application: &str) -> Result<bool, StoreError> {
    change(client, sql::ENDPOINTS_ENABLE, &[&application]).await
}

/// Gives an endpoint a new sealed secret beside which the one before signs `until`; false when
/// the file names it.
///
/// # Errors
/// When the database does not answer.
pub async fn rotate(
    client: &impl GenericClient,
    application: &str,
    secret: &[u8],
    until: Timestamp,
) -> Result<bool, StoreError> {
    change(client, sql::ENDPOINTS_ROTATE, &[&application, &secret, &until]).await
}

/// Gives an application its key pair, sealed, and its public half; false when it has one.
///
/// # Errors
/// When the database does not answer.
pub async fn give_pair(
    client: &impl GenericClient,
    application: &str,
    sealed: &[u8],
    public: &[u8],
) -> Result<bool, StoreError> {
    change(client, sql::ENDPOINTS_PAIR, &[&application, &sealed, &public]).await
}

/// The applications whose endpoint has no key pair yet.
///
/// # Errors
/// When the database does not answer.
pub async fn without_pair(client: &impl GenericClient) -> Result<Vec<ApplicationId>, StoreError> {
    let statement = client.prepare_cached(sql::ENDPOINTS_WITHOUT_PAIR).await?;
    let rows = client.query(&statement, &[]).await?;
    rows.iter().map(|row| typed("applications.application_id", row.try_get(0)?)).collect()
}

/// Remembers how an endpoint answered: well when `failure` is `None`, and `until` when it asked to
/// hear nothing. Since when it fails without any success.
///
/// # Errors
/// When the database does not answer.
pub async fn heard(
    client: &impl GenericClient,
    (application, url): (&str, &str),
    at: Timestamp,
    failure: Option<&str>,
    until: Option<Timestamp>,
) -> Result<Option<Timestamp>, StoreError> {
    let statement = client.prepare_cached(sql::ENDPOINTS_HEARD).await?;
    let row = client.query_opt(&statement, &[&application, &at, &failure, &until, &url]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
}
