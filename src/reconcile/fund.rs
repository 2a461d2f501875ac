//! The day's fund flow bill (资金账单) beside its trade bill: fetched after it, kept as it came, and
//! held against it row by row. A day never waits for it: a run without it says so, and when the bill
//! is there, a new version is made with it.

use adapters::bill;
use adapters::provider::{BillKind, FundAccount};
use deadpool_postgres::{GenericClient, Transaction};
use domain::fund::FundRow;
use domain::ids::IncidentId;
use domain::time::business_day;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use reconciliation::FundMatcher;
use reconciliation::fund::{Before, FundResult};
use uuid::Uuid;

use super::bill::noon_after;
use super::day::{Bill, ids};
use super::download::{Got, Wanted, get};
use super::{again, later};
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::report::{self, FileStamp, FundCheck};
use crate::store::bills::{self, Which};
use crate::store::fund_bills::{self, Looked, Waiting};
use crate::store::incidents::{self, NewIncident};
use crate::store::runs::{self, RunRecord};

/// After how many minutes a bill that did not come is asked for again; the last one repeats.
const AGAIN: [i64; 5] = [5, 10, 20, 30, 60];
/// For how many days a day's bill is asked for: providers make them within one.
const GIVE_UP: i32 = 3;

/// What a run has of the day's fund flow.
pub(super) enum Flow {
    /// There is none to look at: what the paper says of that.
    Off(&'static str),
    /// It was held against the trade bill.
    Checked(Box<FundCheck>, Option<(Which, Vec<u8>)>),
    /// It is not there, for this reason.
    Missing(String),
}

impl Flow {
    /// What the report says of it.
    pub(super) fn shown(&self) -> (Option<FundCheck>, Option<String>) {
        match self {
            Self::Off(why) => (None, Some((*why).to_owned())),
            Self::Checked(check, _) => (Some((**check).clone()), None),
            Self::Missing(_) => (None, Some(NOT_THERE.to_owned())),
        }
    }
}

/// Why a bill is missing that its provider says there is none of: money moved on that day, and some
/// providers have one word for a day without changes and for a bill that is not made yet.
const NONE: &str = "the provider says that there is none, of a day on which money moved";

/// What the paper says where the bill has not come.
const NOT_THERE: &str = "尚未取得，款项是否全额到账未核对；取得后自动重新对账，生成新版本";
/// What it says where nobody asks for it.
const SWITCHED_OFF: &str = "本商户未启用资金账单核对，款项是否全额到账未核对";
/// What it says where the provider gives this merchant none.
const NOT_GIVEN: &str = "渠道不向本商户提供资金账单，款项是否全额到账未核对";

/// A day's file, or why there is none.
enum Found {
    File(Vec<u8>, bool),
    EmptyDay,
    NotGiven(String),
    Missing(String),
}

/// Looks at the fund flow of a run's day, whose trade bill is there.
pub(super) async fn check(
    hub: &Hub,
    merchant: &Merchant,
    run: &RunRecord,
    trade: &Bill,
) -> Result<Flow, Fault> {
    if !merchant.fund_flow {
        return Ok(Flow::Off(SWITCHED_OFF));
    }
    let account = ids(hub, merchant);
    let client = hub.store.client().await?;
    let stored = fund_bills::newest(&client, &account, run.date).await?;
    let before = fund_bills::before(&client, &account, run.date).await?;
    drop(client);
    let stored = stored
        .map(|stored| stored.open(&hub.sealer))
        .transpose()
        .map_err(|error| Fault::internal(&error))?;
    let found = match stored {
        Some(file) if !run.refetch => Found::File(file, false),
        stored => match (fresh(hub, merchant, run, trade).await?, stored) {
            // What is known of the day is not forgotten because its provider is silent today.
            (Found::EmptyDay | Found::NotGiven(_) | Found::Missing(_), Some(file)) => {
                Found::File(file, false)
            }
            (found, _) => found,
        },
    };
    let (check, kept) = match found {
        Found::NotGiven(why) => {
            tracing::warn!(merchant = %merchant.id, why, "there is no fund flow bill to ask for");
            return Ok(Flow::Off(NOT_GIVEN));
        }
        Found::Missing(why) => return Ok(Flow::Missing(why)),
        Found::EmptyDay => (without_file(run.date, trade, before)?, None),
        Found::File(file, is_new) => {
            let check = match held_against(merchant, run.date, &file, trade, before)? {
                Ok(check) => check,
                // What is stored was whole when it came.
                Err(why) => return Err(Fault::internal(&why)),
            };
            let kept = is_new.then(|| (Which::of(&merchant.id, run.date, &file), file));
            (check, kept)
        }
    };
    Ok(Flow::Checked(Box::new(check), kept))
}

/// What the provider gives now; a damaged file is kept as evidence.
async fn fresh(
    hub: &Hub,
    merchant: &Merchant,
    run: &RunRecord,
    trade: &Bill,
) -> Result<Found, Fault> {
    Ok(match whole(hub, merchant, run.date, run.id.as_str()).await? {
        Got::File(file) => Found::File(file, true),
        Got::EmptyDay if trade.moves_money() => Found::Missing(NONE.to_owned()),
        Got::EmptyDay => Found::EmptyDay,
        Got::NotGiven(why) => Found::NotGiven(why),
        Got::NotYet(why) | Got::Silence(why) | Got::Damaged(why, _) => Found::Missing(why),
    })
}

/// Asks for the bill of a day; a file is given on only where it is whole and of this day, any other is
/// kept as evidence.
async fn whole(hub: &Hub, merchant: &Merchant, day: Date, subject: &str) -> Result<Got, Fault> {
    let (why, file) = match ask_for(hub, merchant, day, subject).await {
        Got::File(file) => match sound(day, &file, &mut |_| ()) {
            Ok(_) => return Ok(Got::File(file)),
            Err(why) => (why, Some(file)),
        },
        Got::Damaged(why, file) => (why, file),
        other @ (Got::EmptyDay | Got::NotYet(_) | Got::Silence(_) | Got::NotGiven(_)) => {
            return Ok(other);
        }
    };
    let why = format!("the fund flow bill is damaged, nothing was taken from it: {why}");
    if let Some(file) = &file {
        let client = hub.store.client().await?;
        let which = Which::of(&merchant.id, day, file);
        let sealed = which.seal(&hub.sealer, file).map_err(|error| Fault::internal(&error))?;
        bills::keep_damaged(&client, &which, &sealed, &why, hub.clock.now()).await?;
    }
    Ok(Got::Damaged(why, file))
}

async fn ask_for(hub: &Hub, merchant: &Merchant, day: Date, subject: &str) -> Got {
    let bill = BillKind::FundFlow(FundAccount::Basic);
    let (asking, fetching) = ("fund_bill", "fetch_fund_bill");
    get(hub, merchant, Wanted { bill, day, subject, asking, fetching }).await
}

/// What the last day that was looked at left to this one: its doubts, and its balance where it is the
/// day before. A day between that nobody has looked at makes no doubt older.
fn left(before: Option<Looked>, day: Date) -> Result<Before, Fault> {
    let Some(Looked { day: of, result }) = before else { return Ok(Before::default()) };
    let result: FundResult =
        serde_json::from_value(result).map_err(|error| Fault::internal(&error))?;
    let is_day_before = day.yesterday().is_ok_and(|yesterday| yesterday == of);
    let closing = result.closing_fen.filter(|_| is_day_before);
    Ok(Before { closing, doubts: result.doubts, steps_over: !is_day_before })
}

/// Reads a file; why it cannot be this day's, in words.
fn sound(
    day: Date,
    file: &[u8],
    each: &mut dyn FnMut(FundRow<'_>),
) -> Result<bill::FundFlow, String> {
    let flow = bill::read_fund_rows(file, each).map_err(|error| error.to_string())?;
    if let Some(fault) = &flow.footer_fault {
        return Err(fault.clone());
    }
    match flow.days.filter(|days| *days != (day, day)) {
        Some((first, last)) => {
            Err(format!("it has changes from {first} until {last}, not of {day}"))
        }
        None => Ok(flow),
    }
}

/// Holds the file against the trade bill; why it cannot be this day's, in words.
fn held_against(
    merchant: &Merchant,
    day: Date,
    file: &[u8],
    trade: &Bill,
    before: Option<Looked>,
) -> Result<Result<FundCheck, String>, Fault> {
    let mut matcher = FundMatcher::new(day);
    let flow = match sound(day, file, &mut |row| matcher.fund_row(&row)) {
        Ok(flow) => flow,
        Err(why) => return Ok(Err(why)),
    };
    trade.each(&mut |row| matcher.trade_row(row));
    let found = matcher.finish(&report::account(&flow), &left(before, day)?);
    let name = format!("fund-{}-{}-{day}", merchant.provider.provider(), merchant.id);
    let stamp = FileStamp::of(name, file);
    Ok(Ok(FundCheck::new(Some(stamp), flow, &trade.totals, found)))
}

/// A day on which nothing changed the account.
fn without_file(day: Date, trade: &Bill, before: Option<Looked>) -> Result<FundCheck, Fault> {
    let mut matcher = FundMatcher::new(day);
    trade.each(&mut |row| matcher.trade_row(row));
    let flow = bill::FundFlow::default();
    let found = matcher.finish(&report::account(&flow), &left(before, day)?);
    Ok(FundCheck::new(None, flow, &trade.totals, found))
}

/// Writes what a run has of the fund flow, in the transaction that ends it.
pub(super) async fn keep(
    tx: &Transaction<'_>,
    hub: &Hub,
    merchant: &Merchant,
    (run, flow): (&RunRecord, &Flow),
    now: Timestamp,
) -> Result<(), Fault> {
    match flow {
        Flow::Off(_) => {
            fund_bills::end(tx, &ids(hub, merchant), run.date).await?;
        }
        Flow::Checked(_, file) => {
            if let Some((which, file)) = file {
                store(tx, hub, which, file, now).await?;
            }
            fund_bills::end(tx, &ids(hub, merchant), run.date).await?;
        }
        Flow::Missing(why) => {
            let next = later(hub, pause(0));
            fund_bills::wait(tx, (&merchant.id, run.date), next, why).await?;
        }
    }
    Ok(())
}

async fn store(
    client: &impl GenericClient,
    hub: &Hub,
    which: &Which,
    file: &[u8],
    now: Timestamp,
) -> Result<(), Fault> {
    let sealed = which.seal(&hub.sealer, file).map_err(|error| Fault::internal(&error))?;
    fund_bills::keep(client, which, &sealed, now).await?;
    Ok(())
}

fn pause(tries: i32) -> SignedDuration {
    let turn = usize::try_from(tries).unwrap_or_default();
    let minutes = AGAIN.get(turn).or(AGAIN.last()).copied().unwrap_or(60);
    SignedDuration::from_mins(minutes)
}

/// Asks once more for the bill of a day that waits for it, where one is due; how many that were. Once
/// it is there, whole, it is stored, and a new version of the day is begun, which reads it.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn ask_again(hub: &Hub) -> Result<usize, Fault> {
    let now = hub.clock.now();
    let client = hub.store.client().await?;
    let due = fund_bills::claim(&client, now).await?;
    drop(client);
    let Some(waiting) = due else { return Ok(0) };
    let merchant = hub.merchants.get(&waiting.merchant_id).filter(|merchant| merchant.fund_flow);
    let Some(merchant) = merchant else {
        give_up(hub, &waiting).await?;
        return Ok(1);
    };
    let client = hub.store.client().await?;
    let is_stored = fund_bills::newest(&client, &ids(hub, merchant), waiting.day).await?.is_some();
    drop(client);
    let why = if is_stored {
        None
    } else {
        match whole(hub, merchant, waiting.day, &waiting.day.to_string()).await? {
            Got::File(file) => {
                let client = hub.store.client().await?;
                let which = Which::of(&merchant.id, waiting.day, &file);
                store(&client, hub, &which, &file, now).await?;
                None
            }
            Got::EmptyDay if moved_money(hub, merchant, waiting.day).await? => {
                Some(NONE.to_owned())
            }
            Got::EmptyDay => None,
            Got::NotYet(why) | Got::Silence(why) | Got::Damaged(why, _) => Some(why),
            Got::NotGiven(_) => {
                give_up(hub, &waiting).await?;
                return Ok(1);
            }
        }
    };
    let Some(why) = why else {
        match again(hub, merchant, waiting.day, false, crate::incidents::HUB).await {
            Ok(_run) => {}
            Err(fault) if fault.code == "run_signed" => {
                let told = "it came after the day was signed: have two people open the day again";
                incident(hub, &waiting, told).await?;
                give_up(hub, &waiting).await?;
            }
            Err(fault) => return Err(fault),
        }
        return Ok(1);
    };
    if now >= noon_after(waiting.day) {
        incident(hub, &waiting, &why).await?;
    }
    let age = waiting.day.until(business_day(now)).map_or(0, |span| span.get_days());
    if age > GIVE_UP {
        give_up(hub, &waiting).await?;
        return Ok(1);
    }
    let client = hub.store.client().await?;
    let of = (&waiting.merchant_id, waiting.day);
    fund_bills::wait(&client, of, later(hub, pause(waiting.tries.saturating_add(1))), &why).await?;
    Ok(1)
}

/// Whether the trade bill of a day that was reconciled has rows.
async fn moved_money(hub: &Hub, merchant: &Merchant, day: Date) -> Result<bool, Fault> {
    let client = hub.store.client().await?;
    let Some(newest) = runs::newest(&client, &ids(hub, merchant), day).await? else {
        return Ok(false);
    };
    let found = runs::by_ids(&client, &[newest.as_str()]).await?;
    let summary = found.into_iter().find_map(|run| run.summary).unwrap_or_default();
    let counts = ["/bill/payments/count", "/bill/refunds/count"].map(|at| summary.pointer(at));
    Ok(counts.into_iter().flatten().any(|count| count.as_u64() != Some(0)))
}

async fn give_up(hub: &Hub, waiting: &Waiting) -> Result<(), Fault> {
    let client = hub.store.client().await?;
    fund_bills::end(&client, &[waiting.merchant_id.as_str()], waiting.day).await?;
    Ok(())
}

async fn incident(hub: &Hub, waiting: &Waiting, why: &str) -> Result<(), Fault> {
    let client = hub.store.client().await?;
    let new = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id: &waiting.merchant_id,
        kind: "fund_bill_late",
        detail: &format!("fund flow bill of {}: {why}", waiting.day),
        dedupe_key: &format!("fund_bill_late:{}:{}", waiting.merchant_id, waiting.day),
        order_id: None,
        refund_id: None,
        now: hub.clock.now(),
    };
    incidents::open(&client, &new).await?;
    Ok(())
}
