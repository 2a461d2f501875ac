//! An answer before it is sent: a status and the bytes of its body, so that a repeat of the call
//! can be given the very same. Headers follow from the two.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::Value;

/// What a call is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// The body's bytes: JSON, or nothing.
    pub(super) body: Vec<u8>,
    /// Whether it is kept under the key of its call already, in the transaction of the work.
    pub(super) is_kept: bool,
}

impl Answer {
    /// A JSON answer.
    pub(super) fn json(status: u16, value: &Value) -> Self {
        Self::bytes(status, value.to_string().into_bytes())
    }

    /// An answer of these bytes, which are JSON.
    pub(super) const fn bytes(status: u16, body: Vec<u8>) -> Self {
        Self { status, body, is_kept: false }
    }

    /// The same, kept by the work under the key of its call, if that has one.
    pub(super) fn kept(self) -> Self {
        Self { is_kept: true, ..self }
    }

    /// Whether a repeat may be answered otherwise: a fault of ours, or a problem that says when to
    /// come again.
    pub(super) fn is_of_the_moment(&self) -> bool {
        self.status >= 500 || (self.status >= 400 && retry_after(&self.body).is_some())
    }

    /// Sends it.
    pub(super) fn send(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        // What stands here is of this moment, and of one application.
        response.insert_header((CACHE_CONTROL, "no-store"));
        if status.is_client_error() || status.is_server_error() {
            response.insert_header((CONTENT_TYPE, "application/problem+json"));
            if let Some(seconds) = retry_after(&self.body) {
                response.insert_header((RETRY_AFTER, seconds.to_string()));
            }
            if status == StatusCode::UNAUTHORIZED {
                response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"payhub\""));
            }
        } else {
            response.insert_header((CONTENT_TYPE, "application/json"));
        }
        response.body(self.body)
    }
}

/// When a problem says that it is worth coming again.
fn retry_after(body: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Value>(body).ok()?.get("retry_after_s")?.as_u64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn header(answer: Answer, name: &str) -> Option<String> {
        let response = answer.send();
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn headers_follow_from_status_and_body_alone() {
        let fine = Answer::json(201, &json!({"retry_after_s": 3}));
        assert_eq!(header(fine.clone(), "content-type").as_deref(), Some("application/json"));
        assert_eq!(header(fine, "retry-after"), None);
        let later = Answer::json(409, &json!({"retry_after_s": 3}));
        let kind = header(later.clone(), "content-type");
        assert_eq!(kind.as_deref(), Some("application/problem+json"));
        assert_eq!(header(later.clone(), "retry-after").as_deref(), Some("3"));
        assert_eq!(header(later, "www-authenticate"), None);
        let nobody = Answer::json(401, &json!({}));
        assert!(header(nobody, "www-authenticate").is_some());
    }
}
