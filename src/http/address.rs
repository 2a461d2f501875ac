//! Addresses that lead nowhere. No id and no text of the hub holds a NUL, and the database takes none:
//! a path that holds one names nothing, whatever resource it is of.

use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use super::error;
use crate::fault::Fault;

/// Whether a path or a query, as it is sent, holds a NUL.
pub(super) fn holds_nul(sent: &str) -> bool {
    sent.contains("%00")
}

/// The middleware: 404 for such a path.
pub(super) async fn check<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if holds_nul(request.uri().path()) {
        let answer = error::respond(request.request(), &Fault::not_found("address"));
        return Ok(request.into_response(answer).map_into_right_body());
    }
    Ok(next.call(request).await?.map_into_left_body())
}
