//! Orders over the old interface: place, query, close. They are the same orders as `APIv3`'s.

use domain::Fen;
use domain::provider::Provider;
use domain::time::beijing;
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::asked::Asked;
use super::refusal::Refusal;
use super::slip::Slip;
use super::xml::Fields;
use crate::engine::World;
use crate::random::Random;
use crate::state::{Order, OrderKey, Payment, later};

/// A code lives two hours.
const CODE_LIFE_S: u32 = 7200;
/// An order without `time_expire` lives seven days, as in the newer interface.
const ORDER_LIFE_S: u32 = 604_800;

/// `POST /pay/unifiedorder`.
pub(super) fn place(world: &mut World, asked: &Asked) -> Result<Fields, Refusal> {
    let order = wanted(world, asked)?;
    let key = order.key();
    match world.book.orders.get(&key) {
        Some(known) => again(known, &order, asked.now)?,
        None => {
            if order.expires_at.duration_since(asked.now) < SignedDuration::from_mins(1) {
                return Err(asked.route.wrong("time_expire须至少在一分钟之后"));
            }
            let device_info = asked.get("device_info").map(str::to_owned);
            let slip = Slip { sign_type: asked.sign_type, device_info, counter: None };
            world.book.slips.insert(key.clone(), slip);
            world.book.orders.insert(key.clone(), order);
        }
    }
    offered(world, asked, &key)
}

/// The order that a request asks for, its limits held.
fn wanted(world: &mut World, asked: &Asked) -> Result<Order, Refusal> {
    let product = match asked.need("trade_type", 16)? {
        "NATIVE" => "NATIVE",
        "JSAPI" => "JSAPI",
        "APP" => "APP",
        "MWEB" => "MWEB",
        _ => return Err(asked.route.wrong("trade_type须为JSAPI、NATIVE、APP或MWEB")),
    };
    let mut order = common(world, asked)?;
    order.product = product;
    order.notify_url = Some(callback_address(asked)?.ok_or_else(|| Refusal::lacks("notify_url"))?);
    let openid = asked.may("openid", 128)?.or(asked.may("sub_openid", 128)?);
    if product == "JSAPI" {
        order.payer = Some(openid.ok_or_else(|| Refusal::lacks("openid"))?.to_owned());
    }
    if product == "NATIVE" && asked.may("product_id", 32)?.is_none() {
        return Err(Refusal::lacks("product_id"));
    }
    if product == "MWEB" && asked.may("scene_info", 256)?.is_none() {
        return Err(Refusal::lacks("scene_info"));
    }
    order.expires_at = match asked.may("time_expire", 14)? {
        None => later(asked.now, ORDER_LIFE_S),
        Some(text) => instant(text).ok_or_else(|| {
            world.verdicts.deviates("time_expire: not yyyyMMddHHmmss");
            asked.route.wrong("time_expire格式须为yyyyMMddHHmmss")
        })?,
    };
    Ok(order)
}

/// What every order has, at the counter too.
pub(super) fn common(world: &mut World, asked: &Asked) -> Result<Order, Refusal> {
    let number = asked.need("out_trade_no", 32)?;
    let letters =
        number.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-|*".contains(letter));
    if !letters {
        return Err(asked.route.wrong("out_trade_no含有不允许的字符"));
    }
    if number.len() < 6 {
        world.verdicts.deviates("out_trade_no: shorter than 6 letters");
    }
    let subject = asked.need("body", 127)?;
    let amount = Fen::new(asked.fen("total_fee")?);
    asked.need("spbill_create_ip", 64)?;
    if asked.may("fee_type", 16)?.is_some_and(|currency| currency != "CNY") {
        return Err(asked.route.wrong("fee_type仅支持CNY"));
    }
    if let Some(start) = asked.may("time_start", 14)?
        && instant(start).is_none()
    {
        world.verdicts.deviates("time_start: not yyyyMMddHHmmss");
    }
    asked.may("detail", 6000)?;
    Ok(Order {
        subject: subject.to_owned(),
        amount,
        attach: asked.may("attach", 127)?.map(str::to_owned),
        terms: asked.terms(),
        sub: asked.sub.clone(),
        ..Order::new(Provider::Wechat, &asked.mchid, number, asked.now)
    })
}

