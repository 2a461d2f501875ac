//! How often WeChat Pay takes calls of one sort from one merchant (wire.md a5, a10, a12, a13).
//! Sorts for which it names no figure are kept well below the others.

use crate::provider::Rate;
use crate::wire::{Call, Method};

/// The rate of a call, by its address.
pub(super) fn of(call: &Call) -> Rate {
    let path = call.target.split('?').next().unwrap_or_default();
    let rate = |sort, per_second| Rate { sort, per_second };
    if !path.starts_with('/') || path.starts_with("/v3/bill/") {
        return rate("bill", 3);
    }
    let is_refund = path.starts_with("/v3/refund/");
    match call.method {
        Method::Post if is_refund => rate("refund", 150),
        Method::Get if is_refund => rate("refund_query", 300),
        Method::Get if path == "/v3/certificates" => rate("certificates", 10),
        Method::Post if path.ends_with("/close") => rate("close", 300),
        Method::Post => rate("order", 500),
        Method::Get => rate("order_query", 300),
    }
}
