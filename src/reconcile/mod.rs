//! A merchant's day against its provider's bill: fetched, read, matched, kept. A run is a function
//! of what it stored; running again makes a new version.

mod answers;
mod beside;
mod bill;
mod changes;
mod day;
mod doubts;
mod download;
mod findings;
mod followed;
mod fund;
mod papers;
mod portal;
mod query;
mod rows;
mod second;
mod shown;

use adapters::wire::Outcome;
use domain::ids::{MerchantId, RunId};
use domain::time::{beijing, business_day, check_day};
use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

pub use changes::{Changed, Changes, Sums, Version, changes};
pub use shown::{difference, report, run};

use crate::audit::{self, Act};
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::store::StoreError;
use crate::store::runs::{self, RunRecord};

/// From when on a day's bill is asked for on the next day, in Beijing.
const BILLS_ARE_READY: Time = Time::constant(10, 0, 0, 0);
/// How far back missed days are made up for: as far as providers keep bills.
const FURTHEST_BACK: i32 = 90;
/// How many runs one call leases: what waits for its turn is free for another hub.
const BATCH: i64 = 1;

/// Begins the runs of the days that have none, and works on the run that is due longest, else asks for
/// a fund flow bill that a day waits for; how many that were.
///
/// # Errors
/// When the database does not answer. What happens to one run does not stop the others.
pub async fn run_once(hub: &Hub) -> Result<usize, Fault> {
    schedule(hub).await?;
    let client = hub.store.client().await?;
    let due = runs::claim(&client, hub.clock.now(), BATCH).await?;
    drop(client);
    for held in &due {
        if let Err(fault) = day::reconcile(hub, held).await {
            tracing::warn!(run = %held.run_id, fault = fault.detail, "a run failed; it is tried again");
        }
    }
    if due.is_empty() {
        return fund::ask_again(hub).await;
    }
    Ok(due.len())
}

/// Begins a new version of a day's run; a worker does the rest. Several merchants of one account
/// share its runs, which are made for the first of them: asked for by the name of another, the
/// account's run of that day is given as it stands, and only begun where there is none that could.
/// The bill that is stored is read again, unless `refetch` asks for the provider's. `by`: who asks.
///
/// # Errors
/// 422 no such merchant, or a day that is not over or of another age; 409 a day whose run is signed.
pub async fn begin(
    hub: &Hub,
    merchant: &str,
    day: Date,
    refetch: bool,
    by: &str,
) -> Result<RunRecord, Fault> {
    let merchant = named(hub, merchant)?;
    let all = hub.of_one_account(merchant);
    if all.first().is_some_and(|first| first.id != merchant.id) {
        let ids: Vec<&str> = all.iter().map(|merchant| merchant.id.as_str()).collect();
        let client = hub.store.client().await?;
        let newest = runs::newest(&client, &ids, day).await?;
        drop(client);
        if let Some(run_id) = newest {
            let run = load(hub, run_id.as_str()).await?;
            if run.status != "failed" {
                return Ok(run);
            }
        }
    }
    again(hub, merchant, day, refetch, by).await
}

fn named<'a>(hub: &'a Hub, merchant: &str) -> Result<&'a Merchant, Fault> {
    hub.merchant(merchant).ok_or_else(|| {
        Fault::invalid("merchant_unknown", format!("merchant_id {merchant:?} is not configured"))
    })
}

/// Begins a new version of the run of a merchant's account; one that has not ended is taken instead,
/// and is due at once. Who asked for it stands on the audit trail.
async fn again(
    hub: &Hub,
    merchant: &Merchant,
    day: Date,
    refetch: bool,
    by: &str,
) -> Result<RunRecord, Fault> {
    let all = hub.of_one_account(merchant);
    let ids: Vec<&str> = all.iter().map(|merchant| merchant.id.as_str()).collect();
    let first = all.first().copied().unwrap_or(merchant);
    let now = hub.clock.now();
    if day >= business_day(now) {
        return Err(Fault::invalid("day_not_over", format!("{day} is not over in Beijing")));
    }
    check_day(day).map_err(|why| Fault::invalid("days_invalid", why))?;
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let run_id = RunId::new(Uuid::now_v7());
    let raced =
        || Fault::conflict("run_raced", "another run of that day began; ask again").retry_after(1);
    let begun = match runs::create(&tx, &run_id, (&first.id, &ids), (day, refetch), now).await {
        Err(error) if error.constraint().is_some_and(|name| RACES.contains(&name)) => {
            return Err(raced());
        }
        Err(error) if error.constraint() == Some("a_signed_day_has_no_new_version") => {
            return Err(signed(day));
        }
        done => done?,
    };
    let run_id = if begun {
        run_id
    } else {
        let newest = runs::newest(&tx, &ids, day).await?.ok_or_else(raced)?;
        if !runs::hurry(&tx, &newest, refetch, now).await? {
            let found = runs::by_ids(&tx, &[newest.as_str()]).await?;
            let is_signed = found.iter().any(|run| run.sign_off == "reviewed");
            return Err(if is_signed { signed(day) } else { raced() });
        }
        newest
    };
    let data = json!({"merchant_id": first.id, "date": day, "refetch": refetch});
    let act = Act::of(by, "run.asked_for", run_id.as_str(), data);
    audit::write_down(&tx, &hub.sealer, &[act], now).await?;
    tx.commit().await.map_err(StoreError::from)?;
    // Whoever holds one connection while waiting for another may wait for himself.
    drop(client);
    hub.signals.wake_reconcile();
    load(hub, run_id.as_str()).await
}

