//! A message that somebody wants told: planned, checked against everything a vendor would refuse,
//! sealed and queued, in the caller's transaction. Asking twice under one key tells it once.

use adapters::channels::SmsMessage;
use deadpool_postgres::GenericClient;
use domain::ids::{ApplicationId, NotificationId};
use domain::personal::Personal;
use jiff::Timestamp;
use notifications::{ChannelAttempt, Params, PlanError, Reach, plan};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::message::{PHONE, policy, texts};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::params_context;
use crate::seal::Purpose;
use crate::store::notifications::{self as rows, NewNotification, NotificationRecord};

/// What is to be told. `Debug` shows no values.
#[derive(Clone, Debug)]
pub struct Request {
    /// The event's code, such as `FEE.ISSUED`.
    pub template: String,
    /// The person's phone in its normal form.
    pub phone: Personal,
    /// The text's values by name.
    pub params: Values,
    /// The person's language; absent: Chinese.
    pub locale: Option<String>,
    /// The channels to use, in order; absent: all that the configuration has for it.
    pub channels: Option<Vec<String>>,
    /// What makes it one telling within the application; absent: each asking is one.
    pub dedupe_key: Option<String>,
    /// The fee that it is about: a message about a debt leaves only while it is owed.
    pub subject_id: Option<String>,
    /// Not earlier than this.
    pub not_before: Option<Timestamp>,
    /// Of no use from then on; absent: by the text's own validity.
    pub expires_at: Option<Timestamp>,
}

/// The values of a text by name; they may be personal, so `Debug` shows their names only.
#[derive(Clone, Default)]
pub struct Values(pub Map<String, Value>);

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requested {
    /// It is queued under this id.
    New(NotificationId),
    /// That thing was told already, by this one.
    Same(NotificationId),
}

impl Requested {
    /// The message's id.
    #[must_use]
    pub const fn id(&self) -> &NotificationId {
        match self {
            Self::New(id) | Self::Same(id) => id,
        }
    }
}

/// Queues a message in the caller's transaction; call
/// [`wake_dispatch`](crate::hub::Signals::wake_dispatch) after its commit.
///
/// # Errors
/// 422 naming the `path` of the member that could never be sent; nothing is stored then.
pub async fn request(
    hub: &Hub,
    client: &impl GenericClient,
    application: &ApplicationId,
    asked: &Request,
) -> Result<Requested, Fault> {
    let now = hub.clock.now();
    let params = Params::from_json(&asked.params.0).map_err(|error| refused(&error.into()))?;
    let policy = policy(hub, &asked.template);
    let wanted = notifications::Request {
        locale: asked.locale.as_deref(),
        channels: asked.channels.as_deref(),
        not_before: asked.not_before,
        expires_at: asked.expires_at,
        ..notifications::Request::new(
            &asked.template,
            Reach { has_phone: true, ..Reach::default() },
            &params,
        )
    };
    let plan = plan(&wanted, texts()?, &policy, now).map_err(|error| refused(&error))?;
    let id = NotificationId::new(Uuid::now_v7());
    let Some(first) = plan.attempts.first() else {
        return Err(refused(&PlanError::NoChannel(asked.template.clone())));
    };
    for attempt in &plan.attempts {
        try_out(hub, asked, attempt, &id)?;
    }
    let values = Value::Object(asked.params.0.clone()).to_string();
    let seal = |text: &str, context: &[u8]| {
        hub.sealer.seal(Purpose::PersonalData, text.as_bytes(), context)
    };
    let new = NewNotification {
        notification_id: &id,
        application_id: application,
        template: &asked.template,
        channel: &first.channel,
        channels: asked.channels.as_deref(),
        status: plan.status,
        to_sealed: &seal(asked.phone.clear(), PHONE)?,
        to_masked: &asked.phone.masked_phone(),
        params_sealed: &seal(&values, params_context(&id).as_bytes())?,
        locale: asked.locale.as_deref().unwrap_or(notifications::DEFAULT_LOCALE),
        dedupe_key: asked.dedupe_key.as_deref().unwrap_or(id.as_str()),
        subject_id: asked.subject_id.as_deref(),
        not_before: asked.not_before,
        expires_at: Some(plan.expires_at),
        due_at: plan.due_at,
        now,
    };
    if rows::queue(client, &new).await? {
        return Ok(Requested::New(id));
    }
    let told = rows::by_dedupe_key(client, application, new.dedupe_key).await?;
    told.map(Requested::Same).ok_or_else(|| {
        Fault::conflict("notification_in_progress", "the same message is being queued; ask again")
    })
}

/// Whether an event is told at all: the configuration has a template for it.
#[must_use]
pub fn is_told(hub: &Hub, template: &str) -> bool {
    hub.templates.channel_of(template).is_some()
}

/// An application's message.
///
/// # Errors
/// 404 when there is none, or it is another application's.
pub async fn get(
    hub: &Hub,
    application: &ApplicationId,
    id: &str,
) -> Result<NotificationRecord, Fault> {
    let missing = || Fault::not_found("notification");
    let id: NotificationId = id.parse().map_err(|_not_an_id: domain::ids::IdError| missing())?;
    let client = hub.store.client().await?;
    let found = rows::load(&client, &id).await?;
    found.filter(|found| found.application_id == *application).ok_or_else(missing)
}

/// Builds the vendor's call once, so that its own limits refuse now and not at night.
fn try_out(
    hub: &Hub,
    asked: &Request,
    attempt: &ChannelAttempt,
    id: &NotificationId,
) -> Result<(), Fault> {
    let Some(channel) = hub.channels.get(&attempt.channel) else { return Ok(()) };
    let message = SmsMessage {
        phone: &asked.phone,
        template_code: &attempt.code,
        params: &attempt.params,
        out_id: id.as_str(),
    };
    channel.vendor.send(&message).map(|_call| ()).map_err(|limit| {
        let path = if limit.field == "phone" { "to.phone" } else { "params" };
        Fault::invalid("vendor_limit", format!("{path} {}", limit.rule)).with("path", path)
    })
}

fn refused(error: &PlanError) -> Fault {
    let path = match error {
        PlanError::UnknownTemplate(_) | PlanError::NoChannel(_) => "template".to_owned(),
        PlanError::UnknownChannel(_) => "channels".to_owned(),
        PlanError::TooLong(_) => "params".to_owned(),
        PlanError::Param(fault) => format!("params.{}", fault.name),
    };
    Fault::invalid(error.code(), error.to_string()).with("path", path)
}
