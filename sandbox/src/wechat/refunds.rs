//! Refunds of WeChat Pay: asked for by the merchant or in the portal; accepted first, arrived later.

use domain::Fen;
use domain::time::rfc3339;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Asked;
use super::fields::{callback_address, length, letters, strict};
use super::notify;
use super::refusal::Refusal;
use crate::engine::World;
use crate::error::ControlError;
use crate::faults::Action;
use crate::state::{Ending, Order, OrderKey, Payment, Refund, RefundKey, Standing, later};
use crate::text::{self, query_value};
use crate::wechat_v2;

/// No order has more partial refunds.
const MOST_REFUNDS: usize = 50;
/// Two refunds of one order are so far apart, where the merchant wants the rule held.
const LEAST_GAP: SignedDuration = SignedDuration::from_mins(1);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    sub_mchid: Option<String>,
    transaction_id: Option<String>,
    out_trade_no: Option<String>,
    out_refund_no: String,
    reason: Option<String>,
    notify_url: Option<String>,
    funds_account: Option<String>,
    amount: Amount,
    goods_detail: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    refund: i64,
    total: i64,
    currency: String,
    from: Option<Value>,
}

impl Wanted {
    fn check(&self) -> Result<(), Refusal> {
        length("out_refund_no", &self.out_refund_no, 1, 64)?;
        letters("out_refund_no", &self.out_refund_no, "_-|*@")?;
        if let Some(reason) = &self.reason {
            length("reason", reason, 1, 80)?;
        }
        if let Some(address) = &self.notify_url {
            callback_address(address, 256)?;
        }
        if self.amount.currency != "CNY" {
            return Err(Refusal::parameter("/amount/currency", "", "仅支持CNY"));
        }
        if self.amount.refund < 1 {
            let refund = self.amount.refund.to_string();
            return Err(Refusal::parameter("/amount/refund", &refund, "退款金额须大于0"));
        }
        // Accepted; the sandbox draws nothing from them.
        let _kept = (&self.funds_account, &self.goods_detail, &self.amount.from);
        Ok(())
    }

    /// The order that is meant, by either of its numbers, or both when they agree.
    fn order<'w>(&self, world: &'w World, mchid: &str) -> Result<&'w Order, Refusal> {
        let order = match (&self.transaction_id, &self.out_trade_no) {
            (Some(id), no) => world
                .book
                .trade(mchid, id)
                .filter(|order| no.as_ref().is_none_or(|no| *no == order.out_trade_no)),
            (None, Some(no)) => world.book.order(mchid, no),
            (None, None) => return Err(invalid("transaction_id和out_trade_no须填其一")),
        };
        order
            .filter(|order| order.sub.as_ref().map(|sub| &sub.mchid) == self.sub_mchid.as_ref())
            .ok_or_else(|| Refusal::new(404, "RESOURCE_NOT_EXISTS", "订单不存在"))
    }
}

fn invalid(text: &str) -> Refusal {
    Refusal::new(400, "INVALID_REQUEST", text)
}

/// WeChat Pay scopes refund numbers by merchant.
pub(super) fn key(mchid: &str, out_refund_no: &str) -> RefundKey {
    (mchid.to_owned(), String::new(), out_refund_no.to_owned())
}