/// What says that another run of the day began in this moment.
const RACES: [&str; 2] = ["a_run_has_its_own_version", "one_unfinished_run_a_day"];

fn signed(day: Date) -> Fault {
    let why = format!("the reconciliation of {day} is signed; two people open it again first");
    Fault::conflict("run_signed", why)
}

/// Begins a new version of a day's run, with the provider's bill, and works on it at once; the run as
/// it is then. Several merchants of one account share it, whichever of them is named.
///
/// # Errors
/// As [`begin`], or when the database does not answer.
pub async fn now(
    hub: &Hub,
    merchant: &MerchantId,
    day: Date,
    by: &str,
) -> Result<RunRecord, Fault> {
    let run = again(hub, named(hub, merchant.as_str())?, day, true, by).await?;
    let client = hub.store.client().await?;
    let mine = runs::lease(&client, &run.id).await?;
    drop(client);
    if let Some(held) = mine {
        day::reconcile(hub, &held).await?;
    }
    load(hub, run.id.as_str()).await
}

/// A run by id.
///
/// # Errors
/// 404 when there is none.
pub async fn load(hub: &Hub, run_id: &str) -> Result<RunRecord, Fault> {
    let client = hub.store.client().await?;
    runs::by_ids(&client, &[run_id]).await?.pop().ok_or_else(|| Fault::not_found("reconciliation"))
}

/// Begins the run of each day that is over, whose bill may be there and that has none; days that a
/// stopped hub missed are made up for, also when somebody ran a later one by hand.
async fn schedule(hub: &Hub) -> Result<(), Fault> {
    let now = hub.clock.now();
    let today = business_day(now);
    let ready = beijing(now).time() >= BILLS_ARE_READY;
    let Ok(yesterday) = today.yesterday() else { return Ok(()) };
    let newest = if ready { yesterday } else { yesterday.yesterday().unwrap_or(yesterday) };
    let furthest = today.checked_sub(jiff::Span::new().days(FURTHEST_BACK)).unwrap_or(newest);
    let client = hub.store.client().await?;
    for merchant in hub.merchants.values() {
        // Several merchants of one account have one bill: it is matched once, for the first.
        let all = hub.of_one_account(merchant);
        if all.first().is_some_and(|first| first.id != merchant.id) {
            continue;
        }
        // A day is done whichever of them it was done for: who is first may change.
        let ids: Vec<&str> = all.iter().map(|merchant| merchant.id.as_str()).collect();
        let missing = runs::missing_days(&client, &ids, (furthest, newest), yesterday).await?;
        for day in missing {
            let run_id = RunId::new(Uuid::now_v7());
            runs::schedule(&client, &run_id, &merchant.id, day, now).await?;
        }
    }
    Ok(())
}

/// When a run that could not end is tried again.
fn later(hub: &Hub, pause: SignedDuration) -> Timestamp {
    hub.clock.now().saturating_add(pause).unwrap_or(Timestamp::MAX)
}

/// Asks the merchant's provider something about a day's bill.
async fn ask<T>(
    hub: &Hub,
    merchant: &Merchant,
    operation: &'static str,
    subject: &str,
    kind: crate::outbound::Kind,
    call: &adapters::wire::Call,
    read: impl Fn(&adapters::wire::Answer, &adapters::wire::Stamp) -> Outcome<T>,
) -> Outcome<T> {
    let question = crate::outbound::Question { operation, subject, kind };
    crate::outbound::ask(hub, merchant, question, call, read).await
}
