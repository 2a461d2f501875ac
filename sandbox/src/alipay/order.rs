//! An order as a request asks for it, with the provider's limits held: what all ways to place one
//! have in common.

use domain::Fen;
use domain::personal::Personal;
use domain::provider::Provider;
use domain::time::from_beijing;
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::deviations::FORBIDDEN_IN_SUBJECT;
use super::node::Business;
use super::request::Request;
use crate::engine::World;
use crate::state::{OnlyPayer, Order, Person, later};
use crate::text::fen_of_yuan;

/// A trade without an expiry lives three hours.
const TRADE_LIFE_S: u32 = 10_800;

/// Files the order that a request asks for, or finds the same one from before.
pub(super) fn file<'w>(
    world: &'w mut World,
    request: &Request<'_>,
) -> Result<&'w mut Order, Business> {
    let order = wanted(request)?;
    let key = order.key();
    match world.book.orders.get(&key) {
        Some(known) => again(known, &order, request.now)?,
        None => {
            if order.expires_at <= request.now {
                return Err(Business::parameter("订单已超过失效时间"));
            }
            world.book.orders.insert(key.clone(), order);
        }
    }
    world.book.orders.get_mut(&key).ok_or_else(Business::no_trade)
}

fn again(known: &Order, order: &Order, now: Timestamp) -> Result<(), Business> {
    if known.is_paid() {
        Err(Business::failed("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"))
    } else if known.closed_at.is_some() || now >= known.expires_at {
        Err(Business::failed("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"))
    } else if known.terms.get("content") != order.terms.get("content")
        || known.notify_url != order.notify_url
        || known.sub != order.sub
    {
        Err(Business::failed("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"))
    } else {
        Ok(())
    }
}

/// The order that a request asks for, its limits held.
fn wanted(request: &Request<'_>) -> Result<Order, Business> {
    let needed = |name: &'static str| {
        request.text(name).ok_or_else(|| Business::parameter(format!("缺少参数{name}")))
    };
    let out_trade_no = needed("out_trade_no")?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if out_trade_no.len() > 64 || !out_trade_no.chars().all(plain) {
        let text = "out_trade_no只能包含字母、数字、下划线，且不超过64个字符";
        return Err(Business::parameter(text));
    }
    let total = needed("total_amount")?;
    let amount =
        fen_of_yuan(&total).filter(|fen| (1..=10_000_000_000).contains(&fen.get())).ok_or_else(
            || Business::failed("ACQ.TOTAL_FEE_EXCEED", "订单金额须在0.01到100000000之间"),
        )?;
    let subject = needed("subject")?;
    if subject.chars().count() > 256 || subject.contains(FORBIDDEN_IN_SUBJECT) {
        return Err(Business::parameter("subject不超过256个字符，且不含/、=、&"));
    }
    if request.text("body").is_some_and(|body| body.chars().count() > 400) {
        return Err(Business::parameter("body不超过400个字符"));
    }
    if request.text("seller_id").is_some_and(|said| said != request.seller) {
        return Err(Business::parameter("seller_id与签约账号不一致"));
    }
    let attach = request.text("passback_params");
    if attach.as_ref().is_some_and(|text| text.len() > 512) {
        return Err(Business::parameter("passback_params不超过512个字符"));
    }
    Ok(Order {
        subject,
        amount,
        product: product(request)?,
        sub: request.sub.clone(),
        payer: request.text("buyer_id").or_else(|| request.text("buyer_open_id")),
        only_payer: only_payer(request)?,
        attach,
        terms: json!({"content": request.content, "return_url": request.return_url}),
        notify_url: request.notify_url.map(str::to_owned),
        expires_at: expires_at(request)?,
        ..Order::new(Provider::Alipay, request.app_id, &out_trade_no, request.now)
    })
}

/// The product code, which must be one of the method's.
fn product(request: &Request<'_>) -> Result<&'static str, Business> {
    let products = request.method.products();
    let Some(said) = request.text("product_code") else {
        let usual = products.first().filter(|_| !request.method.needs_product());
        return usual.copied().ok_or_else(|| Business::parameter("缺少参数product_code"));
    };
    let known = products.iter().copied().find(|product| *product == said);
    known.ok_or_else(|| {
        Business::parameter(format!("product_code无效，须为{}", products.join("或")))
    })
}

/// Who alone may pay (`ext_user_info`): by name and document, else by the hash of both.
fn only_payer(request: &Request<'_>) -> Result<Option<OnlyPayer>, Business> {
    let Some(info) = request.content.get("ext_user_info") else { return Ok(None) };
    let wrong = |source: serde_json::Error| {
        Business::parameter(format!("ext_user_info不是合法的JSON: {source}"))
    };
    let info: Value = match info {
        Value::String(text) => serde_json::from_str(text).map_err(wrong)?,
        Value::Object(_) => info.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return Ok(None),
    };
    let text = |name: &str| info.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text("need_check_info") != Some("T") {
        return Ok(None);
    }
    match (text("name"), text("cert_type"), text("cert_no"), text("identity_hash")) {
        (None, None, None, Some(hash)) => {
            let hex = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !hex {
                return Err(Business::parameter("identity_hash须为64位十六进制"));
            }
            Ok(Some(OnlyPayer::Hash(hash.to_owned())))
        }
        (Some(name), Some(kind), Some(no), _) => {
            const KINDS: [&str; 5] =
                ["IDENTITY_CARD", "PASSPORT", "OFFICER_CARD", "SOLDIER_CARD", "HOKOU"];
            if !KINDS.contains(&kind) {
                return Err(Business::parameter("cert_type无效"));
            }
            Ok(Some(OnlyPayer::Person(Person {
                name: Personal::new(name),
                id_no: Personal::new(no),
                document: Some(kind.to_owned()),
            })))
        }
        _ => Err(Business::parameter("ext_user_info缺少name、cert_type或cert_no")),
    }
}

/// `time_expire` wins over `timeout_express`.
fn expires_at(request: &Request<'_>) -> Result<Timestamp, Business> {
    if let Some(text) = request.text("time_expire") {
        return DateTime::strptime("%Y-%m-%d %H:%M:%S", &text).map(from_beijing).map_err(
            |source| Business::parameter(format!("time_expire须为yyyy-MM-dd HH:mm:ss: {source}")),
        );
    }
    let Some(text) = request.text("timeout_express") else {
        return Ok(later(request.now, TRADE_LIFE_S));
    };
    let wrong = || Business::parameter("timeout_express须为1m～15d或1c");
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
        unit.parse().map_err(|source| Business::parameter(format!("timeout_express: {source}")))?;
    let minutes = count
        .checked_mul(minutes)
        .filter(|minutes| (1..=21_600).contains(minutes))
        .ok_or_else(wrong)?;
    let life = SignedDuration::from_mins(minutes);
    Ok(request.now.saturating_add(life).unwrap_or(Timestamp::MAX))
}

/// The merchant's discount of a payment taken off it: what the payer pays and the seller receives.
pub(super) fn received(payment: &crate::state::Payment) -> Fen {
    payment.amount.minus(payment.coupon).unwrap_or(payment.amount)
}
