//! Orders of WeChat Pay: place, query, close.

use domain::Fen;
use domain::provider::Provider;
use domain::time::rfc3339;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::engine::World;
use crate::random::Random;
use crate::state::{Book, Order, Payment, later};
use crate::text::query_value;

/// A code lives two hours.
const CODE_LIFE_S: u32 = 7200;
/// An order without `time_expire` lives seven days.
const ORDER_LIFE_S: u32 = 604_800;
/// The largest order of the sandbox, in fen.
const LARGEST: i64 = 10_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Native {
    appid: String,
    mchid: String,
    description: String,
    out_trade_no: String,
    time_expire: Option<String>,
    attach: Option<String>,
    notify_url: String,
    goods_tag: Option<String>,
    support_fapiao: Option<bool>,
    amount: Amount,
    detail: Option<Value>,
    scene_info: Option<Value>,
    settle_info: Option<Value>,
    payer: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    total: i64,
    currency: Option<String>,
}

/// Reads a body strictly: JSON, no unknown field, no null.
pub(super) fn strict<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<(T, Value), Refusal> {
    let issue = |source: serde_json::Error| Refusal::parameter("/", "", &source.to_string());
    let value: Value = serde_json::from_slice(body).map_err(issue)?;
    if has_null(&value) {
        return Err(Refusal::parameter("/", "null", "可选参数不能为null"));
    }
    Ok((serde_json::from_slice(body).map_err(issue)?, value))
}

fn has_null(value: &Value) -> bool {
    value.is_null()
        || value.as_array().is_some_and(|items| items.iter().any(has_null))
        || value.as_object().is_some_and(|fields| fields.values().any(has_null))
}

/// Checks a text's length in letters.
pub(super) fn length(field: &str, text: &str, least: usize, most: usize) -> Result<(), Refusal> {
    if (least..=most).contains(&text.chars().count()) {
        Ok(())
    } else {
        let issue = format!("{field}长度须在{least}到{most}之间");
        Err(Refusal::parameter(&format!("/{field}"), text, &issue))
    }
}

/// Checks that a number has only the letters that are allowed.
pub(super) fn letters(field: &str, text: &str, beyond: &str) -> Result<(), Refusal> {
    if text.chars().all(|letter| letter.is_ascii_alphanumeric() || beyond.contains(letter)) {
        Ok(())
    } else {
        Err(Refusal::parameter(&format!("/{field}"), text, "含有不允许的字符"))
    }
}

/// Checks an address to be called back: absolute, no query.
pub(super) fn callback_address(text: &str, most: usize) -> Result<(), Refusal> {
    length("notify_url", text, 1, most)?;
    let fine = url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.query().is_none());
    if fine {
        Ok(())
    } else {
        Err(Refusal::parameter("/notify_url", text, "回调地址须为完整的http(s)地址且不带参数"))
    }
}

impl Native {
    /// Holds the limits and gives the end of the order's life.
    fn check(&self, mchid: &str, appid: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
        if self.mchid != mchid {
            return Err(Refusal::parameter("/mchid", &self.mchid, "商户号与签名的商户号不一致"));
        }
        if self.appid != appid {
            let text = "AppID和mch_id不匹配";
            return Err(Refusal::new(400, "APPID_MCHID_NOT_MATCH", text));
        }
        length("description", &self.description, 1, 127)?;
        length("out_trade_no", &self.out_trade_no, 6, 32)?;
        letters("out_trade_no", &self.out_trade_no, "_-|*")?;
        callback_address(&self.notify_url, 255)?;
        if let Some(attach) = &self.attach {
            length("attach", attach, 1, 128)?;
        }
        if let Some(tag) = &self.goods_tag {
            length("goods_tag", tag, 1, 32)?;
        }
        if !(1..=LARGEST).contains(&self.amount.total) {
            let total = self.amount.total.to_string();
            return Err(Refusal::parameter("/amount/total", &total, "金额须为大于0的整数"));
        }
        if self.amount.currency.as_deref().is_some_and(|currency| currency != "CNY") {
            return Err(Refusal::parameter("/amount/currency", "", "境内商户仅支持CNY"));
        }
        self.expires_at(now)
    }

