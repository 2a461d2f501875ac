//! `/healthz` and `/readyz`: whether the process lives, and whether it can work.

use actix_web::web::Data;
use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use super::resource;
use super::schema;
use super::shared::Shared;
use crate::hub::{Hub, Standing};
use crate::store::migrate;

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/healthz").route(web::get().to(alive)))
        .service(resource("/readyz").route(web::get().to(ready)));
}

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "operation",
    responses((status = 200, body = schema::Health)))]
pub(super) async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// Database, schema and workers are there, and the process is not about to end.
#[utoipa::path(get, path = "/readyz", tag = "operation",
    responses(
        (status = 200, body = schema::Readiness),
        (status = 503, body = schema::Readiness, description = "a check says what to do"),
    ))]
pub(super) async fn ready(shared: Data<Shared>) -> HttpResponse {
    let hub = shared.hub.clone();
    let schema = shared.run(async move { schema_of(&hub).await }).await;
    let (database, schema) =
        schema.unwrap_or_else(|fault| (Err(fault.detail), Err("not looked at".to_owned())));
    let workers = workers(&shared);
    let is_stopping = shared.hub.health.is_stopping();
    let is_ready = database.is_ok() && schema.is_ok() && workers.is_ok() && !is_stopping;
    let status = match (is_ready, is_stopping) {
        (true, _) => "ok",
        (false, true) => "stopping",
        (false, false) => "unavailable",
    };
    let body = json!({
        "status": status,
        "checks": {
            "database": word(database), "migrations": word(schema), "workers": word(workers),
        },
    });
    let mut response =
        if is_ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(body)
}

type Check = Result<&'static str, String>;

fn word(check: Check) -> Value {
    match check {
        Ok(word) => json!(word),
        Err(fault) => json!(fault),
    }
}

/// Whether every worker of this process comes round.
fn workers(shared: &Shared) -> Check {
    match shared.hub.health.workers() {
        Standing::Stuck(stuck) => Err(stuck.join("; ")),
        Standing::Fine if shared.works => Ok("ok"),
        Standing::Fine | Standing::None => Ok("none in this process"),
    }
}

async fn schema_of(hub: &Hub) -> (Check, Check) {
    match migrate::version(&hub.store).await {
        Ok(version) => (Ok("ok"), version.fault().map_or(Ok("ok"), Err)),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (Err("does not answer".to_owned()), Err("not looked at".to_owned()))
        }
    }
}
