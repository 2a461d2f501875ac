//! Fetches a day's bill and keeps it as it came. Nothing is booked from a file that is damaged.

use adapters::provider::BillKind;
use deadpool_postgres::GenericClient;
use domain::bill::BillTotals;
use domain::ids::IncidentId;
use domain::provider::Provider;
use domain::time::{business_day, from_beijing};
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::download::{Got, Wanted, get};
use super::{FURTHEST_BACK, later};
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::store::bills::{self, Which};
use crate::store::incidents::{self, NewIncident};
use crate::store::runs::{self, Pause, RunRecord};

/// When a bill that is still being made is asked for again, in minutes: soon, because an office has
/// until half past ten, then ever more rarely.
const BEING_MADE: [i64; 5] = [2, 5, 10, 15, 30];
/// When a bill whose answer did not come, or whose file is damaged, is asked for again.
const AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// How often a damaged file is fetched again before a person must look. A bill that came late does
/// not count.
const DAMAGED_TRIES: i32 = 6;
/// From when on, on the day after its own, a missing bill is an incident, in Beijing.
const NOON: Time = Time::constant(12, 0, 0, 0);

/// What came of asking for a bill.
pub(super) enum Fetched {
    /// The file, whole and true to its hash.
    File(Vec<u8>),
    /// Nothing happened on that day.
    EmptyDay,
    /// Not now: the run waits, and that is written.
    Waits,
}

/// Fetches the bill of a run's day.
pub(super) async fn fetch(
    hub: &Hub,
    merchant: &Merchant,
    run: &RunRecord,
) -> Result<Fetched, Fault> {
    let wanted = Wanted {
        bill: BillKind::Trade,
        day: run.date,
        subject: run.id.as_str(),
        asking: "bill",
        fetching: "fetch_bill",
    };
    match get(hub, merchant, wanted).await {
        Got::File(file) => Ok(Fetched::File(file)),
        Got::EmptyDay => Ok(Fetched::EmptyDay),
        Got::NotYet(why) if is_out_of_reach(hub, run) => gives_up(hub, run, &why).await,
        Got::NotYet(why) => waits(hub, run, being_made(run), &why).await,
        Got::Silence(why) => waits(hub, run, AGAIN, &why).await,
        Got::NotGiven(why) => Err(Fault::internal(&why)),
        Got::Damaged(why, file) => damaged(hub, merchant, run, &why, file.as_deref()).await,
    }
}

/// Whether the day is so long ago that its provider keeps no bill of it any more.
fn is_out_of_reach(hub: &Hub, run: &RunRecord) -> bool {
    let back = jiff::Span::new().days(FURTHEST_BACK);
    business_day(hub.clock.now()).checked_sub(back).is_ok_and(|first| run.date < first)
}

/// Ends a run whose bill will never come: whoever asked for the day is told, and nothing waits.
async fn gives_up(hub: &Hub, run: &RunRecord, why: &str) -> Result<Fetched, Fault> {
    let client = hub.store.client().await?;
    let given_up = Pause { status: "failed", next_at: None, failure: why, damaged: false };
    runs::wait(&client, run, &given_up).await?;
    Ok(Fetched::Waits)
}

/// Whether a run without a bill waits, because something may have happened on that day and its
/// provider has one word for a day on which nothing did and a bill that is not made yet. From noon on
/// the word is taken for what it says.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn waits_for_late_one(
    hub: &Hub,
    merchant: &Merchant,
    run: &RunRecord,
) -> Result<bool, Fault> {
    let is_early = hub.clock.now() < noon_after(run.date);
    if !is_early || merchant.provider.provider() != Provider::Alipay {
        return Ok(false);
    }
    let why = "there is no bill of a day that may have one";
    waits(hub, run, being_made(run), why).await?;
    Ok(true)
}

