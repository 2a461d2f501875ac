//! From a request to a plan: the text, the channels in order with the vendor's template and
//! values, and the hour. Whatever a vendor would refuse is refused here, when it is asked for.

use std::fmt;
use std::str::FromStr;

use domain::calendar::Calendar;
use domain::provider::UnknownWord;
use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::hours::Hours;
use crate::params::{ParamError, Params};
use crate::status::NotificationStatus;
use crate::template::{Catalogue, Condition, DEFAULT_LOCALE, Template, Urgency};
use crate::text;

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

/// Which addresses of a person are known; the addresses themselves stay outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "four independent facts about one person")]
pub struct Reach {
    /// A phone number.
    pub has_phone: bool,
    /// A WeChat openid.
    pub has_openid: bool,
    /// An Alipay user id.
    pub has_alipay_user_id: bool,
    /// A device of the office's app.
    pub has_device: bool,
}

impl Reach {
    const fn reaches(self, kind: ChannelKind) -> bool {
        match kind {
            ChannelKind::AliyunSms | ChannelKind::TencentSms => self.has_phone,
            ChannelKind::WechatTemplate | ChannelKind::WechatSubscribe => self.has_openid,
            ChannelKind::AlipayTemplate => self.has_alipay_user_id,
            ChannelKind::Jpush => self.has_device,
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The event's code.
    pub template: &'a str,
    /// Which addresses are known.
    pub reach: Reach,
    /// The values.
    pub params: &'a Params,
    /// The person's language; absent: [`DEFAULT_LOCALE`].
    pub locale: Option<&'a str>,
    /// The channels to use, in order; absent: all of the policy's, in its order.
    pub channels: Option<&'a [String]>,
    /// Not earlier than this.
    pub not_before: Option<Timestamp>,
    /// Of no use from this instant on; absent: by the text's own validity.
    pub expires_at: Option<Timestamp>,
    /// A deadline by law: quiet hours give way to it.
    pub must_leave_by: Option<Timestamp>,
    /// The person refused such messages.
    pub has_opted_out: bool,
}

impl<'a> Request<'a> {
    /// A request with nothing but what is needed.
    #[must_use]
    pub const fn new(template: &'a str, reach: Reach, params: &'a Params) -> Self {
        Self {
            template,
            reach,
            params,
            locale: None,
            channels: None,
            not_before: None,
            expires_at: None,
            must_leave_by: None,
            has_opted_out: false,
        }
    }
}

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
    fn vendor_code(&self, channel: &str, event: &str, template: &Template) -> Option<&str> {
        let approved = |code: &str, locale: &str| {
            self.templates
                .iter()
                .find(|row| row.channel == channel && row.event == code && row.locale == locale)
                .map(|row| row.code.as_str())
        };
        approved(&template.code, &template.locale).or_else(|| approved(event, &template.locale))
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// [`Queued`](NotificationStatus::Queued), [`Held`](NotificationStatus::Held),
    /// [`Expired`](NotificationStatus::Expired) or [`Suppressed`](NotificationStatus::Suppressed).
    pub status: NotificationStatus,
    /// How much it minds the hour, for repeats.
    pub urgency: Urgency,
    /// When it leaves.
    pub due_at: Timestamp,
    /// From when on it is of no use.
    pub expires_at: Timestamp,
    /// What must be checked again when it leaves.
    pub only_while: Option<Condition>,
    /// The channels in order: the next is used when one will not do.
    pub attempts: Vec<ChannelAttempt>,
}

/// A message as one channel takes it. It may hold personal data: `Debug` hides text and values.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelAttempt {
    /// The channel's id.
    pub channel: String,
    /// Its kind.
    pub kind: ChannelKind,
    /// The vendor's id of the template.
    pub code: String,
    /// Names and values in the order of the text.
    pub params: Vec<(String, String)>,
    /// What the person reads, for the record; the vendor puts it together itself.
    pub text: String,
    /// For SMS: how many parts it costs; else 1.
    pub segments: usize,
}

impl fmt::Debug for ChannelAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelAttempt({}, {}, {} parts)", self.channel, self.code, self.segments)
    }
}

