//! Which call of `APIv3` a request is.

use serde_json::Value;

use super::product::Product;
use crate::faults::Operation;
use crate::message::Received;
use crate::text::percent_decoded;

/// Whether a merchant asks for itself or a service provider for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// 直连商户.
    Direct,
    /// 服务商.
    Partner,
}

/// A call.
pub(super) enum Route {
    Place(Product, Side),
    QueryByNo(String, Side),
    QueryById(String, Side),
    Close(String, Side),
    Combine(Product),
    QueryCombined(String),
    CloseCombined(String),
    Refund,
    QueryRefund(String),
    Abnormal(String),
    TradeBill,
    FundFlowBill,
    Download,
    Certificates,
}

/// A path's only segment, decoded.
fn one(segment: &str) -> Option<String> {
    percent_decoded(segment).filter(|no| !segment.contains('/') && !no.is_empty())
}

impl Route {
    /// The call that a request is, if it is one.
    pub(super) fn of(request: &Received) -> Option<Self> {
        let path = request.path();
        let (side, transactions) = match path.strip_prefix("/v3/pay/partner/transactions/") {
            Some(rest) => (Side::Partner, Some(rest)),
            None => (Side::Direct, path.strip_prefix("/v3/pay/transactions/")),
        };
        if request.method == "POST" {
            if let Some(rest) = transactions {
                let close = rest.strip_prefix("out-trade-no/");
                return match close.and_then(|rest| rest.strip_suffix("/close")) {
                    Some(no) => one(no).map(|no| Self::Close(no, side)),
                    None => Product::of(rest).map(|product| Self::Place(product, side)),
                };
            }
            return Self::posted(path);
        }
        if request.method != "GET" {
            return None;
        }
        if let Some(rest) = transactions {
            return match (rest.strip_prefix("out-trade-no/"), rest.strip_prefix("id/")) {
                (Some(no), _) => one(no).map(|no| Self::QueryByNo(no, side)),
                (None, Some(id)) => one(id).map(|id| Self::QueryById(id, side)),
                (None, None) => None,
            };
        }
        if let Some(no) = path.strip_prefix("/v3/combine-transactions/out-trade-no/") {
            return one(no).map(Self::QueryCombined);
        }
        if let Some(no) = path.strip_prefix("/v3/refund/domestic/refunds/") {
            return one(no).map(Self::QueryRefund);
        }
        match path {
            "/v3/bill/tradebill" => Some(Self::TradeBill),
            "/v3/bill/fundflowbill" => Some(Self::FundFlowBill),
            "/v3/billdownload/file" => Some(Self::Download),
            "/v3/certificates" => Some(Self::Certificates),
            _ => None,
        }
    }

    fn posted(path: &str) -> Option<Self> {
        if path == "/v3/refund/domestic/refunds" {
            return Some(Self::Refund);
        }
        if let Some(rest) = path.strip_prefix("/v3/refund/domestic/refunds/") {
            return rest.strip_suffix("/apply-abnormal-refund").and_then(one).map(Self::Abnormal);
        }
        let rest = path.strip_prefix("/v3/combine-transactions/")?;
        let close = rest.strip_prefix("out-trade-no/");
        match close.and_then(|rest| rest.strip_suffix("/close")) {
            Some(no) => one(no).map(Self::CloseCombined),
            None => Product::of_combined(rest).map(Self::Combine),
        }
    }

    /// What a fault calls it.
    pub(super) const fn operation(&self) -> Operation {
        match self {
            Self::Place(..) | Self::Combine(_) => Operation::Place,
            Self::QueryByNo(..)
            | Self::QueryById(..)
            | Self::QueryCombined(_)
            | Self::Certificates => Operation::Query,
            Self::Close(..) | Self::CloseCombined(_) => Operation::Close,
            Self::Refund | Self::Abnormal(_) => Operation::Refund,
            Self::QueryRefund(_) => Operation::QueryRefund,
            Self::TradeBill => Operation::Bill,
            Self::FundFlowBill => Operation::FundBill,
            Self::Download => Operation::FetchBill,
        }
    }

    /// The order's and the refund's number that it is about, where it says them.
    pub(super) fn numbers(&self, body: &Value) -> (Option<String>, Option<String>) {
        let field = |name| body.get(name).and_then(Value::as_str).map(str::to_owned);
        match self {
            Self::Place(..) => (field("out_trade_no"), None),
            Self::Combine(_) => (field("combine_out_trade_no"), None),
            Self::QueryByNo(no, _)
            | Self::Close(no, _)
            | Self::QueryCombined(no)
            | Self::CloseCombined(no) => (Some(no.clone()), None),
            Self::Refund => (field("out_trade_no"), field("out_refund_no")),
            Self::QueryRefund(no) => (None, Some(no.clone())),
            Self::Abnormal(_) => (None, field("out_refund_no")),
            Self::QueryById(..)
            | Self::TradeBill
            | Self::FundFlowBill
            | Self::Download
            | Self::Certificates => (None, None),
        }
    }
}
