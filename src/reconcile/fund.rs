//! The day's fund flow bill (资金账单) beside its trade bill: fetched after it, kept as it came, and
//! held against it row by row. A day never waits for it: a run without it says so, and when the bill
//! is there, a new version is made with it.

use adapters::bill::{self, FundFlow};
use adapters::provider::{BillKind, FundAccount};
use deadpool_postgres::Transaction;
use domain::fund::FundRow;
use domain::ids::IncidentId;
use domain::time::business_day;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use reconciliation::FundMatcher;
use reconciliation::fund::{Before, FundResult};
use serde_json::Value;
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
use crate::store::runs::RunRecord;

/// After how many minutes a bill that did not come is asked for again; the last one repeats.
const AGAIN: [i64; 5] = [5, 10, 20, 30, 60];
/// For how many days a day's bill is asked for: providers make them within one.
const GIVE_UP: i32 = 3;

/// What a run has of the day's fund flow.
pub(super) enum Flow {
    /// The merchant's is not looked at.
    Off,
    /// It was held against the trade bill.
    Checked(Box<FundCheck>, Option<(Which, Vec<u8>)>),
    /// It is not there, for this reason.
    Missing(String),
}

impl Flow {
    /// What the report says of it.
    pub(super) fn shown(&self) -> (Option<FundCheck>, Option<String>) {
        match self {
            Self::Off => (None, None),
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

/// Looks at the fund flow of a run's day, whose trade bill is there.
pub(super) async fn check(
    hub: &Hub,
    merchant: &Merchant,
    run: &RunRecord,
    trade: &Bill,
) -> Result<Flow, Fault> {
    if !merchant.fund_flow {
        return Ok(Flow::Off);
    }
    let account = ids(hub, merchant);
    let client = hub.store.client().await?;
    let stored =
        if run.refetch { None } else { fund_bills::newest(&client, &account, run.date).await? };
    let before = fund_bills::before(&client, &account, run.date).await?;
    drop(client);
    let (file, is_new) = match stored {
        Some(stored) => {
            (Some(stored.open(&hub.sealer).map_err(|error| Fault::internal(&error))?), false)
        }
        None => match ask_for(hub, merchant, run.date, run.id.as_str()).await? {
            Got::File(file) => (Some(file), true),
            Got::EmptyDay if trade.moves_money() => return Ok(Flow::Missing(NONE.to_owned())),
            Got::EmptyDay => (None, false),
            Got::NotYet(why) | Got::Silence(why) => return Ok(Flow::Missing(why)),
            Got::Damaged(why, file) => {
                let why = refuse(hub, merchant, run.date, &why, file.as_deref()).await?;
                return Ok(Flow::Missing(why));
            }
        },
    };
    let read = match &file {
        Some(file) => held_against(merchant, run.date, file, trade, &left(before, run.date)?),
        None => Ok(without_file(run.date, trade, &left(before, run.date)?)),
    };
    let check = match read {
        Ok(check) => check,
        Err(why) => {
            let why = refuse(hub, merchant, run.date, &why, file.as_deref()).await?;
            return Ok(Flow::Missing(why));
        }
    };
    let kept = file.filter(|_| is_new).map(|file| (Which::of(&merchant.id, run.date, &file), file));
    Ok(Flow::Checked(Box::new(check), kept))
}

async fn ask_for(hub: &Hub, merchant: &Merchant, day: Date, subject: &str) -> Result<Got, Fault> {
    let bill = BillKind::FundFlow(FundAccount::Basic);
    // Keys by which it cannot be asked for stop no day: a person is told as of a late one.
    if let Err(limit) = merchant.provider.ask_bill(bill, day) {
        return Ok(Got::NotYet(format!("it cannot be asked for: {limit}")));
    }
    let (asking, fetching) = ("fund_bill", "fetch_fund_bill");
    get(hub, merchant, Wanted { bill, day, subject, asking, fetching }).await
}

/// What the last day that was looked at left to this one: its doubts, and its balance where it is the
/// day before.
fn left(before: Option<Looked>, day: Date) -> Result<Before, Fault> {
    let Some(Looked { day: of, result }) = before else { return Ok(Before::default()) };
    let result: FundResult =
        serde_json::from_value(result).map_err(|error| Fault::internal(&error))?;
    let is_day_before = day.yesterday().is_ok_and(|yesterday| yesterday == of);
    let closing = result.closing_fen.filter(|_| is_day_before);
    Ok(Before { closing, doubts: result.doubts })
}

/// Reads a file; why it cannot be this day's, in words.
fn read(file: &[u8], day: Date, take: &mut dyn FnMut(&FundRow<'_>)) -> Result<FundFlow, String> {
    let flow = bill::read_fund_rows(file, &mut |row| take(&row)).map_err(|it| it.to_string())?;
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

/// Reads the file and holds it against the trade bill; why it cannot be this day's, in words.
fn held_against(
    merchant: &Merchant,
    day: Date,
    file: &[u8],
    trade: &Bill,
    before: &Before,
) -> Result<FundCheck, String> {
    let mut matcher = FundMatcher::new(day);
    let flow = read(file, day, &mut |row| matcher.fund_row(row))?;
    trade.each(&mut |row| matcher.trade_row(row));
    let found = matcher.finish(&report::account(&flow), before);
    let name = format!("fund-{}-{}-{day}", merchant.provider.provider(), merchant.id);
    let stamp = FileStamp::of(name, file);
    Ok(FundCheck::new(Some(stamp), flow, &trade.totals, found))
}

/// A day on which nothing changed the account.
fn without_file(day: Date, trade: &Bill, before: &Before) -> FundCheck {
    let mut matcher = FundMatcher::new(day);
    trade.each(&mut |row| matcher.trade_row(row));
    let flow = FundFlow::default();
    let found = matcher.finish(&report::account(&flow), before);
    FundCheck::new(None, flow, &trade.totals, found)
}

/// Refuses a damaged file and keeps it as evidence; nothing is taken from it. Why, in words.
async fn refuse(
    hub: &Hub,
    merchant: &Merchant,
    day: Date,
    why: &str,
    file: Option<&[u8]>,
) -> Result<String, Fault> {
    let why = format!("the fund flow bill is damaged, nothing was taken from it: {why}");
    if let Some(file) = file {
        let client = hub.store.client().await?;
        let which = Which::of(&merchant.id, day, file);
        let sealed = which.seal(&hub.sealer, file).map_err(|error| Fault::internal(&error))?;
        bills::keep_damaged(&client, &which, &sealed, &why, hub.clock.now()).await?;
    }
    Ok(why)
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
        Flow::Off => {}
        Flow::Checked(check, file) => {
            if let Some((which, file)) = file {
                let sealed =
                    which.seal(&hub.sealer, file).map_err(|error| Fault::internal(&error))?;
                fund_bills::keep(tx, which, &sealed, now).await?;
            }
            let account = ids(hub, merchant);
            fund_bills::end(tx, &account, run.date).await?;
            let former = fund_bills::former(tx, &account, run.date, run.version).await?;
            let next = fund_bills::after(tx, &account, run.date).await?;
            if let Some((of, day)) = next
                && leaves_otherwise(former, &check.result)?
            {
                let why = "a day before it was looked at since, and left something else";
                fund_bills::wait(tx, (&of, day), now, why).await?;
            }
        }
        Flow::Missing(why) => {
            let next = later(hub, pause(0));
            fund_bills::wait(tx, (&merchant.id, run.date), next, why).await?;
        }
    }
    Ok(())
}

/// Whether a day leaves something else than its former version did, or for the first time something.
fn leaves_otherwise(former: Option<Value>, now: &FundResult) -> Result<bool, Fault> {
    let former: Option<FundResult> =
        former.map(serde_json::from_value).transpose().map_err(|error| Fault::internal(&error))?;
    let (closing, doubts) = former.map_or((None, Vec::new()), |it| (it.closing_fen, it.doubts));
    Ok(closing != now.closing_fen || doubts != now.doubts)
}

fn pause(tries: i32) -> SignedDuration {
    let turn = usize::try_from(tries).unwrap_or_default();
    let minutes = AGAIN.get(turn).or(AGAIN.last()).copied().unwrap_or(60);
    SignedDuration::from_mins(minutes)
}

/// Asks once more for the bill of a day that waits for it, where one is due; how many that were. Once
/// it is there, a new version of the day is begun, which reads it.
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
    let why = come(hub, merchant, waiting.day).await?;
    let Some(why) = why else {
        match again(hub, merchant, waiting.day, false, crate::incidents::HUB).await {
            Ok(_run) => {}
            Err(fault) if fault.code == "run_signed" => {
                let told = "it, or that of a day before, came after the day was signed: have two people open the day again";
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

/// Whether a day can be looked at now: its bill is stored, or comes and is kept; why not, in words.
async fn come(hub: &Hub, merchant: &Merchant, day: Date) -> Result<Option<String>, Fault> {
    let account = ids(hub, merchant);
    let client = hub.store.client().await?;
    let is_stored = fund_bills::newest(&client, &account, day).await?.is_some();
    let looked = fund_bills::before(&client, &account, day.tomorrow().unwrap_or(day)).await?;
    drop(client);
    if is_stored {
        return Ok(None);
    }
    let file = match ask_for(hub, merchant, day, &day.to_string()).await? {
        Got::File(file) => file,
        // It was an empty day when it was looked at, and is.
        Got::EmptyDay if looked.is_some_and(|looked| looked.day == day) => return Ok(None),
        Got::EmptyDay => return Ok(Some(NONE.to_owned())),
        Got::NotYet(why) | Got::Silence(why) => return Ok(Some(why)),
        Got::Damaged(why, file) => {
            return refuse(hub, merchant, day, &why, file.as_deref()).await.map(Some);
        }
    };
    if let Err(why) = read(&file, day, &mut |_row| {}) {
        return refuse(hub, merchant, day, &why, Some(&file)).await.map(Some);
    }
    let which = Which::of(&merchant.id, day, &file);
    let sealed = which.seal(&hub.sealer, &file).map_err(|error| Fault::internal(&error))?;
    let client = hub.store.client().await?;
    fund_bills::keep(&client, &which, &sealed, hub.clock.now()).await?;
    Ok(None)
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
