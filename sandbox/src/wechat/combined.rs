//! Combined orders of WeChat Pay (合单支付): one payment, several payees, all or nothing. The parts
//! are orders of their payees: bills and refunds treat them as any other.

use domain::Fen;
use domain::provider::Provider;
use domain::time::beijing;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Asked;
use super::fields::{
    Scene, callback_address, expires_at, length, lives_long_enough, order_number, payable, strict,
};
use super::orders::{fresh_code, sub_merchant};
use super::product::Product;
use super::refusal::Refusal;
use super::standing;
use crate::engine::World;
use crate::random::Random;
use crate::state::{Combined, Order, OrderKey, Sub};

/// The fewest and the most parts of a merchant, and the most of a service provider.
const LEAST_PARTS: usize = 2;
const MOST_PARTS: usize = 10;
const MOST_PARTNER_PARTS: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    combine_appid: String,
    combine_mchid: String,
    combine_out_trade_no: String,
    sub_orders: Vec<Part>,
    combine_payer_info: Option<PayerInfo>,
    scene_info: Option<Scene>,
    time_start: Option<String>,
    time_expire: Option<String>,
    notify_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    mchid: String,
    attach: String,
    amount: Amount,
    out_trade_no: String,
    sub_mchid: Option<String>,
    sub_appid: Option<String>,
    description: String,
    detail: Option<String>,
    goods_tag: Option<String>,
    settle_info: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    total_amount: i64,
    currency: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayerInfo {
    openid: String,
}

/// Refuses a merchant that is not the one who signed.
fn same(asked: &Asked<'_>, mchid: &str) -> Result<(), Refusal> {
    if mchid == asked.mchid {
        return Ok(());
    }
    Err(Refusal::parameter("/combine_mchid", mchid, "商户号与签名的商户号不一致"))
}

impl Wanted {
    fn check(&self, world: &World, asked: &Asked<'_>, product: Product) -> Result<(), Refusal> {
        same(asked, &self.combine_mchid)?;
        let merchant = world.keys.wechat(asked.mchid).ok_or_else(Refusal::no_merchant)?;
        if self.combine_appid != merchant.config.appid {
            return Err(Refusal::new(400, "APPID_MCHID_NOT_MATCH", "AppID和mch_id不匹配"));
        }
        order_number("combine_out_trade_no", &self.combine_out_trade_no)?;
        callback_address(&self.notify_url, 255)?;
        Scene::check(self.scene_info.as_ref(), product == Product::H5)?;
        let openid = self.combine_payer_info.as_ref().map(|payer| payer.openid.as_str());
        match openid {
            Some(openid) => length("openid", openid, 1, 128)?,
            None if product == Product::Jsapi => {
                return Err(Refusal::parameter("/combine_payer_info/openid", "", "缺少必填参数"));
            }
            None => {}
        }
        let partner = self.sub_orders.iter().any(|part| part.sub_mchid.is_some());
        let most = if partner { MOST_PARTNER_PARTS } else { MOST_PARTS };
        let count = self.sub_orders.len();
        if !(LEAST_PARTS..=most).contains(&count) {
            let issue = format!("子单须为{LEAST_PARTS}到{most}单");
            return Err(Refusal::parameter("/sub_orders", &count.to_string(), &issue));
        }
        let mut numbers: Vec<_> = self.sub_orders.iter().map(|part| &part.out_trade_no).collect();
        numbers.sort();
        numbers.dedup();
        if numbers.len() != count {
            return Err(Refusal::parameter("/sub_orders", "", "子单商户订单号重复"));
        }
        let _kept = &self.time_start;
        Ok(())
    }
}

impl Part {
    /// Holds the limits; gives on whose behalf it is.
    fn check(&self, world: &World, place: usize) -> Result<Option<Sub>, Refusal> {
        let payee = world.keys.wechat(&self.mchid).ok_or_else(|| {
            let field = format!("/sub_orders/{place}/mchid");
            Refusal::parameter(&field, &self.mchid, "子单商户号不存在")
        })?;
        length("attach", &self.attach, 1, 128)?;
        length("description", &self.description, 1, 127)?;
        order_number("out_trade_no", &self.out_trade_no)?;
        let field = format!("/sub_orders/{place}/amount/total_amount");
        payable(&field, self.amount.total_amount, Some(&self.amount.currency))?;
        let _kept = (&self.detail, &self.goods_tag, &self.settle_info);
        self.sub_mchid
            .as_deref()
            .map(|sub| sub_merchant(payee, sub, self.sub_appid.as_deref()))
            .transpose()
    }

