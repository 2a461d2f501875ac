//! One event to one endpoint (Standard Webhooks). Its id and bytes are the same over all attempts,
//! so a repeat is harmless; what is not a clear yes is tried again along the schedule.

use adapters::webhook::{Message, asked_to_wait, next_attempt, read_answer};
use domain::delivery::{Delivery, FaultScope, Repeat};
use domain::ids::EventId;
use jiff::Timestamp;

use super::endpoints::NoAnswer;
use super::engine::Made;
use super::jitter;
use super::post::Effect;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::outbound::Silence;
use crate::store::applications::{self, Endpoint};
use crate::store::deliveries::{Claimed, DeliveryState, Outcome, Tried};
use crate::webhooks::{Heard, Keys, worth_a_note};

/// What an attempt came to.
struct Attempt {
    outcome: Delivery,
    /// The HTTP status, where there was an answer.
    status: Option<u16>,
    /// Until when the receiver wants to hear nothing at all.
    until: Option<Timestamp>,
}

impl From<Delivery> for Attempt {
    fn from(outcome: Delivery) -> Self {
        Self { outcome, status: None, until: None }
    }
}

/// Sends an event once; what came of it, for the engine to write.
pub(super) async fn deliver(
    hub: &Hub,
    claimed: &Claimed,
    id: &EventId,
    body: &str,
) -> Result<Made<Effect>, Fault> {
    let client = hub.store.client().await?;
    let endpoint = applications::endpoint(&client, &claimed.receiver).await?;
    drop(client);
    let begun_at = hub.clock.now();
    let Some(endpoint) = endpoint else {
        let outcome = Delivery::Rejected {
            code: "no_endpoint".to_owned(),
            message: "the application has no endpoint, or it is gone".to_owned(),
        };
        return made(hub, claimed, &outcome.into(), begun_at, None);
    };
    let keeps = if endpoint.is_disabled {
        Some("endpoint_disabled")
    } else {
        let is_held = endpoint.health.held_until.is_some_and(|until| begun_at < until);
        is_held.then_some("endpoint_held")
    };
    if let Some(word) = keeps {
        return Ok(Made { outcome: kept(claimed, word, begun_at), effect: None });
    }
    let attempt = send(hub, &claimed.receiver, &endpoint, id, body, begun_at).await;
    made(hub, claimed, &attempt, begun_at, Some(&endpoint))
}

async fn send(
    hub: &Hub,
    application: &str,
    endpoint: &Endpoint,
    id: &EventId,
    body: &str,
    now: Timestamp,
) -> Attempt {
    let keys = match Keys::open(&hub.sealer, application, endpoint, now) {
        Ok(keys) => keys,
        Err(why) => return Delivery::Transient { detail: why }.into(),
    };
    let message = Message { url: &endpoint.url, id: id.as_str(), body: body.as_bytes() };
    match hub.webhooks.send(keys.request(&message, now), endpoint.from_file).await {
        Ok(answer) => {
            let now = hub.clock.now();
            Attempt {
                outcome: read_answer(&answer, now),
                status: Some(answer.status),
                until: asked_to_wait(&answer, now),
            }
        }
        Err(NoAnswer::Refused(message)) => {
            Delivery::Rejected { code: "refused_address".to_owned(), message }.into()
        }
        Err(NoAnswer::Silence(Silence::NotSent(why))) => Delivery::not_sent(why).into(),
        Err(NoAnswer::Silence(Silence::NoAnswer(why))) => {
            Delivery::no_answer(Repeat::Harmless, why).into()
        }
    }
}

/// The endpoint was disabled, or asked to wait, after this was claimed: it was not sent, and waits.
fn kept(claimed: &Claimed, word: &'static str, now: Timestamp) -> Outcome {
    Outcome {
        state: DeliveryState::Due,
        receiver: None,
        attempts: claimed.attempts,
        tries: claimed.tries,
        lookups: 0,
        next_at: now,
        word,
        finished_at: None,
        tried: None,
    }
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
    attempt: &Attempt,
    begun_at: Timestamp,
    endpoint: Option<&Endpoint>,
) -> Result<Made<Effect>, Fault> {
    let Attempt { outcome, status, until } = attempt;
    let now = hub.clock.now();
    let attempts = claimed.attempts.saturating_add(1);
    let tries = claimed.tries.saturating_add(1);
    let (state, next_at) = step(outcome, tries, now, jitter()?);
    let detail = detail(outcome);
    let effect = endpoint
        .map(|endpoint| (heard(outcome, &detail, *until), endpoint))
        .filter(|(heard, endpoint)| worth_a_note(heard, &endpoint.health, now))
        .map(|(heard, endpoint)| Effect::Heard { heard, url: endpoint.url.clone() });
    let took = now.duration_since(begun_at).as_millis();
    let tried = Tried {
        begun_at,
        number: attempts,
        detail,
        vendor_ref: None,
        status: status.map(i32::from),
        took_ms: status.map(|_| i32::try_from(took).unwrap_or(i32::MAX)),
    };
    let outcome = Outcome {
        state,
        receiver: None,
        attempts,
        tries,
        lookups: 0,
        next_at,
        word: outcome.as_str(),
        finished_at: (state != DeliveryState::Due).then_some(now),
        tried: Some(tried),
    };
    Ok(Made { outcome, effect })
}

/// What an attempt says about the endpoint.
fn heard(outcome: &Delivery, detail: &str, until: Option<Timestamp>) -> Heard {
    let how = detail.to_owned();
    match outcome {
        Delivery::Accepted { .. } => Heard::Taken,
        Delivery::AccountFault { scope: FaultScope::Endpoint, .. } => Heard::Gone { how },
        Delivery::AccountFault { scope: FaultScope::Account | FaultScope::Template, .. }
        | Delivery::Rejected { .. }
        | Delivery::Throttled { .. }
        | Delivery::Transient { .. }
        | Delivery::Unknown { .. } => Heard::Failed { how, until },
    }
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
