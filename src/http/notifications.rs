//! Notifications: asked for, and read with what was tried.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::personal::Personal;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::answer::Answer;
use super::call::{self, Call};
use super::{phone, resource, schema};
use crate::dispatch::request::{self, Request, Requested, Values};
use crate::fault::Fault;
use crate::resource::notification as shown;
use crate::store::{StoreError, notifications};

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/v1/notifications").route(web::post().to(create)))
        .service(resource("/v1/notifications/{id}").route(web::get().to(show)));
}

/// Whom to tell.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct To {
    phone: Option<Personal>,
    openid: Option<Personal>,
    alipay_user_id: Option<Personal>,
    device: Option<Personal>,
}

/// What to tell; the values may be personal, so it has no `Debug`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    template: String,
    to: To,
    #[serde(default)]
    params: Map<String, Value>,
    locale: Option<String>,
    channels: Option<Vec<String>>,
    dedupe_key: Option<String>,
    not_before: Option<Timestamp>,
    expires_at: Option<Timestamp>,
}

/// Tells a person something.
#[utoipa::path(
    post, path = "/v1/notifications", tag = "notifications",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII")),
    request_body = schema::NotificationRequest,
    responses(
        (status = 201, body = schema::Notification),
        (status = 200, body = schema::Notification,
         description = "the notification with that dedupe_key"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "it could never be sent; path names the member"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn create(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post(http, payload, |call: Call, asked: Asked| async move { tell(&call, asked).await })
        .await
}

/// A notification with its attempts.
#[utoipa::path(
    get, path = "/v1/notifications/{id}", tag = "notifications",
    params(("id" = String, Path, description = "ntf_…")),
    responses(
        (status = 200, body = schema::Notification),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn show(http: HttpRequest, id: Path<String>) -> HttpResponse {
    call::get(http, move |call| async move {
        let found = request::get(&call.hub, &call.application, &id).await?;
        Ok(Answer::json(200, &shown(&found)))
    })
    .await
}

async fn tell(call: &Call, asked: Asked) -> Result<Answer, Fault> {
    let hub = &call.hub;
    let asked = check(asked)?;
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let requested = request::request(hub, &tx, &call.application, &asked).await?;
    let status = match &requested {
        Requested::New(_) => 201,
        Requested::Same(_) => 200,
    };
    let found = notifications::load(&tx, requested.id())
        .await?
        .ok_or_else(|| Fault::not_found("notification"))?;
    let answer = Answer::json(status, &shown(&found));
    if let Some(ticket) = &call.ticket {
        ticket.settle(&tx, &answer).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    hub.signals.wake_dispatch();
    Ok(answer.kept())
}

/// Checks what types alone do not, and brings the phone into its one form.
fn check(asked: Asked) -> Result<Request, Fault> {
    let texts = [
        ("template", Some(asked.template.as_str()), 64),
        ("locale", asked.locale.as_deref(), 35),
        ("dedupe_key", asked.dedupe_key.as_deref(), 128),
    ];
    for (path, text, longest) in texts {
        let Some(text) = text else { continue };
        let length = text.chars().count();
        if text.trim().is_empty() || length > longest || text.chars().any(char::is_control) {
            let detail =
                format!("{path} must have 1 to {longest} characters and no control characters");
            return Err(Fault::invalid("invalid_body", detail).with("path", path));
        }
    }
    let later = [
        ("to.openid", asked.to.openid),
        ("to.alipay_user_id", asked.to.alipay_user_id),
        ("to.device", asked.to.device),
    ];
    let other = later.into_iter().find_map(|(path, given)| given.map(|_| path));
    let phone = match (asked.to.phone, other) {
        (Some(phone), _) => Personal::new(phone::normal("to.phone", phone.clear())?),
        (None, other) => {
            let path = other.unwrap_or("to.phone");
            let detail =
                "no channel reaches this person: messages go to phones only; give to.phone";
            return Err(Fault::invalid("no_channel", detail).with("path", path));
        }
    };
    Ok(Request {
        template: asked.template,
        phone,
        params: Values(asked.params),
        locale: asked.locale,
        channels: asked.channels,
        dedupe_key: asked.dedupe_key,
        subject_id: None,
        not_before: asked.not_before,
        expires_at: asked.expires_at,
    })
}
