//! Whose turn it is to call an order's provider. What leaves is written first, with the order
//! locked and looked at again: a follower that worked on an old reading never charges a barcode
//! that another one has superseded, and nothing is booked while an order is being taken back.

use std::time::Duration;

use adapters::provider::Product;
use domain::order::OrderState;
use jiff::Timestamp;

use crate::fault::Fault;
use crate::hub::Hub;
use crate::outbound::LONGEST_CALL;
use crate::store::StoreError;
use crate::store::orders::{self, OrderRecord};

/// For how long a call may still reach its provider after it was let out: the longest call, and
/// what the provider may need to act on it after the hub has ceased to listen.
pub(super) const ON_ITS_WAY: Duration = LONGEST_CALL.saturating_add(SLACK);
const SLACK: Duration = Duration::from_secs(3);

/// Whether an order may be taken back now.
#[derive(Debug)]
pub(super) enum TakingBack {
    /// It may; this is how it stands, and that it is being taken back is written.
    Begun(Box<OrderRecord>),
    /// It is being taken back already.
    UnderWay,
    /// It is paid, closed or failed meanwhile.
    Over,
}

/// Takes the turn to place `order`: false when it moved meanwhile, its time is over, another
/// payment or order overtook it, or somebody wanted it back. Then nothing may be sent.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn take_to_place(hub: &Hub, order: &OrderRecord) -> Result<bool, Fault> {
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let found = orders::lock(&tx, &[order.id.as_str()]).await?.pop();
    let may = found.is_some_and(|found| {
        matches!(found.status, OrderState::Created | OrderState::Unknown)
            && found.status == order.status
            && now < found.expires_at
            && found.closing_at.is_none()
            && !found.is_to_be_closed()
    });
    if may {
        orders::placing(&tx, &order.id, now).await?;
    }
    tx.commit().await.map_err(StoreError::from)?;
    Ok(may)
}

/// Takes the turn to take `order` back at the counter.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn take_to_close(hub: &Hub, order: &OrderRecord) -> Result<TakingBack, Fault> {
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let found = orders::lock(&tx, &[order.id.as_str()]).await?.pop();
    let mut found = found.ok_or_else(|| Fault::not_found("order"))?;
    // A closed one is taken back again when its provider still has it open.
    let moved = found.status == OrderState::Closed && order.status != OrderState::Closed;
    if moved || matches!(found.status, OrderState::Paid | OrderState::Failed) {
        return Ok(TakingBack::Over);
    }
    if is_on_its_way(found.closing_at, now) {
        return Ok(TakingBack::UnderWay);
    }
    orders::closing(&tx, &order.id, Some(now)).await?;
    tx.commit().await.map_err(StoreError::from)?;
    found.closing_at = Some(now);
    Ok(TakingBack::Begun(Box::new(found)))
}

/// Whether the call that places `order` may still be on its way.
pub(super) fn is_being_placed(order: &OrderRecord, now: Timestamp) -> bool {
    is_on_its_way(order.placing_at, now)
}

/// Until when nobody knows whether a payment of `order` is kept or given back: while it is being
/// taken back, and a moment longer, in which an older answer may still arrive here. `None`: what
/// its provider says now is final.
pub(crate) fn taken_back_until(order: &OrderRecord, now: Timestamp) -> Option<Timestamp> {
    let is_over = order.status == OrderState::Closed
        && order.superseded_at.is_none()
        && order.product.parse().is_ok_and(Product::is_at_counter);
    let closed = order.closed_at.filter(|_| is_over);
    let last = order.closing_at.max(closed)?;
    arrived_by(last).filter(|end| now < *end)
}

fn is_on_its_way(left: Option<Timestamp>, now: Timestamp) -> bool {
    left.and_then(arrived_by).is_some_and(|end| now < end)
}

/// When a call that left at `left` has surely arrived; `None` at the end of time.
pub(super) fn arrived_by(left: Timestamp) -> Option<Timestamp> {
    left.saturating_add(ON_ITS_WAY).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::RENEWAL;
    use crate::store::sql;

    /// A lease outlives a call: while the hub can renew it nobody else has the order, and where it
    /// cannot, it waits for no answer any more when somebody else takes the order up.
    #[test]
    fn no_hub_takes_up_an_order_while_another_may_still_work_on_it() {
        const LEASE: Duration = Duration::from_secs(25);
        let claims = [sql::ORDERS_CLAIM, sql::COMBINED_CLAIM, sql::REFUNDS_CLAIM];
        let renewals = [sql::ORDERS_RENEW, sql::COMBINED_RENEW, sql::REFUNDS_RENEW];
        for statement in claims.into_iter().chain(renewals) {
            let lease = format!("clock_timestamp() + interval '{} seconds'", LEASE.as_secs());
            assert!(statement.contains(&lease), "{statement}");
        }
        assert!(LONGEST_CALL + RENEWAL < LEASE);
    }

    #[track_caller]
    fn check(after: Duration, expected: bool) {
        let left: Timestamp = "2018-11-30T01:00:00Z".parse().unwrap();
        let now = left.saturating_add(after).unwrap();
        assert_eq!(is_on_its_way(Some(left), now), expected, "after {after:?}");
        assert!(!is_on_its_way(None, now), "it never left");
    }

    #[test]
    fn a_call_is_on_its_way_for_as_long_as_its_answer_may_take_and_no_longer() {
        check(Duration::ZERO, true);
        check(LONGEST_CALL, true);
        check(ON_ITS_WAY, false);
    }
}
