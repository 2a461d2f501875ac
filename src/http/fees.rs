//! `/v1/fees`: quotes, and fees priced by the schedule.

mod issue;

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::ids::{CaseNo, FeeId};
use domain::schedule::{Quote, QuoteItem, Schedule};
use domain::time::business_day;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;

use super::answer::Answer;
use super::call::{self, Call, Nothing};
use super::{query, resource, schema};
use crate::cases;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::resource::fee as shown;
use crate::store::StoreError;
use crate::store::fees::{self, FeeRecord};

use issue::issue;

pub(super) use issue::FeeRequest;

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/v1/fees/quote").route(web::post().to(quote)))
        .service(resource("/v1/fees").route(web::post().to(create)).route(web::get().to(list)))
        .service(resource("/v1/fees/{id}").route(web::get().to(show)))
        .service(resource("/v1/fees/{id}/void").route(web::post().to(void)));
}

/// `POST /v1/fees/quote`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QuoteRequest {
    items: Vec<QuoteItem>,
    #[serde(default, deserialize_with = "domain::time::read_day_if_any")]
    accepted_on: Option<Date>,
    #[serde(default)]
    case_no: Option<CaseNo>,
}

/// Prices items without storing anything.
#[utoipa::path(
    post, path = "/v1/fees/quote", tag = "fees",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII")),
    request_body = schema::QuoteRequest,
    responses(
        (status = 200, body = schema::Quote),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "unknown_item, quantity_out_of_range, no_schedule_in_force, …"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn quote(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post(http, payload, |call: Call, asked: QuoteRequest| async move {
        let of_case = match &asked.case_no {
            Some(case_no) => cases::accepted_on(&call.hub, &call.application, case_no).await?,
            None => None,
        };
        let quote = price(&call.hub, &asked.items, asked.accepted_on.or(of_case))?;
        let value = serde_json::to_value(&quote).map_err(|error| Fault::internal(&error))?;
        Ok(Answer::json(200, &value))
    })
    .await
}

/// Prices items by the schedule; without a day, as accepted today.
fn price(hub: &Hub, items: &[QuoteItem], accepted_on: Option<Date>) -> Result<Quote, Fault> {
    let schedule = Schedule::built_in().map_err(|error| Fault::internal(error))?;
    let day = accepted_on.unwrap_or_else(|| business_day(hub.clock.now()));
    schedule.price(items, day).map_err(|error| Fault::invalid(error.code(), error.to_string()))
}

/// Issues a fee. The hub prices it; a `total_fen` of the caller's must agree.
#[utoipa::path(
    post, path = "/v1/fees", tag = "fees",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII")),
    request_body = schema::FeeRequest,
    responses(
        (status = 201, body = schema::Fee),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "amount_mismatch, phone_invalid, unknown_item, …"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn create(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post(
        http,
        payload,
        |call: Call, asked: FeeRequest| async move { issue(&call, &asked).await },
    )
    .await
}

/// A fee as it stands.
#[utoipa::path(
    get, path = "/v1/fees/{id}", tag = "fees",
    params(("id" = String, Path, description = "fee_…")),
    responses(
        (status = 200, body = schema::Fee),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn show(http: HttpRequest, id: Path<String>) -> HttpResponse {
    call::get(
        http,
        move |call| async move { Ok(Answer::json(200, &shown(&find(&call, &id).await?))) },
    )
    .await
}

/// The caller's fee of that id; another application's is not there.
async fn find(call: &Call, id: &str) -> Result<FeeRecord, Fault> {
    let client = call.hub.store.client().await?;
    fees::by_ids(&client, &[id])
        .await?
        .pop()
        .filter(|fee| fee.application_id == call.application)
        .ok_or_else(|| Fault::not_found("fee"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    case_no: CaseNo,
    cursor: Option<FeeId>,
    limit: Option<i64>,
}

/// The fees of a case, oldest first.
#[utoipa::path(
    get, path = "/v1/fees", tag = "fees",
    params(
        ("case_no" = String, Query, description = "the case's number"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "1 to 200, 50 when absent"),
    ),
    responses((status = 200, body = schema::FeePage)),
    security(("api_key" = [])),
)]
pub(super) async fn list(http: HttpRequest) -> HttpResponse {
    let asked = query::read::<Asked>(&http);
    call::get(http, move |call| async move {
        let asked = asked?;
        let limit = query::page(asked.limit)?;
        let client = call.hub.store.client().await?;
        let after = asked.cursor.as_ref().map_or("", FeeId::as_str);
        let case_no = asked.case_no.as_str();
        let one_more = limit.saturating_add(1);
        let mut ids = fees::of_case(&client, &call.application, case_no, after, one_more).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = ids.len() > limit;
        ids.truncate(limit);
        let wanted: Vec<&str> = ids.iter().map(String::as_str).collect();
        let found = fees::by_ids(&client, &wanted).await?;
        let next = ids.last().filter(|_| has_more);
        let data: Vec<_> = found.iter().map(shown).collect();
        Ok(Answer::json(200, &json!({"data": data, "next_cursor": next})))
    })
    .await
}

/// Withdraws a fee for which nothing was paid and no order is live.
#[utoipa::path(
    post, path = "/v1/fees/{id}/void", tag = "fees",
    params(
        ("id" = String, Path, description = "fee_…"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII"),
    ),
    responses(
        (status = 200, body = schema::Fee, description = "void, now or before"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "fee_already_paid, fee_has_live_order"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn void(http: HttpRequest, payload: Payload, id: Path<String>) -> HttpResponse {
    call::post(http, payload, move |call: Call, _: Nothing| async move {
        let fee = find(&call, &id).await?;
        withdraw(&call, &fee.id).await?;
        Ok(Answer::json(200, &shown(&find(&call, &id).await?)))
    })
    .await
}

async fn withdraw(call: &Call, fee_id: &FeeId) -> Result<(), Fault> {
    let mut client = call.hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    // The balance is locked first, so that no order or payment can come between look and change;
    // and read after that, because the statement that waited sees no order that came meanwhile.
    let ids = [fee_id.as_str()];
    fees::lock(&tx, &call.application, &ids).await?;
    let fee = fees::by_ids(&tx, &ids).await?.pop().ok_or_else(|| Fault::not_found("fee"))?;
    if fee.voided_at.is_some() {
        return Ok(());
    }
    if fee.paid_fen > domain::Fen::ZERO {
        let detail = format!("fee {fee_id} is paid; give money back with a refund");
        return Err(Fault::conflict("fee_already_paid", detail));
    }
    if let Some(order_id) = fee.live_order_id {
        let detail = format!("order {order_id} may still pay fee {fee_id}; close it first");
        return Err(
            Fault::conflict("fee_has_live_order", detail).with("order_id", order_id.as_str())
        );
    }
    if !fees::void(&tx, fee_id, call.hub.clock.now()).await? {
        return Err(Fault::internal(&format_args!("fee {fee_id} is free and cannot be void")));
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(())
}
