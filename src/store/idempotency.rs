//! Idempotency keys: one answer a key, whoever asks again.

use deadpool_postgres::GenericClient;
use domain::ids::ApplicationId;
use jiff::Timestamp;

use super::{StoreError, change, sql};

/// A key as it is known.
#[derive(Clone, Debug)]
pub struct KnownKey {
    /// The call that it was used for: method and path.
    pub call: String,
    /// The hash of the body that it was used with.
    pub body_hash: Vec<u8>,
    /// The answer, once there is one: status and body.
    pub answer: Option<(u16, Vec<u8>)>,
}

/// A key that somebody wants to work under.
#[derive(Clone, Copy, Debug)]
pub struct NewKey<'a> {
    /// The key.
    pub key: &'a str,
    /// The call that it is used for: method and path.
    pub call: &'a str,
    /// The hash of the body that it is used with.
    pub body_hash: &'a [u8],
}

/// A key that somebody works under.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// Whose key it is.
    pub application: &'a ApplicationId,
    /// The key.
    pub key: &'a str,
    /// The lease that [`begin`] gave.
    pub lease: i64,
}

/// Takes a key and gives its lease; `None` when it is answered, being worked on, or was used for
/// something else.
///
/// # Errors
/// When the database does not answer.
pub async fn begin(
    client: &impl GenericClient,
    application: &ApplicationId,
    key: &str,
    call: &str,
    body_hash: &[u8],
    now: Timestamp,
) -> Result<Option<i64>, StoreError> {
    let statement = client.prepare_cached(sql::IDEMPOTENCY_BEGIN).await?;
    let row = client
        .query_opt(&statement, &[&application.as_str(), &key, &call, &body_hash, &now])
        .await?;
    Ok(row.map(|row| row.try_get("lease")).transpose()?)
}

/// What is known of a key.
///
/// # Errors
/// When the database does not answer.
pub async fn get(
    client: &impl GenericClient,
    application: &ApplicationId,
    key: &str,
) -> Result<Option<KnownKey>, StoreError> {
    let statement = client.prepare_cached(sql::IDEMPOTENCY_GET).await?;
    let Some(row) = client.query_opt(&statement, &[&application.as_str(), &key]).await? else {
        return Ok(None);
    };
    let status: Option<i32> = row.try_get("status")?;
    let answer: Option<Vec<u8>> = row.try_get("answer")?;
    let status = status.and_then(|status| u16::try_from(status).ok());
    Ok(Some(KnownKey {
        call: row.try_get("call")?,
        body_hash: row.try_get("body_hash")?,
        answer: status.zip(answer),
    }))
}

/// Stores a key's answer; false when it has one, is gone, or another worker took it over.
///
/// # Errors
/// When the database does not answer.
pub async fn finish(
    client: &impl GenericClient,
    held: Held<'_>,
    status: u16,
    answer: &[u8],
) -> Result<bool, StoreError> {
    let Held { application, key, lease } = held;
    change(
        client,
        sql::IDEMPOTENCY_FINISH,
        &[&application.as_str(), &key, &lease, &i32::from(status), &answer],
    )
    .await
}

/// Keeps a key leased while its work goes on; false when it is not the worker's any more.
///
/// # Errors
/// When the database does not answer.
pub async fn renew(client: &impl GenericClient, held: Held<'_>) -> Result<bool, StoreError> {
    let Held { application, key, lease } = held;
    change(client, sql::IDEMPOTENCY_RENEW, &[&application.as_str(), &key, &lease]).await
}

/// Gives a key back whose work came to no answer that lasts.
///
/// # Errors
/// When the database does not answer.
pub async fn release(client: &impl GenericClient, held: Held<'_>) -> Result<(), StoreError> {
    let Held { application, key, lease } = held;
    change(client, sql::IDEMPOTENCY_RELEASE, &[&application.as_str(), &key, &lease]).await?;
    Ok(())
}

/// Forgets keys older than `before`.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(client: &impl GenericClient, before: Timestamp) -> Result<(), StoreError> {
    change(client, sql::IDEMPOTENCY_FORGET, &[&before]).await?;
    Ok(())
}
