//! What of a request deviates from the manual of `APIv3`, whether the real provider would let it pass
//! or not. It decides nothing.

use jiff::Timestamp;
use serde_json::Value;

use super::refusal::Refusal;
use super::verify;
use crate::engine::World;
use crate::message::Received;

/// A clock that is further off will not be good for long.
const SKEW_S: u64 = 60;
const LANGUAGES: &[&str] = &["zh-CN", "en", "zh-HK", "zh-TW"];

/// Notes what is odd about a request, before anything is decided.
pub(super) fn look(world: &mut World, now: Timestamp, request: &Received) {
    for what in headers(request) {
        world.verdicts.deviates(what);
    }
    let authorization = request.header("authorization").and_then(verify::parse);
    if let Some(said) = &authorization {
        let skew = said.timestamp.parse().map(|at: i64| now.as_second().abs_diff(at));
        if let Ok(skew) = skew
            && skew > SKEW_S
        {
            world.verdicts.deviates(format!("timestamp: {skew} s away from the provider's clock"));
        }
        if said.serial.chars().any(|letter| letter.is_ascii_lowercase()) {
            world.verdicts.deviates("serial_no: lower-case letters, as no certificate has them");
        }
        if said.nonce.len() > 32 {
            world.verdicts.deviates("nonce_str: longer than 32 characters");
        }
        world.verdicts.nonce(said.mchid, said.nonce);
        let known = world.keys.wechat(said.mchid);
        let named = request.header("wechatpay-serial");
        let strange = named.is_some_and(|id| known.is_some_and(|known| known.named(id).is_none()));
        if strange {
            world
                .verdicts
                .deviates("Wechatpay-Serial: names a key that the merchant does not have");
        }
    }
    if let Ok(body) = serde_json::from_slice::<Value>(&request.body) {
        let mut found = Vec::new();
        fields("", &body, &mut found);
        times(&body, &mut found);
        for what in found {
            world.verdicts.deviates(what);
        }
    }
}

/// Notes why a request was refused for a field.
pub(super) fn refused(world: &mut World, refusal: &Refusal) {
    if let Some((_, rest)) = refusal.message.split_once("unknown field `")
        && let Some((name, _)) = rest.split_once('`')
    {
        let name: String = name.chars().take(64).collect();
        world.verdicts.deviates(format!("unknown field: {name}"));
    }
}

fn headers(request: &Received) -> Vec<String> {
    let mut found = Vec::new();
    let value = |name| request.header(name).filter(|value| !value.is_empty());
    for name in ["User-Agent", "Accept"] {
        if value(name).is_none() {
            found.push(format!("{name}: missing"));
        }
    }
    if value("Accept").is_some_and(|kind| !kind.contains("application/json") && kind != "*/*") {
        found.push("Accept: not application/json".to_owned());
    }
    if !request.body.is_empty() {
        match value("Content-Type") {
            None => found.push("Content-Type: missing".to_owned()),
            Some(kind) if !kind.starts_with("application/json") => {
                found.push("Content-Type: not application/json".to_owned());
            }
            Some(_) => {}
        }
    }
    if request.method == "GET" && !request.body.is_empty() {
        found.push("body: a GET has none".to_owned());
    }
    if value("Accept-Language").is_some_and(|language| !LANGUAGES.contains(&language)) {
        found.push("Accept-Language: none of zh-CN, en, zh-HK, zh-TW".to_owned());
    }
    // Who fetches his first certificate has no key to name.
    if value("Wechatpay-Serial").is_none() && request.path() != "/v3/certificates" {
        found.push("Wechatpay-Serial: missing, so the provider chooses the key".to_owned());
    }
    found
}

/// Nulls and empty values, by their place.
fn fields(place: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null => found.push(format!("null: {place}")),
        Value::String(text) if text.is_empty() => found.push(format!("empty: {place}")),
        Value::Array(items) => {
            if items.is_empty() {
                found.push(format!("empty: {place}"));
            }
            for (count, item) in items.iter().enumerate() {
                fields(&format!("{place}/{count}"), item, found);
            }
        }
        Value::Object(items) => {
            if items.is_empty() {
                found.push(format!("empty: {place}"));
            }
            for (name, item) in items {
                fields(&format!("{place}/{name}"), item, found);
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Times in another zone than China's, and addresses that are not https.
fn times(body: &Value, found: &mut Vec<String>) {
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    for name in ["time_expire", "time_start"] {
        if text(name).is_some_and(|time| !time.ends_with("+08:00")) {
            found.push(format!("{name}: not in China's zone, +08:00"));
        }
    }
    if text("notify_url").is_some_and(|url| !url.starts_with("https://")) {
        found.push("notify_url: not https".to_owned());
    }
}
