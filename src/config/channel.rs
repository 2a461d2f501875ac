//! `[[channels]]` and `[[templates]]`: who carries messages to people, and which text for what.

use std::fmt;
use std::sync::Arc;

use adapters::channels::aliyun_sms::{AliyunSms, AliyunSmsConfig};
use adapters::channels::{ChannelConfigError, SmsChannel};
use domain::personal::Secret;

use super::error::ConfigError;
use super::section::Section;

const ALIYUN_URL: &str = "https://dysmsapi.aliyuncs.com";
const ID: &str = "give the channel's name: 1 to 64 of 0-9 a-z A-Z _ -";
/// Kinds of the contract that no adapter speaks yet.
const LATER: [&str; 5] =
    ["tencent-sms", "wechat-template", "wechat-subscribe", "alipay-template", "jpush"];

/// A way to people.
#[derive(Clone)]
pub struct Channel {
    /// Its name.
    pub id: String,
    /// Its vendor, ready to build, sign and read.
    pub vendor: Arc<dyn SmsChannel>,
    /// Where the vendor is reached.
    pub endpoint: String,
    /// The last part of the path on which receipts come, because most vendors do not sign them;
    /// `None`: no receipts are taken.
    pub receipt_token: Option<Secret>,
}

impl Channel {
    /// A channel to Aliyun that takes no receipts.
    ///
    /// # Errors
    /// The setting that cannot be right.
    pub fn aliyun(
        id: impl Into<String>,
        config: AliyunSmsConfig,
    ) -> Result<Self, ChannelConfigError> {
        let endpoint = config.endpoint.clone();
        let vendor = Arc::new(AliyunSms::new(config)?);
        Ok(Self { id: id.into(), vendor, endpoint, receipt_token: None })
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({}, {}, {})", self.id, self.vendor.kind(), self.endpoint)
    }
}

/// Which text of which channel tells a person of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The event, such as `PAY.SUCCEEDED`.
    pub event: String,
    /// The channel's id.
    pub channel: String,
    /// The vendor's number of the text, such as `SMS_123456`.
    pub code: String,
    /// Its language, such as `zh-CN`.
    pub locale: String,
}

pub(super) fn read(section: &Section<'_>) -> Result<Channel, ConfigError> {
    let id = name(section, "id", ID)?;
    match section.needed("kind", "give aliyun-sms")?.as_str() {
        "aliyun-sms" => aliyun(section, id),
        kind if LATER.contains(&kind) => {
            let what = format!("{kind} is not supported yet");
            Err(section.fault("kind", what, "give aliyun-sms, or take the channel out"))
        }
        other => {
            let what = format!("`{other}` is no known kind of channel");
            Err(section.fault("kind", what, "give aliyun-sms"))
        }
    }
}

fn aliyun(section: &Section<'_>, id: String) -> Result<Channel, ConfigError> {
    section.only(&[
        "id",
        "kind",
        "access_key_id",
        "access_key_secret",
        "sign_name",
        "endpoint",
        "receipt_token",
    ])?;
    let endpoint = section
        .url("endpoint", true)?
        .map_or_else(|| ALIYUN_URL.to_owned(), |url| url.as_str().trim_end_matches('/').to_owned());
    let config = AliyunSmsConfig {
        access_key_id: section.needed("access_key_id", "give the AccessKey's id")?,
        access_key_secret: Secret::new(
            section.needed("access_key_secret", "give the AccessKey's secret")?,
        ),
        sign_name: section.needed("sign_name", "give the signature (短信签名), without 【】")?,
        endpoint,
    };
    let mut channel = Channel::aliyun(id, config)
        .map_err(|fault| section.fault(fault.key, "cannot be used", fault.rule))?;
    let receipt_token = section.text("receipt_token")?;
    let fits_a_path = |token: &str| {
        token.len() >= 8 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if receipt_token.as_deref().is_some_and(|token| !fits_a_path(token)) {
        return Err(section.fault(
            "receipt_token",
            "can be guessed, or does not fit into a path",
            "give at least 8 of 0-9 a-z A-Z _ -, as `openssl rand -hex 16` makes them",
        ));
    }
    channel.receipt_token = receipt_token.map(Secret::new);
    Ok(channel)
}

pub(super) fn read_template(
    section: &Section<'_>,
    channels: &[Channel],
) -> Result<Template, ConfigError> {
    section.only(&["event", "channel", "code", "locale"])?;
    let event = section.needed("event", "give an event, such as PAY.SUCCEEDED")?;
    if !event.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b"._".contains(&b)) {
        let what = format!("`{event}` is no event");
        return Err(section.fault("event", what, "write it as in PAY.SUCCEEDED"));
    }
    let channel = section.needed("channel", "give the id of a [[channels]] entry")?;
    if !channels.iter().any(|known| known.id == channel) {
        let what = format!("no channel has the id `{channel}`");
        return Err(section.fault("channel", what, "give the id of a [[channels]] entry"));
    }
    Ok(Template {
        event,
        channel,
        code: section.needed("code", "give the vendor's number of the text")?,
        locale: section.text("locale")?.unwrap_or_else(|| "zh-CN".to_owned()),
    })
}

/// A name of the operator's that may stand in a path.
fn name(section: &Section<'_>, key: &str, mend: &str) -> Result<String, ConfigError> {
    let text = section.needed(key, mend)?;
    let good =
        text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if good { Ok(text) } else { Err(section.fault(key, format!("`{text}` is no id"), mend)) }
}
