//! Writes what follows from an attempt, a lookup or a receipt: the message's state by the total
//! transition function, its delivery, the evidence, and the event that tells of it, all in one
//! transaction. The message is always locked before its delivery.

use deadpool_postgres::GenericClient;
use domain::event::EventType;
use domain::ids::{IncidentId, MerchantId};
use jiff::Timestamp;
use notifications::{Alarm, FailReason, FaultScope, NextStep, NotificationStatus, Transition};
use uuid::Uuid;

use super::message::Message;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::event;
use crate::resource;
use crate::store::deliveries::{self, Attempt, Claimed, DeliveryState, Finish};
use crate::store::incidents::{self, NewIncident};
use crate::store::notifications::{self as rows, LockedNotification, Move};
use crate::store::{StoreError, events};

/// What happens to a message and its delivery.
#[derive(Clone, Debug)]
pub(super) struct Next {
    /// What happens to the message; `None`: nothing.
    pub(super) transition: Option<Transition>,
    /// How far the delivery is then.
    pub(super) state: DeliveryState,
    /// When something is done about it next.
    pub(super) at: Timestamp,
    /// The channel from then on, if it changes.
    pub(super) channel: Option<String>,
    /// The vendor's number of the attempt that it took.
    pub(super) vendor_ref: Option<String>,
    /// Why it will not arrive.
    pub(super) failure: Option<String>,
    /// What a person must be told.
    pub(super) alarm: Option<Alarm>,
}

impl Next {
    /// A transition that ends the delivery, or leaves it due at `at`.
    pub(super) const fn plain(
        transition: Option<Transition>,
        state: DeliveryState,
        at: Timestamp,
    ) -> Self {
        Self { transition, state, at, channel: None, vendor_ref: None, failure: None, alarm: None }
    }

    /// What a step of the notifications crate means here.
    pub(super) fn of(step: NextStep, message: &Message, now: Timestamp) -> Self {
        let transition = step.transition();
        let plain = |state, at| Self::plain(transition, state, at);
        match step {
            NextStep::Sent { vendor_ref } => Self { vendor_ref, ..plain(DeliveryState::Done, now) },
            NextStep::Delivered | NextStep::Expire => plain(DeliveryState::Done, now),
            NextStep::Retry { at } => plain(DeliveryState::Due, at),
            NextStep::Query { at } => plain(DeliveryState::Querying, at),
            NextStep::NextChannel { at, alarm } => Self {
                channel: message.next_channel().map(str::to_owned),
                alarm,
                ..plain(DeliveryState::Due, at)
            },
            NextStep::Hold { until, alarm } => {
                Self { alarm: Some(alarm), ..plain(DeliveryState::Due, until) }
            }
            NextStep::Fail { reason, detail, alarm } => {
                let state = match reason {
                    // It was handed over; nothing is left that could be sent again as it is.
                    FailReason::Undelivered => DeliveryState::Done,
                    FailReason::Rejected | FailReason::Exhausted | FailReason::Undecided => {
                        DeliveryState::Dead
                    }
                };
                let failure = Some(format!("{}: {detail}", reason.as_str()));
                Self { failure, alarm, ..plain(state, now) }
            }
        }
    }
}

/// What was done, for the record.
#[derive(Clone, Debug)]
pub(super) struct Done<'a> {
    /// When it began.
    pub(super) begun_at: Timestamp,
    /// The number of the attempt that it was, or is about.
    pub(super) number: i32,
    /// Attempts on this channel that count.
    pub(super) tries: i32,
    /// Lookups so far.
    pub(super) lookups: i32,
    /// Its outcome's word.
    pub(super) outcome: &'a str,
    /// What the other side said.
    pub(super) detail: &'a str,
    /// Whether something was said to the vendor, so that there is evidence to keep.
    pub(super) is_evidence: bool,
}

