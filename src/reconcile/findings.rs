//! Writes what a run found, with the events that tell of it, in one transaction.

use deadpool_postgres::Transaction;
use domain::event::EventType;
use jiff::Timestamp;
use reconciliation::Kind;
use reconciliation::rules::is_near_cut;
use serde_json::Value;

use super::answers::Answers;
use super::bill;
use super::day::{Bill, Matched, ids};
use super::doubts::{Decided, Known};
use super::followed;
use super::fund::{self, Flow};
use super::papers;
use super::rows::Rows;
use super::shown;
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::record::event;
use crate::report::{FileStamp, MerchantDay, Summary};
use crate::settlement;
use crate::store::StoreError;
use crate::store::bills::Which;
use crate::store::doubts::Carried;
use crate::store::journal::Head;
use crate::store::runs::{self, Finished, RunRecord};
use crate::store::{bills, doubts, events, findings};

/// Writes a run with what it found. Runs of one account end one after the other, so that a doubt is
/// decided once whichever hub does it.
pub(super) async fn keep(
    hub: &Hub,
    merchant: &Merchant,
    run: &RunRecord,
    (bill, flow): (&Bill, &Flow),
    mut matched: Matched,
    answers: &Answers,
) -> Result<(), Fault> {
    let now = hub.clock.now();
    let account = ids(hub, merchant);
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let payee = &merchant.provider.account().payee;
    findings::in_turn(&tx, &format!("{}:{payee}", merchant.provider.provider())).await?;
    let bill_file_id = keep_bill(&tx, hub, merchant, &account, run, bill).await?;
    let carried = doubts::carried(&tx, &account, run.date).await?;
    let decided = decide(&tx, &account, run, &mut matched, (answers, &carried)).await?;
    let open = findings::open(&tx, &account, run.date).await?;
    let rows = Rows::of(run.date, &matched.result, &decided, &open);
    let gone = rows.gone(&matched.result, &open);
    let closed: Vec<&str> =
        open.iter().filter(|it| gone.has(&it.id)).map(|it| it.fingerprint.as_str()).collect();
    let moves = bill.moves().ok_or_else(|| Fault::internal(&"a bill's sum does not fit"))?;
    settlement::expect(&tx, hub, merchant, run, &moves, now).await?;
    let mut day =
        merchant_day(merchant, run, bill, &matched, heads_shown(hub, merchant, &matched.heads));
    (day.fund_flow, day.fund_note) = flow.shown();
    let summary =
        serde_json::to_value(Summary::of(&day)).map_err(|error| Fault::internal(&error))?;
    let ended = papers::Ended {
        hub,
        merchant,
        run,
        summary: &summary,
        account: &account,
        day: run.date,
        result: &matched.result,
        rows: &rows,
        decided: &decided,
        carried: &carried,
        closed: &closed,
    };
    let gathered = papers::gather(&tx, &ended).await?;
    day.papers = Some(gathered);
    let head = matched.heads.iter().find(|head| head.merchant_id == merchant.id);
    let report = shown::stored(&day)?;
    let done = Finished {
        run_id: &run.id,
        lease: run.lease,
        merchant_id: &merchant.id,
        status: if day.is_balanced() { "balanced" } else { "unbalanced" },
        bill_file_id,
        summary: &summary,
        ledger: &matched.ledger,
        report: &report,
        journal: head.map(|head| (head.seq, head.mac.clone())),
        now,
    };
    if runs::finish(&tx, &done).await? {
        doubts::supersede(&tx, &run.id, &account, run.date).await?;
        runs::keep_findings(&tx, &done, &rows.differences, &rows.doubts).await?;
        doubts::resolve(&tx, &run.id, &rows.fates(&decided)).await?;
        fund::keep(&tx, hub, merchant, (run, flow), now).await?;
        let over = followed::follow(&tx, run, &rows, (&matched.result, &open), now).await?;
        tell(&tx, run, &rows, now).await?;
        crate::differences::tell(&tx, &over, now).await?;
        tx.commit().await.map_err(StoreError::from)?;
        hub.signals.wake_dispatch();
    }
    Ok(())
}

/// Stores the bill; tells a person where it is another than the one that was stored before.
async fn keep_bill(
    tx: &Transaction<'_>,
    hub: &Hub,
    merchant: &Merchant,
    account: &[&str],
    run: &RunRecord,
    bill: &Bill,
) -> Result<Option<i64>, Fault> {
    let Some(file) = &bill.file else { return Ok(None) };
    let (which, now) = (Which::of(&merchant.id, run.date, file), hub.clock.now());
    if let Some(before) = bills::other(tx, account, run.date, &which.sha256).await? {
        bill::changed(tx, run, &before, &which.sha256, now).await?;
    }
    let sealed = which.seal(&hub.sealer, file).map_err(|error| Fault::internal(&error))?;
    Ok(Some(bills::keep(tx, &which, &sealed, now).await?))
}

