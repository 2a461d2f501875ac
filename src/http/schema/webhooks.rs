//! Endpoints and what was sent to them.

use utoipa::ToSchema;

/// What an application wants of its endpoint.
#[derive(Debug, ToSchema)]
pub struct EndpointRequest {
    /// Where its events go: https or http, a public address or one that the operator opened.
    pub url: String,
    /// The office-wide events that it wants as well, `reconciliation.*` and `difference.*`; as
    /// before when absent.
    pub events: Option<Vec<String>>,
    /// How many events may be under way at once, 1 to 64; as before when absent, at first 4.
    pub concurrency: Option<u8>,
}

/// How long the secret before stays good.
#[derive(Debug, ToSchema)]
pub struct RotationRequest {
    /// Hours in which both secrets sign, 0 to 168; 24 when absent.
    pub overlap_hours: Option<u16>,
}

/// Where an application is told of events.
#[derive(Debug, ToSchema)]
pub struct Endpoint {
    /// Its address.
    pub url: Option<String>,
    /// none, active, disabled (events wait) or gone (it answered 410; events are dead letters).
    pub state: String,
    /// Since when it is in that state; of an active one, since when it has its address.
    #[schema(format = DateTime)]
    pub since: Option<String>,
    /// hand, or failing: five days without a success.
    pub disabled_by: Option<String>,
    /// Whether it stands in the hub's configuration file and is changed there only.
    pub from_file: bool,
    /// The office-wide events that it wants.
    pub events: Vec<String>,
    /// How many events may be under way at once.
    pub concurrency: i32,
    /// `whsec_…`, in the answer that made it and nowhere else.
    pub secret: Option<String>,
    /// How many secrets sign: 2 while they are exchanged.
    pub secrets: u8,
    /// Until when the one before signs; null when it does not, or as long as the file names it.
    #[schema(format = DateTime)]
    pub previous_until: Option<String>,
    /// `whpk_…`: verifies the `v1a` signatures (Ed25519).
    pub public_key: Option<String>,
    /// How many events wait.
    pub waiting: i64,
    /// How many are dead letters.
    pub dead: i64,
    /// Since when it fails without any success.
    #[schema(format = DateTime)]
    pub failing_since: Option<String>,
    /// When it last took an event, to the minute.
    #[schema(format = DateTime)]
    pub last_success_at: Option<String>,
    /// When it last failed, to the minute.
    #[schema(format = DateTime)]
    pub last_failure_at: Option<String>,
    /// How.
    pub last_failure: Option<String>,
    /// Until when it asked to hear nothing (`Retry-After`); null when it hears what comes.
    #[schema(format = DateTime)]
    pub held_until: Option<String>,
}

/// One event's way to the endpoint.
#[derive(Debug, ToSchema)]
pub struct Delivery {
    /// dlv_….
    pub id: String,
    /// evt_…, the webhook-id of every attempt.
    pub event_id: String,
    /// Such as order.paid.
    pub event_type: String,
    /// What it tells of.
    pub subject_id: String,
    /// due, done or dead.
    pub state: String,
    /// How often it was tried.
    pub attempts_made: i32,
    /// How the last attempt ended.
    pub last_outcome: Option<String>,
    /// When it is tried next, while it is due.
    #[schema(format = DateTime)]
    pub next_at: Option<String>,
    /// When it was queued.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was taken or given up.
    #[schema(format = DateTime)]
    pub finished_at: Option<String>,
}

/// One event's way to the endpoint, with each attempt.
#[derive(Debug, ToSchema)]
pub struct DeliveryInFull {
    /// dlv_….
    pub id: String,
    /// evt_…, the webhook-id of every attempt.
    pub event_id: String,
    /// Such as order.paid.
    pub event_type: String,
    /// What it tells of.
    pub subject_id: String,
    /// due, done or dead.
    pub state: String,
    /// How often it was tried.
    pub attempts_made: i32,
    /// How the last attempt ended.
    pub last_outcome: Option<String>,
    /// When it is tried next, while it is due.
    #[schema(format = DateTime)]
    pub next_at: Option<String>,
    /// When it was queued.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was taken or given up.
    #[schema(format = DateTime)]
    pub finished_at: Option<String>,
    /// What was tried, in order; the last 200.
    pub attempts: Vec<WebhookAttempt>,
}

/// One attempt. What the receiver answered in its body is not kept.
#[derive(Debug, ToSchema)]
pub struct WebhookAttempt {
    /// From 1.
    pub number: i32,
    /// When it began.
    #[schema(format = DateTime)]
    pub begun_at: String,
    /// How long the answer took, in milliseconds.
    pub took_ms: Option<i32>,
    /// accepted, rejected, throttled, `account_fault` or transient.
    pub outcome: String,
    /// The HTTP status, where there was an answer.
    pub status: Option<i32>,
    /// What happened, in the hub's words.
    pub detail: String,
}

/// A page of deliveries, the newest first.
#[derive(Debug, ToSchema)]
pub struct DeliveryPage {
    /// The deliveries.
    pub data: Vec<Delivery>,
    /// The `after` of the next page; null at the end.
    pub next_cursor: Option<String>,
}

/// What is to be sent again: events, or dead letters, or a time.
#[derive(Debug, ToSchema)]
pub struct ResendRequest {
    /// These events, at most 1000.
    pub event_ids: Option<Vec<String>>,
    /// `dead`: every dead letter.
    pub state: Option<String>,
    /// Every event from this moment on; needs `until`.
    #[schema(format = DateTime)]
    pub since: Option<String>,
    /// And before this one.
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// Of these types only; beside `since` and `until`.
    pub types: Option<Vec<String>>,
    /// The `next_cursor` of the call before, when there was more than one call sends.
    pub after: Option<String>,
}

/// How much was sent again.
#[derive(Debug, ToSchema)]
pub struct Resent {
    /// How many deliveries begin again now.
    pub resent: usize,
    /// The `after` of the next call when there is more; null at the end.
    pub next_cursor: Option<String>,
}