    fn expires_at(&self, now: Timestamp) -> Result<Timestamp, Refusal> {
        let Some(text) = &self.time_expire else { return Ok(later(now, ORDER_LIFE_S)) };
        let issue = |issue: &str| Refusal::parameter("/time_expire", text, issue);
        // Whole seconds and an offset, as the documents write it.
        if text.contains('.') || !text.contains('T') {
            return Err(issue("须为rfc3339格式 yyyy-MM-DDTHH:mm:ss+TIMEZONE"));
        }
        text.parse().map_err(|source: jiff::Error| issue(&source.to_string()))
    }
}

/// `POST /v3/pay/transactions/native`.
pub(super) fn place(
    world: &mut World,
    now: Timestamp,
    mchid: &str,
    body: &[u8],
) -> Result<Value, Refusal> {
    let (wanted, terms) = strict::<Native>(body)?;
    let appid = world.keys.wechat(mchid).map(|merchant| merchant.config.appid.clone());
    let expires_at = wanted.check(mchid, &appid.unwrap_or_default(), now)?;
    // Accepted and kept among the terms; the sandbox draws nothing from them.
    let _kept = (&wanted.support_fapiao, &wanted.detail, &wanted.scene_info);
    let _kept = (&wanted.settle_info, &wanted.payer);
    if let Some(order) = world.book.order_mut(mchid, &wanted.out_trade_no) {
        again(order, &terms, now)?;
    } else {
        if expires_at.duration_since(now) < SignedDuration::from_mins(1) {
            let text = wanted.time_expire.unwrap_or_default();
            return Err(Refusal::parameter("/time_expire", &text, "须至少在一分钟之后"));
        }
        let order = new_order(mchid, wanted, terms, now, expires_at);
        let key = (mchid.to_owned(), order.out_trade_no.clone());
        world.book.orders.insert(key.clone(), order);
        return fresh_code(world, &key, now);
    }
    let key = (mchid.to_owned(), wanted.out_trade_no);
    fresh_code(world, &key, now)
}

/// A repeat must be identical and the order still open.
fn again(order: &Order, terms: &Value, now: Timestamp) -> Result<(), Refusal> {
    if order.is_paid() {
        Err(Refusal::new(400, "ORDER_PAID", "该订单已支付"))
    } else if order.closed_at.is_some() || now >= order.expires_at {
        Err(Refusal::new(400, "ORDER_CLOSED", "该订单已关闭"))
    } else if order.terms != *terms {
        let text = "请求重入时，参数与首次请求时不一致";
        Err(Refusal::new(403, "OUT_TRADE_NO_USED", text))
    } else {
        Ok(())
    }
}

fn new_order(
    mchid: &str,
    wanted: Native,
    terms: Value,
    now: Timestamp,
    expires_at: Timestamp,
) -> Order {
    let new = Order::new(Provider::Wechat, mchid, &wanted.out_trade_no, now);
    Order {
        subject: wanted.description,
        amount: Fen::new(wanted.amount.total),
        product: "NATIVE",
        attach: wanted.attach,
        notify_url: Some(wanted.notify_url),
        terms,
        expires_at,
        ..new
    }
}

fn fresh_code(world: &mut World, key: &(String, String), now: Timestamp) -> Result<Value, Refusal> {
    let seed = world.seed;
    let order = world.book.orders.get_mut(key).ok_or_else(Refusal::no_order)?;
    order.codes = order.codes.saturating_add(1);
    let count = order.codes.to_string();
    let mut chance = Random::of(seed, &["code", &key.0, &key.1, &count]);
    order.code = format!("weixin://wxpay/bizpayurl?pr={}zz", chance.nonce(9));
    order.code_expires_at = later(now, CODE_LIFE_S).min(order.expires_at);
    Ok(json!({"code_url": order.code}))
}

