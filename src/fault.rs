//! What went wrong with a request, for two audiences: a stable code and a sentence for the client,
//! the cause for the log. `src/http/error.rs` alone turns it into an answer.

use serde_json::Value;

use crate::record::RecordError;
use crate::seal::SealError;
use crate::store::StoreError;

/// A request that did not do what was asked; nothing is half done.
#[derive(Debug)]
pub struct Fault {
    /// HTTP status.
    pub status: u16,
    /// The stable word.
    pub code: &'static str,
    /// What and where, for the client.
    pub detail: String,
    /// Further members of the answer, in order.
    pub members: Vec<(&'static str, Value)>,
    /// When to come again, in seconds.
    pub retry_after_s: Option<u32>,
}

impl Fault {
    fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), members: Vec::new(), retry_after_s: None }
    }

    /// 400: the request cannot be read.
    pub fn unreadable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(400, code, detail)
    }

    /// 401: no key, or a wrong one.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(401, "unauthorized", "give a valid key as Authorization: Bearer <api key>")
    }

    /// 403: whoever asks may not.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(403, code, detail)
    }

    /// 404: there is no such thing, or it is another application's.
    pub fn not_found(what: &str) -> Self {
        Self::new(404, "not_found", format!("there is no such {what}"))
    }

    /// 409: it clashes with what is there.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(409, code, detail)
    }

    /// 413: too large.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(413, "body_too_large", detail)
    }

    /// 422: it can be read but breaks a rule.
    pub fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(422, code, detail)
    }

    /// 503: not now.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        let mut fault = Self::new(503, "unavailable", detail);
        fault.retry_after_s = Some(5);
        fault
    }

    /// Adds a member to the answer.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// Says when to come again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// 500: our own fault. The cause goes to the log, never to the client.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed inside the hub");
        Self::new(500, "internal", "the hub failed; the cause is in its log under the request id")
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Pool(_) => {
                tracing::error!(%error, "no database");
                Self::unavailable("the database does not answer")
            }
            // A lock that somebody holds, a server that restarts: it is the moment, not the request.
            StoreError::Postgres(_) if error.is_away() => {
                tracing::error!(%error, "the database is away or busy");
                Self::unavailable("the database is busy; nothing was promised")
            }
            StoreError::Postgres(_)
            | StoreError::Data { .. }
            | StoreError::Journal { .. }
            | StoreError::Migration(_) => Self::internal(&error),
        }
    }
}

impl From<SealError> for Fault {
    fn from(error: SealError) -> Self {
        Self::internal(&error)
    }
}

impl From<RecordError> for Fault {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Store(error) => error.into(),
            RecordError::Seal(error) => error.into(),
            RecordError::TooLarge | RecordError::Defect => Self::internal(&error),
        }
    }
}
