//! The control of the sandbox over HTTP: pay, refund, faults, keys, clock, state. For loopback only,
//! and not for pages of other sites that a browser on this machine has open.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

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

/// Answers a request to `/sandbox/…` (but `/sandbox/tick`, which sends and is the server's).
pub(crate) fn answer(engine: &Engine, request: &Received) -> Reply {
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
        ("POST", "/sandbox/keys/rotate") => rotate(engine, request),
        ("POST", "/sandbox/clock") => clock(engine, request),
        ("POST", "/sandbox/sms/receipts") => receipts(engine, request),
        ("POST", "/sandbox/callbacks/resend") => {
            read::<Resend>(request).map(|resend| json!({"resent": engine.resend(resend.id)}))
        }
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
        let fields: Map<String, Value> = url::form_urlencoded::parse(&request.body)
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect();
        return serde_json::from_value(Value::Object(fields)).map_err(wrong);
    }
    let body = if request.body.is_empty() { b"{}".as_slice() } else { &request.body };
    serde_json::from_slice(body).map_err(wrong)
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
            let key = merchant.signer(None);
            json!({
                "base_url": base,
                "mchid": config.mchid,
                "appid": config.appid,
                "merchant_serial_no": config.merchant_serial_no,
                "merchant_private_key": config.published_private_key,
                "apiv3_key": config.published_private_key.as_ref().map(|_| &config.apiv3_key),
                "wechatpay_public_key_id": key.map(|key| &key.id),
                "wechatpay_public_key": key.map(|key| &key.public_pem),
            })
        })
        .collect();
    let alipay: Vec<Value> = world
        .keys
        .alipay
        .iter()
        .map(|app| {
            json!({
                "gateway_url": format!("{base}/gateway.do"),
                "app_id": app.config.app_id,
                "seller_id": app.config.seller_id,
                "app_private_key": app.config.published_private_key,
                "alipay_public_key": app.platform.public_pem,
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
