//! Refunds over the old interface: accepted first, arrived later, and their query in pages.

use domain::Fen;
use jiff::SignedDuration;

use super::asked::Asked;
use super::orders::{callback_address, named};
use super::refusal::Refusal;
use super::{notify, xml::Fields};
use crate::engine::World;
use crate::faults::Action;
use crate::state::{Ending, Order, Payment, Refund, RefundKey, Standing, Sub, later};
use crate::text::{number, wall};
use crate::wechat;

/// No order has more partial refunds.
const MOST_REFUNDS: usize = 50;
/// A query tells of so many refunds at once.
const PAGE: usize = 20;

/// Refund numbers are the merchant's, whichever interface they came by.
fn key(mchid: &str, out_refund_no: &str) -> RefundKey {
    (mchid.to_owned(), String::new(), out_refund_no.to_owned())
}

/// `POST /secapi/pay/refund`.
pub(super) fn refund(world: &mut World, asked: &Asked) -> Result<Fields, Refusal> {
    let out_refund_no = asked.need("out_refund_no", 64)?;
    let fine = |letter: char| letter.is_ascii_alphanumeric() || "_-|*@".contains(letter);
    if !out_refund_no.chars().all(fine) {
        return Err(asked.route.wrong("out_refund_no含有不允许的字符"));
    }
    let (amount, total) = (Fen::new(asked.fen("refund_fee")?), Fen::new(asked.fen("total_fee")?));
    asked.may("refund_desc", 80)?;
    if asked.may("refund_fee_type", 8)?.is_some_and(|currency| currency != "CNY") {
        return Err(asked.route.wrong("refund_fee_type仅支持CNY"));
    }
    let address = callback_address(asked)?;
    let key = key(&asked.mchid, out_refund_no);
    if let Some(known) = world.book.refunds.get(&key) {
        return repeated(known, asked, amount, total);
    }
    let order = named(world, asked)?;
    if let Some(number) = asked.get("out_trade_no")
        && number != order.out_trade_no
    {
        return Err(Refusal::new("INVALID_REQUEST", "transaction_id与out_trade_no不一致"));
    }
    let payment = refundable(world, order, asked, amount, total)?;
    if asked.action == Some(Action::NotEnough) {
        return Err(Refusal::new("NOTENOUGH", "基本账户余额不足，请充值后重新发起"));
    }
    let delay = world.keys.wechat(&key.0).map_or(0, |merchant| merchant.config.refund_delay_s);
    let refund = Refund {
        refund_no: number(world.seed, &["refund", &key.0, &key.2], asked.now, ("5030", 7, 10)),
        out_refund_no: key.2.clone(),
        coupon: wechat::coupon_share(world, order, payment, amount),
        notify_url: address.clone(),
        terms: asked.terms(),
        done_at: later(asked.now, delay),
        ending: ending(asked.action),
        ..Refund::new(order, payment, amount, asked.now)
    };
    let told = accepted(&refund);
    // Without an address of its own it is told where the order's payment was.
    let address = address.or_else(|| order.notify_url.clone());
    if let Some(address) = address {
        notify::announce_refund(world, &refund, address);
    }
    world.book.file_refund(key, refund);
    Ok(told)
}

fn ending(action: Option<Action>) -> Ending {
    if action == Some(Action::Abnormal) {
        Ending::Abnormal
    } else if action == Some(Action::Closed) {
        Ending::Closed
    } else {
        Ending::Success
    }
}

fn repeated(known: &Refund, asked: &Asked, amount: Fen, total: Fen) -> Result<Fields, Refusal> {
    if known.terms == asked.terms() {
        Ok(accepted(known))
    } else if (known.amount, known.total) == (amount, total) {
        Err(Refusal::new("INVALID_REQUEST", "请求参数与该退款单号之前的请求不一致"))
    } else {
        let text = "订单金额或退款金额与之前请求不一致，请核实后再试";
        Err(Refusal::new("REFUND_FEE_MISMATCH", text))
    }
}

/// The rules of a refund; gives the payment that it goes back to.
fn refundable<'w>(
    world: &World,
    order: &'w Order,
    asked: &Asked,
    amount: Fen,
    total: Fen,
) -> Result<&'w Payment, Refusal> {
    let invalid = |text: &str| Refusal::new("INVALID_REQUEST", text);
    let payment = order
        .payment(asked.get("transaction_id"))
        .ok_or_else(|| invalid("订单未支付，不能退款"))?;
    if world.book.slips.get(&order.key()).is_some_and(super::Slip::is_reversed) {
        return Err(invalid("订单已撤销"));
    }
    if total != payment.amount {
        return Err(invalid("订单金额与支付订单不一致"));
    }
    if asked.now.duration_since(payment.paid_at) > SignedDuration::from_hours(365 * 24) {
        return Err(Refusal::new("TRADE_OVERDUE", "订单已经超过可退款的最大期限"));
    }
    if order.refunds.len() >= MOST_REFUNDS {
        return Err(Refusal::new("ERROR", "部分退款次数超过50次"));
    }
    let counts =
        |refund: &&Refund| refund.trade_no == payment.trade_no && refund.ending != Ending::Closed;
    let before = Fen::sum(world.book.refunds_of(order).filter(counts).map(|one| one.amount));
    let after = before.and_then(|before| before.plus(amount));
    if after.is_none_or(|after| after > payment.amount) {
        return Err(invalid("申请退款金额大于订单可退金额"));
    }
    Ok(payment)
}

