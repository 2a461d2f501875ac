//! Differences with what people did about them. The steps belong to the row that opened one,
//! whichever later run has it too.

use deadpool_postgres::GenericClient;
use domain::Fen;
use domain::bill::Direction;
use domain::difference::{DifferenceState, DifferenceStep, Remedy, apart};
use domain::ids::MerchantId;
use domain::time::business_day;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use super::{StoreError, load, sql, typed};

/// A difference as it stands: amounts and states are those of the newest run that has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Difference {
    /// Its id.
    pub id: String,
    /// The newest run that has it.
    pub run_id: String,
    /// The merchant whose run opened it.
    pub merchant_id: MerchantId,
    /// The day of its money.
    pub first_day: Date,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// What kind.
    pub kind: String,
    /// Payment or refund.
    pub direction: Direction,
    /// The hub's order number.
    pub out_trade_no: String,
    /// The hub's refund number.
    pub out_refund_no: Option<String>,
    /// The provider's payment number.
    pub provider_trade_no: Option<String>,
    /// The amount in the books.
    pub hub_amount_fen: Option<Fen>,
    /// The amount in the bill.
    pub bill_amount_fen: Option<Fen>,
    /// How it stands in the books.
    pub hub_state: Option<String>,
    /// How it stands in the bill.
    pub bill_state: Option<String>,
    /// What exactly differs.
    pub detail: String,
    /// Why it probably came to be.
    pub cause: String,
    /// What the run proposed.
    pub proposed_action: String,
    /// How far it is.
    pub status: DifferenceState,
    /// Who has it.
    pub owner: Option<String>,
    /// What was done about it, in order.
    pub steps: Vec<Step>,
}

/// A step as stored.
#[derive(Clone, Debug, Deserialize)]
pub struct Step {
    /// Its place, from 1.
    pub position: i32,
    /// What was done.
    pub event: DifferenceStep,
    /// Who did it: a person, or a run.
    pub by: String,
    /// To whom it was given.
    pub owner: Option<String>,
    /// Which remedy was proposed.
    pub action: Option<Remedy>,
    /// How much is to be written off, or was.
    pub amount_fen: Option<Fen>,
    /// Whether money beyond the books was written off (`long`), or money that is missing (`short`).
    pub side: Option<String>,
    /// In whose journal.
    pub journal: Option<MerchantId>,
    /// The refund that settles it.
    pub refund_id: Option<String>,
    /// The difference that it is matched with by force.
    pub other_id: Option<String>,
    /// The run that took the step.
    pub run_id: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub told_at: Timestamp,
}

impl Difference {
    /// How many days its money is old on a day (账龄).
    #[must_use]
    pub fn age_days(&self, on: Date) -> i32 {
        self.first_day.until(on).map_or(0, |span| span.get_days())
    }

    /// What the bill has more than the books: above zero 长款, below 短款.
    #[must_use]
    pub fn apart(&self) -> Fen {
        let moved = matches!(self.hub_state.as_deref(), Some("paid" | "processing" | "succeeded"));
        apart(self.direction, self.hub_amount_fen.filter(|_| moved), self.bill_amount_fen)
    }

    /// The newest proposal since it was opened, or taken up again.
    #[must_use]
    pub fn proposal(&self) -> Option<&Step> {
        self.steps
            .iter()
            .rev()
            .take_while(|step| step.event != DifferenceStep::Reopened)
            .find(|step| step.event == DifferenceStep::Proposed)
    }

    /// Its age today in Beijing.
    #[must_use]
    pub fn age_at(&self, now: Timestamp) -> i32 {
        self.age_days(business_day(now))
    }
}

/// Which differences are looked for.
#[derive(Clone, Debug, Default)]
pub struct Sought<'a> {
    /// In which states.
    pub states: Vec<DifferenceState>,
    /// Whose.
    pub owner: Option<&'a str>,
    /// Of which merchants.
    pub merchants: Option<Vec<&'a str>>,
    /// Of days before this one.
    pub before: Option<Date>,
    /// Behind this one; empty from the first on.
    pub after: &'a str,
}

/// Differences in the order in which they were opened, at most `limit`.
///
/// # Errors
/// When the database does not answer.
pub async fn find(
    client: &impl GenericClient,
    sought: &Sought<'_>,
    limit: i64,
) -> Result<Vec<Difference>, StoreError> {
    let Sought { states, owner, merchants, before, after } = sought;
    let words: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    load(client, sql::DIFFERENCES_FIND, &[&words, owner, merchants, before, after, &limit]).await
}

