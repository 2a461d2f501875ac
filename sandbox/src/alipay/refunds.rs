//! Refunds of Alipay: done at once; `fund_change` tells whether this very request moved money.

use domain::Fen;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::Request;
use super::node::Business;
use super::notify;
use super::trades::{fields, trade};
use crate::engine::World;
use crate::error::ControlError;
use crate::faults::Action;
use crate::state::{Order, OrderKey, Payment, Refund, RefundKey};
use crate::text::{fen_of_yuan, wall};

/// Alipay scopes refund numbers by trade.
fn key(order: &Order, out_request_no: &str) -> RefundKey {
    (order.merchant.clone(), order.out_trade_no.clone(), out_request_no.to_owned())
}

/// `alipay.trade.refund`.
pub(super) fn refund(
    world: &mut World,
    request: &Request<'_>,
) -> Result<Map<String, Value>, Business> {
    let order = trade(&world.book, request)?;
    let amount = request
        .text("refund_amount")
        .and_then(|text| fen_of_yuan(&text))
        .filter(|amount| *amount >= Fen::new(1))
        .ok_or_else(|| Business::failed("ACQ.INVALID_PARAMETER", "refund_amount无效"))?;
    let out_request_no = match request.text("out_request_no") {
        Some(no) => no,
        None if amount == order.amount => order.out_trade_no.clone(),
        None => {
            let text = "部分退款时out_request_no必传";
            return Err(Business::failed("ACQ.INVALID_PARAMETER", text));
        }
    };
    if out_request_no.len() > 64 {
        return Err(Business::failed("ACQ.INVALID_PARAMETER", "out_request_no不超过64个字符"));
    }
    let refund_key = key(order, &out_request_no);
    if let Some(known) = world.book.refunds.get(&refund_key) {
        if known.amount != amount {
            let text = "同一笔退款号多次退款金额不一致";
            return Err(Business::failed("ACQ.DISCORDANT_REPEAT_REQUEST", text));
        }
        return Ok(told(world, order, Fen::ZERO, known.done_at));
    }
    refundable(world, order, amount, request.now)?;
    if request.action == Some(Action::NotEnough) {
        let text = "卖家余额不足";
        return Err(Business::failed("ACQ.SELLER_BALANCE_NOT_ENOUGH", text));
    }
    let order_key = (order.merchant.clone(), order.out_trade_no.clone());
    file(world, &order_key, &out_request_no, amount, request.now);
    let order = world.book.orders.get(&order_key).ok_or_else(Business::no_trade)?;
    Ok(told(world, order, amount, request.now))
}

/// The rules of a refund.
fn refundable<'a>(
    world: &World,
    order: &'a Order,
    amount: Fen,
    now: Timestamp,
) -> Result<&'a Payment, Business> {
    let payment = order.payment(None).ok_or_else(|| {
        Business::failed("ACQ.REASON_TRADE_STATUS_INVALID", "交易未支付，不允许退款")
    })?;
    if now.duration_since(payment.paid_at) > SignedDuration::from_hours(365 * 24) {
        return Err(Business::failed("ACQ.TRADE_HAS_FINISHED", "交易已完结"));
    }
    let after = world.book.refunded(order).plus(amount);
    if after.is_none_or(|after| after > payment.amount) {
        let text = "退款金额超过可退金额";
        return Err(Business::failed("ACQ.REASON_TRADE_REFUND_FEE_ERR", text));
    }
    Ok(payment)
}

/// Moves the money and puts the notice on its way.
fn file(world: &mut World, order_key: &OrderKey, no: &str, amount: Fen, now: Timestamp) {
    let Some(order) = world.book.orders.get(order_key) else { return };
    let Some(payment) = order.payment(None) else { return };
    let refund = Refund {
        out_refund_no: no.to_owned(),
        refund_no: no.to_owned(),
        ..Refund::new(order, payment, amount, now)
    };
    let refund_key = key(order, no);
    world.book.file_refund(refund_key, refund);
    notify::announce_refund(world, order_key, no, amount, now);
}

/// What `alipay.trade.refund` answers: `refund_fee` is cumulative, `send_back_fee` this request's.
fn told(world: &World, order: &Order, moved: Fen, done_at: Timestamp) -> Map<String, Value> {
    let payer = order.payment(None).map(|payment| payment.payer.clone()).unwrap_or_default();
    fields(&json!({
        "buyer_logon_id": "159****5620",
        "buyer_user_id": payer,
        "fund_change": if moved == Fen::ZERO { "N" } else { "Y" },
        "gmt_refund_pay": wall(done_at),
        "out_trade_no": order.out_trade_no,
        "refund_fee": world.book.refunded(order).yuan(),
        "send_back_fee": moved.yuan(),
        "trade_no": order.trade_no,
    }))
}

/// `alipay.trade.fastpay.refund.query`: an unknown number answers success without any field.
pub(super) fn query(world: &World, request: &Request<'_>) -> Result<Map<String, Value>, Business> {
    let order = trade(&world.book, request)?;
    let no = request
        .text("out_request_no")
        .ok_or_else(|| Business::failed("ACQ.INVALID_PARAMETER", "缺少参数out_request_no"))?;
    let Some(refund) = world.book.refunds.get(&key(order, &no)) else { return Ok(Map::new()) };
    Ok(fields(&json!({
        "gmt_refund_pay": wall(refund.done_at),
        "out_request_no": refund.out_refund_no,
        "out_trade_no": order.out_trade_no,
        "refund_amount": refund.amount.yuan(),
        "refund_status": "REFUND_SUCCESS",
        "total_amount": order.amount.yuan(),
        "trade_no": order.trade_no,
    })))
}

/// A refund in the portal: the notice goes where the trade's notices go.
pub(crate) fn portal_refund(
    world: &mut World,
    order_key: &OrderKey,
    no: &str,
    amount: Fen,
    now: Timestamp,
) -> Result<(), ControlError> {
    let no_order = || ControlError::NoSuchOrder(order_key.1.clone());
    let order = world.book.orders.get(order_key).ok_or_else(no_order)?;
    if world.book.refunds.contains_key(&key(order, no)) || amount < Fen::new(1) {
        let text = format!("{no}: the number is used, or the amount is not positive");
        return Err(ControlError::NotRefundable(text));
    }
    refundable(world, order, amount, now)
        .map_err(|refusal| ControlError::NotRefundable(refusal.sub_msg))?;
    file(world, order_key, no, amount, now);
    Ok(())
}
