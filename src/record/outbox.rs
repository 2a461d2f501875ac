//! What a transaction tells: events with the resource as its GET answers it, and messages to the
//! payers. Written in the same transaction as the facts, so that both happen or neither.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::GenericClient;
use domain::event::EventType;
use domain::ids::{ApplicationId, EventId, FeeId, NotificationId, OrderId, RefundId};
use domain::time::rfc3339;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{RecordError, Telling};
use crate::hub::Hub;
use crate::resource;
use crate::seal::Purpose;
use crate::store::events::{self, NewEvent};
use crate::store::fees::{self, FeeRecord};
use crate::store::orders::{self, OrderRecord};
use crate::store::refunds::{self, RefundRecord};
use crate::store::{StoreError, effects};

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

/// Writes the events and messages of a transaction.
///
/// # Errors
/// When the database refuses; the transaction must not be committed then.
pub async fn tell(
    hub: &Hub,
    tx: &impl GenericClient,
    tellings: &[Telling],
    now: Timestamp,
) -> Result<(), RecordError> {
    if tellings.is_empty() {
        return Ok(());
    }
    let resources = Resources::load(tx, tellings).await?;
    let events: Vec<NewEvent> =
        tellings.iter().filter_map(|telling| resources.event(telling, now)).collect();
    events::insert(tx, &events, now).await?;
    paid_notices(hub, tx, tellings, &resources, now).await
}

async fn paid_notices(
    hub: &Hub,
    tx: &impl GenericClient,
    tellings: &[Telling],
    resources: &Resources,
    now: Timestamp,
) -> Result<(), RecordError> {
    let Some(channel) = hub.templates.channel_of(PAY_SUCCEEDED) else { return Ok(()) };
    let mut notices = Vec::new();
    let mut sealed = Vec::new();
    for telling in tellings {
        let Telling::FeePaid { fee, .. } = telling else { continue };
        let Some(fee) = resources.fees.get(fee) else { continue };
        let id = NotificationId::new(Uuid::now_v7());
        let params = json!({"no": fee.case_no, "amt": fee.total_fen.yuan()}).to_string();
        let context = params_context(&id);
        sealed.push(hub.sealer.seal(
            Purpose::PersonalData,
            params.as_bytes(),
            context.as_bytes(),
        )?);
        notices.push(json!({
            "notification_id": id, "fee_id": fee.id, "params": sealed.len(),
        }));
    }
    effects::queue_paid_notices(tx, &notices, &sealed, PAY_SUCCEEDED, channel, now).await?;
    Ok(())
}

/// The event of domain.md that tells a payer that a fee is paid.
const PAY_SUCCEEDED: &str = "PAY.SUCCEEDED";

/// The place for which a notification's parameters are sealed.
#[must_use]
pub fn params_context(id: &NotificationId) -> String {
    format!("notifications.params:{id}")
}

impl Resources {
    async fn load(tx: &impl GenericClient, tellings: &[Telling]) -> Result<Self, StoreError> {
        let mut order_ids = BTreeSet::new();
        let mut fee_ids = BTreeSet::new();
        let mut refund_ids = BTreeSet::new();
        for telling in tellings {
            let order = match telling {
                Telling::OrderPaid { order, .. }
                | Telling::Surplus { order, .. }
                | Telling::OrderClosed { order } => order,
                Telling::FeePaid { fee, order } => {
                    fee_ids.insert(fee.as_str());
                    order
                }
                Telling::RefundEnded { refund, order, .. } => {
                    refund_ids.insert(refund.as_str());
                    order
                }
            };
            order_ids.insert(order.as_str());
        }
        let list = |ids: BTreeSet<&'_ str>| ids.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let (order_ids, fee_ids, refund_ids) = (list(order_ids), list(fee_ids), list(refund_ids));
        let orders = orders::by_ids(tx, &texts(&order_ids)).await?;
        let fees = if fee_ids.is_empty() {
            Vec::new()
        } else {
            fees::by_ids(tx, &texts(&fee_ids)).await?
        };
        let refunds = if refund_ids.is_empty() {
            Vec::new()
        } else {
            refunds::by_ids(tx, &texts(&refund_ids)).await?
        };
        Ok(Self {
            orders: orders.into_iter().map(|order| (order.id.clone(), order)).collect(),
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

fn texts(ids: &[String]) -> Vec<&str> {
    ids.iter().map(String::as_str).collect()
}
