//! `/v1/combined-orders`: collecting fees for several payees by one payment.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::order::OrderState;
use serde::Deserialize;

use super::answer::Answer;
use super::call::{self, Call, Nothing};
use super::{query, resource, schema};
use crate::combined::{self, CombinedRequest, Created};
use crate::fault::Fault;
use crate::orders::{Closed, Why};
use crate::resource::combined as shown;
use crate::store::combined::CombinedRecord;

/// When a close whose fate is unknown may be asked for again, in seconds.
const COME_AGAIN_S: u32 = 3;

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/v1/combined-orders").route(web::post().to(create)))
        .service(resource("/v1/combined-orders/{id}").route(web::get().to(show)))
        .service(resource("/v1/combined-orders/{id}/close").route(web::post().to(close)));
}

/// Collects the fees of several payees by one payment, all or nothing.
///
/// Each part becomes an order of its own, with its own payment, events and refunds. The live
/// combined order for the same merchant, product, payees and fees is given back; any other live
/// order for one of the fees is closed first.
#[utoipa::path(
    post, path = "/v1/combined-orders", tag = "combined orders",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII")),
    request_body = schema::CombinedRequest,
    responses(
        (status = 201, body = schema::Combined, description = "placed"),
        (status = 200, body = schema::Combined, description = "the live one for the same"),
        (status = 202, body = schema::Combined, description = "the provider's answer is unknown"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "fee_already_paid, fee_void, fee_has_live_order (with Retry-After)"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "provider_refused (with combined_id), combined_not_offered, parts_invalid, …"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn create(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post(http, payload, |call: Call, asked: CombinedRequest| async move {
        let (status, whole) = match combined::create(&call.hub, &call.application, &asked).await? {
            Created::Same(whole) => (200, whole),
            Created::New(whole) => match whole.status() {
                OrderState::Failed => return Err(refused(&whole)),
                OrderState::Created | OrderState::Unknown => (202, whole),
                OrderState::Pending | OrderState::Paid | OrderState::Closed => (201, whole),
            },
        };
        Ok(Answer::json(status, &shown(&whole)))
    })
    .await
}

/// The provider refused it for good; its parts stay on record as failed.
fn refused(whole: &CombinedRecord) -> Fault {
    let part = whole.parts.first();
    let text = |of: Option<&String>| of.cloned().unwrap_or_default();
    let message = text(part.and_then(|part| part.refused_message.as_ref()));
    let reason = text(part.and_then(|part| part.refused_reason.as_ref()));
    let detail = format!("the provider refused the combined order ({reason}): {message}");
    Fault::invalid("provider_refused", detail)
        .with("combined_id", whole.id.as_str())
        .with("reason", reason)
        .with("provider_code", text(part.and_then(|part| part.refused_code.as_ref())))
        .with("provider_message", message)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    refresh: bool,
}

/// A combined order as it stands; with `refresh` the provider is asked first, unless the merchant's
/// queries of this second are spent. Who asks has its page open: for a minute its provider is asked
/// often.
#[utoipa::path(
    get, path = "/v1/combined-orders/{id}", tag = "combined orders",
    params(
        ("id" = String, Path, description = "cmb_…"),
        ("refresh" = Option<bool>, Query, description = "ask the provider first"),
    ),
    responses(
        (status = 200, body = schema::Combined),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn show(http: HttpRequest, id: Path<String>) -> HttpResponse {
    let asked = query::read::<Asked>(&http);
    call::get(http, move |call| async move {
        let mut whole = combined::get(&call.hub, &call.application, &id).await?;
        crate::orders::watch_combined(&call.hub, &whole).await;
        if asked?.refresh {
            whole = combined::follow(&call.hub, &whole.id).await?;
        }
        Ok(Answer::json(200, &shown(&whole)))
    })
    .await
}

/// Closes a combined order, at its provider first: all parts or none.
#[utoipa::path(
    post, path = "/v1/combined-orders/{id}/close", tag = "combined orders",
    params(
        ("id" = String, Path, description = "cmb_…"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII"),
    ),
    responses(
        (status = 200, body = schema::Combined, description = "closed, now or before"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "order_paid, order_state_unknown (with Retry-After)"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn close(http: HttpRequest, payload: Payload, id: Path<String>) -> HttpResponse {
    call::post(http, payload, move |call: Call, _: Nothing| async move {
        let whole = combined::get(&call.hub, &call.application, &id).await?;
        let closed = match whole.status() {
            OrderState::Closed | OrderState::Failed => Closed::Yes,
            OrderState::Paid => Closed::Paid,
            OrderState::Created | OrderState::Pending | OrderState::Unknown => {
                combined::close(&call.hub, &whole.id, Why::Asked).await?
            }
        };
        match closed {
            Closed::Yes => {
                let whole = combined::get(&call.hub, &call.application, &id).await?;
                Ok(Answer::json(200, &shown(&whole)))
            }
            Closed::Paid => {
                let detail = format!("combined order {} is paid and cannot be closed", whole.id);
                Err(Fault::conflict("order_paid", detail).with("combined_id", whole.id.as_str()))
            }
            Closed::Unknown => {
                let detail = format!(
                    "the provider has not told the fate of combined order {}; ask again",
                    whole.id
                );
                Err(Fault::conflict("order_state_unknown", detail)
                    .with("combined_id", whole.id.as_str())
                    .retry_after(COME_AGAIN_S))
            }
        }
    })
    .await
}