/// `POST /v3/refund/domestic/refunds`.
pub(super) fn refund(world: &mut World, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let (wanted, terms) = strict::<Wanted>(&asked.request.body)?;
    wanted.check()?;
    let key = key(asked.mchid, &wanted.out_refund_no);
    if let Some(known) = world.book.refunds.get(&key) {
        if known.terms == terms {
            return Ok(described(known, asked.now));
        }
        return Err(invalid("订单金额或退款金额等参数与之前请求不一致，请核实后再试"));
    }
    let order = wanted.order(world, asked.mchid)?;
    let amount = Fen::new(wanted.amount.refund);
    if Fen::new(wanted.amount.total) != order.amount {
        return Err(invalid("订单总金额与支付订单不一致"));
    }
    let payment = refundable(world, order, amount, asked.now, wanted.transaction_id.as_deref())?;
    if asked.action == Some(Action::NotEnough) {
        return Err(Refusal::new(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"));
    }
    let refund = Refund {
        notify_url: wanted.notify_url,
        terms,
        ending: match asked.action {
            Some(Action::Abnormal) => Ending::Abnormal,
            Some(Action::Closed) => Ending::Closed,
            _ => Ending::Success,
        },
        ..accepted(world, order, payment, amount, &key)(asked.now)
    };
    let told = described(&refund, asked.now);
    world.book.file_refund(key.clone(), refund);
    announce(world, &key);
    Ok(told)
}

/// A refund as it is accepted, to arrive after the merchant's delay.
fn accepted<'w>(
    world: &'w World,
    order: &'w Order,
    payment: &'w Payment,
    amount: Fen,
    key: &'w RefundKey,
) -> impl FnOnce(Timestamp) -> Refund + 'w {
    move |now| {
        let delay = world.keys.wechat(&key.0).map_or(0, |known| known.config.refund_delay_s);
        Refund {
            out_refund_no: key.2.clone(),
            refund_no: text::number(world.seed, &["refund", &key.0, &key.2], now, ("5030", 7, 10)),
            coupon: coupon_share(world, order, payment, amount),
            done_at: later(now, delay),
            ..Refund::new(order, payment, amount, now)
        }
    }
}

/// How much of a refund is coupon: in proportion over all refunds so far, rounded down, so that a
/// whole refund takes back the whole coupon.
pub(crate) fn coupon_share(world: &World, order: &Order, payment: &Payment, amount: Fen) -> Fen {
    let (before, given) = world
        .book
        .refunds_of(order)
        .filter(|refund| refund.trade_no == payment.trade_no)
        .fold((0_i64, 0_i64), |(amounts, coupons), refund| {
            let amounts = amounts.saturating_add(refund.amount.get());
            (amounts, coupons.saturating_add(refund.coupon.get()))
        });
    let after = i128::from(before.saturating_add(amount.get()));
    let share = after
        .saturating_mul(i128::from(payment.coupon.get()))
        .checked_div(i128::from(payment.amount.get()))
        .unwrap_or(0);
    let share = i64::try_from(share).unwrap_or(0).saturating_sub(given);
    Fen::new(share.clamp(0, amount.get()))
}

/// The rules of a refund; gives the payment that it goes back to.
fn refundable<'w>(
    world: &'w World,
    order: &'w Order,
    amount: Fen,
    now: Timestamp,
    transaction_id: Option<&str>,
) -> Result<&'w Payment, Refusal> {
    let payment = order.payment(transaction_id).ok_or_else(|| invalid("订单未支付，不能退款"))?;
    if now.duration_since(payment.paid_at) > SignedDuration::from_hours(365 * 24) {
        return Err(invalid("交易时间超过一年的订单无法提交退款"));
    }
    let strict = world.keys.wechat(&order.merchant).is_some_and(|it| it.config.strict_intervals);
    let last = world.book.refunds_of(order).map(|refund| refund.accepted_at).max();
    if strict && last.is_some_and(|last| now.duration_since(last) < LEAST_GAP) {
        return Err(Refusal::new(429, "FREQUENCY_LIMITED", "同一订单的部分退款须间隔一分钟"));
    }
    // What was closed moved nothing and holds nothing.
    let standing =
        world.book.refunds_of(order).filter(|refund| refund.standing(now) != Standing::Closed);
    let (mut count, mut before) = (0_usize, Fen::ZERO);
    for refund in standing {
        count = count.saturating_add(1);
        if refund.trade_no == payment.trade_no {
            before = before.plus(refund.amount).unwrap_or(before);
        }
    }
    if count >= MOST_REFUNDS {
        return Err(Refusal::new(403, "RULE_LIMIT", "部分退款次数超过50次"));
    }
    if before.plus(amount).is_none_or(|after| after > payment.amount) {
        return Err(invalid("申请退款金额超过订单可退金额"));
    }
    Ok(payment)
}

