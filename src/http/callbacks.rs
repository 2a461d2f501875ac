//! `/callbacks/{merchant_id}`: what providers tell. The raw bytes are verified, what they state is
//! made durable, and only then the provider's own success answer is given. Nothing may rewrite or
//! compress what comes in or goes out here.

mod window;

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, web};
use adapters::provider::{Acknowledgement, Notice, NoticeFault, Reply};
use adapters::wire::Headers;
use callbacks::{Claim, LARGEST_BODY, Opened, Refusal};
use domain::fact::Source;
use domain::ids::CallbackId;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::shared::Shared;
use super::{body, error, resource, schema};
use crate::fault::Fault;
use crate::hints::Confirmed;
use crate::hub::{Hub, Merchant};
use crate::record::{Arrival, Evidence, Unreadable, record};
use crate::replay::{Kept, context};
use crate::store::callbacks::{Refused, refuse};
use crate::{hints, keys};

pub(super) use window::Window;

/// How much of a refused body is kept.
const KEPT_REFUSED: usize = 8 * 1024;
/// How many headers of a refused callback are kept, and how much of each.
const KEPT_HEADERS: (usize, usize) = (64, 1024);

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service.service(resource("/callbacks/{merchant_id}").route(web::post().to(take)));
}

/// Takes a provider's callback about a payment or a refund.
///
/// The answers are the provider's own, byte for byte: success once the message is durable (also one
/// that is proved and yet cannot be read: an incident tells of it), 401 when it is not proved to be
/// the provider's, 503 when it could not be stored.
#[utoipa::path(
    post, path = "/callbacks/{merchant_id}", tag = "callbacks",
    params(("merchant_id" = String, Path, description = "as configured")),
    request_body(content = String, content_type = "*/*", description = "as the provider sends it"),
    responses(
        (status = 200, description = "durable; the provider's own success answer"),
        (status = 401, description = "refused; the provider's own failure answer"),
        (status = 404, body = schema::Problem, content_type = "application/problem+json"),
        (status = 413, body = schema::Problem, content_type = "application/problem+json",
         description = "over 256 KiB"),
        (status = 503, description = "not stored, come again; the provider's own failure answer"),
    ),
)]
pub(super) async fn take(
    http: HttpRequest,
    payload: Payload,
    merchant_id: Path<String>,
    shared: Data<Shared>,
) -> HttpResponse {
    let Some(merchant) = shared.hub.merchant(&merchant_id).cloned() else {
        return error::respond(&http, &Fault::not_found("merchant"));
    };
    let body = match body::take(payload, LARGEST_BODY).await {
        Ok(body) => body,
        Err(fault) => {
            shared.metrics.callback(merchant.id.as_str(), "unread");
            return error::respond(&http, &fault);
        }
    };
    let headers = headers(&http);
    let try_again = merchant.provider.acknowledge(&body, Acknowledgement::TryAgain);
    let counted = Data::clone(&shared);
    let work = async move { answer(&counted, &merchant, &headers, &body).await };
    respond(&shared.run(work).await.unwrap_or(try_again))
}

/// Sends the exact bytes of a reply.
pub(super) fn respond(reply: &Reply) -> HttpResponse {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    if let Some(content_type) = reply.content_type {
        response.insert_header((CONTENT_TYPE, content_type));
    }
    response.body(Bytes::from_static(reply.body))
}

/// Every header as it came; a provider's own are ASCII.
fn headers(http: &HttpRequest) -> Headers {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = http.headers().iter();
    Headers(headers.map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect())
}

async fn answer(shared: &Shared, merchant: &Merchant, headers: &Headers, body: &[u8]) -> Reply {
    let hub = &shared.hub;
    let received_at = hub.clock.now();
    let notice = Notice { headers, body, received_at };
    let (word, reply) = match open(hub, merchant, &notice).await {
        Ok(opened) => believed(hub, merchant, headers, body, received_at, opened).await,
        Err(refusal) => {
            if shared.refusals.admits(&merchant.id) {
                keep_refused(hub, merchant, headers, body, received_at, &refusal).await;
            }
            ("refused", refusal.reply)
        }
    };
    shared.metrics.callback(merchant.id.as_str(), word);
    reply
}

