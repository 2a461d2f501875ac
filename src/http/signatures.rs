//! Who signed a reconciliation run.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, web};
use domain::time::rfc3339;
use serde_json::{Value, json};

use super::answer::Answer;
use super::{call, resource, schema};
use crate::sign_off;
use crate::store::sign_offs::Signature;

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service.service(resource("/v1/reconciliations/{id}/signatures").route(web::get().to(list)));
}

/// Who signed a run, in order. People sign at the command line or the console: no key of a backend
/// service does.
#[utoipa::path(
    get, path = "/v1/reconciliations/{id}/signatures", tag = "reconciliations",
    params(("id" = String, Path, description = "run_…")),
    responses(
        (status = 200, description = "data: event, by, reason, report_sha256, signed_at"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn list(http: HttpRequest, id: Path<String>) -> HttpResponse {
    call::get(http, move |call| async move {
        let found = sign_off::signatures(&call.hub, &id).await?;
        let data: Vec<Value> = found.iter().map(shown).collect();
        Ok(Answer::json(200, &json!({"data": data})))
    })
    .await
}

fn shown(signature: &Signature) -> Value {
    let digest: String = signature.report_sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "event": signature.event, "by": signature.by, "reason": signature.reason,
        "report_sha256": digest, "signed_at": rfc3339(signature.signed_at),
    })
}
