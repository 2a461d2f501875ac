//! Gathers what the papers of a run say beyond its sums, in the transaction that ends it: what comes
//! later changes none of it.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use domain::doubt::DoubtState;
use domain::money::Fen;
use domain::time::{day_end, day_start};
use jiff::ToSpan as _;
use jiff::civil::Date;
use reconciliation::Reconciliation;
use serde_json::Value;

use super::beside;
use super::doubts::Decided;
use super::rows::Rows;
use crate::fault::Fault;
use crate::hub::{Hub, Merchant};
use crate::report::{CarriedPaper, Papers, RowPaper};
use crate::store::doubts::Carried;
use crate::store::papers::{self, RowNumbers};
use crate::store::runs::RunRecord;

/// How many days before its own a paper shows.
const HISTORY: i64 = 29;

/// What a run ended with, from which its papers are gathered.
pub(super) struct Ended<'a> {
    pub(super) hub: &'a Hub,
    pub(super) merchant: &'a Merchant,
    pub(super) run: &'a RunRecord,
    pub(super) summary: &'a Value,
    pub(super) account: &'a [&'a str],
    pub(super) day: Date,
    pub(super) result: &'a Reconciliation,
    pub(super) rows: &'a Rows,
    pub(super) decided: &'a Decided,
    pub(super) carried: &'a [Carried],
    /// The fingerprints of the differences that this run closes.
    pub(super) closed: &'a [&'a str],
}

/// The papers of a run.
pub(super) async fn gather(tx: &Transaction<'_>, ended: &Ended<'_>) -> Result<Papers, Fault> {
    let Ended { account, day, result, rows, .. } = ended;
    let numbers = numbers(result);
    let mut refunds: Vec<&str> = numbers.refunds.clone();
    refunds.retain(|number| !number.is_empty());
    let span = (day_start(*day), day_end(*day));
    let mut known: Vec<&str> = rows.known().collect();
    known.extend(ended.closed);
    let first = day.checked_sub(HISTORY.days()).unwrap_or(*day);
    let mut papers = Papers {
        refunds: papers::refunds(tx, account, span, &refunds).await?,
        first_days: rows.first_days(),
        carried: carried(ended),
        open: papers::open(tx, account, &known).await?,
        history: papers::history(tx, account, (first, *day)).await?,
        ..Papers::default()
    };
    let behind = papers::rows(tx, account, &numbers).await?;
    let mut ids: Vec<&str> = behind.iter().filter_map(|one| one.fee_id.as_deref()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut places = HashMap::new();
    let mut fees = papers::fees(tx, &ids).await?;
    fees.sort_by(|one, other| one.id.cmp(&other.id));
    for fee in fees {
        places.insert(fee.id, papers.fees.len());
        papers.fees.push(fee.paper);
    }
    papers.rows.resize_with(numbers.orders.len(), RowPaper::default);
    for one in behind {
        let place = usize::try_from(one.row).unwrap_or_default().checked_sub(1);
        let Some(row) = place.and_then(|place| papers.rows.get_mut(place)) else { continue };
        row.surplus = Fen::new(one.surplus_fen);
        if let Some(fee) = one.fee_id.and_then(|id| places.get(&id)) {
            row.shares.push((*fee, Fen::new(one.amount_fen)));
        }
    }
    beside::standing(tx, ended, &mut papers).await?;
    papers.office = Some(beside::office(tx, ended, &papers).await?);
    papers.changes = beside::changes(tx, ended).await?;
    Ok(papers)
}

/// The numbers of every row, in the order of [`Papers::rows`].
fn numbers(result: &Reconciliation) -> RowNumbers<'_> {
    let mut numbers = RowNumbers::default();
    let mut push = |order, refund, provider| {
        numbers.orders.push(order);
        numbers.refunds.push(refund);
        numbers.provider.push(provider);
    };
    for row in &result.matched {
        push(&*row.out_trade_no, &*row.out_refund_no, &*row.provider_trade_no);
    }
    for found in result.doubts.iter().chain(&result.differences) {
        push(&found.out_trade_no, &found.out_refund_no, &found.provider_trade_no);
    }
    numbers
}

/// The doubts of other days that this run leaves open.
fn carried(ended: &Ended<'_>) -> Vec<CarriedPaper> {
    let fates = ended.decided.carried.iter().filter(|fate| fate.state == DoubtState::Open);
    fates
        .filter_map(|fate| {
            let doubt = ended.carried.iter().find(|doubt| doubt.id == fate.id)?;
            Some(CarriedPaper { day: doubt.day, files: fate.files, finding: doubt.finding.clone() })
        })
        .collect()
}
