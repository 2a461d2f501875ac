//! Reads answers into accepted, refused or unknown. A failure decides only where its `sub_code`
//! is known to mean that nothing was done (see `sub_code`); every other one leaves it to a query.

use domain::fact::{OrderStanding, RefundFact};
use serde::Deserialize;
use serde_json::json;

use super::gateway::{Said, done};
use super::order::{CREATE, PAY, PRECREATE};
use super::statement::{Named, Refund, Refunded, Scanned, StatementError, Trade};
use super::sub_code::{self, TRADE_NOT_EXIST};
use crate::json;
use crate::provider::{Closing, OrderKey, Pay, Placed, RefundKey};
use crate::wire::{Call, Outcome};

/// The answer to placing an order.
pub(super) fn placed(call: &Call, said: Said<'_>) -> Outcome<Placed> {
    let asked = match Named::read(&call.body) {
        Ok(asked) => asked,
        Err(why) => return Outcome::Unknown(format!("the stored call: {why}")),
    };
    let node = match (call.target.as_str(), said) {
        // The payer must confirm on the phone; a query tells when that is done.
        (PAY, Said::Waiting(node)) => {
            let named = Named::read(&node).and_then(|named| named.must_agree(&asked));
            return outcome(named.map(|()| Placed::Offered(Pay::None)));
        }
        (PRECREATE, said) => done(said, sub_code::placing),
        (CREATE, said) => done(said, sub_code::creating),
        (PAY, said) => done(said, sub_code::scanning),
        (method, _) => return Outcome::Unknown(format!("{method} is not sent by the hub")),
    };
    let node = match node {
        Ok(node) => node,
        Err(other) => return other,
    };
    let agreed = Named::read(&node).and_then(|named| named.must_agree(&asked));
    outcome(agreed.and_then(|()| match call.target.as_str() {
        CREATE => trade_created(&node),
        PAY => Scanned::read(&node).and_then(|scanned| scanned.payment()).map(Placed::Paid),
        _ => code_made(&node),
    }))
}

fn code_made(node: &str) -> Result<Placed, StatementError> {
    #[derive(Deserialize)]
    struct Code {
        qr_code: String,
    }
    let code: Code = read(node)?;
    if code.qr_code.is_empty() {
        return Err(StatementError::Field("qr_code"));
    }
    Ok(Placed::Offered(Pay::QrCode { code_url: code.qr_code }))
}

/// A mini program pays a trade by its number (`my.tradePay`).
fn trade_created(node: &str) -> Result<Placed, StatementError> {
    #[derive(Deserialize)]
    struct Created {
        trade_no: String,
    }
    let created: Created = read(node)?;
    if created.trade_no.is_empty() {
        return Err(StatementError::Field("trade_no"));
    }
    Ok(Placed::Offered(Pay::Jsapi { params: json!({ "tradeNO": created.trade_no }) }))
}

/// The answer to a query of an order.
pub(super) fn order(key: &OrderKey<'_>, said: Said<'_>) -> Outcome<OrderStanding> {
    if is_failure(&said, TRADE_NOT_EXIST) {
        return Outcome::Accepted(OrderStanding::Absent);
    }
    match done(said, sub_code::asking) {
        Ok(node) => outcome(Trade::read(&node).and_then(|trade| trade.standing(key))),
        Err(other) => other,
    }
}

/// The answer to closing an order, which it must name. Whatever says that its state does not allow
/// it leads to a query, as a payment does.
pub(super) fn closed(call: &Call, said: Said<'_>) -> Outcome<Closing> {
    if let Said::Failed(failure) = &said {
        match failure.sub_code.as_str() {
            TRADE_NOT_EXIST => return Outcome::Accepted(Closing::NotThere),
            "ACQ.TRADE_HAS_SUCCESS"
            | "ACQ.TRADE_HAS_FINISHED"
            | "ACQ.TRADE_STATUS_ERROR"
            | "ACQ.REASON_TRADE_STATUS_INVALID" => return Outcome::Accepted(Closing::Paid),
            "ACQ.TRADE_HAS_CLOSE" => return Outcome::Accepted(Closing::Closed),
            _ => {}
        }
    }
    match done(said, sub_code::asking) {
        Ok(node) => outcome(names_asked(call, &node).map(|()| Closing::Closed)),
        Err(other) => other,
    }
}

