//! One message to one phone. Sending is not idempotent, so the attempt is written down before it
//! is made; whoever finds it half-way, or gets no answer, asks the vendor before anything is sent
//! again.

use adapters::channels::{SmsChannel, SmsLookup, SmsMessage, lookup_days};
use deadpool_postgres::GenericClient;
use domain::delivery::{Delivery, Lookup, Repeat};
use domain::ids::NotificationId;
use domain::money::Fen;
use jiff::Timestamp;
use notifications::{Condition, FailReason, NextStep, Transition, Urgency, after, after_lookup};

use super::message::Message;
use super::settle::{Done, Next, settle, write};
use super::webhook::detail;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::outbound::{Kind, Silence};
use crate::store::deliveries::{self, Claimed, DeliveryState};
use crate::store::notifications::{self as rows, Move};
use crate::store::{StoreError, fees};

/// Takes a message as far as it goes now.
pub(super) async fn deliver(
    hub: &Hub,
    claimed: &Claimed,
    id: &NotificationId,
) -> Result<(), Fault> {
    match claimed.state {
        DeliveryState::Due => send(hub, claimed, id).await,
        DeliveryState::Sending => found_half_way(hub, claimed, id).await,
        DeliveryState::Querying => look_up(hub, claimed, id).await,
        DeliveryState::Done | DeliveryState::Dead => Ok(()),
    }
}

async fn send(hub: &Hub, claimed: &Claimed, id: &NotificationId) -> Result<(), Fault> {
    let Some(message) = begin(hub, claimed, id).await? else { return Ok(()) };
    let begun_at = hub.clock.now();
    let outcome = hand_over(hub, &message, begun_at).await;
    let tries = claimed.tries.saturating_add(1);
    let progress = message.progress(tries, hub.clock.now())?;
    let step = after(&outcome, &progress, &message.policy);
    // An attempt that our own account spoiled does not count against the message.
    let counted = if matches!(step, NextStep::Hold { .. }) { claimed.tries } else { tries };
    let detail = detail(&outcome);
    let done = Done {
        begun_at,
        number: claimed.attempts.saturating_add(1),
        tries: counted,
        lookups: 0,
        outcome: outcome.as_str(),
        detail: &detail,
        is_evidence: true,
    };
    let next = Next::of(step, &message, progress.now);
    settle(hub, claimed, &message, &next, &done).await
}

/// Checks whether the message may leave now, and writes down that it does; `None` when it does
/// not, and what follows is written.
async fn begin(
    hub: &Hub,
    claimed: &Claimed,
    id: &NotificationId,
) -> Result<Option<Message>, Fault> {
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let Some(locked) = rows::lock(&tx, id).await? else { return Ok(None) };
    let message = Message::open(hub, locked)?;
    let locked = &message.notification;
    let begun = locked.status.after(Transition::Begin);
    let (word, next) = match (why_not(&tx, &message, now).await?, begun) {
        (None, Ok(status)) => {
            if !deliveries::begin(&tx, claimed, now).await? {
                return Ok(None);
            }
            let to = Move {
                to: status,
                channel: &locked.channel,
                vendor_ref: None,
                failure: None,
                sent_at: None,
                delivered_at: None,
            };
            rows::move_on(&tx, locked, &to).await?;
            tx.commit().await.map_err(StoreError::from)?;
            return Ok(Some(message));
        }
        (Some(not), _) => not,
        (None, Err(_already_told)) => ("over", Next::plain(None, DeliveryState::Done, now)),
    };
    let done = Done {
        begun_at: now,
        number: claimed.attempts,
        tries: claimed.tries,
        lookups: 0,
        outcome: word,
        detail: "",
        is_evidence: false,
    };
    write(hub, &tx, claimed, locked, &next, &done).await?;
    tx.commit().await.map_err(StoreError::from)?;
    Ok(None)
}

