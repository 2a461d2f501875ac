//! Messages to people (通知). Addresses and values are sealed; a state is written only as the
//! total transition function of the notifications crate gave it.

use deadpool_postgres::GenericClient;
use domain::ids::{ApplicationId, NotificationId};
use jiff::Timestamp;
use notifications::NotificationStatus;
use serde::Deserialize;

use super::{StoreError, change, load as load_json, sql, typed};

/// A message to be queued in the transaction of what it tells.
#[derive(Debug)]
pub struct NewNotification<'a> {
    /// Its id.
    pub notification_id: &'a NotificationId,
    /// Who tells.
    pub application_id: &'a ApplicationId,
    /// The event's code, such as `FEE.ISSUED`.
    pub template: &'a str,
    /// The channel that it leaves over.
    pub channel: &'a str,
    /// The channels that may be used, if the request named them.
    pub channels: Option<&'a [String]>,
    /// Queued, held, expired or suppressed, as planned.
    pub status: NotificationStatus,
    /// The address, sealed.
    pub to_sealed: &'a [u8],
    /// The address for people's eyes.
    pub to_masked: &'a str,
    /// The values, a JSON object of texts, sealed for
    /// [`params_context`](crate::record::params_context).
    pub params_sealed: &'a [u8],
    /// The person's language.
    pub locale: &'a str,
    /// What makes it one telling within the application.
    pub dedupe_key: &'a str,
    /// The fee that it is about, if it is about one.
    pub subject_id: Option<&'a str>,
    /// Not earlier than this.
    pub not_before: Option<Timestamp>,
    /// Of no use from then on.
    pub expires_at: Option<Timestamp>,
    /// When it leaves.
    pub due_at: Timestamp,
    /// When it was asked for.
    pub now: Timestamp,
}

/// One attempt or lookup, as the API shows it.
#[derive(Clone, Debug, Deserialize)]
pub struct AttemptRecord {
    /// Its number, from 1; a lookup has the number of the attempt that it is about.
    pub attempt: i32,
    /// When it began.
    pub begun_at: Timestamp,
    /// Its outcome's word.
    pub outcome: String,
    /// What the other side said.
    pub detail: String,
}

/// A message as the API shows it.
#[derive(Clone, Debug, Deserialize)]
pub struct NotificationRecord {
    /// Its id.
    pub id: NotificationId,
    /// Who tells.
    pub application_id: ApplicationId,
    /// The event's code.
    pub template: String,
    /// The channel that it leaves or left over.
    pub channel: String,
    /// How far it came.
    pub status: NotificationStatus,
    /// The address, masked.
    pub to: Option<String>,
    /// The person's language.
    pub locale: String,
    /// What makes it one telling.
    pub dedupe_key: String,
    /// The fee that it is about.
    pub subject_id: Option<String>,
    /// Not earlier than this.
    pub not_before: Option<Timestamp>,
    /// Of no use from then on.
    pub expires_at: Option<Timestamp>,
    /// When something is done about it next.
    pub next_at: Option<Timestamp>,
    /// Why it will not arrive.
    pub failure: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the vendor took it.
    pub sent_at: Option<Timestamp>,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
    /// What was tried, in order.
    pub attempts: Vec<AttemptRecord>,
}

/// A locked message with all that sending it needs.
#[derive(Clone, Debug)]
pub struct LockedNotification {
    /// Its id.
    pub id: NotificationId,
    /// Who tells.
    pub application_id: ApplicationId,
    /// The event's code.
    pub template: String,
    /// The channel that it leaves over.
    pub channel: String,
    /// The channels that may be used, if the request named them.
    pub channels: Option<Vec<String>>,
    /// How far it came.
    pub status: NotificationStatus,
    /// The address, sealed.
    pub to_sealed: Vec<u8>,
    /// The values, sealed.
    pub params_sealed: Vec<u8>,
    /// The person's language.
    pub locale: String,
    /// What makes it one telling.
    pub dedupe_key: String,
    /// The fee that it is about.
    pub subject_id: Option<String>,
    /// Not earlier than this.
    pub not_before: Option<Timestamp>,
    /// Of no use from then on.
    pub expires_at: Option<Timestamp>,
    /// The vendor's number of the attempt that it took last.
    pub vendor_ref: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// Where a locked message moves to.
#[derive(Debug)]
pub struct Move<'a> {
    /// The status after it.
    pub to: NotificationStatus,
    /// The channel from now on.
    pub channel: &'a str,
    /// The vendor's number from now on.
    pub vendor_ref: Option<&'a str>,
    /// Why it will not arrive.
    pub failure: Option<&'a str>,
    /// When the vendor took it; the first time counts.
    pub sent_at: Option<Timestamp>,
    /// When it arrived; the first time counts.
    pub delivered_at: Option<Timestamp>,
}

