//! Which failures of the business decide a call: nothing was done, and nothing will be under its
//! number. Every other one leaves it to a query.

use crate::wire::Reason;

/// Alipay knows no such trade.
pub(super) const TRADE_NOT_EXIST: &str = "ACQ.TRADE_NOT_EXIST";

/// Why placing is refused for good. Not in here, so that a query decides: the trade is paid
/// already, or its number came with other parameters (`TRADE_HAS_SUCCESS`,
/// `CONTEXT_INCONSISTENT`), and `SYSTEM_ERROR`.
pub(super) fn placing(sub_code: &str) -> Option<Reason> {
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

/// The same where a payer is named: this payer cannot.
pub(super) fn creating(sub_code: &str) -> Option<Reason> {
    match sub_code {
        "ACQ.BUYER_SELLER_EQUAL"
        | "ACQ.TRADE_BUYER_NOT_MATCH"
        | "ACQ.BUYER_ENABLE_STATUS_FORBID"
        | "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR"
        | "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR"
        | "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT" => Some(Reason::NotAllowed),
        _ => placing(sub_code),
    }
}

/// The same at the counter: the payer's code, purse or phone did not do.
pub(super) fn scanning(sub_code: &str) -> Option<Reason> {
    match sub_code {
        "ACQ.PAYMENT_AUTH_CODE_INVALID" => Some(Reason::InvalidRequest),
        "ACQ.BUYER_BALANCE_NOT_ENOUGH"
        | "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH"
        | "ACQ.ERROR_BALANCE_PAYMENT_DISABLE"
        | "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE"
        | "ACQ.PULL_MOBILE_CASHIER_FAIL"
        | "ACQ.MOBILE_PAYMENT_SWITCH_OFF"
        | "ACQ.USER_FACE_PAYMENT_SWITCH_OFF"
        | "ACQ.PAYMENT_FAIL"
        | "ACQ.PAYMENT_REQUEST_HAS_RISK" => Some(Reason::NotAllowed),
        _ => creating(sub_code),
    }
}

/// Why a query, a close or a cancellation is refused for good.
pub(super) fn asking(sub_code: &str) -> Option<Reason> {
    match sub_code {
        "ACQ.INVALID_PARAMETER" => Some(Reason::InvalidRequest),
        "ACQ.ACCESS_FORBIDDEN" | "ACQ.PARTNER_ERROR" => Some(Reason::Configuration),
        _ => None,
    }
}

/// Why a refund is refused for good: nothing moved under its number. Not in here:
/// `SYSTEM_ERROR`, and `DISCORDANT_REPEAT_REQUEST`, which says that something did.
pub(super) fn refunding(sub_code: &str) -> Option<Reason> {
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
