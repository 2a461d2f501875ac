//! Around every request: its id, its span, its line in the log and its place in the counts. None of
//! them holds a body, a query or a header beside the id.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, web};
use tracing::Instrument as _;
use uuid::Uuid;

use super::shared::Shared;

/// Carries the id both ways.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken from a client.
const LONGEST_ID: usize = 64;
/// The route of an address that the hub does not have.
const NO_ROUTE: &str = "none";

#[derive(Clone)]
struct RequestId(String);

/// The id of a request.
pub(super) fn request_id(http: &HttpRequest) -> String {
    http.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

/// The middleware.
pub(super) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|text| is_good(text))
        .map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned);
    request.extensions_mut().insert(RequestId(id.clone()));
    let route = request.match_pattern().unwrap_or_else(|| NO_ROUTE.to_owned());
    let method = request.method().clone();
    let shared = request.app_data::<web::Data<Shared>>().cloned();
    let span = tracing::info_span!("request", id, %method, route);
    let begun = Instant::now();
    let mut response = next.call(request).instrument(span.clone()).await?;
    let took = begun.elapsed();
    let status = response.status().as_u16();
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if let Some(shared) = shared {
        if shared.hub.health.is_stopping() {
            // The client asks its next question of another hub.
            response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        }
        shared.metrics.answered(method.as_str(), &route, status, took);
    }
    span.in_scope(|| tracing::debug!(status, took_ms = took.as_millis(), "answered"));
    Ok(response)
}

/// Whether a client's id can stand in logs and headers as it is.
fn is_good(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_could_forge_a_log_line_is_replaced() {
        for good in ["a", "req-1_2.3:4", &"x".repeat(64)] {
            assert!(is_good(good), "{good}");
        }
        for bad in ["", "a b", "a\nb", "中", "a=b", &"x".repeat(65)] {
            assert!(!is_good(bad), "{bad:?}");
        }
    }
}
