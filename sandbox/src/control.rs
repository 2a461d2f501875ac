//! The control of the sandbox over HTTP: pay, refund, faults, keys, clock, state. For loopback only,
//! and not for pages of other sites that a browser on this machine has open.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::alipay;
use crate::engine::{Engine, Pay, PortalRefund};
use crate::error::ControlError;
use crate::faults::Fault;
use crate::message::{Received, Reply};
use crate::text::is_loopback;

/// Whether a request names this machine as host and, if a browser sends one, as origin.
pub(crate) fn is_from_here(request: &Received) -> bool {
    let host = request.header("host").is_some_and(|host| is_loopback(&format!("http://{host}/")));
    host && request.header("origin").is_none_or(is_loopback)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scan {
    out_trade_no: String,
    merchant: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    /// Absent: the only merchant.
    merchant: Option<String>,
    #[serde(default)]
    overlap: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hands {
    now: Option<Timestamp>,
    advance_s: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lift {
    id: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Receipts {
    access_key_id: Option<String>,
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resend {
    id: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Probe {
    out_trade_no: String,
}

/// Answers a request to `/sandbox/…` (but `/sandbox/tick`, which sends and is the server's).
pub(crate) fn answer(engine: &Engine, request: &Received) -> Reply {
    if (request.method.as_str(), request.path()) == ("POST", "/sandbox/alipay/cashier") {
        return alipay::press(engine, request);
    }
    let done = match (request.method.as_str(), request.path()) {
        ("GET", "/sandbox/state") => shown(&engine.state()),
        ("GET", "/sandbox/connection") => Ok(connection(engine)),
        ("POST", "/sandbox/pay") => {
            read::<Pay>(request).and_then(|pay| engine.pay_as(&pay)).and_then(|paid| shown(&paid))
        }
        ("POST", "/sandbox/scan") => read::<Scan>(request)
            .and_then(|scan| engine.scan(&scan.out_trade_no, scan.merchant.as_deref()))
            .map(|()| json!({})),
        ("POST", "/sandbox/refund") => read::<PortalRefund>(request)
            .and_then(|refund| engine.refund(&refund))
            .and_then(|refunded| shown(&refunded)),
        ("POST", "/sandbox/faults") => read::<Fault>(request)
            .and_then(|fault| engine.set_fault(fault))
            .map(|id| json!({"id": id})),
        ("POST", "/sandbox/faults/lift") => read::<Lift>(request).map(|lift| {
            engine.lift_faults(lift.id);
            json!({})
        }),
        ("POST", "/sandbox/alipay/app-pay") => alipay::app_pay(engine, request),
        ("POST", "/sandbox/keys/rotate") => rotate(engine, request),
        ("POST", "/sandbox/clock") => clock(engine, request),
        ("POST", "/sandbox/sms/receipts") => receipts(engine, request),
        ("POST", "/sandbox/callbacks/resend") => {
            read::<Resend>(request).map(|resend| json!({"resent": engine.resend(resend.id)}))
        }
        ("POST", "/sandbox/callbacks/probe") => read::<Probe>(request)
            .and_then(|probe| engine.probe(&probe.out_trade_no))
            .map(|(fault, id)| json!({"fault": fault, "id": id})),
        _ => return Reply::json(404, &json!({"error": "no such control"})),
    };
    match done {
        Ok(_) if is_form(request) => {
            let mut reply = Reply::new(303, "text/plain", "");
            reply.headers.push(("Location", "/".to_owned()));
            reply
        }
        Ok(body) => Reply::json(200, &body),
        Err(error) => refused(&error),
    }
}

fn refused(error: &ControlError) -> Reply {
    let status = match error {
        ControlError::NoSuchOrder(_) | ControlError::NoSuchMerchant(_) => 404,
        ControlError::NotPayable(_)
        | ControlError::NotRefundable(_)
        | ControlError::ClockIsReal => 409,
        ControlError::BadFault(_) | ControlError::BadRequest(_) => 400,
        ControlError::NoKey(_) => 500,
    };
    Reply::json(status, &json!({"error": error.to_string()}))
}

fn is_form(request: &Received) -> bool {
    request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

/// Reads a body: JSON, or the page's form.
fn read<T: DeserializeOwned>(request: &Received) -> Result<T, ControlError> {
    let wrong = |source: serde_json::Error| ControlError::BadRequest(source.to_string());
    if is_form(request) {
        return serde_json::from_value(Value::Object(form(&request.body))).map_err(wrong);
    }
    let body = if request.body.is_empty() { b"{}".as_slice() } else { &request.body };
    serde_json::from_slice(body).map_err(wrong)
}

/// Fields of the page's forms that are numbers or yes and no; every other one is a text.
const NUMBERS: [&str; 7] =
    ["amount_fen", "coupon_fen", "advance_s", "delay_s", "times", "id", "probability"];
const YES_NO: [&str; 3] = ["notify", "force", "overlap"];

/// A form as the JSON that a program would send: empty fields are absent, `a.b` is `b` inside `a`.
fn form(body: &[u8]) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, text) in url::form_urlencoded::parse(body).filter(|(_, text)| !text.is_empty()) {
        let value = match (name.as_ref(), text.parse::<i64>()) {
            (name, Ok(number)) if NUMBERS.contains(&name) => Value::from(number),
            (name, _) if YES_NO.contains(&name) => Value::from(text == "true"),
            _ => Value::from(text.into_owned()),
        };
        match name.split_once('.') {
            Some((outer, inner)) => {
                let nested = fields.entry(outer).or_insert_with(|| json!({}));
                if let Some(nested) = nested.as_object_mut() {
                    nested.insert(inner.to_owned(), value);
                }
            }
            None => {
                fields.insert(name.into_owned(), value);
            }
        }
    }
    fields
}

fn shown(what: &impl serde::Serialize) -> Result<Value, ControlError> {
    serde_json::to_value(what).map_err(|source| ControlError::BadRequest(source.to_string()))
}

fn rotate(engine: &Engine, request: &Received) -> Result<Value, ControlError> {
    let wanted: Rotate = read(request)?;
    let only = || {
        let world = engine.world();
        world.keys.wechat.first().map(|merchant| merchant.config.mchid.clone())
    };
    let mchid = wanted.merchant.or_else(only).unwrap_or_default();
    let (id, public_key) = engine.rotate_key(&mchid, wanted.overlap)?;
    Ok(json!({"merchant": mchid, "public_key_id": id, "public_key": public_key}))
}

fn clock(engine: &Engine, request: &Received) -> Result<Value, ControlError> {
    let hands: Hands = read(request)?;
    let to = match (hands.now, hands.advance_s) {
        (Some(now), None) => now,
        (None, Some(seconds)) => engine
            .now()
            .saturating_add(SignedDuration::from_secs(seconds))
            .unwrap_or(Timestamp::MAX),
        _ => return Err(ControlError::BadRequest("give now or advance_s".to_owned())),
    };
    engine.set_clock(to)?;
    Ok(json!({"now": to}))
}

fn receipts(engine: &Engine, request: &Received) -> Result<Value, ControlError> {
    let wanted: Receipts = read(request)?;
    let only = || engine.world().keys.sms.first().map(|account| account.access_key_id.clone());
    let account = wanted.access_key_id.or_else(only).unwrap_or_default();
    engine.set_receipt_url(&account, &wanted.url)?;
    Ok(json!({}))
}

/// With what a program connects: addresses, ids, the providers' public keys, and the merchants'
/// private keys where the configuration publishes them.
pub(crate) fn connection(engine: &Engine) -> Value {
    let world = engine.world();
    let base = &world.base_url;
    let wechat: Vec<Value> = world
        .keys
        .wechat
        .iter()
        .map(|merchant| {
            let config = &merchant.config;
            let published = config.published_private_key.as_ref();
            let bare = merchant.platform.iter().rev().find(|key| key.certificate.is_none());
            let certificates: Vec<Value> = merchant
                .certificates()
                .map(|(serial, known)| json!({"serial_no": serial, "certificate": known.pem}))
                .collect();
            let subs = config.sub_merchants.iter();
            let subs: Vec<Value> =
                subs.map(|sub| json!({"mchid": sub.mchid, "appid": sub.appid})).collect();
            json!({
                "base_url": base,
                "mchid": config.mchid,
                "appid": config.appid,
                "sub_merchants": subs,
                "merchant_serial_no": config.merchant_serial_no,
                "merchant_private_key": config.published_private_key,
                "apiv3_key": published.map(|_| &config.apiv3_key),
                "api_key": published.and(config.api_key.as_ref()),
                "verification": config.verification,
                "wechatpay_public_key_id": bare.map(|key| &key.id),
                "wechatpay_public_key": bare.map(|key| &key.public_pem),
                "platform_certificates": certificates,
            })
        })
        .collect();
    let alipay: Vec<Value> = world
        .keys
        .alipay
        .iter()
        .map(|app| {
            let published = app.config.published_private_key.as_ref();
            json!({
                "gateway_url": format!("{base}/gateway.do"),
                "app_id": app.config.app_id,
                "seller_id": app.config.seller_id,
                "app_private_key": app.config.published_private_key,
                "alipay_public_key": app.platform.public_pem,
                "app_cert": app.certificates.as_ref().map(|known| &known.app.pem),
                "alipay_cert": app.certificates.as_ref().map(|known| &known.current().pem),
                "alipay_root_cert": app.certificates.as_ref().map(|known| &known.root.pem),
                "encrypt_key": published.and(app.config.encrypt_key.as_ref()),
                "app_auth_tokens": published.map(|_| &app.config.auth_tokens),
            })
        })
        .collect();
    let sms: Vec<Value> = world
        .keys
        .sms
        .iter()
        .map(|account| {
            json!({
                "endpoint": base,
                "access_key_id": account.access_key_id,
                "access_key_secret": account.publish_secret.then_some(&account.access_key_secret),
                "receipt_url": account.receipt_url,
            })
        })
        .collect();
    json!({"wechat": wechat, "alipay": alipay, "aliyun_sms": sms})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_what_a_program_would_say() {
        for (body, said) in [
            ("out_trade_no=123&notify=false", json!({"out_trade_no": "123", "notify": false})),
            ("id=7", json!({"id": 7})),
            ("id=", json!({})),
            ("amount_fen=x", json!({"amount_fen": "x"})),
            (
                "on=answer&match.out_trade_no=P+1&times=2&operation=",
                json!({"on": "answer", "match": {"out_trade_no": "P 1"}, "times": 2}),
            ),
        ] {
            assert_eq!(Value::Object(form(body.as_bytes())), said, "{body}");
        }
    }
}
