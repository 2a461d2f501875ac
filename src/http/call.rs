//! A call of a backend service, from the request to its answer: who calls, with which body, and for
//! a POST whether it was asked before. Every handler under `/v1` goes through here.

use std::future::Future;
use std::sync::Arc;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use domain::ids::ApplicationId;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::Answer;
use super::error::problem;
use super::idempotency::{self, Ticket};
use super::observe::request_id;
use super::shared::Shared;
use super::{auth, body, error};
use crate::fault::Fault;
use crate::hub::Hub;

/// Who asks, and of whom.
#[derive(Clone)]
pub(super) struct Call {
    /// The hub.
    pub(super) hub: Arc<Hub>,
    /// The backend service that calls.
    pub(super) application: ApplicationId,
    /// The key under which a repeat of this call is known.
    pub(super) ticket: Option<Ticket>,
}

/// The body of a call that needs none.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Answers a GET with what `work` finds.
pub(super) async fn get<F>(http: HttpRequest, work: impl FnOnce(Call) -> F) -> HttpResponse
where
    F: Future<Output = Result<Answer, Fault>> + Send + 'static,
{
    let Some(shared) = http.app_data::<Data<Shared>>().cloned() else {
        return error::respond(&http, &Fault::unavailable("the server is not ready"));
    };
    let done = async {
        let application = auth::caller(&shared, &http).await?;
        let call = Call { hub: Arc::clone(&shared.hub), application, ticket: None };
        shared.run(work(call)).await?
    };
    match done.await {
        Ok(answer) => answer.send(),
        Err(fault) => error::respond(&http, &fault),
    }
}

/// Answers a POST: reads its body as a `B`, and lets `work` do what is asked, once for each
/// idempotency key.
pub(super) async fn post<B, F, W>(http: HttpRequest, payload: Payload, work: W) -> HttpResponse
where
    B: DeserializeOwned + Send + 'static,
    F: Future<Output = Result<Answer, Fault>> + Send + 'static,
    W: FnOnce(Call, B) -> F + Send + 'static,
{
    match answer_post(&http, payload, work).await {
        Ok(answer) => answer.send(),
        Err(fault) => error::respond(&http, &fault),
    }
}

async fn answer_post<B, F, W>(
    http: &HttpRequest,
    payload: Payload,
    work: W,
) -> Result<Answer, Fault>
where
    B: DeserializeOwned + Send + 'static,
    F: Future<Output = Result<Answer, Fault>> + Send + 'static,
    W: FnOnce(Call, B) -> F + Send + 'static,
{
    let shared = http
        .app_data::<Data<Shared>>()
        .cloned()
        .ok_or_else(|| Fault::unavailable("the server is not ready"))?;
    let application = auth::caller(&shared, http).await?;
    let key = idempotency::key(http.headers())?;
    let bytes = body::take(payload, body::LARGEST).await?;
    let parsed = body::parse(&bytes);
    let hub = Arc::clone(&shared.hub);
    let ticket = key.map(|key| Ticket {
        application: application.clone(),
        key,
        call: format!("{} {}", http.method(), http.path()),
        body_hash: idempotency::body_hash(&hub.sealer, &bytes, parsed.as_ref().ok()),
        lease: 0,
    });
    let request_id = request_id(http);
    let shared_hub = Arc::clone(&hub);
    let answer = move |ticket: Option<Ticket>| async move {
        let call = Call { hub: shared_hub, application, ticket };
        let done = match parsed.and_then(|value| body::read::<B>(&value)) {
            Ok(body) => work(call, body).await,
            Err(fault) => Err(fault),
        };
        done.unwrap_or_else(|fault| problem(&fault, &request_id))
    };
    match ticket {
        None => shared.run(answer(None)).await,
        Some(ticket) => {
            let done =
                async move { idempotency::once(&hub, ticket, |ticket| answer(Some(ticket))).await };
            shared.run(done).await?
        }
    }
}
