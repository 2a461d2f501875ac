//! Bank statements, their lines, and what was expected to arrive.

use actix_web::web::{Bytes, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::{self, Call};
use super::{query, resource, schema};
use crate::answering::Answering;
use crate::bank;
use crate::fault::Fault;
use crate::store::bank::{self as rows, StatementRecord, WhichLines};

/// What a line's `status` may be.
const STATUSES: [&str; 3] = ["matched", "proposed", "unmatched"];
/// How many days of settlements one list may span.
const MOST_DAYS: i32 = 366;

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service
        .service(resource("/v1/bank-statements").route(web::post().to(create)))
        .service(resource("/v1/bank-statements/{id}").route(web::get().to(show)))
        .service(resource("/v1/bank-lines").route(web::get().to(lines)))
        .service(resource("/v1/settlements").route(web::get().to(settlements)));
}

/// Takes a bank statement in, all of it or nothing, and matches what came in with what providers are
/// expected to settle.
///
/// CSV with the columns `bank_serial`, `value_date`, `direction` (in or out), `amount_fen`,
/// `reference`, `counter_name` and `counter_account`, in any order. A row that is on record already
/// is known and booked once.
#[utoipa::path(
    post, path = "/v1/bank-statements", tag = "bank",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII")),
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 201, body = schema::BankStatement),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "bank_statement_invalid: errors has row, column and detail of all that is wrong"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn create(http: HttpRequest, payload: Payload) -> HttpResponse {
    call::post_bytes(http, payload, |call: Call, file: Bytes| async move {
        let bytes = |new: &StatementRecord| (201, Answer::json(201, &bank::statement(new)).body);
        let answering =
            call.ticket.as_ref().map(|ticket| Answering { key: ticket.held(), answer: &bytes });
        let application = Some(&call.application);
        let taken = bank::import(&call.hub, application, &file, answering.as_ref()).await?;
        Ok(Answer::json(201, &bank::statement(&taken)).kept())
    })
    .await
}

/// A bank statement, with how the lines that were booked with it stand now.
#[utoipa::path(
    get, path = "/v1/bank-statements/{id}", tag = "bank",
    params(("id" = String, Path, description = "bst_…")),
    responses(
        (status = 200, body = schema::BankStatement),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn show(http: HttpRequest, id: Path<String>) -> HttpResponse {
    call::get(http, move |call| async move {
        let client = call.hub.store.client().await?;
        let found = rows::statement(&client, &id).await?;
        let found = found.ok_or_else(|| Fault::not_found("bank statement"))?;
        Ok(Answer::json(200, &bank::statement(&found)))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    status: Option<String>,
    direction: Option<String>,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// Lines of bank statements, newest first: what each is matched to, or what is proposed for it.
#[utoipa::path(
    get, path = "/v1/bank-lines", tag = "bank",
    params(
        ("status" = Option<String>, Query, description = "matched, proposed or unmatched; all when absent"),
        ("direction" = Option<String>, Query, description = "in or out; both when absent"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "1 to 200, 50 when absent"),
    ),
    responses((status = 200, body = schema::BankLinePage)),
    security(("api_key" = [])),
)]
pub(super) async fn lines(http: HttpRequest) -> HttpResponse {
    let asked = query::read::<Asked>(&http);
    call::get(http, move |call| async move {
        let Asked { status, direction, cursor, limit } = asked?;
        let limit = query::page(limit)?;
        one_of("status", status.as_deref(), &STATUSES)?;
        one_of("direction", direction.as_deref(), &["in", "out"])?;
        let which = WhichLines {
            status: status.as_deref(),
            direction: direction.as_deref(),
            cursor: cursor.as_deref(),
            ..WhichLines::default()
        };
        let data = bank::lines(&call.hub, which, limit).await?;
        let is_full = i64::try_from(data.len()).is_ok_and(|count| count >= limit);
        let next = data.last().filter(|_| is_full).and_then(|last| last.get("bank_serial"));
        Ok(Answer::json(200, &json!({"data": data, "next_cursor": next})))
    })
    .await
}

fn one_of(name: &str, given: Option<&str>, known: &[&str]) -> Result<(), Fault> {
    match given {
        Some(word) if !known.contains(&word) => {
            let detail = format!("{name} must be one of {}", known.join(", "));
            Err(Fault::unreadable("invalid_query", detail))
        }
        Some(_) | None => Ok(()),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Days {
    #[serde(deserialize_with = "domain::time::read_day")]
    from: Date,
    #[serde(deserialize_with = "domain::time::read_day")]
    until: Date,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// What providers are expected to settle of some bill days, and what of it has arrived.
#[utoipa::path(
    get, path = "/v1/settlements", tag = "bank",
    params(
        ("from" = String, Query, description = "YYYY-MM-DD, the first bill day"),
        ("until" = String, Query, description = "YYYY-MM-DD, the last; at most a year later"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("limit" = Option<i64>, Query, description = "1 to 200, 50 when absent"),
    ),
    responses(
        (status = 200, body = schema::SettlementPage),
        (status = 422, body = schema::Problem, content_type = "application/problem+json",
         description = "days_invalid"),
    ),
    security(("api_key" = [])),
)]
pub(super) async fn settlements(http: HttpRequest) -> HttpResponse {
    let asked = query::read::<Days>(&http);
    call::get(http, move |call| async move {
        let Days { from, until, cursor, limit } = asked?;
        let limit = query::page(limit)?;
        let last = from.checked_add(jiff::Span::new().days(MOST_DAYS)).unwrap_or(Date::MAX);
        if until < from || until > last {
            let detail = "until must be from or later, at most a year";
            return Err(Fault::invalid("days_invalid", detail));
        }
        let page = (cursor.as_deref(), limit);
        let found = bank::settlements(&call.hub, (from, until), page).await?;
        let is_full = i64::try_from(found.len()).is_ok_and(|count| count >= limit);
        let next = found.last().filter(|_| is_full).map(|last| last.settlement_id.to_string());
        let data = found.iter().map(bank::settlement).collect::<Result<Vec<Value>, Fault>>()?;
        Ok(Answer::json(200, &json!({"data": data, "next_cursor": next})))
    })
    .await
}
