//! The page at `/`: what was asked and what the providers think of it, what is there, and forms for
//! whatever a payer, the portal's staff or an unlucky network may do. Without any script.

mod rows;

use askama::Template as _;
use domain::time::rfc3339;

use crate::control::connection;
use crate::engine::Engine;
use crate::message::{Received, Reply};
use crate::text::query_value;
use rows::{CallbackRow, FaultRow, KeyRow, MessageRow, OrderRow, RefundRow, RequestRow};

/// The newest rows of each table that the page shows.
const MOST_ROWS: usize = 200;
/// How often the page may be asked to load itself again, in seconds.
const REFRESH_S: (u32, u32) = (1, 60);

/// Words of faults as the control takes them; `faults::words` has their meaning.
const PLACES: [&str; 5] = ["callback", "answer", "bill", "fund_bill", "sms"];
const OPERATIONS: [&str; 11] = [
    "payment",
    "place",
    "query",
    "close",
    "refund",
    "query_refund",
    "bill",
    "fund_bill",
    "fetch_bill",
    "send",
    "query_send",
];
const ACTIONS: [&str; 26] = [
    "drop",
    "duplicate",
    "delay",
    "reorder",
    "corrupt",
    "wrong_signature",
    "unknown_serial",
    "sign_test",
    "drop_after_commit",
    "garbage",
    "status_500",
    "status_429",
    "not_enough",
    "abnormal",
    "absent",
    "closed",
    "throttle",
    "undelivered",
    "missing_row",
    "extra_row",
    "changed_row",
    "truncate",
    "wrong_hash",
    "late",
    "empty_day",
    "charge_taken",
];

#[derive(askama::Template)]
#[template(path = "page.html")]
struct Page {
    refresh: Option<u32>,
    now: String,
    requests: Vec<RequestRow>,
    orders: Vec<OrderRow>,
    refunds: Vec<RefundRow>,
    callbacks: Vec<CallbackRow>,
    messages: Vec<MessageRow>,
    faults: Vec<FaultRow>,
    keys: Vec<KeyRow>,
    places: &'static [&'static str],
    operations: &'static [&'static str],
    actions: &'static [&'static str],
    connection: String,
}

/// The page; `?refresh=3` has it loaded again every three seconds.
pub(crate) fn page(engine: &Engine, request: &Received) -> Reply {
    let mut state = engine.state();
    state.orders.sort_by_key(|order| order.created_at);
    state.refunds.sort_by_key(|refund| refund.accepted_at);
    let told = serde_json::to_string_pretty(&connection(engine)).unwrap_or_default();
    let (least, most) = REFRESH_S;
    let page = Page {
        refresh: query_value(request.query(), "refresh")
            .and_then(|seconds| seconds.parse::<u32>().ok())
            .map(|seconds| seconds.clamp(least, most)),
        now: rfc3339(state.now),
        requests: newest(&state.requests, RequestRow::of),
        orders: newest(&state.orders, OrderRow::of),
        refunds: newest(&state.refunds, RefundRow::of),
        callbacks: newest(&state.callbacks, CallbackRow::of),
        messages: newest(&state.sms, MessageRow::of),
        faults: state.faults.iter().map(FaultRow::of).collect(),
        keys: KeyRow::all(&engine.world().keys),
        places: &PLACES,
        operations: &OPERATIONS,
        actions: &ACTIONS,
        connection: told.replace("\\n", "\n"),
    };
    let mut reply = match page.render() {
        Ok(html) => Reply::new(200, "text/html; charset=utf-8", html),
        Err(error) => Reply::new(500, "text/plain; charset=utf-8", error.to_string()),
    };
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
    reply.headers.push(("Content-Security-Policy", policy.to_owned()));
    reply
}

fn newest<T, R>(all: &[T], row: impl Fn(&T) -> R) -> Vec<R> {
    all.iter().rev().take(MOST_ROWS).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{Action, Operation, Place};

    #[test]
    fn every_word_that_the_form_offers_is_one_that_the_control_takes() {
        let is = |known: bool, word: &str| assert!(known, "{word}");
        for word in PLACES {
            is(serde_json::from_value::<Place>(word.into()).is_ok(), word);
        }
        for word in OPERATIONS {
            is(serde_json::from_value::<Operation>(word.into()).is_ok(), word);
        }
        for word in ACTIONS {
            is(serde_json::from_value::<Action>(word.into()).is_ok(), word);
        }
    }
}
