//! The log of the caller's webhooks: what was sent, how each attempt ended, and sending again.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use domain::event::EventType;
use domain::ids::EventId;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::{self, Call, Nothing};
use super::{query, resource, schema};
use crate::fault::Fault;
use crate::resource::{delivery_id, webhook as shown, webhook_in_full as shown_in_full};
use crate::store::StoreError;
use crate::store::webhooks::{self as log, Page, Span, WebhookRecord, Which};
use crate::webhooks::{self, MOST_RESENT, Selection};

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/v1/deliveries").route(web::get().to(list)))
        .service(resource("/v1/deliveries/resend").route(web::post().to(resend)))
        .service(resource("/v1/deliveries/{id}").route(web::get().to(show)))
        .service(resource("/v1/deliveries/{id}/resend").route(web::post().to(resend_one)));
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Due,
    Done,
    Dead,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    state: Option<State>,
    event_type: Option<EventType>,
    after: Option<String>,
    limit: Option<i64>,
}

/// The caller's webhooks, the newest first.
#[utoipa::path(
    get, path = "/v1/deliveries", tag = "webhooks",
    params(
        ("state" = Option<String>, Query, description = "due, done or dead"),
        ("event_type" = Option<String>, Query, description = "such as order.paid"),
        ("after" = Option<String>, Query, description = "the next_cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "1 to 200, 50 when absent"),
    ),
    responses(
        (status = 200, body = schema::DeliveryPage),
        (status = 400, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn list(http: HttpRequest) -> HttpResponse {
    let asked = query::read::<Asked>(&http);
    call::get(http, move |call| async move {
        let asked = asked?;
        let limit = query::page(asked.limit)?;
        let before = match &asked.after {
            None => i64::MAX,
            Some(id) => number(id).ok_or_else(|| {
                Fault::unreadable("invalid_query", "after is the next_cursor of a page")
            })?,
        };
        let which = asked.state.map_or(Which::All, |state| match state {
            State::Due => Which::Due,
            State::Done => Which::Done,
            State::Dead => Which::Dead,
        });
        let event_type = asked.event_type.map(EventType::as_str);
        let page = Page { which, event_type, before, limit };
        let client = call.hub.store.client().await?;
        let found = log::list(&client, call.application.as_str(), &page).await?;
        let is_full = i64::try_from(found.len()).is_ok_and(|count| count >= limit);
        let next = found.last().filter(|_last| is_full).map(|last| delivery_id(last.delivery_id));
        let data: Vec<Value> = found.iter().map(shown).collect();
        Ok(Answer::json(200, &json!({"data": data, "next_cursor": next})))
    })
    .await
}

/// One of the caller's webhooks with each attempt.
#[utoipa::path(
    get, path = "/v1/deliveries/{id}", tag = "webhooks",
    params(("id" = String, Path, description = "dlv_…")),
    responses(
        (status = 200, body = schema::DeliveryInFull),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn show(http: HttpRequest, id: Path<String>) -> HttpResponse {
    call::get(http, move |call| async move {
        let client = call.hub.store.client().await?;
        let found = own(&client, &call, &id).await?;
        let attempts = log::attempts(&client, found.delivery_id).await?;
        Ok(Answer::json(200, &shown_in_full(&found, &attempts)))
    })
    .await
}

/// Sends one webhook again, whatever came of it: the same event, id and body.
#[utoipa::path(
    post, path = "/v1/deliveries/{id}/resend", tag = "webhooks",
    params(
        ("id" = String, Path, description = "dlv_…"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII"),
    ),
    responses(
        (status = 200, body = schema::Delivery, description = "it begins again, or is being sent"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn resend_one(
    http: HttpRequest,
    payload: Payload,
    id: Path<String>,
) -> HttpResponse {
    call::post(http, payload, move |call: Call, _: Nothing| async move {
        let mut client = call.hub.store.client().await?;
        let tx = client.transaction().await.map_err(StoreError::from)?;
        let found = own(&tx, &call, &id).await?;
        let now = call.hub.clock.now();
        log::resend(&tx, call.application.as_str(), &[found.delivery_id], now).await?;
        let again = own(&tx, &call, &id).await?;
        commit(&call, tx, Answer::json(200, &shown(&again))).await
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResendRequest {
    event_ids: Option<Vec<EventId>>,
    state: Option<State>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    types: Option<Vec<EventType>>,
    after: Option<String>,
}

/// Sends webhooks again: named events, every dead letter, or every event of a time, also those that
/// were taken already. At most 1000 a call, the oldest first; `next_cursor` goes on.
#[utoipa::path(
    post, path = "/v1/deliveries/resend", tag = "webhooks",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII")),
    request_body = schema::ResendRequest,
    responses(
        (status = 200, body = schema::Resent),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "not exactly one of event_ids, state and since with until"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn resend(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post(http, payload, |call: Call, asked: ResendRequest| async move {
        let selection = select(&asked)?;
        let mut client = call.hub.store.client().await?;
        let tx = client.transaction().await.map_err(StoreError::from)?;
        let now = call.hub.clock.now();
        let application = call.application.as_str();
        let resent = webhooks::resend(&tx, application, &selection, now).await?;
        let next = resent.next.map(delivery_id);
        let body = json!({"resent": resent.count, "next_cursor": next});
        commit(&call, tx, Answer::json(200, &body)).await
    })
    .await
}

/// Reads which ones are meant: exactly one way of saying it.
fn select(asked: &ResendRequest) -> Result<Selection<'_>, Fault> {
    let wrong = |detail: &str| Fault::invalid("invalid_body", detail);
    let behind = match &asked.after {
        None => 0,
        Some(id) => number(id).ok_or_else(|| wrong("after is the next_cursor of a call"))?,
    };
    if asked.types.is_some() && asked.since.is_none() {
        return Err(wrong("types stand beside since and until").with("path", "types"));
    }
    match (&asked.event_ids, asked.state, asked.since, asked.until) {
        (Some(events), None, None, None) => {
            if events.is_empty() || events.len() > MOST_RESENT {
                let detail = format!("give 1 to {MOST_RESENT} event_ids");
                return Err(wrong(&detail).with("path", "event_ids"));
            }
            Ok(Selection::Events(events.iter().map(EventId::as_str).collect()))
        }
        (None, Some(State::Dead), None, None) => Ok(Selection::Dead(behind)),
        (None, Some(State::Due | State::Done), None, None) => {
            Err(wrong("only state dead is sent again as a whole").with("path", "state"))
        }
        (None, None, Some(since), Some(until)) => {
            let types = asked.types.as_ref();
            let types = types.map(|types| types.iter().map(|known| known.as_str()).collect());
            Ok(Selection::Time(Span { since, until, types }, behind))
        }
        _ => Err(wrong("give one of event_ids, state, or since with until")),
    }
}

async fn commit(
    call: &Call,
    tx: deadpool_postgres::Transaction<'_>,
    answer: Answer,
) -> Result<Answer, Fault> {
    if let Some(ticket) = &call.ticket {
        ticket.settle(&tx, &answer).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    call.hub.signals.wake_dispatch();
    Ok(answer.kept())
}

async fn own(
    client: &impl deadpool_postgres::GenericClient,
    call: &Call,
    id: &str,
) -> Result<WebhookRecord, Fault> {
    let unknown = || Fault::not_found("delivery");
    let number = number(id).ok_or_else(unknown)?;
    log::get(client, call.application.as_str(), number).await?.ok_or_else(unknown)
}

/// The number in `dlv_…`.
fn number(id: &str) -> Option<i64> {
    let digits = id.strip_prefix("dlv_")?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: Value, expected: &str) {
        let asked: ResendRequest = serde_json::from_value(body).unwrap();
        let said = match select(&asked) {
            Ok(Selection::Events(events)) => format!("{} events", events.len()),
            Ok(Selection::Dead(behind)) => format!("dead behind {behind}"),
            Ok(Selection::Time(span, behind)) => {
                format!("{} to {} {:?} behind {behind}", span.since, span.until, span.types)
            }
            Err(fault) => fault.detail,
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn what_is_sent_again_is_said_in_exactly_one_way() {
        let event = format!("evt_{:032}", 1);
        check(json!({"event_ids": [event]}), "1 events");
        check(json!({"event_ids": []}), "give 1 to 1000 event_ids");
        check(json!({"event_ids": vec![&event; 1001]}), "give 1 to 1000 event_ids");
        check(json!({"state": "dead"}), "dead behind 0");
        check(json!({"state": "dead", "after": "dlv_7"}), "dead behind 7");
        check(json!({"state": "dead", "after": "7"}), "after is the next_cursor of a call");
        check(json!({"state": "done"}), "only state dead is sent again as a whole");
        let (since, until) = ("2018-11-30T01:00:00Z", "2018-11-30T02:00:00Z");
        check(
            json!({"since": since, "until": until, "types": ["fee.paid"]}),
            "2018-11-30T01:00:00Z to 2018-11-30T02:00:00Z Some([\"fee.paid\"]) behind 0",
        );
        check(json!({"since": since}), "give one of event_ids, state, or since with until");
        check(json!({}), "give one of event_ids, state, or since with until");
        check(
            json!({"state": "dead", "since": since, "until": until}),
            "give one of event_ids, state, or since with until",
        );
        check(
            json!({"state": "dead", "types": ["fee.paid"]}),
            "types stand beside since and until",
        );
    }

    #[test]
    fn the_id_of_a_delivery_is_a_number_behind_its_prefix() {
        assert_eq!(number("dlv_12"), Some(12));
        for bad in ["12", "dlv_", "dlv_-1", "dlv_+1", "dlv_1a", "dlv_99999999999999999999"] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }
}
