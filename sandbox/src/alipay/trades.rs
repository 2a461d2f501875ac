//! Trades of Alipay. A precreated code is no trade until a wallet has opened it: until then query
//! and close answer that it does not exist, and it stays payable.

use domain::Fen;
use domain::provider::Provider;
use domain::time::from_beijing;
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::Request;
use super::node::Business;
use crate::engine::World;
use crate::random::Random;
use crate::state::{Book, Order, later};
use crate::text::{fen_of_yuan, wall};

const CODE_LIFE_S: u32 = 7200;
/// A trade without an expiry lives three hours.
const TRADE_LIFE_S: u32 = 10_800;

fn invalid(text: impl Into<String>) -> Business {
    Business::failed("ACQ.INVALID_PARAMETER", text)
}

/// `alipay.trade.precreate`.
pub(super) fn precreate(
    world: &mut World,
    request: &Request<'_>,
) -> Result<Map<String, Value>, Business> {
    let order = wanted(world, request)?;
    let key = (order.merchant.clone(), order.out_trade_no.clone());
    match world.book.orders.get(&key) {
        Some(known) => again(known, &order, request.now)?,
        None => {
            if order.expires_at <= request.now {
                return Err(invalid("订单已超过失效时间"));
            }
            world.book.orders.insert(key.clone(), order);
        }
    }
    let seed = world.seed;
    let order = world.book.orders.get_mut(&key).ok_or_else(Business::no_trade)?;
    order.codes = order.codes.saturating_add(1);
    let count = order.codes.to_string();
    let mut chance = Random::of(seed, &["code", &key.0, &key.1, &count]);
    order.code = format!("https://qr.alipay.com/bax{}", chance.nonce(21).to_ascii_lowercase());
    order.code_expires_at = later(request.now, CODE_LIFE_S).min(order.expires_at);
    Ok(fields(&json!({"out_trade_no": order.out_trade_no, "qr_code": order.code})))
}

fn again(known: &Order, order: &Order, now: Timestamp) -> Result<(), Business> {
    if known.is_paid() {
        Err(Business::failed("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"))
    } else if known.closed_at.is_some() || now >= known.expires_at {
        Err(Business::failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"))
    } else if known.terms != order.terms {
        Err(Business::failed("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"))
    } else {
        Ok(())
    }
}

/// The order that a request asks for, its limits held.
fn wanted(world: &World, request: &Request<'_>) -> Result<Order, Business> {
    let needed =
        |name: &'static str| request.text(name).ok_or_else(|| invalid(format!("缺少参数{name}")));
    let out_trade_no = needed("out_trade_no")?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if out_trade_no.len() > 64 || !out_trade_no.chars().all(plain) {
        return Err(invalid("out_trade_no只能包含字母、数字、下划线，且不超过64个字符"));
    }
    let total = needed("total_amount")?;
    let amount =
        fen_of_yuan(&total).filter(|fen| (1..=10_000_000_000).contains(&fen.get())).ok_or_else(
            || Business::failed("ACQ.TOTAL_FEE_EXCEED", "订单金额须在0.01到100000000之间"),
        )?;
    let subject = needed("subject")?;
    if subject.chars().count() > 256 || subject.contains(['/', '=', '&']) {
        return Err(invalid("subject不超过256个字符，且不含/、=、&"));
    }
    let seller = world.keys.alipay(request.app_id).map(|app| app.config.seller_id.clone());
    if request.text("seller_id").is_some_and(|said| Some(said) != seller) {
        return Err(invalid("seller_id与签约账号不一致"));
    }
    let attach = request.text("passback_params");
    if attach.as_ref().is_some_and(|text| text.len() > 512) {
        return Err(invalid("passback_params不超过512个字符"));
    }
    let notify_url = request.notify_url.map(str::to_owned);
    let expires_at = expires_at(request)?;
    Ok(Order {
        subject,
        amount,
        product: "FACE_TO_FACE_PAYMENT",
        attach,
        terms: json!([request.content, notify_url]),
        notify_url,
        expires_at,
        ..Order::new(Provider::Alipay, request.app_id, &out_trade_no, request.now)
    })
}

/// `time_expire` wins over `timeout_express`.
fn expires_at(request: &Request<'_>) -> Result<Timestamp, Business> {
    if let Some(text) = request.text("time_expire") {
        return DateTime::strptime("%Y-%m-%d %H:%M:%S", &text)
            .map(from_beijing)
            .map_err(|source| invalid(format!("time_expire须为yyyy-MM-dd HH:mm:ss: {source}")));
    }
    let Some(text) = request.text("timeout_express") else {
        return Ok(later(request.now, TRADE_LIFE_S));
    };
    let wrong = || invalid("timeout_express须为1m～15d或1c");
    if text == "1c" {
        return Ok(domain::time::day_end(domain::time::business_day(request.now)));
    }
    let (unit, minutes) = if let Some(count) = text.strip_suffix('m') {
        (count, 1_i64)
    } else if let Some(count) = text.strip_suffix('h') {
        (count, 60)
    } else {
        (text.strip_suffix('d').ok_or_else(wrong)?, 1440)
    };
    let count: i64 =
        unit.parse().map_err(|source| invalid(format!("timeout_express: {source}")))?;
    let minutes = count
        .checked_mul(minutes)
        .filter(|minutes| (1..=21_600).contains(minutes))
        .ok_or_else(wrong)?;
    let life = SignedDuration::from_mins(minutes);
    Ok(request.now.saturating_add(life).unwrap_or(Timestamp::MAX))
}

/// The trade that a request means, by `trade_no` or `out_trade_no`; one that nobody opened is none.
pub(super) fn trade<'b>(book: &'b Book, request: &Request<'_>) -> Result<&'b Order, Business> {
    let (no, trade_no) = (request.text("out_trade_no"), request.text("trade_no"));
    let found = match (&trade_no, &no) {
        (Some(trade_no), _) => book.trade(request.app_id, trade_no),
        (None, Some(no)) => book.order(request.app_id, no),
        (None, None) => return Err(invalid("out_trade_no和trade_no不能同时为空")),
    };
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

/// `alipay.trade.query`.
pub(super) fn query(world: &World, request: &Request<'_>) -> Result<Map<String, Value>, Business> {
    let order = trade(&world.book, request)?;
    let payment = order.payment(request.text("trade_no").as_deref());
    let paid = payment.map_or(Fen::ZERO, |payment| payment.amount).yuan();
    let mut told = fields(&json!({
        "buyer_logon_id": "159****5620",
        "buyer_pay_amount": paid,
        "invoice_amount": paid,
        "out_trade_no": order.out_trade_no,
        "point_amount": "0.00",
        "receipt_amount": paid,
        "total_amount": order.amount.yuan(),
        "trade_no": payment.map_or(&order.trade_no, |payment| &payment.trade_no),
        "trade_status": status(&world.book, order, request.now),
    }));
    if let Some(payment) = payment {
        told.insert("buyer_user_id".to_owned(), json!(payment.payer));
        told.insert("send_pay_date".to_owned(), json!(wall(payment.paid_at)));
        let fund = json!([{"amount": payment.amount.yuan(), "fund_channel": "ALIPAYACCOUNT"}]);
        told.insert("fund_bill_list".to_owned(), fund);
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
    let key = (order.merchant.clone(), order.out_trade_no.clone());
    if let Some(order) = world.book.orders.get_mut(&key) {
        order.closed_at = Some(request.now);
    }
    Ok(told)
}

/// The fields of an object.
pub(super) fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
