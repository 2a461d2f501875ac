//! From a request to a plan: the text, the channels in order with the vendor's template and
//! values, and the hour. Whatever a vendor would refuse is refused here, when it is asked for.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::params::{ParamError, Params};
use crate::policy::{Channel, ChannelKind, Policy};
use crate::status::NotificationStatus;
use crate::template::{Catalogue, Condition, DEFAULT_LOCALE, Template, Urgency};
use crate::text;

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
