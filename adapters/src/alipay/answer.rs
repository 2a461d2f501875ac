//! Reads answers into accepted, refused or unknown. A failure decides only where its `sub_code`
//! is known to mean that nothing was done; every other one leaves it to a query.

use domain::fact::{OrderStanding, RefundFact};
use domain::ids::OutTradeNo;
use serde::Deserialize;

use super::gateway::{Said, done};
use super::statement::{Refund, Refunded, StatementError, Trade};
use crate::json;
use crate::provider::{Closing, Pay, Placed, RefundKey};
use crate::wire::{Outcome, Reason};

const TRADE_NOT_EXIST: &str = "ACQ.TRADE_NOT_EXIST";

/// The answer to placing an order.
pub(super) fn placed(said: Said<'_>) -> Outcome<Placed> {
    #[derive(Deserialize)]
    struct Code {
        qr_code: String,
    }
    let node = match done(said, placing_refused) {
        Ok(node) => node,
        Err(other) => return other,
    };
    match serde_json::from_str::<Code>(node) {
        Ok(Code { qr_code }) if !qr_code.is_empty() => {
            Outcome::Accepted(Placed::Offered(Pay::QrCode { code_url: qr_code }))
        }
        Ok(_) => Outcome::Unknown("qr_code is empty".to_owned()),
        Err(source) => Outcome::Unknown(format!("the node {}", json::fault(&source))),
    }
}

/// The answer to a query of an order.
pub(super) fn order(out_trade_no: &OutTradeNo, said: Said<'_>) -> Outcome<OrderStanding> {
    if is_failure(&said, TRADE_NOT_EXIST) {
        return Outcome::Accepted(OrderStanding::Absent);
    }
    match done(said, asking_refused) {
        Ok(node) => outcome(Trade::read(node).and_then(|trade| trade.standing(out_trade_no))),
        Err(other) => other,
    }
}

/// The answer to closing an order. Whatever says that its state does not allow it leads to a
/// query, as a payment does.
pub(super) fn closed(said: Said<'_>) -> Outcome<Closing> {
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
    match done(said, asking_refused) {
        Ok(_node) => Outcome::Accepted(Closing::Closed),
        Err(other) => other,
    }
}

/// The answer to asking for a refund.
pub(super) fn refunded(key: &RefundKey<'_>, said: Said<'_>) -> Outcome<RefundFact> {
    match done(said, refunding_refused) {
        Ok(node) => outcome(Refunded::read(node).and_then(|refunded| refunded.fact(key))),
        Err(other) => other,
    }
}

/// The answer to a query of a refund.
pub(super) fn refund(key: &RefundKey<'_>, said: Said<'_>) -> Outcome<Option<RefundFact>> {
    if is_failure(&said, TRADE_NOT_EXIST) {
        return Outcome::Accepted(None);
    }
    match done(said, asking_refused) {
        Ok(node) => outcome(Refund::read(node).and_then(|refund| refund.fact(key))),
        Err(other) => other,
    }
}

/// Why placing is refused for good. Not in here, so that a query decides: the trade is paid
/// already, or its number came with other parameters (`TRADE_HAS_SUCCESS`,
/// `CONTEXT_INCONSISTENT`), and `SYSTEM_ERROR`.
fn placing_refused(sub_code: &str) -> Option<Reason> {
    match sub_code {
        "ACQ.INVALID_PARAMETER" | "ACQ.EXIST_FORBIDDEN_WORD" | "ACQ.TOTAL_FEE_EXCEED" => {
            Some(Reason::InvalidRequest)
        }
        "ACQ.ACCESS_FORBIDDEN" | "ACQ.PARTNER_ERROR" | "ACQ.INVALID_RECEIVE_ACCOUNT" => {
            Some(Reason::Configuration)
        }
        "ACQ.TRADE_HAS_CLOSE" => Some(Reason::AlreadyClosed),
        "ACQ.SELLER_BEEN_BLOCKED"
        | "ACQ.MERCHANT_AGREEMENT_NOT_EXIST"
        | "ACQ.PRODUCT_AMOUNT_LIMIT_ERROR"
        | "ACQ.BEYOND_PER_RECEIPT_RESTRICTION"
        | "ACQ.BEYOND_PAY_RESTRICTION" => Some(Reason::NotAllowed),
        _ => None,
    }
}

/// Why a query or a close is refused for good.
fn asking_refused(sub_code: &str) -> Option<Reason> {
    match sub_code {
        "ACQ.INVALID_PARAMETER" => Some(Reason::InvalidRequest),
        "ACQ.ACCESS_FORBIDDEN" | "ACQ.PARTNER_ERROR" => Some(Reason::Configuration),
        _ => None,
    }
}

/// Why a refund is refused for good: nothing moved under its number. Not in here:
/// `SYSTEM_ERROR`, and `DISCORDANT_REPEAT_REQUEST`, which says that something did.
fn refunding_refused(sub_code: &str) -> Option<Reason> {
    match sub_code {
        "ACQ.INVALID_PARAMETER" => Some(Reason::InvalidRequest),
        "ACQ.ACCESS_FORBIDDEN" | "ACQ.PARTNER_ERROR" => Some(Reason::Configuration),
        TRADE_NOT_EXIST => Some(Reason::NotFound),
        "ACQ.SELLER_BALANCE_NOT_ENOUGH" => Some(Reason::NotEnoughFunds),
        "ACQ.REASON_TRADE_REFUND_FEE_ERR"
        | "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
        | "ACQ.NOT_ALLOW_PARTIAL_REFUND"
        | "ACQ.REASON_TRADE_BEEN_FREEZEN"
        | "ACQ.REASON_TRADE_STATUS_INVALID"
        | "ACQ.TRADE_NOT_ALLOW_REFUND"
        | "ACQ.TRADE_STATUS_ERROR"
        | "ACQ.TRADE_HAS_CLOSE"
        | "ACQ.TRADE_HAS_FINISHED" => Some(Reason::NotAllowed),
        _ => None,
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