/// Queues a message; false when the application has told that thing already.
///
/// # Errors
/// When the database refuses.
pub async fn queue(
    client: &impl GenericClient,
    new: &NewNotification<'_>,
) -> Result<bool, StoreError> {
    change(
        client,
        sql::NOTIFICATIONS_INSERT,
        &[
            &new.notification_id.as_str(),
            &new.application_id.as_str(),
            &new.template,
            &new.channel,
            &new.channels,
            &new.status.as_str(),
            &new.to_sealed,
            &new.to_masked,
            &new.params_sealed,
            &new.locale,
            &new.dedupe_key,
            &new.subject_id,
            &new.not_before,
            &new.expires_at,
            &new.due_at,
            &new.now,
        ],
    )
    .await
}

/// The message with which an application told a thing.
///
/// # Errors
/// When the database does not answer.
pub async fn by_dedupe_key(
    client: &impl GenericClient,
    application: &ApplicationId,
    dedupe_key: &str,
) -> Result<Option<NotificationId>, StoreError> {
    let statement = client.prepare_cached(sql::NOTIFICATIONS_BY_DEDUPE_KEY).await?;
    let row = client.query_opt(&statement, &[&application.as_str(), &dedupe_key]).await?;
    row.map(|row| typed("notifications.notification_id", row.try_get(0)?)).transpose()
}

/// The message that a channel's vendor knows by a number.
///
/// # Errors
/// When the database does not answer.
pub async fn by_vendor_ref(
    client: &impl GenericClient,
    channel: &str,
    vendor_ref: &str,
) -> Result<Option<NotificationId>, StoreError> {
    let statement = client.prepare_cached(sql::NOTIFICATIONS_BY_VENDOR_REF).await?;
    let rows = client.query(&statement, &[&channel, &vendor_ref]).await?;
    rows.first().map(|row| typed("notifications.notification_id", row.try_get(0)?)).transpose()
}

/// A message as the API shows it.
///
/// # Errors
/// When the database does not answer.
pub async fn load(
    client: &impl GenericClient,
    id: &NotificationId,
) -> Result<Option<NotificationRecord>, StoreError> {
    Ok(load_json(client, sql::NOTIFICATIONS_LOAD, &[&id.as_str()]).await?.pop())
}

/// Locks a message for the rest of the transaction. Always before its delivery is locked.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(
    client: &impl GenericClient,
    id: &NotificationId,
) -> Result<Option<LockedNotification>, StoreError> {
    let statement = client.prepare_cached(sql::NOTIFICATIONS_LOCK).await?;
    let Some(row) = client.query_opt(&statement, &[&id.as_str()]).await? else { return Ok(None) };
    Ok(Some(LockedNotification {
        id: id.clone(),
        application_id: typed("notifications.application_id", row.try_get("application_id")?)?,
        template: row.try_get("template")?,
        channel: row.try_get("channel")?,
        channels: row.try_get("channels")?,
        status: typed("notifications.state", row.try_get("state")?)?,
        to_sealed: row.try_get("to_sealed")?,
        params_sealed: row.try_get("params_sealed")?,
        locale: row.try_get("locale")?,
        dedupe_key: row.try_get("dedupe_key")?,
        subject_id: row.try_get("subject_id")?,
        not_before: row.try_get("not_before")?,
        expires_at: row.try_get("expires_at")?,
        vendor_ref: row.try_get("vendor_ref")?,
        created_at: row.try_get("created_at")?,
    }))
}

/// Moves a locked message; false when it is not in the state in which it was locked.
///
/// # Errors
/// When the database does not answer.
pub async fn move_on(
    client: &impl GenericClient,
    locked: &LockedNotification,
    to: &Move<'_>,
) -> Result<bool, StoreError> {
    change(
        client,
        sql::NOTIFICATIONS_MOVE,
        &[
            &locked.id.as_str(),
            &locked.status.as_str(),
            &to.to.as_str(),
            &to.channel,
            &to.vendor_ref,
            &to.failure,
            &to.sent_at,
            &to.delivered_at,
        ],
    )
    .await
}
