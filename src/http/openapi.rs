//! `/openapi.json`, generated from the handlers, and `/docs`, a page that shows it.

mod every;

use std::sync::LazyLock;

use actix_web::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{
    bank, callbacks, cases, combined, deliveries, differences, doubts, endpoints, error, events,
    fees, fiscal, health, incidents, metrics, notifications, orders, payers, receipts,
    reconciliations, refunds, remittances, resource, schema, signatures, statements, supervision,
};
use crate::fault::Fault;
use every::EveryCall;

/// What `/docs` may load: nothing but itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

static DOCUMENT: LazyLock<Result<String, String>> =
    LazyLock::new(|| Surface::openapi().to_json().map_err(|error| error.to_string()));

/// The whole surface; a new handler is added to `paths`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "payhub",
        description = "Prices and collects registration fees through WeChat Pay and Alipay. Money \
                       is an integer of fen in members that end in _fen; times are RFC 3339 with \
                       offset. Every POST under /v1 takes an Idempotency-Key.",
    ),
    paths(
        fees::quote, fees::create, fees::list, fees::show, fees::void,
        orders::create, orders::show, orders::close,
        combined::create, combined::show, combined::close,
        refunds::create, refunds::show, refunds::redirect, refunds::treasury,
        remittances::create, remittances::list, remittances::show, remittances::reverse,
        incidents::list, incidents::close,
        cases::create, cases::progress, cases::show,
        notifications::create, notifications::show,
        events::list,
        endpoints::show, endpoints::set, endpoints::disable, endpoints::enable, endpoints::rotate,
        deliveries::list, deliveries::show, deliveries::resend_one, deliveries::resend,
        reconciliations::create, reconciliations::list, reconciliations::show,
        reconciliations::differences, doubts::list, reconciliations::report_file, signatures::list,
        statements::month, statements::month_file,
        supervision::cases,
        supervision::fees,
        differences::list, differences::show, differences::changes,
        bank::create, bank::show, bank::lines, bank::settlements,
        payers::list, payers::show, payers::paper,
        fiscal::items, fiscal::file,
        callbacks::take, receipts::take,
        health::alive, health::ready, metrics::show, document, docs,
    ),
    components(schemas(schema::Problem)),
    modifiers(&ApiKey, &EveryCall),
)]
struct Surface;

/// Says how a backend service shows its key.
struct ApiKey;

impl Modify for ApiKey {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Default::default);
        components.add_security_scheme(
            "api_key",
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        );
    }
}

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/openapi.json").route(web::get().to(document)))
        .service(resource("/docs").route(web::get().to(docs)));
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operation",
    responses((status = 200, body = serde_json::Value)))]
pub(super) async fn document(http: HttpRequest) -> HttpResponse {
    match DOCUMENT.as_ref() {
        Ok(text) => {
            HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(text.as_str())
        }
        Err(fault) => error::respond(&http, &Fault::internal(fault)),
    }
}

/// A page that lists the operations.
#[utoipa::path(get, path = "/docs", tag = "operation",
    responses((status = 200, body = String, content_type = "text/html")))]
pub(super) async fn docs() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(include_str!("openapi/docs.html"))
}

#[cfg(test)]
mod tests;
