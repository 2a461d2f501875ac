//! One run, from fetching the bill to the stored findings.

use std::collections::BTreeMap;
use std::time::Duration;

use adapters::bill;
use domain::Fen;
use domain::bill::{BillRow, BillState, BillTotals, Coverage, Direction};
use domain::time::{business_day, day_end, day_start};
use jiff::SignedDuration;
use jiff::civil::Date;
use reconciliation::rules::is_near_cut;
use reconciliation::{LedgerRow, Matcher, Reconciliation, Rules};

use super::bill::{Fetched, damaged, fetch, no_bill, waits_for_late_one};
use super::query::query;
use super::{findings, fund, load};
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::settlement::{self, BillMoves};
use crate::store::StoreError;
use crate::store::bills;
use crate::store::doubts::{self, Carried};
use crate::store::journal::{self, Head};
use crate::store::runs::{self, Leased, Numbers, Pause, RunRecord};

/// How far into the neighbouring days the ledger reaches, so that a row near the cut is recognised.
const MARGIN: SignedDuration = SignedDuration::from_mins(15);

/// How often a run's lease is renewed: well before its 10 minutes end.
const RENEWAL: Duration = Duration::from_secs(120);

/// A bill as read.
pub(super) struct Bill {
    /// The file's bytes; `None` on an empty day.
    pub(super) file: Option<Vec<u8>>,
    /// What it adds up to.
    pub(super) totals: BillTotals,
    rows: Vec<Row>,
}

impl Bill {
    /// What its rows move: payments that stand, and refunds that were not refused. A coupon of the
    /// merchant is no money that is settled.
    pub(super) fn moves(&self) -> Option<BillMoves<'_>> {
        let mut moves = BillMoves::default();
        for row in &self.rows {
            let amount = row.settled.unwrap_or(row.amount);
            let sums = &mut moves.figures;
            sums.fee = sums.fee.plus(row.fee.unwrap_or(Fen::ZERO))?;
            let signed = match (row.direction, row.state) {
                (_, BillState::Failed) => continue,
                (Direction::Payment, _) => {
                    sums.payments = sums.payments.plus(amount)?;
                    amount
                }
                (Direction::Refund, _) => {
                    sums.refunds = sums.refunds.plus(amount)?;
                    amount.negated()?
                }
            };
            moves.numbers.push(&row.out_trade_no);
            moves.amounts.push(signed.get());
        }
        Some(moves)
    }
}

impl Bill {
    /// Whether its rows move any money.
    pub(super) fn moves_money(&self) -> bool {
        let moves = |row: &Row| {
            row.state != BillState::Failed && row.settled.unwrap_or(row.amount) > Fen::ZERO
        };
        self.rows.iter().any(moves)
    }

    /// Hands out its rows in the order of the file.
    pub(super) fn each(&self, take: &mut dyn FnMut(&BillRow<'_>)) {
        for row in &self.rows {
            take(&BillRow {
                line: row.line,
                direction: row.direction,
                out_trade_no: &row.out_trade_no,
                out_refund_no: &row.out_refund_no,
                provider_trade_no: &row.provider_trade_no,
                provider_refund_no: &row.provider_refund_no,
                amount: row.amount,
                settled: row.settled,
                state: row.state,
                occurred_at: row.occurred_at,
                fee: row.fee,
                rate: row.rate,
            });
        }
    }
}

/// A bill's row, kept because matching may run twice.
struct Row {
    line: u64,
    direction: Direction,
    out_trade_no: String,
    out_refund_no: String,
    provider_trade_no: String,
    provider_refund_no: String,
    amount: domain::Fen,
    settled: Option<domain::Fen>,
    state: domain::bill::BillState,
    occurred_at: jiff::Timestamp,
    fee: Option<domain::Fen>,
    rate: Option<domain::bill::RatePpm>,
}

/// What matching gave, with the ledger that it was given and the journals' heads of that moment.
pub(super) struct Matched {
    pub(super) ledger: Vec<LedgerRow>,
    pub(super) heads: Vec<Head>,
    pub(super) result: Reconciliation,
}

/// Works on a leased run until it ends or waits, and keeps it leased meanwhile: a large bill of a
/// slow provider takes longer than a lease. Whoever lost it lets it be.
pub(super) async fn reconcile(hub: &Hub, held: &Leased) -> Result<(), Fault> {
    tokio::select! {
        done = work(hub, held) => done,
        () = keep(hub, held) => {
            tracing::warn!(run = %held.run_id, "another hub took the run over");
            Ok(())
        }
    }
}

/// Renews the lease until it is lost.
async fn keep(hub: &Hub, held: &Leased) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        let renewed = async { runs::renew(&hub.store.client().await?, held).await };
        match renewed.await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, run = %held.run_id, "a run was not renewed"),
        }
    }
}

