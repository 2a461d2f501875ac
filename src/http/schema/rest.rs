//! Problems, events and the operator's answers.

use utoipa::ToSchema;

/// RFC 9457. Further members depend on the code.
#[derive(Debug, ToSchema)]
pub struct Problem {
    /// A URN with the code.
    pub r#type: String,
    /// The code as words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable word to branch on.
    pub code: String,
    /// What and where, for a person.
    pub detail: String,
    /// Under which the hub's log has it.
    pub request_id: String,
    /// When to come again, in seconds; also in Retry-After.
    pub retry_after_s: Option<u32>,
}

/// An event, as the webhook carried it.
#[derive(Debug, ToSchema)]
pub struct Event {
    /// Such as order.paid.
    pub r#type: String,
    /// evt_…; also its webhook-id.
    pub id: String,
    /// When it happened.
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// The resource as its GET answers it.
    pub data: serde_json::Value,
}

/// A page of the feed.
#[derive(Debug, ToSchema)]
pub struct EventPage {
    /// In the order of the feed.
    pub data: Vec<Event>,
    /// The `after` of the next page; null when there is nothing more for now.
    pub next_cursor: Option<String>,
}

/// The process lives.
#[derive(Debug, ToSchema)]
pub struct Health {
    /// ok.
    pub status: String,
}

/// Whether the hub can work.
#[derive(Debug, ToSchema)]
pub struct Readiness {
    /// ok or unavailable.
    pub status: String,
    /// What was looked at.
    pub checks: Checks,
}

/// What was looked at: ok, or what is wrong.
#[derive(Debug, ToSchema)]
pub struct Checks {
    /// Whether it answers.
    pub database: String,
    /// Whether its schema is this program's.
    pub migrations: String,
    /// Whether they run in this process.
    pub workers: String,
}
