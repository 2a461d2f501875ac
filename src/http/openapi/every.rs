//! What every call under `/v1` may be answered beside its own: said once, for all of them.

use utoipa::Modify;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};

/// The form of a refusal.
const PROBLEM: &str = "application/problem+json";
/// Every call: status and codes.
const EVERY: [(&str, &str); 3] =
    [("401", "unauthorized"), ("500", "internal"), ("503", "unavailable (with Retry-After)")];
/// Calls with a query string.
const WITH_QUERY: (&str, &str) = ("400", "invalid_query");
/// Calls with a body.
const WITH_BODY: [(&str, &str); 5] = [
    ("400", "invalid_json, invalid_idempotency_key, body_broken"),
    ("408", "body_timeout"),
    ("409", "idempotency_in_progress (with Retry-After)"),
    ("413", "body_too_large"),
    ("422", "invalid_body, idempotency_key_reused"),
];

/// Adds them to each operation under `/v1`.
pub(super) struct EveryCall;

impl Modify for EveryCall {
    fn modify(&self, openapi: &mut OpenApi) {
        let ours = openapi.paths.paths.iter_mut().filter(|(path, _)| path.starts_with("/v1/"));
        for (_, item) in ours {
            if let Some(operation) = &mut item.get {
                EVERY.iter().for_each(|said| add(operation, *said));
                if has_query(operation) {
                    add(operation, WITH_QUERY);
                }
            }
            for operation in [&mut item.post, &mut item.put].into_iter().flatten() {
                EVERY.iter().chain(&WITH_BODY).for_each(|said| add(operation, *said));
            }
        }
    }
}

fn has_query(operation: &Operation) -> bool {
    operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(parameter) => matches!(parameter.parameter_in, ParameterIn::Query),
        RefOr::Ref(_) => false,
    })
}

/// Adds a status, or its codes to those that the operation has of itself.
fn add(operation: &mut Operation, (status, codes): (&str, &str)) {
    let known = operation.responses.responses.entry(status.to_owned()).or_insert_with(|| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        RefOr::T(ResponseBuilder::new().content(PROBLEM, content).build())
    });
    if let RefOr::T(response) = known {
        let own = std::mem::take(&mut response.description);
        let said = [own.as_str(), codes].into_iter().filter(|text| !text.is_empty());
        response.description = said.collect::<Vec<_>>().join(", ");
    }
}
