//! Differences over all runs, with what people did about them. Read only: people act at the command
//! line or the console, no key of a backend service does.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::difference::DifferenceState;
use domain::time::business_day;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::{call, query, resource, schema};
use crate::differences::{not_over, older_than, shown};
use crate::fault::Fault;
use crate::reconcile;
use crate::store::differences::{self, Sought};

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/v1/reconciliations/{id}/changes").route(web::get().to(changes)))
        .service(resource("/v1/differences").route(web::get().to(list)))
        .service(resource("/v1/differences/{id}").route(web::get().to(show)));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    status: Option<DifferenceState>,
    owner: Option<String>,
    merchant_id: Option<String>,
    older_than: Option<u16>,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// Differences in the order in which they were opened, whichever run has them.
#[utoipa::path(
    get, path = "/v1/differences", tag = "reconciliations",
    params(
        ("status" = Option<String>, Query, description = "open, assigned, proposed, approved, resolved, written_off, cleared or superseded; absent: those that are not over"),
        ("owner" = Option<String>, Query, description = "to whom they are assigned"),
        ("merchant_id" = Option<String>, Query, description = "a configured merchant, with those of its account"),
        ("older_than" = Option<u16>, Query, description = "how many days their money is older than"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "1 to 200, 50 when absent"),
    ),
    responses((status = 200, description = "data (each with status, owner, age_days, steps), next_cursor")),
    security(("api_key" = [])),
)]
pub(super) async fn list(http: HttpRequest) -> HttpResponse {
    let asked = query::read::<Asked>(&http);
    call::get(http, move |call| async move {
        let asked = asked?;
        let limit = query::page(asked.limit)?;
        let now = call.hub.clock.now();
        let merchant = asked.merchant_id.as_deref();
        let merchants = merchant.map(|id| match call.hub.merchant(id) {
            Some(known) => {
                call.hub.of_one_account(known).iter().map(|one| one.id.as_str()).collect()
            }
            None => vec![id],
        });
        let sought = Sought {
            states: asked.status.map_or_else(not_over, |state| vec![state]),
            owner: asked.owner.as_deref(),
            merchants,
            before: asked.older_than.map(|days| older_than(business_day(now), days.into())),
            after: asked.cursor.as_deref().unwrap_or_default(),
        };
        let found = differences::find(&call.hub.store.client().await?, &sought, limit).await?;
        let full = i64::try_from(found.len()).is_ok_and(|count| count == limit);
        let next = found.last().filter(|_| full).map(|last| last.id.clone());
        let data: Vec<Value> = found.iter().map(|found| shown(found, now)).collect();
        Ok(Answer::json(200, &json!({"data": data, "next_cursor": next})))
    })
    .await
}

/// A difference with its steps.
#[utoipa::path(
    get, path = "/v1/differences/{id}", tag = "reconciliations",
    params(("id" = String, Path, description = "dif_…, of whichever run has it")),
    responses(
        (status = 200, description = "the difference"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn show(http: HttpRequest, id: Path<String>) -> HttpResponse {
    call::get(http, move |call| async move {
        let found = differences::by_ids(&call.hub.store.client().await?, &[id.as_str()]).await?;
        let found = found.first().ok_or_else(|| Fault::not_found("difference"))?;
        Ok(Answer::json(200, &shown(found, call.hub.clock.now())))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Since {
    since: String,
}

/// What a run has otherwise than an older one of its day.
#[utoipa::path(
    get, path = "/v1/reconciliations/{id}/changes", tag = "reconciliations",
    params(
        ("id" = String, Path, description = "run_…"),
        ("since" = String, Query, description = "run_…, an older one of the same day"),
    ),
    responses(
        (status = 200, description = "before, after (with their sums), gone, new, changed"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
        (status = 409, body = schema::Problem, content_type = "application/problem+json",
         description = "run_not_ended"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "since_invalid"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn changes(http: HttpRequest, id: Path<String>) -> HttpResponse {
    let asked = query::read::<Since>(&http);
    call::get(http, move |call| async move {
        let found = reconcile::changes(&call.hub, &id, &asked?.since).await?;
        Ok(Answer::json(200, &json!(found)))
    })
    .await
}