async fn work(hub: &Hub, held: &Leased) -> Result<(), Fault> {
    let run = load(hub, held.run_id.as_str()).await?;
    if run.lease != held.lease {
        return Ok(());
    }
    let Some(merchant) = hub.merchant(run.merchant_id.as_str()) else {
        let client = hub.store.client().await?;
        let why = "the merchant is not configured any more";
        let given_up = Pause { status: "failed", next_at: None, failure: why, damaged: false };
        runs::wait(&client, &run, &given_up).await?;
        return Ok(());
    };
    let stored = stored(hub, merchant, &run).await?;
    let got = match stored {
        Some(file) => Fetched::File(file),
        None => fetch(hub, merchant, &run).await?,
    };
    let read = match got {
        Fetched::Waits => return Ok(()),
        Fetched::EmptyDay => {
            Ok(Bill { file: None, totals: no_bill(merchant, run.date), rows: Vec::new() })
        }
        // A large bill takes longer to read than an HTTP worker or a lease likes to wait.
        Fetched::File(file) => tokio::task::spawn_blocking(move || read(file))
            .await
            .map_err(|error| Fault::internal(&error))?,
    };
    let bill = match read {
        Ok(bill) => bill,
        Err((why, file)) => {
            damaged(hub, merchant, &run, &why, Some(&file)).await?;
            return Ok(());
        }
    };
    if let Some(why) = unfit(&bill, &run) {
        damaged(hub, merchant, &run, &why, bill.file.as_deref()).await?;
        return Ok(());
    }
    let client = hub.store.client().await?;
    let carried = doubts::carried(&client, &ids(hub, merchant), run.date).await?;
    drop(client);
    let mut matched = compare(hub, merchant, &run, &bill, &carried).await?;
    if bill.file.is_none()
        && may_have_a_bill(hub, merchant, &run, &matched, &carried).await?
        && waits_for_late_one(hub, merchant, &run).await?
    {
        return Ok(());
    }
    let answers = query(hub, merchant, &matched.result, &carried).await?;
    if answers.repaired {
        matched = compare(hub, merchant, &run, &bill, &carried).await?;
    }
    answers.note(&mut matched.result);
    let flow = fund::check(hub, merchant, &run, &bill).await?;
    findings::keep(hub, merchant, &run, (&bill, &flow), matched, &answers).await?;
    // The run has ended: a credit that is not matched now is matched by the next run or statement.
    if let Err(fault) = settlement::match_again(hub).await {
        tracing::warn!(run = %run.id, fault = fault.detail, "the bank's credits were not matched");
    }
    Ok(())
}

/// Whether something may have happened on a day: money moved here, a row of another day is looked
/// for, or an order could be paid.
async fn may_have_a_bill(
    hub: &Hub,
    merchant: &Merchant,
    run: &RunRecord,
    matched: &Matched,
    carried: &[Carried],
) -> Result<bool, Fault> {
    if !carried.is_empty() || matched.ledger.iter().any(|row| row.day() == run.date) {
        return Ok(true);
    }
    let client = hub.store.client().await?;
    let (from, until) = (day_start(run.date), day_end(run.date));
    Ok(bills::may_exist(&client, &ids(hub, merchant), from, until).await?)
}

/// The bill that an older run of the day has read, where this one may use it.
async fn stored(hub: &Hub, merchant: &Merchant, run: &RunRecord) -> Result<Option<Vec<u8>>, Fault> {
    if run.refetch {
        return Ok(None);
    }
    let client = hub.store.client().await?;
    let stored = bills::newest(&client, &ids(hub, merchant), run.date).await?;
    stored
        .map(|stored| stored.open(&hub.sealer))
        .transpose()
        .map_err(|error| Fault::internal(&error))
}

