//! `/v1/incidents`: what people must look at. A backend service sees what concerns itself, its own
//! orders and refunds; what concerns nobody is shown to those that hear office-wide events.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::answer::Answer;
use super::call::{self, Call};
use super::{query, resource, schema};
use crate::incidents::{self, CloseRequest, Closing, shown};
use crate::store::StoreError;
use crate::store::incidents::Which;

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/v1/incidents").route(web::get().to(list)))
        .service(resource("/v1/incidents/{id}/close").route(web::post().to(close)));
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Open,
    Closed,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    state: Option<State>,
    merchant_id: Option<String>,
    kind: Option<String>,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// Incidents, newest first, each with what is proposed for it.
#[utoipa::path(
    get, path = "/v1/incidents", tag = "incidents",
    params(
        ("state" = Option<String>, Query, description = "open or closed; both when absent"),
        ("merchant_id" = Option<String>, Query, description = "a configured merchant"),
        ("kind" = Option<String>, Query, description = "such as surplus_payment"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "1 to 200, 50 when absent"),
    ),
    responses((status = 200, body = schema::IncidentPage)),
    security(("api_key" = [])),
)]
pub(super) async fn list(http: HttpRequest) -> HttpResponse {
    let asked = query::read::<ListQuery>(&http);
    call::get(http, move |call| async move {
        let asked = asked?;
        let limit = query::page(asked.limit)?;
        let which = Which {
            application: Some(&call.application),
            id: None,
            open: asked.state.map(|state| match state {
                State::Open => true,
                State::Closed => false,
            }),
            merchant: asked.merchant_id.as_deref(),
            kind: asked.kind.as_deref(),
            before: asked.cursor.as_deref(),
        };
        let found = incidents::list(&call.hub, &which, limit).await?;
        let is_full = i64::try_from(found.len()).is_ok_and(|count| count >= limit);
        let next = found.last().filter(|_| is_full).map(|last| last.id.clone());
        let data: Vec<_> = found.iter().map(shown).collect();
        Ok(Answer::json(200, &json!({"data": data, "next_cursor": next})))
    })
    .await
}

/// Closes an incident with a note of what came of it.
#[utoipa::path(
    post, path = "/v1/incidents/{id}/close", tag = "incidents",
    params(
        ("id" = String, Path, description = "inc_…"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII"),
    ),
    request_body = schema::IncidentClose,
    responses(
        (status = 200, body = schema::Incident),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "incident_closed, operator_needed"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "note_needed"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn close(http: HttpRequest, payload: Payload, id: Path<String>) -> HttpResponse {
    call::post(http, payload, move |call: Call, asked: CloseRequest| async move {
        let application = Some(&call.application);
        let closing =
            Closing { id: &id, application, by: call.application.as_str(), note: &asked.note };
        let mut client = call.hub.store.client().await?;
        let tx = client.transaction().await.map_err(StoreError::from)?;
        let closed = incidents::close(&tx, closing, call.hub.clock.now()).await?;
        let answer = Answer::json(200, &shown(&closed));
        if let Some(ticket) = &call.ticket {
            ticket.settle(&tx, &answer).await?;
        }
        tx.commit().await.map_err(StoreError::from)?;
        Ok(answer.kept())
    })
    .await
}
