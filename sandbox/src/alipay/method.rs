//! The methods of the gateway: their names, what they answer to in faults, what they may be asked.

use crate::faults::Operation;

/// A method of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    PagePay,
    WapPay,
    AppPay,
    Precreate,
    Create,
    Pay,
    Query,
    Close,
    Cancel,
    Refund,
    RefundQuery,
    BillAddress,
    Certificate,
}

/// What every way to place an order may be asked.
const ORDER: &[&str] = &[
    "out_trade_no",
    "total_amount",
    "subject",
    "body",
    "product_code",
    "seller_id",
    "discountable_amount",
    "undiscountable_amount",
    "goods_detail",
    "extend_params",
    "business_params",
    "promo_params",
    "royalty_info",
    "settle_info",
    "sub_merchant",
    "operator_id",
    "store_id",
    "terminal_id",
    "alipay_store_id",
    "merchant_order_no",
    "timeout_express",
    "time_expire",
    "ext_user_info",
    "passback_params",
    "enable_pay_channels",
    "disable_pay_channels",
    "specified_channel",
    "query_options",
    "agreement_sign_params",
    "invoice_info",
];

impl Method {
    const ALL: [Self; 13] = [
        Self::PagePay,
        Self::WapPay,
        Self::AppPay,
        Self::Precreate,
        Self::Create,
        Self::Pay,
        Self::Query,
        Self::Close,
        Self::Cancel,
        Self::Refund,
        Self::RefundQuery,
        Self::BillAddress,
        Self::Certificate,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::PagePay => "alipay.trade.page.pay",
            Self::WapPay => "alipay.trade.wap.pay",
            Self::AppPay => "alipay.trade.app.pay",
            Self::Precreate => "alipay.trade.precreate",
            Self::Create => "alipay.trade.create",
            Self::Pay => "alipay.trade.pay",
            Self::Query => "alipay.trade.query",
            Self::Close => "alipay.trade.close",
            Self::Cancel => "alipay.trade.cancel",
            Self::Refund => "alipay.trade.refund",
            Self::RefundQuery => "alipay.trade.fastpay.refund.query",
            Self::BillAddress => "alipay.data.dataservice.bill.downloadurl.query",
            Self::Certificate => "alipay.open.app.alipaycert.download",
        }
    }

    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Which call a fault means.
    pub(super) const fn operation(self) -> Operation {
        match self {
            Self::PagePay
            | Self::WapPay
            | Self::AppPay
            | Self::Precreate
            | Self::Create
            | Self::Pay => Operation::Place,
            // No fault is meant for certificates.
            Self::Query | Self::Certificate => Operation::Query,
            Self::Close | Self::Cancel => Operation::Close,
            Self::Refund => Operation::Refund,
            Self::RefundQuery => Operation::QueryRefund,
            Self::BillAddress => Operation::Bill,
        }
    }

    /// Whether a browser brings it and wants a page.
    pub(super) const fn is_page(self) -> bool {
        matches!(self, Self::PagePay | Self::WapPay)
    }

    /// The product codes with which an order may be placed; the first one where none is given and
    /// none is needed.
    pub(super) const fn products(self) -> &'static [&'static str] {
        match self {
            Self::PagePay => &["FAST_INSTANT_TRADE_PAY"],
            Self::WapPay => &["QUICK_WAP_WAY"],
            Self::AppPay => &["QUICK_MSECURITY_PAY"],
            Self::Precreate | Self::Pay => &["FACE_TO_FACE_PAYMENT"],
            Self::Create => &["JSAPI_PAY", "FACE_TO_FACE_PAYMENT"],
            Self::Query
            | Self::Close
            | Self::Cancel
            | Self::Refund
            | Self::RefundQuery
            | Self::BillAddress
            | Self::Certificate => &[],
        }
    }

    /// Whether the product code must be given.
    pub(super) const fn needs_product(self) -> bool {
        matches!(self, Self::PagePay | Self::WapPay | Self::Create)
    }

    /// Whether the manual knows that field of its content.
    pub(super) fn knows(self, field: &str) -> bool {
        let own: &[&str] = match self {
            Self::PagePay => &[
                "qr_pay_mode",
                "qrcode_width",
                "goods_type",
                "request_from_url",
                "integration_type",
            ],
            Self::WapPay => &["quit_url", "goods_type", "auth_token"],
            Self::AppPay => &["goods_type", "ext_user_info"],
            Self::Precreate => &["qr_code_timeout_express"],
            Self::Create => &["buyer_id", "buyer_open_id", "op_app_id", "op_buyer_open_id"],
            Self::Pay => &[
                "scene",
                "auth_code",
                "buyer_id",
                "auth_confirm_mode",
                "terminal_params",
                "is_async_pay",
            ],
            Self::Query => &["out_trade_no", "trade_no", "org_pid", "query_options"],
            Self::Close => &["out_trade_no", "trade_no", "operator_id"],
            Self::Cancel => &["out_trade_no", "trade_no"],
            Self::Refund => &[
                "out_trade_no",
                "trade_no",
                "refund_amount",
                "refund_currency",
                "refund_reason",
                "out_request_no",
                "operator_id",
                "store_id",
                "terminal_id",
                "goods_detail",
                "refund_goods_detail",
                "refund_royalty_parameters",
                "query_options",
                "org_pid",
                "related_settle_confirm_no",
            ],
            Self::RefundQuery => {
                &["out_trade_no", "trade_no", "out_request_no", "org_pid", "query_options"]
            }
            Self::BillAddress => &["bill_type", "bill_date", "smid"],
            Self::Certificate => &["alipay_cert_sn"],
        };
        let places = !self.products().is_empty();
        own.contains(&field) || (places && ORDER.contains(&field))
    }
}