/// Why a message does not leave now, as a word, and what follows.
async fn why_not(
    tx: &impl GenericClient,
    message: &Message,
    now: Timestamp,
) -> Result<Option<(&'static str, Next)>, Fault> {
    let locked = &message.notification;
    if locked.status.is_final() {
        return Ok(Some(("over", Next::plain(None, DeliveryState::Done, now))));
    }
    let plan = match (message.plan(), message.attempt()) {
        (Some(plan), Ok(_attempt)) => plan,
        (_, unsendable) => {
            let detail = unsendable.err().unwrap_or_default();
            let step = NextStep::Fail { reason: FailReason::Rejected, detail, alarm: None };
            return Ok(Some(("unsendable", Next::of(step, message, now))));
        }
    };
    if plan.expires_at <= now {
        return Ok(Some(("expired", Next::of(NextStep::Expire, message, now))));
    }
    if !holds(tx, plan.only_while, locked.subject_id.as_deref()).await? {
        let next = Next::plain(Some(Transition::Suppress), DeliveryState::Done, now);
        return Ok(Some(("suppressed", next)));
    }
    let asked = locked.not_before.map_or(now, |not_before| not_before.max(now));
    let at = message.policy.earliest(plan.urgency, asked);
    if at >= plan.expires_at && plan.urgency != Urgency::Immediate {
        return Ok(Some(("expired", Next::of(NextStep::Expire, message, now))));
    }
    let held = Next::plain(Some(Transition::Hold), DeliveryState::Due, at);
    Ok((at > now).then_some(("held", held)))
}

/// Whether what a message says is still true.
async fn holds(
    tx: &impl GenericClient,
    condition: Option<Condition>,
    subject: Option<&str>,
) -> Result<bool, Fault> {
    let (Some(Condition::FeeOwed), Some(fee_id)) = (condition, subject) else { return Ok(true) };
    let found = fees::by_ids(tx, &[fee_id]).await?;
    Ok(found.first().is_none_or(|fee| fee.facts().outstanding() > Fen::ZERO))
}

async fn hand_over(hub: &Hub, message: &Message, now: Timestamp) -> Delivery {
    let attempt = match message.attempt() {
        Ok(attempt) => attempt,
        Err(why) => return Delivery::Rejected { code: "no_template".to_owned(), message: why },
    };
    let Some(channel) = hub.channels.get(&attempt.channel) else {
        return Delivery::not_sent("the channel is not configured");
    };
    let sms = SmsMessage {
        phone: &message.phone,
        template_code: &attempt.code,
        params: &attempt.params,
        out_id: message.notification.id.as_str(),
    };
    let call = match channel.vendor.send(&sms) {
        Ok(call) => call,
        Err(limit) => {
            return Delivery::Rejected { code: "limit".to_owned(), message: limit.to_string() };
        }
    };
    let signed = hub
        .stamp()
        .map_err(|error| error.to_string())
        .and_then(|stamp| channel.vendor.sign(&call, &stamp).map_err(|error| error.to_string()));
    let request = match signed {
        Ok(request) => request,
        Err(why) => return Delivery::not_sent(why),
    };
    match hub.outbound.send(request, Kind::Call).await {
        Ok(answer) => channel.vendor.read_send(&answer, now),
        Err(Silence::NotSent(why)) => Delivery::not_sent(why),
        Err(Silence::NoAnswer(why)) => Delivery::no_answer(channel.vendor.repeat(), why),
    }
}

/// The message, without its lock.
async fn peek(hub: &Hub, id: &NotificationId) -> Result<Option<Message>, Fault> {
    let client = hub.store.client().await?;
    let found = rows::lock(&client, id).await?;
    drop(client);
    found.map(|found| Message::open(hub, found)).transpose()
}

