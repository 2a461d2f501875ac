//! Remittances to the treasury: told once, listed, read.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::answer::Answer;
use super::call::{self, Call};
use super::{query, resource, schema};
use crate::answering::Answering;
use crate::remittances::{self, RemittanceRequest, Remitted, ReversalRequest};
use crate::resource::remittance as shown;
use crate::store::remittances::{self as rows, RemittanceRecord};

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(
            resource("/v1/remittances").route(web::post().to(create)).route(web::get().to(list)),
        )
        .service(resource("/v1/remittances/{id}").route(web::get().to(show)))
        .service(resource("/v1/remittances/{id}/reverse").route(web::post().to(reverse)));
}

/// Tells that collected fees were paid over to the treasury.
///
/// Of each fee all that was collected and is not being refunded. From then on that money comes back
/// only through the treasury.
#[utoipa::path(
    post, path = "/v1/remittances", tag = "remittances",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII")),
    request_body = schema::RemittanceRequest,
    responses(
        (status = 201, body = schema::Remittance),
        (status = 200, body = schema::Remittance, description = "the remittance with that reference"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "reference_reused"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "fee_unknown, nothing_to_remit, remitted_on_invalid, fee_ids_invalid: \
                        fee_id names the fee"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn create(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post(http, payload, |call: Call, asked: RemittanceRequest| async move {
        let bytes = |new: &RemittanceRecord| (201, Answer::json(201, &shown(new)).body);
        let answering =
            call.ticket.as_ref().map(|ticket| Answering { key: ticket.held(), answer: &bytes });
        let told = answering.as_ref();
        Ok(match remittances::remit(&call.hub, &call.application, &asked, told).await? {
            Remitted::New(new) => Answer::json(201, &shown(&new)).kept(),
            Remitted::Same(same) => Answer::json(200, &shown(&same)),
        })
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    cursor: Option<String>,
    limit: Option<i64>,
}

/// The caller's remittances, newest first.
#[utoipa::path(
    get, path = "/v1/remittances", tag = "remittances",
    params(
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "1 to 200, 50 when absent"),
    ),
    responses((status = 200, body = schema::RemittancePage)),
    security(("api_key" = [])),
)]
pub(super) async fn list(http: HttpRequest) -> HttpResponse {
    let asked = query::read::<Asked>(&http);
    call::get(http, move |call| async move {
        let asked = asked?;
        let limit = query::page(asked.limit)?;
        let client = call.hub.store.client().await?;
        let found = rows::list(&client, &call.application, asked.cursor.as_deref(), limit).await?;
        let is_full = i64::try_from(found.len()).is_ok_and(|count| count >= limit);
        let next = found.last().filter(|_| is_full).map(|last| last.id.to_string());
        let data: Vec<_> = found.iter().map(shown).collect();
        Ok(Answer::json(200, &json!({"data": data, "next_cursor": next})))
    })
    .await
}

/// A remittance.
#[utoipa::path(
    get, path = "/v1/remittances/{id}", tag = "remittances",
    params(("id" = String, Path, description = "rmt_…")),
    responses(
        (status = 200, body = schema::Remittance),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn show(http: HttpRequest, id: Path<String>) -> HttpResponse {
    call::get(http, move |call| async move {
        let found = remittances::get(&call.hub, &call.application, &id).await?;
        Ok(Answer::json(200, &shown(&found)))
    })
    .await
}

/// Takes back a remittance that was told of wrong fees.
#[utoipa::path(
    post, path = "/v1/remittances/{id}/reverse", tag = "remittances",
    params(
        ("id" = String, Path, description = "rmt_…"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII"),
    ),
    request_body = schema::ReversalRequest,
    responses(
        (status = 200, body = schema::Remittance),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "remittance_reversed, remittance_in_use"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "reason_needed"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn reverse(http: HttpRequest, payload: Payload, id: Path<String>) -> HttpResponse {
    call::post(http, payload, move |call: Call, asked: ReversalRequest| async move {
        let bytes = |then: &RemittanceRecord| (200, Answer::json(200, &shown(then)).body);
        let answering =
            call.ticket.as_ref().map(|ticket| Answering { key: ticket.held(), answer: &bytes });
        let told = answering.as_ref();
        let then = remittances::reverse(&call.hub, &call.application, &id, &asked, told).await?;
        Ok(Answer::json(200, &shown(&then)).kept())
    })
    .await
}
