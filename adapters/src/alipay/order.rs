//! The business calls about orders and refunds. Their `biz_content` is stored and repeated byte
//! for byte, so nothing in here may depend on anything but its arguments.

use domain::ids::OutTradeNo;
use domain::money::Fen;
use domain::time::beijing;
use serde_json::{Value, json};

use crate::limits::{self, Length, broken};
use crate::provider::{Account, LimitError, NewOrder, NewRefund, Product, RefundKey};
use crate::wire::{Call, Method};

pub(super) const PRECREATE: &str = "alipay.trade.precreate";
pub(super) const QUERY: &str = "alipay.trade.query";
pub(super) const CLOSE: &str = "alipay.trade.close";
pub(super) const REFUND: &str = "alipay.trade.refund";
pub(super) const REFUND_QUERY: &str = "alipay.trade.fastpay.refund.query";

/// The largest amount of one trade: 100 000 000 yuan.
const LARGEST_TRADE: Fen = Fen::new(10_000_000_000);

/// `alipay.trade.precreate`: a code that the payer scans.
pub(super) fn place(account: &Account, order: &NewOrder<'_>) -> Result<Call, LimitError> {
    only_precreate(order.product)?;
    limits::number("out_trade_no", order.out_trade_no.as_str(), (1, 64), "_")?;
    limits::notify_url(order.notify_url, 256)?;
    payable("amount_fen", order.amount)?;
    let mut call = call(
        PRECREATE,
        &json!({
            "out_trade_no": order.out_trade_no,
            "total_amount": order.amount.yuan(),
            "subject": subject(order.subject)?,
            "product_code": "FACE_TO_FACE_PAYMENT",
            "seller_id": account.payee,
            "time_expire": beijing(order.expires_at).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        }),
    );
    call.parameters.push(("notify_url".to_owned(), order.notify_url.to_owned()));
    Ok(call)
}

/// `alipay.trade.query`.
pub(super) fn query(out_trade_no: &OutTradeNo) -> Call {
    call(QUERY, &json!({ "out_trade_no": out_trade_no }))
}

/// `alipay.trade.close`.
pub(super) fn close(out_trade_no: &OutTradeNo) -> Call {
    call(CLOSE, &json!({ "out_trade_no": out_trade_no }))
}

/// `alipay.trade.refund`. Its notices go to the order's own `notify_url`.
pub(super) fn refund(refund: &NewRefund<'_>) -> Result<Call, LimitError> {
    limits::number("out_refund_no", refund.out_refund_no.as_str(), (1, 64), "_")?;
    limits::text("reason", refund.reason, Length::Characters(256))?;
    payable("amount_fen", refund.amount)?;
    if refund.amount > refund.total {
        return Err(broken("amount_fen", "must not be more than the payment"));
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

/// What the payer reads. Alipay forbids three marks, which are refused; a comma is allowed, but
/// nobody knows how a bill's CSV escapes it, so a full-width one is sent instead.
fn subject(text: &str) -> Result<String, LimitError> {
    limits::text("subject", text, Length::Characters(256))?;
    if text.contains(['/', '=', '&']) {
        return Err(broken("subject", "must not hold / = or &"));
    }
    Ok(text.replace(',', "，"))
}

fn only_precreate(product: Product) -> Result<(), LimitError> {
    let name = product.as_str();
    match product {
        Product::Precreate => Ok(()),
        Product::Page | Product::Wap | Product::App | Product::Create | Product::Pay => {
            Err(broken("product", format!("{name} is not offered yet; use precreate")))
        }
        Product::Native | Product::Jsapi | Product::H5 | Product::Codepay => {
            Err(broken("product", format!("{name} is not Alipay's; use precreate")))
        }
    }
}

fn payable(field: &'static str, amount: Fen) -> Result<(), LimitError> {
    if amount.is_payable() && amount <= LARGEST_TRADE {
        return Ok(());
    }
    Err(broken(field, "1 to 10000000000 fen"))
}

pub(super) fn call(method: &str, biz_content: &Value) -> Call {
    Call {
        method: Method::Post,
        target: method.to_owned(),
        body: biz_content.to_string(),
        parameters: Vec::new(),
    }
}
