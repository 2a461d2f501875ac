//! What a transaction tells: events with the resource as its GET answers it, and messages to the
//! payers. Written in the same transaction as the facts, so that both happen or neither.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::GenericClient;
use domain::event::EventType;
use domain::ids::{ApplicationId, EventId, FeeId, NotificationId, OrderId, RefundId};
use domain::time::rfc3339;
use futures_util::future::try_join;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{RecordError, Telling};
use crate::hub::Hub;
use crate::resource;
use crate::seal::Purpose;
use crate::store::StoreError;
use crate::store::effects::{self, EffectRows};
use crate::store::events::{self, NewEvent};
use crate::store::fees::FeeRecord;
use crate::store::orders::{self, OrderRecord};
use crate::store::refunds::{self, RefundRecord};

/// The event that carries `data`, with its body as it will be sent.
#[must_use]
pub fn event(
    kind: EventType,
    application: Option<&ApplicationId>,
    subject_id: &str,
    ordering_key: &str,
    data: &Value,
    now: Timestamp,
) -> NewEvent {
    let event_id = EventId::new(Uuid::now_v7());
    let body = json!({
        "type": kind.as_str(), "id": event_id, "timestamp": rfc3339(now), "data": data,
    });
    NewEvent {
        event_id,
        application_id: application.cloned(),
        r#type: kind.as_str(),
        subject_id: subject_id.to_owned(),
        ordering_key: ordering_key.to_owned(),
        body: body.to_string(),
    }
}

/// The resources that tellings are about, as they stand inside the transaction.
struct Resources {
    orders: BTreeMap<OrderId, OrderRecord>,
    fees: BTreeMap<FeeId, FeeRecord>,
    refunds: BTreeMap<RefundId, RefundRecord>,
}

/// Writes the rows of a transaction, and the events and messages that tell of them. `known` are
/// orders as they stand with these rows; other resources are read back.
///
/// # Errors
/// When the database refuses; the transaction must not be committed then.
pub(super) async fn write_and_tell(
    hub: &Hub,
    tx: &impl GenericClient,
    (rows, now): (&EffectRows, Timestamp),
    tellings: &[Telling],
    known: BTreeMap<OrderId, OrderRecord>,
) -> Result<(), RecordError> {
    let resources = Resources::written(tx, (rows, now), tellings, known).await?;
    let events: Vec<NewEvent> =
        tellings.iter().filter_map(|telling| resources.event(telling, now)).collect();
    let notices = PaidNotices::of(hub, tellings, &resources)?;
    // Neither waits for the other.
    let (events, notices) = (events::insert(tx, &events, now), notices.queue(hub, tx, now));
    try_join(events, notices).await?;
    Ok(())
}

/// Messages to the payers of fees that were paid off.
#[derive(Default)]
struct PaidNotices {
    notices: Vec<Value>,
    sealed: Vec<Vec<u8>>,
}

impl PaidNotices {
    /// Those that `tellings` ask for; none where no message has a template.
    fn of(hub: &Hub, tellings: &[Telling], resources: &Resources) -> Result<Self, RecordError> {
        let mut all = Self::default();
        if hub.templates.channel_of(PAY_SUCCEEDED).is_none() {
            return Ok(all);
        }
        for telling in tellings {
            let Telling::FeePaid { fee, .. } = telling else { continue };
            let Some(fee) = resources.fees.get(fee) else { continue };
            let id = NotificationId::new(Uuid::now_v7());
            let params = json!({"no": fee.case_no, "amt": fee.total_fen.yuan()}).to_string();
            let context = params_context(&id);
            let sealed =
                hub.sealer.seal(Purpose::PersonalData, params.as_bytes(), context.as_bytes())?;
            all.sealed.push(sealed);
            all.notices.push(json!({
                "notification_id": id, "fee_id": fee.id, "params": all.sealed.len(),
            }));
        }
        Ok(all)
    }

    async fn queue(
        self,
        hub: &Hub,
        tx: &impl GenericClient,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(channel) = hub.templates.channel_of(PAY_SUCCEEDED) else { return Ok(()) };
        let Self { notices, sealed } = self;
        effects::queue_paid_notices(tx, &notices, &sealed, PAY_SUCCEEDED, channel, now).await
    }
}