/// Reads a file; one that cannot be read is given back with the reason.
fn read(file: Vec<u8>) -> Result<Bill, (String, Vec<u8>)> {
    let mut rows = Vec::new();
    let read = bill::read(&file, &mut |row| {
        rows.push(Row {
            line: row.line,
            direction: row.direction,
            out_trade_no: row.out_trade_no.to_owned(),
            out_refund_no: row.out_refund_no.to_owned(),
            provider_trade_no: row.provider_trade_no.to_owned(),
            provider_refund_no: row.provider_refund_no.to_owned(),
            amount: row.amount,
            settled: row.settled,
            state: row.state,
            occurred_at: row.occurred_at,
            fee: row.fee,
            rate: row.rate,
        });
    });
    match read {
        Ok(totals) => Ok(Bill { file: Some(file), totals, rows }),
        Err(error) => Err((error.to_string(), file)),
    }
}

/// Why a file that can be read is still not this day's true bill.
fn unfit(bill: &Bill, run: &RunRecord) -> Option<String> {
    if !bill.totals.footer_ok {
        return Some(
            bill.totals.footer_fault.clone().unwrap_or_else(|| "its footer differs".to_owned()),
        );
    }
    if let Some(last) = bill.totals.last_day {
        return Some(format!("it is a bill of several days, the last of them {last}"));
    }
    let other = bill.totals.stated_day.or_else(|| day_of_most(&bill.rows));
    other
        .filter(|day| *day != run.date)
        .map(|day| format!("it is the bill of {day}, not of {}", run.date))
}

/// The day of more than half of a bill's rows: some bills do not state theirs. What happened near the
/// cut may stand in either day's.
fn day_of_most(rows: &[Row]) -> Option<Date> {
    let mut days: BTreeMap<Date, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| !is_near_cut(row.occurred_at)) {
        let rows = days.entry(business_day(row.occurred_at)).or_default();
        *rows = rows.saturating_add(1);
    }
    let (day, count) = days.into_iter().max_by_key(|(_, count)| *count)?;
    (count.saturating_mul(2) > rows.len()).then_some(day)
}

async fn compare(
    hub: &Hub,
    merchant: &Merchant,
    run: &RunRecord,
    bill: &Bill,
    carried: &[Carried],
) -> Result<Matched, Fault> {
    let mut numbers = Numbers::default();
    for doubt in carried {
        numbers.orders.push(doubt.finding.out_trade_no.clone());
        if doubt.finding.direction == Direction::Refund {
            numbers.refunds.push(doubt.finding.out_refund_no.clone());
        }
    }
    for row in &bill.rows {
        numbers.orders.push(row.out_trade_no.clone());
        numbers.payments.push(row.provider_trade_no.clone());
        if row.direction == Direction::Refund {
            numbers.refunds.push(row.out_refund_no.clone());
        }
    }
    let from = day_start(run.date).saturating_sub(MARGIN).unwrap_or(day_start(run.date));
    let until = day_end(run.date).saturating_add(MARGIN).unwrap_or(day_end(run.date));
    let mut client = hub.store.client().await?;
    // The head stands for exactly the ledger that is held against the bill.
    let books = runs::snapshot(&mut client).await?;
    let ledger = runs::ledger(&books, &ids(hub, merchant), from, until, &numbers).await?;
    let heads = journal::heads(&books).await?;
    books.commit().await.map_err(StoreError::from)?;
    drop(client);
    let rules = Rules { day: Some(run.date), fee_rate: None };
    let mut matcher = Matcher::new(rules, ledger.clone());
    bill.each(&mut |row| matcher.bill_row(row));
    let covers: Coverage = bill.totals.covers;
    let result = matcher.finish(bill.totals.stated_day, covers);
    Ok(Matched { ledger, heads, result })
}

/// The ids of the merchants whose orders stand in the bill of this one.
pub(super) fn ids<'a>(hub: &'a Hub, merchant: &Merchant) -> Vec<&'a str> {
    hub.of_one_account(merchant).into_iter().map(|merchant| merchant.id.as_str()).collect()
}
