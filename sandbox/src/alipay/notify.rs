//! Notices of Alipay: a form of signed fields; `notify_id` stays, `notify_time` and signature are
//! fresh on each try.

use std::collections::BTreeMap;

use domain::Fen;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::order::received;
use super::trades::status;
use crate::delivery::{Delivery, DeliveryState, Letter};
use crate::engine::World;
use crate::faults::{Action, Operation};
use crate::keys::Keys;
use crate::random::Random;
use crate::state::{Order, OrderKey, Payment};
use crate::text::{day_digits, wall, wall_millis};

/// Headers and body of a notice.
type Sealed = (Vec<(&'static str, String)>, Vec<u8>);

/// Puts the notice of a payment on its way.
pub(crate) fn announce_payment(
    world: &mut World,
    key: &OrderKey,
    payment: &Payment,
    now: Timestamp,
) {
    let Some(order) = world.book.orders.get(key) else { return };
    let Some(url) = order.notify_url.clone() else { return };
    let mut fields = common(world, order, payment, now);
    fields.insert("trade_status".to_owned(), "TRADE_SUCCESS".to_owned());
    add(world, Operation::Payment, key, None, url, fields, (&payment.trade_no, now));
}

/// Puts the notice of a refund on its way: the trade is closed once all is given back.
pub(super) fn announce_refund(
    world: &mut World,
    key: &OrderKey,
    out_request_no: &str,
    amount: Fen,
    now: Timestamp,
) {
    let Some(order) = world.book.orders.get(key) else { return };
    let Some(payment) = order.payment(None) else { return };
    let Some(url) = order.notify_url.clone() else { return };
    let mut fields = common(world, order, payment, now);
    let trade_status = status(&world.book, order, now);
    for (name, value) in [
        ("trade_status", trade_status.to_owned()),
        ("out_biz_no", out_request_no.to_owned()),
        ("refund_fee", world.book.refunded(order).yuan()),
        ("send_back_fee", amount.yuan()),
        ("gmt_refund", wall_millis(now)),
    ] {
        fields.insert(name.to_owned(), value);
    }
    if trade_status == "TRADE_CLOSED" {
        fields.insert("gmt_close".to_owned(), wall(now));
    }
    add(world, Operation::Refund, key, Some(out_request_no), url, fields, (out_request_no, now));
}

/// Puts the notice on its way that a trade was closed unpaid.
pub(super) fn announce_close(world: &mut World, key: &OrderKey, now: Timestamp) {
    let Some(order) = world.book.orders.get(key) else { return };
    let Some(url) = order.notify_url.clone() else { return };
    let mut fields = of_trade(world, order, now);
    fields.insert("trade_status".to_owned(), "TRADE_CLOSED".to_owned());
    fields.insert("gmt_close".to_owned(), wall(now));
    let about = format!("{} closed", order.trade_no);
    add(world, Operation::Close, key, None, url, fields, (&about, now));
}

/// What every notice about a trade says.
fn of_trade(world: &World, order: &Order, now: Timestamp) -> BTreeMap<String, String> {
    let own = world.keys.alipay(&order.merchant).map(|app| app.config.seller_id.clone());
    let (seller, application) = match &order.sub {
        Some(sub) => (sub.mchid.clone(), sub.appid.clone()),
        None => (own.unwrap_or_default(), None),
    };
    let mut fields: BTreeMap<String, String> = [
        ("app_id", order.merchant.clone()),
        ("auth_app_id", application.unwrap_or_else(|| order.merchant.clone())),
        ("buyer_logon_id", "159****5620".to_owned()),
        ("charset", "utf-8".to_owned()),
        ("gmt_create", wall(order.scanned_at.unwrap_or(now))),
        ("notify_type", "trade_status_sync".to_owned()),
        ("out_trade_no", order.out_trade_no.clone()),
        ("seller_email", "sandbox@payhub.invalid".to_owned()),
        ("seller_id", seller),
        ("subject", order.subject.clone()),
        ("total_amount", order.amount.yuan()),
        ("trade_no", order.trade_no.clone()),
        ("version", "1.0".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if let Some(body) = order.terms.pointer("/content/body").and_then(Value::as_str) {
        fields.insert("body".to_owned(), body.to_owned());
    }
    if let Some(attach) = &order.attach {
        fields.insert("passback_params".to_owned(), attach.clone());
    }
    fields
}

/// What a notice about a paid trade says besides.
fn common(
    world: &World,
    order: &Order,
    payment: &Payment,
    now: Timestamp,
) -> BTreeMap<String, String> {
    let mut fields = of_trade(world, order, now);
    let paid = received(payment).yuan();
    let mut funds = vec![json!({"amount": paid, "fundChannel": "ALIPAYACCOUNT"})];
    if payment.coupon > Fen::ZERO {
        let coupon = payment.coupon.yuan();
        funds.push(json!({"amount": coupon, "fundChannel": "MDISCOUNT"}));
        let vouchers = json!([{
            "amount": coupon, "merchantContribute": coupon, "name": "商家优惠券",
            "otherContribute": "0.00", "type": "ALIPAY_FIX_VOUCHER",
            "voucherId": format!("{}01", payment.trade_no),
        }]);
        fields.insert("voucher_detail_list".to_owned(), vouchers.to_string());
    }
    let buyer = if payment.payer.starts_with("2088") { "buyer_id" } else { "buyer_open_id" };
    for (name, value) in [
        (buyer, payment.payer.clone()),
        ("buyer_pay_amount", paid.clone()),
        ("fund_bill_list", Value::Array(funds).to_string()),
        ("gmt_payment", wall(payment.paid_at)),
        ("invoice_amount", paid.clone()),
        ("point_amount", "0.00".to_owned()),
        ("receipt_amount", paid),
        ("trade_no", payment.trade_no.clone()),
    ] {
        fields.insert(name.to_owned(), value);
    }
    fields
}

fn add(
    world: &mut World,
    operation: Operation,
    key: &OrderKey,
    out_refund_no: Option<&str>,
    url: String,
    mut fields: BTreeMap<String, String>,
    (about, now): (&str, Timestamp),
) {
    let mut chance = Random::of(world.seed, &["notice", &key.0, &key.1, about]);
    let event_id = format!("{}00222{}", day_digits(now), chance.digits(21));
    fields.insert("notify_id".to_owned(), event_id.clone());
    world.outbox.add(Delivery {
        id: world.outbox.next_id(),
        merchant: key.0.clone(),
        operation,
        out_trade_no: Some(key.1.clone()),
        out_refund_no: out_refund_no.map(str::to_owned),
        url,
        event_id,
        letter: Letter::Alipay { fields },
        created_at: now,
        due: now,
        tries: 0,
        held: false,
        state: DeliveryState::Waiting,
        attempts: Vec::new(),
    });
}

/// Signs a notice for one try, or spoils it as the fault says. `sign` and `sign_type` are not
/// among what is signed.
pub(crate) fn seal(
    keys: &Keys,
    delivery: &Delivery,
    now: Timestamp,
    action: Option<Action>,
) -> Option<Sealed> {
    let Letter::Alipay { fields } = &delivery.letter else { return None };
    let app = keys.alipay(&delivery.merchant)?;
    let mut fields = fields.clone();
    fields.insert("notify_time".to_owned(), wall(now));
    let pairs: Vec<String> = fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut text = pairs.join("&");
    let spoilt = [Action::WrongSignature, Action::UnknownSerial, Action::SignTest];
    if action.is_some_and(|action| spoilt.contains(&action)) {
        text.push(' ');
    }
    let sign = app.platform.signing.sign(text.as_bytes()).ok()?;
    if action == Some(Action::Corrupt)
        && let Some(total) = fields.get_mut("total_amount")
    {
        total.insert(0, '9'); // another amount under the old signature
    }
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(&fields).append_pair("sign_type", "RSA2").append_pair("sign", &sign);
    let content_type = "application/x-www-form-urlencoded; charset=utf-8";
    let headers =
        vec![("Content-Type", content_type.to_owned()), ("User-Agent", "Mozilla/4.0".to_owned())];
    Some((headers, form.finish().into_bytes()))
}
