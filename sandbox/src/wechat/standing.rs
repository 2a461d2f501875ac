//! How orders of WeChat Pay stand, and how they are closed.

use domain::Fen;
use domain::time::rfc3339;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Asked;
use super::fields::strict;
use super::refusal::Refusal;
use super::route::Side;
use crate::engine::World;
use crate::random::Random;
use crate::state::{Book, Order, Payment};
use crate::text::query_value;

/// `GET …/out-trade-no/{no}`.
pub(super) fn query_by_no(
    world: &World,
    asked: &Asked<'_>,
    out_trade_no: &str,
    side: Side,
) -> Result<Value, Refusal> {
    let sub = parties(asked, side, |name| query_value(asked.request.query(), name))?;
    let order = world.book.order(asked.mchid, out_trade_no);
    let order = visible(order, sub.as_deref())?;
    Ok(queried(world, asked, order, order.payment(None)))
}

/// `GET …/id/{transaction_id}`.
pub(super) fn query_by_id(
    world: &World,
    asked: &Asked<'_>,
    transaction_id: &str,
    side: Side,
) -> Result<Value, Refusal> {
    let sub = parties(asked, side, |name| query_value(asked.request.query(), name))?;
    let order = world.book.trade(asked.mchid, transaction_id).filter(|order| order.is_paid());
    let order = visible(order, sub.as_deref())?;
    Ok(queried(world, asked, order, order.payment(Some(transaction_id))))
}

/// An order as it stands; one at the counter in the words that the counter has.
fn queried(world: &World, asked: &Asked<'_>, order: &Order, payment: Option<&Payment>) -> Value {
    let mut told = described(world, order, payment);
    let slip = world.book.slips.get(&order.key());
    if let Some((state, text)) = slip.and_then(|slip| slip.counter_state(order, asked.now))
        && let Some(fields) = told.as_object_mut()
    {
        fields.insert("trade_state".to_owned(), json!(state));
        fields.insert("trade_state_desc".to_owned(), json!(text));
    }
    told
}

/// `POST …/out-trade-no/{no}/close`.
pub(super) fn close(
    world: &mut World,
    asked: &Asked<'_>,
    out_trade_no: &str,
    side: Side,
) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Direct {
        mchid: String,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Partner {
        sp_mchid: String,
        sub_mchid: String,
    }
    let (mchid, sub) = match side {
        Side::Direct => (strict::<Direct>(&asked.request.body)?.0.mchid, None),
        Side::Partner => {
            let (wanted, _) = strict::<Partner>(&asked.request.body)?;
            (wanted.sp_mchid, Some(wanted.sub_mchid))
        }
    };
    let sub =
        parties(
            asked,
            side,
            |name| {
                if name == "sub_mchid" { sub.clone() } else { Some(mchid.clone()) }
            },
        )?;
    visible(world.book.order(asked.mchid, out_trade_no), sub.as_deref())?;
    let order = world.book.order_mut(asked.mchid, out_trade_no).ok_or_else(Refusal::no_order)?;
    if order.is_paid() {
        return Err(Refusal::paid());
    }
    if order.product == "MICROPAY" {
        return Err(Refusal::new(400, "INVALID_REQUEST", "付款码支付的订单请使用撤销订单"));
    }
    order.closed_at.get_or_insert(asked.now);
    Ok(())
}

/// Holds who is named against who signed; gives the sub-merchant that is named.
fn parties(
    asked: &Asked<'_>,
    side: Side,
    said: impl Fn(&str) -> Option<String>,
) -> Result<Option<String>, Refusal> {
    let field = match side {
        Side::Direct => "mchid",
        Side::Partner => "sp_mchid",
    };
    let place = format!("/{field}");
    match said(field) {
        Some(mchid) if mchid == asked.mchid => {}
        Some(mchid) => {
            return Err(Refusal::parameter(&place, &mchid, "商户号与签名的商户号不一致"));
        }
        None => return Err(Refusal::parameter(&place, "", "缺少商户号")),
    }
    match (side, said("sub_mchid")) {
        (Side::Direct, _) => Ok(None),
        (Side::Partner, Some(sub)) => Ok(Some(sub)),
        (Side::Partner, None) => Err(Refusal::parameter("/sub_mchid", "", "缺少特约商户号")),
    }
}