/// Where the provider is to call back: absolute, without a query.
pub(super) fn callback_address(asked: &Asked) -> Result<Option<String>, Refusal> {
    let Some(text) = asked.may("notify_url", 256)? else { return Ok(None) };
    let fine = url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none());
    if fine {
        Ok(Some(text.to_owned()))
    } else {
        Err(asked.route.wrong("notify_url须为完整的http(s)地址且不带参数"))
    }
}

/// `20091227091010`, Beijing.
fn instant(text: &str) -> Option<Timestamp> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let wall = DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    jiff::tz::Offset::constant(8).to_timestamp(wall).ok()
}

/// A time as the old interface writes it.
pub(super) fn compact(at: Timestamp) -> String {
    beijing(at).strftime("%Y%m%d%H%M%S").to_string()
}

/// A repeat must be identical and the order still open.
fn again(known: &Order, wanted: &Order, now: Timestamp) -> Result<(), Refusal> {
    if known.is_paid() {
        Err(Refusal::new("ORDERPAID", "该订单已支付"))
    } else if known.closed_at.is_some() || now >= known.expires_at {
        Err(Refusal::new("ORDERCLOSED", "该订单已关闭"))
    } else if known.terms != wanted.terms {
        Err(Refusal::new("OUT_TRADE_NO_USED", "商户订单号重复"))
    } else {
        Ok(())
    }
}

/// What the payer's side needs, under a fresh code.
fn offered(world: &mut World, asked: &Asked, key: &OrderKey) -> Result<Fields, Refusal> {
    let (seed, base_url) = (world.seed, world.base_url.clone());
    let order = world.book.orders.get_mut(key).ok_or_else(Refusal::no_order)?;
    order.codes = order.codes.saturating_add(1);
    let mut chance = Random::of(seed, &["v2code", &key.0, &key.1, &order.codes.to_string()]);
    let prepay_id = format!("wx{}{}", compact(asked.now), chance.hex(20));
    order.code_expires_at = later(asked.now, CODE_LIFE_S).min(order.expires_at);
    let mut fields = Fields::new();
    order.code = match order.product {
        "NATIVE" => {
            let code = format!("weixin://wxpay/bizpayurl?pr={}", chance.nonce(11));
            fields.insert("code_url".to_owned(), code.clone());
            code
        }
        "MWEB" => {
            let place = "cgi-bin/mmpayweb-bin/checkmweb";
            let package = chance.digits(10);
            let address = format!("{base_url}/{place}?prepay_id={prepay_id}&package={package}");
            fields.insert("mweb_url".to_owned(), address.clone());
            address
        }
        _ => prepay_id.clone(),
    };
    fields.insert("prepay_id".to_owned(), prepay_id);
    fields.insert("trade_type".to_owned(), order.product.to_owned());
    if let Some(device) = asked.get("device_info") {
        fields.insert("device_info".to_owned(), device.to_owned());
    }
    Ok(fields)
}

/// The order that a request names by either of its numbers.
pub(super) fn named<'w>(world: &'w World, asked: &Asked) -> Result<&'w Order, Refusal> {
    let number = asked.may("out_trade_no", 32)?;
    match (asked.may("transaction_id", 32)?, number) {
        (Some(id), _) => world.book.trade(&asked.mchid, id).filter(|order| order.is_paid()),
        (None, Some(number)) => world.book.order(&asked.mchid, number),
        (None, None) => return Err(Refusal::lacks("out_trade_no")),
    }
    .filter(|order| asked.sees(order))
    .ok_or_else(Refusal::no_order)
}