/// `GET …/out-trade-no/{no}?mchid=`.
pub(super) fn query_by_no(
    world: &World,
    mchid: &str,
    out_trade_no: &str,
    query: &str,
) -> Result<Value, Refusal> {
    same_merchant(mchid, query_value(query, "mchid"))?;
    let order = world.book.order(mchid, out_trade_no).ok_or_else(Refusal::no_order)?;
    let appid = appid(world, mchid);
    Ok(described(&world.book, order, order.payment(None), &appid))
}

/// `GET …/id/{transaction_id}?mchid=`.
pub(super) fn query_by_id(
    world: &World,
    mchid: &str,
    transaction_id: &str,
    query: &str,
) -> Result<Value, Refusal> {
    same_merchant(mchid, query_value(query, "mchid"))?;
    let order = world
        .book
        .trade(mchid, transaction_id)
        .filter(|order| order.is_paid())
        .ok_or_else(Refusal::no_order)?;
    let appid = appid(world, mchid);
    Ok(described(&world.book, order, order.payment(Some(transaction_id)), &appid))
}

/// `POST …/{no}/close`.
pub(super) fn close(
    world: &mut World,
    now: Timestamp,
    mchid: &str,
    out_trade_no: &str,
    body: &[u8],
) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Close {
        mchid: String,
    }
    let (wanted, _) = strict::<Close>(body)?;
    same_merchant(mchid, Some(wanted.mchid))?;
    let order = world.book.order_mut(mchid, out_trade_no).ok_or_else(Refusal::no_order)?;
    if order.is_paid() {
        return Err(Refusal::new(400, "ORDER_PAID", "该订单已支付"));
    }
    order.closed_at.get_or_insert(now);
    Ok(())
}

fn same_merchant(mchid: &str, said: Option<String>) -> Result<(), Refusal> {
    match said {
        Some(said) if said == mchid => Ok(()),
        Some(said) => Err(Refusal::parameter("/mchid", &said, "商户号与签名的商户号不一致")),
        None => Err(Refusal::parameter("/mchid", "", "缺少商户号")),
    }
}

fn appid(world: &World, mchid: &str) -> String {
    world.keys.wechat(mchid).map(|merchant| merchant.config.appid.clone()).unwrap_or_default()
}

/// An order as a query answers it and as a notice carries it.
pub(super) fn described(
    book: &Book,
    order: &Order,
    payment: Option<&Payment>,
    appid: &str,
) -> Value {
    let (state, text) = match payment {
        Some(_) if book.refunds_of(order).next().is_some() => {
            ("REFUND", "订单发生过退款，退款详情请查询退款单")
        }
        Some(_) => ("SUCCESS", "支付成功"),
        None if order.closed_at.is_some() => ("CLOSED", "订单已关闭"),
        None => ("NOTPAY", "订单未支付"),
    };
    let mut told = json!({
        "amount": {"currency": "CNY", "total": order.amount.get()},
        "appid": appid,
        "mchid": order.merchant,
        "out_trade_no": order.out_trade_no,
        "trade_state": state,
        "trade_state_desc": text,
    });
    let Some(fields) = told.as_object_mut() else { return told };
    if let Some(attach) = &order.attach {
        fields.insert("attach".to_owned(), json!(attach));
    }
    if let Some(payment) = payment {
        let fen = payment.amount.get();
        let amount =
            json!({"currency": "CNY", "payer_currency": "CNY", "payer_total": fen, "total": fen});
        fields.insert("amount".to_owned(), amount);
        fields.insert("bank_type".to_owned(), json!("OTHERS"));
        fields.insert("payer".to_owned(), json!({"openid": payment.payer}));
        fields.insert("promotion_detail".to_owned(), json!([]));
        fields.insert("success_time".to_owned(), json!(rfc3339(payment.paid_at)));
        fields.insert("trade_type".to_owned(), json!("NATIVE"));
        fields.insert("transaction_id".to_owned(), json!(payment.trade_no));
    }
    told
}