/// What the answer to an accepted refund says.
fn accepted(refund: &Refund) -> Fields {
    let mut fields = Fields::new();
    let mut put = |name: &str, value: &str| drop(fields.insert(name.to_owned(), value.to_owned()));
    let (fen, total) = (refund.amount.get().to_string(), refund.total.get().to_string());
    let cash = refund.total.minus(refund.total_coupon).unwrap_or(refund.total).get().to_string();
    let back = refund.amount.minus(refund.coupon).unwrap_or(refund.amount).get().to_string();
    put("transaction_id", &refund.trade_no);
    put("out_trade_no", &refund.out_trade_no);
    put("out_refund_no", &refund.out_refund_no);
    put("refund_id", &refund.refund_no);
    put("refund_fee", &fen);
    put("settlement_refund_fee", &back);
    put("total_fee", &total);
    put("settlement_total_fee", &cash);
    put("fee_type", "CNY");
    put("cash_fee", &cash);
    put("cash_refund_fee", &back);
    put("refund_channel", "ORIGINAL");
    fields
}

/// `POST /pay/refundquery`.
pub(super) fn query(world: &World, asked: &Asked) -> Result<Fields, Refusal> {
    let none = || Refusal::new("REFUNDNOTEXIST", "退款订单查询失败");
    let sub = |sub: &Option<Sub>| sub.as_ref().map(|sub| sub.mchid.clone());
    let mine =
        |refund: &&Refund| refund.merchant == asked.mchid && sub(&refund.sub) == sub(&asked.sub);
    let offset = match asked.may("offset", 6)? {
        None => None,
        Some(text) => {
            let number: Result<usize, _> = text.parse();
            Some(number.or(Err(asked.route.wrong("offset须为数字")))?)
        }
    };
    let found: Vec<&Refund> = if let Some(id) = asked.may("refund_id", 32)? {
        world.book.refunds.values().filter(mine).filter(|refund| refund.refund_no == id).collect()
    } else if let Some(number) = asked.may("out_refund_no", 64)? {
        world.book.refunds.get(&key(&asked.mchid, number)).into_iter().filter(mine).collect()
    } else {
        let unknown = Refusal::no_order();
        let none_for = |refusal| if refusal == unknown { none() } else { refusal };
        let order = named(world, asked).map_err(none_for)?;
        world.book.refunds_of(order).collect()
    };
    let first = found.first().ok_or_else(none)?;
    let mut fields = heading(first);
    let page: Vec<&&Refund> = found.iter().skip(offset.unwrap_or(0)).take(PAGE).collect();
    let mut put = |name: &str, value: String| drop(fields.insert(name.to_owned(), value));
    if offset.is_some() || found.len() > PAGE {
        put("total_refund_count", found.len().to_string());
    }
    put("refund_count", page.len().to_string());
    for (place, refund) in page.into_iter().enumerate() {
        row(&mut fields, place, refund, refund.standing(asked.now));
    }
    Ok(fields)
}

/// What a query tells once.
fn heading(refund: &Refund) -> Fields {
    let told = accepted(refund);
    let wanted = [
        "transaction_id",
        "out_trade_no",
        "total_fee",
        "settlement_total_fee",
        "fee_type",
        "cash_fee",
    ];
    told.into_iter().filter(|(name, _)| wanted.contains(&name.as_str())).collect()
}

/// What a query tells of each refund, under its place.
fn row(fields: &mut Fields, place: usize, refund: &Refund, standing: Standing) {
    let fen = refund.amount.get().to_string();
    let back = refund.amount.minus(refund.coupon).unwrap_or(refund.amount).get().to_string();
    let mut put = |name: &str, value: String| drop(fields.insert(format!("{name}_{place}"), value));
    put("out_refund_no", refund.out_refund_no.clone());
    put("refund_id", refund.refund_no.clone());
    put("refund_channel", "ORIGINAL".to_owned());
    put("refund_fee", fen);
    put("settlement_refund_fee", back);
    put("refund_status", word(standing).to_owned());
    put("refund_account", "REFUND_SOURCE_UNSETTLED_FUNDS".to_owned());
    put("refund_recv_accout", "支付用户零钱".to_owned());
    if standing == Standing::Success {
        put("refund_success_time", wall(refund.done_at));
    }
}

/// The old interface's word for how a refund stands.
pub(super) const fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Processing => "PROCESSING",
        Standing::Success => "SUCCESS",
        Standing::Abnormal => "CHANGE",
        Standing::Closed => "REFUNDCLOSE",
    }
}
