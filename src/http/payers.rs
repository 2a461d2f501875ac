//! Statements of payers who pay by the month.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::answer::Answer;
use super::call;
use super::paper::Form;
use super::shared::Shared;
use super::{auth, error, query, resource, schema};
use crate::fault::Fault;
use crate::payers;
use crate::statement::first_day;
use crate::store::payers::WhichStatements;

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/v1/payer-statements").route(web::get().to(list)))
        .service(resource("/v1/payer-statements/{id}").route(web::get().to(show)))
        .service(
            resource("/v1/payer-statements/{id}/statement.{form}").route(web::get().to(paper)),
        );
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    account: Option<String>,
    month: Option<String>,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// Statements of payers who pay by the month, newest first.
#[utoipa::path(
    get, path = "/v1/payer-statements", tag = "payers",
    params(
        ("account" = Option<String>, Query, description = "a payer account; all when absent"),
        ("month" = Option<String>, Query, description = "YYYY-MM; all when absent"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "1 to 200, 50 when absent"),
    ),
    responses(
        (status = 200, body = schema::PayerStatementPage),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "month_invalid"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn list(http: HttpRequest) -> HttpResponse {
    let asked = query::read::<Asked>(&http);
    call::get(http, move |call| async move {
        let Asked { account, month, cursor, limit } = asked?;
        let limit = query::page(limit)?;
        let which = WhichStatements {
            application: Some(call.application.as_str()),
            account: account.as_deref(),
            period: month.as_deref().map(first_day).transpose()?,
            cursor: cursor.as_deref(),
            ..WhichStatements::default()
        };
        let data = payers::statements(&call.hub, which, limit).await?;
        let is_full = i64::try_from(data.len()).is_ok_and(|count| count >= limit);
        let next = data.last().filter(|_| is_full).and_then(|last| last.get("number"));
        Ok(Answer::json(200, &json!({"data": data, "next_cursor": next})))
    })
    .await
}

/// A statement with its lines, and how it stands.
#[utoipa::path(
    get, path = "/v1/payer-statements/{id}", tag = "payers",
    params(("id" = String, Path, description = "pst_…")),
    responses(
        (status = 200, body = schema::PayerStatement),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn show(http: HttpRequest, id: Path<String>) -> HttpResponse {
    call::get(http, move |call| async move {
        let found = payers::statement(&call.hub, call.application.as_str(), &id).await?;
        Ok(Answer::json(200, &found))
    })
    .await
}

/// A statement as a page to print, or as a table.
#[utoipa::path(
    get, path = "/v1/payer-statements/{id}/statement.{form}", tag = "payers",
    params(
        ("id" = String, Path, description = "pst_…"),
        ("form" = String, Path, description = "html or csv"),
    ),
    responses(
        (status = 200, description = "the file"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn paper(http: HttpRequest, asked: Path<(String, String)>) -> HttpResponse {
    let Some(shared) = http.app_data::<Data<Shared>>().cloned() else {
        return error::respond(&http, &Fault::unavailable("the server is not ready"));
    };
    let (id, form) = asked.into_inner();
    let done = async {
        let application = auth::caller(&shared, &http).await?;
        let form = Form::of(&form).ok_or_else(|| Fault::not_found("form of a statement"))?;
        let hub = std::sync::Arc::clone(&shared.hub);
        shared
            .run(async move {
                let found = payers::statement(&hub, application.as_str(), &id).await?;
                let number = found.get("number").and_then(serde_json::Value::as_str);
                let number = number.unwrap_or_default().to_owned();
                let bytes = match form {
                    Form::Page => payers::page(&hub.office, &found)?.into_bytes(),
                    Form::Table => payers::csv(&found)?,
                    Form::Workbook | Form::Json => {
                        return Err(Fault::not_found("form of a statement"));
                    }
                };
                Ok::<_, Fault>((form, number, bytes))
            })
            .await?
    };
    match done.await {
        Ok((form, number, bytes)) => form.send((&format!("月结账单_{number}"), &number), bytes),
        Err(fault) => error::respond(&http, &fault),
    }
}