/// Why nothing can be sent; the API answers it with 422.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No such event.
    #[error("there is no template {0:?}")]
    UnknownTemplate(String),
    /// A value is missing or wrong.
    #[error(transparent)]
    Param(#[from] ParamError),
    /// The message would be longer than vendors take.
    #[error("the message has {0} letters, at most 500 are possible")]
    TooLong(usize),
    /// A channel was asked for that is not configured.
    #[error("there is no channel {0:?}")]
    UnknownChannel(String),
    /// No channel has both the person's address and an approved template.
    #[error("no channel reaches this person with an approved template for {0:?}")]
    NoChannel(String),
}

impl PlanError {
    /// The stable code in the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownTemplate(_) => "unknown_template",
            Self::Param(_) => "invalid_params",
            Self::TooLong(_) => "message_too_long",
            Self::UnknownChannel(_) => "unknown_channel",
            Self::NoChannel(_) => "no_channel",
        }
    }
}

/// Plans a notification.
///
/// # Errors
/// When it could never be sent as it is; nothing is stored then.
pub fn plan(
    request: &Request<'_>,
    catalogue: &Catalogue,
    policy: &Policy,
    now: Timestamp,
) -> Result<Plan, PlanError> {
    let unknown = || PlanError::UnknownTemplate(request.template.chars().take(64).collect());
    let locale = request.locale.unwrap_or(DEFAULT_LOCALE);
    let template =
        catalogue.choose(request.template, locale, request.params).ok_or_else(unknown)?;
    let attempts = attempts(request, catalogue, policy, template)?;

    let asked = request.not_before.map_or(now, |not_before| not_before.max(now));
    let free = policy.earliest(template.urgency, asked);
    let due_at = match request.must_leave_by {
        Some(deadline) if free > deadline => asked,
        Some(_) | None => free,
    };
    let valid = SignedDuration::from_hours(i64::from(template.valid_hours));
    let by_text = due_at.saturating_add(valid).unwrap_or(Timestamp::MAX);
    let expires_at = request.expires_at.unwrap_or(by_text);
    let status = if request.has_opted_out {
        NotificationStatus::Suppressed
    } else if expires_at <= due_at {
        NotificationStatus::Expired
    } else if due_at > now {
        NotificationStatus::Held
    } else {
        NotificationStatus::Queued
    };
    let Template { urgency, only_while, .. } = *template;
    Ok(Plan { status, urgency, due_at, expires_at, only_while, attempts })
}

/// The channels that can carry the message, in order.
fn attempts(
    request: &Request<'_>,
    catalogue: &Catalogue,
    policy: &Policy,
    template: &Template,
) -> Result<Vec<ChannelAttempt>, PlanError> {
    let mut attempts = Vec::new();
    for channel in chosen(request, policy)? {
        if !request.reach.reaches(channel.kind) {
            continue;
        }
        // A language that this vendor has no text for is said in the default one.
        let default = || catalogue.choose(request.template, DEFAULT_LOCALE, request.params);
        let found = std::iter::once(template).chain(default()).find_map(|template| {
            let code = policy.vendor_code(&channel.id, request.template, template)?;
            Some((template, code))
        });
        let Some((template, code)) = found else { continue };
        attempts.push(attempt(channel, template, code, request.params)?);
    }
    if attempts.is_empty() {
        // A wrong value is the nearer reason, and it is told even where no channel is.
        template.render(request.params)?;
        return Err(PlanError::NoChannel(request.template.to_owned()));
    }
    Ok(attempts)
}

fn chosen<'p>(request: &Request<'_>, policy: &'p Policy) -> Result<Vec<&'p Channel>, PlanError> {
    let Some(ids) = request.channels else { return Ok(policy.channels.iter().collect()) };
    let find = |id: &String| {
        let unknown = || PlanError::UnknownChannel(id.chars().take(64).collect());
        policy.channels.iter().find(|channel| channel.id == *id).ok_or_else(unknown)
    };
    ids.iter().map(find).collect()
}

fn attempt(
    channel: &Channel,
    template: &Template,
    code: &str,
    params: &Params,
) -> Result<ChannelAttempt, PlanError> {
    let rendered = template.render(params)?;
    let length = text::length(channel.signature.as_deref(), &rendered.text);
    if channel.kind.is_sms() && length > text::LONGEST {
        return Err(PlanError::TooLong(length));
    }
    Ok(ChannelAttempt {
        channel: channel.id.clone(),
        kind: channel.kind,
        code: code.to_owned(),
        params: rendered.params,
        text: rendered.text,
        segments: if channel.kind.is_sms() { text::segments(length) } else { 1 },
    })
}

#[cfg(test)]
mod tests;
