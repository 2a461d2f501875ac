//! Trades of Alipay: which one a request means, how it stands, how it is closed. A precreated code or
//! a page is no trade until a wallet has opened it: until then query and close answer that it does
//! not exist, and it stays payable.

use domain::Fen;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::node::Business;
use super::notify;
use super::order::received;
use super::request::Request;
use crate::engine::World;
use crate::state::{Book, Order, Payment};
use crate::text::wall;

/// The products whose closing is told by a notice.
const TOLD_WHEN_CLOSED: [&str; 3] =
    ["FAST_INSTANT_TRADE_PAY", "QUICK_WAP_WAY", "QUICK_MSECURITY_PAY"];

/// The order that a request means, by `trade_no` or `out_trade_no`, whether or not it is a trade.
pub(super) fn found<'b>(
    book: &'b Book,
    request: &Request<'_>,
) -> Result<Option<&'b Order>, Business> {
    let (no, trade_no) = (request.text("out_trade_no"), request.text("trade_no"));
    let found = match (&trade_no, &no) {
        (Some(trade_no), _) => book.trade(request.app_id, trade_no),
        (None, Some(no)) => book.order(request.app_id, no),
        (None, None) => {
            return Err(Business::parameter("out_trade_no和trade_no不能同时为空"));
        }
    };
    Ok(found.filter(|order| order.sub == request.sub))
}

/// The trade that a request means; one that nobody opened is none.
pub(super) fn trade<'b>(book: &'b Book, request: &Request<'_>) -> Result<&'b Order, Business> {
    let found = found(book, request)?;
    found.filter(|order| order.scanned_at.is_some()).ok_or_else(Business::no_trade)
}

/// The provider's word for how a trade stands.
pub(super) fn status(book: &Book, order: &Order, now: Timestamp) -> &'static str {
    match order.payment(None) {
        Some(payment) if book.refunded(order) >= payment.amount => "TRADE_CLOSED",
        Some(_) => "TRADE_SUCCESS",
        None if order.closed_at.is_some() || now >= order.expires_at => "TRADE_CLOSED",
        None => "WAIT_BUYER_PAY",
    }
}

/// What a trade says of its money: `receipt_amount` is what the seller has, `buyer_pay_amount` what
/// the payer gave, `invoice_amount` what an invoice may be for. `vouchers`: with the list of them.
pub(super) fn money(
    order: &Order,
    payment: Option<&Payment>,
    vouchers: bool,
) -> Map<String, Value> {
    let paid = payment.map_or(Fen::ZERO, received).yuan();
    let mut told = fields(&json!({
        "buyer_logon_id": "159****5620",
        "buyer_pay_amount": paid,
        "invoice_amount": paid,
        "point_amount": "0.00",
        "receipt_amount": paid,
        "total_amount": order.amount.yuan(),
    }));
    let Some(payment) = payment else { return told };
    let (name, other) = if payment.payer.starts_with("2088") {
        ("buyer_user_id", "buyer_user_type")
    } else {
        ("buyer_open_id", "buyer_user_type")
    };
    told.insert(name.to_owned(), json!(payment.payer));
    told.insert(other.to_owned(), json!("PRIVATE"));
    let mut funds = vec![json!({"amount": paid, "fund_channel": "ALIPAYACCOUNT"})];
    if payment.coupon > Fen::ZERO {
        let coupon = payment.coupon.yuan();
        funds.push(json!({"amount": coupon, "fund_channel": "MDISCOUNT"}));
        told.insert("mdiscount_amount".to_owned(), json!(coupon));
        told.insert("discount_amount".to_owned(), json!("0.00"));
        if vouchers {
            let voucher = json!([{
                "id": format!("{}01", payment.trade_no),
                "name": "商家优惠券",
                "type": "ALIPAY_FIX_VOUCHER",
                "amount": coupon,
                "merchant_contribute": coupon,
                "other_contribute": "0.00",
            }]);
            told.insert("voucher_detail_list".to_owned(), voucher);
        }
    }
    told.insert("fund_bill_list".to_owned(), Value::Array(funds));
    told
}

/// `alipay.trade.query`.
pub(super) fn query(world: &World, request: &Request<'_>) -> Result<Map<String, Value>, Business> {
    let order = trade(&world.book, request)?;
    let payment = order.payment(request.text("trade_no").as_deref());
    let mut told = money(order, payment, request.wants("voucher_detail_list"));
    told.extend(fields(&json!({
        "out_trade_no": order.out_trade_no,
        "trade_no": payment.map_or(&order.trade_no, |payment| &payment.trade_no),
        "trade_status": status(&world.book, order, request.now),
    })));
    if let Some(payment) = payment {
        told.insert("send_pay_date".to_owned(), json!(wall(payment.paid_at)));
    }
    if let Some(attach) = &order.attach {
        told.insert("passback_params".to_owned(), json!(attach));
    }
    Ok(told)
}

/// `alipay.trade.close`.
pub(super) fn close(
    world: &mut World,
    request: &Request<'_>,
) -> Result<Map<String, Value>, Business> {
    let order = trade(&world.book, request)?;
    let told = fields(&json!({"out_trade_no": order.out_trade_no, "trade_no": order.trade_no}));
    if status(&world.book, order, request.now) != "WAIT_BUYER_PAY" {
        let text = "交易状态不合法";
        return Err(Business::failed("ACQ.REASON_TRADE_STATUS_INVALID", text));
    }
    let (key, product) = (order.key(), order.product);
    if let Some(order) = world.book.orders.get_mut(&key) {
        order.closed_at = Some(request.now);
    }
    if TOLD_WHEN_CLOSED.contains(&product) {
        notify::announce_close(world, &key, request.now);
    }
    Ok(told)
}

/// The fields of an object; what is null is left out.
pub(super) fn fields(value: &Value) -> Map<String, Value> {
    let mut fields = value.as_object().cloned().unwrap_or_default();
    fields.retain(|_, value| !value.is_null());
    fields
}