/// Decides the doubts of an account by what a run of it found.
async fn decide(
    tx: &Transaction<'_>,
    account: &[&str],
    run: &RunRecord,
    matched: &mut Matched,
    (answers, carried): (&Answers, &[Carried]),
) -> Result<Decided, Fault> {
    let first = carried.iter().map(|doubt| doubt.day).min().unwrap_or(run.date).min(run.date);
    let mut received = doubts::received(tx, account, first.yesterday().unwrap_or(first)).await?;
    received.note(run.date, true);
    let orders = looked_for(run, matched, carried);
    let listed = match orders.as_slice() {
        [] => Vec::new(),
        orders => doubts::listed(tx, account, run.date, orders).await?,
    };
    let known = Known {
        day: run.date,
        ledger: &matched.ledger,
        listed: &listed,
        received: &received,
        answers,
    };
    Ok(known.decide(&mut matched.result, carried))
}

/// The orders that another day's bill may have listed: of what the ledger alone has, of what happened
/// on other days or near the cut, and of the doubts of other days.
fn looked_for<'a>(run: &RunRecord, matched: &'a Matched, carried: &'a [Carried]) -> Vec<&'a str> {
    let result = &matched.result;
    let of_hub = result.differences.iter().chain(&result.doubts);
    let of_hub = of_hub.filter(|found| found.kind == Kind::OnlyInHub);
    let of_others =
        matched.ledger.iter().filter(|row| row.day() != run.date || is_near_cut(row.occurred_at));
    let others = of_others.map(|row| row.out_trade_no.as_str());
    let carried = carried.iter().map(|doubt| doubt.finding.out_trade_no.as_str());
    of_hub.map(|found| found.out_trade_no.as_str()).chain(others).chain(carried).collect()
}

/// Tells of the run, and of the differences that no run before it had.
async fn tell(
    tx: &Transaction<'_>,
    run: &RunRecord,
    rows: &Rows,
    now: Timestamp,
) -> Result<(), Fault> {
    let stored = runs::by_ids(tx, &[run.id.as_str()]).await?;
    let found = findings::of_run(tx, run.id.as_str(), 0, i64::MAX).await?;
    let run_id = run.id.as_str();
    let told = |kind, subject: &str, data: &Value| event(kind, None, subject, run_id, data, now);
    let runs =
        stored.iter().map(|run| told(EventType::ReconciliationCompleted, run_id, &shown::run(run)));
    let opened = found.iter().filter_map(|found| {
        let data = shown::difference(found);
        let id = data.get("id").and_then(Value::as_str).unwrap_or(run_id).to_owned();
        rows.opens(&id).then(|| told(EventType::DifferenceOpened, &id, &data))
    });
    let events: Vec<events::NewEvent> = runs.chain(opened).collect();
    events::insert(tx, &events, now).await?;
    Ok(())
}

fn merchant_day(
    merchant: &Merchant,
    run: &RunRecord,
    bill: &Bill,
    matched: &Matched,
    journal_head: Option<String>,
) -> MerchantDay {
    let provider = merchant.provider.provider();
    let name = format!("{provider}-{}-{}", merchant.id, run.date);
    MerchantDay {
        merchant: merchant.id.to_string(),
        totals: bill.totals.clone(),
        bill: bill.file.as_ref().map(|file| FileStamp::of(name, file)),
        ledger: None,
        result: matched.result.clone(),
        fund_flow: None,
        fund_note: None,
        journal_head,
        version: Some(run.version),
        digest: None,
        papers: None,
    }
}

/// The heads of the journals that a report stands for, so that a cut tail shows: the head of the
/// one merchant, or of each merchant of the account with its id and number.
fn heads_shown(hub: &Hub, merchant: &Merchant, heads: &[Head]) -> Option<String> {
    let hex = |mac: &[u8]| mac.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let all = hub.of_one_account(merchant);
    let known = |merchant: &Merchant| heads.iter().find(|head| head.merchant_id == merchant.id);
    if all.len() == 1 {
        return known(merchant).map(|head| hex(&head.mac));
    }
    let shown: Vec<String> = all
        .into_iter()
        .filter_map(known)
        .map(|head| format!("{}:{}:{}", head.merchant_id, head.seq, hex(&head.mac)))
        .collect();
    (!shown.is_empty()).then(|| shown.join(" "))
}
