//! What a transaction tells: events with the resource as its GET answers it, and messages to the
//! payers. Written in the same transaction as the facts, so that both happen or neither.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::EventType;
use domain::ids::{ApplicationId, EventId, FeeId, NotificationId, OrderId, PaymentId, RefundId};
use domain::time::rfc3339;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::types::Json;
use uuid::Uuid;

use super::RecordError;
use crate::hub::Hub;
use crate::resource;
use crate::seal::Purpose;
use crate::store::effects::{self, EffectRows, PaidNotice, PaidNotices, Writing};
use crate::store::events::{self, NewEvent};
use crate::store::fees::FeeRecord;
use crate::store::orders::OrderRecord;
use crate::store::refunds::RefundRecord;
use crate::store::unit::{Sent, Statements};
use crate::store::{StoreError, documents, sql};

/// What a transaction must tell: filled while effects are built, read after they are written.
#[derive(Clone, Debug)]
pub enum Telling {
    /// An order was paid.
    OrderPaid {
        /// Which.
        order: OrderId,
        /// Whether after it had been closed.
        late: bool,
    },
    /// Money came that settles no fee.
    Surplus {
        /// For which order.
        order: OrderId,
        /// As which payment.
        payment: PaymentId,
    },
    /// A fee was paid off.
    FeePaid {
        /// Which.
        fee: FeeId,
        /// By which order.
        order: OrderId,
    },
    /// An order was closed.
    OrderClosed {
        /// Which.
        order: OrderId,
    },
    /// A refund ended.
    RefundEnded {
        /// Which.
        refund: domain::ids::RefundId,
        /// Of which order.
        order: OrderId,
        /// Whether the money is back.
        succeeded: bool,
    },
}

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

/// Resources as they stand once the rows of a transaction are written.
#[derive(Debug, Default)]
pub(super) struct Resources {
    pub(super) orders: BTreeMap<OrderId, OrderRecord>,
    pub(super) fees: BTreeMap<FeeId, FeeRecord>,
    pub(super) refunds: BTreeMap<RefundId, RefundRecord>,
}

/// Writes the rows of a transaction, and the events and messages that tell of them, and ends it.
/// What is not among `known` is read back.
///
/// # Errors
/// When the database refuses; the transaction must not be committed then.
pub(super) async fn write_and_tell(
    hub: &Hub,
    to: &mut impl Statements,
    (rows, now): (&EffectRows, Timestamp),
    tellings: &[Telling],
    mut known: Resources,
) -> Result<(), RecordError> {
    let writing = Writing::of(rows, now);
    let mut sent = writing.statements();
    let missing = Missing::of(tellings, &known);
    if !missing.is_empty() {
        let written = std::mem::take(&mut sent);
        missing.read(to, written, &mut known).await?;
    }
    let told: Vec<NewEvent> =
        tellings.iter().filter_map(|telling| known.event(telling, now)).collect();
    let notices = paid_notices(hub, tellings, &known)?;
    let (told, listed) = (Json(&told), Json(&notices.notices));
    sent.extend(events::inserting(&told, &now));
    sent.extend(effects::paid_notices(&notices, &listed, &now));
    to.end(sent).await?;
    Ok(())
}

/// Messages to the payers of fees that were paid off; none where no message has a template.
fn paid_notices<'a>(
    hub: &'a Hub,
    tellings: &[Telling],
    known: &Resources,
) -> Result<PaidNotices<'a>, RecordError> {
    let Some(channel) = hub.templates.channel_of(PAY_SUCCEEDED) else {
        return Ok(PaidNotices::default());
    };
    let mut all = PaidNotices { template: PAY_SUCCEEDED, channel, ..PaidNotices::default() };
    for telling in tellings {
        let Telling::FeePaid { fee, .. } = telling else { continue };
        // What a payer pays by the month is no news to whoever the fee is of.
        let fee = known.fees.get(fee).filter(|fee| fee.payer_account.is_none());
        let Some(fee) = fee else { continue };
        let id = NotificationId::new(Uuid::now_v7());
        let params = json!({"no": fee.case_no, "amt": fee.total_fen.yuan()}).to_string();
        let context = params_context(&id);
        let sealed =
            hub.sealer.seal(Purpose::PersonalData, params.as_bytes(), context.as_bytes())?;
        all.sealed.push(sealed);
        let (fee_id, params) = (fee.id.clone(), all.sealed.len());
        all.notices.push(PaidNotice { notification_id: id, fee_id, params });
    }
    Ok(all)
}

/// The event of domain.md that tells a payer that a fee is paid.
const PAY_SUCCEEDED: &str = "PAY.SUCCEEDED";

/// The place for which a notification's parameters are sealed.
#[must_use]
pub fn params_context(id: &NotificationId) -> String {
    format!("notifications.params:{id}")
}

/// The resources of tellings that nobody knows yet.
struct Missing<'a> {
    orders: Vec<&'a str>,
    fees: Vec<&'a str>,
    refunds: Vec<&'a str>,
}

impl<'a> Missing<'a> {
    fn of(tellings: &'a [Telling], known: &Resources) -> Self {
        let (mut orders, mut fees, mut refunds) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for telling in tellings {
            match telling {
                Telling::OrderPaid { order, .. }
                | Telling::Surplus { order, .. }
                | Telling::OrderClosed { order } => {
                    if !known.orders.contains_key(order) {
                        orders.insert(order.as_str());
                    }
                }
                Telling::FeePaid { fee, .. } => {
                    if !known.fees.contains_key(fee) {
                        fees.insert(fee.as_str());
                    }
                }
                Telling::RefundEnded { refund, .. } => {
                    if !known.refunds.contains_key(refund) {
                        refunds.insert(refund.as_str());
                    }
                }
            }
        }
        let list = |ids: BTreeSet<&'a str>| ids.into_iter().collect();
        Self { orders: list(orders), fees: list(fees), refunds: list(refunds) }
    }

    fn is_empty(&self) -> bool {
        self.orders.is_empty() && self.fees.is_empty() && self.refunds.is_empty()
    }

    /// Reads them behind what is `written`.
    async fn read(
        &self,
        to: &mut impl Statements,
        mut written: Vec<Sent<'_>>,
        known: &mut Resources,
    ) -> Result<(), StoreError> {
        let behind = written.len();
        written.push(Sent::of(sql::ORDERS_LOAD, vec![&self.orders]));
        written.push(Sent::of(sql::FEES_LOAD, vec![&self.fees]));
        written.push(Sent::of(sql::REFUNDS_LOAD, vec![&self.refunds]));
        let mut answers = to.send(written).await?.skip(behind);
        let mut next = || answers.next().unwrap_or_default();
        let orders: Vec<OrderRecord> = documents(&next())?;
        known.orders.extend(orders.into_iter().map(|order| (order.id.clone(), order)));
        let fees: Vec<FeeRecord> = documents(&next())?;
        known.fees.extend(fees.into_iter().map(|fee| (fee.id.clone(), fee)));
        let refunds: Vec<RefundRecord> = documents(&next())?;
        known.refunds.extend(refunds.into_iter().map(|refund| (refund.id.clone(), refund)));
        Ok(())
    }
}

impl Resources {
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
