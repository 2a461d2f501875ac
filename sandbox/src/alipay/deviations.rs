//! What in a request departs from the manual, those things too that the gateway lets pass: for the
//! log of verdicts.

use std::collections::BTreeMap;

use domain::time::from_beijing;
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::{Map, Value};

use super::method::Method;
use crate::message::Received;
use crate::text::is_loopback;
use crate::verdict::Verdicts;

/// Marks that the manual forbids in a subject.
pub(super) const FORBIDDEN_IN_SUBJECT: [char; 3] = ['/', '=', '&'];

/// The public parameters that the manual knows.
const PUBLIC: &[&str] = &[
    "app_id",
    "method",
    "format",
    "return_url",
    "charset",
    "sign_type",
    "sign",
    "timestamp",
    "version",
    "notify_url",
    "app_auth_token",
    "biz_content",
    "encrypt_type",
    "app_cert_sn",
    "alipay_root_cert_sn",
    "alipay_sdk",
    "ws_service_url",
    "prod_code",
    "terminal_type",
    "terminal_info",
    "auth_token",
];

/// Looks at the parameters around the content.
pub(super) fn of_parameters(
    verdicts: &mut Verdicts,
    received: &Received,
    parameters: &BTreeMap<String, String>,
    now: Timestamp,
) {
    let get = |name: &str| parameters.get(name).map(String::as_str);
    for (name, value) in parameters {
        if !PUBLIC.contains(&name.as_str()) {
            verdicts.deviates(format!("{name}: no public parameter of the manual"));
        } else if value.is_empty() {
            verdicts.deviates(format!("{name}: empty; leave it out"));
        }
    }
    for name in ["charset", "format", "version"] {
        if get(name).is_none() {
            verdicts.deviates(format!("{name}: missing"));
        }
    }
    if get("sign_type").is_some_and(|kind| kind != "RSA2") {
        verdicts.deviates("sign_type: not RSA2");
    }
    if get("charset").is_some_and(|charset| charset != "utf-8") {
        verdicts.deviates("charset: not written utf-8");
    }
    if get("format").is_some_and(|format| format != "JSON") {
        verdicts.deviates("format: not written JSON");
    }
    let query = url::form_urlencoded::parse(received.query().as_bytes());
    let in_query = query.into_iter().any(|(name, _)| name == "biz_content");
    if in_query && received.method == "POST" {
        verdicts.deviates("biz_content: in the query; it belongs in the form");
    }
    let form = received.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if received.method == "POST" && !form.starts_with("application/x-www-form-urlencoded") {
        verdicts.deviates("Content-Type: not application/x-www-form-urlencoded");
    }
    zone(verdicts, get("timestamp").unwrap_or_default(), now);
    address(verdicts, "notify_url", get("notify_url"));
    address(verdicts, "return_url", get("return_url"));
}

/// A timestamp that is whole hours off was written in another zone than Beijing's.
fn zone(verdicts: &mut Verdicts, text: &str, now: Timestamp) {
    let Ok(wall) = DateTime::strptime("%Y-%m-%d %H:%M:%S", text) else {
        verdicts.deviates("timestamp: not yyyy-MM-dd HH:mm:ss");
        return;
    };
    let off = from_beijing(wall).as_second().saturating_sub(now.as_second());
    let hours = off.saturating_add(1800).div_euclid(3600);
    if hours != 0 {
        verdicts.deviates(format!("timestamp: {hours:+} h off; it must be Beijing's time"));
    } else if off.abs() > 60 {
        verdicts.deviates(format!("timestamp: {off:+} s off"));
    }
}

fn address(verdicts: &mut Verdicts, name: &str, address: Option<&str>) {
    let Some(address) = address.filter(|address| !address.is_empty()) else { return };
    match url::Url::parse(address) {
        Err(_) => verdicts.deviates(format!("{name}: no absolute address")),
        Ok(_) if is_loopback(address) => {
            verdicts.deviates(format!("{name}: loopback; the real gateway needs a public address"));
        }
        Ok(url) if url.scheme() != "https" => verdicts.deviates(format!("{name}: not https")),
        Ok(_) => {}
    }
    if name == "notify_url" && address.contains('?') {
        verdicts.deviates("notify_url: has a query");
    }
    if address.len() > 256 {
        verdicts.deviates(format!("{name}: longer than 256"));
    }
}

/// Looks at the content.
pub(super) fn of_content(verdicts: &mut Verdicts, method: Method, content: &Map<String, Value>) {
    for (name, value) in content {
        if !method.knows(name) {
            verdicts.deviates(format!("biz_content.{name}: unknown to the manual"));
        }
        empty(verdicts, name, value);
        if name.ends_with("_amount") && value.is_number() {
            verdicts.deviates(format!("biz_content.{name}: a number; write yuan as a text"));
        }
    }
    let text = |name: &str| content.get(name).and_then(Value::as_str);
    if text("subject").is_some_and(|subject| subject.contains(FORBIDDEN_IN_SUBJECT)) {
        verdicts.deviates("biz_content.subject: has /, = or &");
    }
    if text("timeout_express").is_some() && text("time_expire").is_some() {
        verdicts.deviates("biz_content.timeout_express: useless beside time_expire");
    }
    if !method.products().is_empty() && text("product_code").is_none() {
        verdicts.deviates("biz_content.product_code: missing");
    }
    for name in ["total_amount", "refund_amount"] {
        let two = |yuan: &str| yuan.split_once('.').is_some_and(|(_, cents)| cents.len() == 2);
        if text(name).is_some_and(|yuan| !two(yuan)) {
            verdicts.deviates(format!("biz_content.{name}: not with two decimals"));
        }
    }
    if method == Method::Refund && text("out_request_no").is_none() {
        verdicts.deviates("biz_content.out_request_no: missing; a repeat cannot be told apart");
    }
}

fn empty(verdicts: &mut Verdicts, name: &str, value: &Value) {
    let what = match value {
        Value::Null => "null",
        Value::String(text) if text.is_empty() => "empty",
        Value::Object(inner) => {
            for (field, value) in inner {
                empty(verdicts, &format!("{name}.{field}"), value);
            }
            return;
        }
        Value::String(_) | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return,
    };
    verdicts.deviates(format!("biz_content.{name}: {what}; leave it out"));
}