/// Writes what follows from `done`.
pub(super) async fn settle(
    hub: &Hub,
    claimed: &Claimed,
    message: &Message,
    next: &Next,
    done: &Done<'_>,
) -> Result<(), Fault> {
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    if let Some(locked) = rows::lock(&tx, &message.notification.id).await? {
        write(hub, &tx, claimed, &locked, next, done).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    hub.signals.wake_dispatch();
    Ok(())
}

/// As [`settle`], in the caller's transaction, which holds the message's lock.
pub(super) async fn write(
    hub: &Hub,
    tx: &impl GenericClient,
    claimed: &Claimed,
    locked: &LockedNotification,
    next: &Next,
    done: &Done<'_>,
) -> Result<(), Fault> {
    let now = hub.clock.now();
    if done.is_evidence {
        let attempt = Attempt {
            delivery_id: claimed.delivery_id,
            number: done.number,
            begun_at: done.begun_at,
            outcome: done.outcome,
            detail: done.detail,
            vendor_ref: next.vendor_ref.as_deref(),
        };
        deliveries::keep_attempt(tx, &attempt).await?;
    }
    let status = next.transition.map_or(Ok(locked.status), |what| locked.status.after(what));
    // A receipt was faster, and it is the stronger word: nothing is left to do.
    let is_overtaken = status.is_err() || (next.transition.is_none() && locked.status.is_final());
    let state = if is_overtaken { DeliveryState::Done } else { next.state };
    let is_over = matches!(state, DeliveryState::Done | DeliveryState::Dead);
    let finish = Finish {
        state,
        receiver: next.channel.as_deref().unwrap_or(&claimed.receiver),
        attempts: done.number,
        tries: if next.channel.is_some() { 0 } else { done.tries },
        lookups: done.lookups,
        next_at: next.at,
        outcome: done.outcome,
        finished_at: is_over.then_some(now),
    };
    if !deliveries::finish(tx, claimed, &finish).await? {
        tracing::info!(delivery = claimed.delivery_id, "a lease was lost; another goes on");
        return Ok(());
    }
    if let (Some(_), Ok(to)) = (next.transition, status) {
        move_on(hub, tx, locked, to, next).await?;
    }
    if let Some(alarm) = &next.alarm {
        raise(tx, locked, alarm, next, now).await?;
    }
    Ok(())
}

/// Moves a locked message on, and tells its application when it arrived or will not.
pub(super) async fn move_on(
    hub: &Hub,
    tx: &impl GenericClient,
    locked: &LockedNotification,
    to: NotificationStatus,
    next: &Next,
) -> Result<(), Fault> {
    let now = hub.clock.now();
    let known = locked.vendor_ref.as_deref();
    let vendor_ref = match next.transition {
        // A new attempt gets a new number.
        Some(Transition::Queue) => None,
        _ => next.vendor_ref.as_deref().or(known),
    };
    let was_taken =
        matches!(next.transition, Some(Transition::Accept | Transition::Deliver)).then_some(now);
    let step = Move {
        to,
        channel: next.channel.as_deref().unwrap_or(&locked.channel),
        vendor_ref,
        failure: next.failure.as_deref(),
        sent_at: was_taken,
        delivered_at: (to == NotificationStatus::Delivered).then_some(now),
    };
    rows::move_on(tx, locked, &step).await?;
    let kind = match to {
        NotificationStatus::Delivered => EventType::NotificationDelivered,
        NotificationStatus::Failed => EventType::NotificationFailed,
        NotificationStatus::Queued
        | NotificationStatus::Held
        | NotificationStatus::Sending
        | NotificationStatus::Sent
        | NotificationStatus::Expired
        | NotificationStatus::Suppressed => return Ok(()),
    };
    if to == locked.status {
        return Ok(());
    }
    if let Some(record) = rows::load(tx, &locked.id).await? {
        let id = record.id.as_str();
        let data = resource::notification(&record);
        let told = event(kind, Some(&record.application_id), id, id, &data, now);
        events::insert(tx, &[told], now).await?;
    }
    Ok(())
}

/// Opens an incident, one a day and cause, and keeps back what would meet the same fault.
async fn raise(
    tx: &impl GenericClient,
    locked: &LockedNotification,
    alarm: &Alarm,
    next: &Next,
    now: Timestamp,
) -> Result<(), Fault> {
    let (scope, subject) = match alarm.scope {
        Some(scope @ (FaultScope::Account | FaultScope::Endpoint)) => (scope.as_str(), ""),
        Some(scope @ FaultScope::Template) => (scope.as_str(), locked.template.as_str()),
        None => ("message", locked.id.as_str()),
    };
    let until = (next.transition == Some(Transition::Hold)).then_some(next.at);
    if let (Some(until), Some(scope)) = (until, alarm.scope) {
        let template = (scope == FaultScope::Template).then_some(locked.template.as_str());
        deliveries::hold(tx, &locked.channel, template, until).await?;
    }
    let channel: MerchantId =
        locked.channel.parse().map_err(|error: domain::ids::IdError| Fault::internal(&error))?;
    let day = domain::time::business_day(now);
    let detail = format!("{scope} of channel {}: {}", locked.channel, alarm.detail);
    let dedupe_key = format!("channel:{channel}:{scope}:{subject}:{day}");
    let incident = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id: &channel,
        kind: "channel_fault",
        detail: &detail,
        dedupe_key: &dedupe_key,
        order_id: None,
        refund_id: None,
        now,
    };
    if incidents::open(tx, &incident).await? {
        tracing::warn!(channel = locked.channel, detail, "a channel needs a person");
    }
    Ok(())
}
