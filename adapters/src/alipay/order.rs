//! The business calls about orders. Their `biz_content` is stored and repeated byte for byte, so
//! nothing in here may depend on anything but its arguments.

use domain::ids::OutTradeNo;
use domain::money::Fen;
use domain::time::beijing;
use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::identity;
use crate::limits::{self, Length, broken};
use crate::provider::{Account, LimitError, NewOrder, OrderKey, Product};
use crate::wire::{Call, Method};

pub(super) const PRECREATE: &str = "alipay.trade.precreate";
pub(super) const PAGE: &str = "alipay.trade.page.pay";
pub(super) const WAP: &str = "alipay.trade.wap.pay";
pub(super) const APP: &str = "alipay.trade.app.pay";
pub(super) const CREATE: &str = "alipay.trade.create";
pub(super) const PAY: &str = "alipay.trade.pay";
pub(super) const QUERY: &str = "alipay.trade.query";
pub(super) const CLOSE: &str = "alipay.trade.close";
pub(super) const CANCEL: &str = "alipay.trade.cancel";

/// The largest amount of one trade: 100 000 000 yuan.
const LARGEST_TRADE: Fen = Fen::new(10_000_000_000);

/// How long an order may live, in seconds: 1 minute to 15 days.
const LIFE_S: (i64, i64) = (60, 15 * 24 * 3600);

/// Places an order. `is_isv`: the application acts for another seller.
pub(super) fn place(
    account: &Account,
    is_isv: bool,
    order: &NewOrder<'_>,
) -> Result<Call, LimitError> {
    let (method, product_code) = product(order.product)?;
    limits::number("out_trade_no", order.out_trade_no.as_str(), (1, 64), "_")?;
    limits::notify_url(order.notify_url, 256)?;
    payable("amount_fen", order.amount)?;
    life(order.now, order.expires_at)?;
    let mut content = json!({
        "out_trade_no": order.out_trade_no,
        "total_amount": order.amount.yuan(),
        "subject": subject(order.subject)?,
        "product_code": product_code,
    });
    // Whom a page pays follows from its application alone.
    if method != PAGE {
        put(&mut content, "seller_id", json!(account.payee));
    }
    let expires_at = beijing(order.expires_at).strftime("%Y-%m-%d %H:%M:%S").to_string();
    put(&mut content, "time_expire", json!(expires_at));
    if method == CREATE {
        let (name, value) = buyer(order)?;
        put(&mut content, name, value);
        // A mini program of the office's own; in ISV mode the application is none.
        if !is_isv {
            put(&mut content, "op_app_id", json!(account.app));
        }
    }
    if method == PAY {
        put(&mut content, "scene", json!("bar_code"));
        put(&mut content, "auth_code", auth_code(order)?);
    }
    if let Some(identity) = order.identity {
        put(&mut content, "ext_user_info", identity::asked(method, identity)?);
    }
    // At the counter the hub asks until the order is decided, and takes it back; a notice that came
    // after that would settle a fee with money that the payer has back.
    let mut parameters = Vec::new();
    if method != PAY {
        parameters.push(("notify_url".to_owned(), order.notify_url.to_owned()));
    }
    if let Some(url) = order.return_url.filter(|_| matches!(method, PAGE | WAP)) {
        return_url(url)?;
        parameters.push(("return_url".to_owned(), url.to_owned()));
        if method == WAP {
            put(&mut content, "quit_url", json!(url));
        }
    }
    let mut call = call(method, &content);
    call.parameters = parameters;
    Ok(call)
}

/// `alipay.trade.query`, by Alipay's number where it is given.
pub(super) fn query(key: &OrderKey<'_>) -> Call {
    match key.provider_trade_no {
        Some(trade_no) => call(QUERY, &json!({ "trade_no": trade_no })),
        None => call(QUERY, &json!({ "out_trade_no": key.out_trade_no })),
    }
}

/// `alipay.trade.close`; at the counter `alipay.trade.cancel`, which also gives back what was paid
/// while nobody knew.
pub(super) fn close(out_trade_no: &OutTradeNo, product: Product) -> Call {
    let method = if product == Product::Pay { CANCEL } else { CLOSE };
    call(method, &json!({ "out_trade_no": out_trade_no }))
}

