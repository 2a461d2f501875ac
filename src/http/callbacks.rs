//! `/callbacks/{merchant_id}`: what providers tell. The raw bytes are verified, what they state is
//! made durable, and only then the provider's own success answer is given. Nothing may rewrite or
//! compress what comes in or goes out here. What is in hand is bounded: bodies in time and bytes,
//! proofs and waiting in number.

mod refused;
mod turns;
mod window;

use std::time::Duration;

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
use crate::hub::Merchant;
use crate::intake::{Arrived, Held, Intake, NotStored};
use crate::record::{Evidence, UNREADABLE, Unbooked};
use crate::replay::{Kept, context};
use crate::{hints, keys};

pub(super) use refused::Refusals;
pub(super) use turns::Turns;

/// How long the body of a callback may take: providers send it in one piece.
const BODY: Duration = Duration::from_secs(10);

/// The routes.
pub(super) fn configure(service: &mut web::ServiceConfig) {
    service.service(resource("/callbacks/{merchant_id}").route(web::post().to(take)));
}

/// A callback as it came, with the room that it takes.
struct Received {
    headers: Headers,
    body: Bytes,
    held: Held,
}

/// Takes a provider's callback about a payment or a refund.
///
/// The answers are the provider's own, byte for byte: success once the message is durable (also one
/// that is proved and yet cannot be read: an incident tells of it), 401 when it is not proved to be
/// the provider's, 503 when it could not be stored or
/// too much waits already.
#[utoipa::path(
    post, path = "/callbacks/{merchant_id}", tag = "callbacks",
    params(("merchant_id" = String, Path, description = "as configured")),
    request_body(content = String, content_type = "*/*", description = "as the provider sends it"),
    responses(
        (status = 200, description = "durable; the provider's own success answer"),
        (status = 401, description = "refused; the provider's own failure answer"),
        (status = 408, body = schema::Problem, content_type = "application/problem+json",
         description = "its body did not come within 10 seconds"),
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
    let (body, held) = match bounded(payload, &shared.intake).await {
        Ok(bounded) => bounded,
        Err(Unread::Full) => {
            shared.metrics.callback(merchant.id.as_str(), TURNED_AWAY);
            return respond(&merchant.provider.acknowledge(b"", Acknowledgement::TryAgain));
        }
        Err(Unread::Fault(fault)) => {
            shared.metrics.callback(merchant.id.as_str(), "unread");
            return error::respond(&http, &fault);
        }
    };
    let received = Received { headers: headers(&http), body, held };
    let try_again = merchant.provider.acknowledge(&received.body, Acknowledgement::TryAgain);
    let counted = Data::clone(&shared);
    let work = async move { answer(&counted, &merchant, received).await };
    respond(&shared.run(work).await.unwrap_or(try_again))
}

/// The verdict that is counted for a callback for which there was no room.
const TURNED_AWAY: &str = "turned_away";

/// Why a body was not taken in.
pub(super) enum Unread {
    /// Too many bytes are in hand.
    Full,
    /// It is too long, too slow or broken.
    Fault(Fault),
}

