//! `/v1/orders`: collecting fees through a provider.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::order::OrderState;
use serde::Deserialize;

use super::answer::Answer;
use super::call::{self, Call, Nothing};
use super::error::problem;
use super::{query, resource, schema};
use crate::answering::Answering;
use crate::fault::Fault;
use crate::orders::{self, Closed, Created, OrderRequest, Why, Written};
use crate::resource::order as shown;
use crate::store::orders::OrderRecord;

/// When a close whose fate is unknown may be asked for again, in seconds.
const COME_AGAIN_S: u32 = 3;

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/v1/orders").route(web::post().to(create)))
        .service(resource("/v1/orders/{id}").route(web::get().to(show)))
        .service(resource("/v1/orders/{id}/close").route(web::post().to(close)));
}

/// Collects the whole outstanding amount of fees through a provider.
///
/// A live order for the same merchant, product and fees is given back; any other live order for one
/// of the fees is closed first, so that a payer can change the wallet.
#[utoipa::path(
    post, path = "/v1/orders", tag = "orders",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII")),
    request_body = schema::OrderRequest,
    responses(
        (status = 201, body = schema::Order, description = "placed"),
        (status = 200, body = schema::Order, description = "the live order for the same"),
        (status = 202, body = schema::Order, description = "the provider's answer is unknown"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "fee_already_paid, fee_void, fee_has_live_order (with Retry-After)"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "provider_refused (with order_id), merchant_unknown, limit, …"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn create(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post_in_steps(http, payload, first, place).await
}

/// Takes the key and writes the order down, where nothing stands in its way.
async fn first(
    call: Call,
    asked: OrderRequest,
) -> Result<(OrderRequest, Option<(i64, Written)>), Fault> {
    let Some(ticket) = &call.ticket else { return Ok((asked, None)) };
    let begun = orders::open(&call.hub, &call.application, &asked, &ticket.new_key()).await?;
    Ok((asked, begun))
}

/// Places the order that is written, or creates one.
async fn place(call: Call, asked: OrderRequest, written: Option<Written>) -> Result<Answer, Fault> {
    let answer = |order: &OrderRecord| placed(order, &call.request_id);
    let bytes = |order: &OrderRecord| {
        let answer = answer(order);
        (answer.status, answer.body)
    };
    let answering =
        call.ticket.as_ref().map(|ticket| Answering { key: ticket.held(), answer: &bytes });
    let created = match written {
        Some(written) => written.place(&call.hub, answering.as_ref()).await?,
        None => orders::create(&call.hub, &call.application, &asked, answering.as_ref()).await?,
    };
    Ok(match created {
        Created::Same(order) => Answer::json(200, &shown(&order)),
        Created::New { order, is_answered } => Answer { is_kept: is_answered, ..answer(&order) },
    })
}

/// What is answered when a new order stands so.
fn placed(order: &OrderRecord, request_id: &str) -> Answer {
    if order.status == OrderState::Failed {
        return problem(&refused(order), request_id);
    }
    let status = if orders::is_open_question(order) { 202 } else { 201 };
    Answer::json(status, &shown(order))
}

/// The provider refused it for good; the order stays on record as failed.
fn refused(order: &OrderRecord) -> Fault {
    let message = order.refused_message.as_deref().unwrap_or_default();
    let reason = order.refused_reason.as_deref().unwrap_or_default();
    let detail = format!("the provider refused the order ({reason}): {message}");
    Fault::invalid("provider_refused", detail)
        .with("order_id", order.id.as_str())
        .with("reason", reason)
        .with("provider_code", order.refused_code.as_deref().unwrap_or_default())
        .with("provider_message", message)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    refresh: bool,
}

/// An order as it stands; with `refresh` the provider is asked first, unless the merchant's queries
/// of this second are spent. Who asks has its page open: for a minute its provider is asked often.
#[utoipa::path(
    get, path = "/v1/orders/{id}", tag = "orders",
    params(
        ("id" = String, Path, description = "ord_…"),
        ("refresh" = Option<bool>, Query, description = "ask the provider first"),
    ),
    responses(
        (status = 200, body = schema::Order),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn show(http: HttpRequest, id: Path<String>) -> HttpResponse {
    let asked = query::read::<Asked>(&http);
    call::get(http, move |call| async move {
        let mut order = orders::get(&call.hub, &call.application, &id).await?;
        orders::watch(&call.hub, &order).await;
        if asked?.refresh {
            order = orders::follow(&call.hub, &order.id).await?;
        }
        Ok(Answer::json(200, &shown(&order)))
    })
    .await
}

/// Closes an order, at its provider first.
#[utoipa::path(
    post, path = "/v1/orders/{id}/close", tag = "orders",
    params(
        ("id" = String, Path, description = "ord_…"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII"),
    ),
    responses(
        (status = 200, body = schema::Order, description = "closed, now or before"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "order_paid, order_is_combined, order_state_unknown (with Retry-After)"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn close(http: HttpRequest, payload: Payload, id: Path<String>) -> HttpResponse {
    call::post(http, payload, move |call: Call, _: Nothing| async move {
        let order = orders::get(&call.hub, &call.application, &id).await?;
        if let Some(whole) = &order.combined {
            let detail =
                format!("order {} is part of combined order {}: close that", order.id, whole.id);
            return Err(Fault::conflict("order_is_combined", detail)
                .with("order_id", order.id.as_str())
                .with("combined_id", whole.id.as_str()));
        }
        let closed = match order.status {
            OrderState::Closed | OrderState::Failed => Closed::Yes,
            OrderState::Paid => Closed::Paid,
            OrderState::Created | OrderState::Pending | OrderState::Unknown => {
                orders::close(&call.hub, &order, Why::Asked).await?
            }
        };
        match closed {
            Closed::Yes => {
                let order = orders::get(&call.hub, &call.application, &id).await?;
                Ok(Answer::json(200, &shown(&order)))
            }
            Closed::Paid => {
                let detail = format!("order {} is paid and cannot be closed", order.id);
                Err(Fault::conflict("order_paid", detail).with("order_id", order.id.as_str()))
            }
            Closed::Unknown => Err(Fault::conflict(
                "order_state_unknown",
                format!("the provider has not told the fate of order {}; ask again", order.id),
            )
            .with("order_id", order.id.as_str())
            .retry_after(COME_AGAIN_S)),
        }
    })
    .await
}