/// The method and the contract (产品码) of a product.
fn product(product: Product) -> Result<(&'static str, &'static str), LimitError> {
    match product {
        Product::Precreate => Ok((PRECREATE, "FACE_TO_FACE_PAYMENT")),
        Product::Page => Ok((PAGE, "FAST_INSTANT_TRADE_PAY")),
        Product::Wap => Ok((WAP, "QUICK_WAP_WAY")),
        Product::App => Ok((APP, "QUICK_MSECURITY_PAY")),
        Product::Create => Ok((CREATE, "JSAPI_PAY")),
        Product::Pay => Ok((PAY, "FACE_TO_FACE_PAYMENT")),
        Product::Native | Product::Jsapi | Product::H5 | Product::Codepay => {
            let name = product.as_str();
            Err(broken("product", format!("{name} is not Alipay's; use precreate")))
        }
    }
}

/// Who pays in a mini program: the number of an account (`buyer_id`), or the name under which the
/// application knows it (`buyer_open_id`).
fn buyer(order: &NewOrder<'_>) -> Result<(&'static str, Value), LimitError> {
    let field = "payer.buyer_id";
    let payer = order.payer.ok_or_else(|| broken(field, "must be given for create"))?.clear();
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if payer.len() == 16 && payer.starts_with("2088") && digits(payer) {
        return Ok(("buyer_id", json!(payer)));
    }
    let is_open_id = (1..=128).contains(&payer.len())
        && !digits(payer)
        && payer.bytes().all(|byte| byte.is_ascii_graphic());
    if is_open_id {
        return Ok(("buyer_open_id", json!(payer)));
    }
    Err(broken(field, "16 digits that begin with 2088, or an open id of up to 128 letters"))
}

/// The payer's barcode: 16 to 24 digits, of which the first two are 25 to 30.
fn auth_code(order: &NewOrder<'_>) -> Result<Value, LimitError> {
    let field = "auth_code";
    let code = order.auth_code.ok_or_else(|| broken(field, "must be given for pay"))?.clear();
    let is_alipays = ["25", "26", "27", "28", "29", "30"].iter().any(|way| code.starts_with(way));
    let is_code = (16..=24).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit());
    if is_alipays && is_code {
        return Ok(json!(code));
    }
    Err(broken(field, "16 to 24 digits that begin with 25 to 30: the payer's code in Alipay"))
}

/// What the payer reads. Alipay forbids three marks, which are refused; a comma is allowed, but
/// nobody knows how a bill's CSV escapes it, so a full-width one is sent instead.
fn subject(text: &str) -> Result<String, LimitError> {
    limits::text("subject", text, Length::Characters(256))?;
    if text.contains(['/', '=', '&']) {
        return Err(broken("subject", "must not hold / = or &"));
    }
    Ok(text.replace(',', "，"))
}

/// Where the payer's browser goes afterwards. It may say what it likes, and proves nothing.
fn return_url(text: &str) -> Result<(), LimitError> {
    let field = "return_url";
    let url = Url::parse(text)
        .map_err(|source| broken(field, format!("must be an absolute URL: {source}")))?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err(broken(field, "must be an https URL"));
    }
    if text.len() > 256 {
        return Err(broken(field, format!("at most 256 bytes, has {}", text.len())));
    }
    Ok(())
}

fn life(now: Timestamp, expires_at: Timestamp) -> Result<(), LimitError> {
    let (least, most) = LIFE_S;
    let lives = expires_at.as_second().saturating_sub(now.as_second());
    if (least..=most).contains(&lives) {
        return Ok(());
    }
    Err(broken("expires_in_s", format!("{least} to {most} from now")))
}

/// An amount that one trade may have.
pub(super) fn payable(field: &'static str, amount: Fen) -> Result<(), LimitError> {
    if amount.is_payable() && amount <= LARGEST_TRADE {
        return Ok(());
    }
    Err(broken(field, "1 to 10000000000 fen"))
}

fn put(content: &mut Value, name: &str, value: Value) {
    if let Some(members) = content.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

pub(super) fn call(method: &str, biz_content: &Value) -> Call {
    Call {
        method: Method::Post,
        target: method.to_owned(),
        body: biz_content.to_string(),
        parameters: Vec::new(),
    }
}
