//! A refund that somebody made by hand in the provider's portal (渠道后台手工退款): nobody asked for it
//! here. Once bill and provider agree on it, it is written down as if it had been asked for, told to
//! finance staff, and from then on lives as any other.

use domain::Fen;
use domain::ids::{IncidentId, OrderId, OutRefundNo, ProviderTradeNo, RefundId};
use domain::refund::RefundState;
use domain::treasury::Route;
use uuid::Uuid;

use super::request::{reserved, reserved_shares};
use super::shares::{Books, take_from};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::commit;
use crate::store::StoreError;
use crate::store::incidents::{self, NewIncident};
use crate::store::refunds::{self, NewRefund};
use crate::store::{orders, remittances};

/// Who asks for it, and why, as far as anybody here knows.
const PORTAL: &str = "provider_portal";
const REASON: &str = "渠道后台手工退款";

/// A refund as bill and provider state it.
#[derive(Clone, Copy, Debug)]
pub struct ByHand<'a> {
    /// Of which order.
    pub order_id: &'a OrderId,
    /// From which payment.
    pub provider_trade_no: &'a ProviderTradeNo,
    /// Under which number.
    pub out_refund_no: &'a OutRefundNo,
    /// How much.
    pub amount: Fen,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// It is in the books: by this, or by somebody else meanwhile.
    Written,
    /// The books have no such payment.
    NoPayment,
    /// Its payment has less left than it gives back.
    TooMuch,
    /// Its money was paid over to the treasury: the provider gave back what the office no longer has.
    Remitted,
}

/// Takes a refund made by hand into the books, under way: its money is reserved, its fees give it
/// in their order, and finance staff hear of it. What the provider says of it is recorded then, as of
/// any refund.
///
/// # Errors
/// When the database does not answer.
pub async fn adopt(hub: &Hub, by_hand: &ByHand<'_>) -> Result<Adopted, Fault> {
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let Some(order) = orders::lock(&tx, &[by_hand.order_id.as_str()]).await?.pop() else {
        return Ok(Adopted::NoPayment);
    };
    let number = by_hand.out_refund_no;
    if refunds::by_number(&tx, &order.merchant_id, number).await?.is_some() {
        return Ok(Adopted::Written);
    }
    let payments = &order.payments;
    let paid = payments.iter().find(|paid| paid.provider_trade_no == *by_hand.provider_trade_no);
    let Some(payment) = paid else { return Ok(Adopted::NoPayment) };
    let remitted = remittances::of_order(&tx, &order.id).await?;
    let books = Books { order: &order, remitted: &remitted };
    let taken = match take_from(books, payment, by_hand.amount, None) {
        Ok(taken) if taken.route == Route::Provider => taken,
        Ok(_by_treasury) => return Ok(Adopted::Remitted),
        Err(fault) if fault.code == "refund_routes_mixed" => return Ok(Adopted::Remitted),
        Err(fault) if fault.status < 500 => return Ok(Adopted::TooMuch),
        Err(fault) => return Err(fault),
    };
    let now = hub.clock.now();
    let new = NewRefund {
        refund_id: &RefundId::new(Uuid::now_v7()),
        application_id: &order.application_id,
        merchant_id: &order.merchant_id,
        order_id: &order.id,
        payment_id: &payment.id,
        out_refund_no: number,
        amount: by_hand.amount,
        surplus: taken.surplus,
        reason: REASON,
        state: RefundState::Processing,
        requested_by: PORTAL,
        route: Route::Provider,
        found_by_office: false,
        refund_call: None,
        now,
        next_query_at: Some(now),
        made_by_hand: true,
        fees: &taken.fees,
    };
    refunds::insert(&tx, &new).await?;
    let told = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id: &order.merchant_id,
        kind: "refund_by_hand",
        detail: &format!(
            "{} of order {} were given back in the provider's portal under {number}, past the hub; \
             its bill and its answer agree, and the refund is in the books",
            by_hand.amount, order.out_trade_no
        ),
        dedupe_key: &format!("refund_by_hand:{}:{number}", order.merchant_id),
        order_id: Some(order.id.as_str()),
        refund_id: Some(new.refund_id.as_str()),
        now,
    };
    incidents::open(&tx, &told).await?;
    let effects = reserved(&tx, &new, &reserved_shares(&taken)).await?;
    commit(hub, tx, effects).await?;
    Ok(Adopted::Written)
}
