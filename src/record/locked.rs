//! The orders that a transaction of facts has locked, and which of them a fact is about.

use std::collections::BTreeMap;

use adapters::provider::Account;
use callbacks::PaymentEffect;
use domain::ids::{MerchantId, OutTradeNo};

use super::rounds::{Place, number};
use super::{Arrival, Effects};
use crate::hub::Hub;
use crate::store::StoreError;
use crate::store::fees::FeeRecord;
use crate::store::journal::LockedHead;
use crate::store::orders::{self, LockedBooks, OrderRecord, PaymentRecord};
use crate::store::unit::Unit;

/// Orders, locked with the balances of their fees and their journals.
#[derive(Default)]
pub(super) struct Locked {
    /// Each once.
    orders: Vec<OrderRecord>,
    /// Their fees.
    pub(super) fees: Vec<FeeRecord>,
    /// The journals of their merchants.
    pub(super) heads: Vec<LockedHead>,
    /// Where each stands, by every merchant through which it may be heard of: its own, and that of
    /// the whole of which it is a part.
    places: BTreeMap<(MerchantId, OutTradeNo), usize>,
}

impl Locked {
    /// The order that a fact heard through `merchant` is about.
    pub(super) fn of(&self, merchant: &MerchantId, number: &OutTradeNo) -> Option<&OrderRecord> {
        let place = self.places.get(&(merchant.clone(), number.clone()))?;
        self.orders.get(*place)
    }

    /// Books a payment of an order here too, so that what is judged after it sees it: another order
    /// may be for the same fee. `effects` learn how the order stands then.
    pub(super) fn book(
        &mut self,
        effect: &PaymentEffect,
        payment: PaymentRecord,
        effects: &mut Effects,
    ) {
        for share in &effect.shares {
            let Some(fee_id) = &share.fee_id else { continue };
            self.orders.iter_mut().for_each(|order| order.credit(fee_id, share.amount_fen));
        }
        if let Some(order) = self.orders.iter_mut().find(|order| order.id == effect.order_id) {
            order.book(payment, effect.pays_order, effect.late);
            effects.stands(order);
        }
    }
}

/// Locks the orders that the claims of a round are about.
pub(super) async fn lock(
    unit: &mut Unit,
    arrivals: &[Arrival<'_>],
    round: &[Place],
) -> Result<Locked, StoreError> {
    let (mut merchants, mut numbers) = (Vec::new(), Vec::new());
    for (index, position) in round {
        let Some(arrival) = arrivals.get(*index) else { continue };
        let claim = position.and_then(|position| arrival.claims.get(position));
        if let Some(claim) = claim {
            merchants.push(arrival.merchant.id.as_str());
            numbers.push(number(claim).as_str());
        }
    }
    if numbers.is_empty() {
        return Ok(Locked::default());
    }
    let LockedBooks { orders, fees, heads } =
        orders::lock_by_number(unit, &merchants, &numbers).await?;
    let mut places = BTreeMap::new();
    for (place, order) in orders.iter().enumerate() {
        let whole = order.combined.iter().map(|whole| &whole.merchant_id);
        for merchant in whole.chain([&order.merchant_id]) {
            places.insert((merchant.clone(), order.out_trade_no.clone()), place);
        }
    }
    Ok(Locked { orders, fees, heads, places })
}

/// Whom a statement must name to be about `order`. That about a part names the part's payee, and
/// the application of whoever asked for the whole.
pub(super) fn account(hub: &Hub, arrival: &Arrival<'_>, order: Option<&OrderRecord>) -> Account {
    let heard_by = arrival.merchant.provider.account();
    match order.and_then(|order| order.combined.as_ref()) {
        None => heard_by.clone(),
        Some(whole) => {
            let asked_by = hub.merchant(whole.merchant_id.as_str());
            let account = asked_by.map_or(heard_by, |merchant| merchant.provider.account());
            Account { payee: whole.payee.clone(), app: account.app.clone() }
        }
    }
}
