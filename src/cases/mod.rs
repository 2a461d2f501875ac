//! Cases (办件) as the hub mirrors them: opened when the office accepts them, moved by the progress
//! that it tells, each with a deadline and a light by the working-day calendar.
//!
//! Nothing is decided here about a case but what its events say: the register is the office's. A
//! change, the message to the applicant and the event to the backend commit together.

mod light;
mod open;
mod progress;
mod standing;
mod tell;

use deadpool_postgres::GenericClient;
use domain::ids::{ApplicationId, CaseNo};
use domain::time::business_day;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use crate::fault::Fault;
use crate::hub::Hub;
use crate::resource;
use crate::store::cases::{self as rows, CaseRecord};
use crate::store::fees;

pub use light::run_once;
pub use open::{Applicant, Opened, Opening, open};
pub use progress::{Progress, progress};
pub use standing::Standing;

/// The most fees that a case shows.
const FEES_SHOWN: i64 = 200;

/// An application's case as its GET answers it.
///
/// # Errors
/// 404 when there is none, or it is another application's.
pub async fn get(
    hub: &Hub,
    client: &impl GenericClient,
    application: &ApplicationId,
    case_no: &str,
) -> Result<Value, Fault> {
    let case = rows::load(client, application, case_no).await?.ok_or_else(missing)?;
    shown(client, &case, hub.clock.now()).await
}

/// The day on which an application's case was accepted, which prices its fees; `None` when nobody
/// told of the case yet.
///
/// # Errors
/// When the database does not answer.
pub async fn accepted_on(
    hub: &Hub,
    application: &ApplicationId,
    case_no: &CaseNo,
) -> Result<Option<Date>, Fault> {
    let client = hub.store.client().await?;
    let accepted_at = rows::accepted_at(&client, application, case_no).await?;
    Ok(accepted_at.map(business_day))
}

/// A case as it stands at `now`, with its fees in short.
async fn shown(
    client: &impl GenericClient,
    case: &CaseRecord,
    now: Timestamp,
) -> Result<Value, Fault> {
    let standing = Standing::of(case, now)?;
    let of = (&case.application_id, case.case_no.as_str());
    let ids = fees::of_case(client, of.0, of.1, "", FEES_SHOWN).await?;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let fees = if ids.is_empty() { Vec::new() } else { fees::by_ids(client, &ids).await? };
    Ok(resource::case(case, &standing, &fees))
}

fn missing() -> Fault {
    Fault::not_found("case")
}
