//! What the papers of a run say of the office beside its bill: money at the bank, remittances, who did
//! what, how far differences are worked on, and what is otherwise than in a version signed before.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use serde_json::json;

use super::changes::{self, Changes};
use super::papers::Ended;
use crate::fault::Fault;
use crate::fiscal;
use crate::report::{OfficePaper, Papers, StandingPaper};
use crate::settlement::{SettlementDay, provisional, told_until};
use crate::store::differences::{self, Difference};
use crate::store::findings::{self, SaidOf};
use crate::store::{papers, runs, settlements};

/// Says of each difference that somebody has begun with how far it is.
pub(super) async fn standing(
    tx: &Transaction<'_>,
    ended: &Ended<'_>,
    papers: &mut Papers,
) -> Result<(), Fault> {
    let next = ended.day.tomorrow().unwrap_or(ended.day);
    let found = differences::standing(tx, ended.account, next).await?;
    let begun: HashMap<String, StandingPaper> = found
        .into_iter()
        .filter(|it| !it.steps.is_empty())
        .map(|it| (it.id.clone(), of(&it)))
        .collect();
    papers.standing = ended.rows.ids().iter().map(|id| begun.get(id).cloned()).collect();
    for open in &mut papers.open {
        open.standing = begun.get(&open.id).cloned();
    }
    Ok(())
}

fn of(found: &Difference) -> StandingPaper {
    let remedy = found.proposal().and_then(|step| step.action);
    StandingPaper { status: found.status, owner: found.owner.clone(), remedy }
}

/// What the office knows beside the bill.
pub(super) async fn office(
    tx: &Transaction<'_>,
    ended: &Ended<'_>,
    known: &Papers,
) -> Result<OfficePaper, Fault> {
    let settlements = settled(tx, ended).await?;
    let remitted = fiscal::by_item_in(tx, ended.hub, (ended.day, ended.day)).await?;
    let mut subjects: Vec<&str> = ended.rows.ids().iter().map(String::as_str).collect();
    subjects.extend(known.open.iter().map(|open| open.id.as_str()));
    let arrivals = settlements.iter().filter_map(|it: &SettlementDay| it.arrival.as_ref());
    subjects.extend(arrivals.map(|arrival| arrival.bank_serial.as_str()));
    let refunds: Vec<&str> = known.refunds.iter().map(|it| it.out_refund_no.as_str()).collect();
    let acts = papers::acts(tx, (ended.account, ended.day), &subjects, &refunds).await?;
    let owed = fiscal::owed_in(tx, ended.hub, ended.day).await?;
    let tasks = papers::tasks(tx, ended.account).await?;
    Ok(OfficePaper { settlements, remitted, owed, tasks, acts })
}

/// What is expected at the bank, and what has arrived since the day before.
async fn settled(tx: &Transaction<'_>, ended: &Ended<'_>) -> Result<Vec<SettlementDay>, Fault> {
    let provider = &ended.merchant.provider;
    let account = format!("{}:{}", provider.provider(), provider.account().payee);
    let wanted = papers::settlements(tx, (&account, ended.account), ended.day).await?;
    let Some((_, first)) = wanted.first() else { return Ok(Vec::new()) };
    let late_since = told_until(tx, ended.hub).await?;
    let mut found = settlements::between(tx, (*first, ended.day), late_since).await?;
    let wanted: HashSet<&str> = wanted.iter().map(|(id, _)| id.as_str()).collect();
    found.retain(|it| wanted.contains(it.settlement_id.as_str()));
    provisional(ended.hub, &mut found);
    for arrival in found.iter_mut().filter_map(|it| it.arrival.as_mut()) {
        arrival.reason = None;
    }
    Ok(found)
}

/// What this version has otherwise than the one before it that was signed and opened again.
pub(super) async fn changes(
    tx: &Transaction<'_>,
    ended: &Ended<'_>,
) -> Result<Option<Changes>, Fault> {
    let of = (ended.day, ended.run.version);
    let Some(before) = papers::reopened(tx, ended.account, of).await? else { return Ok(None) };
    let old = findings::said_by(tx, &before).await?;
    let mut said = Vec::with_capacity(ended.rows.differences.len());
    for (row, id) in ended.rows.differences.iter().zip(ended.rows.ids()) {
        let mut row = row.clone();
        if let Some(row) = row.as_object_mut() {
            row.insert("id".to_owned(), json!(id));
        }
        let row: SaidOf = serde_json::from_value(row).map_err(|error| Fault::internal(&error))?;
        said.push(row);
    }
    let found = runs::by_ids(tx, &[before.as_str()]).await?;
    let Some(before) = found.first() else { return Ok(None) };
    let versions = (changes::version(before)?, changes::summed(ended.run, ended.summary.clone())?);
    Ok(Some(changes::between(versions, old, said)))
}