    fn key(&self) -> OrderKey {
        (self.mchid.clone(), self.out_trade_no.clone())
    }
}

/// `POST /v3/combine-transactions/{product}`.
pub(super) fn place(
    world: &mut World,
    asked: &Asked<'_>,
    product: Product,
) -> Result<Value, Refusal> {
    let (wanted, terms) = strict::<Wanted>(&asked.request.body)?;
    wanted.check(world, asked, product)?;
    let subs = wanted
        .sub_orders
        .iter()
        .enumerate()
        .map(|(place, part)| part.check(world, place))
        .collect::<Result<Vec<_>, _>>()?;
    let terms = json!([product.trade_type(), terms]);
    let key = (asked.mchid.to_owned(), wanted.combine_out_trade_no.clone());
    if let Some(known) = world.book.combined.get(&key) {
        if known.terms != terms {
            return Err(Refusal::number_used());
        }
        still_open(world, known, asked.now)?;
    } else {
        if wanted.sub_orders.iter().any(|part| world.book.orders.contains_key(&part.key())) {
            return Err(Refusal::number_used());
        }
        let ends = expires_at(wanted.time_expire.as_deref(), asked.now)?;
        lives_long_enough(wanted.time_expire.as_deref(), ends, asked.now)?;
        file(world, wanted, (subs, ends, terms), &key, product, asked.now);
    }
    let parts = world.book.combined.get(&key).map(|known| known.parts.clone());
    let mut told = Err(Refusal::no_order());
    for (place, part) in parts.unwrap_or_default().iter().enumerate() {
        let code = fresh_code(world, part, product, asked.now);
        if place == 0 {
            told = code; // one code pays all
        }
    }
    told
}

fn still_open(world: &World, known: &Combined, now: Timestamp) -> Result<(), Refusal> {
    for part in parts(world, known) {
        if part.is_paid() {
            return Err(Refusal::paid());
        }
        if part.closed_at.is_some() || now >= part.expires_at {
            return Err(Refusal::new(400, "ORDER_CLOSED", "该订单已关闭"));
        }
    }
    Ok(())
}

/// Files the whole and its parts.
fn file(
    world: &mut World,
    wanted: Wanted,
    (subs, expires_at, terms): (Vec<Option<Sub>>, Timestamp, Value),
    key: &OrderKey,
    product: Product,
    now: Timestamp,
) {
    let chosen = || format!("o{}", Random::of(world.seed, &["payer", &key.0, &key.1]).nonce(27));
    let payer = wanted.combine_payer_info.map_or_else(chosen, |payer| payer.openid);
    let parts = wanted.sub_orders.iter().map(Part::key).collect();
    for (part, sub) in wanted.sub_orders.into_iter().zip(subs) {
        let order = Order {
            subject: part.description,
            amount: Fen::new(part.amount.total_amount),
            product: product.trade_type(),
            sub,
            whole: Some(key.clone()),
            payer: Some(payer.clone()),
            attach: Some(part.attach),
            notify_url: Some(wanted.notify_url.clone()),
            terms: terms.clone(),
            expires_at,
            ..Order::new(Provider::Wechat, &part.mchid, &part.out_trade_no, now)
        };
        world.book.orders.insert(order.key(), order);
    }
    let whole = Combined {
        key: key.clone(),
        appid: wanted.combine_appid,
        parts,
        payer,
        notify_url: wanted.notify_url,
        terms,
    };
    world.book.combined.insert(key.clone(), whole);
}

/// The parts of a combined order.
fn parts<'w>(world: &'w World, whole: &'w Combined) -> impl Iterator<Item = &'w Order> {
    whole.parts.iter().filter_map(|key| world.book.orders.get(key))
}

