//! The business calls about refunds, stored and repeated byte for byte.

use domain::time::{beijing, from_beijing};
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use super::order::{call, payable};
use crate::limits::{self, Length, broken};
use crate::provider::{LimitError, NewRefund, RefundKey};
use crate::wire::Call;

pub(super) const REFUND: &str = "alipay.trade.refund";
pub(super) const REFUND_QUERY: &str = "alipay.trade.fastpay.refund.query";

/// `alipay.trade.refund`. Its notices go to the order's own `notify_url`.
pub(super) fn refund(refund: &NewRefund<'_>) -> Result<Call, LimitError> {
    limits::number("out_refund_no", refund.out_refund_no.as_str(), (1, 64), "_")?;
    limits::text("reason", refund.reason, Length::Characters(256))?;
    payable("amount_fen", refund.amount)?;
    if refund.amount > refund.total {
        return Err(broken("amount_fen", "must not be more than the payment"));
    }
    if refund.now > last_chance(refund.paid_at) {
        return Err(broken("paid_at", "Alipay refunds for 1 year after the payment at most"));
    }
    Ok(call(
        REFUND,
        &json!({
            "out_trade_no": refund.out_trade_no,
            "trade_no": refund.provider_trade_no,
            "refund_amount": refund.amount.yuan(),
            "refund_reason": refund.reason,
            "out_request_no": refund.out_refund_no,
        }),
    ))
}

/// `alipay.trade.fastpay.refund.query`; its time is told only when it is asked for.
pub(super) fn query_refund(refund: &RefundKey<'_>) -> Call {
    call(
        REFUND_QUERY,
        &json!({
            "out_trade_no": refund.out_trade_no,
            "out_request_no": refund.out_refund_no,
            "query_options": ["gmt_refund_pay"],
        }),
    )
}

/// The last instant at which a payment can be given back: a year later by the calendar. Some
/// contracts say less; then Alipay refuses by itself.
fn last_chance(paid_at: Timestamp) -> Timestamp {
    beijing(paid_at).checked_add(1.year()).map_or(Timestamp::MAX, from_beijing)
}