/// `POST /pay/orderquery`.
pub(super) fn query(world: &World, asked: &Asked) -> Result<Fields, Refusal> {
    let order = named(world, asked)?;
    let slip = world.book.slips.get(&order.key());
    let payment = order.payment(asked.get("transaction_id"));
    let (state, text) = slip.and_then(|slip| slip.counter_state(order, asked.now)).unwrap_or({
        if payment.is_some() && world.book.refunds_of(order).next().is_some() {
            ("REFUND", "订单发生过退款，退款详情请查询退款单")
        } else if payment.is_some() {
            ("SUCCESS", "支付成功")
        } else if order.closed_at.is_some() {
            ("CLOSED", "订单已关闭")
        } else {
            ("NOTPAY", "订单未支付")
        }
    });
    let mut fields = Fields::new();
    if let Some(payment) = payment {
        fields = paid(order, payment);
    }
    let mut put = |name: &str, value: &str| drop(fields.insert(name.to_owned(), value.to_owned()));
    put("out_trade_no", &order.out_trade_no);
    put("trade_state", state);
    put("trade_state_desc", text);
    if let Some(attach) = &order.attach {
        put("attach", attach);
    }
    if let Some(device) = slip.and_then(|slip| slip.device_info.as_ref()) {
        put("device_info", device);
    }
    Ok(fields)
}

/// What is told of a paid order: in the answer at the counter, to a query, in a notice.
pub(super) fn paid(order: &Order, payment: &Payment) -> Fields {
    let cash = payment.amount.minus(payment.coupon).unwrap_or(payment.amount).get().to_string();
    let mut fields = Fields::new();
    let mut put = |name: &str, value: &str| drop(fields.insert(name.to_owned(), value.to_owned()));
    put("openid", &payment.payer);
    put("is_subscribe", "N");
    if order.sub.as_ref().is_some_and(|sub| sub.appid.is_some()) {
        put("sub_openid", &payment.payer);
        put("sub_is_subscribe", "N");
    }
    put("trade_type", order.product);
    put("bank_type", "OTHERS");
    put("fee_type", "CNY");
    put("total_fee", &payment.amount.get().to_string());
    put("cash_fee", &cash);
    put("cash_fee_type", "CNY");
    put("transaction_id", &payment.trade_no);
    put("out_trade_no", &order.out_trade_no);
    put("time_end", &compact(payment.paid_at));
    if let Some(attach) = &order.attach {
        put("attach", attach);
    }
    if payment.coupon > Fen::ZERO {
        let coupon = payment.coupon.get().to_string();
        put("settlement_total_fee", &cash);
        put("coupon_fee", &coupon);
        put("coupon_count", "1");
        put("coupon_id_0", "10000");
        put("coupon_type_0", "NO_CASH");
        put("coupon_fee_0", &coupon);
    }
    fields
}

/// `POST /pay/closeorder`.
pub(super) fn close(world: &mut World, asked: &Asked) -> Result<Fields, Refusal> {
    let number = asked.need("out_trade_no", 32)?;
    let order = world.book.order_mut(&asked.mchid, number);
    let order = order.filter(|order| asked.sees(order)).ok_or_else(Refusal::no_order)?;
    if order.is_paid() {
        return Err(Refusal::new("ORDERPAID", "订单已支付，无法关闭"));
    }
    if order.product == "MICROPAY" {
        return Err(Refusal::new("INVALID_REQUEST", "付款码支付的订单请使用撤销订单"));
    }
    if order.closed_at.is_some() {
        return Err(Refusal::new("ORDERCLOSED", "订单已关闭，无法重复关闭"));
    }
    order.closed_at = Some(asked.now);
    if asked.now.duration_since(order.created_at) < SignedDuration::from_mins(5) {
        world.verdicts.deviates("closeorder: within 5 minutes of the order");
    }
    Ok(Fields::new())
}
