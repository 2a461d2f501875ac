//! The cashier (收银台): the page that a browser is led to, its buttons, the way back to the merchant
//! with signed parameters; and the order string that an app hands to the wallet.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::method::Method;
use super::node::{self, Business};
use super::request::Request;
use super::{offers, proved, verify};
use crate::engine::{Engine, Pay, World};
use crate::error::ControlError;
use crate::faults::Action;
use crate::message::{Received, Reply};
use crate::state::{Order, OrderKey};
use crate::text::wall;

const STYLE: &str = "body{font:16px/1.6 system-ui,sans-serif;max-width:30rem;margin:4rem auto;padding:0 1rem;color:#222}\
h1{font-size:1.2rem;color:#1677ff}dt{color:#777;font-size:.85rem}dd{margin:0 0 .8rem;word-break:break-all}\
.amount{font-size:2rem}button{font:inherit;padding:.5rem 1.6rem;margin-right:1rem;cursor:pointer}\
.pay{background:#1677ff;border:0;border-radius:.3rem;color:#fff}";

fn page(status: u16, body: &str) -> Reply {
    let html = format!(
        "<!doctype html><html lang=zh-CN><meta charset=utf-8><title>收银台</title><style>{STYLE}</style>\
         <h1>支付宝沙箱收银台</h1>{body}"
    );
    let mut reply = Reply::new(status, "text/html; charset=utf-8", html);
    // No form-action: paying leads back to the merchant's own address.
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    reply.headers.push(("Content-Security-Policy", policy.to_owned()));
    reply
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What the payer sees when the merchant's request is refused: a page in GBK, as the gateway's is.
pub(super) fn refused(refusal: &Business) -> Reply {
    let code = refusal.sub_code.trim_start_matches("isv.");
    let html = format!(
        "<!doctype html><html lang=zh-CN><title>调试错误</title>\
         <p>调试错误，请回到请求来源地，重新发起请求。</p><dl><dt>错误代码<dd>{}<dt>错误原因<dd>{}</dl>",
        escaped(code),
        escaped(&refusal.sub_msg)
    );
    let mut reply = Reply::new(200, "text/html;charset=GBK", encoding_rs::GBK.encode(&html).0);
    reply.headers.push(("Content-Security-Policy", "default-src 'none'".to_owned()));
    reply
}

/// The cashier's page for an order.
pub(super) fn shown(order: &Order) -> Reply {
    let hidden = format!(
        "<input type=hidden name=out_trade_no value=\"{}\"><input type=hidden name=merchant value=\"{}\">",
        escaped(&order.out_trade_no),
        escaped(&order.merchant)
    );
    page(
        200,
        &format!(
            "<dl><dt>商品<dd>{}<dt>金额<dd class=amount>¥{}<dt>商户订单号<dd><code>{}</code><dt>请在此前付款<dd>{}</dl>\
             <form method=post action=/sandbox/alipay/cashier>{hidden}<button class=pay>付款</button>\
             <button formaction=/sandbox/scan>登录，暂不付款</button></form>",
            escaped(&order.subject),
            order.amount.yuan(),
            escaped(&order.out_trade_no),
            wall(order.expires_at),
        ),
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Button {
    out_trade_no: String,
    merchant: String,
}

/// The cashier's button: the payer pays and is led back to the merchant.
pub(crate) fn press(engine: &Engine, request: &Received) -> Reply {
    let fields: serde_json::Map<String, Value> = url::form_urlencoded::parse(&request.body)
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect();
    let button: Button = match serde_json::from_value(Value::Object(fields)) {
        Ok(button) => button,
        Err(error) => return page(400, &format!("<p>{}</p>", escaped(&error.to_string()))),
    };
    let pay = Pay {
        out_trade_no: button.out_trade_no,
        merchant: Some(button.merchant),
        ..Pay::default()
    };
    match engine.pay_as(&pay) {
        Err(error) => page(409, &format!("<p>付款失败：{}</p>", escaped(&error.to_string()))),
        Ok(paid) => {
            let now = engine.now();
            match way_back(&engine.world(), &(paid.merchant, paid.out_trade_no), now) {
                None => page(200, "<p>付款成功</p>"),
                Some(address) => {
                    let mut reply = Reply::new(303, "text/plain", "");
                    reply.headers.push(("Location", address));
                    reply
                }
            }
        }
    }
}

/// The merchant's `return_url` with signed parameters. It proves nothing about the payment.
fn way_back(world: &World, key: &OrderKey, now: Timestamp) -> Option<String> {
    let order = world.book.orders.get(key)?;
    let app = world.keys.alipay(&key.0)?;
    let mut address = url::Url::parse(order.terms.get("return_url")?.as_str()?).ok()?;
    let method = if order.product == "QUICK_WAP_WAY" { Method::WapPay } else { Method::PagePay };
    let (seller, application) = match &order.sub {
        Some(sub) => (sub.mchid.clone(), sub.appid.clone().unwrap_or_default()),
        None => (app.config.seller_id.clone(), key.0.clone()),
    };
    let fields: BTreeMap<&str, String> = [
        ("app_id", key.0.clone()),
        ("auth_app_id", application),
        ("charset", "utf-8".to_owned()),
        ("method", format!("{}.return", method.name())),
        ("out_trade_no", key.1.clone()),
        ("seller_id", seller),
        ("timestamp", wall(now)),
        ("total_amount", order.amount.yuan()),
        ("trade_no", order.trade_no.clone()),
        ("version", "1.0".to_owned()),
    ]
    .into();
    let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let sign = app.platform.signing.sign(text.join("&").as_bytes()).ok()?;
    address
        .query_pairs_mut()
        .extend_pairs(&fields)
        .append_pair("sign_type", "RSA2")
        .append_pair("sign", &sign);
    Some(address.into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppPay {
    /// What the merchant's server gave its app.
    order_string: String,
    /// Whether the payer pays at once; absent: yes.
    #[serde(default = "yes")]
    pay: bool,
}

const fn yes() -> bool {
    true
}

/// `POST /sandbox/alipay/app-pay`: the wallet takes an order string from the merchant's app, and the
/// payer pays. The answer is what the wallet's kit tells the app.
pub(crate) fn app_pay(engine: &Engine, request: &Received) -> Result<Value, ControlError> {
    let wrong = |source: serde_json::Error| ControlError::BadRequest(source.to_string());
    let wanted: AppPay = serde_json::from_slice(&request.body).map_err(wrong)?;
    let now = engine.now();
    let taken = take(&mut engine.world(), &wanted.order_string, now);
    let key = match taken {
        Ok(key) => key,
        Err(refusal) => {
            let memo = format!("{} {}", refusal.sub_code, refusal.sub_msg);
            return Ok(json!({"resultStatus": "4000", "memo": memo, "result": ""}));
        }
    };
    if !wanted.pay {
        engine.scan(&key.1, Some(&key.0))?;
        return Ok(json!({"resultStatus": "6001", "memo": "用户中途取消", "result": ""}));
    }
    let pay = Pay { out_trade_no: key.1.clone(), merchant: Some(key.0.clone()), ..Pay::default() };
    engine.pay_as(&pay)?;
    let result = told(&engine.world(), &key, now).unwrap_or_default();
    Ok(json!({"resultStatus": "9000", "memo": "处理成功", "result": result}))
}

/// Verifies an order string and files its order.
fn take(world: &mut World, text: &str, now: Timestamp) -> Result<OrderKey, Business> {
    let parameters = verify::gather_string(text)?;
    let (method, app) = proved(world, now, &parameters)?;
    if method != Method::AppPay {
        return Err(Business::invalid("isv.invalid-method", "不是APP支付的订单"));
    }
    let request = Request::read(app, method, &parameters, now)?;
    offers::cashier(world, &request)
}

/// What the kit hands the app as `result`: signed, and no proof of the payment either.
fn told(world: &World, key: &OrderKey, now: Timestamp) -> Option<String> {
    let order = world.book.orders.get(key)?;
    let app = world.keys.alipay(&key.0)?;
    let seller = order.sub.as_ref().map_or(&app.config.seller_id, |sub| &sub.mchid);
    let fields = super::trades::fields(&json!({
        "app_id": key.0,
        "auth_app_id": key.0,
        "charset": "utf-8",
        "out_trade_no": key.1,
        "seller_id": seller,
        "timestamp": wall(now),
        "total_amount": order.amount.yuan(),
        "trade_no": order.trade_no,
    }));
    let style = node::Style { sealed: false, sign_first: false, action: None::<Action> };
    let reply = node::signed(Method::AppPay.name(), &Ok(fields), app, style)?;
    let text = String::from_utf8(reply.body).ok()?;
    Some(format!("{},\"sign_type\":\"RSA2\"}}", text.strip_suffix('}')?))
}
