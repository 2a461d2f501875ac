//! Reconciliation runs: begun, listed, read, with their differences and reports.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::{self, Call};
use super::paper::Form;
use super::shared::Shared;
use super::{auth, error, query, resource, schema};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::reconcile;
use crate::sign_off;
use crate::store::{findings, runs};

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(
            resource("/v1/reconciliations")
                .route(web::post().to(create))
                .route(web::get().to(list)),
        )
        .service(resource("/v1/reconciliations/{id}").route(web::get().to(show)))
        .service(resource("/v1/reconciliations/{id}/differences").route(web::get().to(differences)))
        .service(
            resource("/v1/reconciliations/{id}/report.{form}").route(web::get().to(report_file)),
        );
}

/// `POST /v1/reconciliations`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunRequest {
    merchant_id: String,
    #[serde(deserialize_with = "domain::time::read_day")]
    date: Date,
    /// Whether the provider's bill is fetched again; else the stored one is read, where there is one.
    #[serde(default)]
    refetch: bool,
}

/// Begins a run of a day; a worker fetches the bill and matches it.
#[utoipa::path(
    post, path = "/v1/reconciliations", tag = "reconciliations",
    request_body(content = Object, description = "merchant_id, date (YYYY-MM-DD, Asia/Shanghai), refetch (whether the stored bill is left aside)"),
    responses(
        (status = 202, description = "id and status of the run"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "run_raced (with Retry-After), run_signed"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "merchant_unknown, day_not_over"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn create(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post(http, payload, |call: Call, asked: RunRequest| async move {
        let RunRequest { merchant_id, date, refetch } = asked;
        let by = format!("application {}", call.application);
        let run = reconcile::begin(&call.hub, &merchant_id, date, refetch, &by).await?;
        Ok(Answer::json(202, &reconcile::run(&run)))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    #[serde(default, deserialize_with = "domain::time::read_day_if_any")]
    date: Option<Date>,
    merchant_id: Option<String>,
    cursor: Option<i64>,
    limit: Option<i64>,
}

/// Runs, newest day and version first.
#[utoipa::path(
    get, path = "/v1/reconciliations", tag = "reconciliations",
    params(
        ("date" = Option<String>, Query, description = "YYYY-MM-DD"),
        ("merchant_id" = Option<String>, Query, description = "a configured merchant"),
        ("cursor" = Option<i64>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "1 to 200, 50 when absent"),
    ),
    responses((status = 200, description = "data, next_cursor")),
    security(("api_key" = [])),
)]
pub(super) async fn list(http: HttpRequest) -> HttpResponse {
    let asked = query::read::<ListQuery>(&http);
    call::get(http, move |call| async move {
        let asked = asked?;
        let limit = query::page(asked.limit)?;
        let offset = asked.cursor.unwrap_or_default().max(0);
        let client = call.hub.store.client().await?;
        let ids =
            runs::list(&client, asked.merchant_id.as_deref(), asked.date, offset, limit).await?;
        let texts: Vec<&str> = ids.iter().map(String::as_str).collect();
        let found = runs::by_ids(&client, &texts).await?;
        let in_order = ids
            .iter()
            .filter_map(|id| found.iter().find(|run| run.id.as_str() == id))
            .map(reconcile::run)
            .collect();
        Ok(page(in_order, limit, offset))
    })
    .await
}

/// A run with counts and sums of both sides.
#[utoipa::path(
    get, path = "/v1/reconciliations/{id}", tag = "reconciliations",
    params(("id" = String, Path, description = "run_…")),
    responses(
        (status = 200, description = "the run"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn show(http: HttpRequest, id: Path<String>) -> HttpResponse {
    call::get(http, move |call| async move {
        let run = reconcile::load(&call.hub, &id).await?;
        Ok(Answer::json(200, &reconcile::run(&run)))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageQuery {
    cursor: Option<i32>,
    limit: Option<i64>,
}

/// The differences of a run, in their order.
#[utoipa::path(
    get, path = "/v1/reconciliations/{id}/differences", tag = "reconciliations",
    params(
        ("id" = String, Path, description = "run_…"),
        ("cursor" = Option<i32>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "1 to 200, 50 when absent"),
    ),
    responses(
        (status = 200, description = "data, next_cursor"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn differences(http: HttpRequest, id: Path<String>) -> HttpResponse {
    let asked = query::read::<PageQuery>(&http);
    call::get(http, move |call| async move {
        let asked = asked?;
        let limit = query::page(asked.limit)?;
        reconcile::load(&call.hub, &id).await?;
        let client = call.hub.store.client().await?;
        let after = asked.cursor.unwrap_or_default();
        let found = findings::of_run(&client, &id, after, limit).await?;
        let full = i64::try_from(found.len()).is_ok_and(|count| count == limit);
        let next = found.last().filter(|_| full).map(|last| last.position);
        let data: Vec<Value> = found.iter().map(reconcile::difference).collect();
        Ok(Answer::json(200, &json!({"data": data, "next_cursor": next})))
    })
    .await
}

/// The report of a run as a workbook, a page or a table.
#[utoipa::path(
    get, path = "/v1/reconciliations/{id}/report.{form}", tag = "reconciliations",
    params(
        ("id" = String, Path, description = "run_…"),
        ("form" = String, Path, description = "xlsx, html, csv or json"),
    ),
    responses(
        (status = 200, description = "the file"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "run_not_ended"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn report_file(http: HttpRequest, path: Path<(String, String)>) -> HttpResponse {
    let (id, form) = path.into_inner();
    let Some(shared) = http.app_data::<Data<Shared>>().cloned() else {
        return error::respond(&http, &Fault::unavailable("the server is not ready"));
    };
    let done = async {
        auth::caller(&shared, &http).await?;
        let form = Form::of(&form).ok_or_else(|| Fault::not_found("form of a report"))?;
        let hub = std::sync::Arc::clone(&shared.hub);
        let name = id.clone();
        let bytes = shared.run(async move { write(&hub, &name, form).await }).await??;
        Ok::<_, Fault>((form, bytes))
    };
    match done.await {
        Ok((form, (name, bytes))) => form.send((&name, &id), bytes),
        Err(fault) => error::respond(&http, &fault),
    }
}

/// A report with its name. What was signed is given as it was signed; anything else as it stands now.
async fn write(hub: &Hub, id: &str, form: Form) -> Result<(String, Vec<u8>), Fault> {
    let run = reconcile::load(hub, id).await?;
    let day = run.date.strftime("%Y%m%d");
    let name = format!("对账日报_{}_{day}_v{}", hub.office, run.version);
    if let Some(signed) = sign_off::signed_paper(hub, id, form.ending()).await? {
        return Ok((name, signed));
    }
    let found = reconcile::report(hub, &[id]).await?;
    let bytes = tokio::task::spawn_blocking(move || sign_off::paper(&found, form.ending()))
        .await
        .map_err(|error| Fault::internal(&error))??;
    Ok((name, bytes))
}

fn page(data: Vec<Value>, limit: i64, offset: i64) -> Answer {
    let full = i64::try_from(data.len()).is_ok_and(|count| count == limit);
    let next = full.then(|| offset.saturating_add(limit));
    Answer::json(200, &json!({"data": data, "next_cursor": next}))
}
