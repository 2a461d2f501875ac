//! The office's means and rules: its channels, the texts that vendors approved, and its hours.

use std::str::FromStr;

use domain::calendar::Calendar;
use domain::provider::UnknownWord;
use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

use crate::hours::Hours;
use crate::template::{DEFAULT_LOCALE, Template, Urgency};

/// A channel that the office has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its id in the configuration.
    pub id: String,
    /// Its kind.
    pub kind: ChannelKind,
    /// For SMS: the signature (短信签名) without brackets.
    pub signature: Option<String>,
}

/// A text as a vendor approved it: `[[templates]]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorTemplate {
    /// The event's code.
    pub event: String,
    /// The channel's id.
    pub channel: String,
    /// The vendor's id of the template.
    pub code: String,
    /// Its language.
    #[serde(default = "default_locale")]
    pub locale: String,
}

fn default_locale() -> String {
    DEFAULT_LOCALE.to_owned()
}

/// The office's rules and means.
#[derive(Clone, Debug)]
pub struct Policy {
    /// When messages that are not immediate wait; `None`: never.
    pub quiet_hours: Option<Hours>,
    /// When staff are told things.
    pub office_hours: Hours,
    /// Whether the office is open on a day; by default by the calendar that comes with the hub.
    pub is_working_day: fn(Date) -> bool,
    /// The channels, the preferred one first.
    pub channels: Vec<Channel>,
    /// What the vendors approved.
    pub templates: Vec<VendorTemplate>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            quiet_hours: Some(Hours::QUIET),
            office_hours: Hours::OFFICE,
            is_working_day,
            channels: Vec::new(),
            templates: Vec::new(),
        }
    }
}

/// By the built-in calendar of holidays and make-up days; without it, Monday to Friday.
fn is_working_day(day: Date) -> bool {
    Calendar::built_in().map_or_else(
        |_unreadable| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday),
        |calendar| calendar.is_working_day(day),
    )
}

impl Policy {
    /// The first instant from `at` on at which a message of this urgency may leave.
    #[must_use]
    pub fn earliest(&self, urgency: Urgency, at: Timestamp) -> Timestamp {
        match urgency {
            Urgency::Immediate => at,
            Urgency::Normal => self.quiet_hours.map_or(at, |quiet| quiet.end_after(at)),
            Urgency::OfficeHours => self.office_hours.next_open(at, self.is_working_day),
        }
    }

    /// What the vendor of `channel` approved for a text: in its language, else in the default
    /// one; for a plain form that was not approved by itself, the event's own.
    pub(crate) fn vendor_code(
        &self,
        channel: &str,
        event: &str,
        template: &Template,
    ) -> Option<&str> {
        let approved = |code: &str, locale: &str| {
            self.templates
                .iter()
                .find(|row| row.channel == channel && row.event == code && row.locale == locale)
                .map(|row| row.code.as_str())
        };
        approved(&template.code, &template.locale).or_else(|| approved(event, &template.locale))
    }
}

/// A kind of channel, in the configuration's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelKind {
    /// SMS by Aliyun.
    AliyunSms,
    /// SMS by Tencent.
    TencentSms,
    /// A WeChat service account's template message.
    WechatTemplate,
    /// A WeChat mini program's subscribe message.
    WechatSubscribe,
    /// An Alipay mini program's template message.
    AlipayTemplate,
    /// App push by JPush.
    Jpush,
}

impl ChannelKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::AliyunSms,
        Self::TencentSms,
        Self::WechatTemplate,
        Self::WechatSubscribe,
        Self::AlipayTemplate,
        Self::Jpush,
    ];

    /// Its word in configuration and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AliyunSms => "aliyun-sms",
            Self::TencentSms => "tencent-sms",
            Self::WechatTemplate => "wechat-template",
            Self::WechatSubscribe => "wechat-subscribe",
            Self::AlipayTemplate => "alipay-template",
            Self::Jpush => "jpush",
        }
    }

    /// Whether it is SMS, which has parts and a signature.
    #[must_use]
    pub const fn is_sms(self) -> bool {
        matches!(self, Self::AliyunSms | Self::TencentSms)
    }
}

impl FromStr for ChannelKind {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| UnknownWord {
            what: "channel kind",
            word: text.chars().take(64).collect(),
        })
    }
}
