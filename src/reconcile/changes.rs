//! What a run has otherwise than an older one of its day (版本差异): differences that are gone, new or
//! changed, and the sums of both.

use std::collections::BTreeMap;

use domain::bill::Total;
use domain::ids::RunId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::load;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::findings::{self, SaidOf};
use crate::store::runs::RunRecord;

/// What changed between two runs of a day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Changes {
    /// The older run.
    pub before: Version,
    /// The newer one.
    pub after: Version,
    /// Differences that only the older one has.
    pub gone: Vec<SaidOf>,
    /// Differences that only the newer one has.
    pub new: Vec<SaidOf>,
    /// Differences of which they do not say the same.
    pub changed: Vec<Changed>,
}

/// A difference of which two runs do not say the same.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Changed {
    /// What the older one says.
    pub before: SaidOf,
    /// What the newer one says.
    pub after: SaidOf,
}

/// A run with its sums.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Version {
    /// Its id.
    pub run_id: RunId,
    /// The how-many-eth of its day.
    pub version: i32,
    /// How far it is signed.
    pub sign_off: String,
    /// What the books had.
    pub hub: Sums,
    /// What the bill had.
    pub bill: Sums,
    /// How many differences it has.
    pub differences: u64,
    /// How many doubts.
    pub doubts: u64,
}

/// Payments and refunds of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Sums {
    /// Payments.
    pub payments: Total,
    /// Refunds.
    pub refunds: Total,
}

/// The part of a run's summary that is compared.
#[derive(Debug, Deserialize)]
struct Summed {
    hub: Sums,
    bill: Sums,
    differences: Counted,
    doubts: Counted,
}

#[derive(Debug, Deserialize)]
struct Counted {
    count: u64,
}

/// What a run has otherwise than `since`, an older one of the same day and account.
///
/// # Errors
/// 404 no such run, 409 one that has not ended, 422 runs that are not of one day.
pub async fn changes(hub: &Hub, run_id: &str, since: &str) -> Result<Changes, Fault> {
    let (after, before) = (load(hub, run_id).await?, load(hub, since).await?);
    let account = |run: &RunRecord| match hub.merchant(run.merchant_id.as_str()) {
        Some(known) => {
            hub.of_one_account(known).first().map_or(&run.merchant_id, |first| &first.id).clone()
        }
        None => run.merchant_id.clone(),
    };
    if after.date != before.date
        || account(&after) != account(&before)
        || before.version >= after.version
    {
        let detail = format!("run {since} is no older run of the day of {run_id}");
        return Err(Fault::invalid("since_invalid", detail));
    }
    let (versions, client) = ((version(&before)?, version(&after)?), hub.store.client().await?);
    let old = findings::said_by(&client, since).await?;
    let new = findings::said_by(&client, run_id).await?;
    drop(client);
    Ok(between(versions, old, new))
}

pub(super) fn between(
    (before, after): (Version, Version),
    old: Vec<SaidOf>,
    new: Vec<SaidOf>,
) -> Changes {
    let mut known: BTreeMap<String, SaidOf> =
        old.into_iter().map(|said| (said.fingerprint.clone(), said)).collect();
    let mut changes =
        Changes { before, after, gone: Vec::new(), new: Vec::new(), changed: Vec::new() };
    for said in new {
        match known.remove(&said.fingerprint) {
            None => changes.new.push(said),
            // One that had been over and was opened anew has another id, and is the same.
            Some(older) if SaidOf { id: said.id.clone(), ..older.clone() } == said => {}
            Some(older) => changes.changed.push(Changed { before: older, after: said }),
        }
    }
    changes.gone = known.into_values().collect();
    changes
}

pub(super) fn version(run: &RunRecord) -> Result<Version, Fault> {
    let summary = run.summary.clone().ok_or_else(|| {
        Fault::conflict("run_not_ended", format!("run {} is {}", run.id, run.status))
    })?;
    summed(run, summary)
}

/// A run with the sums of a summary, stored or about to be.
pub(super) fn summed(run: &RunRecord, summary: Value) -> Result<Version, Fault> {
    let summed: Summed =
        serde_json::from_value(summary).map_err(|error| Fault::internal(&error))?;
    Ok(Version {
        run_id: run.id.clone(),
        version: run.version,
        sign_off: run.sign_off.clone(),
        hub: summed.hub,
        bill: summed.bill,
        differences: summed.differences.count,
        doubts: summed.doubts.count,
    })
}
