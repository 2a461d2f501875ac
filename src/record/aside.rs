//! What is put aside so that its neighbours can be recorded: facts about orders that somebody holds,
//! and facts of which the books take nothing.

use std::collections::BTreeSet;

use super::rounds::number;
use super::{Arrival, Evidence, NOT_BOOKED, RecordError, Unbooked, record, rows};
use crate::hub::Hub;
use crate::store::{StoreError, orders};

/// Which arrivals are about an order that somebody else has locked now, by their index.
///
/// # Errors
/// When the database does not answer.
pub async fn held(hub: &Hub, arrivals: &[Arrival<'_>]) -> Result<BTreeSet<usize>, RecordError> {
    let about = arrivals.iter().flat_map(|arrival| {
        let merchant = arrival.merchant.id.as_str();
        arrival.claims.iter().map(move |claim| (merchant, number(claim).as_str()))
    });
    let (merchants, numbers): (Vec<&str>, Vec<&str>) = about.unzip();
    let mut client = hub.store.client().await?;
    let tx = client.transaction().await.map_err(StoreError::from)?;
    let held = orders::held(&tx, &merchants, &numbers).await?;
    tx.rollback().await.map_err(StoreError::from)?;
    let is_held = |arrival: &Arrival<'_>| {
        arrival.claims.iter().any(|claim| held.contains(number(claim).as_str()))
    };
    let indexed = arrivals.iter().enumerate();
    Ok(indexed.filter(|(_, arrival)| is_held(arrival)).map(|(index, _)| index).collect())
}

/// Keeps the callback of an arrival that the books refuse, with an incident that says `why`: it can
/// be replayed once that is mended, and is nobody's loss if its provider gives up before.
///
/// # Errors
/// When not even that can be written.
pub async fn keep_unbooked(hub: &Hub, arrival: &Arrival<'_>, why: &str) -> Result<(), RecordError> {
    let Some(evidence) = &arrival.evidence else { return Ok(()) };
    let causes: Vec<String> = arrival.claims.iter().map(rows::cause).collect();
    let unbooked = Unbooked { kind: NOT_BOOKED, why: why.to_owned(), cause: causes.join(",") };
    let evidence = Evidence { unbooked: Some(unbooked), ..evidence.clone() };
    let aside =
        Arrival { merchant: arrival.merchant, claims: Vec::new(), evidence: Some(evidence) };
    record(hub, &[aside]).await.map(|_verdicts| ())
}
