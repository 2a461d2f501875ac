//! One event to one endpoint (Standard Webhooks). Its id and bytes are the same over all attempts,
//! so a repeat is harmless; what is not a clear yes is tried again along the schedule.

use adapters::webhook::{Message, Signers, WebhookSecret, build, next_attempt, read_answer};
use deadpool_postgres::GenericClient;
use domain::delivery::{Delivery, FaultScope, Repeat};
use domain::ids::{EventId, IncidentId, MerchantId};
use jiff::Timestamp;
use uuid::Uuid;

use super::endpoints::NoAnswer;
use super::jitter;
use super::made::{Effect, Made, Tried};
use crate::fault::Fault;
use crate::hub::{Hub, secret_context};
use crate::outbound::Silence;
use crate::seal::Purpose;
use crate::store::applications::{self, Endpoint};
use crate::store::deliveries::{Claimed, DeliveryState};
use crate::store::incidents::{self, NewIncident};

/// Sends an event once; what came of it, for the engine to write.
pub(super) async fn deliver(
    hub: &Hub,
    claimed: &Claimed,
    id: &EventId,
    body: &str,
) -> Result<Made, Fault> {
    let client = hub.store.client().await?;
    let endpoint = applications::endpoint(&client, &claimed.receiver).await?;
    drop(client);
    let begun_at = hub.clock.now();
    let outcome = match endpoint {
        Some(endpoint) => send(hub, &claimed.receiver, &endpoint, id, body, begun_at).await,
        None => Delivery::Rejected {
            code: "no_endpoint".to_owned(),
            message: "the application has no endpoint, or it is gone".to_owned(),
        },
    };
    made(hub, claimed, &outcome, begun_at)
}

async fn send(
    hub: &Hub,
    application: &str,
    endpoint: &Endpoint,
    id: &EventId,
    body: &str,
    now: Timestamp,
) -> Delivery {
    let secret = match secret(hub, application, endpoint) {
        Ok(secret) => secret,
        Err(why) => return Delivery::Transient { detail: why },
    };
    let message = Message { url: &endpoint.url, id: id.as_str(), body: body.as_bytes() };
    let request = build(&message, &Signers { secrets: &[&secret], pair: None }, now);
    match hub.webhooks.send(request, endpoint.from_file).await {
        Ok(answer) => read_answer(&answer, hub.clock.now()),
        Err(NoAnswer::Refused(message)) => {
            Delivery::Rejected { code: "refused_address".to_owned(), message }
        }
        Err(NoAnswer::Silence(Silence::NotSent(why))) => Delivery::not_sent(why),
        Err(NoAnswer::Silence(Silence::NoAnswer(why))) => {
            Delivery::no_answer(Repeat::Harmless, why)
        }
    }
}

fn secret(hub: &Hub, application: &str, endpoint: &Endpoint) -> Result<WebhookSecret, String> {
    let context = secret_context(application);
    let opened = hub
        .sealer
        .open(Purpose::WebhookSecret, &endpoint.secret_sealed, context.as_bytes())
        .map_err(|error| format!("the endpoint's secret does not open: {error}"))?;
    let text = String::from_utf8(opened)
        .map_err(|error| format!("the endpoint's secret is no text: {}", error.utf8_error()))?;
    text.parse().map_err(|error| format!("the endpoint's secret: {error}"))
}

/// Where a delivery stands after an attempt, and when it goes on.
fn step(outcome: &Delivery, tries: i32, now: Timestamp, jitter: u16) -> (DeliveryState, Timestamp) {
    let made = usize::try_from(tries).unwrap_or(usize::MAX);
    let wait = match outcome {
        Delivery::Accepted { .. } => return (DeliveryState::Done, now),
        // The endpoint is gone or refused: nothing mends that but a person.
        Delivery::AccountFault { .. } | Delivery::Rejected { .. } => None,
        Delivery::Throttled { until, .. } => {
            next_attempt(made, Some(until.duration_since(now)), jitter)
        }
        Delivery::Transient { .. } | Delivery::Unknown { .. } => next_attempt(made, None, jitter),
    };
    match wait {
        Some(wait) => (DeliveryState::Due, now.saturating_add(wait).unwrap_or(Timestamp::MAX)),
        None => (DeliveryState::Dead, now),
    }
}

/// What an attempt leads to; nothing is written yet.
fn made(
    hub: &Hub,
    claimed: &Claimed,
    outcome: &Delivery,
    begun_at: Timestamp,
) -> Result<Made, Fault> {
    let now = hub.clock.now();
    let attempts = claimed.attempts.saturating_add(1);
    let tries = claimed.tries.saturating_add(1);
    let (state, next_at) = step(outcome, tries, now, jitter()?);
    let detail = detail(outcome);
    let effect = matches!(outcome, Delivery::AccountFault { scope: FaultScope::Endpoint, .. })
        .then(|| Effect::EndpointGone { detail: detail.clone() });
    Ok(Made {
        state,
        receiver: None,
        attempts,
        tries,
        lookups: 0,
        next_at,
        outcome: outcome.as_str(),
        finished_at: (state != DeliveryState::Due).then_some(now),
        attempt: Some(Tried { begun_at, number: attempts, detail, vendor_ref: None }),
        effect,
    })
}

/// Remembers that the endpoint is gone and tells finance staff, once: until somebody sends its dead
/// letters again or the hub starts anew, every event for it is a dead letter.
pub(super) async fn gone(
    client: &impl GenericClient,
    claimed: &Claimed,
    detail: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    let application = &claimed.receiver;
    if !applications::endpoint_gone(client, application, now).await? {
        return Ok(());
    }
    let merchant: MerchantId =
        application.parse().map_err(|error: domain::ids::IdError| Fault::internal(&error))?;
    let incident = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id: &merchant,
        kind: "endpoint_gone",
        detail: &format!("the endpoint of {application} said that it is gone: {detail}"),
        dedupe_key: &format!("endpoint_gone:{application}:{}", claimed.delivery_id),
        order_id: None,
        refund_id: None,
        now,
    };
    incidents::open(client, &incident).await?;
    Ok(())
}

/// What the other side said, for the record.
pub(super) fn detail(outcome: &Delivery) -> String {
    match outcome {
        Delivery::Accepted { .. } => String::new(),
        Delivery::Rejected { code, message } | Delivery::AccountFault { code, message, .. } => {
            format!("{code}: {message}")
        }
        Delivery::Throttled { message, .. } => message.clone(),
        Delivery::Transient { detail } | Delivery::Unknown { detail } => detail.clone(),
    }
}
