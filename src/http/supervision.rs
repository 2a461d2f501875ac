//! Fee supervision: the caller's fees, computed again, and held against their cases.

use actix_web::{HttpRequest, HttpResponse, web};
use domain::ids::FeeId;
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::{call, query, resource, schema};
use crate::fault::Fault;
use crate::supervision::{self, Days};

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/v1/supervision/fees").route(web::get().to(fees)))
        .service(resource("/v1/supervision/cases").route(web::get().to(cases)));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(deserialize_with = "domain::time::read_day")]
    from: Date,
    #[serde(deserialize_with = "domain::time::read_day")]
    until: Date,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// Examines the caller's fees that were issued on some days, and lists those that were charged
/// otherwise than the schedule says.
#[utoipa::path(
    get, path = "/v1/supervision/fees", tag = "fees",
    params(
        ("from" = String, Query, description = "YYYY-MM-DD, the first day of issue in Beijing"),
        ("until" = String, Query, description = "YYYY-MM-DD, the last; at most a year later"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "how many fees are examined: 1 to 200, 50 when absent"),
    ),
    responses(
        (status = 200, description = "data (faulty fees with their findings), examined, next_cursor"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "days_invalid"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn fees(http: HttpRequest) -> HttpResponse {
    let asked = query::read::<Asked>(&http);
    call::get(http, move |call| async move {
        let Asked { from, until, cursor, limit } = asked?;
        let limit = query::page(limit)?;
        let after = match cursor.map(|cursor| cursor.parse::<FeeId>()).transpose() {
            Ok(after) => after.map(String::from).unwrap_or_default(),
            Err(error) => {
                return Err(Fault::unreadable("invalid_query", format!("cursor: {error}")));
            }
        };
        let days = Days { from, until };
        let application = Some(call.application.as_str());
        let found = supervision::fees::examine(&call.hub, application, days, &after, limit).await?;
        let data: Vec<Value> = found.faulty.iter().map(supervision::fees::shown).collect();
        let body = json!({"data": data, "examined": found.count, "next_cursor": found.next});
        Ok(Answer::json(200, &body))
    })
    .await
}

/// Holds the caller's cases that were accepted on some days against their fees, and lists those that
/// do not agree: past their pay gate without a fee or with money owed, or paid for nothing.
#[utoipa::path(
    get, path = "/v1/supervision/cases", tag = "cases",
    params(
        ("from" = String, Query, description = "YYYY-MM-DD, the first day of acceptance in Beijing"),
        ("until" = String, Query, description = "YYYY-MM-DD, the last; at most a year later"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "how many cases are examined: 1 to 200, 50 when absent"),
    ),
    responses(
        (status = 200, description = "data (cases with kind, amount_fen, pay_gate and fees), examined, next_cursor"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "days_invalid"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn cases(http: HttpRequest) -> HttpResponse {
    let asked = query::read::<Asked>(&http);
    call::get(http, move |call| async move {
        let Asked { from, until, cursor, limit } = asked?;
        let limit = query::page(limit)?;
        let cursor = cursor.unwrap_or_default();
        if cursor.contains('\0') {
            return Err(Fault::unreadable("invalid_query", "cursor: not the number of a case"));
        }
        let application = call.application.as_str();
        let days = Days { from, until };
        let after = (application, cursor.as_str());
        let found =
            supervision::cases::examine(&call.hub, Some(application), days, after, limit).await?;
        let data: Vec<Value> = found.faulty.iter().map(supervision::cases::shown).collect();
        let next = found.next.map(|(_, case_no)| case_no);
        let body = json!({"data": data, "examined": found.count, "next_cursor": next});
        Ok(Answer::json(200, &body))
    })
    .await
}