/// Refuses a damaged file and keeps it as evidence: it is fetched again some times, then a person
/// must look.
pub(super) async fn damaged(
    hub: &Hub,
    merchant: &Merchant,
    run: &RunRecord,
    why: &str,
    file: Option<&[u8]>,
) -> Result<Fetched, Fault> {
    let why = format!("the bill is damaged, nothing was taken from it: {why}");
    let client = hub.store.client().await?;
    if let Some(file) = file {
        let which = Which::of(&merchant.id, run.date, file);
        let sealed = which.seal(&hub.sealer, file).map_err(|error| Fault::internal(&error))?;
        bills::keep_damaged(&client, &which, &sealed, &why, hub.clock.now()).await?;
    }
    if run.damaged < DAMAGED_TRIES {
        return pauses(hub, run, AGAIN, &why, true).await;
    }
    let told = format!("{why}; the doubts of the days before wait for it");
    incident(hub, run, "bill_damaged", &told).await?;
    let given_up = Pause { status: "failed", next_at: None, failure: &why, damaged: true };
    runs::wait(&client, run, &given_up).await?;
    Ok(Fetched::Waits)
}

/// When a bill that is still being made is asked for again.
fn being_made(run: &RunRecord) -> SignedDuration {
    let turn = usize::try_from(run.tries).unwrap_or_default();
    let minutes = BEING_MADE.get(turn).or(BEING_MADE.last()).copied().unwrap_or(30);
    SignedDuration::from_mins(minutes)
}

async fn waits(
    hub: &Hub,
    run: &RunRecord,
    pause: SignedDuration,
    why: &str,
) -> Result<Fetched, Fault> {
    pauses(hub, run, pause, why, false).await
}

async fn pauses(
    hub: &Hub,
    run: &RunRecord,
    pause: SignedDuration,
    why: &str,
    damaged: bool,
) -> Result<Fetched, Fault> {
    let now = hub.clock.now();
    let noon = noon_after(run.date);
    // A run that begins later has its first answer before anybody is told.
    if now >= noon && (run.started_at < noon || run.tries > 0) {
        incident(hub, run, "bill_late", why).await?;
    }
    let client = hub.store.client().await?;
    let next_at = Some(later(hub, pause));
    let pause = Pause { status: "waiting_for_bill", next_at, failure: why, damaged };
    runs::wait(&client, run, &pause).await?;
    Ok(Fetched::Waits)
}

/// The noon by which a day's bill must be there.
pub(super) fn noon_after(day: Date) -> Timestamp {
    day.tomorrow().map_or(Timestamp::MAX, |next| from_beijing(next.to_datetime(NOON)))
}

/// Tells a person that the provider gave another file of a day than before.
pub(super) async fn changed(
    client: &impl GenericClient,
    run: &RunRecord,
    before: &str,
    sha256: &[u8],
    now: Timestamp,
) -> Result<(), Fault> {
    let hash: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    let new = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id: &run.merchant_id,
        kind: "bill_changed",
        detail: &format!(
            "bill of {}: the provider gave another file, SHA-256 {hash}, before that {before}; both \
             are kept, and version {} was made from the new one",
            run.date, run.version
        ),
        dedupe_key: &format!("bill_changed:{}:{}:{hash}", run.merchant_id, run.date),
        order_id: None,
        refund_id: None,
        now,
    };
    incidents::open(client, &new).await?;
    Ok(())
}

async fn incident(hub: &Hub, run: &RunRecord, kind: &str, why: &str) -> Result<(), Fault> {
    let client = hub.store.client().await?;
    let new = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id: &run.merchant_id,
        kind,
        detail: &format!("bill of {}: {why}", run.date),
        dedupe_key: &format!("{kind}:{}:{}", run.merchant_id, run.date),
        order_id: None,
        refund_id: None,
        now: hub.clock.now(),
    };
    incidents::open(&client, &new).await?;
    Ok(())
}

/// The totals of a day for which the provider has no bill.
pub(super) fn no_bill(merchant: &Merchant, day: Date) -> BillTotals {
    BillTotals::empty(merchant.provider.provider(), day)
}
