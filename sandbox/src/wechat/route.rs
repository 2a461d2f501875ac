//! Which call of `APIv3` a request is.

use serde_json::Value;

use crate::faults::Operation;
use crate::message::Received;
use crate::text::percent_decoded;

/// A call.
pub(super) enum Route {
    Native,
    QueryByNo(String),
    QueryById(String),
    Close(String),
    Refund,
    QueryRefund(String),
    TradeBill,
    Download,
    Certificates,
}

impl Route {
    /// The call that a request is, if it is one.
    pub(super) fn of(request: &Received) -> Option<Self> {
        let path = request.path();
        let one = |segment: &str| {
            percent_decoded(segment).filter(|no| !segment.contains('/') && !no.is_empty())
        };
        if request.method == "POST" {
            let close = path
                .strip_prefix("/v3/pay/transactions/out-trade-no/")
                .and_then(|rest| rest.strip_suffix("/close"));
            return match (path, close) {
                ("/v3/pay/transactions/native", _) => Some(Self::Native),
                ("/v3/refund/domestic/refunds", _) => Some(Self::Refund),
                (_, Some(no)) => one(no).map(Self::Close),
                (_, None) => None,
            };
        }
        if request.method != "GET" {
            return None;
        }
        if let Some(no) = path.strip_prefix("/v3/pay/transactions/out-trade-no/") {
            return one(no).map(Self::QueryByNo);
        }
        if let Some(id) = path.strip_prefix("/v3/pay/transactions/id/") {
            return one(id).map(Self::QueryById);
        }
        if let Some(no) = path.strip_prefix("/v3/refund/domestic/refunds/") {
            return one(no).map(Self::QueryRefund);
        }
        match path {
            "/v3/bill/tradebill" => Some(Self::TradeBill),
            "/v3/billdownload/file" => Some(Self::Download),
            "/v3/certificates" => Some(Self::Certificates),
            _ => None,
        }
    }

    /// What a fault calls it.
    pub(super) const fn operation(&self) -> Operation {
        match self {
            Self::Native => Operation::Place,
            Self::QueryByNo(_) | Self::QueryById(_) | Self::Certificates => Operation::Query,
            Self::Close(_) => Operation::Close,
            Self::Refund => Operation::Refund,
            Self::QueryRefund(_) => Operation::QueryRefund,
            Self::TradeBill => Operation::Bill,
            Self::Download => Operation::FetchBill,
        }
    }

    /// The order's and the refund's number that it is about, where it says them.
    pub(super) fn numbers(&self, body: &Value) -> (Option<String>, Option<String>) {
        let field = |name| body.get(name).and_then(Value::as_str).map(str::to_owned);
        match self {
            Self::Native => (field("out_trade_no"), None),
            Self::QueryByNo(no) | Self::Close(no) => (Some(no.clone()), None),
            Self::Refund => (field("out_trade_no"), field("out_refund_no")),
            Self::QueryRefund(no) => (None, Some(no.clone())),
            Self::QueryById(_) | Self::TradeBill | Self::Download | Self::Certificates => {
                (None, None)
            }
        }
    }
}
