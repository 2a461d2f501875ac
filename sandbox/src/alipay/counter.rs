//! The payer's barcode at the counter (付款码): paid at once, waiting, refused, or nobody knows; and
//! the cancel that takes a payment back whose outcome is unknown. The last four digits of the code
//! say what happens, so that a test can choose.

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::node::Business;
use super::notify;
use super::order::file;
use super::refunds;
use super::request::Request;
use super::trades::{fields, found, money};
use crate::engine::World;
use crate::faults::Action;
use crate::state::OrderKey;

/// A payment can be cancelled for a day.
const CANCEL_HOURS: i64 = 24;

/// What a barcode does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Paid,
    /// `…9900`: the payer must confirm on the phone.
    Waits,
    /// `…9901`: the gateway says that it does not know, and the payer has paid.
    PaidUnknown,
    /// `…9902`: the code is not good.
    Invalid,
    /// `…9903`: the payer has not enough.
    Poor,
}

fn fate(code: &str) -> Fate {
    let ends = |digits: &str| code.ends_with(digits);
    if ends("9900") {
        Fate::Waits
    } else if ends("9901") {
        Fate::PaidUnknown
    } else if ends("9902") {
        Fate::Invalid
    } else if ends("9903") {
        Fate::Poor
    } else {
        Fate::Paid
    }
}

/// `alipay.trade.pay`.
pub(super) fn pay(
    world: &mut World,
    request: &Request<'_>,
) -> Result<Map<String, Value>, Business> {
    let code = request.text("auth_code").ok_or_else(|| Business::parameter("缺少参数auth_code"))?;
    if !matches!(request.text("scene").as_deref(), Some("bar_code" | "wave_code")) {
        return Err(Business::parameter("scene须为bar_code"));
    }
    let fate = fate(&code);
    if !is_barcode(&code) || fate == Fate::Invalid || used(world, request, &code) {
        let text = "支付失败，获取顾客账户信息失败，请顾客刷新付款码后重新收款";
        return Err(Business::failed("ACQ.PAYMENT_AUTH_CODE_INVALID", text));
    }
    if fate == Fate::Poor || request.action == Some(Action::NotEnough) {
        let text = "支付失败，买家账户余额不足，请更换付款方式";
        return Err(Business::failed("ACQ.BUYER_BALANCE_NOT_ENOUGH", text));
    }
    let order = file(world, request)?;
    order.code_expires_at = order.expires_at;
    let key = order.key();
    if fate == Fate::Waits {
        world.open_code(&key, request.now);
        return waiting(world, &key);
    }
    let payment = world
        .take_payment(&key, request.now, domain::Fen::ZERO)
        .map_err(|source| Business::failed("ACQ.SYSTEM_ERROR", source.to_string()))?;
    notify::announce_payment(world, &key, &payment, request.now);
    if fate == Fate::PaidUnknown {
        return Err(Business::failed("ACQ.SYSTEM_ERROR", "系统错误"));
    }
    let order = world.book.orders.get(&key).ok_or_else(Business::no_trade)?;
    let mut told = money(order, Some(&payment), true);
    told.insert("gmt_payment".to_owned(), json!(crate::text::wall(payment.paid_at)));
    told.insert("out_trade_no".to_owned(), json!(order.out_trade_no));
    told.insert("trade_no".to_owned(), json!(payment.trade_no));
    Ok(told)
}

fn waiting(world: &World, key: &OrderKey) -> Result<Map<String, Value>, Business> {
    let order = world.book.orders.get(key).ok_or_else(Business::no_trade)?;
    Ok(fields(&json!({
        "code": "10003",
        "msg": "order success pay inprocess",
        "buyer_logon_id": "159****5620",
        "out_trade_no": order.out_trade_no,
        "total_amount": order.amount.yuan(),
        "trade_no": order.trade_no,
    })))
}

/// Sixteen to twenty-four digits, the first two of which are 25 to 30.
fn is_barcode(code: &str) -> bool {
    let first = code.get(..2).and_then(|first| first.parse::<u8>().ok());
    (16..=24).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_digit())
        && first.is_some_and(|first| (25..=30).contains(&first))
}

/// Whether another order was paid or waits under this code: each is good once.
fn used(world: &World, request: &Request<'_>, code: &str) -> bool {
    let own = request.text("out_trade_no");
    world.book.orders.values().any(|order| {
        let said = order.terms.pointer("/content/auth_code").and_then(Value::as_str);
        said == Some(code) && Some(&order.out_trade_no) != own.as_ref()
    })
}

/// `alipay.trade.cancel`: closes what is not paid, gives back what is. Nothing to cancel is success
/// without an action.
pub(super) fn cancel(
    world: &mut World,
    request: &Request<'_>,
) -> Result<Map<String, Value>, Business> {
    if request.action == Some(Action::Abnormal) {
        return Ok(fields(&json!({
            "code": "40004", "msg": "Business Failed", "retry_flag": "Y",
            "sub_code": "ACQ.SYSTEM_ERROR", "sub_msg": "系统错误",
        })));
    }
    let Some(order) = found(&world.book, request)?.filter(|order| order.scanned_at.is_some())
    else {
        return Ok(fields(&json!({
            "out_trade_no": request.text("out_trade_no"), "retry_flag": "N",
        })));
    };
    let told = |action: &str| {
        fields(&json!({
            "action": action,
            "out_trade_no": order.out_trade_no,
            "retry_flag": "N",
            "trade_no": order.trade_no,
        }))
    };
    let (closed, refunded) = (told("close"), told("refund"));
    let key = order.key();
    let Some(payment) = order.payment(None) else {
        if let Some(order) = world.book.orders.get_mut(&key) {
            order.closed_at.get_or_insert(request.now);
        }
        return Ok(closed);
    };
    let back = world.book.refunded(order);
    if back == payment.amount {
        return Ok(refunded);
    }
    if back > domain::Fen::ZERO {
        return Err(Business::failed("ACQ.CANCEL_NOT_ALLOWED", "已部分退款的交易不能撤销"));
    }
    if request.now.duration_since(payment.paid_at) > SignedDuration::from_hours(CANCEL_HOURS) {
        return Err(Business::failed("ACQ.TRADE_CANCEL_TIME_OUT", "超过撤销时间，请用退款"));
    }
    if request.action == Some(Action::NotEnough) {
        return Err(Business::failed(
            "ACQ.SELLER_BALANCE_NOT_ENOUGH",
            "商户的支付宝账户中无足够的资金进行撤销",
        ));
    }
    let (no, amount) = (order.out_trade_no.clone(), payment.amount);
    refunds::file(world, &key, &no, amount, request.now);
    Ok(refunded)
}