/// An attempt began under a lease that ran out, and nobody wrote what came of it.
async fn found_half_way(hub: &Hub, claimed: &Claimed, id: &NotificationId) -> Result<(), Fault> {
    let Some(message) = peek(hub, id).await? else { return Ok(()) };
    let now = hub.clock.now();
    let channel = hub.channels.get(&message.notification.channel);
    let repeat = channel.map_or(Repeat::AfterLookup, |channel| channel.vendor.repeat());
    let outcome = Delivery::no_answer(repeat, "the hub stopped while it was being sent");
    let progress = message.progress(claimed.tries, now)?;
    let step = after(&outcome, &progress, &message.policy);
    let detail = detail(&outcome);
    let done = Done {
        begun_at: claimed.sent_at.unwrap_or(now),
        number: claimed.attempts,
        tries: claimed.tries,
        lookups: 0,
        outcome: outcome.as_str(),
        detail: &detail,
        is_evidence: true,
    };
    let next = Next::of(step, &message, now);
    settle(hub, claimed, &message, &next, &done).await
}

/// Asks the vendor what it knows of an attempt whose outcome is open.
async fn look_up(hub: &Hub, claimed: &Claimed, id: &NotificationId) -> Result<(), Fault> {
    let Some(message) = peek(hub, id).await? else { return Ok(()) };
    let begun_at = hub.clock.now();
    let sent_at = claimed.sent_at.unwrap_or(begun_at);
    let found = if message.notification.status.is_final() {
        None
    } else {
        Some(ask(hub, &message, sent_at).await)
    };
    let now = hub.clock.now();
    let lookups = claimed.lookups.saturating_add(1);
    let (word, detail, next) = match &found {
        None => ("over", "", Next::plain(None, DeliveryState::Done, now)),
        Some(lookup) => {
            let progress = message.progress(claimed.tries, now)?;
            let made = usize::try_from(lookups).unwrap_or(usize::MAX);
            let step = after_lookup(lookup, made, sent_at, &progress, &message.policy);
            let (word, detail) = match lookup {
                Lookup::Found(_) => ("found", ""),
                Lookup::Absent => ("absent", ""),
                Lookup::NoAnswer(why) => ("no_answer", why.as_str()),
            };
            (word, detail, Next::of(step, &message, now))
        }
    };
    let done = Done {
        begun_at,
        number: claimed.attempts,
        tries: claimed.tries,
        lookups,
        outcome: word,
        detail,
        is_evidence: found.is_some(),
    };
    settle(hub, claimed, &message, &next, &done).await
}

/// The vendor's record over every day that the attempt may have been counted to.
async fn ask(hub: &Hub, message: &Message, sent_at: Timestamp) -> Lookup {
    let Some(channel) = hub.channels.get(&message.notification.channel) else {
        return Lookup::NoAnswer("the channel is not configured".to_owned());
    };
    let mut known: Option<Lookup> = None;
    for day in lookup_days(sent_at) {
        let lookup =
            SmsLookup { phone: &message.phone, day, out_id: message.notification.id.as_str() };
        let found = ask_day(hub, channel.vendor.as_ref(), &lookup).await;
        known = Some(match known {
            Some(known) => known.or(found),
            None => found,
        });
    }
    known.unwrap_or_else(|| Lookup::NoAnswer("there is no day to ask about".to_owned()))
}

async fn ask_day(hub: &Hub, vendor: &dyn SmsChannel, lookup: &SmsLookup<'_>) -> Lookup {
    let signed = || {
        let call = vendor.query(lookup).map_err(|error| error.to_string())?;
        let stamp = hub.stamp().map_err(|error| error.to_string())?;
        vendor.sign(&call, &stamp).map_err(|error| error.to_string())
    };
    let request = match signed() {
        Ok(request) => request,
        Err(why) => return Lookup::NoAnswer(why),
    };
    match hub.outbound.send(request, Kind::Call).await {
        Ok(answer) => vendor.read_query(lookup, &answer),
        Err(Silence::NotSent(why) | Silence::NoAnswer(why)) => Lookup::NoAnswer(why),
    }
}
