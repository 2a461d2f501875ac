//! A call of a backend service, from the request to its answer: who calls, with which body, and for
//! a POST whether it was asked before. Every handler under `/v1` goes through here.

use std::future::Future;
use std::sync::Arc;

use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use domain::ids::ApplicationId;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
    /// The id of this request, which a problem names.
    pub(super) request_id: String,
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
        let request_id = request_id(&http);
        let call = Call { hub: Arc::clone(&shared.hub), application, request_id, ticket: None };
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
    let first = |_: Call, body: B| async move { Ok((body, None)) };
    post_in_steps(http, payload, first, |call, body, _: Option<()>| work(call, body)).await
}

/// Answers a POST whose body is no JSON: `work` reads it by itself, once for each idempotency key.
pub(super) async fn post_bytes<F, W>(http: HttpRequest, payload: Payload, work: W) -> HttpResponse
where
    F: Future<Output = Result<Answer, Fault>> + Send + 'static,
    W: FnOnce(Call, Bytes) -> F + Send + 'static,
{
    let as_it_is = |bytes: Bytes, _: Result<Value, Fault>| Ok(bytes);
    let first = |_: Call, body: Bytes| async move { Ok((body, None)) };
    let work = |call, body, _: Option<()>| work(call, body);
    match answer_post(&http, payload, as_it_is, first, work).await {
        Ok(answer) => answer.send(),
        Err(fault) => error::respond(&http, &fault),
    }
}

/// The same for work that takes its key itself. `first` does that, together with what is to be
/// written before anything else, and gives the body back with the key's lease and what it wrote; or
/// it writes nothing, and `work` begins under the key from the beginning, as it does without a key.
pub(super) async fn post_in_steps<B, S, G, V, F, W>(
    http: HttpRequest,
    payload: Payload,
    first: V,
    work: W,
) -> HttpResponse
where
    B: DeserializeOwned + Send + 'static,
    S: Send + 'static,
    G: Future<Output = Result<(B, Option<(i64, S)>), Fault>> + Send + 'static,
    V: FnOnce(Call, B) -> G + Send + 'static,
    F: Future<Output = Result<Answer, Fault>> + Send + 'static,
    W: FnOnce(Call, B, Option<S>) -> F + Send + 'static,
{
    let read = |_: Bytes, parsed: Result<Value, Fault>| parsed.and_then(|it| body::read::<B>(&it));
    match answer_post(&http, payload, read, first, work).await {
        Ok(answer) => answer.send(),
        Err(fault) => error::respond(&http, &fault),
    }
}

async fn answer_post<B, R, S, G, V, F, W>(
    http: &HttpRequest,
    payload: Payload,
    read: R,
    first: V,
    work: W,
) -> Result<Answer, Fault>
where
    B: Send + 'static,
    R: FnOnce(Bytes, Result<Value, Fault>) -> Result<B, Fault>,
    S: Send + 'static,
    G: Future<Output = Result<(B, Option<(i64, S)>), Fault>> + Send + 'static,
    V: FnOnce(Call, B) -> G + Send + 'static,
    F: Future<Output = Result<Answer, Fault>> + Send + 'static,
    W: FnOnce(Call, B, Option<S>) -> F + Send + 'static,
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
    let call = Call { hub: Arc::clone(&hub), application, request_id, ticket };
    let body = read(bytes, parsed);
    shared.run(answer(hub, call, body, first, work)).await?
}

async fn answer<B, S, G, V, F, W>(
    hub: Arc<Hub>,
    call: Call,
    body: Result<B, Fault>,
    first: V,
    work: W,
) -> Result<Answer, Fault>
where
    B: Send,
    S: Send,
    G: Future<Output = Result<(B, Option<(i64, S)>), Fault>> + Send,
    V: FnOnce(Call, B) -> G + Send,
    F: Future<Output = Result<Answer, Fault>> + Send,
    W: FnOnce(Call, B, Option<S>) -> F + Send,
{
    let request_id = call.request_id.clone();
    let ticket = call.ticket.clone();
    let (body, begun) = match (body, &ticket) {
        (Ok(body), Some(_)) => {
            let (body, begun) = first(call.clone(), body).await?;
            (Ok(body), begun)
        }
        (body, _) => (body, None),
    };
    let (lease, written) = begun.unzip();
    let rest = |ticket: Option<Ticket>| async move {
        let done = match body {
            Ok(body) => work(Call { ticket, ..call }, body, written).await,
            Err(fault) => Err(fault),
        };
        done.unwrap_or_else(|fault| problem(&fault, &request_id))
    };
    match ticket {
        None => Ok(rest(None).await),
        Some(ticket) => idempotency::once(&hub, ticket, lease, |ticket| rest(Some(ticket))).await,
    }
}
