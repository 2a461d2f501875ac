//! Refunds: asked for under their order, read by their own id.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::Clock as _;
use domain::refund::RefundState;
use serde::Deserialize;

use super::answer::Answer;
use super::call::{self, Call};
use super::{query, resource as route, schema};
use crate::refunds::{self, RedirectRequest, RefundRequest, Requested, StepRequest};
use crate::resource;
use crate::store::refunds::RefundRecord;

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(route("/v1/orders/{id}/refunds").route(web::post().to(create)))
        .service(route("/v1/refunds/{id}").route(web::get().to(show)))
        .service(route("/v1/refunds/{id}/redirect").route(web::post().to(redirect)))
        .service(route("/v1/refunds/{id}/treasury").route(web::post().to(treasury)));
}

/// A refund as it stands now.
fn shown(call: &Call, refund: &RefundRecord) -> serde_json::Value {
    resource::refund(refund, call.hub.clock.now())
}

/// Asks for money to be given back, all of it or a part.
#[utoipa::path(
    post, path = "/v1/orders/{id}/refunds", tag = "refunds",
    params(
        ("id" = String, Path, description = "ord_…"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII"),
    ),
    request_body = schema::RefundRequest,
    responses(
        (status = 201, body = schema::Refund),
        (status = 200, body = schema::Refund, description = "the refund with that number"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "order_not_paid, refund_number_reused"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "more than is left, refund_routes_mixed, or a rule broken"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn create(http: HttpRequest, payload: Payload, id: Path<String>) -> HttpResponse {
    call::post(http, payload, move |call: Call, mut asked: RefundRequest| async move {
        if asked.out_refund_no.is_none() {
            let ticket = call.ticket.as_ref();
            asked.out_refund_no = ticket.and_then(|ticket| ticket.refund_number(&call.hub.sealer));
        }
        let (status, refund) =
            match refunds::request(&call.hub, &call.application, &id, &asked).await? {
                Requested::New(refund) => (201, refund),
                Requested::Same(refund) => (200, refund),
            };
        Ok(Answer::json(status, &shown(&call, &refund)))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    refresh: bool,
}

/// A refund as it stands; with `refresh` the provider is asked first.
#[utoipa::path(
    get, path = "/v1/refunds/{id}", tag = "refunds",
    params(
        ("id" = String, Path, description = "rfd_…"),
        ("refresh" = Option<bool>, Query, description = "ask the provider first"),
    ),
    responses(
        (status = 200, body = schema::Refund),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn show(http: HttpRequest, id: Path<String>) -> HttpResponse {
    let asked = query::read::<Asked>(&http);
    call::get(http, move |call| async move {
        let mut refund = refunds::get(&call.hub, &call.application, &id).await?;
        if asked?.refresh {
            refund = refunds::follow(&call.hub, &refund.id).await?;
        }
        Ok(Answer::json(200, &shown(&call, &refund)))
    })
    .await
}

/// Sends an abnormal refund to another account: a card of the payer, or the merchant's own account.
#[utoipa::path(
    post, path = "/v1/refunds/{id}/redirect", tag = "refunds",
    params(
        ("id" = String, Path, description = "rfd_…"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII"),
    ),
    request_body = schema::RedirectRequest,
    responses(
        (status = 200, body = schema::Refund, description = "under way again"),
        (status = 202, body = schema::Refund, description = "the provider's answer is unknown"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "refund_not_abnormal, redirection_in_progress, approval_needed"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "limit, provider_refused"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn redirect(
    http: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> HttpResponse {
    call::post(http, payload, move |call: Call, asked: RedirectRequest| async move {
        let refund = refunds::redirect(&call.hub, &call.application, &id, &asked).await?;
        let status = if refund.status == RefundState::Abnormal { 202 } else { 200 };
        Ok(Answer::json(status, &shown(&call, &refund)))
    })
    .await
}

/// Tells a step of a refund's way through the treasury.
#[utoipa::path(
    post, path = "/v1/refunds/{id}/treasury", tag = "refunds",
    params(
        ("id" = String, Path, description = "rfd_…"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII"),
    ),
    request_body = schema::TreasuryStepRequest,
    responses(
        (status = 200, body = schema::Refund),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "refund_not_treasury, treasury_step_not_possible, same_person"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "occurred_on_invalid, reason_needed, text_invalid"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn treasury(
    http: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> HttpResponse {
    call::post(http, payload, move |call: Call, asked: StepRequest| async move {
        refunds::get(&call.hub, &call.application, &id).await?;
        let mut client = call.hub.store.client().await?;
        let stepped = refunds::step(&call.hub, &mut client, &id, &asked).await?;
        let answer = Answer::json(200, &shown(&call, &stepped.refund));
        if let Some(ticket) = &call.ticket {
            ticket.settle(stepped.transaction(), &answer).await?;
        }
        stepped.commit(&call.hub).await?;
        Ok(answer.kept())
    })
    .await
}