/// Refuses a node that does not name the order of the call.
fn names_asked(call: &Call, node: &str) -> Result<(), StatementError> {
    Named::read(node)?.must_name(&Named::read(&call.body)?)
}

/// The answer to taking an order back at the counter. What was not paid is closed, what was paid is
/// given back: either way the office has no money and the order is over. A query afterwards tells a
/// payment that came and went; so does the bill. Only "repeat not" about this order ends it.
pub(super) fn cancelled(call: &Call, said: Said<'_>) -> Outcome<Closing> {
    #[derive(Deserialize)]
    struct Cancelled {
        retry_flag: String,
        #[serde(default)]
        action: String,
    }
    if let Said::Failed(failure) = &said {
        match failure.sub_code.as_str() {
            TRADE_NOT_EXIST => return Outcome::Accepted(Closing::NotThere),
            // It is paid, and cannot be taken back any more.
            "ACQ.SELLER_BALANCE_NOT_ENOUGH"
            | "ACQ.REASON_TRADE_BEEN_FREEZEN"
            | "ACQ.TRADE_CANCEL_TIME_OUT"
            | "ACQ.TRADE_HAS_FINISHED" => return Outcome::Accepted(Closing::Paid),
            "ACQ.TRADE_HAS_CLOSE" => return Outcome::Accepted(Closing::Closed),
            _ => {}
        }
    }
    let node = match done(said, sub_code::asking) {
        Ok(node) => node,
        Err(other) => return other,
    };
    outcome(read::<Cancelled>(&node).and_then(|cancelled| {
        match (cancelled.retry_flag.as_str(), cancelled.action.as_str()) {
            ("N", "close" | "refund") => names_asked(call, &node).map(|()| Closing::Closed),
            // Nothing was done, because there is no trade; the payer's code may still become one.
            ("N", "") => {
                let asked = Named::read(&call.body)?;
                Named::read(&node)?.must_agree(&asked).map(|()| Closing::NotThere)
            }
            ("N", word) => Err(StatementError::word("action", word)),
            (word, _) => Err(StatementError::word("retry_flag", word)),
        }
    }))
}

/// The answer to asking for a refund.
pub(super) fn refunded(key: &RefundKey<'_>, said: Said<'_>) -> Outcome<RefundFact> {
    match done(said, sub_code::refunding) {
        Ok(node) => outcome(Refunded::read(&node).and_then(|refunded| refunded.fact(key))),
        Err(other) => other,
    }
}

/// The answer to a query of a refund.
pub(super) fn refund(key: &RefundKey<'_>, said: Said<'_>) -> Outcome<Option<RefundFact>> {
    if is_failure(&said, TRADE_NOT_EXIST) {
        return Outcome::Accepted(None);
    }
    match done(said, sub_code::asking) {
        Ok(node) => outcome(Refund::read(&node).and_then(|refund| refund.fact(key))),
        Err(other) => other,
    }
}

fn is_failure(said: &Said<'_>, sub_code: &str) -> bool {
    matches!(said, Said::Failed(failure) if failure.sub_code == sub_code)
}

fn outcome<T>(read: Result<T, StatementError>) -> Outcome<T> {
    match read {
        Ok(statement) => Outcome::Accepted(statement),
        Err(why) => Outcome::Unknown(why.to_string()),
    }
}

fn read<'a, T: Deserialize<'a>>(node: &'a str) -> Result<T, StatementError> {
    serde_json::from_str(node).map_err(|source| StatementError::Json(json::fault(&source)))
}
