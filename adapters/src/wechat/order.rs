//! The calls that ask for an order and close it.

use domain::ids::OutTradeNo;
use serde::Serialize;

use super::parties::Parties;
use crate::limits::broken;
use crate::percent;
use crate::provider::{LimitError, OrderKey};
use crate::wire::{Call, Method};

/// Marks that WeChat takes in an order's number.
pub(super) const ORDER_MARKS: &str = "_-|*";

/// `GET …/transactions/id/{transaction_id}` where WeChat's number is known, else
/// `GET …/transactions/out-trade-no/{out_trade_no}`.
pub(super) fn query(parties: &Parties, order: &OrderKey<'_>) -> Call {
    let (by, number) = match order.provider_trade_no {
        Some(number) => ("id", number.as_str()),
        None => ("out-trade-no", order.out_trade_no.as_str()),
    };
    let (root, number, query) = (parties.orders(), percent::encode(number), parties.query());
    get(format!("{root}/{by}/{number}?{query}"))
}

/// `POST …/transactions/out-trade-no/{out_trade_no}/close`.
pub(super) fn close(parties: &Parties, out_trade_no: &OutTradeNo) -> Call {
    let number = percent::encode(out_trade_no.as_str());
    Call {
        method: Method::Post,
        target: format!("{}/out-trade-no/{number}/close", parties.orders()),
        // Two texts as an object: there is nothing in it that could not be written.
        body: serde_json::to_string(&parties.numbers()).unwrap_or_default(),
        parameters: Vec::new(),
    }
}

pub(super) fn get(target: String) -> Call {
    Call { method: Method::Get, target, body: String::new(), parameters: Vec::new() }
}

pub(super) fn post(target: String, body: &impl Serialize) -> Result<Call, LimitError> {
    let body = serde_json::to_string(body)
        .map_err(|source| broken("body", format!("cannot be written: {source}")))?;
    Ok(Call { method: Method::Post, target, body, parameters: Vec::new() })
}
