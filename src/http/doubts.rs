//! The doubts of a reconciliation run, and what became of them.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::{call, query, resource, schema};
use crate::reconcile;
use crate::store::doubts::{self, DoubtRecord};

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service.service(resource("/v1/reconciliations/{id}/doubts").route(web::get().to(list)));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageQuery {
    cursor: Option<i32>,
    limit: Option<i64>,
}

/// The doubts of a run, in their order, each with what became of it since.
#[utoipa::path(
    get, path = "/v1/reconciliations/{id}/doubts", tag = "reconciliations",
    params(
        ("id" = String, Path, description = "run_…"),
        ("cursor" = Option<i32>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "1 to 200, 50 when absent"),
    ),
    responses(
        (status = 200, description = "data: shaped as differences, with status (open, matched, answered, promoted, superseded), files_waited, resolved_by_run, difference_id; next_cursor"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn list(http: HttpRequest, id: Path<String>) -> HttpResponse {
    let asked = query::read::<PageQuery>(&http);
    call::get(http, move |call| async move {
        let asked = asked?;
        let limit = query::page(asked.limit)?;
        reconcile::load(&call.hub, &id).await?;
        let client = call.hub.store.client().await?;
        let after = asked.cursor.unwrap_or_default();
        let found = doubts::of_run(&client, &id, after, limit).await?;
        let full = i64::try_from(found.len()).is_ok_and(|count| count == limit);
        let next = found.last().filter(|_| full).map(|last| last.position);
        let data: Vec<Value> = found.into_iter().map(shown).collect();
        Ok(Answer::json(200, &json!({"data": data, "next_cursor": next})))
    })
    .await
}

fn shown(doubt: DoubtRecord) -> Value {
    Value::Object(doubt.shown)
}
