//! Refunds of WeChat Pay: asked for by the merchant or in the portal; accepted first, arrived later.

use domain::Fen;
use domain::provider::Provider;
use domain::time::rfc3339;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::notify;
use super::orders::{callback_address, length, letters, strict};
use super::refusal::Refusal;
use crate::engine::World;
use crate::error::ControlError;
use crate::faults::Action;
use crate::state::{Ending, Order, OrderKey, Refund, RefundKey, Standing, later};
use crate::text;

/// No order has more partial refunds.
const MOST_REFUNDS: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
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
}

fn invalid(text: &str) -> Refusal {
    Refusal::new(400, "INVALID_REQUEST", text)
}

/// WeChat Pay scopes refund numbers by merchant.
fn key(mchid: &str, out_refund_no: &str) -> RefundKey {
    (mchid.to_owned(), String::new(), out_refund_no.to_owned())
}

/// `POST /v3/refund/domestic/refunds`.
pub(super) fn refund(
    world: &mut World,
    now: Timestamp,
    mchid: &str,
    body: &[u8],
    action: Option<Action>,
) -> Result<Value, Refusal> {
    let (wanted, terms) = strict::<Wanted>(body)?;
    wanted.check()?;
    let key = key(mchid, &wanted.out_refund_no);
    if let Some(known) = world.book.refunds.get(&key) {
        if known.terms == terms {
            return Ok(described(known, now));
        }
        return Err(invalid("订单金额或退款金额等参数与之前请求不一致，请核实后再试"));
    }
    let order = match (&wanted.transaction_id, &wanted.out_trade_no) {
        (Some(id), no) => world
            .book
            .trade(mchid, id)
            .filter(|order| no.as_ref().is_none_or(|no| *no == order.out_trade_no)),
        (None, Some(no)) => world.book.order(mchid, no),
        (None, None) => return Err(invalid("transaction_id和out_trade_no须填其一")),
    };
    let order = order.ok_or_else(|| Refusal::new(404, "RESOURCE_NOT_EXISTS", "订单不存在"))?;
    let amount = Fen::new(wanted.amount.refund);
    if Fen::new(wanted.amount.total) != order.amount {
        return Err(invalid("订单总金额与支付订单不一致"));
    }
    let trade_no = refundable(world, order, amount, now, wanted.transaction_id.as_deref())?;
    if action == Some(Action::NotEnough) {
        return Err(Refusal::new(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"));
    }
    let delay = world.keys.wechat(mchid).map_or(0, |merchant| merchant.config.refund_delay_s);
    let refund = Refund {
        provider: Provider::Wechat,
        merchant: mchid.to_owned(),
        out_trade_no: order.out_trade_no.clone(),
        trade_no,
        refund_no: text::number(world.seed, &["refund", mchid, &key.2], now, ("5030", 7, 10)),
        out_refund_no: key.2.clone(),
        amount,
        total: order.amount,
        coupon: Fen::ZERO,
        total_coupon: Fen::ZERO,
        sub: None,
        notify_url: None,
        portal: false,
        terms,
        accepted_at: now,
        done_at: later(now, delay),
        ending: if action == Some(Action::Abnormal) { Ending::Abnormal } else { Ending::Success },
    };
    let told = described(&refund, now);
    if let Some(address) = wanted.notify_url {
        notify::announce_refund(world, &refund, address);
    }
    world.book.file_refund(key, refund);
    Ok(told)
}

/// The rules of a refund; gives the payment that it goes back to.
fn refundable(
    world: &World,
    order: &Order,
    amount: Fen,
    now: Timestamp,
    transaction_id: Option<&str>,
) -> Result<String, Refusal> {
    let payment = order.payment(transaction_id).ok_or_else(|| invalid("订单未支付，不能退款"))?;
    if now.duration_since(payment.paid_at) > SignedDuration::from_hours(365 * 24) {
        return Err(invalid("交易时间超过一年的订单无法提交退款"));
    }
    if order.refunds.len() >= MOST_REFUNDS {
        return Err(Refusal::new(403, "RULE_LIMIT", "部分退款次数超过50次"));
    }
    let before = Fen::sum(
        world
            .book
            .refunds_of(order)
            .filter(|refund| refund.trade_no == payment.trade_no)
            .map(|refund| refund.amount),
    );
    let after = before.and_then(|before| before.plus(amount));
    if after.is_none_or(|after| after > payment.amount) {
        return Err(invalid("申请退款金额超过订单可退金额"));
    }
    Ok(payment.trade_no.clone())
}

/// `GET /v3/refund/domestic/refunds/{no}`.
pub(super) fn query(
    world: &World,
    now: Timestamp,
    mchid: &str,
    out_refund_no: &str,
) -> Result<Value, Refusal> {
    world
        .book
        .refunds
        .get(&key(mchid, out_refund_no))
        .map(|refund| described(refund, now))
        .ok_or_else(|| Refusal::new(404, "RESOURCE_NOT_EXISTS", "退款单不存在"))
}

/// A refund in the portal: nobody is called back (the real provider sends its old XML, which the
/// sandbox does not speak), so the bill is where the merchant learns of it.
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
    let trade_no = refundable(world, found, amount, now, None)
        .map_err(|refusal| ControlError::NotRefundable(refusal.message))?;
    let delay = world.keys.wechat(&order.0).map_or(0, |merchant| merchant.config.refund_delay_s);
    let refund = Refund {
        provider: Provider::Wechat,
        merchant: order.0.clone(),
        out_trade_no: order.1.clone(),
        trade_no,
        refund_no: text::number(world.seed, &["refund", &order.0, &key.2], now, ("5030", 7, 10)),
        out_refund_no: out_refund_no.to_owned(),
        amount,
        total: found.amount,
        coupon: Fen::ZERO,
        total_coupon: Fen::ZERO,
        sub: None,
        notify_url: None,
        portal: true,
        terms: Value::Null,
        accepted_at: now,
        done_at: later(now, delay),
        ending: Ending::Success,
    };
    world.book.file_refund(key, refund);
    Ok(())
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
fn described(refund: &Refund, now: Timestamp) -> Value {
    let (fen, total) = (refund.amount.get(), refund.total.get());
    let standing = refund.standing(now);
    let mut told = json!({
        "amount": {
            "currency": "CNY", "discount_refund": 0, "payer_refund": fen, "payer_total": total,
            "refund": fen, "refund_fee": 0, "settlement_refund": fen, "settlement_total": total,
            "total": total, "from": [],
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
