//! Trades that a payer has yet to pay: by a code, in a mini program, in a browser, in an app. A code
//! or a page is no trade until a wallet has opened it; a created one is a trade at once.

use serde_json::{Map, Value, json};

use super::node::Business;
use super::order::file;
use super::request::Request;
use super::trades::fields;
use crate::engine::World;
use crate::random::Random;
use crate::state::{OrderKey, later};

const CODE_LIFE_S: u32 = 7200;

/// `alipay.trade.precreate`.
pub(super) fn precreate(
    world: &mut World,
    request: &Request<'_>,
) -> Result<Map<String, Value>, Business> {
    let seed = world.seed;
    let order = file(world, request)?;
    order.codes = order.codes.saturating_add(1);
    let count = order.codes.to_string();
    let names = ["code", &order.merchant, &order.out_trade_no, &count];
    let mut chance = Random::of(seed, &names);
    order.code = format!("https://qr.alipay.com/bax{}", chance.nonce(21).to_ascii_lowercase());
    order.code_expires_at = later(request.now, CODE_LIFE_S).min(order.expires_at);
    Ok(fields(&json!({"out_trade_no": order.out_trade_no, "qr_code": order.code})))
}

/// `alipay.trade.create`: for a payer whom the mini program knows.
pub(super) fn create(
    world: &mut World,
    request: &Request<'_>,
) -> Result<Map<String, Value>, Business> {
    let buyer = request.text("buyer_id");
    if buyer.is_none() && request.text("buyer_open_id").is_none() {
        return Err(Business::parameter("buyer_id和buyer_open_id不能同时为空"));
    }
    if buyer.is_some_and(|buyer| !is_user(&buyer)) {
        return Err(Business::failed("ACQ.BUYER_NOT_EXIST", "买家不存在"));
    }
    let order = file(world, request)?;
    order.code_expires_at = order.expires_at;
    let key = order.key();
    world.open_code(&key, request.now);
    let order = world.book.orders.get(&key).ok_or_else(Business::no_trade)?;
    Ok(fields(&json!({"out_trade_no": order.out_trade_no, "trade_no": order.trade_no})))
}

/// Whether a text is a user's number: sixteen digits that begin with 2088.
fn is_user(text: &str) -> bool {
    text.len() == 16 && text.starts_with("2088") && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `alipay.trade.page.pay`, `wap.pay` and `app.pay`: the payer is before the cashier.
pub(super) fn cashier(world: &mut World, request: &Request<'_>) -> Result<OrderKey, Business> {
    let order = file(world, request)?;
    order.code_expires_at = order.expires_at;
    Ok(order.key())
}
