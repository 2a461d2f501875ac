//! The caller's webhook endpoint: where it stands, and what is decided about it.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::event::EventType;
use domain::personal::Secret;
use serde::Deserialize;

use super::answer::Answer;
use super::call::{self, Call, Nothing};
use super::{resource, schema};
use crate::config::MOST_CONCURRENCY;
use crate::fault::Fault;
use crate::resource::endpoint as shown;
use crate::store::StoreError;
use crate::webhooks::{self, LONGEST_OVERLAP_H, USUAL_OVERLAP_H, Wanted};

/// The longest address.
const LONGEST_URL: usize = 2048;

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    let below = |verb: &str| resource(&format!("/v1/webhook-endpoint/{verb}"));
    service
        .service(
            resource("/v1/webhook-endpoint").route(web::get().to(show)).route(web::put().to(set)),
        )
        .service(below("disable").route(web::post().to(disable)))
        .service(below("enable").route(web::post().to(enable)))
        .service(below("rotate-secret").route(web::post().to(rotate)));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetRequest {
    url: String,
    events: Option<Vec<EventType>>,
    concurrency: Option<u8>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RotationRequest {
    overlap_hours: Option<u16>,
}

/// Where the caller is told of events, and how that goes.
#[utoipa::path(
    get, path = "/v1/webhook-endpoint", tag = "webhooks",
    responses(
        (status = 200, body = schema::Endpoint),
        (status = 401, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn show(http: HttpRequest) -> HttpResponse {
    call::get(http, |call| async move {
        let client = call.hub.store.client().await?;
        let now = call.hub.clock.now();
        let found = webhooks::endpoint(&client, call.application.as_str(), now).await?;
        Ok(Answer::json(200, &shown(&found, None)))
    })
    .await
}

/// Sets where the caller is told of events. The address is judged at once, and again whenever it
/// is used; one that was gone is active again, one that is disabled stays so. A secret is made and
/// shown once when there was none.
#[utoipa::path(
    put, path = "/v1/webhook-endpoint", tag = "webhooks",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII")),
    request_body = schema::EndpointRequest,
    responses(
        (status = 200, body = schema::Endpoint),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "endpoint_from_file"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "webhook_url_refused; invalid_body names events or concurrency"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn set(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post(http, payload, |call: Call, asked: SetRequest| async move {
        let wanted = judge(&call, asked).await?;
        let mut client = call.hub.store.client().await?;
        let tx = client.transaction().await.map_err(StoreError::from)?;
        let made = webhooks::set(&call.hub, &tx, call.application.as_str(), &wanted).await?;
        finish(&call, tx, made).await
    })
    .await
}

/// Disables the endpoint: events wait from now on, and nothing is given up. Attempts under way end.
#[utoipa::path(
    post, path = "/v1/webhook-endpoint/disable", tag = "webhooks",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII")),
    responses(
        (status = 200, body = schema::Endpoint),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "no_endpoint"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn disable(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post(http, payload, |call: Call, _: Nothing| async move {
        let mut client = call.hub.store.client().await?;
        let tx = client.transaction().await.map_err(StoreError::from)?;
        webhooks::disable(&tx, call.application.as_str(), call.hub.clock.now()).await?;
        finish(&call, tx, None).await
    })
    .await
}

/// Enables the endpoint, disabled or gone: what waits goes on at once and in its order.
#[utoipa::path(
    post, path = "/v1/webhook-endpoint/enable", tag = "webhooks",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII")),
    responses(
        (status = 200, body = schema::Endpoint),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "no_endpoint"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn enable(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post(http, payload, |call: Call, _: Nothing| async move {
        let mut client = call.hub.store.client().await?;
        let tx = client.transaction().await.map_err(StoreError::from)?;
        webhooks::enable(&tx, call.application.as_str(), call.hub.clock.now()).await?;
        let answer = finish(&call, tx, None).await?;
        call.hub.signals.wake_dispatch();
        Ok(answer)
    })
    .await
}

/// Gives the endpoint a new secret, shown once. Until the overlap ends each attempt carries a
/// signature under the new one and one under the old one.
#[utoipa::path(
    post, path = "/v1/webhook-endpoint/rotate-secret", tag = "webhooks",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII")),
    request_body = schema::RotationRequest,
    responses(
        (status = 200, body = schema::Endpoint, description = "with the new secret"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "no_endpoint, endpoint_from_file"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "invalid_body names overlap_hours"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn rotate(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post(http, payload, |call: Call, asked: RotationRequest| async move {
        let overlap = asked.overlap_hours.unwrap_or(USUAL_OVERLAP_H);
        if overlap > LONGEST_OVERLAP_H {
            let detail = format!("overlap_hours must be between 0 and {LONGEST_OVERLAP_H}");
            return Err(Fault::invalid("invalid_body", detail).with("path", "overlap_hours"));
        }
        let mut client = call.hub.store.client().await?;
        let tx = client.transaction().await.map_err(StoreError::from)?;
        let made = webhooks::rotate(&call.hub, &tx, call.application.as_str(), overlap).await?;
        finish(&call, tx, Some(made)).await
    })
    .await
}

/// Commits, and answers with the endpoint as it is now. An answer that shows a secret is kept
/// sealed under its idempotency key.
async fn finish(
    call: &Call,
    tx: deadpool_postgres::Transaction<'_>,
    made: Option<Secret>,
) -> Result<Answer, Fault> {
    let now = call.hub.clock.now();
    let found = webhooks::endpoint(&tx, call.application.as_str(), now).await?;
    let answer = Answer::json(200, &shown(&found, made.as_ref()));
    if let Some(ticket) = &call.ticket {
        ticket.settle_sealed(&call.hub.sealer, &tx, &answer).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(answer)
}

async fn judge(call: &Call, asked: SetRequest) -> Result<Wanted, Fault> {
    let refused =
        |detail: String| Fault::invalid("webhook_url_refused", detail).with("path", "url");
    if asked.url.len() > LONGEST_URL {
        return Err(refused(format!("a webhook URL has at most {LONGEST_URL} characters")));
    }
    if asked.concurrency.is_some_and(|wanted| !(1..=MOST_CONCURRENCY).contains(&wanted)) {
        let detail = format!("concurrency must be between 1 and {MOST_CONCURRENCY}");
        return Err(Fault::invalid("invalid_body", detail).with("path", "concurrency"));
    }
    let own = asked.events.iter().flatten().find(|event| !event.is_office_wide());
    if let Some(event) = own {
        let detail = format!(
            "{} comes without being asked for; events names office-wide ones: \
             reconciliation.completed, difference.opened, difference.resolved",
            event.as_str()
        );
        return Err(Fault::invalid("invalid_body", detail).with("path", "events"));
    }
    call.hub.webhooks.judge(&asked.url).await.map_err(refused)?;
    let events = asked.events.map(|events| {
        let words: std::collections::BTreeSet<&str> =
            events.iter().map(|event| event.as_str()).collect();
        words.into_iter().map(str::to_owned).collect()
    });
    Ok(Wanted { url: asked.url, events, concurrency: asked.concurrency })
}