/// The event of domain.md that tells a payer that a fee is paid.
const PAY_SUCCEEDED: &str = "PAY.SUCCEEDED";

/// The place for which a notification's parameters are sealed.
#[must_use]
pub fn params_context(id: &NotificationId) -> String {
    format!("notifications.params:{id}")
}

impl Resources {
    /// Writes the rows, and reads what `tellings` are about and is not `known`.
    async fn written(
        tx: &impl GenericClient,
        (rows, now): (&EffectRows, Timestamp),
        tellings: &[Telling],
        known: BTreeMap<OrderId, OrderRecord>,
    ) -> Result<Self, StoreError> {
        let mut order_ids = BTreeSet::new();
        let mut fee_ids = BTreeSet::new();
        let mut refund_ids = BTreeSet::new();
        for telling in tellings {
            match telling {
                Telling::OrderPaid { order, .. }
                | Telling::Surplus { order, .. }
                | Telling::OrderClosed { order } => {
                    if !known.contains_key(order) {
                        order_ids.insert(order.as_str());
                    }
                }
                Telling::FeePaid { fee, .. } => {
                    fee_ids.insert(fee.as_str());
                }
                Telling::RefundEnded { refund, .. } => {
                    refund_ids.insert(refund.as_str());
                }
            }
        }
        let list = |ids: BTreeSet<_>| ids.into_iter().collect::<Vec<&str>>();
        let (order_ids, fee_ids, refund_ids) = (list(order_ids), list(fee_ids), list(refund_ids));
        let fees = effects::write(tx, rows, now, &fee_ids).await?;
        let mut orders = known;
        if !order_ids.is_empty() {
            let read = orders::by_ids(tx, &order_ids).await?;
            orders.extend(read.into_iter().map(|order| (order.id.clone(), order)));
        }
        let refunds = match refund_ids.is_empty() {
            true => Vec::new(),
            false => refunds::by_ids(tx, &refund_ids).await?,
        };
        Ok(Self {
            orders,
            fees: fees.into_iter().map(|fee| (fee.id.clone(), fee)).collect(),
            refunds: refunds.into_iter().map(|refund| (refund.id.clone(), refund)).collect(),
        })
    }

    fn event(&self, telling: &Telling, now: Timestamp) -> Option<NewEvent> {
        match telling {
            Telling::OrderPaid { order, late } => {
                let kind = if *late { EventType::OrderPaidLate } else { EventType::OrderPaid };
                self.of_order(kind, order, now)
            }
            Telling::OrderClosed { order } => self.of_order(EventType::OrderClosed, order, now),
            Telling::Surplus { order, payment } => {
                let order = self.orders.get(order)?;
                let payment = order.payments.iter().find(|known| known.id == *payment)?;
                let mut data = resource::payment(payment);
                data.as_object_mut()?.insert("order_id".to_owned(), json!(order.id));
                Some(event(
                    EventType::PaymentSurplus,
                    Some(&order.application_id),
                    payment.id.as_str(),
                    order.id.as_str(),
                    &data,
                    now,
                ))
            }
            Telling::FeePaid { fee, order } => {
                let fee = self.fees.get(fee)?;
                Some(event(
                    EventType::FeePaid,
                    Some(&fee.application_id),
                    fee.id.as_str(),
                    order.as_str(),
                    &resource::fee(fee),
                    now,
                ))
            }
            Telling::RefundEnded { refund, order, succeeded } => {
                let refund = self.refunds.get(refund)?;
                let kind =
                    if *succeeded { EventType::RefundSucceeded } else { EventType::RefundFailed };
                Some(event(
                    kind,
                    Some(&refund.application_id),
                    refund.id.as_str(),
                    order.as_str(),
                    &resource::refund(refund, now),
                    now,
                ))
            }
        }
    }

    fn of_order(&self, kind: EventType, order: &OrderId, now: Timestamp) -> Option<NewEvent> {
        let order = self.orders.get(order)?;
        Some(event(
            kind,
            Some(&order.application_id),
            order.id.as_str(),
            order.id.as_str(),
            &resource::order(order),
            now,
        ))
    }
}
