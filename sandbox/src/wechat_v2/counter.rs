//! The counter scans the payer (付款码支付), and takes back what went wrong. Nobody is called back.

use jiff::{SignedDuration, Timestamp};

use super::asked::Asked;
use super::orders::{common, named, paid};
use super::refusal::Refusal;
use super::slip::{Case, Counter, Slip};
use super::xml::Fields;
use crate::engine::World;
use crate::faults::Action;
use crate::state::{Order, OrderKey, Refund, later};
use crate::text;

/// A payer has so long to enter a password.
const PATIENCE_S: u32 = 30;
/// An order can be reversed for so long.
const REVERSIBLE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// `POST /pay/micropay`.
pub(super) fn pay(world: &mut World, asked: &Asked) -> Result<Fields, Refusal> {
    let mut order = common(world, asked)?;
    order.product = "MICROPAY";
    let code = asked.need("auth_code", 128)?;
    let digits = code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_digit());
    let known = ["10", "11", "12", "13", "14", "15"].iter().any(|start| code.starts_with(start));
    if !(digits && known) {
        return Err(Refusal::new("AUTH_CODE_INVALID", "收银员扫描的不是微信支付的条码"));
    }
    if asked.action == Some(Action::NotEnough) {
        return Err(Refusal::new("NOTENOUGH", "用户账户余额不足"));
    }
    let key = order.key();
    if let Some(first) = world.book.orders.get(&key) {
        return Err(again(first, world.book.slips.get(&key), &order, asked.now));
    }
    let case = Case::of(code);
    if case == Case::Expired {
        return Err(Refusal::new("AUTHCODEEXPIRE", "二维码已过期，请用户在微信上刷新后再试"));
    }
    let life = if case.pays() || case.waits() { PATIENCE_S } else { 0 };
    order.expires_at = later(asked.now, life);
    order.code_expires_at = order.expires_at;
    let counter = Some(Counter { case, reversed_at: None, reversals: 0 });
    let device_info = asked.get("device_info").map(str::to_owned);
    let slip = Slip { sign_type: asked.sign_type, device_info, counter };
    world.book.slips.insert(key.clone(), slip);
    world.book.orders.insert(key.clone(), order);
    if case.pays() {
        settle(world, &key, asked.now)?;
    }
    outcome(world, &key, case)
}

fn settle(world: &mut World, key: &OrderKey, now: Timestamp) -> Result<(), Refusal> {
    let failed = |source: crate::error::ControlError| {
        Refusal::new("SYSTEMERROR", format!("系统错误: {source}"))
    };
    world.take_payment(key, now, domain::Fen::ZERO).map(|_payment| ()).map_err(failed)
}

fn outcome(world: &World, key: &OrderKey, case: Case) -> Result<Fields, Refusal> {
    match case {
        Case::Pays | Case::PaysRecalls => {
            let order = world.book.orders.get(key).ok_or_else(Refusal::no_order)?;
            let payment = order.payment(None).ok_or_else(Refusal::no_order)?;
            let mut fields = paid(order, payment);
            if let Some(device) =
                world.book.slips.get(key).and_then(|slip| slip.device_info.clone())
            {
                fields.insert("device_info".to_owned(), device);
            }
            Ok(fields)
        }
        Case::AsksPassword | Case::AsksPasswordRecalls => {
            Err(Refusal::new("USERPAYING", "需要用户输入支付密码"))
        }
        Case::PaysUnseen => Err(Refusal::new("SYSTEMERROR", "系统超时，请查询订单确认结果")),
        Case::BankSilent => Err(Refusal::new("BANKERROR", "银行系统异常，请查询订单确认结果")),
        Case::Poor => Err(Refusal::new("NOTENOUGH", "用户账户余额不足")),
        Case::Expired => Err(Refusal::new("AUTHCODEEXPIRE", "二维码已过期")),
    }
}

/// What a second request under the same number is told; it never pays.
fn again(first: &Order, slip: Option<&Slip>, wanted: &Order, now: Timestamp) -> Refusal {
    let state = slip.and_then(|slip| slip.counter_state(first, now)).map(|(state, _)| state);
    match state {
        Some("REVOKED") => Refusal::new("ORDERREVERSED", "订单已撤销"),
        _ if first.is_paid() => Refusal::new("ORDERPAID", "订单已支付"),
        _ if first.closed_at.is_some() => Refusal::new("ORDERCLOSED", "订单已关闭"),
        _ if first.terms != wanted.terms => Refusal::new("OUT_TRADE_NO_USED", "商户订单号重复"),
        Some("USERPAYING") => Refusal::new("USERPAYING", "需要用户输入支付密码"),
        _ => Refusal::new("TRADE_ERROR", "交易失败，请更换商户订单号"),
    }
}

/// `POST /secapi/pay/reverse`.
pub(super) fn reverse(world: &mut World, asked: &Asked) -> Result<Fields, Refusal> {
    let key = named(world, asked).map(Order::key).map_err(|refusal| refusal.recalled(false))?;
    if take_back(world, asked, &key).map_err(|refusal| refusal.recalled(false))? {
        world.verdicts.deviates("reverse: within 15 seconds of the payment request");
    }
    Ok(Fields::from([("recall".to_owned(), "N".to_owned())]))
}

/// Reverses an order once; whether that was sooner than the manual wants.
fn take_back(world: &mut World, asked: &Asked, key: &OrderKey) -> Result<bool, Refusal> {
    let now = asked.now;
    let order = world.book.orders.get(key).ok_or_else(Refusal::no_order)?;
    let soon = now.duration_since(order.created_at) < SignedDuration::from_secs(15);
    let wrong = || Refusal::new("TRADE_ERROR", "请检查当前订单状态是否可撤销");
    if order.product != "MICROPAY" {
        return Err(wrong());
    }
    if now.duration_since(order.created_at) > REVERSIBLE {
        return Err(Refusal::new("REVERSE_EXPIRE", "订单无法撤销: 超过7天"));
    }
    let counter = world.book.slips.get_mut(key).and_then(|slip| slip.counter.as_mut());
    let counter = counter.ok_or_else(wrong)?;
    if counter.reversed_at.is_some() {
        return Ok(false);
    }
    if !order.refunds.is_empty() {
        return Err(Refusal::new("TRADE_ERROR", "订单已发生退款，不能撤销"));
    }
    counter.reversals = counter.reversals.saturating_add(1);
    if counter.case.recalls() && counter.reversals == 1 {
        return Err(Refusal::new("SYSTEMERROR", "系统超时，请重新调用撤销").recalled(true));
    }
    counter.reversed_at = Some(now);
    let back = order.payment(None).map(|payment| Refund {
        refund_no: text::number(world.seed, &["reverse", &key.0, &key.1], now, ("5030", 7, 10)),
        out_refund_no: key.1.clone(),
        reversal: true,
        ..Refund::new(order, payment, payment.amount, now)
    });
    if let Some(order) = world.book.orders.get_mut(key) {
        order.closed_at.get_or_insert(now);
    }
    if let Some(refund) = back {
        world.book.file_refund((key.0.clone(), String::new(), key.1.clone()), refund);
    }
    Ok(soon)
}
