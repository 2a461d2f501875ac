//! Money at the counter that came and went: the order was paid, and taken back before the hub heard
//! of it. Nothing is booked, the fee is free again, and finance staff are told.

use domain::fact::PaymentFact;
use domain::ids::IncidentId;
use domain::order::OrderState;
use uuid::Uuid;

use super::close::give_up;
use super::product_of;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::incidents::{self, NewIncident};
use crate::store::orders::OrderRecord;

/// Whether a payment of `order` that its provider says was given back was taken back by the hub
/// rather than refunded: it is an order at the counter that was never booked as paid.
///
/// # Errors
/// When the stored product is none.
pub(super) fn was_taken_back(order: &OrderRecord) -> Result<bool, Fault> {
    let is_booked = match order.status {
        OrderState::Paid => true,
        OrderState::Created
        | OrderState::Pending
        | OrderState::Unknown
        | OrderState::Closed
        | OrderState::Failed => false,
    };
    Ok(product_of(order)?.is_at_counter() && !is_booked)
}

/// Closes the order and opens the incident, once for it. The incident comes first: should the hub
/// die in between, the next query finds the order open and closes it.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn taken_back(
    hub: &Hub,
    order: &OrderRecord,
    fact: &PaymentFact,
) -> Result<(), Fault> {
    let detail = format!(
        "order {} was paid at the counter ({} under {}) and taken back: nothing is booked",
        order.out_trade_no, fact.amount, fact.provider_trade_no
    );
    tell(hub, order, &detail).await?;
    give_up(hub, order, false).await
}

/// Opens the incident for an order that is paid in the books, while its provider has given the
/// money back because the hub asked for that: finance staff must undo what was booked.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn taken_back_though_booked(hub: &Hub, order: &OrderRecord) -> Result<(), Fault> {
    let paid = order.payments.iter();
    let paid = paid.map(|paid| format!("{} under {}", paid.amount_fen, paid.provider_trade_no));
    let paid: Vec<String> = paid.collect();
    let detail = format!(
        "order {} is booked as paid ({}), and its provider says that it was taken back: the payer \
         has the money, the fee is not paid",
        order.out_trade_no,
        paid.join(", ")
    );
    tell(hub, order, &detail).await
}

/// Opens the incident, once for an order.
async fn tell(hub: &Hub, order: &OrderRecord, detail: &str) -> Result<(), Fault> {
    let incident = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id: &order.merchant_id,
        kind: "payment_taken_back",
        detail,
        dedupe_key: &format!("payment_taken_back:{}:{}", order.merchant_id, order.out_trade_no),
        order_id: Some(order.id.as_str()),
        refund_id: None,
        now: hub.clock.now(),
    };
    let client = hub.store.client().await?;
    incidents::open(&client, &incident).await?;
    Ok(())
}
