//! Which call of the old interface a request is, and which fields each call knows.

use super::refusal::Refusal;
use crate::faults::Operation;

/// A call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    UnifiedOrder,
    OrderQuery,
    CloseOrder,
    Micropay,
    Reverse,
    Refund,
    RefundQuery,
    DownloadBill,
    DownloadFundFlow,
}

/// Fields that every call knows.
const EVERYWHERE: &[&str] =
    &["appid", "mch_id", "nonce_str", "sign", "sign_type", "sub_mch_id", "sub_appid"];
const ORDER: &[&str] = &[
    "device_info",
    "body",
    "detail",
    "attach",
    "out_trade_no",
    "fee_type",
    "total_fee",
    "spbill_create_ip",
    "time_start",
    "time_expire",
    "goods_tag",
    "limit_pay",
    "receipt",
    "profit_sharing",
    "scene_info",
];
const UNIFIED: &[&str] = &["notify_url", "trade_type", "product_id", "openid", "sub_openid"];
const REFUND: &[&str] = &[
    "transaction_id",
    "out_trade_no",
    "out_refund_no",
    "total_fee",
    "refund_fee",
    "refund_fee_type",
    "refund_desc",
    "refund_account",
    "notify_url",
];

impl Route {
    /// The call at that path.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/pay/unifiedorder" => Some(Self::UnifiedOrder),
            "/pay/orderquery" => Some(Self::OrderQuery),
            "/pay/closeorder" => Some(Self::CloseOrder),
            "/pay/micropay" => Some(Self::Micropay),
            "/secapi/pay/reverse" => Some(Self::Reverse),
            "/secapi/pay/refund" => Some(Self::Refund),
            "/pay/refundquery" => Some(Self::RefundQuery),
            "/pay/downloadbill" => Some(Self::DownloadBill),
            "/pay/downloadfundflow" => Some(Self::DownloadFundFlow),
            _ => None,
        }
    }

    /// What a fault calls it.
    pub(super) const fn operation(self) -> Operation {
        match self {
            Self::UnifiedOrder | Self::Micropay => Operation::Place,
            Self::OrderQuery => Operation::Query,
            Self::CloseOrder | Self::Reverse => Operation::Close,
            Self::Refund => Operation::Refund,
            Self::RefundQuery => Operation::QueryRefund,
            Self::DownloadBill => Operation::Bill,
            Self::DownloadFundFlow => Operation::FundBill,
        }
    }

    /// Whether the manual has that field for this call.
    pub(super) fn knows(self, field: &str) -> bool {
        let own = match self {
            Self::UnifiedOrder => ORDER.contains(&field) || UNIFIED.contains(&field),
            Self::Micropay => ORDER.contains(&field) || field == "auth_code",
            Self::OrderQuery | Self::Reverse => {
                matches!(field, "transaction_id" | "out_trade_no")
            }
            Self::CloseOrder => field == "out_trade_no",
            Self::Refund => REFUND.contains(&field),
            Self::RefundQuery => matches!(
                field,
                "transaction_id" | "out_trade_no" | "out_refund_no" | "refund_id" | "offset"
            ),
            Self::DownloadBill => matches!(field, "bill_date" | "bill_type" | "tar_type"),
            Self::DownloadFundFlow => matches!(field, "bill_date" | "account_type" | "tar_type"),
        };
        own || EVERYWHERE.contains(&field)
    }

    /// A field that breaks a rule of this call.
    pub(super) fn wrong(self, message: impl Into<String>) -> Refusal {
        match self {
            Self::UnifiedOrder | Self::OrderQuery | Self::CloseOrder => {
                Refusal::new("INVALID_REQUEST", message)
            }
            Self::Micropay | Self::Reverse | Self::Refund | Self::RefundQuery => {
                Refusal::new("PARAM_ERROR", message)
            }
            Self::DownloadBill | Self::DownloadFundFlow => Refusal::unheard(message),
        }
    }
}
