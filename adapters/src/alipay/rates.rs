//! How often calls of one sort are sent for one merchant. Alipay publishes no figures for its
//! gateway and answers `isv.app-call-limited` beyond them, so these are set on purpose: far above
//! what an office needs, and so that asking never takes the place of paying.

use super::download::BILL_URL;
use super::order::{CANCEL, CLOSE, QUERY};
use super::refund::{REFUND, REFUND_QUERY};
use super::renewal::DOWNLOAD;
use super::sign::is_method;
use crate::provider::Rate;
use crate::wire::Call;

/// The rate of a call, by its method; bills are fetched from addresses.
pub(super) fn of(call: &Call) -> Rate {
    let rate = |sort, per_second| Rate { sort, per_second };
    match call.target.as_str() {
        BILL_URL => rate("bill", 3),
        DOWNLOAD => rate("certificates", 1),
        REFUND => rate("refund", 50),
        REFUND_QUERY => rate("refund_query", 100),
        QUERY => rate("order_query", 200),
        CLOSE | CANCEL => rate("close", 100),
        method if is_method(method) => rate("order", 200),
        _ => rate("bill", 3),
    }
}
