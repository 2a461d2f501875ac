//! The business calls about orders and refunds. Their bodies are stored and repeated byte for
//! byte, so nothing in here may depend on anything but its arguments.

use domain::ids::OutTradeNo;
use domain::money::Fen;
use domain::time::rfc3339;
use serde::Serialize;

use crate::limits::{self, Length, broken};
use crate::percent;
use crate::provider::{Account, LimitError, NewOrder, NewRefund, Product, RefundKey};
use crate::wire::{Call, Method};

/// Marks that WeChat takes in an order's number; a refund's may hold `@` too.
const ORDER_MARKS: &str = "_-|*";
const REFUND_MARKS: &str = "_-|*@";

#[derive(Serialize)]
struct PlaceBody<'a> {
    appid: &'a str,
    mchid: &'a str,
    description: &'a str,
    out_trade_no: &'a str,
    time_expire: String,
    notify_url: &'a str,
    amount: PlaceAmount,
}

#[derive(Serialize)]
struct PlaceAmount {
    total: i64,
    currency: &'static str,
}

#[derive(Serialize)]
struct RefundBody<'a> {
    transaction_id: &'a str,
    out_refund_no: &'a str,
    reason: &'a str,
    notify_url: &'a str,
    amount: RefundAmount,
}

#[derive(Serialize)]
struct RefundAmount {
    refund: i64,
    total: i64,
    currency: &'static str,
}

/// `POST /v3/pay/transactions/native`.
pub(super) fn place(account: &Account, order: &NewOrder<'_>) -> Result<Call, LimitError> {
    only_native(order.product)?;
    limits::number("out_trade_no", order.out_trade_no.as_str(), (6, 32), ORDER_MARKS)?;
    limits::text("subject", order.subject, Length::Bytes(127))?;
    limits::notify_url(order.notify_url, 255)?;
    payable("amount_fen", order.amount)?;
    post(
        "/v3/pay/transactions/native".to_owned(),
        &PlaceBody {
            appid: &account.app,
            mchid: &account.payee,
            description: order.subject,
            out_trade_no: order.out_trade_no.as_str(),
            time_expire: rfc3339(order.expires_at),
            notify_url: order.notify_url,
            amount: PlaceAmount { total: order.amount.get(), currency: "CNY" },
        },
    )
}

/// `GET /v3/pay/transactions/out-trade-no/{out_trade_no}`.
pub(super) fn query(account: &Account, out_trade_no: &OutTradeNo) -> Call {
    let number = percent::encode(out_trade_no.as_str());
    let mchid = percent::encode(&account.payee);
    get(format!("/v3/pay/transactions/out-trade-no/{number}?mchid={mchid}"))
}

/// `POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close`.
pub(super) fn close(account: &Account, out_trade_no: &OutTradeNo) -> Call {
    let number = percent::encode(out_trade_no.as_str());
    Call {
        method: Method::Post,
        target: format!("/v3/pay/transactions/out-trade-no/{number}/close"),
        body: serde_json::json!({ "mchid": account.payee }).to_string(),
        parameters: Vec::new(),
    }
}

/// `POST /v3/refund/domestic/refunds`, for the payment that has the provider's number.
pub(super) fn refund(refund: &NewRefund<'_>) -> Result<Call, LimitError> {
    limits::number("out_refund_no", refund.out_refund_no.as_str(), (1, 64), REFUND_MARKS)?;
    limits::text("reason", refund.reason, Length::Bytes(80))?;
    limits::notify_url(refund.notify_url, 256)?;
    payable("amount_fen", refund.amount)?;
    payable("total_fen", refund.total)?;
    if refund.amount > refund.total {
        return Err(broken("amount_fen", "must not be more than the payment"));
    }
    post(
        "/v3/refund/domestic/refunds".to_owned(),
        &RefundBody {
            transaction_id: refund.provider_trade_no.as_str(),
            out_refund_no: refund.out_refund_no.as_str(),
            reason: refund.reason,
            notify_url: refund.notify_url,
            amount: RefundAmount {
                refund: refund.amount.get(),
                total: refund.total.get(),
                currency: "CNY",
            },
        },
    )
}

/// `GET /v3/refund/domestic/refunds/{out_refund_no}`.
pub(super) fn query_refund(refund: &RefundKey<'_>) -> Call {
    let number = percent::encode(refund.out_refund_no.as_str());
    get(format!("/v3/refund/domestic/refunds/{number}"))
}

fn only_native(product: Product) -> Result<(), LimitError> {
    match product {
        Product::Native => Ok(()),
        Product::Jsapi | Product::H5 | Product::App | Product::Codepay => {
            Err(broken("product", format!("{} is not offered yet; use native", product.as_str())))
        }
        Product::Precreate | Product::Page | Product::Wap | Product::Create | Product::Pay => {
            Err(broken("product", format!("{} is not WeChat Pay's; use native", product.as_str())))
        }
    }
}

fn payable(field: &'static str, amount: Fen) -> Result<(), LimitError> {
    if amount.is_payable() {
        return Ok(());
    }
    Err(broken(field, "1 to 10000000000 fen"))
}

pub(super) fn get(target: String) -> Call {
    Call { method: Method::Get, target, body: String::new(), parameters: Vec::new() }
}

fn post(target: String, body: &impl Serialize) -> Result<Call, LimitError> {
    let body = serde_json::to_string(body)
        .map_err(|source| broken("body", format!("cannot be written: {source}")))?;
    Ok(Call { method: Method::Post, target, body, parameters: Vec::new() })
}
