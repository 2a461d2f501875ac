//! What a body of `APIv3` may hold: strict JSON, lengths, letters, addresses, times, people.

use domain::personal::Personal;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::refusal::Refusal;
use crate::keys::Wechat;
use crate::state::{OnlyPayer, Person, later};

/// An order without `time_expire` lives seven days.
const ORDER_LIFE_S: u32 = 604_800;
/// The largest order of the sandbox, in fen.
const LARGEST: i64 = 10_000_000_000;

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

/// Checks an order's number.
pub(super) fn order_number(field: &str, text: &str) -> Result<(), Refusal> {
    length(field, text, 6, 32)?;
    letters(field, text, "_-|*")
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

/// Checks an amount of an order.
pub(super) fn payable(field: &str, total: i64, currency: Option<&str>) -> Result<(), Refusal> {
    if !(1..=LARGEST).contains(&total) {
        return Err(Refusal::parameter(field, &total.to_string(), "金额须为大于0的整数"));
    }
    if currency.is_some_and(|currency| currency != "CNY") {
        return Err(Refusal::parameter("/amount/currency", "", "境内商户仅支持CNY"));
    }
    Ok(())
}

/// The end of an order's life, from `time_expire`: whole seconds and an offset.
pub(super) fn expires_at(text: Option<&str>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let Some(text) = text else { return Ok(later(now, ORDER_LIFE_S)) };
    let issue = |issue: &str| Refusal::parameter("/time_expire", text, issue);
    if text.contains('.') || !text.contains('T') {
        return Err(issue("须为rfc3339格式 yyyy-MM-DDTHH:mm:ss+TIMEZONE"));
    }
    text.parse().map_err(|source: jiff::Error| issue(&source.to_string()))
}

/// A first order must live for a minute at least.
pub(super) fn lives_long_enough(
    text: Option<&str>,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), Refusal> {
    if expires_at.duration_since(now) < SignedDuration::from_mins(1) {
        let text = text.unwrap_or_default();
        return Err(Refusal::parameter("/time_expire", text, "须至少在一分钟之后"));
    }
    Ok(())
}

/// Where the payer is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scene {
    payer_client_ip: Option<String>,
    device_id: Option<String>,
    store_info: Option<Value>,
    h5_info: Option<H5>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct H5 {
    r#type: String,
    app_name: Option<String>,
    app_url: Option<String>,
    bundle_id: Option<String>,
    package_name: Option<String>,
}

impl Scene {
    /// Holds the limits; `h5`: whether the payer is in a phone's browser.
    pub(super) fn check(scene: Option<&Self>, h5: bool) -> Result<(), Refusal> {
        let missing = |field: &str| Refusal::parameter(field, "", "缺少必填参数");
        let Some(scene) = scene else {
            return if h5 { Err(missing("/scene_info")) } else { Ok(()) };
        };
        let ip = scene.payer_client_ip.as_deref();
        let ip = ip.ok_or_else(|| missing("/scene_info/payer_client_ip"))?;
        if ip.len() > 45 || ip.parse::<std::net::IpAddr>().is_err() {
            return Err(Refusal::parameter("/scene_info/payer_client_ip", ip, "用户终端IP不合法"));
        }
        // Accepted; the sandbox draws nothing from them.
        let _kept = (&scene.device_id, &scene.store_info);
        match &scene.h5_info {
            Some(info) if !matches!(info.r#type.as_str(), "Wap" | "iOS" | "Android") => {
                let field = "/scene_info/h5_info/type";
                Err(Refusal::parameter(field, &info.r#type, "须为Wap、iOS或Android"))
            }
            Some(info) => {
                let _kept = (&info.app_name, &info.app_url, &info.bundle_id, &info.package_name);
                Ok(())
            }
            None if h5 => Err(missing("/scene_info/h5_info")),
            None => Ok(()),
        }
    }
}

/// Who alone may pay, as the body has it: number and name are encrypted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    r#type: String,
    number: String,
    name: String,
}

/// The documents that an identity may name.
const DOCUMENTS: &[&str] = &[
    "IDCARD",
    "HONGKONG_MACAO",
    "HONGKONG_MACAO_RESIDENT",
    "TAIWAN_RESIDENT",
    "FOREIGN_RESIDENT",
    "OVERSEA_PASSPORT",
];

impl Identity {
    /// Decrypts it with the key that the request names.
    pub(super) fn open(
        &self,
        merchant: &Wechat,
        serial: Option<&str>,
    ) -> Result<OnlyPayer, Refusal> {
        if !DOCUMENTS.contains(&self.r#type.as_str()) {
            let field = "/payer/identity/type";
            return Err(Refusal::parameter(field, &self.r#type, "证件类型不合法"));
        }
        Ok(OnlyPayer::Person(Person {
            name: opened(merchant, serial, "/payer/identity/name", &self.name)?,
            id_no: opened(merchant, serial, "/payer/identity/number", &self.number)?,
            document: Some(self.r#type.clone()),
        }))
    }
}

/// Opens an encrypted field with the key that `Wechatpay-Serial` names.
pub(super) fn opened(
    merchant: &Wechat,
    serial: Option<&str>,
    field: &str,
    sealed: &str,
) -> Result<Personal, Refusal> {
    let serial = serial.ok_or_else(|| {
        Refusal::parameter(field, "", "请求含加密字段时，Http头须带Wechatpay-Serial")
    })?;
    let key = merchant
        .named(serial)
        .ok_or_else(|| Refusal::parameter(field, "", "平台证书序列号Wechatpay-Serial错误"))?;
    key.opened(sealed)
        .filter(|clear| !clear.is_empty())
        .map(Personal::new)
        .ok_or_else(|| Refusal::parameter(field, "", "敏感信息解密失败"))
}
