//! Notifications.

use serde_json::Value;
use utoipa::ToSchema;

/// Where a person is reached; today by phone only.
#[derive(Debug, ToSchema)]
pub struct Reached {
    /// A mainland mobile number, however it is written.
    pub phone: Option<String>,
    /// A WeChat openid; no channel takes it yet.
    pub openid: Option<String>,
    /// An Alipay user id; no channel takes it yet.
    pub alipay_user_id: Option<String>,
    /// A device of the office's app; no channel takes it yet.
    pub device: Option<String>,
}

/// A message to be told.
#[derive(Debug, ToSchema)]
pub struct NotificationRequest {
    /// The event's code, such as `PAY.SUCCEEDED`.
    pub template: String,
    /// Whom to tell.
    pub to: Reached,
    /// The text's values by name: texts and whole numbers.
    #[schema(value_type = Object)]
    pub params: Option<Value>,
    /// The person's language; Chinese when absent or without a text.
    pub locale: Option<String>,
    /// The channels to use, in order; all that are configured for the event when absent.
    pub channels: Option<Vec<String>>,
    /// What makes it one telling: the same key again gives the same notification.
    pub dedupe_key: Option<String>,
    /// Not earlier than this.
    #[schema(format = DateTime)]
    pub not_before: Option<String>,
    /// Of no use from then on; the text's own validity when absent.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

/// A masked address.
#[derive(Debug, ToSchema)]
pub struct MaskedReach {
    /// `138****1234`.
    pub phone: Option<String>,
}

/// One attempt, lookup or receipt.
#[derive(Debug, ToSchema)]
pub struct Attempt {
    /// From 1; lookups and receipts have the number of the attempt that they are about.
    pub attempt: i32,
    /// When it began.
    #[schema(format = DateTime)]
    pub begun_at: String,
    /// accepted, rejected, throttled, `account_fault`, transient or unknown; found, absent or
    /// `no_answer` of a lookup; delivered or undelivered of a receipt.
    pub outcome: String,
    /// What the vendor said.
    pub detail: String,
}

/// A notification.
#[derive(Debug, ToSchema)]
pub struct Notification {
    /// ntf_….
    pub id: String,
    /// The event's code.
    pub template: String,
    /// The channel that it leaves or left over.
    pub channel: String,
    /// queued, held, sending, sent, delivered, failed, expired or suppressed.
    pub status: String,
    /// Whom it is for.
    pub to: MaskedReach,
    /// The person's language.
    pub locale: String,
    /// What makes it one telling.
    pub dedupe_key: String,
    /// The fee that it is about.
    pub subject_id: Option<String>,
    /// Not earlier than this.
    #[schema(format = DateTime)]
    pub not_before: Option<String>,
    /// Of no use from then on.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// When something is done about it next.
    #[schema(format = DateTime)]
    pub next_at: Option<String>,
    /// Why it will not arrive.
    pub failure: Option<String>,
    /// When it was asked for.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When the vendor took it.
    #[schema(format = DateTime)]
    pub sent_at: Option<String>,
    /// When it arrived.
    #[schema(format = DateTime)]
    pub delivered_at: Option<String>,
    /// What was tried, in order.
    pub attempts: Vec<Attempt>,
}