/// `GET /v3/refund/domestic/refunds/{no}`.
pub(super) fn query(
    world: &World,
    asked: &Asked<'_>,
    out_refund_no: &str,
) -> Result<Value, Refusal> {
    let sub = query_value(asked.request.query(), "sub_mchid");
    world
        .book
        .refunds
        .get(&key(asked.mchid, out_refund_no))
        .filter(|refund| refund.is_for(sub.as_deref()))
        .map(|refund| described(refund, asked.now))
        .ok_or_else(|| Refusal::new(404, "RESOURCE_NOT_EXISTS", "退款单不存在"))
}

/// A refund in the portal. It is told in the old XML, to the address of the order's own notices, and
/// only to a merchant who has a key of the old interface.
pub(crate) fn portal_refund(
    world: &mut World,
    order: &OrderKey,
    out_refund_no: &str,
    amount: Fen,
    now: Timestamp,
) -> Result<(), ControlError> {
    let key = key(&order.0, out_refund_no);
    let no_order = || ControlError::NoSuchOrder(order.1.clone());
    let found = world.book.orders.get(order).ok_or_else(no_order)?;
    if world.book.refunds.contains_key(&key) || amount < Fen::new(1) {
        let text = format!("{out_refund_no}: the number is used, or the amount is not positive");
        return Err(ControlError::NotRefundable(text));
    }
    let payment = refundable(world, found, amount, now, None)
        .map_err(|refusal| ControlError::NotRefundable(refusal.message))?;
    let refund = Refund { portal: true, ..accepted(world, found, payment, amount, &key)(now) };
    world.book.file_refund(key.clone(), refund);
    announce(world, &key);
    Ok(())
}

/// Puts the notice of a refund on its way, due when the refund is done: sealed JSON to the address
/// that the request gave; without one, XML of the old interface to the address of the order's notices.
pub(super) fn announce(world: &mut World, key: &RefundKey) {
    let Some(refund) = world.book.refunds.get(key).cloned() else { return };
    if refund.notify_url.is_some() {
        return notify::announce_refund(world, &refund);
    }
    let order = world.book.order(&refund.merchant, &refund.out_trade_no);
    if let Some(url) = order.and_then(|order| order.notify_url.clone()) {
        wechat_v2::announce_refund(world, &refund, url);
    }
}

/// The provider's word for how a refund stands.
pub(super) const fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Processing => "PROCESSING",
        Standing::Success => "SUCCESS",
        Standing::Abnormal => "ABNORMAL",
        Standing::Closed => "CLOSED",
    }
}

/// A refund as the answers carry it.
pub(super) fn described(refund: &Refund, now: Timestamp) -> Value {
    let less = |all: Fen, part: Fen| all.minus(part).unwrap_or(all).get();
    let left = less(refund.amount, refund.coupon);
    let total_left = less(refund.total, refund.total_coupon);
    let standing = refund.standing(now);
    let mut told = json!({
        "amount": {
            "currency": "CNY", "discount_refund": refund.coupon.get(), "payer_refund": left,
            "payer_total": total_left, "refund": refund.amount.get(), "refund_fee": 0,
            "settlement_refund": left, "settlement_total": total_left,
            "total": refund.total.get(), "from": [],
        },
        "channel": "ORIGINAL",
        "create_time": rfc3339(refund.accepted_at),
        "funds_account": "AVAILABLE",
        "out_refund_no": refund.out_refund_no,
        "out_trade_no": refund.out_trade_no,
        "promotion_detail": [],
        "refund_id": refund.refund_no,
        "status": word(standing),
        "transaction_id": refund.trade_no,
        "user_received_account": "支付用户零钱",
    });
    if standing == Standing::Success
        && let Some(fields) = told.as_object_mut()
    {
        fields.insert("success_time".to_owned(), json!(rfc3339(refund.done_at)));
    }
    told
}