/// Differences by the ids of any of their rows.
///
/// # Errors
/// When the database does not answer.
pub async fn by_ids(
    client: &impl GenericClient,
    ids: &[&str],
) -> Result<Vec<Difference>, StoreError> {
    load(client, sql::DIFFERENCES_DOCUMENTS, &[&ids]).await
}

/// The differences of an account that are not over, of days before one, oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn standing(
    client: &impl GenericClient,
    account: &[&str],
    before: Date,
) -> Result<Vec<Difference>, StoreError> {
    load(client, sql::DIFFERENCES_STANDING, &[&account, &before]).await
}

/// Locks differences, and those that their steps name, for the rest of the transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(client: &impl GenericClient, ids: &[&str]) -> Result<Vec<String>, StoreError> {
    let statement = client.prepare_cached(sql::DIFFERENCES_LOCK).await?;
    let rows = client.query(&statement, &[&ids]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// A step to be written.
#[derive(Clone, Debug, Default)]
pub struct NewStep<'a> {
    /// Of which difference.
    pub id: &'a str,
    /// Who takes it.
    pub by: &'a str,
    /// To whom it is given.
    pub owner: Option<&'a str>,
    /// Which remedy is proposed.
    pub action: Option<Remedy>,
    /// How much is to be written off, or is.
    pub amount: Option<Fen>,
    /// On which side, and in whose journal.
    pub posted: Option<(&'static str, &'a str)>,
    /// The refund that settles it.
    pub refund_id: Option<&'a str>,
    /// The difference that it is matched with.
    pub other_id: Option<&'a str>,
    /// The run that takes the step.
    pub run_id: Option<&'a str>,
    /// Why.
    pub reason: Option<&'a str>,
}

/// Takes a step of a locked difference; its place, or none where the difference is not as far as
/// was said.
///
/// # Errors
/// When a named constraint refuses: `nobody_approves_what_he_proposed` and its like.
pub async fn step(
    client: &impl GenericClient,
    new: &NewStep<'_>,
    (from, to, event): (DifferenceState, DifferenceState, DifferenceStep),
    now: Timestamp,
) -> Result<Option<i32>, StoreError> {
    let statement = client.prepare_cached(sql::DIFFERENCE_STEPS_INSERT).await?;
    let (side, journal) = new.posted.unzip();
    let row = client
        .query_opt(
            &statement,
            &[
                &new.id,
                &from.as_str(),
                &to.as_str(),
                &event.as_str(),
                &new.by,
                &new.owner,
                &new.action.map(Remedy::as_str),
                &new.amount.map(Fen::get),
                &side,
                &journal,
                &new.refund_id,
                &new.other_id,
                &new.reason,
                &now,
                &new.run_id,
            ],
        )
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Ends locked differences that a run does not have any more, as `event` says; which they are.
///
/// # Errors
/// When the database does not answer.
pub async fn clear(
    client: &impl GenericClient,
    run_id: &str,
    ids: &[&str],
    event: DifferenceStep,
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let statement = client.prepare_cached(sql::DIFFERENCES_CLEAR).await?;
    let rows = client.query(&statement, &[&run_id, &ids, &now, &event.as_str()]).await?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// How a refund stands, and whether it is of a difference's order; none for an unknown one.
///
/// # Errors
/// When the database does not answer.
pub async fn refund(
    client: &impl GenericClient,
    refund_id: &str,
    difference_id: &str,
) -> Result<Option<(String, bool)>, StoreError> {
    let statement = client.prepare_cached(sql::DIFFERENCES_REFUND).await?;
    let row = client.query_opt(&statement, &[&refund_id, &difference_id]).await?;
    row.map(|row| Ok((row.try_get("state")?, row.try_get("is_of_order")?))).transpose()
}

/// In whose journal a difference's order stands, among an account's merchants.
///
/// # Errors
/// When the database does not answer.
pub async fn journal(
    client: &impl GenericClient,
    difference_id: &str,
    account: &[&str],
) -> Result<Option<MerchantId>, StoreError> {
    let statement = client.prepare_cached(sql::DIFFERENCES_JOURNAL).await?;
    let row = client.query(&statement, &[&difference_id, &account]).await?.into_iter().next();
    row.map(|row| typed("orders.merchant_id", row.try_get(0)?)).transpose()
}
