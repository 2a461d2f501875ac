//! `/callbacks/sms/{channel_id}/{receipt_token}`: what SMS vendors tell of their messages. The token
//! in the path lets a vendor in; what a receipt may change is decided where messages are sent.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, web};

use super::callbacks::{Unread, bounded, respond};
use super::shared::Shared;
use super::{error, resource, schema};
use crate::dispatch::receipts;
use crate::fault::Fault;

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service.service(
        resource("/callbacks/sms/{channel_id}/{receipt_token}").route(web::post().to(take)),
    );
}

/// Takes an SMS vendor's delivery receipts. The answer is the vendor's own.
#[utoipa::path(
    post, path = "/callbacks/sms/{channel_id}/{receipt_token}", tag = "callbacks",
    params(
        ("channel_id" = String, Path, description = "as configured"),
        ("receipt_token" = String, Path, description = "as configured"),
    ),
    request_body(content = String, content_type = "*/*", description = "as the vendor sends it"),
    responses(
        (status = 200, description = "the vendor's own answer"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json",
         description = "no such channel, or another token"),
        (status = 413, body = schema::Problem, content_type = "application/problem+json",
         description = "over 256 KiB"),
        (status = 503, body = schema::Problem, content_type = "application/problem+json",
         description = "too much waits; come again"),
    ),
)]
pub(super) async fn take(
    http: HttpRequest,
    payload: Payload,
    path: Path<(String, String)>,
    shared: Data<Shared>,
) -> HttpResponse {
    let (channel_id, token) = path.into_inner();
    if !receipts::admits(&shared.hub, &channel_id, &token) {
        return error::respond(&http, &Fault::not_found("channel"));
    }
    let done = async {
        let (body, _held) = match bounded(payload, &shared.intake).await {
            Ok(bounded) => bounded,
            Err(Unread::Full) => return Err(Fault::unavailable("too much waits; come again")),
            Err(Unread::Fault(fault)) => return Err(fault),
        };
        let hub = shared.hub.clone();
        shared.run(async move { receipts::take(&hub, &channel_id, &body).await }).await?
    };
    match done.await {
        Ok(reply) => respond(&reply),
        Err(fault) => error::respond(&http, &fault),
    }
}
