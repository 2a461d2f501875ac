//! What matching decides, worked out before anybody waits for it: the search for covering sets may
//! take long, so it is made outside of the bank's turn, and holds only where everything still stands
//! as it did then.

use std::collections::BTreeMap;

use deadpool_postgres::GenericClient;
use jiff::civil::Date;
use reconciliation::settlement::{Credit, Expected, Settled, settle};

use super::arrive::{BEFORE, TRIED_FOR, days_before};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::{StoreError, bank, settlements};

/// Everything that matching rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// The last day of which the bank has told.
    pub(super) reach: Date,
    /// What is expected.
    pub(super) expected: Vec<Expected>,
    /// The credits that are not matched, by serial.
    pub(super) credits: Vec<Credit>,
}

/// What will have been written before matching begins.
#[derive(Debug, Default)]
pub(crate) struct Coming<'a> {
    /// The last day of which the bank will have told.
    pub(crate) reach: Option<Date>,
    /// Credits that are new.
    pub(crate) credits: Vec<Credit>,
    /// The credit that will be matched, and with which settlements.
    pub(crate) matched: Option<(&'a str, &'a [&'a str])>,
}

/// What matching decides where everything stands like this.
#[derive(Debug)]
pub(crate) struct Foreseen {
    /// How everything stands.
    pub(super) on: Standing,
    /// What becomes of each credit.
    pub(super) settled: BTreeMap<String, Settled>,
}

/// Reads what matching rests on; none before the bank's first statement.
pub(super) async fn standing(
    client: &impl GenericClient,
    hub: &Hub,
    coming: Coming<'_>,
) -> Result<Option<Standing>, StoreError> {
    let reach = bank::reach(client).await?.max(coming.reach);
    let Some(reach) = reach else { return Ok(None) };
    let since = days_before(reach, TRIED_FOR);
    let mut credits = bank::open(client, since).await?;
    credits.extend(coming.credits.into_iter().filter(|credit| credit.value_date >= since));
    credits.retain(|credit| coming.matched.is_none_or(|(serial, _)| credit.serial != serial));
    credits.sort_by(|a, b| a.serial.cmp(&b.serial));
    let oldest = credits.iter().map(|credit| credit.value_date).min();
    let mut expected = match oldest {
        Some(oldest) => settlements::expected(client, days_before(oldest, BEFORE)).await?,
        None => Vec::new(),
    };
    for day in &mut expected {
        let is_coming = coming.matched.is_some_and(|(_, ids)| ids.contains(&day.id.as_str()));
        day.is_open &= !is_coming;
        // By the calendar that is known now.
        day.due_on = if day.is_open { hub.bank.due_on(day.day) } else { day.due_on };
    }
    Ok(Some(Standing { reach, expected, credits }))
}

/// Works out what matching will decide, without the bank's turn.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn foresee(hub: &Hub, coming: Coming<'_>) -> Result<Option<Foreseen>, Fault> {
    let client = hub.store.client().await?;
    let found = standing(&client, hub, coming).await?;
    drop(client);
    match found {
        Some(on) => decide(hub, on).await.map(Some),
        None => Ok(None),
    }
}

/// Decides on a thread that may be busy for a while.
pub(super) async fn decide(hub: &Hub, on: Standing) -> Result<Foreseen, Fault> {
    let bank = hub.bank.clone();
    let done = tokio::task::spawn_blocking(move || {
        let settled = settle(&on.expected, &on.credits, &bank);
        Foreseen { on, settled }
    });
    done.await.map_err(|error| Fault::internal(&error))
}
