//! Lights (预警灯): computed from a case's events and the day, told to its backend when they change,
//! once for each level and deadline.

use deadpool_postgres::GenericClient;
use domain::event::EventType;
use domain::time::{business_day, day_end};
use jiff::Timestamp;

use super::{Standing, missing, shown};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::record::event;
use crate::store::cases::{self as rows, CaseRecord};
use crate::store::{StoreError, events};

/// How many cases one run looks at before it lets its caller look up.
const ROUND: usize = 200;

/// Looks at every open case whose light may have changed since it was looked at last; how many
/// those were. Hubs that do so at the same time share them.
///
/// # Errors
/// When the database does not answer. A case that cannot be computed stops no other.
pub async fn run_once(hub: &Hub) -> Result<usize, Fault> {
    let mut seen = 0;
    let mut told = false;
    while seen < ROUND {
        let Some(changed) = look_at_one(hub).await? else { break };
        seen = seen.saturating_add(1);
        told |= changed;
    }
    if told {
        hub.signals.wake_dispatch();
    }
    Ok(seen)
}

/// Looks at the case that waits longest; whether its light changed, `None` when none waits.
async fn look_at_one(hub: &Hub) -> Result<Option<bool>, Fault> {
    let now = hub.clock.now();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let Some((application, case_no)) = rows::lock_due(&tx, now).await? else { return Ok(None) };
    let case = rows::load(&tx, &application, case_no.as_str()).await?.ok_or_else(missing)?;
    let changed = match Standing::of(&case, now) {
        Ok(standing) => relight(&tx, &case, &standing, now).await?,
        Err(fault) => {
            tracing::error!(%case_no, fault = fault.detail, "a case has no light until tomorrow");
            rows::postpone(&tx, &application, &case_no, day_end(business_day(now))).await?;
            false
        }
    };
    tx.commit().await.map_err(StoreError::from)?;
    Ok(Some(changed))
}

/// Writes how a locked case stands, and the event of its light if that changed and was not told
/// for this deadline; whether it was told.
pub(super) async fn relight(
    tx: &impl GenericClient,
    case: &CaseRecord,
    standing: &Standing,
    now: Timestamp,
) -> Result<bool, Fault> {
    let to = standing.after(Some(case));
    rows::move_on(tx, case, &to).await?;
    if to.light == case.light || !rows::note_light(tx, case, &to, now).await? {
        return Ok(false);
    }
    let kind = EventType::CaseLightChanged;
    let data = shown(tx, case, now).await?;
    let application = Some(&case.application_id);
    let key = format!("case:{}", case.case_no);
    let told = event(kind, application, case.case_no.as_str(), &key, &data, now);
    events::insert(tx, &[told], now).await?;
    Ok(true)
}
