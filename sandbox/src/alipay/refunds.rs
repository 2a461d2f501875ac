//! Refunds of Alipay: done at once; `fund_change` tells whether this very request moved money.

use domain::Fen;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::node::Business;
use super::notify;
use super::request::Request;
use super::trades::{fields, trade};
use crate::engine::World;
use crate::error::ControlError;
use crate::faults::Action;
use crate::state::{Order, OrderKey, Payment, Refund, RefundKey};
use crate::text::{fen_of_yuan, wall};

/// How long Alipay wants between two refunds of one trade.
const GAP: SignedDuration = SignedDuration::from_secs(3);

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
        .ok_or_else(|| Business::parameter("refund_amount无效"))?;
    let out_request_no = match request.text("out_request_no") {
        Some(no) => no,
        None if amount == order.amount => order.out_trade_no.clone(),
        None => {
            let text = "部分退款时out_request_no必传";
            return Err(Business::parameter(text));
        }
    };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
    if out_request_no.len() > 64 || !out_request_no.chars().all(plain) {
        return Err(Business::parameter("out_request_no不超过64个字符，只含字母、数字、下划线"));
    }
    if request.text("refund_reason").is_some_and(|reason| reason.chars().count() > 256) {
        return Err(Business::parameter("refund_reason不超过256个字符"));
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
    let order_key = order.key();
    too_soon(world, &order_key, request)?;
    if request.action == Some(Action::NotEnough) {
        let text = "卖家余额不足";
        return Err(Business::failed("ACQ.SELLER_BALANCE_NOT_ENOUGH", text));
    }
    file(world, &order_key, &out_request_no, amount, request.now);
    let order = world.book.orders.get(&order_key).ok_or_else(Business::no_trade)?;
    Ok(told(world, order, amount, request.now))
}

/// Two refunds of one trade within three seconds: noted, and refused where the configuration is
/// strict. With which word the real gateway refuses is not documented.
fn too_soon(world: &mut World, key: &OrderKey, request: &Request<'_>) -> Result<(), Business> {
    let Some(order) = world.book.orders.get(key) else { return Ok(()) };
    let newest = world.book.refunds_of(order).map(|refund| refund.accepted_at).max();
    if newest.is_none_or(|newest| request.now.duration_since(newest) >= GAP) {
        return Ok(());
    }
    world.verdicts.deviates("refund: less than 3 s after the one before");
    let strict = world.keys.alipay(request.app_id).is_some_and(|app| app.config.strict_intervals);
    if strict {
        let text = "同一笔交易的两次退款须间隔3秒以上";
        return Err(Business::failed("ACQ.TRADE_NOT_ALLOW_REFUND", text));
    }
    Ok(())
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
pub(super) fn file(world: &mut World, order_key: &OrderKey, no: &str, amount: Fen, now: Timestamp) {
    let Some(order) = world.book.orders.get(order_key) else { return };
    let Some(payment) = order.payment(None) else { return };
    let refund = Refund {
        coupon: coupon_part(world, order, payment, amount),
        out_refund_no: no.to_owned(),
        refund_no: no.to_owned(),
        ..Refund::new(order, payment, amount, now)
    };
    let refund_key = key(order, no);
    world.book.file_refund(refund_key, refund);
    notify::announce_refund(world, order_key, no, amount, now);
}

/// How much of a refund is coupon: pro rata, and with the last refund what is left.
fn coupon_part(world: &World, order: &Order, payment: &Payment, amount: Fen) -> Fen {
    let earlier = |of: fn(&Refund) -> Fen| {
        Fen::sum(world.book.refunds_of(order).map(of)).unwrap_or(Fen::ZERO)
    };
    let left = payment.coupon.minus(earlier(|refund| refund.coupon)).unwrap_or(Fen::ZERO);
    if earlier(|refund| refund.amount).plus(amount) == Some(payment.amount) {
        return left;
    }
    let share = i128::from(payment.coupon.get()).saturating_mul(i128::from(amount.get()));
    let share = share.checked_div(i128::from(payment.amount.get())).unwrap_or(0);
    Fen::new(i64::try_from(share).unwrap_or(0)).min(left)
}

/// What `alipay.trade.refund` answers: `refund_fee` is cumulative, `send_back_fee` this request's.
fn told(world: &World, order: &Order, moved: Fen, done_at: Timestamp) -> Map<String, Value> {
    let payment = order.payment(None);
    let payer = payment.map(|payment| payment.payer.clone()).unwrap_or_default();
    let id = if payer.starts_with("2088") { "buyer_user_id" } else { "buyer_open_id" };
    let mut told = fields(&json!({
        "buyer_logon_id": "159****5620",
        "fund_change": if moved == Fen::ZERO { "N" } else { "Y" },
        "gmt_refund_pay": wall(done_at),
        "out_trade_no": order.out_trade_no,
        "refund_fee": world.book.refunded(order).yuan(),
        "send_back_fee": moved.yuan(),
        "trade_no": order.trade_no,
    }));
    told.insert(id.to_owned(), json!(payer));
    if moved > Fen::ZERO {
        let funds = json!([{"amount": moved.yuan(), "fund_channel": "ALIPAYACCOUNT"}]);
        told.insert("refund_detail_item_list".to_owned(), funds);
    }
    told
}

/// `alipay.trade.fastpay.refund.query`: an unknown number answers success without any field.
pub(super) fn query(world: &World, request: &Request<'_>) -> Result<Map<String, Value>, Business> {
    let order = trade(&world.book, request)?;
    let no = request
        .text("out_request_no")
        .ok_or_else(|| Business::parameter("缺少参数out_request_no"))?;
    let Some(refund) = world.book.refunds.get(&key(order, &no)) else { return Ok(Map::new()) };
    // Its time is told only to whoever asks for it.
    let at = request.wants("gmt_refund_pay").then(|| wall(refund.done_at));
    let item = json!([{"amount": refund.amount.yuan(), "fund_channel": "ALIPAYACCOUNT"}]);
    Ok(fields(&json!({
        "gmt_refund_pay": at,
        "out_request_no": refund.out_refund_no,
        "out_trade_no": order.out_trade_no,
        "refund_amount": refund.amount.yuan(),
        "refund_detail_item_list": request.wants("refund_detail_item_list").then_some(item),
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