/// Opens a callback. One that names a key which the hub does not have is opened again once the keys
/// are renewed, if they may be renewed now.
async fn open(hub: &Arc<Hub>, merchant: &Merchant, notice: &Notice<'_>) -> Result<Opened, Refusal> {
    let provider = merchant.provider.as_ref();
    match callbacks::open(provider, notice) {
        Err(refusal) if refusal.fault == NoticeFault::UnknownKey => {
            if keys::renew_for_a_notice(hub, merchant).await {
                callbacks::open(provider, notice)
            } else {
                Err(refusal)
            }
        }
        opened => opened,
    }
}

/// Makes an authentic callback durable with all that it changes.
async fn believed(
    hub: &Arc<Hub>,
    merchant: &Merchant,
    headers: &Headers,
    body: &[u8],
    received_at: Timestamp,
    opened: Opened,
) -> (&'static str, Reply) {
    let Opened { notice, taken, try_again } = opened;
    let Ok(Confirmed { owner, claims: confirmed }) =
        hints::confirm(hub, merchant, &notice.hints).await
    else {
        return ("not_confirmed", try_again);
    };
    let callback_id = CallbackId::new(Uuid::now_v7());
    let kept = Kept::whole(headers, body, &notice.plaintext);
    let sealed = match kept.seal(hub, &context(&callback_id)) {
        Ok(sealed) => sealed,
        Err(error) => {
            tracing::error!(merchant = %merchant.id, %error, "a callback was not sealed");
            return ("not_stored", try_again);
        }
    };
    let unreadable = notice.unreadable.map(|why| {
        let cause = notice.notice_id.clone().unwrap_or_else(|| sha256_hex(body));
        tracing::error!(merchant = %merchant.id, callback = %callback_id, why, "a callback cannot be read");
        Unreadable { why, cause }
    });
    let facts = notice.facts.into_iter();
    let facts = facts.map(|fact| Claim { fact, source: Source::Callback });
    let arrival = Arrival {
        merchant: owner,
        claims: facts.chain(confirmed).collect(),
        evidence: Some(Evidence {
            callback_id: callback_id.clone(),
            received_at,
            notice_id: notice.notice_id,
            kind: notice.kind,
            sealed,
            replay_of: None,
            unreadable,
        }),
    };
    match record(hub, &[arrival]).await {
        Ok(verdicts) => {
            let word = verdicts.first().map_or("known", |verdict| verdict.as_str());
            tracing::info!(merchant = %merchant.id, callback = %callback_id, verdict = word, "callback");
            (word, taken)
        }
        Err(error) => {
            tracing::error!(merchant = %merchant.id, %error, "a callback was not stored");
            ("not_stored", try_again)
        }
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Keeps a refused callback for people to look at. That it cannot be kept changes no answer.
async fn keep_refused(
    hub: &Hub,
    merchant: &Merchant,
    headers: &Headers,
    body: &[u8],
    received_at: Timestamp,
    refusal: &Refusal,
) {
    let fault = refusal.fault.as_str();
    tracing::warn!(merchant = %merchant.id, fault, detail = refusal.detail, "callback refused");
    let (most, longest) = KEPT_HEADERS;
    let some = headers.0.iter().take(most);
    let short = |text: &String| text.chars().take(longest).collect::<String>();
    let headers = Headers(some.map(|(name, value)| (short(name), short(value))).collect());
    let context = format!("refused_callbacks:{}", merchant.id);
    let kept = async {
        let sealed = Kept::cut(&headers, body, KEPT_REFUSED).seal(hub, &context)?;
        let client = hub.store.client().await?;
        let refused = Refused {
            received_at,
            merchant_id: &merchant.id,
            fault,
            detail: &refusal.detail,
            sealed: &sealed,
        };
        refuse(&client, &refused).await?;
        Ok::<(), Fault>(())
    };
    if let Err(fault) = kept.await {
        tracing::warn!(merchant = %merchant.id, detail = fault.detail, "it was not kept");
    }
}
