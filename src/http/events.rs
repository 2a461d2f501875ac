//! `GET /v1/events`: what a backend service missed, in the order of the feed.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use serde::Serialize;
use serde_json::value::RawValue;

use super::answer::Answer;
use super::{call, query, resource, schema};
use crate::fault::Fault;
use crate::store::events;

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service.service(resource("/v1/events").route(web::get().to(list)));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    after: Option<String>,
    limit: Option<i64>,
}

/// A page of the feed; the bodies are those that were sent, byte for byte.
#[derive(Serialize)]
struct Page<'a> {
    data: Vec<&'a RawValue>,
    next_cursor: Option<&'a str>,
}

/// Every event since a cursor: the caller's own and the office's.
///
/// Without `after` the feed begins at its first event. `next_cursor` is null when there is nothing
/// more for now; the id of the last event read is the `after` of the next look.
#[utoipa::path(
    get, path = "/v1/events", tag = "events",
    params(
        ("after" = Option<String>, Query, description = "an evt_… id"),
        ("limit" = Option<i64>, Query, description = "1 to 200, 50 when absent"),
    ),
    responses(
        (status = 200, body = schema::EventPage),
        (status = 401, body = schema::Problem, content_type = "application/problem+json"),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "after_unknown"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn list(http: HttpRequest) -> HttpResponse {
    let asked = query::read::<Asked>(&http);
    call::get(http, move |call| async move {
        let asked = asked?;
        let limit = query::page(asked.limit)?;
        let client = call.hub.store.client().await?;
        let place = match &asked.after {
            None => events::Place::start(),
            Some(event_id) => {
                events::place_of(&client, &call.application, event_id).await?.ok_or_else(|| {
                    Fault::invalid("after_unknown", "after names no event of this application")
                })?
            }
        };
        let found = events::after(&client, &call.application, &place, limit).await?;
        let is_full = i64::try_from(found.len()).is_ok_and(|count| count >= limit);
        let mut page = Page { data: Vec::with_capacity(found.len()), next_cursor: None };
        for event in &found {
            let body: &RawValue =
                serde_json::from_str(&event.body).map_err(|error| Fault::internal(&error))?;
            page.data.push(body);
            page.next_cursor = is_full.then_some(event.event_id.as_str());
        }
        let body = serde_json::to_vec(&page).map_err(|error| Fault::internal(&error))?;
        Ok(Answer::bytes(200, body))
    })
    .await
}
