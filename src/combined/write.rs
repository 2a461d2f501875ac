//! Writes what an answer changes in a combined order: all parts and the whole, in one transaction,
//! or nothing. A part that was paid meanwhile keeps its payment.

use domain::order::OrderTransition;

use crate::fault::Fault;
use crate::hub::Hub;
use crate::orders::cadence::{self, Look};
use crate::orders::next_query;
use crate::record::{Effects, commit};
use crate::store::StoreError;
use crate::store::combined::{self, CombinedRecord};
use crate::store::orders::{self, Answered, OrderRecord};

/// What an answer changes.
pub(super) struct Step<'a> {
    /// What happens to every part to which it still can.
    pub(super) transition: OrderTransition,
    /// What the payer needs, when the answer brought it.
    pub(super) pay: Option<&'a serde_json::Value>,
    /// Why the provider refused it: reason, code, text.
    pub(super) refused: Option<(&'a str, &'a str, &'a str)>,
    /// Whether the code stays payable although the parts are closed.
    pub(super) superseded: bool,
    /// How often it was asked for since it last moved.
    pub(super) queries: i32,
}

impl Step<'_> {
    /// The parts can no longer be paid, as far as the hub knows.
    pub(super) const fn give_up(superseded: bool) -> Self {
        Self {
            transition: OrderTransition::Close,
            pay: None,
            refused: None,
            superseded,
            queries: 0,
        }
    }
}

/// Writes `step`, frees the fees of parts that can no longer be paid, and tells of closed ones.
///
/// # Errors
/// When nothing was written.
pub(super) async fn write(hub: &Hub, whole: &CombinedRecord, step: &Step<'_>) -> Result<(), Fault> {
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    // The parts first, as every path that records facts locks them; the whole last.
    let ids: Vec<&str> = whole.parts.iter().map(|part| part.id.as_str()).collect();
    let mut then = whole.clone();
    then.parts = orders::lock(&tx, &ids).await?;
    then.queries = step.queries;
    let mut effects = Effects::new(now);
    let mut pay = None;
    for part in &mut then.parts {
        let Ok(after) = part.status.after(step.transition) else { continue };
        let closes = step.transition == OrderTransition::Close;
        let closed_at = closes.then(|| part.closed_at.unwrap_or(now));
        let superseded_at = step.superseded.then(|| part.superseded_at.unwrap_or(now));
        let answer = Answered {
            order_id: &part.id,
            before: part.status,
            after,
            pay: None,
            refused: step.refused,
            closed_at,
            superseded_at,
            next: next_query(now, None, 0),
        };
        if orders::answered(&tx, &answer).await? {
            // A whole that moved meanwhile needs no code any more.
            pay = step.pay;
            if closes && part.status != after {
                effects.closed(&part.id);
            }
        }
        *part = OrderRecord { status: after, closed_at, superseded_at, ..part.clone() };
    }
    let next = cadence::next(&then, now, Look::Answered);
    if let Some(pay) = pay {
        combined::offered(&tx, &whole.id, pay, now).await?;
    }
    combined::reschedule(&tx, &whole.id, &next_query(now, next, step.queries)).await?;
    commit(hub, tx, effects).await?;
    Ok(())
}

/// Writes when the whole is asked for next, after a `look` that changed nothing.
pub(super) async fn reschedule(hub: &Hub, whole: &CombinedRecord, look: Look) -> Result<(), Fault> {
    let client = hub.store.client().await?;
    let now = hub.clock.now();
    let queries = whole.queries.saturating_add(1);
    let next = next_query(now, cadence::next(whole, now, look), queries);
    combined::reschedule(&client, &whole.id, &next).await?;
    Ok(())
}
