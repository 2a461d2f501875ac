//! Somebody has an order's page open: whoever asks the hub for the order says so. For a minute from
//! then it is asked for often, so that a payment whose callback is lost shows while its payer looks.

use domain::order::OrderState;
use jiff::{SignedDuration, Timestamp};

use super::cadence;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::combined::{self, CombinedRecord};
use crate::store::orders::{self, OrderRecord, Watch};

/// For how long a page counts as open after it was last asked for.
const OPEN: SignedDuration = SignedDuration::from_secs(60);
/// That is written again when no more than this is left of it: once in 20 seconds at most.
const LEFT: SignedDuration = SignedDuration::from_secs(40);

/// Notes that somebody looks at `order`. It costs a write in 20 seconds at most, waits for nobody,
/// and where it fails the order is followed as before.
pub async fn watch(hub: &Hub, order: &OrderRecord) {
    let done = async {
        let now = hub.clock.now();
        let is_over = matches!(order.status, OrderState::Paid | OrderState::Failed);
        if is_over || is_fresh(order.watched_until, now) {
            return Ok(false);
        }
        let client = hub.store.client().await?;
        match &order.combined {
            Some(whole) => combined::watch(&client, &whole.id, &from(now)).await,
            None => orders::watch(&client, &order.id, &from(now)).await,
        }
        .map_err(Fault::from)
    };
    wake(hub, done.await);
}

/// Notes that somebody looks at a combined order.
pub async fn watch_combined(hub: &Hub, whole: &CombinedRecord) {
    let done = async {
        let now = hub.clock.now();
        let is_over = matches!(whole.status(), OrderState::Paid | OrderState::Failed);
        if is_over || is_fresh(whole.watched_until, now) {
            return Ok(false);
        }
        let client = hub.store.client().await?;
        combined::watch(&client, &whole.id, &from(now)).await.map_err(Fault::from)
    };
    wake(hub, done.await);
}

fn wake(hub: &Hub, written: Result<bool, Fault>) {
    match written {
        Ok(true) => hub.signals.follow.notify_waiters(),
        Ok(false) => {}
        Err(fault) => {
            tracing::warn!(fault = fault.detail, "that a page is open could not be noted");
        }
    }
}

fn is_fresh(watched_until: Option<Timestamp>, now: Timestamp) -> bool {
    watched_until.is_some_and(|until| until >= after(now, LEFT))
}

fn from(now: Timestamp) -> Watch {
    let renew = after(now, LEFT);
    Watch { now, until: after(now, OPEN), soon: after(now, cadence::OFTEN), renew }
}

fn after(now: Timestamp, time: SignedDuration) -> Timestamp {
    now.saturating_add(time).unwrap_or(Timestamp::MAX)
}
