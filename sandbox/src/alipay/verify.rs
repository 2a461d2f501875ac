//! Proves that a request to the gateway is the application's: every parameter except `sign`, empty
//! ones dropped, in ASCII order. Written from the provider's documents, not from the hub's adapter.

use std::collections::BTreeMap;

use domain::time::from_beijing;
use jiff::Timestamp;
use jiff::civil::DateTime;

use super::node::Business;
use crate::keys::{Alipay, Keys};
use crate::message::Received;
use crate::verdict::{Proof, Verdicts};

/// The gateway's tolerance is not documented; ten minutes either way are assumed.
const TOLERANCE_S: u64 = 600;

/// Holds a request's parameters against its application's key, certificates and the clock.
pub(super) fn verify(
    keys: &Keys,
    verdicts: &mut Verdicts,
    now: Timestamp,
    parameters: &BTreeMap<String, String>,
) -> Result<(), Business> {
    let get =
        |name: &str| parameters.get(name).map(String::as_str).filter(|value| !value.is_empty());
    verdicts.signature(if get("sign").is_some() { Proof::Bad } else { Proof::Missing });
    // Whose request it is comes before anything else, even before a missing signature.
    let app = get("app_id").and_then(|app_id| keys.alipay(app_id));
    let unknown = || Business::invalid("isv.invalid-app-id", "无效的AppID参数");
    if app.is_none() && get("app_id").is_some() {
        return Err(unknown());
    }
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
    let app = app.ok_or_else(unknown)?;
    certified(app, get("app_cert_sn"), get("alipay_root_cert_sn"))?;
    let text = signed_text(parameters);
    if !get("sign").is_some_and(|sign| app.requests.verifies(text.as_bytes(), sign)) {
        let text = format!(
            "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为：{text}"
        );
        return Err(Business::invalid("isv.invalid-signature", text));
    }
    verdicts.signature(Proof::Ok);
    in_time(get("timestamp").unwrap_or_default(), now)
}

/// The parameters of query and form, each exactly once.
pub(super) fn gather(received: &Received) -> Result<BTreeMap<String, String>, Business> {
    let form = if received.method == "POST" { received.body.as_slice() } else { &[] };
    let query = url::form_urlencoded::parse(received.query().as_bytes());
    parameters(query.chain(url::form_urlencoded::parse(form)))
}

/// The parameters of an order string, as the wallet's kit hands it over.
pub(super) fn gather_string(text: &str) -> Result<BTreeMap<String, String>, Business> {
    parameters(url::form_urlencoded::parse(text.as_bytes()))
}

fn parameters<'a>(
    pairs: impl Iterator<Item = (std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)>,
) -> Result<BTreeMap<String, String>, Business> {
    let mut parameters = BTreeMap::new();
    for (name, value) in pairs {
        if parameters.insert(name.clone().into_owned(), value.into_owned()).is_some() {
            let text = format!("参数{name}重复");
            return Err(Business::invalid("isv.invalid-parameter", text));
        }
    }
    Ok(parameters)
}

/// In certificate mode a request names the application's certificate and the roots; an application
/// in key mode names none.
fn certified(app: &Alipay, own: Option<&str>, root: Option<&str>) -> Result<(), Business> {
    let Some(certificates) = &app.certificates else { return Ok(()) };
    let missing = |sub_code, name: &str| Business::missing(sub_code, format!("缺少参数{name}"));
    let own = own.ok_or_else(|| missing("isv.missing-app-cert-sn", "app_cert_sn"))?;
    let root =
        root.ok_or_else(|| missing("isv.missing-alipay-root-cert-sn", "alipay_root_cert_sn"))?;
    if own != certificates.app.sn {
        return Err(Business::invalid("isv.app-cert-not-exist", "应用公钥证书不存在"));
    }
    if root != certificates.root.sn {
        return Err(Business::invalid("isv.invalid-alipay-root-cert-sn", "支付宝根证书序列号无效"));
    }
    Ok(())
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