/// The order, if it was placed by that side for that sub-merchant, and by itself.
fn visible<'o>(order: Option<&'o Order>, sub: Option<&str>) -> Result<&'o Order, Refusal> {
    let order = order
        .filter(|order| order.sub.as_ref().map(|sub| sub.mchid.as_str()) == sub)
        .ok_or_else(Refusal::no_order)?;
    if order.whole.is_some() {
        return Err(Refusal::new(400, "INVALID_REQUEST", "合单支付的子单请使用合单接口"));
    }
    Ok(order)
}

/// The provider's word for how an order stands, and its sentence.
pub(super) fn state(
    book: &Book,
    order: &Order,
    payment: Option<&Payment>,
) -> (&'static str, &'static str) {
    match payment {
        Some(_) if book.refunds_of(order).next().is_some() => {
            ("REFUND", "订单发生过退款，退款详情请查询退款单")
        }
        Some(_) => ("SUCCESS", "支付成功"),
        None if order.closed_at.is_some() => ("CLOSED", "订单已关闭"),
        None => ("NOTPAY", "订单未支付"),
    }
}

/// An order as a query answers it and as a notice carries it.
pub(super) fn described(world: &World, order: &Order, payment: Option<&Payment>) -> Value {
    let (state, text) = state(&world.book, order, payment);
    let mut told = Map::new();
    let mut say = |name: &str, value: Value| told.insert(name.to_owned(), value);
    say("amount", json!({"currency": "CNY", "total": order.amount.get()}));
    let appid = world.keys.wechat(&order.merchant).map(|merchant| &merchant.config.appid);
    match &order.sub {
        None => {
            say("appid", json!(appid));
            say("mchid", json!(order.merchant));
        }
        Some(sub) => {
            say("sp_appid", json!(appid));
            say("sp_mchid", json!(order.merchant));
            say("sub_mchid", json!(sub.mchid));
            if let Some(appid) = &sub.appid {
                say("sub_appid", json!(appid));
            }
        }
    }
    say("out_trade_no", json!(order.out_trade_no));
    say("trade_state", json!(state));
    say("trade_state_desc", json!(text));
    if let Some(attach) = &order.attach {
        say("attach", json!(attach));
    }
    if let Some(payment) = payment {
        let left = payment.amount.minus(payment.coupon).unwrap_or(payment.amount);
        let amount = json!({
            "currency": "CNY", "payer_currency": "CNY",
            "payer_total": left.get(), "total": payment.amount.get(),
        });
        say("amount", amount);
        say("bank_type", json!("OTHERS"));
        say("payer", payer(order, payment));
        say("promotion_detail", promotion(&payment.trade_no, payment.coupon));
        say("success_time", json!(rfc3339(payment.paid_at)));
        say("trade_type", json!(order.product));
        say("transaction_id", json!(payment.trade_no));
    }
    Value::Object(told)
}

/// Who paid, under the service provider's application and the sub-merchant's, where there are both.
fn payer(order: &Order, payment: &Payment) -> Value {
    let Some(sub) = &order.sub else { return json!({"openid": payment.payer}) };
    if sub.appid.is_none() {
        return json!({"sp_openid": payment.payer});
    }
    let other = Random::of(0, &["other openid", &payment.payer]).nonce(27);
    let other = format!("o{other}");
    if order.terms.pointer("/2/payer/sub_openid").is_some() {
        json!({"sp_openid": other, "sub_openid": payment.payer})
    } else {
        json!({"sp_openid": payment.payer, "sub_openid": other})
    }
}

/// The coupon of a payment (免充值代金券): the merchant bears it, and gets less by it.
pub(super) fn promotion(trade_no: &str, coupon: Fen) -> Value {
    if coupon == Fen::ZERO {
        return json!([]);
    }
    let id = Random::of(0, &["coupon", trade_no]).digits(10);
    json!([{
        "coupon_id": id, "name": "便民缴费立减", "scope": "GLOBAL", "type": "NOCASH",
        "amount": coupon.get(), "stock_id": "1000001", "wechatpay_contribute": 0,
        "merchant_contribute": coupon.get(), "other_contribute": 0, "currency": "CNY",
    }])
}