impl From<Fault> for Unread {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Takes the body of a callback in while there is room for it: first for what is not whole yet, then
/// for what waits to be answered.
pub(super) async fn bounded(payload: Payload, intake: &Intake) -> Result<(Bytes, Held), Unread> {
    let (share, cut_off) = intake.arriving().begin();
    let body = body::take_within(payload, LARGEST_BODY, BODY, |bytes| {
        share.grow(bytes).map_err(|_full| Unread::Full)
    });
    let body = tokio::select! {
        body = body => body?,
        () = cut_off.happens() => return Err(Unread::Full),
    };
    let mut held = intake.room().enter();
    held.grow(body.len()).map_err(|_full| Unread::Full)?;
    Ok((body, held))
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

async fn answer(shared: &Shared, merchant: &Merchant, received: Received) -> Reply {
    let received_at = shared.hub.clock.now();
    let Received { headers, body, .. } = &received;
    let notice = Notice { headers, body, received_at };
    let (word, reply) = match open(shared, merchant, &notice).await {
        Ok(opened) => believed(shared, merchant, received, received_at, opened).await,
        Err(refusal) => {
            let why = (refusal.fault.as_str(), refusal.detail.as_str());
            shared.refusals.keep(&merchant.id, received_at, (headers, body), why);
            ("refused", refusal.reply)
        }
    };
    shared.metrics.callback(merchant.id.as_str(), word);
    reply
}

/// Opens a callback. One that names a key which the hub does not have is opened again once the keys
/// are renewed, if they may be renewed now.
async fn open(
    shared: &Shared,
    merchant: &Merchant,
    notice: &Notice<'_>,
) -> Result<Opened, Refusal> {
    match open_in_turn(shared, merchant, notice).await {
        Err(refusal) if refusal.fault == NoticeFault::UnknownKey => {
            if keys::renew_for_a_notice(&shared.hub, merchant).await {
                open_in_turn(shared, merchant, notice).await
            } else {
                Err(refusal)
            }
        }
        opened => opened,
    }
}

async fn open_in_turn(
    shared: &Shared,
    merchant: &Merchant,
    notice: &Notice<'_>,
) -> Result<Opened, Refusal> {
    let _turn = shared.turns.take(&merchant.id).await;
    callbacks::open(merchant.provider.as_ref(), notice)
}

/// Makes an authentic callback durable with all that it changes.
async fn believed(
    shared: &Shared,
    merchant: &Merchant,
    received: Received,
    received_at: Timestamp,
    opened: Opened,
) -> (&'static str, Reply) {
    let hub = &shared.hub;
    let Opened { notice, taken, try_again } = opened;
    let Ok(Confirmed { owner, claims: confirmed }) =
        hints::confirm(hub, merchant, &notice.hints).await
    else {
        return ("not_confirmed", try_again);
    };
    let Received { headers, body, mut held } = received;
    let callback_id = CallbackId::new(Uuid::now_v7());
    let kept = Kept::whole(&headers, &body, &notice.plaintext);
    let sealed = match kept.seal(hub, &context(&callback_id)) {
        Ok(sealed) => sealed,
        Err(error) => {
            tracing::error!(merchant = %merchant.id, %error, "a callback was not sealed");
            return ("not_stored", try_again);
        }
    };
    if held.grow(sealed.len()).is_err() {
        return (TURNED_AWAY, try_again);
    }
    let unbooked = notice.unreadable.map(|why| {
        let cause = notice.notice_id.clone().unwrap_or_else(|| sha256_hex(&body));
        tracing::error!(merchant = %merchant.id, callback = %callback_id, why, "a callback cannot be read");
        Unbooked { kind: UNREADABLE, why, cause }
    });
    // What waits for its transaction is what has room: the sealed evidence.
    drop((headers, body, kept, notice.plaintext));
    let facts = notice.facts.into_iter();
    let facts = facts.map(|fact| Claim { fact, source: Source::Callback });
    let arrived = Arrived {
        owner: owner.id.clone(),
        claims: facts.chain(confirmed).collect(),
        evidence: Evidence {
            callback_id: callback_id.clone(),
            received_at,
            notice_id: notice.notice_id,
            kind: notice.kind,
            sealed,
            replay_of: None,
            unbooked,
        },
    };
    match shared.intake.record(arrived, held).await {
        Ok(verdict) => {
            let word = verdict.as_str();
            tracing::info!(merchant = %merchant.id, callback = %callback_id, verdict = word, "callback");
            (word, taken)
        }
        Err(NotStored::Full) => (TURNED_AWAY, try_again),
        Err(why @ (NotStored::Late | NotStored::Failed)) => {
            tracing::warn!(merchant = %merchant.id, callback = %callback_id, ?why, "a callback was not stored");
            ("not_stored", try_again)
        }
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
