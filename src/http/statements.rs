//! The month's statement, for machines, as a workbook and as a page.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::paper::Form;
use super::shared::Shared;
use super::{auth, error, query, resource, schema};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::statement::{self, Paper};

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/v1/statements/month").route(web::get().to(month)))
        .service(resource("/v1/statements/month.{form}").route(web::get().to(month_file)));
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    month: String,
    merchant_id: Option<String>,
}

/// The statement of a month: each day as its newest run says, by item, and the doubts and differences
/// from the opening to the closing.
#[utoipa::path(
    get, path = "/v1/statements/month", tag = "reconciliations",
    params(
        ("month" = String, Query, description = "YYYY-MM"),
        ("merchant_id" = Option<String>, Query, description = "a configured merchant; all accounts when absent"),
    ),
    responses(
        (status = 200, description = "the statement"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "month_invalid, month_not_begun, merchant_unknown"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn month(http: HttpRequest) -> HttpResponse {
    answer(http, Some(Form::Json)).await
}

/// The statement of a month as a file.
#[utoipa::path(
    get, path = "/v1/statements/month.{form}", tag = "reconciliations",
    params(
        ("form" = String, Path, description = "xlsx, html or json"),
        ("month" = String, Query, description = "YYYY-MM"),
        ("merchant_id" = Option<String>, Query, description = "a configured merchant; all accounts when absent"),
    ),
    responses(
        (status = 200, description = "the file"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "month_invalid, month_not_begun, merchant_unknown"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn month_file(http: HttpRequest, form: Path<String>) -> HttpResponse {
    let form = Form::of(&form).filter(|form| *form != Form::Table);
    answer(http, form).await
}

async fn answer(http: HttpRequest, form: Option<Form>) -> HttpResponse {
    let Some(shared) = http.app_data::<Data<Shared>>().cloned() else {
        return error::respond(&http, &Fault::unavailable("the server is not ready"));
    };
    let done = async {
        auth::caller(&shared, &http).await?;
        let form = form.ok_or_else(|| Fault::not_found("form of a statement"))?;
        let asked = query::read::<Asked>(&http)?;
        let hub = std::sync::Arc::clone(&shared.hub);
        let written = shared.run(async move { write(&hub, &asked, form).await }).await??;
        Ok::<_, Fault>((form, written))
    };
    match done.await {
        Ok((form, (name, plain, bytes))) => form.send((&name, &plain), bytes),
        Err(fault) => error::respond(&http, &fault),
    }
}

async fn write(hub: &Hub, asked: &Asked, form: Form) -> Result<(String, String, Vec<u8>), Fault> {
    let first = statement::first_day(&asked.month)?;
    let month = statement::month(hub, first, asked.merchant_id.as_deref()).await?;
    let plain = format!("statement-{}", asked.month);
    let name = month.file_name();
    let paper = match form {
        Form::Workbook => Paper::Workbook,
        Form::Page => Paper::Page,
        Form::Json | Form::Table => Paper::Json,
    };
    let bytes = tokio::task::spawn_blocking(move || statement::write(&month, paper))
        .await
        .map_err(|error| Fault::internal(&error))??;
    Ok((name, plain, bytes))
}