/// `GET /v3/combine-transactions/out-trade-no/{no}`.
pub(super) fn query(world: &World, asked: &Asked<'_>, no: &str) -> Result<Value, Refusal> {
    let key = (asked.mchid.to_owned(), no.to_owned());
    let whole = world.book.combined.get(&key).ok_or_else(Refusal::no_order)?;
    Ok(described(world, whole))
}

/// `POST /v3/combine-transactions/out-trade-no/{no}/close`, with the complete list of parts.
pub(super) fn close(world: &mut World, asked: &Asked<'_>, no: &str) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Close {
        combine_appid: String,
        sub_orders: Vec<ClosePart>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct ClosePart {
        mchid: String,
        out_trade_no: String,
        sub_mchid: Option<String>,
        sub_appid: Option<String>,
    }
    let (wanted, _) = strict::<Close>(&asked.request.body)?;
    let key = (asked.mchid.to_owned(), no.to_owned());
    let whole = world.book.combined.get(&key).ok_or_else(Refusal::no_order)?;
    if wanted.combine_appid != whole.appid {
        return Err(Refusal::new(400, "APPID_MCHID_NOT_MATCH", "AppID和mch_id不匹配"));
    }
    let mut named: Vec<(&str, &str, Option<&str>)> = wanted
        .sub_orders
        .iter()
        .map(|part| {
            let _kept = &part.sub_appid;
            (part.mchid.as_str(), part.out_trade_no.as_str(), part.sub_mchid.as_deref())
        })
        .collect();
    let mut known: Vec<(&str, &str, Option<&str>)> = parts(world, whole)
        .map(|part| {
            let sub = part.sub.as_ref().map(|sub| sub.mchid.as_str());
            (part.merchant.as_str(), part.out_trade_no.as_str(), sub)
        })
        .collect();
    named.sort_unstable();
    known.sort_unstable();
    if named != known {
        return Err(Refusal::new(400, "INVALID_REQUEST", "子单信息与下单时不一致，须关闭全部子单"));
    }
    if parts(world, whole).any(Order::is_paid) {
        return Err(Refusal::paid());
    }
    for part in whole.parts.clone() {
        if let Some(order) = world.book.orders.get_mut(&part) {
            order.closed_at.get_or_insert(asked.now);
        }
    }
    Ok(())
}

/// `2015-05-20T13:29:35.120+08:00`, as only combined orders have it.
fn with_millis(at: Timestamp) -> String {
    format!("{}+08:00", beijing(at).strftime("%Y-%m-%dT%H:%M:%S%.3f"))
}

/// A combined order as a query answers it and as its only notice carries it.
pub(super) fn described(world: &World, whole: &Combined) -> Value {
    let told: Vec<Value> = parts(world, whole).map(|part| part_described(world, part)).collect();
    let mut fields = json!({
        "combine_appid": whole.appid,
        "combine_mchid": whole.key.0,
        "combine_out_trade_no": whole.key.1,
        "sub_orders": told,
    });
    if parts(world, whole).all(Order::is_paid)
        && let Some(fields) = fields.as_object_mut()
    {
        fields.insert("combine_payer_info".to_owned(), json!({"openid": whole.payer}));
    }
    fields
}

fn part_described(world: &World, part: &Order) -> Value {
    let payment = part.payment(None);
    let (state, _) = standing::state(&world.book, part, payment);
    let mut told = Map::new();
    let mut say = |name: &str, value: Value| told.insert(name.to_owned(), value);
    say("mchid", json!(part.merchant));
    say("out_trade_no", json!(part.out_trade_no));
    say("trade_state", json!(state));
    say("attach", json!(part.attach));
    say("amount", json!({"total_amount": part.amount.get(), "currency": "CNY"}));
    if let Some(sub) = &part.sub {
        say("sub_mchid", json!(sub.mchid));
        if let Some(appid) = &sub.appid {
            say("sub_appid", json!(appid));
        }
    }
    if let Some(payment) = payment {
        let amount = json!({
            "total_amount": payment.amount.get(), "payer_amount": payment.amount.get(),
            "currency": "CNY", "payer_currency": "CNY",
        });
        say("amount", amount);
        say("bank_type", json!("OTHERS"));
        say("success_time", json!(with_millis(payment.paid_at)));
        say("trade_type", json!(part.product));
        say("transaction_id", json!(payment.trade_no));
    }
    Value::Object(told)
}
