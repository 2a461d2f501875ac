//! What went to the treasury by its items, and the file for its side.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;

use super::answer::Answer;
use super::shared::Shared;
use super::{auth, call, error, query, resource, schema};
use crate::fault::Fault;
use crate::fiscal;

/// The header that carries a file's digest.
const DIGEST: &str = "payhub-sha256";

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/v1/remitted-items").route(web::get().to(items)))
        .service(resource("/v1/settlement-file").route(web::get().to(file)));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(deserialize_with = "domain::time::read_day")]
    date: Date,
}

/// What was remitted to the treasury on a day, by remittance and item of the treasury.
#[utoipa::path(
    get, path = "/v1/remitted-items", tag = "remittances",
    params(("date" = String, Query, description = "YYYY-MM-DD, the day on which it left")),
    responses((status = 200, body = schema::RemittedItems)),
    security(("api_key" = [])),
)]
pub(super) async fn items(http: HttpRequest) -> HttpResponse {
    let asked = query::read::<Asked>(&http);
    call::get(http, move |call| async move {
        let date = asked?.date;
        let data = fiscal::by_item(&call.hub, (date, date)).await?;
        Ok(Answer::json(200, &json!({"data": data})))
    })
    .await
}

/// The settlement file of a day, as CSV; its SHA-256 stands in the header `payhub-sha256`.
#[utoipa::path(
    get, path = "/v1/settlement-file", tag = "remittances",
    params(("date" = String, Query, description = "YYYY-MM-DD, the day on which it left")),
    responses((status = 200, body = String, content_type = "text/csv")),
    security(("api_key" = [])),
)]
pub(super) async fn file(http: HttpRequest) -> HttpResponse {
    let Some(shared) = http.app_data::<Data<Shared>>().cloned() else {
        return error::respond(&http, &Fault::unavailable("the server is not ready"));
    };
    let done = async {
        auth::caller(&shared, &http).await?;
        let date = query::read::<Asked>(&http)?.date;
        let hub = std::sync::Arc::clone(&shared.hub);
        let file = shared.run(async move { fiscal::settlement_file(&hub, date).await }).await??;
        Ok::<_, Fault>((date, file))
    };
    match done.await {
        Ok((date, file)) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
            .insert_header((
                CONTENT_DISPOSITION,
                format!("attachment; filename=\"settlement-{date}.csv\""),
            ))
            .insert_header((DIGEST, file.sha256))
            .body(file.bytes),
        Err(fault) => error::respond(&http, &fault),
    }
}
