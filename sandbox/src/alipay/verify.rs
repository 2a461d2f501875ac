//! Proves that a request to the gateway is the application's: every parameter except `sign`, empty
//! ones dropped, in ASCII order. Written from the provider's documents, not from the hub's adapter.

use std::collections::BTreeMap;

use domain::time::from_beijing;
use jiff::Timestamp;
use jiff::civil::DateTime;

use super::node::Business;
use crate::keys::Keys;
use crate::message::Received;

/// The gateway's tolerance is not documented; ten minutes either way are assumed.
const TOLERANCE_S: u64 = 600;

/// The parameters of query and form, each exactly once.
pub(super) fn verify(
    keys: &Keys,
    now: Timestamp,
    received: &Received,
) -> Result<BTreeMap<String, String>, Business> {
    let parameters = gather(received)?;
    let get =
        |name: &str| parameters.get(name).map(String::as_str).filter(|value| !value.is_empty());
    for (name, sub_code) in [
        ("method", "isv.missing-method"),
        ("app_id", "isv.missing-app-id"),
        ("sign", "isv.missing-signature"),
        ("sign_type", "isv.missing-signature-type"),
        ("timestamp", "isv.missing-timestamp"),
        ("version", "isv.missing-version"),
        ("charset", "isv.invalid-charset"),
    ] {
        if get(name).is_none() {
            return Err(Business::missing(sub_code, format!("缺少参数{name}")));
        }
    }
    if get("sign_type") != Some("RSA2") {
        return Err(Business::invalid("isv.invalid-signature-type", "签名类型须为RSA2"));
    }
    if !get("charset").is_some_and(|charset| charset.eq_ignore_ascii_case("utf-8")) {
        return Err(Business::invalid("isv.invalid-charset", "字符集须为utf-8"));
    }
    if get("format").is_some_and(|format| !format.eq_ignore_ascii_case("json")) {
        return Err(Business::invalid("isv.invalid-format", "数据格式须为JSON"));
    }
    let app = get("app_id")
        .and_then(|app_id| keys.alipay(app_id))
        .ok_or_else(|| Business::invalid("isv.invalid-app-id", "无效的AppID参数"))?;
    let text = signed_text(&parameters);
    if !get("sign").is_some_and(|sign| app.requests.verifies(text.as_bytes(), sign)) {
        let text = format!(
            "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：{text}"
        );
        return Err(Business::invalid("isv.invalid-signature", text));
    }
    in_time(get("timestamp").unwrap_or_default(), now)?;
    Ok(parameters)
}

fn gather(received: &Received) -> Result<BTreeMap<String, String>, Business> {
    let form = if received.method == "POST" { received.body.as_slice() } else { &[] };
    let query = url::form_urlencoded::parse(received.query().as_bytes());
    let mut parameters = BTreeMap::new();
    for (name, value) in query.chain(url::form_urlencoded::parse(form)) {
        if parameters.insert(name.clone().into_owned(), value.into_owned()).is_some() {
            let text = format!("参数{name}重复");
            return Err(Business::invalid("isv.invalid-parameter", text));
        }
    }
    Ok(parameters)
}

fn signed_text(parameters: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = parameters
        .iter()
        .filter(|(name, value)| name.as_str() != "sign" && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

fn in_time(text: &str, now: Timestamp) -> Result<(), Business> {
    let wrong = |detail: String| Business::invalid("isv.invalid-timestamp", detail);
    let wall = DateTime::strptime("%Y-%m-%d %H:%M:%S", text)
        .map_err(|source| wrong(format!("非法的时间戳参数: {source}")))?;
    let off = from_beijing(wall).as_second().abs_diff(now.as_second());
    if off > TOLERANCE_S {
        let here = crate::text::wall(now);
        return Err(wrong(format!("非法的时间戳参数: {text}，网关时间为{here}（北京时间）")));
    }
    Ok(())
}
